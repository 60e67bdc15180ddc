//! The report as plain data. Its JSON is what `wayguard report --format json` writes and `--since` reads again: fields are
//! added, never renamed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wayguard_audit::Outcome;
use wayguard_engine::decision::Severity;

/// Names the form of the JSON.
pub const SCHEMA: &str = "wayguard.io/report/v1";

/// A report about one cluster or one folder at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Of what, when, by what.
    pub about: About,
    /// What it comes to.
    pub totals: Totals,
    /// Every finding, also what exceptions cover: worst first, then the longest known.
    pub findings: Vec<Finding>,
    /// The same counted by namespace, owner, policy, severity and control.
    pub groups: Groups,
    /// Every exception, those that have ended too; the next to end first.
    pub exceptions: Vec<Exception>,
    /// What was not judged, and why.
    pub coverage: Coverage,
    /// What is known about the controls of public frameworks.
    pub compliance: Vec<Framework>,
    /// What is new and what is fixed since an earlier report; absent: there was none to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Open findings over time, this report last.
    pub trend: Vec<Point>,
    /// How long it took to mend what was mended, as far as reports tell.
    pub repairs: Repairs,
    /// Images that run, or would run.
    pub images: Vec<Image>,
    /// Every policy of the set, also those that found nothing.
    pub policies: Vec<Policy>,
}

/// Of what a report is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// What was looked at.
    pub scope: Scope,
    /// The moment of the report: exceptions are judged as they were then.
    pub time: Timestamp,
    /// The cluster.
    pub cluster: Cluster,
    /// Digest of policies, parameters and exceptions that judged.
    pub policy_set_digest: String,
    /// The version of this program.
    pub version: String,
    /// The label that says who answers for an object.
    pub owner_label: String,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// Everything that runs in a cluster.
    Cluster,
    /// Manifests in files.
    #[default]
    Files,
}

/// Which cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// As whoever asked for the report calls it; may be empty.
    pub name: String,
    /// uid of the namespace `kube-system`: it stays for the life of a cluster. Empty: not known.
    pub uid: String,
}

/// Numbers that a reader asks for first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Objects that were met: the sum of the five below.
    pub objects: u64,
    /// Admission would refuse them today.
    pub refused: u64,
    /// They have findings, and none would refuse them.
    pub warned: u64,
    /// All of their findings are covered by exceptions.
    pub excepted: u64,
    /// Judged, and nothing found.
    pub clean: u64,
    /// No policy judged them.
    pub unjudged: u64,
    /// Findings.
    pub findings: Counts,
}

/// Findings by what becomes of them; of the open ones (all but `skip`) by how much they matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// A policy could not be evaluated.
    pub error: u64,
    /// The object would be refused.
    pub fail: u64,
    /// Somebody would be warned, or it would be recorded.
    pub warn: u64,
    /// An exception covers it.
    pub skip: u64,
    /// Open and critical.
    pub critical: u64,
    /// Open and high.
    pub high: u64,
    /// Open and medium.
    pub medium: u64,
    /// Open and low.
    pub low: u64,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, outcome: Outcome, severity: Severity) {
        self.add_many(outcome, severity, 1);
    }

    /// Counts so many more.
    pub fn add_many(&mut self, outcome: Outcome, severity: Severity, count: u64) {
        match outcome {
            Outcome::Skip => {
                self.skip += count;
                return;
            }
            Outcome::Warn => self.warn += count,
            Outcome::Fail => self.fail += count,
            Outcome::Error => self.error += count,
        }
        match severity {
            Severity::Low => self.low += count,
            Severity::Medium => self.medium += count,
            Severity::High => self.high += count,
            Severity::Critical => self.critical += count,
        }
    }

    /// Those that no exception covers.
    pub fn open(&self) -> u64 {
        self.error + self.fail + self.warn
    }
}

/// One finding on one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The same in every report while policy, rule, object and place are.
    pub id: String,
    /// The policy's id.
    pub policy: String,
    /// The rule within it.
    pub rule: String,
    /// The policy in a few words.
    pub title: String,
    /// What becomes of it.
    pub result: Outcome,
    /// How much it matters.
    pub severity: Severity,
    /// The policy's category.
    pub category: String,
    /// Control ids.
    pub controls: Vec<String>,
    /// On what.
    pub object: ObjectName,
    /// Who answers for the object; empty: nobody is named.
    pub owner: String,
    /// The place as people read it.
    pub field: String,
    /// What is wrong, in one sentence; values that could be secrets are masked.
    pub message: String,
    /// How to mend it.
    pub remedy: String,
    /// Where to read more.
    pub docs: String,
    /// The exception that covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// The time of the first report that had it, without a break since.
    pub first_seen: Timestamp,
    /// When the object was made, where a cluster says so: the finding cannot be older.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_created: Option<Timestamp>,
    /// It was not in the report that this one was compared with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new: bool,
}

impl Finding {
    /// Whether no exception covers it.
    pub fn is_open(&self) -> bool {
        self.result != Outcome::Skip
    }
}

/// Names an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// API group and version.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace; empty for kinds of the whole cluster.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.namespace.as_str() {
            "" => write!(out, "{} {}", self.kind, self.name),
            namespace => write!(out, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}

/// Counts by what somebody answers for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Groups {
    /// By namespace; the empty one: objects of the whole cluster.
    pub namespaces: Vec<Row>,
    /// By owner; the empty one: nobody is named.
    pub owners: Vec<Row>,
    /// By policy.
    pub policies: Vec<Row>,
    /// By severity, worst first.
    pub severities: Vec<Row>,
    /// By control; a finding counts for each of its controls.
    pub controls: Vec<Row>,
    /// Objects with the most open findings, at most twenty.
    pub violators: Vec<Violator>,
}

