//! From what an audit knows to a report: a plain function of its input, so that the same input makes the same bytes.

use crate::change::Past;
use crate::compliance::compliance;
use crate::groups::groups;
use crate::model::{
    About, Counts, Coverage, Exception, Finding, Gap, Image, NamespaceGap, ObjectName, Point, Policy, Report,
    SCHEMA, Totals,
};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use wayguard_audit::{Auditor, Edition, Found, Outcome, totals};

/// What the audit's results do not hold.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Of what, when. The digest of the policies is filled in here.
    pub about: About,
    /// Kinds that were not looked at.
    pub kinds: Vec<Gap>,
    /// Policies that had nothing to judge, and why.
    pub policies: Vec<Gap>,
    /// Some of the cluster could not be read.
    pub incomplete: bool,
    /// When objects were made.
    pub created: BTreeMap<ObjectName, Timestamp>,
    /// Images.
    pub images: Vec<Image>,
    /// What the library has, in force or not.
    pub offered: Vec<Offered>,
}

/// A policy of the library.
#[derive(Clone, Debug, Default)]
pub struct Offered {
    /// Id.
    pub id: String,
    /// Control ids.
    pub controls: Vec<String>,
}

/// Makes the report.
pub fn assemble(auditor: &Auditor, given: Given, past: &Past) -> Report {
    let edition = auditor.edition();
    let Given { mut about, kinds, policies: idle, incomplete, created, mut images, offered } = given;
    edition.set.digest().clone_into(&mut about.policy_set_digest);
    let audited = totals(auditor);
    let policies = policies(&edition, &audited);
    let titles: BTreeMap<&str, &str> =
        policies.iter().map(|policy| (policy.id.as_str(), policy.title.as_str())).collect();
    let (findings, totals) = findings(auditor, &about, &titles, &created, past, &audited);
    let coverage = coverage(&audited, kinds, idle, &policies, incomplete);
    let known: BTreeSet<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
    let (change, repairs) = past.change(&about, &findings, &known, &coverage);
    let point = Point {
        time: about.time,
        objects: Some(totals.objects),
        refused: Some(totals.refused),
        findings: totals.findings,
    };
    images.sort_by(|one, other| one.reference.cmp(&other.reference));
    let ids: Vec<&str> = known.iter().copied().collect();
    Report {
        schema: SCHEMA.to_owned(),
        groups: groups(&findings, &ids),
        exceptions: exceptions(&edition, &findings),
        compliance: compliance(&policies, &offered, incomplete),
        change,
        trend: past.trend_with(point),
        repairs,
        about,
        totals,
        findings,
        coverage,
        images,
        policies,
    }
}

/// All findings, and the objects counted by the worst of theirs.
fn findings(
    auditor: &Auditor,
    about: &About,
    titles: &BTreeMap<&str, &str>,
    created: &BTreeMap<ObjectName, Timestamp>,
    past: &Past,
    audited: &wayguard_audit::Totals,
) -> (Vec<Finding>, Totals) {
    let mut findings = Vec::new();
    let mut totals = Totals { objects: audited.objects, unjudged: audited.unjudged, ..Totals::default() };
    auditor.each_object(&mut |_, found| {
        match found.iter().map(|found| found.note.outcome()).max() {
            None => {}
            Some(Outcome::Skip) => totals.excepted += 1,
            Some(Outcome::Warn) => totals.warned += 1,
            Some(Outcome::Fail | Outcome::Error) => totals.refused += 1,
        }
        let mut same: BTreeMap<String, u32> = BTreeMap::new();
        for found in found {
            let mut finding = finding(*found, about, titles, created);
            // Findings of one rule at one place are told apart by their order, which the engine keeps.
            let count = same.entry(finding.id.clone()).or_default();
            *count += 1;
            if *count > 1 {
                finding.id = format!("{}-{count}", finding.id);
            }
            finding.first_seen = past.first_seen(&finding.id).unwrap_or(about.time);
            finding.new = past.is_new(&finding);
            totals.findings.add(finding.result, finding.severity);
            findings.push(finding);
        }
    });
    totals.clean =
        totals.objects.saturating_sub(totals.refused + totals.warned + totals.excepted + totals.unjudged);
    // What is open stands before what is excepted, then the worst, then what is known longest.
    let rank = |finding: &Finding| {
        (
            Reverse((finding.is_open(), finding.severity, finding.result)),
            finding.first_seen,
            finding.object_created.unwrap_or(Timestamp::MAX),
        )
    };
    findings.sort_by(|one, other| {
        let order = rank(one).cmp(&rank(other));
        order
            .then_with(|| (&one.policy, &one.object, &one.id).cmp(&(&other.policy, &other.object, &other.id)))
    });
    (findings, totals)
}

