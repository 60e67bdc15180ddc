//! What is wrong with a document, and where.

use std::fmt;

/// Where something stands in a text. Line and column are 1-based, in characters; a text block counts from its last
/// line, so that its column may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The line.
    pub line: i64,
    /// The column.
    pub column: i64,
    /// The text.
    pub source: Source,
}

impl Position {
    /// The place of what has none: trees that were not made from text.
    pub(crate) const UNKNOWN: Self = Self { line: -1, column: -1, source: Source::Given };
}

/// Which text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Source {
    /// What was given.
    #[default]
    Given,
    /// What every schema begins with.
    Prelude,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub message: String,
    /// Where, if that is known.
    pub position: Option<Position>,
}

impl Problem {
    pub(crate) fn at(position: Option<Position>, message: impl Into<String>) -> Self {
        Self { message: message.into(), position: Some(position.unwrap_or(Position::UNKNOWN)) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(Position { line, column, source }) => {
                let file = if source == Source::Prelude { "prelude.graphql" } else { "input" };
                write!(out, "{file}:{line}:{column}: {}", self.message)
            }
            None => write!(out, "input: {}", self.message),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The document is wrong.
    Problem(Problem),
    /// It may be right, but more than is read here.
    TooLarge(&'static str),
    /// The host's limit was reached.
    Exhausted,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
