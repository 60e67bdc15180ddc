//! Which parts of the input a program can read: found once from its code, so that two inputs that agree in these
//! parts need only one evaluation.
//!
//! The code is run on traces instead of values: where in the input a value can come from, and what it was made of.
//! What is not understood counts as read in whole.

mod analysis;
pub(crate) mod digest;
mod parts;

pub(crate) use parts::Parts;

use super::compile::code::{Compiled, RuleId};
use analysis::Analysis;

/// What is asked of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Whether it has any element: what messages say does not count, only whether there is one.
    Emptiness,
    /// Everything.
    Whole,
}

/// What an evaluation of some rules can read.
#[derive(Clone, Debug, Default)]
pub struct Footprint {
    /// Of the input.
    pub(crate) parts: Parts,
    /// Time or chance: no two evaluations are the same.
    pub(crate) nondeterministic: bool,
}

impl Footprint {
    /// Whether two evaluations with equal parts have the same answer.
    pub fn is_repeatable(&self) -> bool {
        !self.nondeterministic
    }

    /// Whether the object under review counts as read in whole, so that no two of them agree.
    pub fn is_everything(&self) -> bool {
        self.parts.is_whole_at(&["review", "object"])
    }

    /// Whether anything at or below a path of the input is read.
    pub fn reads(&self, path: &[&str]) -> bool {
        self.parts.reads(path)
    }

    /// Adds what another reads.
    pub fn add(&mut self, other: &Footprint) {
        self.parts.add(&other.parts);
        self.nondeterministic |= other.nondeterministic;
    }

    /// Hashes the parts of an input that are read, so that inputs with equal hashes have equal answers.
    pub(crate) fn write<'a>(&self, input: crate::value::Value<'a>, out: &mut digest::Digest<'_, 'a>) {
        self.parts.write(Some(input), out);
    }
}

/// What rules read.
pub(super) fn of_rules(code: &Compiled<'_>, rules: &[RuleId], purpose: Purpose) -> Footprint {
    let mut analysis = Analysis::new(code);
    rules.iter().for_each(|rule| analysis.entry(*rule, purpose));
    analysis.finish()
}
