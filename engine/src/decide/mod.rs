//! The one function that decides: match, mutate, validate, word the answer.

mod access;
mod constraints;
mod except;
mod existing;
mod findings;
mod judge;
pub(crate) mod memo;
mod mutate;
mod never;
mod recheck;
mod surroundings;
mod verdict;
mod view;
mod witness;

use crate::decision::Decision;
use crate::facts::{FactKey, Facts};
use crate::gatekeeper::Outside;
use crate::policy::compiled::{CompiledPolicy, Group};
use crate::policy::set::PolicySet;
use crate::policy::spec::PolicySpec;
use crate::rego::{Limits, World};
use crate::request::Request;
use crate::story::Story;
use crate::value::Value;
use bumpalo::Bump;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use witness::Witness;

/// Which part of the work is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Defaults, overrides and removals only.
    Mutate,
    /// Policies that refuse when they cannot be evaluated.
    ValidateFail,
    /// All other policies.
    ValidateIgnore,
    /// All policies, on the object as it is: what runs was mutated when it was admitted, or was not.
    Validate,
    /// Mutate, then validate everything on the result.
    Whole,
}

/// What a decision depends on besides request, policies and facts.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Which part of the work.
    pub stage: Stage,
    /// The time, for exceptions that end.
    pub now: jiff::Timestamp,
    /// For all Rego of this call together.
    pub time_limit: Duration,
}

/// A decision, or what the engine must know first.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Decided.
    Decided(Box<Decision>),
    /// The host answers each key in [`Facts`] and asks again.
    NeedsFacts(Vec<FactKey>),
}

/// What one call carries through its steps.
pub(crate) struct Case<'a, 'c> {
    pub(crate) arena: &'a Bump,
    pub(crate) request: &'c Request<'a>,
    /// What was there before the change, also where that is judged by itself.
    pub(crate) before: Option<Value<'a>>,
    pub(crate) set: &'c PolicySet,
    pub(crate) facts: &'a Facts,
    pub(crate) context: &'c Context,
    pub(crate) started: Instant,
    /// Who is told, if anybody.
    pub(crate) witness: Option<&'c Witness>,
    /// Whether a policy, by its object's name, is asked for findings; none: all are.
    pub(crate) only: Option<&'c dyn Fn(&str) -> bool>,
}

impl<'a> Case<'a, '_> {
    /// What Gatekeeper's mutators know beyond the object.
    pub(crate) fn outside(&self) -> Outside<'a> {
        Outside { facts: self.facts, user: self.request.user, missing: RefCell::default() }
    }

    /// What is left of the time limit; one policy never gets more than half a second of it.
    pub(crate) fn time_left(&self) -> Duration {
        let left = self.context.time_limit.saturating_sub(self.started.elapsed());
        left.min(Duration::from_millis(500))
    }

    /// What surrounds an evaluation, but for its documents.
    pub(crate) fn world<'v>(&self, limit: Duration) -> World<'v> {
        let now_ns = i64::try_from(self.context.now.as_nanosecond()).unwrap_or(i64::MAX);
        World { now_ns, limits: Limits::of_time(limit), ..World::default() }
    }

    pub(crate) fn is_asked(&self, policy: &CompiledPolicy) -> bool {
        match self.context.stage {
            Stage::Mutate => policy.mutates(),
            _ => self.is_asked_for(&policy.spec) && self.is_wanted(&policy.name),
        }
    }

    /// Whether findings of the policy whose object has this name are wanted.
    pub(crate) fn is_wanted(&self, name: &str) -> bool {
        self.only.is_none_or(|only| only(name))
    }

    /// Whether this stage validates policies that are written so.
    pub(crate) fn is_asked_for(&self, spec: &PolicySpec) -> bool {
        match self.context.stage {
            Stage::Mutate => false,
            Stage::ValidateFail => Group::of(spec) == Group::Fail,
            Stage::ValidateIgnore => Group::of(spec) == Group::Ignore,
            Stage::Validate | Stage::Whole => true,
        }
    }
}

