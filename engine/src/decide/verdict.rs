//! All policies asked, all findings weighed, one answer worded.

use super::constraints::{Asked, Reviews};
use super::findings::{broken, failure, finding, refused_mutation, unapplied};
use super::judge::{Answer, Bench, matches};
use super::mutate::{self, Mutated, Scope, mutate};
use super::surroundings::Surrounding;
use super::view::View;
use super::{Case, Missing, Stage, except, existing, recheck};
use crate::decision::{Decision, Effect, Finding, Skipped, Verdict};
use crate::facts::FactKey;
use crate::masking::printable;
use crate::matching::{Matched, selects};
use crate::policy::compiled::{BrokenPolicy, CompiledPolicy};
use crate::policy::spec::Action;
use crate::request::{Operation, Request};
use crate::value::{PatchOperation, Pointer, Revision, diff};
use std::sync::Arc;

/// The findings that a denial lists; the rest are counted.
const LISTED: usize = 20;

/// A request that no policy judges.
pub(super) fn untouched(case: &Case<'_, '_>, reason: &str) -> Decision {
    let skipped = vec![Skipped { policy: "*".into(), reason: reason.into() }];
    Draft { skipped, ..Draft::default() }.word(case, Vec::new())
}

#[derive(Default)]
struct Draft {
    findings: Vec<Finding>,
    skipped: Vec<Skipped>,
    policies: Vec<Arc<str>>,
    assumed: Vec<String>,
}

/// Mutates and validates as the stage asks.
pub(super) fn reach<'a>(case: &Case<'a, '_>, missing: &mut Missing) -> Decision {
    let mut draft = Draft::default();
    let request = case.request;
    let mut relevant = case.set.candidates(request);
    relevant.retain(|policy| case.is_asked(policy));
    let mut unloaded = case.set.broken_candidates(request);
    unloaded.retain(|policy| case.is_asked_for(&policy.spec) && case.is_wanted(&policy.name));
    let mutators = matches!(case.context.stage, Stage::Mutate | Stage::Whole)
        && case.set.gatekeeper().mutators.concern(request.kind);
    if relevant.is_empty() && unloaded.is_empty() && !mutators {
        return draft.word(case, Vec::new());
    }
    let Some(surrounding) = Surrounding::of(case, missing) else { return draft.word(case, Vec::new()) };
    let mut patch = Vec::new();
    let mut changed: Request<'a> = *request;
    if matches!(case.context.stage, Stage::Mutate | Stage::Whole) {
        let object = draft.mutate(case, &surrounding, missing);
        if let (Some(before), Some(after)) = (request.object, object) {
            patch = diff(before, after);
            changed.object = Some(after);
        }
        if missing.iter().any(|key| matches!(key, FactKey::External { .. })) {
            // The object is not whole yet, and providers would be asked about what will not be there.
            return draft.word(case, Vec::new());
        }
    }
    if case.context.stage != Stage::Mutate {
        let case = Case {
            request: &changed,
            before: case.before,
            arena: case.arena,
            set: case.set,
            facts: case.facts,
            context: case.context,
            started: case.started,
            witness: case.witness,
            only: case.only,
        };
        draft.validate(&case, &relevant, &surrounding, missing);
        draft.answer_for_broken(&case, &unloaded, &surrounding);
    }
    draft.word(case, patch)
}

