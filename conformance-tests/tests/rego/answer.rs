//! What an engine answers, and whether two answers are the same.

use std::cmp::Ordering;
use wayguard_engine::value::{Document, Value};

/// One answer.
#[derive(Debug)]
pub enum Answer {
    /// The value of the query, as JSON.
    Value(String),
    /// The query has no value.
    Undefined,
    /// The evaluation failed.
    Failed(String),
    /// The modules or the query are refused.
    Refused(String),
    /// The evaluation took too long: no basis for a comparison.
    TimedOut,
    /// OPA has a value that it cannot write as JSON, or has panicked.
    Unwritable,
}

/// How two answers stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same, or both refuse or fail.
    Equal,
    /// We refuse what OPA answers: allowed, and counted.
    Refused,
    /// Anything else.
    Different,
    /// One of both took too long, or OPA's answer cannot be written.
    Unknown,
}

impl Answer {
    /// Compares our answer with OPA's.
    pub fn verdict(&self, opa: &Answer) -> Verdict {
        match (self, opa) {
            (Answer::TimedOut, _) | (_, Answer::TimedOut | Answer::Unwritable) => Verdict::Unknown,
            (Answer::Value(ours), Answer::Value(theirs)) if same_json(ours, theirs) => Verdict::Equal,
            (Answer::Undefined, Answer::Undefined)
            | (Answer::Failed(_), Answer::Failed(_))
            | (Answer::Refused(_), Answer::Refused(_)) => Verdict::Equal,
            (Answer::Refused(_), _) => Verdict::Refused,
            _ => Verdict::Different,
        }
    }
}

/// Whether two JSON texts hold equal values; numbers are compared as numbers, exactly.
pub fn same_json(one: &str, other: &str) -> bool {
    one == other || with_both(one, other, |one, other| one.compare(other) == Ordering::Equal)
}

/// The same, where the order of the outermost array says nothing.
pub fn same_items(one: &str, other: &str) -> bool {
    with_both(one, other, |one, other| match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            let sorted = |items: &[Value<'_>]| {
                let mut texts: Vec<_> = items.iter().map(ToString::to_string).collect();
                texts.sort_unstable();
                texts
            };
            sorted(one) == sorted(other)
        }
        _ => one.compare(other) == Ordering::Equal,
    })
}

fn with_both(one: &str, other: &str, compare: impl Fn(Value<'_>, Value<'_>) -> bool) -> bool {
    let read = |text: &str| Document::from_json(text.as_bytes());
    match (read(one), read(other)) {
        (Ok(one), Ok(other)) => compare(one.value(), other.value()),
        _ => false,
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Answer::Value(text) => out.write_str(text),
            Answer::Undefined => out.write_str("undefined"),
            Answer::Failed(why) => write!(out, "fails: {why}"),
            Answer::Refused(why) => write!(out, "refuses: {why}"),
            Answer::TimedOut => out.write_str("takes too long"),
            Answer::Unwritable => out.write_str("no JSON, or a panic"),
        }
    }
}
