//! The first days of an installation: everything is judged and recorded, nothing is refused.

use wayguard_engine::policy::spec::{Action, OnError, PolicySpec};

/// A policy as it is loaded while the suite only observes: its findings are recorded, and if it cannot be evaluated
/// the request passes. Mutation is not touched here; while observing, no mutating webhook is registered.
///
/// Whoever loads policies that do not come from the cluster (files, bundles) applies this as well, so that all
/// replicas and `control` make the same set.
#[must_use]
pub fn observed(spec: PolicySpec) -> PolicySpec {
    PolicySpec { action: Action::Audit, action_overrides: Vec::new(), on_error: OnError::Allow, ..spec }
}
