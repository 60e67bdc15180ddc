//! Time as Go knows it: layouts, calendar, durations; zones from a database in the binary, so that an answer
//! does not depend on the machine.

#![allow(clippy::format_push_string, reason = "shorter than writing, and on no path that is hot")]

mod calendar;
mod duration;
mod format;
mod layout;
mod parse;

pub(super) use calendar::{Civil, Zone};
pub(super) use duration::parse_duration;
pub(super) use format::format;
pub(super) use layout::named_layout;
pub(super) use parse::parse;
