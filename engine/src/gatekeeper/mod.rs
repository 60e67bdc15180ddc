//! Gatekeeper's objects, unchanged, in the engine's own form.
//!
//! ```text
//! ConstraintTemplate ─► modules, schema ─┐
//! constraint ─► match, action, parameters ┴► a compiled policy          Config, SyncSet … ─► settings
//! ```
//! The reference is Gatekeeper's documentation; where it is silent, what version 3.23 does. Decided like every other
//! policy: one index, one evaluator, one decision, the same exceptions.

mod constraint;
mod load;
mod matching;
mod object;
mod review;
mod schema;
mod settings;
mod suite;
mod template;

pub use constraint::Constraint;
pub(crate) use load::load;
pub(crate) use matching::{Candidate, is_namespace};
pub use matching::{Kinds, Match, Source};
pub use object::{Given, Place, is_gatekeeper};
pub(crate) use review::{generated, original};
pub use suite::request;
pub use template::Template;

use crate::policy::metadata::InventoryKind;
use crate::request::Origin;
use settings::{Exclusion, Process};

/// What holds for all constraints and mutators of a set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The kinds in `data.inventory`.
    pub(crate) inventory: Vec<InventoryKind>,
    exclusions: Vec<Exclusion>,
}

impl Settings {
    /// The kinds that `Config` and `SyncSet` keep in `data.inventory`.
    pub fn inventory(&self) -> &[InventoryKind] {
        &self.inventory
    }

    /// Whether constraints leave objects of that namespace alone.
    pub(crate) fn excludes(&self, origin: Origin, namespace: &str) -> bool {
        let process = if origin == Origin::Audit { Process::Audit } else { Process::Webhook };
        !namespace.is_empty() && self.exclusions.iter().any(|rule| rule.covers(process, namespace))
    }

    /// Whether the inventory has no objects of that namespace.
    pub(crate) fn leaves_out(&self, namespace: &str) -> bool {
        self.exclusions.iter().any(|rule| rule.covers(Process::Sync, namespace))
    }
}

/// Reads a template by itself, for who makes its CRD.
///
/// # Errors
/// What is wrong with it, with its place.
pub fn template_of(given: &Given) -> Result<Template, crate::rego::LoadError> {
    template::read(given).map_err(|problem| given.error(&problem))
}