impl Draft {
    /// The object after mutation: as submitted, then templates of workloads where a policy asks for it.
    fn mutate<'a>(
        &mut self,
        case: &Case<'a, '_>,
        surrounding: &Surrounding<'a>,
        missing: &mut Missing,
    ) -> Option<crate::value::Value<'a>> {
        if !matches!(case.request.operation, Operation::Create | Operation::Update) {
            return None;
        }
        let view = View::direct(case.request);
        let done = mutate(case, view, Scope::Submitted, surrounding, missing);
        let object = done.object;
        self.note(case, done);
        let request = Request { object, ..*case.request };
        let Some(pod_view) = View::expanded(case.arena, &request, &all_templates(case)) else {
            return object;
        };
        let done = mutate(case, pod_view, Scope::Template, surrounding, missing);
        let pod = done.object;
        self.note(case, done);
        // Back into the template: what changed in the Pod's metadata and spec, but not what expansion added.
        let (Some(whole), Some(before), Some(after)) = (object, pod_view.object, pod) else {
            return object;
        };
        let mut revision = Revision::new(whole);
        for operation in diff(before, after) {
            let pointer = Pointer::parse(&pod_view.submitted_path(operation.path())).unwrap_or_default();
            match &operation {
                PatchOperation::Add { value, .. } | PatchOperation::Replace { value, .. } => {
                    // Where the template has no such place the Pod's own edit is all there is.
                    let _ = revision.set(&case.arena, &pointer, crate::value::from_serde(&case.arena, value));
                }
                PatchOperation::Remove { .. } => revision.remove(&pointer),
            }
        }
        Some(revision.finish(&case.arena))
    }

    /// Failures of mutating policies answer as their `onError` says; validation would fail the same way, so only
    /// the first mention is kept.
    fn note(&mut self, case: &Case<'_, '_>, mutated: Mutated<'_>) {
        for (id, reason) in mutated.failures {
            if case.set.gatekeeper().mutators.iter().any(|mutator| id.contains(&mutator.id)) {
                self.skip(id, format!("it could not be applied: {reason}"));
                continue;
            }
            let policy = case.set.policies().find(|policy| policy.id == id);
            if let Some(policy) = policy.filter(|_| !self.findings.iter().any(|known| known.policy == id)) {
                self.findings.push(failure(policy, &reason, &case.set.config().docs_url));
            }
        }
        for (id, reason) in mutated.refusals {
            let finding = refused_mutation(&id, &reason);
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        for (id, reason) in mutated.skipped {
            self.skip(id, reason);
        }
    }

    fn skip(&mut self, policy: String, reason: String) {
        let skipped = Skipped { policy, reason };
        if !self.skipped.contains(&skipped) {
            self.skipped.push(skipped);
        }
    }

    fn validate<'a>(
        &mut self,
        case: &Case<'a, '_>,
        policies: &[&CompiledPolicy],
        surrounding: &Surrounding<'a>,
        missing: &mut Missing,
    ) {
        let (constraints, policies): (Vec<&CompiledPolicy>, Vec<&CompiledPolicy>) =
            policies.iter().partition(|policy| policy.constraint.is_some());
        if !constraints.is_empty() {
            let reviews = Reviews::new(case, &constraints, surrounding, missing);
            for policy in constraints {
                self.constraint(case, policy, &reviews, surrounding, missing);
            }
            reviews.keep(case);
        }
        if policies.is_empty() {
            return;
        }
        let direct = View::direct(case.request);
        let asked: Vec<&CompiledPolicy> =
            policies.iter().copied().filter(|policy| policy.validates()).collect();
        let direct_bench = Bench::recalling(case, &direct, surrounding, &asked, super::judge::JUDGING);
        let future = future_pod(case, surrounding, missing);
        let future_bench = future
            .as_ref()
            .map(|view| Bench::recalling(case, view, surrounding, &asked, super::judge::JUDGING));
        for policy in asked {
            self.look(case, policy, &direct, &direct_bench, surrounding, missing);
            if let (true, Some(view), Some(bench)) = (policy.spec.expands(), &future, &future_bench) {
                self.look(case, policy, view, bench, surrounding, missing);
            }
        }
        direct_bench.keep();
        future_bench.iter().for_each(Bench::keep);
    }

    /// Asks one constraint.
    fn constraint<'a>(
        &mut self,
        case: &Case<'a, '_>,
        policy: &CompiledPolicy,
        reviews: &Reviews<'a>,
        surrounding: &Surrounding<'a>,
        missing: &mut Missing,
    ) {
        let Some(constraint) = &policy.constraint else { return };
        match reviews.ask(case, policy, constraint, &mut self.assumed, missing) {
            Asked::Waiting => {}
            Asked::Unconcerned(mismatch) => {
                case.witness.iter().for_each(|witness| witness.unconcerned(policy, mismatch));
            }
            Asked::Skipped(reason) => self.skip(policy.id.clone(), reason),
            Asked::Found(mut found) => {
                self.policies.push(Arc::clone(&policy.label));
                except::apply(case, policy, surrounding, &mut found, missing);
                self.findings.append(&mut found);
            }
        }
    }

    /// What could not be loaded answers as its `onError` says, for what it would have judged.
    fn answer_for_broken<'a>(
        &mut self,
        case: &Case<'a, '_>,
        policies: &[&BrokenPolicy],
        surrounding: &Surrounding<'a>,
    ) {
        let direct = View::direct(case.request);
        for policy in policies {
            let pod = View::expanded(case.arena, case.request, &policy.spec.templates);
            let views = [Some(direct), pod.filter(|_| policy.spec.expands())];
            let matched = views.iter().flatten().find_map(|view| {
                let matched = matches(&policy.spec, case, view, surrounding.view());
                (!matches!(matched, Matched::No(_))).then_some(matched)
            });
            match (matched, surrounding) {
                (None, _) => {}
                (Some(Matched::NeedsNamespace), Surrounding::OutOfReach(reason)) => {
                    self.skip(policy.id.clone(), (*reason).to_owned());
                }
                (Some(_), _) => self.findings.push(broken(policy, &case.set.config().docs_url)),
            }
        }
    }

    /// Asks one policy about one view.
    fn look<'a>(
        &mut self,
        case: &Case<'a, '_>,
        policy: &CompiledPolicy,
        view: &View<'a>,
        bench: &Bench<'a, '_>,
        surrounding: &Surrounding<'a>,
        missing: &mut Missing,
    ) {
        let docs_url = &case.set.config().docs_url;
        match bench.matched(policy, view) {
            Matched::No(_) => return,
            Matched::Yes => {}
            Matched::NeedsNamespace => match surrounding {
                Surrounding::OutOfReach(reason) => return self.skip(policy.id.clone(), (*reason).to_owned()),
                Surrounding::Unavailable(reason) => {
                    return self.findings.push(failure(policy, reason, docs_url));
                }
                _ => return,
            },
        }
        let action = action_for(policy, surrounding);
        let mut raws = match bench.findings(policy, missing) {
            Answer::Given(raws) => raws,
            Answer::Skipped(reason) => return self.skip(policy.id.clone(), reason),
            Answer::Failed(reason) => {
                self.findings.retain(|known| known.policy != policy.id || known.rule != "error");
                return self.findings.push(failure(policy, &reason, docs_url));
            }
            Answer::Waiting => return,
        };
        // Overrides for Pods that a template will make are enforced when those Pods are created.
        if view.owner.is_none()
            && policy.mutates()
            && let Answer::Given(edits) = mutate::unapplied(case, view, policy, bench, missing)
        {
            raws.extend(edits.iter().map(|edit| unapplied(edit, view)));
        }
        if view.owner.is_none() {
            match recheck::recheck(case, policy, bench, missing) {
                Ok(mut warnings) => self.findings.append(&mut warnings),
                Err(reason) => self.findings.push(failure(policy, &reason, docs_url)),
            }
        }
        self.policies.push(Arc::clone(&policy.label));
        if raws.is_empty() {
            return;
        }
        let mut found: Vec<_> =
            raws.into_iter().map(|raw| (finding(policy, view, raw.clone(), action, docs_url), raw)).collect();
        existing::soften(case, view, surrounding, policy, &mut found, missing);
        let mut found: Vec<Finding> = found.into_iter().map(|(finding, _)| finding).collect();
        except::apply(case, policy, surrounding, &mut found, missing);
        self.findings.append(&mut found);
    }

    fn word(mut self, case: &Case<'_, '_>, patch: Vec<PatchOperation>) -> Decision {
        drop_repeated_warnings(&mut self.findings);
        let key = |finding: &Finding| {
            (
                finding.policy.clone(),
                finding.policy_object.clone(),
                finding.rule.clone(),
                finding.path.clone(),
                finding.message.clone(),
                finding.constraint.as_ref().map(|constraint| constraint.details.to_string()),
            )
        };
        self.findings.sort_by_cached_key(key);
        self.findings.dedup();
        self.skipped.sort();
        self.policies.sort_unstable();
        self.policies.dedup();
        let worst = self.findings.iter().map(|finding| finding.effect).max();
        let verdict = match worst {
            Some(Effect::Deny) => Verdict::Deny,
            // A denial is a clear answer even where another policy failed.
            Some(Effect::Error) if self.findings.iter().any(|finding| finding.effect == Effect::Deny) => {
                Verdict::Deny
            }
            Some(Effect::Error) => Verdict::Error,
            Some(Effect::Warn) => Verdict::Warn,
            Some(Effect::Audit) | None => Verdict::Allow,
        };
        let id = decision_id(case);
        let warnings =
            self.findings.iter().filter(|finding| finding.effect == Effect::Warn).map(warning).collect();
        let message = if verdict.admits() { String::new() } else { denial(&self.findings, &id) };
        Decision {
            verdict,
            message,
            warnings,
            patch: if verdict.admits() { patch } else { Vec::new() },
            findings: self.findings,
            skipped: self.skipped,
            policies: self.policies,
            assumed: self.assumed,
            set_digest: case.set.digest().to_owned(),
            id,
        }
    }
}

