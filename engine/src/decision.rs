//! One decision, one structure: the webhook's reply, `check`, reports, SARIF, Events and `explain` are views
//! of it (design §4).

use crate::decide::Stage;
use crate::value::PatchOperation;
use serde::Serialize;
use std::sync::Arc;

/// What the policies say about one request.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Names this decision in replies, logs and records; derived from the request's uid and the policy set.
    pub id: String,
    /// The outcome.
    pub verdict: Verdict,
    /// The text for the person who is told no; empty unless the verdict is deny or error.
    pub message: String,
    /// Everything found, blocking or not, sorted by policy, rule and path.
    pub findings: Vec<Finding>,
    /// Short texts for the person who is let through.
    pub warnings: Vec<String>,
    /// The mutation, as a JSON Patch on the submitted object; empty if nothing changes.
    pub patch: Vec<PatchOperation>,
    /// Policies that matched but could not be judged here, and why.
    pub skipped: Vec<Skipped>,
    /// Policies that were evaluated, by name.
    pub policies: Vec<Arc<str>>,
    /// What was taken for granted because it is not known here, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// The content hash of the policy set.
    pub set_digest: String,
}

/// The rule of a finding by which mutation itself refuses: a provider gave no answer, and `failurePolicy` is `Fail`.
pub const REFUSED_MUTATION: &str = "mutation";

impl Decision {
    /// Whether the answer of that stage's webhook admits. Mutation refuses only for [`REFUSED_MUTATION`]: validation
    /// judges the rest.
    pub fn admits(&self, stage: Stage) -> bool {
        let refused = || self.findings.iter().any(|finding| finding.rule == REFUSED_MUTATION);
        self.verdict.admits() || (stage == Stage::Mutate && !refused())
    }
}

/// The outcome for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing was found.
    Allow,
    /// Admitted, with warnings.
    Warn,
    /// Refused.
    Deny,
    /// Refused because the question could not be answered (a policy failed, a fact is missing).
    Error,
}

impl Verdict {
    /// Whether the request is admitted.
    pub fn admits(self) -> bool {
        matches!(self, Verdict::Allow | Verdict::Warn)
    }
}

/// What a finding does to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Recorded only.
    Audit,
    /// The requester is warned.
    Warn,
    /// The request is refused.
    Deny,
    /// The request is refused because the policy could not be evaluated (`onError: Deny`).
    Error,
}

/// How much a finding matters, as the policy's METADATA says.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good practice.
    Low,
    /// Should be mended.
    #[default]
    Medium,
    /// A weakness.
    High,
    /// A way in.
    Critical,
}

impl Severity {
    /// As it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// One thing that a policy found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The policy's id as people know it, such as `images/latest-tag`.
    pub policy: String,
    /// The name of the Policy object.
    pub policy_object: String,
    /// The rule within the policy: its own id, or `deny`, `warn`, `audit`.
    pub rule: String,
    /// What it does to the verdict, action, exceptions and `existing` applied.
    pub effect: Effect,
    /// How much it matters.
    pub severity: Severity,
    /// The policy's category.
    pub category: String,
    /// Control ids, such as `CIS-5.2.2`.
    pub controls: Vec<String>,
    /// JSON Pointer into the submitted object; empty if the finding is about the whole object.
    pub path: String,
    /// The same place as people read it: `spec.containers[web].image`.
    pub field: String,
    /// The value found there, masked where it could be a secret; absent if the field is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<serde_json::Value>,
    /// Words that follow "must be".
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expected: String,
    /// The finding in one sentence, without policy name and remedy.
    pub message: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// Where to read more.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub docs: String,
    /// The exception that covers it, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// Whether the old object had it already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existing: bool,
    /// What a constraint of Gatekeeper's says beyond its message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint: Option<ConstraintFinding>,
}

/// The part of a finding that only Gatekeeper's constraints have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConstraintFinding {
    /// The constraint's name, which its users know from `[name] message`.
    pub name: String,
    /// `details` as the template gave them.
    pub details: serde_json::Value,
}

/// A policy that matched but was not judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Skipped {
    /// The policy's id.
    pub policy: String,
    /// Why, in words.
    pub reason: String,
}
