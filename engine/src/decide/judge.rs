//! One policy on one view: its rules evaluated, their results read.

use super::surroundings::{Desk, Equipped, Surrounding, equip};
use super::view::View;
use super::{Case, Missing};
use crate::matching::{Matched, Matcher, NamespaceView, Target};
use crate::policy::compiled::CompiledPolicy;
use crate::policy::spec::PolicySpec;
use crate::rego::Input;
use serde_json::Value as Json;

/// Whether a policy that is written so is about a view.
pub(crate) fn matches(
    spec: &PolicySpec,
    case: &Case<'_, '_>,
    view: &View<'_>,
    namespace: NamespaceView<'_>,
) -> Matched {
    let matcher = Matcher(&spec.matches);
    let target = Target { resource: view.resource, sub_resource: view.sub_resource };
    match matcher.without_namespace(case.request, target) {
        Matched::Yes => matcher.namespace(namespace),
        other => other,
    }
}

/// A finding as a rule gave it.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFinding {
    #[serde(default)]
    pub(crate) msg: String,
    #[serde(default)]
    pub(crate) path: String,
    #[serde(default, deserialize_with = "present")]
    pub(crate) found: Option<Json>,
    #[serde(default)]
    pub(crate) expected: String,
    #[serde(default)]
    pub(crate) remedy: String,
    #[serde(default)]
    pub(crate) rule: String,
    /// Gatekeeper's free-form extra; kept out of messages.
    #[serde(default)]
    pub(crate) details: Json,
    /// Which rule of the contract gave it.
    #[serde(skip)]
    pub(crate) from: &'static str,
}

/// `found: null` is a found `null`, not an absent field.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}

/// A change as a rule gave it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Edit {
    Default { path: String, value: Json },
    Override { path: String, value: Json },
    Removal { path: String },
}

impl Edit {
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Default { path, .. } | Self::Override { path, .. } | Self::Removal { path } => path,
        }
    }
}

/// The result of asking a policy.
#[derive(Debug)]
pub(crate) enum Answer<T> {
    Given(Vec<T>),
    Skipped(String),
    Failed(String),
    Waiting,
}

/// A policy, its view and its inputs, ready to be asked.
pub(crate) struct Bench<'a, 'c> {
    pub(crate) case: &'c Case<'a, 'c>,
    pub(crate) desk: Desk,
    pub(crate) surrounding: &'c Surrounding<'a>,
}

impl<'a, 'c> Bench<'a, 'c> {
    pub(crate) fn new(case: &'c Case<'a, 'c>, view: &View<'a>, surrounding: &'c Surrounding<'a>) -> Self {
        let desk = Desk {
            review: Input::new(view.review(case.arena, case.request)),
            namespace: surrounding.object().map(Input::new),
            owner: view.owner.map(Input::new),
        };
        Self { case, desk, surrounding }
    }

    /// What the policy finds.
    pub(crate) fn findings(&self, policy: &CompiledPolicy, missing: &mut Missing) -> Answer<RawFinding> {
        self.ask(policy, &crate::policy::compiled::FINDING_RULES, missing, read_finding)
    }

    /// What the policy would change.
    pub(crate) fn edits(&self, policy: &CompiledPolicy, missing: &mut Missing) -> Answer<Edit> {
        self.ask(policy, &crate::policy::compiled::EDIT_RULES, missing, read_edit)
    }

    /// The texts that one rule gives.
    pub(crate) fn text(
        &self,
        policy: &CompiledPolicy,
        rule: &'static str,
        missing: &mut Missing,
    ) -> Answer<String> {
        self.ask(policy, &[rule], missing, |_, item| match item {
            Json::String(text) => Ok(text),
            other => Err(format!("expected a string, not `{other}`")),
        })
    }

    fn ask<T>(
        &self,
        policy: &CompiledPolicy,
        rules: &[&'static str],
        missing: &mut Missing,
        read: impl Fn(&'static str, Json) -> Result<T, String>,
    ) -> Answer<T> {
        let present: Vec<&'static str> = rules.iter().copied().filter(|rule| policy.has(rule)).collect();
        let Some(program) = policy.program.as_ref().filter(|_| !present.is_empty()) else {
            return Answer::Given(Vec::new());
        };
        let (facts, inventory) = match equip(self.case, policy, self.surrounding, missing) {
            Equipped::Yes { facts, inventory } => (facts.map(Input::new), inventory.map(Input::new)),
            Equipped::Skip(reason) => return Answer::Skipped(reason),
            Equipped::Fail(reason) => return Answer::Failed(reason),
            Equipped::Wait => return Answer::Waiting,
        };
        let input = self.desk.input(policy, facts.as_ref());
        let mut items = Vec::new();
        for rule in present {
            let limit = self.case.time_left();
            if limit.is_zero() {
                return Answer::Failed("there was no time left to evaluate it".into());
            }
            let value = match program.rule(&policy.rule_path(rule), &input, inventory.as_ref(), limit) {
                Ok(value) => value,
                Err(error) => return Answer::Failed(error.to_string()),
            };
            for item in elements(value) {
                match read(rule, item) {
                    Ok(item) => items.push(item),
                    Err(problem) => {
                        return Answer::Failed(format!("`{rule}` gave something unreadable: {problem}"));
                    }
                }
            }
        }
        Answer::Given(items)
    }
}

fn elements(value: Option<Json>) -> Vec<Json> {
    match value {
        None | Some(Json::Null | Json::Bool(false)) => Vec::new(),
        Some(Json::Array(items)) => items,
        Some(single) => vec![single],
    }
}

fn read_finding(rule: &'static str, item: Json) -> Result<RawFinding, String> {
    let mut finding = match item {
        Json::String(msg) => RawFinding { msg, ..RawFinding::default() },
        Json::Object(_) => serde_json::from_value(item).map_err(|error| error.to_string())?,
        other => return Err(format!("a finding is a string or an object, not `{other}`")),
    };
    if finding.msg.is_empty() && (finding.path.is_empty() || finding.expected.is_empty()) {
        return Err("a finding needs `msg`, or `path` and `expected`".into());
    }
    if !finding.path.is_empty() && !finding.path.starts_with('/') {
        return Err(format!(
            "`path` is `{}`; must be a JSON Pointer such as `/spec/hostNetwork`",
            finding.path
        ));
    }
    finding.from = rule;
    if finding.rule.is_empty() {
        finding.rule = if rule == "violation" { "violation".into() } else { rule.into() };
    }
    Ok(finding)
}

fn read_edit(rule: &'static str, item: Json) -> Result<Edit, String> {
    let path_of = |item: &Json| match item {
        Json::String(path) if path.starts_with('/') => Ok(path.clone()),
        other => Err(format!("`path` is `{other}`; must be a JSON Pointer")),
    };
    match (rule, item) {
        ("removals", item) => Ok(Edit::Removal { path: path_of(&item)? }),
        (_, Json::Object(mut members)) => {
            let path = path_of(members.get("path").unwrap_or(&Json::Null))?;
            let value = members.remove("value").ok_or_else(|| format!("`{path}` has no `value`"))?;
            Ok(if rule == "defaults" {
                Edit::Default { path, value }
            } else {
                Edit::Override { path, value }
            })
        }
        (_, other) => Err(format!("expected an object with `path` and `value`, not `{other}`")),
    }
}
