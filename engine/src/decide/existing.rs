//! Findings that the old object had already: an UPDATE is not refused for them unless the policy says so.

use super::findings::finding;
use super::judge::{Answer, Bench, RawFinding};
use super::surroundings::Surrounding;
use super::view::View;
use super::{Case, Missing, mutate};
use crate::decision::{Effect, Finding};
use crate::policy::compiled::CompiledPolicy;
use crate::policy::spec::{Action, Existing};
use crate::request::{Operation, Request};
use crate::value::Value;
use std::collections::BTreeSet;

/// What makes two findings the same: rule, place by names (indexes shift when a container is added), value.
type Identity = (String, String, Option<String>, String);

fn identity(finding: &Finding, raw: &RawFinding) -> Identity {
    let found = raw.found.as_ref().map(ToString::to_string);
    // A finding without a place is told apart by its words.
    let words = if raw.path.is_empty() { raw.msg.clone() } else { String::new() };
    (finding.rule.clone(), finding.field.clone(), found, words)
}

/// Turns refusals into warnings where the old object had the same finding.
pub(crate) fn soften<'a>(
    case: &Case<'a, '_>,
    view: &View<'a>,
    surrounding: &Surrounding<'a>,
    policy: &CompiledPolicy,
    found: &mut [(Finding, RawFinding)],
    missing: &mut Missing,
) {
    let applies = case.request.operation == Operation::Update
        && policy.spec.existing == Existing::Warn
        && view.old_object.is_some()
        && found.iter().any(|(finding, _)| finding.effect == Effect::Deny);
    if !applies {
        return;
    }
    // The old object as it would be judged if it came today: by itself, not as a change of itself.
    let review = case.request.review.as_object().unwrap_or_default();
    let review = review.with(&case.arena, "operation", Value::String(Operation::Create.as_str()));
    let today = Request {
        operation: Operation::Create,
        review: Value::Object(review),
        object: case.request.old_object,
        old_object: None,
        ..*case.request
    };
    let case = &Case {
        request: &today,
        before: case.before,
        arena: case.arena,
        set: case.set,
        facts: case.facts,
        context: case.context,
        started: case.started,
        witness: None,
        only: None,
    };
    let before = View {
        object: view.old_object,
        old_object: None,
        owner: today.object.filter(|_| view.owner.is_some()),
        ..*view
    };
    let bench = Bench::new(case, &before, surrounding);
    let Answer::Given(mut raws) = bench.findings(policy, missing) else { return };
    if before.owner.is_none()
        && let Answer::Given(edits) = mutate::unapplied(case, &before, policy, &bench, missing)
    {
        raws.extend(edits.iter().map(|edit| super::findings::unapplied(edit, &before)));
    }
    let old: BTreeSet<Identity> = raws
        .into_iter()
        .map(|raw| identity(&finding(policy, &before, raw.clone(), Action::Deny, ""), &raw))
        .collect();
    for (finding, raw) in found.iter_mut().filter(|(finding, _)| finding.effect == Effect::Deny) {
        if old.contains(&identity(finding, raw)) {
            finding.effect = Effect::Warn;
            finding.existing = true;
        }
    }
}
