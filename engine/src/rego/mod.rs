//! Rego, behind one door: modules in, a checked [`Program`] out, rules evaluated on our own values.
//!
//! regorus parses and, until the compiled evaluator takes over (decision 0002), interprets. What its
//! interpreter is known to answer differently from OPA is refused at load by [`check`], with file, line and
//! caret, rather than answered wrongly.

#[allow(dead_code, reason = "the compiler and machine that use it are being written against it")]
mod builtins;
mod check;
mod convert;
mod error;
#[allow(dead_code, reason = "the compiler and machine that use it are being written against it")]
mod number;
mod run;
mod source;
pub mod syntax;
#[allow(dead_code, reason = "the compiler and machine that use it are being written against it")]
mod text;

pub use error::{EvaluationError, LoadError};
pub use run::{CompileOptions, Input, Program};
pub use source::Module;
