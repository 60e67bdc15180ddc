//! Gatekeeper's constraints asked about a request: the object as sent, and what it expands to.

use super::memo::{Known, Read, Recall};
use super::surroundings::Surrounding;
use super::witness::{Witness, place};
use super::{Case, Missing};
use crate::decision::{ConstraintFinding, Effect, Finding};
use crate::facts::{Fact, FactKey};
use crate::gatekeeper::{Candidate, Constraint, Source, expand, generated, is_namespace, kind_in, original};
use crate::matching::Mismatch;
use crate::policy::compiled::CompiledPolicy;
use crate::policy::metadata::InventoryKind;
use crate::policy::spec::Action;
use crate::rego::digest::Digest;
use crate::rego::{EvaluationError, Footprint, World};
use crate::request::{GroupVersionKind, Operation, Origin};
use crate::value::{Object, Value};
use serde_json::Value as Json;
use std::cell::OnceCell;

/// What constraints see of a request, made once for all of them.
pub(crate) struct Reviews<'a> {
    subjects: Vec<Subject<'a>>,
    /// What is remembered of each.
    recalls: Vec<Option<Recall<'a>>>,
    inventory: Inventory<'a>,
    /// The namespace is not known here and was taken to have nothing but its name.
    assumed: Option<String>,
    unavailable: Option<String>,
    excluded: bool,
}

/// One object under review.
struct Subject<'a> {
    candidates: Vec<Candidate<'a>>,
    review: Value<'a>,
    /// What stands before messages about a generated object.
    prefix: String,
    /// The action that its `ExpansionTemplate` demands.
    action: Option<Action>,
    /// Why it could not be made; then whatever concerns its kind fails.
    broken: Option<String>,
}

/// `data.inventory`.
enum Inventory<'a> {
    /// The host must be asked first.
    Waiting,
    /// The host has told it, by kind in the settings' order. It is put together when a constraint is evaluated, which
    /// few requests come to.
    Known(Vec<Option<Value<'a>>>, OnceCell<Value<'a>>),
    /// This origin does not have it; why.
    OutOfReach(String),
    Unavailable(String),
}

/// What came of asking one constraint.
pub(crate) enum Asked {
    /// It is not about this request.
    Unconcerned(Mismatch),
    Found(Vec<Finding>),
    Skipped(String),
    Waiting,
}

impl<'a> Reviews<'a> {
    /// Prepares what the constraints among `policies` look at.
    pub(crate) fn new(
        case: &Case<'a, '_>,
        policies: &[&CompiledPolicy],
        surrounding: &Surrounding<'a>,
        missing: &mut Missing,
    ) -> Self {
        let request = case.request;
        let settings = case.set.gatekeeper();
        let (home, assumed, unavailable) = home(case, surrounding);
        // A test of a template sees the Namespace object where Gatekeeper's own tests do: nowhere but in `match`.
        let shown = home.filter(|_| request.origin != Origin::Suite && !request.is_namespace());
        let namespace = if request.is_namespace() { "" } else { request.namespace };
        let candidate = |object: Value<'a>, kind: GroupVersionKind<'a>, source: Source| Candidate {
            object,
            kind,
            namespace,
            namespace_object: home.filter(|_| !is_namespace(kind)),
            source,
        };
        let given = request.object.into_iter().chain(request.old_object);
        let own = Subject {
            candidates: given.map(|object| candidate(object, request.kind, Source::Original)).collect(),
            review: original(case.arena, request, shown),
            prefix: String::new(),
            action: None,
            broken: None,
        };
        let mut subjects = vec![own];
        if let Some(base) = request.object.or(request.old_object) {
            let base = candidate(base, request.kind, Source::Generated);
            subjects.extend(generated_subjects(case, base, shown, missing));
        }
        let needs_inventory = policies
            .iter()
            .any(|policy| policy.constraint.as_ref().is_some_and(|constraint| constraint.reads_inventory));
        let recalls = subjects.iter().map(|subject| recall(case, subject, policies)).collect();
        Self {
            subjects,
            recalls,
            inventory: if needs_inventory {
                Inventory::gather(case, missing)
            } else {
                Inventory::Known(Vec::new(), OnceCell::from(Value::EMPTY))
            },
            assumed,
            unavailable,
            excluded: settings.excludes(request.origin, request.namespace),
        }
    }

