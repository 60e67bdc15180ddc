//! Why Rego cannot be loaded or evaluated, for the person who wrote it.

use super::builtins::Limit;
use super::machine::{Cause, Failure, Limits};
use crate::facts::FactKey;
use std::fmt;

/// One problem in a policy's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The file, or what stands for one.
    pub file: String,
    /// 1-based line; 0 if the problem has no place.
    pub line: u32,
    /// 1-based column.
    pub column: u32,
    /// What is wrong and what would work.
    pub message: String,
    /// The source line, if there is one.
    pub excerpt: String,
}

impl LoadError {
    /// A problem of a whole file.
    pub fn whole(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0, message: message.into(), excerpt: String::new() }
    }

    /// A problem at a place of `text`.
    pub fn at(file: &str, text: &str, line: u32, column: u32, message: impl Into<String>) -> Self {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let excerpt = text.lines().nth(index).unwrap_or_default();
        Self {
            file: file.to_owned(),
            line,
            column,
            message: message.into(),
            // A line of a megabyte is somebody's attack, not a help.
            excerpt: excerpt.chars().take(160).collect(),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return write!(out, "{}: {}", self.file, self.message);
        }
        write!(out, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        if !self.excerpt.is_empty() {
            let gutter = self.line.to_string();
            let column = usize::try_from(self.column.saturating_sub(1)).unwrap_or_default();
            // A tab counts as one column in positions; keep it in the padding so that the caret lines up.
            let padding: String =
                self.excerpt.chars().take(column).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            write!(out, "\n {gutter} | {}\n {} | {padding}^", self.excerpt, " ".repeat(gutter.len()))?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

/// Why an evaluation has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// The time limit was reached.
    #[error("evaluation took longer than its limit of {limit_ms} ms{at}")]
    Timeout {
        /// The limit, in milliseconds.
        limit_ms: u128,
        /// Where it was.
        at: At,
    },
    /// The limit of steps was reached.
    #[error("evaluation took more than its limit of {limit} steps{at}")]
    TooManySteps {
        /// The limit.
        limit: u64,
        /// Where it was.
        at: At,
    },
    /// The limit of memory was reached.
    #[error("evaluation took more memory than its limit of {limit} bytes{at}")]
    TooMuchMemory {
        /// The limit, in bytes.
        limit: usize,
        /// Where it was.
        at: At,
    },
    /// Too many rules wait for each other.
    #[error("evaluation is nested too deep{at}")]
    TooDeep {
        /// Where it was.
        at: At,
    },
    /// A rule conflict, or a builtin that failed in strict mode.
    #[error("{message}{at}")]
    Failed {
        /// What failed.
        message: String,
        /// Where.
        at: At,
    },
    /// Providers must be asked first, for these; then it is evaluated again.
    #[error("the answers of providers are not known yet")]
    Wanting(Vec<FactKey>),
    /// What is needed cannot be found out here.
    #[error("{0}")]
    OutOfReach(String),
    /// The evaluator itself gave up; reported as a bug, answered by the policy's `onError`.
    #[error("the evaluator failed unexpectedly")]
    Panicked,
}

/// The line of a policy that an error is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// The file; empty if it is not known.
    pub file: String,
    /// 1-based.
    pub line: u32,
}

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file.is_empty() {
            return Ok(());
        }
        write!(out, " ({}:{})", self.file, self.line)
    }
}

impl EvaluationError {
    /// The words for what ended the machine.
    pub(super) fn of(failure: &Failure, limits: &Limits, files: &[String]) -> Self {
        let place = failure.place.unwrap_or_default();
        let file = failure.place.and_then(|place| files.get(usize::from(place.file)));
        let at = At { file: file.cloned().unwrap_or_default(), line: place.line };
        match &failure.cause {
            Cause::Limit(Limit::Deadline) => Self::Timeout { limit_ms: limits.time.as_millis(), at },
            Cause::Limit(Limit::Steps) => Self::TooManySteps { limit: limits.steps, at },
            Cause::Limit(Limit::Memory) => Self::TooMuchMemory { limit: limits.memory, at },
            Cause::Depth => Self::TooDeep { at },
            Cause::Wanting(keys) => Self::Wanting(keys.clone()),
            Cause::OutOfReach(reason) => Self::OutOfReach(reason.clone()),
            Cause::Conflict(message) | Cause::Builtin(message) => {
                Self::Failed { message: message.clone(), at }
            }
        }
    }
}
