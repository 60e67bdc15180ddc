//! From what a rule gave to a finding: places in the submitted object, masked values, one sentence.

use super::judge::{Edit, RawFinding};
use super::view::View;
use crate::decision::{Effect, Finding, REFUSED_MUTATION, Severity};
use crate::masking::{MASKED, is_private, printable};
use crate::policy::compiled::{BrokenPolicy, CompiledPolicy};
use crate::policy::spec::{Action, OnError, PolicySpec};
use crate::value::{Pointer, named_path};
use serde_json::Value as Json;

/// The longest piece of a found value that is repeated.
const FOUND_LIMIT: usize = 120;

/// Words a finding. `action` is the policy's action for this namespace.
pub(crate) fn finding(
    policy: &CompiledPolicy,
    view: &View<'_>,
    raw: RawFinding,
    action: Action,
    docs_url: &str,
) -> Finding {
    let object = view.object.or(view.old_object).unwrap_or_default();
    let pointer = Pointer::parse(&raw.path).unwrap_or_default();
    let field = field_name(view, object, &pointer);
    // `null` is also how a rule says that it found nothing there.
    let is_there = |found: &Json| !found.is_null() || pointer.resolve(object).is_some();
    let found = raw.found.filter(is_there).map(|found| mask(policy, view, &pointer, found));
    let message = sentence(&field, found.as_ref(), &raw.expected, &raw.msg);
    let remedy = if raw.remedy.is_empty() { policy.metadata.custom.remedy.clone() } else { raw.remedy };
    let effect = match (raw.from, action) {
        ("audit", _) | (_, Action::Audit) => Effect::Audit,
        ("warn", _) | (_, Action::Warn) => Effect::Warn,
        (_, Action::Deny) => Effect::Deny,
    };
    Finding {
        policy: policy.id.clone(),
        policy_object: policy.name.clone(),
        rule: raw.rule,
        effect,
        severity: policy.metadata.custom.severity,
        category: policy.metadata.custom.category.clone(),
        controls: policy.metadata.custom.controls.clone(),
        path: if raw.path.is_empty() { String::new() } else { view.submitted_path(&raw.path) },
        field,
        found,
        expected: raw.expected,
        message,
        remedy,
        docs: if docs_url.is_empty() { String::new() } else { format!("{docs_url}{}", policy.id) },
        exception: None,
        existing: false,
        constraint: None,
    }
}

/// A change that should have been made, as a finding.
pub(crate) fn unapplied(edit: &Edit, view: &View<'_>) -> RawFinding {
    let object = view.object.unwrap_or_default();
    let found = Pointer::parse(edit.path())
        .and_then(|pointer| pointer.resolve(object))
        .map(crate::value::Value::to_serde);
    let (rule, expected) = match edit {
        Edit::Removal { .. } => ("removals", "absent".to_owned()),
        Edit::Default { value, .. } | Edit::Override { value, .. } => ("overrides", value.to_string()),
    };
    RawFinding {
        msg: "the platform enforces this value, but its mutation was skipped or undone by another webhook"
            .into(),
        path: edit.path().to_owned(),
        found,
        expected,
        rule: rule.into(),
        from: "deny",
        ..RawFinding::default()
    }
}

/// A policy that could not be evaluated.
pub(crate) fn failure(policy: &CompiledPolicy, reason: &str, docs_url: &str) -> Finding {
    let custom = &policy.metadata.custom;
    Finding {
        severity: custom.severity,
        category: custom.category.clone(),
        ..unanswered(&policy.id, &policy.name, &policy.spec, reason, docs_url)
    }
}

/// A mutator of Gatekeeper's that refuses the request rather than leave it as it is.
pub(crate) fn refused_mutation(id: &str, reason: &str) -> Finding {
    Finding {
        policy: id.to_owned(),
        policy_object: id.split_once('/').map_or(id, |(_, name)| name).to_owned(),
        rule: REFUSED_MUTATION.into(),
        effect: Effect::Error,
        severity: Severity::default(),
        category: String::new(),
        controls: Vec::new(),
        path: String::new(),
        field: String::new(),
        found: None,
        expected: String::new(),
        message: format!("it could not be applied: {}", printable(reason, 300)),
        remedy: "try again; if it stays, tell the platform team, who run the provider".into(),
        docs: String::new(),
        exception: None,
        existing: false,
        constraint: None,
    }
}

/// A policy that could not even be loaded.
pub(crate) fn broken(policy: &BrokenPolicy, docs_url: &str) -> Finding {
    unanswered(&policy.id, &policy.name, &policy.spec, &policy.problem, docs_url)
}

fn unanswered(id: &str, name: &str, spec: &PolicySpec, reason: &str, docs_url: &str) -> Finding {
    let effect = match spec.on_error {
        OnError::Deny if spec.action == Action::Deny => Effect::Error,
        _ => Effect::Warn,
    };
    Finding {
        policy: id.to_owned(),
        policy_object: name.to_owned(),
        rule: "error".into(),
        effect,
        severity: Severity::default(),
        category: String::new(),
        controls: Vec::new(),
        path: String::new(),
        field: String::new(),
        found: None,
        expected: String::new(),
        message: format!("the policy could not be evaluated: {}", printable(reason, 300)),
        remedy: "try again; if it stays, tell the security team, who own this policy".into(),
        docs: if docs_url.is_empty() { String::new() } else { format!("{docs_url}{id}") },
        exception: None,
        existing: false,
        constraint: None,
    }
}

/// The dotted name of a place in the submitted object: the template's prefix, then names of list elements.
fn field_name(view: &View<'_>, object: crate::value::Value<'_>, pointer: &Pointer) -> String {
    if pointer.segments().is_empty() {
        return String::new();
    }
    let inner = named_path(object, pointer);
    let prefix = view.prefix.trim_start_matches('/').replace('/', ".");
    if prefix.is_empty() { inner } else { format!("{prefix}.{inner}") }
}

fn mask(policy: &CompiledPolicy, view: &View<'_>, pointer: &Pointer, found: Json) -> Json {
    if policy.metadata.custom.sensitive || is_private(view.kind.kind, pointer) {
        return Json::String(MASKED.into());
    }
    match found {
        Json::String(text) => Json::String(printable(&text, FOUND_LIMIT)),
        Json::Array(_) | Json::Object(_) if found.to_string().len() > FOUND_LIMIT => {
            Json::String(printable(&found.to_string(), FOUND_LIMIT))
        }
        small => small,
    }
}

/// `spec.hostNetwork is true; must be false or unset (host namespaces …)`
fn sentence(field: &str, found: Option<&Json>, expected: &str, msg: &str) -> String {
    let msg = printable(msg, 600);
    if field.is_empty() || (expected.is_empty() && found.is_none()) {
        return if msg.is_empty() { format!("must be {expected}") } else { msg };
    }
    let state = match found {
        None => format!("{field} is missing"),
        Some(Json::String(text)) if text == MASKED => format!("{field} has a value that is not shown"),
        Some(Json::String(text)) => format!("{field} is `{text}`"),
        Some(other) => format!("{field} is {other}"),
    };
    let required = if expected.is_empty() { String::new() } else { format!("; must be {expected}") };
    match (msg.is_empty(), required.is_empty()) {
        (true, _) => format!("{state}{required}"),
        (false, true) => format!("{state}: {msg}"),
        (false, false) => format!("{state}{required} ({msg})"),
    }
}