    /// Remembers what came of asking.
    pub(crate) fn keep(&self, case: &Case<'_, '_>) {
        self.recalls.iter().flatten().for_each(|recall| recall.keep(&case.set.memo));
    }

    /// Asks one constraint about every object under review. What had to be assumed is noted.
    pub(crate) fn ask(
        &self,
        case: &Case<'a, '_>,
        policy: &CompiledPolicy,
        constraint: &Constraint,
        assumptions: &mut Vec<String>,
        missing: &mut Missing,
    ) -> Asked {
        let Some(action) = constraint.action(case.request.origin) else {
            return Asked::Unconcerned(Mismatch::EnforcementPoint);
        };
        if self.excluded {
            return Asked::Unconcerned(Mismatch::ExcludeNamespaces);
        }
        if !operation_fits(case, constraint) {
            return Asked::Unconcerned(Mismatch::Operation);
        }
        let mut furthest = Mismatch::Resource;
        let mut found = Vec::new();
        let mut concerned = false;
        let mut waiting = false;
        for (subject, recall) in self.subjects.iter().zip(&self.recalls) {
            if !subject.candidates.iter().any(|candidate| constraint.concerns(candidate.kind)) {
                continue;
            }
            let hangs_on_labels = constraint.matches.asks_namespace_labels();
            if hangs_on_labels || constraint.reads_namespace {
                if let Some(reason) = &self.unavailable {
                    concerned = true;
                    found.push(failed(policy, constraint, action, reason));
                    continue;
                }
                assumptions.extend(
                    self.assumed.iter().filter(|it| !assumptions.contains(it)).cloned().collect::<Vec<_>>(),
                );
            }
            let mut mismatches = subject.candidates.iter().map(|it| constraint.matches.mismatch(it));
            if let Some(mismatch) = mismatches.try_fold(Mismatch::Resource, |worst, it| Some(worst.max(it?)))
            {
                furthest = furthest.max(mismatch);
                continue;
            }
            concerned = true;
            if let Some(reason) = &subject.broken {
                found.push(failed(policy, constraint, subject.action.unwrap_or(action), reason));
                continue;
            }
            if recall.as_ref().is_some_and(|recall| recall.is_quiet(policy)) {
                continue;
            }
            let inventory = match &self.inventory {
                Inventory::Known(found, whole) if constraint.reads_inventory => {
                    *whole.get_or_init(|| inventory_of(case, found))
                }
                Inventory::Waiting => return Asked::Waiting,
                Inventory::OutOfReach(reason) if constraint.reads_inventory => {
                    return Asked::Skipped(reason.clone());
                }
                Inventory::Unavailable(reason) if constraint.reads_inventory => {
                    found.push(failed(policy, constraint, action, reason));
                    continue;
                }
                Inventory::Known(..) | Inventory::OutOfReach(_) | Inventory::Unavailable(_) => Value::EMPTY,
            };
            let action = subject.action.unwrap_or(action);
            let memo = &case.set.memo;
            let known = match recall {
                Some(recall) => recall.known(memo, policy, &Seen::of(case, subject)),
                None => Known::Nothing,
            };
            let violations = if let Known::These(found) = known {
                Ok(found.to_vec())
            } else {
                let violations = violations(case, policy, subject, inventory);
                let is_quiet = violations.as_ref().is_ok_and(Vec::is_empty);
                recall.iter().for_each(|recall| recall.note(memo, policy, is_quiet));
                if let (Ok(found @ [_, ..]), Known::New(hash)) = (violations.as_deref(), known) {
                    memo.keep(hash, found);
                }
                violations
            };
            match violations {
                Err(Unjudged::Wanting(keys)) => {
                    missing.extend(keys);
                    waiting = true;
                }
                Err(Unjudged::OutOfReach(reason)) => return Asked::Skipped(reason),
                Ok(violations) => found.extend(
                    violations
                        .into_iter()
                        .map(|violation| finding(policy, constraint, action, &subject.prefix, violation)),
                ),
                Err(Unjudged::Failed(reason)) => found.push(failed(policy, constraint, action, &reason)),
            }
        }
        if waiting {
            return Asked::Waiting;
        }
        if concerned { Asked::Found(found) } else { Asked::Unconcerned(furthest) }
    }
}

