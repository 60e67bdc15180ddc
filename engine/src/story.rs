//! One decision told as a story: what each policy of the set had to do with it, from the same evaluation that decided.
//!
//! A story is there only of a set whose programs can tell
//! ([`PolicySetBuilder::traced`](crate::PolicySetBuilder::traced)); without it, it has what needs no evaluation.

use crate::rego::trace::RuleTrace;
use serde::Serialize;
use serde_json::Value as Json;

/// What all policies of a set had to do with one decision, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Story {
    /// All policies, those that have nothing to do with it too.
    pub policies: Vec<PolicyStory>,
}

/// What came of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// It is about this request, and was asked.
    Matched,
    /// It is not about this request.
    Unmatched,
    /// It is about this request, but could not be judged here.
    Skipped,
    /// It is about this request and could not be loaded, or failed.
    Failed,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStory {
    /// Its id.
    pub policy: String,
    /// The name of the Policy object.
    pub policy_object: String,
    /// The file, bundle or cluster that it comes from.
    pub from: String,
    /// What it is called.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What came of it.
    pub standing: Standing,
    /// Why it is not about this request, was skipped, or failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The first condition of its `match` that does not hold, as it is written there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<&'static str>,
    /// What it judges: `pods, deployments.apps: CREATE, UPDATE`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<String>,
    /// What a finding of it does here: `Deny`, `Warn`, `Audit`.
    pub action: String,
    /// The labels of the namespace change its own action.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub action_overridden: bool,
    /// What it was asked, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Look>,
    /// What it wanted to change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<EditStory>,
    /// The exceptions that name it, for each finding that they might cover.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<ExceptionStory>,
}

/// One question to a policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Look {
    /// `object`, or `template`: the Pod that a workload's template describes.
    pub at: &'static str,
    /// The rules that were asked, with all that they asked in turn.
    pub rules: Vec<RuleTrace>,
    /// The evaluation failed; why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// There was more than is told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// A change that a policy wanted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EditStory {
    /// `default`, `override` or `removal`.
    pub what: &'static str,
    /// `object`, or `template`.
    pub at: &'static str,
    /// JSON Pointer.
    pub path: String,
    /// What would stand there; masked where findings would mask it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
    /// Whether it was written.
    pub written: bool,
    /// Why not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// An exception beside a finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionStory {
    /// The exception.
    pub exception: String,
    /// The rule of the finding.
    pub rule: String,
    /// The field of the finding; empty if it is about the whole object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// Whether it covers the finding.
    pub covers: bool,
    /// Why not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}
