//! How much is read, and who counts the work.

use crate::problem::Failure;

/// The longest text that is read, in bytes.
pub const MAX_LENGTH: usize = 1 << 20;

/// How deep selections, lists, objects and types may nest. Each level of a tree is up to three levels of JSON.
pub const MAX_NESTING: usize = 80;

/// How deep the walk through a query may go, fragments within fragments included.
pub(crate) const MAX_WALK: usize = 400;

/// The most that all problems of one query may be described with, in bytes.
pub(crate) const MAX_WORDS: usize = 1 << 20;

/// No more work may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

impl From<Exhausted> for Failure {
    fn from(_: Exhausted) -> Self {
        Self::Exhausted
    }
}

/// What the caller lends: a meter for the work, and its way of quoting.
pub trait Host {
    /// Counts work; one step is some 20 ns.
    ///
    /// # Errors
    /// When there has been enough.
    fn spend(&mut self, steps: usize) -> Result<(), Exhausted>;

    /// Text in double quotes, with escapes.
    fn quote(&self, text: &str) -> String;
}

/// A host without limits, for tests.
#[cfg(test)]
pub(crate) struct Free;

#[cfg(test)]
impl Host for Free {
    fn spend(&mut self, _: usize) -> Result<(), Exhausted> {
        Ok(())
    }

    fn quote(&self, text: &str) -> String {
        format!("{text:?}")
    }
}
