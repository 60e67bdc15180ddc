//! `PlatformClaim`: one small object of a team's own namespace, from which the platform makes the rest.

use super::super::condition::Condition;
use super::{any_object, is_default};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The class that is meant where a claim names none.
pub const DEFAULT_CLASS: &str = "default";

/// What a team asks for; namespaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlatformClaim {
    /// Always `wayguard.io/v1alpha1`.
    pub api_version: String,
    /// Always `PlatformClaim`.
    pub kind: String,
    /// Name, namespace, generation and the like.
    pub metadata: ObjectMeta,
    /// What is asked for.
    pub spec: PlatformClaimSpec,
    /// What has become of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ClaimStatus>,
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformClaimSpec {
    /// What it is, such as `postgresql` or `rabbitmq`; `kubectl get claimclasses` lists what is offered. Cannot be changed.
    #[serde(rename = "type")]
    pub claim_type: String,
    /// Which of the classes of that type; `default` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The version of what is asked for, such as `"15"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How large, in the class's own words: `small`, `medium`, `large`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Whether it is backed up; the class says what is meant where this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// Everything else, as the class's `parametersSchema` describes it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "any_object")]
    pub parameters: Map<String, Value>,
    /// What becomes of what was made when the claim is deleted; the class's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// Whether something is backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Backup {
    /// Every day.
    Enabled,
    /// Never.
    Disabled,
}

/// What becomes of what was made when the claim is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// It is deleted with the claim.
    #[default]
    Delete,
    /// It stays, and belongs to nobody.
    Retain,
}

/// Where a claim stands, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ClaimPhase {
    /// Not looked at yet, or it cannot be told.
    #[default]
    Pending,
    /// Somebody has to agree first.
    PendingApproval,
    /// Its class refuses it; the condition `Accepted` says why.
    Denied,
    /// What it needs is being made.
    Provisioning,
    /// It can be used.
    Ready,
    /// Something could not be made; the condition `Applied` says what.
    Failed,
}

/// What has become of a claim.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClaimStatus {
    /// The generation that the rest is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where it stands, in one word.
    #[serde(default)]
    pub phase: ClaimPhase,
    /// `Accepted`, `Approved`, `Applied`, `Ready`; while they hold `BreakGlass`, `Conflict`, `Drifted` and `Flapping`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The `ClaimClass` that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Names the spec: what an approval agrees to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_hash: Option<String>,
    /// The hash of the spec that was agreed to, where somebody had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_hash: Option<String>,
    /// Who still has to agree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<NeededApproval>,
    /// The Secret with all outputs, if there is one such (servicebinding.io, Provisioned Service).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// Where each output is: names only, never values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Output>,
    /// What was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inventory: Vec<InventoryEntry>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// Somebody who has to agree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NeededApproval {
    /// The group whose word is needed.
    pub group: String,
    /// Why.
    pub reason: String,
}

/// A Secret by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Binding {
    /// In the claim's namespace.
    pub name: String,
}

/// One value that is handed back: where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// A Secret of the claim's namespace.
    pub secret: String,
    /// The key in it.
    pub key: String,
}

/// One object that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryEntry {
    /// As the class calls it.
    pub id: String,
    /// Its API version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name, in the claim's namespace.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Names what was wanted of it.
    pub hash: String,
}

/// What something costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Euro a month, as the class reckons.
    #[serde(rename = "monthlyEUR")]
    pub monthly_eur: f64,
}

impl PlatformClaimSpec {
    /// The class that is meant.
    pub fn class_name(&self) -> &str {
        self.class.as_deref().filter(|name| !name.is_empty()).unwrap_or(DEFAULT_CLASS)
    }
}

impl PlatformClaim {
    /// Its uid; empty in a file.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Whether it is on its way out.
    pub fn is_ending(&self) -> bool {
        !is_default(&self.metadata.deletion_timestamp)
    }
}