/// Keys that an answer is missing for; collected so that the host is asked once, not key by key.
pub(crate) type Missing = BTreeSet<FactKey>;

/// Decides one request.
pub fn decide<'a>(
    arena: &'a Bump,
    request: &Request<'a>,
    set: &PolicySet,
    facts: &'a Facts,
    context: &Context,
) -> Outcome {
    ask(arena, request, set, facts, context, None)
}

/// As [`decide`], with the findings of those policies alone whose objects' names `only` holds for: what they find is
/// what they find among all. Policies that mutate do so in any case.
pub fn decide_some<'a>(
    arena: &'a Bump,
    request: &Request<'a>,
    set: &PolicySet,
    facts: &'a Facts,
    context: &Context,
    only: &dyn Fn(&str) -> bool,
) -> Outcome {
    ask(arena, request, set, facts, context, Some(only))
}

/// Policies have asked for everything by then, also where the answer of a provider decides what is asked next.
const MAX_ROUNDS: usize = 17;

/// Decides about an object that no API server has sent, with a host that answers at once. `only`: as for
/// [`decide_some`].
///
/// # Errors
/// If the object cannot be made into a request, or the engine keeps asking: what is wrong, in words.
pub fn decide_at_once(
    object: crate::request::ObjectRequest<'_>,
    set: &PolicySet,
    context: &Context,
    only: Option<&dyn Fn(&str) -> bool>,
    answer: &dyn Fn(Vec<FactKey>, &mut Facts),
) -> Result<Decision, String> {
    let bump = Bump::new();
    let request = Request::for_object(&&bump, object)?;
    settle(&bump, &request, set, context, only, answer)
}

/// As [`decide_at_once`], for a request.
///
/// # Errors
/// If the engine keeps asking.
pub fn settle(
    bump: &Bump,
    request: &Request<'_>,
    set: &PolicySet,
    context: &Context,
    only: Option<&dyn Fn(&str) -> bool>,
    answer: &dyn Fn(Vec<FactKey>, &mut Facts),
) -> Result<Decision, String> {
    let mut facts = Facts::new();
    for _ in 0..MAX_ROUNDS {
        match ask(bump, request, set, &facts, context, only) {
            Outcome::Decided(decision) => return Ok(*decision),
            Outcome::NeedsFacts(keys) => answer(keys, &mut facts),
        }
    }
    Err("the engine kept asking for facts; this is a bug".to_owned())
}

fn ask<'a>(
    arena: &'a Bump,
    request: &Request<'a>,
    set: &PolicySet,
    facts: &'a Facts,
    context: &Context,
    only: Option<&dyn Fn(&str) -> bool>,
) -> Outcome {
    let before = request.old_object;
    reach(&Case { arena, request, before, set, facts, context, started: Instant::now(), witness: None, only })
}

/// Decides one request as [`decide`] does, and tells how; nothing is told as long as facts are missing. What is
/// remembered of other requests is not used.
pub fn explain<'a>(
    arena: &'a Bump,
    request: &Request<'a>,
    set: &PolicySet,
    facts: &'a Facts,
    context: &Context,
) -> (Outcome, Story) {
    let (before, witness) = (request.old_object, Witness::default());
    let started = Instant::now();
    let case =
        Case { arena, request, before, set, facts, context, started, witness: Some(&witness), only: None };
    let outcome = reach(&case);
    let case = Case { witness: None, ..case };
    match outcome {
        Outcome::Decided(decision) => {
            let story = witness.tell(&case, &decision);
            (Outcome::Decided(decision), story)
        }
        Outcome::NeedsFacts(keys) => (Outcome::NeedsFacts(keys), Story::default()),
    }
}

fn reach(case: &Case<'_, '_>) -> Outcome {
    if let Some(reason) = never::never_judged(case) {
        return Outcome::Decided(Box::new(verdict::untouched(case, reason)));
    }
    let mut missing = Missing::new();
    let decided = verdict::reach(case, &mut missing);
    if missing.is_empty() {
        Outcome::Decided(Box::new(decided))
    } else {
        Outcome::NeedsFacts(missing.into_iter().collect())
    }
}
