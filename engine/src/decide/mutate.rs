//! Mutation: the edits of all policies together, applied until nothing changes any more.
//!
//! Order never matters: edits are collected from all policies, conflicts are errors, and rounds repeat until a
//! fixed point, so that mutating twice equals mutating once.

use super::judge::{Answer, Bench, Edit, matches};
use super::surroundings::Surrounding;
use super::view::View;
use super::{Case, Missing, constraints};
use crate::gatekeeper::{Candidate, Mutators, Resolved, Source, is_namespace, resolve, without_answers};
use crate::matching::Matched;
use crate::policy::compiled::CompiledPolicy;
use crate::policy::spec::Mutate;
use crate::request::{GroupVersionKind, Operation};
use crate::value::{Pointer, Revision, Value, from_serde};
use std::collections::BTreeMap;

/// More rounds than this means that two policies feed each other for ever.
const MAX_ROUNDS: usize = 6;

/// What came of asking the mutating policies.
#[derive(Debug, Default)]
pub(crate) struct Mutated<'a> {
    /// The object after all edits; `None` if there is nothing to mutate (DELETE, CONNECT).
    pub(crate) object: Option<Value<'a>>,
    /// Policies that failed or conflict, with the reason.
    pub(crate) failures: Vec<(String, String)>,
    /// Policies that were skipped, with the reason.
    pub(crate) skipped: Vec<(String, String)>,
    /// Mutators of Gatekeeper's that refuse the request, with the reason.
    pub(crate) refusals: Vec<(String, String)>,
}

/// Which places of the view may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The submitted object, as the API server will store it.
    Submitted,
    /// A Pod that a controller will create from a template: everything, as on CREATE.
    FuturePod,
    /// The template inside a submitted workload: only policies with `mutate: Template`.
    Template,
}

/// Applies all mutating policies to a view.
pub(crate) fn mutate<'a>(
    case: &Case<'a, '_>,
    view: View<'a>,
    scope: Scope,
    surrounding: &Surrounding<'a>,
    missing: &mut Missing,
) -> Mutated<'a> {
    let Some(object) = view.object else { return Mutated::default() };
    let policies: Vec<&CompiledPolicy> = case
        .set
        .candidates(case.request)
        .into_iter()
        .filter(|policy| policy.mutates())
        .filter(|policy| scope == Scope::Submitted || policy.spec.expands())
        .filter(|policy| scope != Scope::Template || policy.spec.mutate == Mutate::Template)
        .filter(|policy| matches(&policy.spec, case, &view, surrounding.view()) == Matched::Yes)
        .collect();
    let mut done = Mutated { object: Some(object), ..Mutated::default() };
    let mutators = mutators(case, &view, scope);
    if policies.is_empty() && mutators.is_none() {
        return done;
    }
    let asks = mutators.is_some_and(Mutators::ask);
    for round in 0..=MAX_ROUNDS {
        // Nobody but mutators sees what stands for a provider's answer.
        let shown = done.object.map(|object| if asks { without_answers(case.arena, object) } else { object });
        let here = view.with_objects(shown, view.old_object);
        let (edits, failures, skipped) = collect(case, &here, &policies, surrounding, missing);
        done.failures = failures;
        done.skipped = skipped;
        if let Some(witness) = case.witness {
            for (policy, edit) in &edits {
                witness.edit(policy, &view, edit, fate(case, &view, scope, edit, done.object));
            }
        }
        let permitted: Vec<_> =
            edits.into_iter().filter(|(_, edit)| may_write(case, &view, scope, edit)).collect();
        let applied = apply(case, done.object.unwrap_or_default(), &permitted);
        let applied = applied.and_then(|object| match mutators {
            Some(mutators) => run_mutators(
                case,
                mutators,
                &view.with_objects(Some(object), view.old_object),
                scope,
                surrounding,
            ),
            None => Ok(object),
        });
        match applied {
            Ok(changed) if Some(changed) == done.object => {
                if asks {
                    settle(case, changed, &mut done, missing);
                }
                return done;
            }
            Ok(_) if round == MAX_ROUNDS => {
                let name = permitted.first().map(|(policy, _)| policy.id.clone()).unwrap_or_default();
                done.failures.push((name, "the mutations of the policies never come to rest".into()));
            }
            Ok(changed) => done.object = Some(changed),
            Err((policy, problem)) => {
                done.failures.push((policy, problem));
                break;
            }
        }
    }
    if asks {
        done.object = done.object.map(|object| without_answers(case.arena, object));
    }
    done
}

