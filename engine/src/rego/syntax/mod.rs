//! Reading Rego: text in, a syntax tree with places out, or everything that is wrong with it.
//!
//! All that OPA 1.22 reads is read, as Rego v0 or v1, with the same choices where the grammar is ambiguous. What OPA
//! rejects is rejected, in our own words. No text makes the parser recurse, repeat itself or grow without bounds.

pub mod canonical;
mod lexer;
mod parser;
#[cfg(test)]
mod robustness_tests;
mod token;
pub mod tree;

use tree::{Body, Module, Span, Version};

/// How deep a tree may be: brackets, bodies, and chains such as `a + b + c` count. Everything that walks a tree may
/// rely on it and recurse.
pub const MAX_DEPTH: usize = 160;

/// The bytes of the longest file that is read. No policy of a person is larger.
pub const MAX_BYTES: usize = 1024 * 1024;

/// One thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub span: Span,
    /// What, and what would work.
    pub message: String,
}

/// Reads a file. `version` is [`Version::V0`] or [`Version::V1`]; imports in the file may raise it.
///
/// # Errors
/// All that is wrong with the text, in the order of their places; never empty.
pub fn parse_module(text: &str, version: Version) -> Result<Module, Vec<SyntaxError>> {
    parser::module(text, version)
}

/// Reads a query, such as `data.a.b` or `x := input.y; x > 1`.
///
/// # Errors
/// All that is wrong with the text, in the order of their places; never empty.
pub fn parse_query(text: &str, version: Version) -> Result<Body, Vec<SyntaxError>> {
    parser::query(text, version)
}
