//! One policy on one view: its rules evaluated, their results read.

use super::access::{self, ACCESS, Asked};
use super::memo::{Known, Read, Recall};
use super::surroundings::{Desk, Equipped, Surrounding, data, declared, equip};
use super::view::View;
use super::witness::{self, Witness};
use super::{Case, Missing};
use crate::matching::{Matched, Matcher, NamespaceView, Target};
use crate::policy::compiled::CompiledPolicy;
use crate::policy::spec::PolicySpec;
use crate::rego::digest::Digest;
use crate::rego::{Footprint, World};
use crate::value::{Object, Value};
use serde_json::Value as Json;
use std::cell::RefCell;

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
    pub(crate) desk: Desk<'a>,
    pub(crate) surrounding: &'c Surrounding<'a>,
    /// What is remembered of the view, if that is asked for.
    recall: Option<Recall<'a>>,
    tag: u8,
    /// What was matched so far, by [`CompiledPolicy::like`].
    matched: RefCell<Vec<Option<Matched>>>,
}

/// Marks what is asked while judging: policies are asked for their findings, and for edits that were undone.
pub(crate) const JUDGING: u8 = b'v';
/// Marks what is asked while mutating: policies are asked for their edits.
pub(crate) const MUTATING: u8 = b'm';

impl<'a, 'c> Bench<'a, 'c> {
    pub(crate) fn new(case: &'c Case<'a, 'c>, view: &View<'a>, surrounding: &'c Surrounding<'a>) -> Self {
        let desk = Desk {
            review: view.review(case.arena, case.request),
            namespace: surrounding.object(),
            owner: view.owner,
        };
        Self { case, desk, surrounding, recall: None, tag: 0, matched: RefCell::default() }
    }

    /// As [`Self::new`], with what is remembered of the view for the policies that will be asked. `tag` tells apart
    /// what is asked of them.
    pub(crate) fn recalling(
        case: &'c Case<'a, 'c>,
        view: &View<'a>,
        surrounding: &'c Surrounding<'a>,
        policies: &[&CompiledPolicy],
        tag: u8,
    ) -> Self {
        let mut bench = Self::new(case, view, surrounding);
        bench.tag = tag;
        // Who is to be told of an evaluation needs one.
        bench.recall = case.witness.is_none().then(|| Recall::of(&case.set.memo, policies, &bench.seen()));
        bench
    }

    /// Whether the policy's `match` fits the view; policies with the same one are matched once.
    pub(crate) fn matched(&self, policy: &CompiledPolicy, view: &View<'_>) -> Matched {
        let at = policy.like as usize;
        let mut known = self.matched.borrow_mut();
        if known.len() <= at {
            known.resize(at + 1, None);
        }
        let fits = || matches(&policy.spec, self.case, view, self.surrounding.view());
        known.get_mut(at).map_or_else(fits, |slot| *slot.get_or_insert_with(fits))
    }

    /// Remembers what came of asking.
    pub(crate) fn keep(&self) {
        self.recall.iter().for_each(|recall| recall.keep(&self.case.set.memo));
    }

    /// What the policy finds.
    pub(crate) fn findings(&self, policy: &CompiledPolicy, missing: &mut Missing) -> Answer<RawFinding> {
        self.remembered(policy, || {
            self.ask(policy, &crate::policy::compiled::FINDING_RULES, missing, read_finding)
        })
    }

    /// What the policy would change.
    pub(crate) fn edits(&self, policy: &CompiledPolicy, missing: &mut Missing) -> Answer<Edit> {
        let mut ask = || self.ask(policy, &crate::policy::compiled::EDIT_RULES, missing, read_edit);
        // That a policy finds nothing does not say that it would change nothing: what is remembered while judging is
        // about findings alone.
        if self.tag == JUDGING { ask() } else { self.remembered(policy, ask) }
    }

    fn seen(&self) -> Seen<'a, '_> {
        Seen { bench: self, input: self.desk.input(self.case.arena, Value::Null, None) }
    }