/// Puts the answers of providers into what has come to rest.
fn settle<'a>(case: &Case<'a, '_>, object: Value<'a>, done: &mut Mutated<'a>, missing: &mut Missing) {
    let outside = case.outside();
    let Resolved { object, refusals, skipped } = resolve(case.arena, object, &outside);
    missing.extend(outside.missing.into_inner());
    done.object = Some(object);
    done.refusals = refusals;
    done.skipped.extend(skipped);
}

/// Gatekeeper's mutators, if one of them could be about the view.
fn mutators<'c>(case: &Case<'_, 'c>, view: &View<'_>, scope: Scope) -> Option<&'c Mutators> {
    let settings = case.set.gatekeeper();
    let asked = matches!(case.request.operation, Operation::Create | Operation::Update)
        && scope != Scope::Template
        && !settings.leaves_unchanged(case.request.namespace);
    Some(&settings.mutators).filter(|mutators| asked && mutators.concern(view.kind))
}

/// The view's object after Gatekeeper's mutators.
fn run_mutators<'a>(
    case: &Case<'a, '_>,
    mutators: &Mutators,
    view: &View<'a>,
    scope: Scope,
    surrounding: &Surrounding<'a>,
) -> Result<Value<'a>, (String, String)> {
    let request = case.request;
    let (home, ..) = constraints::home(case, surrounding);
    let candidate = Candidate {
        object: view.object.unwrap_or_default(),
        kind: view.kind,
        namespace: if request.is_namespace() { "" } else { request.namespace },
        namespace_object: home.filter(|_| !is_namespace(view.kind)),
        source: Source::Original,
    };
    let operation = if scope == Scope::FuturePod { Operation::Create } else { request.operation };
    // The API server would refuse the whole request.
    let fixed = operation == Operation::Update && is_fixed(view.kind);
    let labels_known = home.is_some() || request.namespace.is_empty();
    mutators.apply(case.arena, candidate, Some(operation), request.user, |mutator| {
        (!fixed || mutator.route.location.is_metadata())
            && (labels_known || !mutator.matches.asks_namespace_labels())
    })
}

/// Kinds whose spec cannot be changed once they exist.
fn is_fixed(kind: GroupVersionKind<'_>) -> bool {
    matches!((kind.group, kind.kind), ("", "Pod") | ("batch", "Job"))
}

type Collected<'p> = (Vec<(&'p CompiledPolicy, Edit)>, Vec<(String, String)>, Vec<(String, String)>);

fn collect<'a, 'p>(
    case: &Case<'a, '_>,
    view: &View<'a>,
    policies: &[&'p CompiledPolicy],
    surrounding: &Surrounding<'a>,
    missing: &mut Missing,
) -> Collected<'p> {
    let bench = Bench::recalling(case, view, surrounding, policies, super::judge::MUTATING);
    let (mut edits, mut failures, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for policy in policies {
        match bench.edits(policy, missing) {
            Answer::Given(given) => edits.extend(given.into_iter().map(|edit| (*policy, edit))),
            Answer::Skipped(reason) => skipped.push((policy.id.clone(), reason)),
            Answer::Failed(reason) => failures.push((policy.id.clone(), reason)),
            Answer::Waiting => {}
        }
    }
    bench.keep();
    (edits, failures, skipped)
}

/// Spec fields only on CREATE; on UPDATE metadata, or a template that this very request changes; a Pod's or
/// Job's spec never after its creation.
fn may_write(case: &Case<'_, '_>, view: &View<'_>, scope: Scope, edit: &Edit) -> bool {
    let request = case.request;
    if request.operation == Operation::Create || scope == Scope::FuturePod {
        return true;
    }
    if request.operation != Operation::Update || !request.sub_resource.is_empty() {
        return false;
    }
    let at = |path: &str| {
        Pointer::parse(path).map(|pointer| {
            (
                pointer.resolve(view.object.unwrap_or_default()),
                pointer.resolve(view.old_object.unwrap_or_default()),
            )
        })
    };
    if scope == Scope::Template {
        return view.object != view.old_object;
    }
    let path = edit.path();
    if path.starts_with("/metadata/") {
        return true;
    }
    let template =
        View::template_of(request, &[]).filter(|template| path.starts_with(&format!("{template}/")));
    !is_fixed(request.kind) && template.and_then(at).is_some_and(|(new, old)| new != old)
}

/// Why an edit is not made.
fn fate(
    case: &Case<'_, '_>,
    view: &View<'_>,
    scope: Scope,
    edit: &Edit,
    object: Option<Value<'_>>,
) -> Result<(), &'static str> {
    if !may_write(case, view, scope, edit) {
        return Err(
            "this request may not change that place: fields of a spec are written when an object is created",
        );
    }
    let now = Pointer::parse(edit.path()).and_then(|pointer| pointer.resolve(object?));
    match (edit, now) {
        (Edit::Default { .. }, Some(_)) => Err("there is a value already"),
        (Edit::Removal { .. }, None) => Err("there is nothing to remove"),
        _ => Ok(()),
    }
}

