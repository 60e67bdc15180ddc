//! Which policies judge which requests: the vocabulary ([`spec`]), its evaluation, and the index that keeps
//! policies that cannot match from being looked at.

pub mod index;
mod rules;
mod selector;
pub mod spec;
mod wildcard;

pub(crate) use rules::{Matched, Target, rule_matches};
pub use rules::{Matcher, Mismatch, NamespaceView};
pub use selector::selects;
pub use wildcard::wildcard_matches;
