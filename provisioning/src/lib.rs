//! Self-service: from a claim or a labelled Namespace to the objects that make it, by Rego.
//!
//! ```text
//! classes (Rego, settings, limits) ─► catalog ─┐
//! claim or Namespace, what is there already ───┴► plan (pure) ─┬► `wayguard provision`: shown
//!                                                              └► controller (leader): applied, kept, pruned, told
//! ```
//! The plan is one function for the command line, for tests and for the controller. Rego says what should be there; what
//! it may say at all is checked here, and what it may do is the API server's word about the class's own account.

pub mod admission;
mod answer;
mod catalog;
mod class;
mod consent;
pub mod controller;
mod digest;
mod limits;
mod offered;
mod plan;

pub use answer::Denial;
pub use catalog::{Catalog, Problem};
pub use class::{Class, NAMESPACE_TYPE};
pub use digest::spec_hash;
pub use limits::{CLAIM_LABEL, MANAGED_BY, MANAGER, MOST_OBJECTS, OBJECT_LABEL, TRIGGER_LABEL, order_of};
pub use offered::shipped;
pub use plan::{Asked, Plan, PlanError, Planned, Trigger, plan};
