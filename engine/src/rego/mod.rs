//! Rego, behind one door: modules in, a checked [`Program`] out, rules evaluated on our own values.
//!
//! regorus parses and, until the compiled evaluator takes over (decision 0002), interprets. What its
//! interpreter is known to answer differently from OPA is refused at load by [`check`], with file, line and
//! caret, rather than answered wrongly.

#[allow(dead_code, reason = "the compiler and machine that use it are being written against it")]
mod builtins;
mod check;
mod compile;
mod convert;
#[allow(dead_code, reason = "the compiler and machine that use it are being written against it")]
mod crypto;
mod error;
mod front;
mod machine;
#[allow(dead_code, reason = "the compiler and machine that use it are being written against it")]
mod number;
mod observe;
#[allow(dead_code, reason = "the compiler and machine that use it are being written against it")]
mod pattern;
mod place;
mod program;
mod run;
mod source;
pub mod syntax;
#[allow(dead_code, reason = "the compiler and machine that use it are being written against it")]
mod text;
#[allow(dead_code, reason = "the compiler and machine that use it are being written against it")]
mod time;
mod types;

pub use error::{At, EvaluationError, LoadError};
pub use run::{CompileOptions, Input, Program};
pub use source::Module;

/// Our own compiler and machine, which take over from the interpreter once all builtins are there.
pub mod compiled {
    pub use super::machine::Limits;
    pub use super::observe::{Observer, Printed};
    pub use super::place::Place;
    pub use super::program::{Entry, Program, Solution, World};
}
