//! Our kinds (`wayguard.io/v1alpha1`) as Kubernetes objects: the engine's spec types with metadata and status.
//!
//! The specs live in the engine, in `images` and in `bundle`, because files and CI know them without a cluster; here they
//! get what only a cluster has: [`status`], and the [`crd`] that tells an API server about them.

pub mod condition;
pub mod crd;
pub mod provisioning;
#[cfg(test)]
mod reference;
mod schema;
pub mod status;

pub use crd::{Definition, definitions};

use k8s_openapi::ClusterResourceScope;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use provisioning::{ClaimApproval, ClaimClass, PlatformClaim, TeamBudget};
use serde::{Deserialize, Serialize};
use status::{PolicyBundleStatus, PolicyExceptionStatus, PolicyStatus, TrustStatus};
use std::borrow::Cow;
use wayguard_bundle::spec::PolicyBundleSpec;
use wayguard_engine::policy::spec::{API_VERSION, PolicyExceptionSpec, PolicySpec};
use wayguard_images::authority::ImageAuthoritySpec;
use wayguard_images::trust::TrustRootSpec;

/// The API group of our kinds.
pub const GROUP: &str = "wayguard.io";
/// The version that is stored and served.
pub const VERSION: &str = "v1alpha1";

/// One working policy; cluster-scoped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Always `wayguard.io/v1alpha1`.
    pub api_version: String,
    /// Always `Policy`.
    pub kind: String,
    /// Name, generation and the like.
    pub metadata: ObjectMeta,
    /// What it judges and where its Rego is.
    pub spec: PolicySpec,
    /// What `control` found; never read to decide anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PolicyStatus>,
}

/// An exception that ends; honoured only in the suite's own namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyException {
    /// Always `wayguard.io/v1alpha1`.
    pub api_version: String,
    /// Always `PolicyException`.
    pub kind: String,
    /// Name, namespace, generation and the like.
    pub metadata: ObjectMeta,
    /// What is excepted, why, by whom and until when.
    pub spec: PolicyExceptionSpec,
    /// What `control` found; never read to decide anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PolicyExceptionStatus>,
}

/// Who may sign the images of some repositories; cluster-scoped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageAuthority {
    /// Always `wayguard.io/v1alpha1`.
    pub api_version: String,
    /// Always `ImageAuthority`.
    pub kind: String,
    /// Name, generation and the like.
    pub metadata: ObjectMeta,
    /// Of which images it speaks, and who may sign them.
    pub spec: ImageAuthoritySpec,
    /// What `control` found; never read to decide anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<TrustStatus>,
}

/// Certificate authorities, logs and timestamp authorities that signatures are verified by; cluster-scoped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustRoot {
    /// Always `wayguard.io/v1alpha1`.
    pub api_version: String,
    /// Always `TrustRoot`.
    pub kind: String,
    /// Name, generation and the like.
    pub metadata: ObjectMeta,
    /// Where its text is.
    pub spec: TrustRootSpec,
    /// What `control` found; never read to decide anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<TrustStatus>,
}

/// Policies out of a registry, signed; cluster-scoped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyBundle {
    /// Always `wayguard.io/v1alpha1`.
    pub api_version: String,
    /// Always `PolicyBundle`.
    pub kind: String,
    /// Name, generation and the like.
    pub metadata: ObjectMeta,
    /// Which artifact, and what of it is in force.
    pub spec: PolicyBundleSpec,
    /// What `control` found; never read to decide anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PolicyBundleStatus>,
}

impl Policy {
    /// A new object of that name.
    pub fn new(name: &str, spec: PolicySpec) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: "Policy".to_owned(),
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            spec,
            status: None,
        }
    }
}

impl PolicyException {
    /// A new object of that name.
    pub fn new(namespace: &str, name: &str, spec: PolicyExceptionSpec) -> Self {
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        };
        Self {
            api_version: API_VERSION.to_owned(),
            kind: "PolicyException".to_owned(),
            metadata,
            spec,
            status: None,
        }
    }
}

/// The part of [`kube::Resource`] that is the same for each of our kinds.
macro_rules! resource {
    ($kind:ident, $plural:literal, $scope:ty) => {
        impl kube::Resource for $kind {
            type DynamicType = ();
            type Scope = $scope;

            fn kind((): &()) -> Cow<'_, str> {
                stringify!($kind).into()
            }

            fn group((): &()) -> Cow<'_, str> {
                GROUP.into()
            }

            fn version((): &()) -> Cow<'_, str> {
                VERSION.into()
            }

            fn plural((): &()) -> Cow<'_, str> {
                $plural.into()
            }

            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

resource!(Policy, "policies", ClusterResourceScope);
resource!(PolicyException, "policyexceptions", NamespaceResourceScope);
resource!(PolicyBundle, "policybundles", ClusterResourceScope);
resource!(ImageAuthority, "imageauthorities", ClusterResourceScope);
resource!(TrustRoot, "trustroots", ClusterResourceScope);
resource!(PlatformClaim, "platformclaims", NamespaceResourceScope);
resource!(ClaimClass, "claimclasses", ClusterResourceScope);
resource!(ClaimApproval, "claimapprovals", NamespaceResourceScope);
resource!(TeamBudget, "teambudgets", ClusterResourceScope);

#[cfg(test)]
mod tests {
    use super::*;
    use kube::Resource;

    #[test]
    fn the_version_is_the_engines() {
        assert_eq!(format!("{GROUP}/{VERSION}"), API_VERSION);
        assert_eq!(Policy::api_version(&()), API_VERSION);
    }

    #[test]
    fn an_object_as_an_api_server_sends_it_is_read() {
        let policy: Policy = serde_json::from_value(serde_json::json!({
            "apiVersion": "wayguard.io/v1alpha1",
            "kind": "Policy",
            "metadata": {"name": "latest-tag", "generation": 3, "uid": "u"},
            "spec": {
                "source": {"library": "images/latest-tag"},
                "match": {"resourceRules": [{"apiGroups": [""], "resources": ["pods"], "operations": ["CREATE"]}]},
            },
            "status": {"loadedBy": "3/3"},
        }))
        .unwrap();
        assert_eq!(policy.metadata.generation, Some(3));
        assert_eq!(policy.status.unwrap().loaded_by.as_deref(), Some("3/3"));
    }
}