    fn remembered<T: Clone + Send + Sync + 'static>(
        &self,
        policy: &CompiledPolicy,
        ask: impl FnOnce() -> Answer<T>,
    ) -> Answer<T> {
        let Some(recall) = &self.recall else { return ask() };
        if recall.is_quiet(policy) {
            return Answer::Given(Vec::new());
        }
        let memo = &self.case.set.memo;
        let known = recall.known(memo, policy, &self.seen());
        if let Known::These(items) = known {
            return Answer::Given(items.to_vec());
        }
        let answer = ask();
        recall.note(memo, policy, matches!(&answer, Answer::Given(items) if items.is_empty()));
        if let (Answer::Given(items), Known::New(hash)) = (&answer, known)
            && !items.is_empty()
        {
            memo.keep(hash, items);
        }
        answer
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
        let present: Vec<_> = rules.iter().filter_map(|rule| Some((*rule, policy.entry(rule)?))).collect();
        if present.is_empty() {
            return Answer::Given(Vec::new());
        }
        let (facts, inventory) = match equip(self.case, policy, self.surrounding, self.desk.review, missing) {
            Equipped::Yes { facts, inventory } => (facts, inventory),
            Equipped::Skip(reason) => return Answer::Skipped(reason),
            Equipped::Fail(reason) => return Answer::Failed(reason),
            Equipped::Wait => return Answer::Waiting,
        };
        let limit = self.case.time_left();
        if limit.is_zero() {
            return Answer::Failed("there was no time left to evaluate it".into());
        }
        let arena = self.case.arena;
        let mut world = World {
            input: Some(self.desk.input(arena, policy.parameters.value(), facts)),
            data: inventory.map(|inventory| data(arena, inventory)),
            ..self.case.world(limit)
        };
        if policy.asks_for_access() {
            let answers = match access::ask(self.case, policy, world, missing) {
                Asked::Answered(answers) => answers,
                Asked::Skip(reason) => return Answer::Skipped(reason),
                Asked::Fail(reason) => return Answer::Failed(reason),
                Asked::Wait => return Answer::Waiting,
            };
            let known = facts.and_then(Value::as_object).unwrap_or_default();
            let members = known.iter().chain([(ACCESS, answers)]).collect();
            let facts = Value::Object(Object::new(&arena, members));
            world.input = Some(self.desk.input(arena, policy.parameters.value(), Some(facts)));
        }
        let mut items = Vec::new();
        let mut problem = None;
        let witness = self.case.witness;
        let mut observer = witness.and_then(|_| Witness::observer(policy));
        let asked = policy.program.ask(present, arena, world, observer.as_mut(), |rule, value| {
            for item in elements(value) {
                match read(rule, item.to_serde()) {
                    Ok(item) => items.push(item),
                    Err(text) => {
                        problem.get_or_insert_with(|| format!("`{rule}` gave something unreadable: {text}"));
                    }
                }
            }
        });
        let problem = asked.err().map(|error| error.to_string()).or(problem);
        if let (Some(witness), Some(first)) = (witness, rules.first()) {
            let at = witness::place(self.desk.owner.is_some());
            witness.asked(policy, at, first, observer, problem.clone());
        }
        if let Some(reason) = problem {
            return Answer::Failed(reason);
        }
        Answer::Given(items)
    }
}

/// Everything that decides what policies find.
struct Seen<'a, 'b> {
    bench: &'b Bench<'a, 'b>,
    /// Without parameters and facts.
    input: Value<'a>,
}

impl<'a> Seen<'a, '_> {
    /// What all policies depend on.
    fn frame(&self, out: &mut Digest<'_, 'a>) -> Option<()> {
        let request = self.bench.case.request;
        let surrounding = match self.bench.surrounding {
            Surrounding::NoNamespace => "-",
            Surrounding::Namespace(_) => "+",
            Surrounding::OutOfReach(reason) => reason,
            Surrounding::Unavailable(_) => return None,
        };
        out.number(u64::from_le_bytes([
            self.bench.tag,
            request.origin as u8,
            request.operation as u8,
            u8::from(request.user.is_empty()),
            u8::from(request.old_object.is_none()),
            u8::from(self.bench.desk.owner.is_some()),
            0,
            0,
        ]));
        for text in [surrounding, request.namespace, request.sub_resource] {
            out.text(self.bench.tag, text);
        }
        Some(())
    }

    /// The facts that a policy declares, by documents that never change.
    fn facts(&self, policy: &CompiledPolicy, out: &mut Digest<'_, 'a>) -> Option<()> {
        // Rights change without anybody telling.
        if policy.asks_for_access() {
            return None;
        }
        declared(self.bench.case, policy, self.bench.desk.review)
            .try_for_each(|key| out.fact(self.bench.case.facts.get(&key)?))
    }
}

impl<'a> Read<'a> for Seen<'a, '_> {
    fn together(&self, policies: &[&CompiledPolicy], out: &mut Digest<'_, 'a>) -> Option<()> {
        self.frame(out)?;
        out.number(policies.len() as u64);
        for policy in policies {
            out.number(u64::from(policy.ordinal));
            self.facts(policy, out)?;
        }
        self.bench.case.set.memo.union(policies).write(self.input, out);
        Some(())
    }

    fn alone(&self, policy: &CompiledPolicy, footprint: &Footprint, out: &mut Digest<'_, 'a>) -> Option<()> {
        self.frame(out)?;
        self.facts(policy, out)?;
        footprint.write(self.input, out);
        Some(())
    }
}

pub(super) fn elements(value: Option<Value<'_>>) -> Vec<Value<'_>> {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => Vec::new(),
        Some(Value::Array(items)) => items.to_vec(),
        Some(Value::Set(set)) => set.items().to_vec(),
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
