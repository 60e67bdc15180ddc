//! Gatekeeper's objects, unchanged, in the engine's own form.
//!
//! ```text
//! ConstraintTemplate ─► modules, schema ─┐
//! constraint ─► match, action, parameters ┴► a compiled policy
//! Config, SyncSet, mutators, ExpansionTemplate, Provider ─► settings of the set
//! ```
//! The reference is Gatekeeper's documentation; where it is silent, what version 3.23 does. Decided like every other
//! policy: one index, one evaluator, one decision, the same exceptions.

mod constraint;
mod expansion;
pub mod external;
mod import;
mod load;
mod matching;
mod mutation;
mod object;
mod provider;
mod registration;
mod review;
mod schema;
mod settings;
mod suite;
mod template;

pub use constraint::Constraint;
pub use expansion::Expansion;
pub(crate) use expansion::{expand, kind_in};
pub use import::{Imported, Remark, import};
pub(crate) use load::load;
pub(crate) use matching::{Candidate, is_namespace};
pub use matching::{Kinds, Match, Source};
pub use mutation::{ApplyTo, Mutator};
pub use object::{Given, Place, is_gatekeeper};
pub use provider::Provider;
pub use registration::KindRule;
pub(crate) use review::{generated, original};
pub use suite::request;
pub use template::Template;

use crate::policy::metadata::InventoryKind;
use crate::request::{GroupVersionKind, Origin};
pub(crate) use mutation::{Mutators, Outside, Resolved, resolve, without_answers};
use settings::{Exclusion, Process};

/// What holds for all constraints and mutators of a set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The kinds in `data.inventory`.
    pub(crate) inventory: Vec<InventoryKind>,
    exclusions: Vec<Exclusion>,
    pub(crate) mutators: Mutators,
    pub(crate) expansions: Vec<Expansion>,
    providers: provider::Providers,
}

impl Settings {
    /// The kinds that `Config` and `SyncSet` keep in `data.inventory`.
    pub fn inventory(&self) -> &[InventoryKind] {
        &self.inventory
    }

    /// The provider of that name.
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.get(name)
    }

    /// All providers, by name.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.providers.values()
    }

    /// Whether constraints leave objects of that namespace alone.
    pub(crate) fn excludes(&self, origin: Origin, namespace: &str) -> bool {
        let process = if origin == Origin::Audit { Process::Audit } else { Process::Webhook };
        !namespace.is_empty() && self.exclusions.iter().any(|rule| rule.covers(process, namespace))
    }

    /// The mutators that are in effect.
    pub fn mutators(&self) -> impl Iterator<Item = &Mutator> {
        self.mutators.iter()
    }

    /// The expansions.
    pub fn expansions(&self) -> &[Expansion] {
        &self.expansions
    }

    /// Whether mutators leave objects of that namespace alone.
    pub(crate) fn leaves_unchanged(&self, namespace: &str) -> bool {
        self.exclusions.iter().any(|rule| rule.covers(Process::Mutation, namespace))
    }

    /// Kinds whose objects expand to something that fits, as (group, kind).
    pub fn bases_of<'s>(
        &'s self,
        fits: &'s dyn Fn(GroupVersionKind<'_>) -> bool,
    ) -> impl Iterator<Item = (&'s str, &'s str)> {
        let leading = self.expansions.iter().filter(|from| expansion::leads_to(&self.expansions, from, fits));
        leading.flat_map(Expansion::bases)
    }

    /// Namespaces that constraints leave alone at admission, by name or pattern.
    pub(crate) fn excluded_at_admission(&self) -> Vec<String> {
        let rules = self.exclusions.iter().filter(|rule| rule.concerns(Process::Webhook));
        rules.flat_map(|rule| rule.excluded_namespaces.iter().cloned()).collect()
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
