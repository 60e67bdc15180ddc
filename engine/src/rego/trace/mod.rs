//! What an evaluation did, told as it went: which rules and functions were asked, how far each of their bodies came,
//! which values each expression saw, and where it failed.
//!
//! A program that is compiled with [`CompileOptions::traced`](super::CompileOptions) carries a mark before each
//! expression and binds each value that an expression is made of; nothing is moved, and clauses that the rule index
//! leaves out are gone through once more for the story only. The answer is the one that the program gives anyhow.

mod outline;
mod privacy;
mod recorder;
mod ways;
mod words;

pub(in crate::rego) use outline::Outline;
pub(in crate::rego) use recorder::{Follows, Recorder, Spot};
pub(in crate::rego) use words::Words;

use serde::Serialize;
use serde_json::Value as Json;
use std::sync::Arc;

/// A place in a policy, with what is written there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The path of the module.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// What is written there, on one line; what is long is cut.
    pub text: String,
}

/// A name with the value that it had.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// A variable, or the piece of an expression that gave the value.
    pub name: String,
    /// The value: shortened, and masked where findings would mask it.
    pub value: Json,
}

/// One evaluation of a rule or function.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleTrace {
    /// Its name; with its package where that is another than the policy's.
    pub rule: String,
    /// The arguments of a function.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Json>,
    /// What it gave; absent if it is undefined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
    /// The evaluation failed in it, or was given up.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Its bodies and their `else`s, as they were tried.
    pub clauses: Vec<ClauseTrace>,
}

/// What came of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It held: it gave something.
    Held,
    /// Something in it did not hold.
    Failed,
    /// The rule index had told that it could not hold; it was gone through for this story only.
    NotBegun,
    /// Nobody needed it: another one had given the answer.
    NotNeeded,
}

/// One body of a rule, or one `else`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClauseTrace {
    /// The head.
    pub at: Arc<Line>,
    /// What came of it.
    pub outcome: Outcome,
    /// The expressions that were come to, in the order of evaluation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<ExprTrace>,
    /// The expressions that nothing came to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_reached: Vec<Arc<Line>>,
}

/// One expression that was come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExprTrace {
    /// What is written.
    pub at: Arc<Line>,
    /// Whether it held.
    pub held: bool,
    /// Why not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The values that it saw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Seen>,
    /// The rules and functions that it asked and that were not known yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<RuleTrace>,
    /// What stands in braces, or behind `not`: once for each time that it was gone through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Way>,
    /// What follows, for each way in which the expression holds; empty if it holds in one way only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<Way>,
}

/// One way through a body: the variables as one member of a collection binds them, and what follows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Way {
    /// What was bound.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<Seen>,
    /// Whether all that follows holds.
    pub held: bool,
    /// So many more went the same way, and are not told.
    #[serde(skip_serializing_if = "is_zero")]
    pub alike: usize,
    /// What follows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<ExprTrace>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What was told of one question to a program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The rules that were asked for.
    pub rules: Vec<RuleTrace>,
    /// There was more than is kept.
    pub cut: bool,
}