/// What the object expands to.
fn generated_subjects<'a>(
    case: &Case<'a, '_>,
    base: Candidate<'a>,
    shown: Option<Value<'a>>,
    missing: &mut Missing,
) -> Vec<Subject<'a>> {
    let settings = case.set.gatekeeper();
    let outside = case.outside();
    let (made, problems) = expand(case.arena, settings.expansions(), &settings.mutators, base, &outside);
    let unknown = outside.missing.into_inner();
    if !unknown.is_empty() {
        // What is not whole yet is not judged: providers would be asked about what will not be there.
        missing.extend(unknown);
        return Vec::new();
    }
    let made = made.into_iter().map(|resultant| {
        let kind = kind_in(case.arena, resultant.expansion.generated.kind());
        let object = resultant.object;
        Subject {
            candidates: vec![Candidate { object, kind, ..base }],
            review: generated(case.arena, object, kind, case.request, shown),
            prefix: format!("[Implied by {}] ", resultant.expansion.name),
            action: resultant.expansion.action,
            broken: None,
        }
    });
    let broken = problems.into_iter().map(|(expansion, problem)| Subject {
        candidates: vec![Candidate {
            object: Value::EMPTY,
            kind: kind_in(case.arena, expansion.generated.kind()),
            ..base
        }],
        review: Value::EMPTY,
        prefix: String::new(),
        action: expansion.action,
        broken: Some(format!("the object could not be expanded by `{}`: {problem}", expansion.name)),
    });
    made.chain(broken).collect()
}

/// What is remembered of an object for the constraints that concern its kind.
fn recall<'a>(
    case: &Case<'a, '_>,
    subject: &Subject<'a>,
    policies: &[&CompiledPolicy],
) -> Option<Recall<'a>> {
    let concerns = |policy: &&CompiledPolicy| {
        let constraint = policy.constraint.as_ref();
        let concerns = |kind| constraint.is_some_and(|constraint| constraint.concerns(kind));
        subject.broken.is_none() && subject.candidates.iter().any(|candidate| concerns(candidate.kind))
    };
    let asked: Vec<&CompiledPolicy> = policies.iter().copied().filter(concerns).collect();
    // Who is to be told of an evaluation needs one.
    (!asked.is_empty() && case.witness.is_none())
        .then(|| Recall::of(&case.set.memo, &asked, &Seen::of(case, subject)))
}

/// What constraints see of one object.
struct Seen<'a, 'c> {
    case: &'c Case<'a, 'c>,
    input: Value<'a>,
}

impl<'a, 'c> Seen<'a, 'c> {
    fn of(case: &'c Case<'a, 'c>, subject: &Subject<'a>) -> Self {
        let input = Object::new(&case.arena, vec![("parameters", Value::Null), ("review", subject.review)]);
        Self { case, input: Value::Object(input) }
    }

    /// The inventory by the documents that it is put together from, which never change.
    fn inventory(&self, out: &mut Digest<'_, 'a>) -> Option<()> {
        let kinds = self.case.set.gatekeeper().inventory();
        kinds.iter().try_for_each(|kind| out.fact(self.case.facts.get(&inventory_key(kind))?))
    }
}

/// Tells what constraints read from what native policies read.
const CONSTRAINT: u8 = b'c';

impl<'a> Read<'a> for Seen<'a, '_> {
    fn together(&self, policies: &[&CompiledPolicy], out: &mut Digest<'_, 'a>) -> Option<()> {
        out.mark(CONSTRAINT, policies.len());
        if policies.iter().any(|policy| policy.constraint.as_ref().is_some_and(|it| it.reads_inventory)) {
            self.inventory(out)?;
        }
        policies.iter().for_each(|policy| out.number(u64::from(policy.ordinal)));
        self.case.set.memo.union(policies).write(self.input, out);
        Some(())
    }

