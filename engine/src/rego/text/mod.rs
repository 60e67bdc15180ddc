//! Text as OPA makes it: Go's `fmt` verbs, Go's quoting, and terms written the way `%v` shows them.

pub(super) mod bytes;
pub(super) mod case;
mod float;
mod format;
mod parse;
mod print;
pub(super) mod quote;
mod term;

pub(super) use format::Format;
pub(super) use term::write_term;
