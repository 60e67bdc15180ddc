//! Patterns: Go's regular expressions and gobwas's globs, both compiled to one engine.

#![allow(clippy::format_push_string, reason = "shorter than writing, and on no path that is hot")]

mod class;
mod glob;
mod intersect;
mod regular;
mod translate;

pub(super) use glob::{Glob, quote_meta};
pub(super) use intersect::{IntersectError, intersect};
pub(super) use regular::{PatternError, Regular};
pub(super) use translate::translate;