    fn alone(&self, policy: &CompiledPolicy, footprint: &Footprint, out: &mut Digest<'_, 'a>) -> Option<()> {
        out.mark(CONSTRAINT, 0);
        if policy.constraint.as_ref().is_some_and(|it| it.reads_inventory) {
            self.inventory(out)?;
        }
        footprint.write(self.input, out);
        Some(())
    }
}

/// The Namespace object, what was assumed for it, and why it cannot be had.
pub(super) fn home<'a>(
    case: &Case<'a, '_>,
    surrounding: &Surrounding<'a>,
) -> (Option<Value<'a>>, Option<String>, Option<String>) {
    match surrounding {
        Surrounding::NoNamespace => (None, None, None),
        Surrounding::Namespace(namespace) => (Some(*namespace), None, None),
        Surrounding::Unavailable(reason) => (None, None, Some(reason.clone())),
        Surrounding::OutOfReach(_) => {
            let name = case.request.namespace;
            let text = format!(
                "namespace `{name}` is not known here; constraints took it to have no label but its name; check its manifest too, or name a folder that has it with `--context`"
            );
            (Some(nameless(case, name)), Some(text), None)
        }
    }
}

/// A Namespace of which only the name is known, with the label that every Namespace has.
fn nameless<'a>(case: &Case<'a, '_>, name: &'a str) -> Value<'a> {
    let arena = &case.arena;
    let labels = Object::new(arena, vec![("kubernetes.io/metadata.name", Value::String(name))]);
    let metadata = Object::new(arena, vec![("name", Value::String(name)), ("labels", Value::Object(labels))]);
    Value::Object(Object::new(
        arena,
        vec![
            ("apiVersion", Value::String("v1")),
            ("kind", Value::String("Namespace")),
            ("metadata", Value::Object(metadata)),
        ],
    ))
}

/// Gatekeeper's webhook sees CREATE and UPDATE; what a template names beyond it is honoured. A template's own tests
/// ask about anything.
fn operation_fits(case: &Case<'_, '_>, constraint: &Constraint) -> bool {
    let operation = case.request.operation;
    if !matches!(case.request.origin, Origin::Admission | Origin::Check) {
        return true;
    }
    if constraint.operations.is_empty() {
        return matches!(operation, Operation::Create | Operation::Update);
    }
    let named = |item: &String| item == operation.as_str() || (item == "*" && operation != Operation::Delete);
    constraint.operations.iter().any(named)
}

impl<'a> Inventory<'a> {
    fn gather(case: &Case<'a, '_>, missing: &mut Missing) -> Self {
        let mut found = Vec::new();
        let mut waiting = false;
        for kind in case.set.gatekeeper().inventory() {
            let key = inventory_key(kind);
            match case.facts.get(&key) {
                Some(Fact::Known(document)) => found.push(Some(document.value())),
                Some(Fact::Absent) => found.push(None),
                Some(Fact::OutOfReach(reason)) => return Self::OutOfReach(reason.clone()),
                Some(Fact::Unavailable(reason)) => return Self::Unavailable(reason.clone()),
                None => {
                    missing.insert(key);
                    waiting = true;
                }
            }
        }
        if waiting { Self::Waiting } else { Self::Known(found, OnceCell::new()) }
    }
}

/// `data.inventory`, without the namespaces that the settings leave out.
fn inventory_of<'a>(case: &Case<'a, '_>, found: &[Option<Value<'a>>]) -> Value<'a> {
    let settings = case.set.gatekeeper();
    let found = settings.inventory().iter().zip(found);
    let found: Vec<_> = found.filter_map(|(kind, objects)| Some((kind, (*objects)?))).collect();
    let shape = super::surroundings::gatekeeper_shape(case, &found);
    let spaces = shape.get("namespace").and_then(Value::as_object).unwrap_or_default();
    let kept: Vec<_> = spaces.iter().filter(|(name, _)| !settings.leaves_out(name)).collect();
    match shape.as_object() {
        Some(root) if kept.len() < spaces.len() => {
            let spaces = Value::Object(Object::new(&case.arena, kept));
            Value::Object(root.with(&case.arena, "namespace", spaces))
        }
        _ => shape,
    }
}

