//! Rego as everybody writes it: the layout of `opa fmt` (OPA 1.22), byte for byte. It differs where that changes what is
//! said or cannot be read again: an `else := "a" if x == "b"` on one line, operands of the outermost
//! operator such as `(1 + 2) * 3`, constants in template strings.
//!
//! ```text
//! text ─► tree and comments ─► writer (lines that were one stay one, lists and comments keep their rows) ─► text
//! ```
//! Where a list breaks is taken from where its author broke it; what is written on a row is never pulled apart. A
//! comment in a place where it cannot be kept apart from the code around it leaves that piece as it was written.

mod expressions;
mod lists;
mod rules;
mod terms;
mod writer;

#[cfg(test)]
mod tests;

use super::syntax::tree::{Module, Version};
use super::syntax::{self, SyntaxError, canonical};
use std::fmt;

/// Why a text is not laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// It cannot be read; all that is wrong with it.
    Syntax(Vec<SyntaxError>),
    /// What was written does not read as what was read: a comment stands where there is no place for one, such as
    /// within an operator. The text is to be left as it is.
    Changed,
}

impl fmt::Display for FormatError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(problems) => {
                let texts: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
                out.write_str(&texts.join("; "))
            }
            Self::Changed => out.write_str(
                "it cannot be laid out, because a comment would be lost; put comments on lines of their own",
            ),
        }
    }
}

impl std::error::Error for FormatError {}

/// Lays out a file. Comments stay, the meaning stays, and what is laid out already stays as it is.
///
/// # Errors
/// If it cannot be read, or if what was written would read differently.
pub fn format(text: &str, version: Version) -> Result<String, FormatError> {
    let mut written = once(text, version)?;
    // A comment in an odd place may move another line, once.
    for _ in 0..MAX_PASSES {
        let again = once(&written, version)?;
        if again == written {
            return Ok(written);
        }
        written = again;
    }
    Err(FormatError::Changed)
}

/// More passes than any text needs.
const MAX_PASSES: usize = 16;

fn once(text: &str, version: Version) -> Result<String, FormatError> {
    let tree = syntax::parse_module(text, version).map_err(FormatError::Syntax)?;
    let written = rules::module(&tree, text);
    let same = syntax::parse_module(&written, version).is_ok_and(|again| same(&tree, &again));
    if same { Ok(written) } else { Err(FormatError::Changed) }
}

/// Whether two files say the same, comments included.
fn same(one: &Module, other: &Module) -> bool {
    let words = |tree: &Module| -> Vec<String> {
        let mut words: Vec<_> =
            tree.comments.iter().map(|comment| comment.text.trim_end().to_owned()).collect();
        words.sort();
        words
    };
    meaning(one) == meaning(other) && words(one) == words(other)
}

/// The canonical form with imports in order and without those that another one implies.
fn meaning(tree: &Module) -> String {
    let mut tree = tree.clone();
    let all = tree.clone();
    tree.imports.retain(|import| !rules::implied(&all, import));
    tree.imports.sort_by(rules::import_order);
    canonical::module(&tree)
}
