//! Text as OPA makes it: Go's `fmt` verbs, Go's quoting, and terms written the way `%v` shows them.

#![allow(clippy::format_push_string, reason = "shorter than writing, and on no path that is hot")]

pub(super) mod case;
mod float;
mod format;
mod parse;
mod print;
pub(super) mod quote;
mod term;

pub(super) use float::go_float;
pub(super) use format::Format;
pub(super) use term::write_term;