fn inventory_key(kind: &InventoryKind) -> FactKey {
    FactKey::Inventory {
        group: kind.group.clone(),
        version: kind.version.clone(),
        kind: kind.kind.clone(),
        namespace: String::new(),
    }
}

/// A violation as the template gave it.
#[derive(Clone)]
struct Violation {
    msg: String,
    details: Json,
}

/// Why a constraint has no answer.
enum Unjudged {
    /// Providers must be asked first.
    Wanting(Vec<FactKey>),
    /// This origin cannot ask them; why.
    OutOfReach(String),
    Failed(String),
}

/// Evaluates the template. As in Gatekeeper, an element without `msg` is none.
fn violations<'a>(
    case: &Case<'a, '_>,
    policy: &CompiledPolicy,
    subject: &Subject<'a>,
    inventory: Value<'a>,
) -> Result<Vec<Violation>, Unjudged> {
    let limit = case.time_left();
    if limit.is_zero() {
        return Err(Unjudged::Failed("there was no time left to evaluate it".into()));
    }
    let arena = case.arena;
    let input =
        Object::new(&arena, vec![("parameters", policy.parameters.value()), ("review", subject.review)]);
    let world = World {
        input: Some(Value::Object(input)),
        data: Some(super::surroundings::data(arena, inventory)),
        facts: Some(case.facts),
        ..case.world(limit)
    };
    let mut found = Vec::new();
    let entry = policy.entry("violation").map(|entry| ((), entry));
    let mut observer = case.witness.and_then(|_| Witness::observer(policy));
    let asked = policy.program.ask(entry, arena, world, observer.as_mut(), |(), value| {
        let items = match value {
            Some(Value::Set(set)) => set.items(),
            Some(Value::Array(items)) => items,
            _ => &[],
        };
        found.extend(items.iter().filter_map(|item| Some(violation(*item, item.get("msg")?))));
    });
    if let Some(witness) = case.witness {
        let error = asked.as_ref().err().map(ToString::to_string);
        witness.asked(policy, place(!subject.prefix.is_empty()), "violation", observer, error);
    }
    asked.map_err(|error| match error {
        EvaluationError::Wanting(keys) => Unjudged::Wanting(keys),
        EvaluationError::OutOfReach(reason) => Unjudged::OutOfReach(reason),
        other => Unjudged::Failed(other.to_string()),
    })?;
    found.into_iter().collect::<Result<_, _>>().map_err(Unjudged::Failed)
}

fn violation(item: Value<'_>, msg: Value<'_>) -> Result<Violation, String> {
    let Value::String(msg) = msg else {
        return Err(format!("`violation` gave a `msg` that is no string: `{msg}`"));
    };
    let details = item.get("details").unwrap_or(Value::EMPTY).to_serde();
    Ok(Violation { msg: msg.to_owned(), details })
}

fn finding(
    policy: &CompiledPolicy,
    constraint: &Constraint,
    action: Action,
    prefix: &str,
    violation: Violation,
) -> Finding {
    let effect = match action {
        Action::Audit => Effect::Audit,
        Action::Warn => Effect::Warn,
        Action::Deny => Effect::Deny,
    };
    Finding {
        policy: policy.id.clone(),
        policy_object: policy.name.clone(),
        rule: "violation".into(),
        effect,
        severity: policy.metadata.custom.severity,
        category: policy.metadata.custom.category.clone(),
        controls: Vec::new(),
        path: String::new(),
        field: String::new(),
        found: None,
        expected: String::new(),
        message: format!("{prefix}{}", violation.msg),
        remedy: String::new(),
        docs: String::new(),
        exception: None,
        existing: false,
        constraint: Some(ConstraintFinding { name: constraint.name.clone(), details: violation.details }),
    }
}

/// A constraint that could not be evaluated: as in Gatekeeper, that is a violation.
fn failed(policy: &CompiledPolicy, constraint: &Constraint, action: Action, reason: &str) -> Finding {
    let violation = Violation { msg: reason.to_owned(), details: Json::Object(serde_json::Map::new()) };
    let mut finding = finding(policy, constraint, action, "", violation);
    finding.rule = "error".into();
    if finding.effect == Effect::Deny {
        finding.effect = Effect::Error;
    }
    finding
}
