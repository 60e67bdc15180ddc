//! Gatekeeper's mutators as our mutation.

mod apply;
mod external;
mod image;
mod location;
mod mutator;
mod system;
#[cfg(test)]
mod tests;

pub(crate) use external::{Outside, Resolved, resolve, without_answers};
pub(crate) use mutator::read;
pub use mutator::{ApplyTo, Mutator};
pub(crate) use system::Mutators;
