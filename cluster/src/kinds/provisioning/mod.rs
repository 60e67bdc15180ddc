//! The kinds of self-service: what a team asks for ([`claim`]), what the platform offers ([`class`]), and who agreed to
//! it at which price ([`consent`]).

pub mod claim;
pub mod class;
pub mod consent;
mod definitions;

pub use claim::{Backup, ClaimPhase, ClaimStatus, DeletionPolicy, PlatformClaim, PlatformClaimSpec};
pub use class::{ClaimClass, ClaimClassSpec, ClassMatch, ClassStatus, Drift, KindName};
pub use consent::{ClaimApproval, ClaimApprovalSpec, TeamBudget, TeamBudgetSpec, TeamBudgetStatus};
pub(super) use definitions::definitions;

/// An object of any shape: checked by a schema that the object itself, or METADATA, carries.
fn any_object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