/// The Pod that the workload under review will make, as it will be after Pod mutation.
fn future_pod<'a>(
    case: &Case<'a, '_>,
    surrounding: &Surrounding<'a>,
    missing: &mut Missing,
) -> Option<View<'a>> {
    let templates = all_templates(case);
    let view = View::expanded(case.arena, case.request, &templates)?;
    let mutated = |view: View<'a>, missing: &mut Missing| {
        mutate(case, view, Scope::FuturePod, surrounding, missing).object
    };
    let object = mutated(view.with_objects(view.object, None), missing);
    let old_object = view.old_object.and_then(|old| mutated(view.with_objects(Some(old), None), missing));
    Some(view.with_objects(object, old_object))
}

fn all_templates(case: &Case<'_, '_>) -> Vec<crate::policy::spec::TemplatePath> {
    case.set.policies().flat_map(|policy| policy.spec.templates.iter().cloned()).collect()
}

pub(super) fn action_for(policy: &CompiledPolicy, surrounding: &Surrounding<'_>) -> Action {
    let labels =
        surrounding.object().and_then(|namespace| namespace.at(&["metadata", "labels"])).unwrap_or_default();
    let overrides = &policy.spec.action_overrides;
    let known = surrounding.object().is_some();
    overrides
        .iter()
        .find(|other| known && selects(&other.namespace_selector, labels))
        .map_or(policy.spec.action, |other| other.action)
}

