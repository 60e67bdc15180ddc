//! The answer of `check` as plain data; every format is a view of it.

use crate::exit::ExitStatus;
use serde::Serialize;
use wayguard_engine::decision::{Effect, Skipped};
use wayguard_engine::story::Story;
use wayguard_engine::value::PatchOperation;
use wayguard_engine::{Decision, Finding, Verdict};

/// All objects of one run, in the order of the files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// One per object; a file that cannot be read counts as one.
    pub(crate) results: Vec<Checked>,
    /// Whether some input or policy was not valid, or, with `--strict`, something was not known.
    pub(crate) invalid: bool,
}

/// One object's verdict.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Checked {
    /// Which object.
    pub(crate) object: ObjectId,
    /// Where it is written.
    pub(crate) source: Place,
    /// What admission would say.
    pub(crate) verdict: Verdict,
    /// The text that `kubectl apply` would show; empty if it is admitted.
    pub(crate) message: String,
    /// Everything that policies found.
    pub(crate) findings: Vec<Finding>,
    /// Policies that could not be judged here, and why.
    pub(crate) skipped: Vec<Skipped>,
    /// What was taken for granted because it is not known here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) assumed: Vec<String>,
    /// What admission would fill in (RFC 6902), workloads' templates included.
    pub(crate) patch: Vec<PatchOperation>,
    /// The line of each finding.
    #[serde(skip)]
    pub(crate) lines: Vec<usize>,
    /// The patch as people read it.
    #[serde(skip)]
    pub(crate) fills: Vec<String>,
    /// What the policies did, where that is told.
    #[serde(skip)]
    pub(crate) story: Option<Story>,
}

/// What names an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObjectId {
    /// Group and version.
    pub(crate) api_version: String,
    /// Kind.
    pub(crate) kind: String,
    /// Namespace, empty for cluster-scoped kinds.
    pub(crate) namespace: String,
    /// Name, or the prefix of `generateName`.
    pub(crate) name: String,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    /// The file, as it was named.
    pub(crate) file: String,
    /// 1-based.
    pub(crate) line: usize,
}

/// How many objects met which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    /// Nothing found.
    pub(crate) allowed: usize,
    /// Admitted with warnings.
    pub(crate) warned: usize,
    /// Refused.
    pub(crate) denied: usize,
    /// Not answered.
    pub(crate) errors: usize,
}

impl std::fmt::Display for ObjectId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.kind.as_str(), self.namespace.as_str()) {
            ("", _) => out.write_str("the file"),
            (kind, "") => write!(out, "{kind} {}", self.name),
            ("Namespace", _) => write!(out, "Namespace {}", self.name),
            (kind, namespace) => write!(out, "{kind} {namespace}/{}", self.name),
        }
    }
}

impl Checked {
    /// The verdict on one object.
    pub(crate) fn new(object: ObjectId, source: Place, decision: Decision) -> Self {
        Self {
            object,
            source,
            verdict: decision.verdict,
            message: decision.message,
            findings: decision.findings,
            skipped: decision.skipped,
            assumed: decision.assumed,
            patch: decision.patch,
            lines: Vec::new(),
            fills: Vec::new(),
            story: None,
        }
    }

    /// A file, or a part of one, that cannot be judged.
    pub(crate) fn unreadable(source: Place, message: String) -> Self {
        Self { verdict: Verdict::Error, message, ..Self::unjudged(ObjectId::default(), source) }
    }

    /// An object about which nothing is said yet.
    pub(crate) fn unjudged(object: ObjectId, source: Place) -> Self {
        Self {
            object,
            source,
            verdict: Verdict::Allow,
            message: String::new(),
            findings: Vec::new(),
            skipped: Vec::new(),
            assumed: Vec::new(),
            patch: Vec::new(),
            lines: Vec::new(),
            fills: Vec::new(),
            story: None,
        }
    }

    /// The findings with their lines.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&Finding, usize)> {
        let lines = self.lines.iter().copied().chain(std::iter::repeat(self.source.line));
        self.findings.iter().zip(lines)
    }

    /// Errors that no finding stands for.
    pub(crate) fn error_without_finding(&self) -> Option<&str> {
        let told = self.findings.iter().any(|finding| finding.effect >= Effect::Deny);
        (!self.verdict.admits() && !told).then_some(self.message.as_str())
    }
}

impl Report {
    /// Counts the verdicts.
    pub(crate) fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for result in &self.results {
            match result.verdict {
                Verdict::Allow => summary.allowed += 1,
                Verdict::Warn => summary.warned += 1,
                Verdict::Deny => summary.denied += 1,
                Verdict::Error => summary.errors += 1,
            }
        }
        summary
    }

    /// The exit code: what is not valid comes before what is refused, for it may hide a refusal.
    pub(crate) fn status(&self) -> ExitStatus {
        let summary = self.summary();
        match summary.denied + summary.errors {
            _ if self.invalid => ExitStatus::Invalid,
            0 => ExitStatus::Fine,
            _ => ExitStatus::Denied,
        }
    }
}

/// The stable id of what a finding is about: the policy, and its rule where that says more.
pub(crate) fn rule_id(finding: &Finding) -> String {
    id_of(&finding.policy, &finding.rule)
}

/// The stable id of a rule of a policy.
pub(crate) fn id_of(policy: &str, rule: &str) -> String {
    let name = policy.rsplit('/').next().unwrap_or_default();
    match rule {
        "" | "deny" | "warn" | "audit" | "violation" => policy.to_owned(),
        rule if rule == name => policy.to_owned(),
        rule => format!("{policy}/{rule}"),
    }
}