fn finding(
    found: Found<'_>,
    about: &About,
    titles: &BTreeMap<&str, &str>,
    created: &BTreeMap<ObjectName, Timestamp>,
) -> Finding {
    let (note, rule, subject) = (found.note, &found.note.rule, found.subject);
    let object = ObjectName {
        api_version: subject.kind.api_version(),
        kind: subject.kind.kind.clone(),
        namespace: subject.namespace.to_owned(),
        name: subject.name.to_owned(),
    };
    let object_created = created.get(&object).copied();
    let message = note.message(&object.name);
    // As the history tells findings apart: the version of a kind changes with the cluster's, and words with the value
    // found; they count only where no place tells findings apart.
    let words = if note.field.is_empty() { message.as_str() } else { "" };
    let key: [&str; 8] = [
        &rule.policy,
        &rule.rule,
        &subject.kind.group,
        &object.kind,
        &object.namespace,
        &object.name,
        &note.field,
        words,
    ];
    let mut hasher = blake3::Hasher::new();
    for part in key {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    Finding {
        id: hasher.finalize().to_hex().chars().take(32).collect(),
        policy: rule.policy.to_string(),
        rule: rule.rule.to_string(),
        title: titles.get(&*rule.policy).map(|title| (*title).to_owned()).unwrap_or_default(),
        result: note.outcome(),
        severity: rule.severity,
        category: rule.category.to_string(),
        controls: rule.controls.iter().map(ToString::to_string).collect(),
        message,
        object,
        owner: subject.owner.to_owned(),
        field: note.field.to_string(),
        remedy: rule.remedy.to_string(),
        docs: rule.docs.to_string(),
        exception: note.exception.as_deref().map(str::to_owned),
        first_seen: about.time,
        object_created,
        new: false,
    }
}

/// Policies by id: several objects may enforce one policy with different parameters.
fn policies(edition: &Edition, audited: &wayguard_audit::Totals) -> Vec<Policy> {
    let mut all: BTreeMap<String, Policy> = BTreeMap::new();
    for policy in edition.set.policies() {
        let entry = all.entry(policy.id.clone()).or_default();
        entry.title.clone_from(&policy.metadata.title);
        entry.controls.clone_from(&policy.metadata.custom.controls);
    }
    for policy in edition.set.broken() {
        all.entry(policy.id.clone()).or_default().broken.clone_from(&policy.problem);
    }
    for failure in edition.set.failures() {
        let words: Vec<String> = failure.errors.iter().map(ToString::to_string).collect();
        all.entry(failure.policy.clone()).or_default().broken = words.join("\n");
    }
    for (id, counts) in &audited.policies {
        let entry = all.entry(id.clone()).or_default();
        entry.judged = counts.judged;
        entry.violating = counts.failing;
        entry.not_judged.clone_from(&counts.skipped);
        for ((outcome, severity), count) in &counts.findings {
            entry.findings.add_many(*outcome, *severity, *count);
        }
    }
    all.into_iter().map(|(id, policy)| Policy { id, ..policy }).collect()
}

fn coverage(
    audited: &wayguard_audit::Totals,
    kinds: Vec<Gap>,
    mut idle: Vec<Gap>,
    policies: &[Policy],
    incomplete: bool,
) -> Coverage {
    for policy in policies {
        let gap = |why: &str, objects| Gap {
            what: policy.id.clone(),
            kind: String::new(),
            why: why.to_owned(),
            objects,
        };
        if !policy.broken.is_empty() {
            idle.push(gap(&format!("it could not be loaded: {}", policy.broken), None));
        }
        idle.extend(policy.not_judged.iter().map(|(why, count)| gap(why, Some(*count))));
    }
    let namespace = |((namespace, why), objects): (&(String, String), &u64)| NamespaceGap {
        namespace: namespace.clone(),
        why: why.clone(),
        objects: *objects,
    };
    let problem = |(what, why): &(String, String)| Gap {
        what: what.clone(),
        kind: String::new(),
        why: why.clone(),
        objects: Some(1),
    };
    Coverage {
        met_kinds: audited.kinds.clone(),
        unjudged_kinds: audited.unjudged_kinds.clone(),
        kinds,
        namespaces: audited.untouched_in.iter().map(namespace).collect(),
        policies: idle,
        problems: audited.problems.iter().map(problem).collect(),
        incomplete,
    }
}

fn exceptions(edition: &Edition, findings: &[Finding]) -> Vec<Exception> {
    let mut covered: BTreeMap<&str, Counts> = BTreeMap::new();
    for finding in findings {
        if let Some(name) = &finding.exception {
            covered.entry(name).or_default().add(finding.result, finding.severity);
        }
    }
    let exception = |it: &wayguard_engine::policy::exception::Exception| Exception {
        name: it.name.clone(),
        policies: it.spec.policies.clone(),
        reason: it.spec.reason.clone(),
        owner: it.spec.owner.clone(),
        expires_at: it.expires(),
        ended: !it.in_force(edition.now),
        findings: covered.get(it.name.as_str()).map(|counts| counts.skip).unwrap_or_default(),
    };
    let mut exceptions: Vec<Exception> = edition.set.exceptions().iter().map(exception).collect();
    exceptions.sort_by(|one, other| {
        (one.ended, one.expires_at, &one.name).cmp(&(other.ended, other.expires_at, &other.name))
    });
    exceptions
}
