//! Conflicts that OPA does not come to.
//!
//! OPA gives each value of a rule to the body that asks as soon as it has it, and looks for another only afterwards.
//! Where that body belongs to a rule of which one success is enough, and it holds with the first value, the rest is
//! not looked at, and so no conflict is found. Iterations over collections are gone through all the same; those by
//! way of a builtin that gives several values (`walk`) are not (`topdown/eval.go`: `deferredEarlyExitError`, which
//! `evalBuiltin` does not keep back). The machine has a rule's value before it goes on; so the conflict is kept
//! aside, and told unless the body holds with the first value.

use super::{Cause, Failure, Machine};
use crate::rego::builtins::Body;
use crate::rego::compile::code::{ClauseCode, Code, RuleId, Step, X};
use crate::rego::place::Place;
use crate::value::Value;

/// What a rule gave first, before another value that may not count.
#[derive(Clone, Debug)]
pub(super) struct Doubt<'a> {
    of: RuleId,
    args: Vec<Value<'a>>,
    value: Value<'a>,
    /// How many `with`s it was asked within.
    within: usize,
}

impl<'a> Machine<'a, '_> {
    /// Keeps a conflict of a clause's results aside, if OPA might not come to it.
    #[cold]
    pub(super) fn put_aside(&mut self, clause: &ClauseCode<'_>, text: &str, place: Place) -> bool {
        let is_doubtful = has_only_relations(&clause.code);
        if is_doubtful {
            let cause = Cause::Conflict(text.to_owned());
            self.aside.get_or_insert_with(|| Box::new(Failure { cause, place: Some(place) }));
        }
        is_doubtful
    }

    /// A rule's value after all its clauses: with a conflict put aside, it is the evaluation's failure, and who asked
    /// may take it back by [`Self::regardless`].
    #[inline]
    pub(super) fn doubted(
        &mut self,
        of: RuleId,
        args: &[Value<'a>],
        value: Option<Value<'a>>,
    ) -> Option<Value<'a>> {
        if self.aside.is_none() { value } else { self.doubt(of, args, value) }
    }

    #[cold]
    fn doubt(&mut self, of: RuleId, args: &[Value<'a>], value: Option<Value<'a>>) -> Option<Value<'a>> {
        let failure = self.aside.take();
        if self.failure.is_none() {
            let within = self.saved.len();
            self.doubt = value.map(|value| Doubt { of, args: args.to_vec(), value, within });
            self.failure = failure;
        }
        None
    }

    /// What a function gave first for these arguments, where it was settled that this counts.
    #[cold]
    pub(super) fn settled(&self, id: RuleId, args: &[Value<'a>]) -> Option<Value<'a>> {
        let within = self.saved.len();
        let known = self.settled.iter().find(|it| it.of == id && it.within == within && it.args == args)?;
        Some(known.value)
    }

    /// A step that asks a rule has failed: where one success is enough and only a doubt was in the way, takes the
    /// step again with the rule's first value. True: the body has held so, and the failure is forgotten.
    #[cold]
    pub(super) fn regardless(&mut self, code: &'a Code<'a>, at: usize) -> bool {
        let Some(doubt) = self.doubt.take() else { return false };
        let Some(failure) = self.failure.take() else { return false };
        self.know_complete(doubt.of, doubt.value);
        self.settled.push(doubt);
        if self.run(code, at, true) && self.failure.is_none() {
            return true;
        }
        self.failure.get_or_insert(failure);
        false
    }
}

/// Whether what a body goes through is given by builtins alone.
fn has_only_relations(code: &Code<'_>) -> bool {
    let is_relation =
        |x: &X<'_>| matches!(x, X::Builtin(builtin, _) if matches!(builtin.body, Body::Relation(_)));
    let given: Vec<u32> = code
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Bind(slot, x) if is_relation(x) => Some(*slot),
            _ => None,
        })
        .collect();
    let mut iterations = 0;
    for step in &code.steps {
        match step {
            Step::Each { over: X::Slot(slot), .. } if given.contains(slot) => iterations += 1,
            Step::Each { .. } | Step::Tree { .. } => return false,
            _ => {}
        }
    }
    iterations > 0
}
