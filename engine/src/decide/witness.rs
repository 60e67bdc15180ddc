//! Who is there when a decision is made, and can tell of it afterwards. Most decisions are made without.

use super::judge::{Edit, matches};
use super::surroundings::Surrounding;
use super::verdict::action_for;
use super::view::View;
use super::{Case, Missing};
use crate::decision::{Decision, Finding};
use crate::masking::{MASKED, is_private};
use crate::matching::spec::Match;
use crate::matching::{Matched, Mismatch};
use crate::policy::compiled::CompiledPolicy;
use crate::policy::spec::PolicySpec;
use crate::rego::Observer;
use crate::story::{EditStory, ExceptionStory, Look, PolicyStory, Standing, Story};
use crate::value::Pointer;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The longest value of an edit that is shown.
const VALUE: usize = 120;

/// Collects what is seen, by the names of Policy objects.
#[derive(Debug, Default)]
pub(crate) struct Witness(RefCell<BTreeMap<String, Notes>>);

#[derive(Debug, Default)]
struct Notes {
    looks: Vec<(&'static str, Look)>,
    edits: Vec<EditStory>,
    exceptions: Vec<ExceptionStory>,
    mismatch: Option<Mismatch>,
}

impl Witness {
    fn note(&self, policy: &str, note: impl FnOnce(&mut Notes)) {
        note(self.0.borrow_mut().entry(policy.to_owned()).or_default());
    }

    /// What a policy's program tells to, if it can.
    pub(crate) fn observer(policy: &CompiledPolicy) -> Option<Observer> {
        policy.program.tracer(policy.metadata.custom.sensitive)
    }

    /// A policy was asked for these rules. Mutation asks until nothing changes any more: the first time is told.
    pub(crate) fn asked(
        &self,
        policy: &CompiledPolicy,
        at: &'static str,
        rules: &'static str,
        observer: Option<Observer>,
        error: Option<String>,
    ) {
        let trace = observer.and_then(Observer::trace).unwrap_or_default();
        self.note(&policy.name, |notes| {
            if !notes.looks.iter().any(|(known, look)| *known == rules && look.at == at) {
                let error = error.unwrap_or_default();
                notes.looks.push((rules, Look { at, rules: trace.rules, error, cut: trace.cut }));
            }
        });
    }

    /// A policy wanted a change; `Err`: why it was not made.
    pub(crate) fn edit(
        &self,
        policy: &CompiledPolicy,
        view: &View<'_>,
        edit: &Edit,
        fate: Result<(), &'static str>,
    ) {
        let pointer = Pointer::parse(edit.path()).unwrap_or_default();
        let (what, value) = match edit {
            Edit::Default { value, .. } => ("default", Some(value)),
            Edit::Override { value, .. } => ("override", Some(value)),
            Edit::Removal { .. } => ("removal", None),
        };
        let hidden = policy.metadata.custom.sensitive || is_private(view.kind.kind, &pointer);
        let value = value.map(|value| match value {
            _ if hidden && !value.is_object() => MASKED.into(),
            large if large.to_string().len() > VALUE => {
                crate::masking::printable(&large.to_string(), VALUE).into()
            }
            small => small.clone(),
        });
        let at = place(view.owner.is_some());
        self.note(&policy.name, |notes| {
            let path = edit.path().to_owned();
            if !notes.edits.iter().any(|known| (known.what, known.at, &known.path) == (what, at, &path)) {
                let reason = fate.err().unwrap_or_default().to_owned();
                notes.edits.push(EditStory { what, at, path, value, written: fate.is_ok(), reason });
            }
        });
    }

    /// An exception that names the policy was held against a finding; `Err`: why it does not cover it.
    pub(crate) fn exception(
        &self,
        policy: &CompiledPolicy,
        exception: &str,
        finding: &Finding,
        fate: Result<(), String>,
    ) {
        self.note(&policy.name, |notes| {
            notes.exceptions.push(ExceptionStory {
                exception: exception.to_owned(),
                rule: finding.rule.clone(),
                field: finding.field.clone(),
                covers: fate.is_ok(),
                reason: fate.err().unwrap_or_default(),
            });
        });
    }

    /// A constraint is not about the request.
    pub(crate) fn unconcerned(&self, policy: &CompiledPolicy, mismatch: Mismatch) {
        self.note(&policy.name, |notes| notes.mismatch = Some(mismatch));
    }