/// Applies one round. `Err`: the policy at fault and what is wrong.
fn apply<'a>(
    case: &Case<'a, '_>,
    object: Value<'a>,
    edits: &[(&CompiledPolicy, Edit)],
) -> Result<Value<'a>, (String, String)> {
    let arena = &case.arena;
    let mut wanted: BTreeMap<Pointer, (&CompiledPolicy, &Edit)> = BTreeMap::new();
    for (policy, edit) in edits {
        let pointer = Pointer::parse(edit.path())
            .filter(|pointer| !pointer.segments().is_empty())
            .ok_or_else(|| (policy.id.clone(), format!("`{}` is no JSON Pointer", edit.path())))?;
        match wanted.get(&pointer) {
            None => {
                wanted.insert(pointer, (policy, edit));
            }
            Some((_, other)) if *other == edit => {}
            // An enforced value stands above a default for the same place.
            Some((_, Edit::Default { .. })) if !matches!(edit, Edit::Default { .. }) => {
                wanted.insert(pointer, (policy, edit));
            }
            Some((_, other))
                if matches!(edit, Edit::Default { .. }) && !matches!(other, Edit::Default { .. }) => {}
            Some((other, _)) => {
                return Err((
                    policy.id.clone(),
                    format!(
                        "`{pointer}` is written by `{}` with another value; two policies must not disagree",
                        other.id
                    ),
                ));
            }
        }
    }
    let mut revision = Revision::new(object);
    for (pointer, (policy, edit)) in &wanted {
        match edit {
            Edit::Default { .. } if revision.holds(pointer) => {}
            Edit::Default { value, .. } | Edit::Override { value, .. } => revision
                .set(arena, pointer, from_serde(arena, value))
                .map_err(|error| (policy.id.clone(), error.to_string()))?,
            Edit::Removal { .. } => revision.remove(pointer),
        }
    }
    Ok(revision.finish(arena))
}

/// The edits that a policy still wants on the final object: an override that was not applied, or undone.
pub(crate) fn unapplied<'a>(
    case: &Case<'a, '_>,
    view: &View<'a>,
    policy: &CompiledPolicy,
    bench: &Bench<'a, '_>,
    missing: &mut Missing,
) -> Answer<Edit> {
    let Some(object) = view.object else { return Answer::Given(Vec::new()) };
    match bench.edits(policy, missing) {
        Answer::Given(edits) => Answer::Given(
            edits
                .into_iter()
                .filter(|edit| {
                    let Some(pointer) = Pointer::parse(edit.path()) else { return false };
                    let now = pointer.resolve(object);
                    match edit {
                        Edit::Default { .. } => false,
                        Edit::Override { value, .. } => now != Some(from_serde(&case.arena, value)),
                        Edit::Removal { .. } => now.is_some(),
                    }
                })
                .collect(),
        ),
        other => other,
    }
}
