//! The status of our kinds: what `control` found out, for people and for the health checks of deployment tools.

use super::condition::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Condition of a Policy, a `PolicyBundle`, an `ImageAuthority` and a `TrustRoot`: it can be used, on every ready replica
/// that was asked.
pub const LOADED: &str = "Loaded";
/// Condition of a Policy: every ready replica has loaded it and the API server sends its requests to us.
pub const ENFORCED: &str = "Enforced";
/// Condition of a Policy, only there while it holds: replicas may not read what the policy declares; the message
/// has the RBAC rule to add.
pub const FACTS_FORBIDDEN: &str = "FactsForbidden";
/// Condition of a `PolicyBundle`: who must have signed it did.
pub const VERIFIED: &str = "Verified";
/// Condition of a `PolicyException`: it is honoured now.
pub const ACTIVE: &str = "Active";

/// What is known of a Policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStatus {
    /// The generation that the rest is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Loaded`, `Enforced`, and `FactsForbidden` while it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The content hash of the policy set that holds this generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_digest: Option<String>,
    /// How many of the ready replicas have loaded this generation, such as `3/3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded_by: Option<String>,
}

/// What is known of an `ImageAuthority` or a `TrustRoot`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrustStatus {
    /// The generation that the rest is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Loaded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// How many of the ready replicas judge by this generation, such as `3/3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded_by: Option<String>,
}

/// What is known of a `PolicyBundle`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyBundleStatus {
    /// The generation that the rest is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Verified` and `Loaded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The artifact that is stored in the cluster and in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What that artifact calls itself, such as `acme-policies`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How many of the ready replicas have loaded this generation, such as `3/3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded_by: Option<String>,
}

/// What is known of a `PolicyException`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyExceptionStatus {
    /// The generation that the rest is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Active`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}
