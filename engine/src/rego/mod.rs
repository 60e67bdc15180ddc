//! Rego, behind one door: modules in, a checked [`Program`] out, rules evaluated on our own values.
//!
//! ```text
//! text ─► syntax (tree) ─► front (names, order) ─► compile (code) ─► machine (values)
//! ```
//! Parser, compiler and machine are our own (decision 0008): OPA 1.22 is the language's definition, and whatever
//! would be answered differently is refused at load, with file, line and caret. Nothing reads the clock, the network
//! or the environment.

mod builtins;
mod compile;
mod crypto;
mod error;
mod footprint;
pub mod format;
mod front;
mod machine;
mod marks;
mod number;
mod observe;
mod pattern;
mod place;
mod program;
pub mod syntax;
mod text;
mod time;
pub mod trace;
mod types;

pub(crate) use builtins::encoding::from_base64_standard;
pub(crate) use crypto::pem::decode as decode_pem;
pub use error::{At, EvaluationError, LoadError};
pub(crate) use footprint::digest;
pub use footprint::{Footprint, Purpose};
pub use machine::Limits;
pub use marks::{Mark, Marked};
pub use observe::{Observer, Printed};
pub use place::Place;
pub use program::{CompileOptions, Entry, Module, Program, Solution, Spent, World, spent};

/// Whether the language has a function of that name, with dots; one that Rego v1 has no more does not count.
pub(crate) fn is_function(name: &str) -> bool {
    builtins::find(name).is_some_and(|builtin| !builtin.deprecated)
}