/// A warning that says what a denial of the same place says already is noise.
fn drop_repeated_warnings(findings: &mut Vec<Finding>) {
    let denied: std::collections::BTreeSet<(String, String, String)> = findings
        .iter()
        .filter(|finding| finding.effect == Effect::Deny)
        .map(|finding| (finding.policy.clone(), finding.rule.clone(), finding.path.clone()))
        .collect();
    findings.retain(|finding| {
        // A constraint's findings are told apart by their words only.
        finding.effect != Effect::Warn
            || finding.constraint.is_some()
            || !denied.contains(&(finding.policy.clone(), finding.rule.clone(), finding.path.clone()))
    });
}

fn advice(finding: &Finding) -> String {
    let mut text = String::new();
    if !finding.remedy.is_empty() {
        text.push_str(". Fix: ");
        text.push_str(finding.remedy.trim_end_matches('.'));
    }
    text
}

fn warning(finding: &Finding) -> String {
    if let Some(line) = as_gatekeeper(finding) {
        return printable(&line, 1000);
    }
    let known = if finding.existing { " (the object had this before)" } else { "" };
    printable(&format!("{}: {}{known}{}", finding.policy, finding.message, advice(finding)), 1000)
}

/// A constraint's finding as Gatekeeper's users know it: `[name] message`.
fn as_gatekeeper(finding: &Finding) -> Option<String> {
    let constraint = finding.constraint.as_ref()?;
    // Line breaks are the template's; other control characters would reach a terminal.
    let clean = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    let message: String = finding.message.chars().map(clean).collect();
    Some(format!("[{}] {message}", constraint.name))
}

/// One line for each refusal, worst first by severity, then by policy.
fn denial(findings: &[Finding], id: &str) -> String {
    let mut refusals: Vec<&Finding> =
        findings.iter().filter(|finding| matches!(finding.effect, Effect::Deny | Effect::Error)).collect();
    refusals.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let lines = refusals.iter().take(LISTED).map(|finding| {
        if let Some(line) = as_gatekeeper(finding) {
            return line;
        }
        let ask = match (finding.effect, finding.docs.is_empty()) {
            (Effect::Error, _) => String::new(),
            (_, true) => ", or ask for an exception".to_owned(),
            (_, false) => format!(", or ask for an exception: {}", finding.docs),
        };
        format!("denied by {}: {}{}{ask}", finding.policy, finding.message, advice(finding))
    });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    if refusals.len() > LISTED {
        let more = refusals.len() - LISTED;
        text = format!("{text}\nand {more} more; `wayguard check` lists them all");
    }
    format!("{text} (decision {id})")
}

/// Derived from the request and the set: the same question has the same id, and the engine needs no randomness.
fn decision_id(case: &Case<'_, '_>) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [case.request.uid, case.request.namespace, case.request.name, case.set.digest()] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex().chars().take(12).collect()
}