    /// The whole story of a decision.
    pub(crate) fn tell(&self, case: &Case<'_, '_>, decision: &Decision) -> Story {
        let mut notes = self.0.take();
        let surrounding = Surrounding::of(case, &mut Missing::new()).unwrap_or(Surrounding::NoNamespace);
        let loaded = case.set.policies().map(|policy| {
            let notes = notes.remove(&policy.name).unwrap_or_default();
            let mut story = written(&policy.id, &policy.name, &policy.from, &policy.spec);
            story.title.clone_from(&policy.metadata.title);
            let mismatch = match &policy.constraint {
                Some(constraint) => {
                    story.judges = constraint.judges();
                    let is_asked =
                        !notes.looks.is_empty() || decision.policies.iter().any(|id| **id == *policy.id);
                    (!is_asked).then(|| notes.mismatch.unwrap_or(Mismatch::Resource))
                }
                None => mismatch(&policy.spec, case, &surrounding),
            };
            let action = action_for(policy, &surrounding);
            story.action = format!("{action:?}");
            story.action_overridden = policy.constraint.is_none() && action != policy.spec.action;
            story.looks = notes.looks.into_iter().map(|(_, look)| look).collect();
            (story.edits, story.exceptions) = (notes.edits, notes.exceptions);
            stand(&mut story, decision, mismatch);
            story
        });
        let mut policies: Vec<PolicyStory> = loaded.collect();
        policies.extend(case.set.broken().iter().map(|policy| {
            let mut story = written(&policy.id, &policy.name, "", &policy.spec);
            match mismatch(&policy.spec, case, &surrounding) {
                None => (story.standing, story.reason) = (Standing::Failed, policy.problem.clone()),
                mismatch => stand(&mut story, decision, mismatch),
            }
            story
        }));
        policies.sort_by(|one, other| {
            (&one.policy, &one.policy_object).cmp(&(&other.policy, &other.policy_object))
        });
        Story { policies }
    }
}

/// How a place is called.
pub(crate) fn place(is_template: bool) -> &'static str {
    if is_template { "template" } else { "object" }
}

/// The first condition of a policy that neither the object nor its template meets; where both miss one, the one that
/// comes closer counts.
fn mismatch(spec: &PolicySpec, case: &Case<'_, '_>, surrounding: &Surrounding<'_>) -> Option<Mismatch> {
    let direct = View::direct(case.request);
    let pod = View::expanded(case.arena, case.request, &spec.templates).filter(|_| spec.expands());
    let mut furthest = Mismatch::Resource;
    for view in [Some(direct), pod].iter().flatten() {
        match matches(spec, case, view, surrounding.view()) {
            Matched::Yes | Matched::NeedsNamespace => return None,
            Matched::No(mismatch) => furthest = furthest.max(mismatch),
        }
    }
    Some(furthest)
}

fn stand(story: &mut PolicyStory, decision: &Decision, mismatch: Option<Mismatch>) {
    let about = |skipped: &&crate::decision::Skipped| skipped.policy == story.policy || skipped.policy == "*";
    let mut own = decision.findings.iter().filter(|it| it.policy_object == story.policy_object);
    let failed = own.find(|finding| finding.rule == "error").map(|finding| finding.message.clone());
    (story.standing, story.reason) = match (mismatch, decision.skipped.iter().find(about), failed) {
        (Some(mismatch), ..) => {
            story.condition = Some(mismatch.field());
            (Standing::Unmatched, mismatch.to_string())
        }
        (None, Some(skipped), _) => (Standing::Skipped, skipped.reason.clone()),
        (None, None, Some(message)) => (Standing::Failed, message),
        (None, None, None) => (Standing::Matched, String::new()),
    };
}

fn written(id: &str, name: &str, from: &str, spec: &PolicySpec) -> PolicyStory {
    PolicyStory {
        policy: id.to_owned(),
        policy_object: name.to_owned(),
        from: from.to_owned(),
        title: String::new(),
        standing: Standing::Unmatched,
        reason: String::new(),
        condition: None,
        judges: judges(&spec.matches),
        action: format!("{:?}", spec.action),
        action_overridden: false,
        looks: Vec::new(),
        edits: Vec::new(),
        exceptions: Vec::new(),
    }
}

fn judges(matches: &Match) -> Vec<String> {
    let rule = |rule: &crate::matching::spec::ResourceRule| {
        let of = |resource: &String| match rule.api_groups.as_slice() {
            [group] if group.is_empty() => resource.clone(),
            groups => groups
                .iter()
                .map(|group| if group.is_empty() { resource.clone() } else { format!("{resource}.{group}") })
                .collect::<Vec<_>>()
                .join(", "),
        };
        let resources: Vec<String> = rule.resources.iter().map(of).collect();
        format!("{}: {}", resources.join(", "), rule.operations.join(", "))
    };
    matches.resource_rules.iter().map(rule).collect()
}