/// One line of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Of what.
    pub name: String,
    /// Objects with open findings.
    pub objects: u64,
    /// Findings.
    pub findings: Counts,
}

/// An object with many findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Violator {
    /// The object.
    pub object: ObjectName,
    /// Who answers for it.
    pub owner: String,
    /// Its findings.
    pub findings: Counts,
}

/// An exception.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exception {
    /// Name.
    pub name: String,
    /// Policies that it is about.
    pub policies: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// It had ended at the time of the report, and covers nothing.
    pub ended: bool,
    /// Findings that it covers.
    pub findings: u64,
}

/// What was not judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Objects that were met, by kind.
    pub met_kinds: BTreeMap<String, u64>,
    /// Those of them that no policy is about, by kind.
    pub unjudged_kinds: BTreeMap<String, u64>,
    /// Kinds whose objects were not looked at.
    pub kinds: Vec<Gap>,
    /// Namespaces whose objects no policy judged.
    pub namespaces: Vec<NamespaceGap>,
    /// Policies that judged nothing, or not every object that they are about.
    pub policies: Vec<Gap>,
    /// Objects that could not be judged at all.
    pub problems: Vec<Gap>,
    /// Some of the cluster could not be read: counts are lower bounds.
    pub incomplete: bool,
}

/// Something that was not judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// What.
    pub what: String,
    /// The kind, where it is about one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Why.
    pub why: String,
    /// On how many objects; absent: that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
}

/// A namespace that was not judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceGap {
    /// Namespace; empty: the cluster's own objects.
    pub namespace: String,
    /// Why.
    pub why: String,
    /// Objects of it.
    pub objects: u64,
}

/// A public framework.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Framework {
    /// Short name.
    pub name: String,
    /// What it is, with its edition.
    pub about: String,
    /// Its controls, in its order.
    pub controls: Vec<Control>,
}

/// A control, and what there is to show for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Control {
    /// As policies name it.
    pub id: String,
    /// What it asks for, in our words.
    pub title: String,
    /// What is known.
    pub status: Status,
    /// What the status rests on, in one sentence.
    pub reason: String,
    /// The policies that test it.
    pub tests: Vec<Test>,
}

/// A policy as evidence for a control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// The policy's id.
    pub policy: String,
    /// Objects that it judged.
    pub judged: u64,
    /// Objects of them with open findings.
    pub violating: u64,
    /// Findings that exceptions cover.
    pub excepted: u64,
    /// Objects that it could not judge.
    pub unjudged: u64,
}

/// What is known about a control. Only one of these is good news, and it says no more than what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Something violates it.
    Violated,
    /// Nothing else violates it than what exceptions cover.
    Excepted,
    /// Nothing was found, and not everything that had to be was judged.
    Incomplete,
    /// Everything that its policies are about was judged, and nothing found.
    NoViolations,
    /// Policies test it, and there was nothing for them to judge.
    NothingJudged,
    /// No policy that was in force tests it.
    NotCovered,
}

impl Status {
    /// In plain words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Excepted => "violated, excepted",
            Self::Incomplete => "no violations, not all judged",
            Self::NoViolations => "no violations found",
            Self::NothingJudged => "nothing judged",
            Self::NotCovered => "not covered",
        }
    }
}

/// What changed since an earlier report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The report that this one was compared with.
    pub since: Baseline,
    /// Open now and not then.
    pub new: u64,
    /// Open then; now it, or its object, is gone.
    pub fixed: Vec<Finding>,
    /// Open then and covered by an exception now.
    pub excepted: u64,
    /// Open then, and not judged now, so that nobody knows.
    pub no_longer_judged: Vec<Finding>,
}

/// The report that another one was compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// Its time.
    pub time: Timestamp,
    /// Its policies; empty: not known.
    pub policy_set_digest: String,
    /// Whether they are those of this report: else a difference may be the policies', not the cluster's. Absent: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_policies: Option<bool>,
}

/// How things stood at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// When.
    pub time: Timestamp,
    /// Objects; absent: not known of that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// Objects that would be refused; absent: not known of that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<u64>,
    /// Findings.
    pub findings: Counts,
}

/// How long mending took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repairs {
    /// Findings that were fixed.
    pub count: u64,
    /// The seconds from first seen to the report that no longer had them, summed.
    pub seconds: u64,
}

impl Repairs {
    /// The mean in seconds; `None`: nothing was fixed yet.
    pub fn mean_seconds(self) -> Option<u64> {
        self.seconds.checked_div(self.count)
    }
}

/// An image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// As objects name it.
    pub reference: String,
    /// What runs under that name, or what the reference or a registry says; several, where a tag has moved.
    pub digests: Vec<String>,
    /// Objects that name it.
    pub objects: u64,
    /// Namespaces with such objects.
    pub namespaces: Vec<String>,
    /// Who signed it; absent: nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Vec<String>>,
    /// What scans say, one line each; absent: nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scans: Option<Vec<String>>,
    /// Why less is known than could be.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
}

/// A policy of the set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Id.
    pub id: String,
    /// In a few words.
    pub title: String,
    /// Control ids.
    pub controls: Vec<String>,
    /// Objects that it judged.
    pub judged: u64,
    /// Objects of them with open findings.
    pub violating: u64,
    /// Findings.
    pub findings: Counts,
    /// Objects that it could not judge, by reason.
    pub not_judged: BTreeMap<String, u64>,
    /// Why it could not be loaded; empty: it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub broken: String,
}
