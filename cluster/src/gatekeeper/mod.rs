//! Gatekeeper's objects in a cluster, off by default: watched for the policy set, their kinds made and their statuses
//! written by `control`.
//!
//! ```text
//! ConstraintTemplate ─watch─► control: CRD of its kind, status.created
//!        └─► a watch per kind ─► constraints ┐
//! Config, SyncSet, mutators, expansions ─────┴─► objects of the policy set
//! ```

mod crd;
mod keeper;
mod live;
mod watch;

pub use crd::{base_definitions, definition};
pub(crate) use keeper::Keeper;
pub(crate) use live::SIGNS;
pub use live::{LiveGatekeeper, look_for};
pub(crate) use watch::GatekeeperWatch;

use kube::api::ApiResource;
use kube::core::GroupVersionKind;

/// The group of constraints.
pub const CONSTRAINTS: &str = "constraints.gatekeeper.sh";
/// The version of constraints that is stored.
const CONSTRAINT_VERSION: &str = "v1beta1";

/// A kind of Gatekeeper's own, with the version that is watched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base {
    pub(crate) group: &'static str,
    /// All versions that Gatekeeper serves; the first is watched and stored.
    pub(crate) versions: &'static [&'static str],
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) namespaced: bool,
}

const fn base(
    group: &'static str,
    versions: &'static [&'static str],
    kind: &'static str,
    plural: &'static str,
) -> Base {
    Base { group, versions, kind, plural, namespaced: false }
}

/// Templates.
pub(crate) const TEMPLATES: Base = base(
    "templates.gatekeeper.sh",
    &["v1", "v1beta1", "v1alpha1"],
    "ConstraintTemplate",
    "constrainttemplates",
);

/// All kinds but those that templates make.
pub(crate) const BASES: [Base; 9] = [
    TEMPLATES,
    Base { namespaced: true, ..base("config.gatekeeper.sh", &["v1alpha1"], "Config", "configs") },
    base("syncset.gatekeeper.sh", &["v1alpha1"], "SyncSet", "syncsets"),
    base("mutations.gatekeeper.sh", &["v1", "v1beta1", "v1alpha1"], "Assign", "assign"),
    base("mutations.gatekeeper.sh", &["v1", "v1beta1", "v1alpha1"], "AssignMetadata", "assignmetadata"),
    base("mutations.gatekeeper.sh", &["v1", "v1beta1", "v1alpha1"], "ModifySet", "modifyset"),
    base("mutations.gatekeeper.sh", &["v1alpha1"], "AssignImage", "assignimage"),
    base("expansion.gatekeeper.sh", &["v1beta1", "v1alpha1"], "ExpansionTemplate", "expansiontemplate"),
    base("externaldata.gatekeeper.sh", &["v1beta1", "v1alpha1"], "Provider", "providers"),
];

impl Base {
    pub(crate) fn version(self) -> &'static str {
        self.versions.first().copied().unwrap_or("v1")
    }

    pub(crate) fn resource(self) -> ApiResource {
        let kind = GroupVersionKind::gvk(self.group, self.version(), self.kind);
        ApiResource::from_gvk_with_plural(&kind, self.plural)
    }
}

/// The resource of the constraints of a kind.
pub(crate) fn constraint_resource(kind: &str) -> ApiResource {
    let plural = kind.to_ascii_lowercase();
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(CONSTRAINTS, CONSTRAINT_VERSION, kind), &plural)
}
