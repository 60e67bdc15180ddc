//! What surrounds one call: memory, clock, chance, limits, and why a call has no answer.

use super::caches::Caches;
use crate::facts::{FactKey, Facts};
use crate::value::{Arena, Number, Value};
use bumpalo::Bump;
use std::borrow::Cow;

/// Why a call has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rego) enum BuiltinError {
    /// An operand is of a type or value that the function does not take (OPA's `eval_type_error`).
    Operand(Operand),
    /// The function failed on values of the right types (OPA's `eval_builtin_error`), with the reason.
    Failed(Cow<'static, str>),
    /// A limit of the evaluation is reached: ends it whatever the strictness.
    Limit(Limit),
    /// The evaluation must end with this error whatever the strictness, as OPA's `Halt`.
    Halt(Cow<'static, str>),
    /// Nobody has told this yet: whatever hangs on the call is not known.
    Wanting(Box<FactKey>),
    /// Who evaluates cannot find it out; why.
    OutOfReach(String),
}

/// What is wrong with an operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rego) enum Operand {
    /// It is of another type.
    Type {
        /// 1-based.
        position: usize,
        /// What it must be: one type name, or several.
        expected: &'static [&'static str],
        /// What it is.
        got: &'static str,
    },
    /// In words that name no operand.
    Plain(&'static str),
    /// Anything else, in words that follow "operand N".
    Other {
        /// 1-based.
        position: usize,
        /// Such as `must be integer number but got floating-point number`.
        problem: Cow<'static, str>,
    },
}

/// The limits that can end an evaluation inside a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rego) enum Limit {
    /// Time.
    Deadline,
    /// Steps.
    Steps,
    /// Memory.
    Memory,
}

impl BuiltinError {
    /// A failure with a reason that is made at run time.
    pub(in crate::rego) fn failed(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Failed(reason.into())
    }

    /// An operand's problem in words that follow "operand N".
    pub(in crate::rego) fn operand(position: usize, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Operand(Operand::Other { position, problem: problem.into() })
    }

    /// An operand of the wrong type.
    pub(in crate::rego) fn expected(
        position: usize,
        expected: &'static [&'static str],
        got: Value<'_>,
    ) -> Self {
        Self::Operand(Operand::Type { position, expected, got: got.type_name() })
    }
}

impl std::fmt::Display for BuiltinError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Operand(Operand::Type { position, expected: [one], got }) => {
                write!(out, "operand {position} must be {one} but got {got}")
            }
            Self::Operand(Operand::Type { position, expected, got }) => {
                write!(out, "operand {position} must be one of {{{}}} but got {got}", expected.join(", "))
            }
            Self::Operand(Operand::Plain(problem)) => out.write_str(problem),
            Self::Operand(Operand::Other { position, problem }) => {
                write!(out, "operand {position} {problem}")
            }
            Self::Failed(reason) | Self::Halt(reason) => out.write_str(reason),
            Self::OutOfReach(reason) => out.write_str(reason),
            Self::Wanting(_) => out.write_str("the answer of a provider is not known yet"),
            Self::Limit(Limit::Deadline) => out.write_str("evaluation took longer than its limit"),
            Self::Limit(Limit::Steps) => out.write_str("evaluation took more steps than its limit"),
            Self::Limit(Limit::Memory) => out.write_str("evaluation took more memory than its limit"),
        }
    }
}

/// The evaluation's limits, as builtins see them.
pub(in crate::rego) trait Meter {
    /// Counts work; one step is about what one expression costs (some 20 ns, or 64 bytes looked at).
    ///
    /// # Errors
    /// When a limit is reached.
    fn spend(&mut self, steps: u64) -> Result<(), Limit>;

    /// Asks for memory before it is taken, in bytes.
    ///
    /// # Errors
    /// When a limit is reached.
    fn claim(&mut self, bytes: usize) -> Result<(), Limit>;
}

/// What surrounds one call.
pub(in crate::rego) struct Call<'a, 'c> {
    /// Where results live.
    pub(in crate::rego) arena: &'a Bump,
    /// The evaluation's one instant: nanoseconds since 1970, the same for every call.
    pub(in crate::rego) now_ns: i64,
    /// The evaluation's seed: what `rand.intn` and `uuid.rfc4122` draw from.
    pub(in crate::rego) seed: u64,
    /// The limits.
    pub(in crate::rego) meter: &'c mut dyn Meter,
    /// What is made once and used again: compiled patterns.
    pub(in crate::rego) caches: &'c mut Caches,
    /// What providers have said; `None`: there are no providers to ask.
    pub(in crate::rego) facts: Option<&'a Facts>,
}

impl<'a> Call<'a, '_> {
    /// Counts work; to be called in loops whose length a policy or an input decides.
    ///
    /// # Errors
    /// When a limit of the evaluation is reached.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), BuiltinError> {
        self.meter.spend(u64::try_from(steps).unwrap_or(u64::MAX)).map_err(BuiltinError::Limit)
    }

    /// Asks for memory before a result larger than its arguments is made.
    ///
    /// # Errors
    /// When a limit of the evaluation is reached.
    pub(super) fn claim(&mut self, bytes: usize) -> Result<(), BuiltinError> {
        self.meter.claim(bytes).map_err(BuiltinError::Limit)
    }

    /// A string result.
    pub(super) fn text(&self, text: &str) -> Value<'a> {
        Value::String(self.arena.text(text))
    }

    /// An array result.
    pub(super) fn array(&self, items: &[Value<'a>]) -> Value<'a> {
        Value::Array(self.arena.array(items))
    }

    /// A set result, of items in any order.
    pub(super) fn set(&self, items: Vec<Value<'a>>) -> Value<'a> {
        Value::set(&self.arena, items)
    }

    /// An integer result.
    pub(super) fn count(&self, count: usize) -> Value<'a> {
        match i64::try_from(count) {
            Ok(count) => Value::int(count),
            Err(_) => Value::Number(Number::Text(self.arena.text(&count.to_string()))),
        }
    }
}
