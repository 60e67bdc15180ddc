//! Reading Rego: text in, a syntax tree with places out, or everything that is wrong with it.

pub mod tree;

/// How deep a tree may be: brackets, bodies, and chains such as `a + b + c` count. Everything that walks a tree may
/// rely on it and recurse.
pub const MAX_DEPTH: usize = 256;
