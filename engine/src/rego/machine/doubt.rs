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

/// A conflict that counts only if the body that asked does not hold with the first value.
#[derive(Debug)]
pub(super) struct Doubt<'a> {
    of: RuleId,
    value: Value<'a>,
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
    pub(super) fn doubted(&mut self, of: RuleId, value: Option<Value<'a>>) -> Option<Value<'a>> {
        match self.aside.take() {
            None => value,
            Some(failure) => {
                if self.failure.is_none() {
                    self.doubt = value.map(|value| Doubt { of, value });
                    self.failure = Some(failure);
                }
                None
            }
        }
    }

    /// A step that asks a rule has failed: where one success is enough and only a doubt was in the way, goes on with
    /// the rule's first value. True: the body has held so; the failure is forgotten then.
    #[cold]
    pub(super) fn regardless(&mut self, code: &'a Code<'a>, at: usize) -> bool {
        let Some(Doubt { of, value }) = self.doubt.take() else { return false };
        let Some(step) = code.steps.get(at) else { return false };
        let asks = |x: &X<'_>| match x {
            X::Rule(id) => *id == of,
            X::Call(id, args) => *id == of && !args.iter().any(|arg| matches!(arg, X::Call(..) | X::Builtin(..))),
            _ => false,
        };
        let Some(failure) = self.failure.take() else { return false };
        self.settle(of, value);
        let holds = match step {
            Step::Test(x) if asks(x) => value != Value::Bool(false),
            Step::Bind(slot, x) if asks(x) => {
                self.set(*slot, value);
                true
            }
            Step::Equal(left, right) if asks(left) => self.x(right) == Some(value),
            Step::Match(x, pattern) if asks(x) => self.matches(pattern, value),
            _ => false,
        };
        if holds && self.run(code, at + 1, true) && self.failure.is_none() {
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
    let mut iterations = 0;
    for step in &code.steps {
        match step {
            Step::Each { over, .. } if is_relation(over) => iterations += 1,
            Step::Each { .. } | Step::Tree { .. } => return false,
            _ => {}
        }
    }
    iterations > 0
}
