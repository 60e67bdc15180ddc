//! `ClaimClass`: what the platform offers, by which Rego it is made, and how far that Rego may go.

use super::super::condition::Condition;
use super::claim::DeletionPolicy;
use super::{any_object, is_default};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One offer of the platform; cluster-scoped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimClass {
    /// Always `wayguard.io/v1alpha1`.
    pub api_version: String,
    /// Always `ClaimClass`.
    pub kind: String,
    /// Name, generation and the like.
    pub metadata: ObjectMeta,
    /// What is offered.
    pub spec: ClaimClassSpec,
    /// What `control` found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ClassStatus>,
}

/// What is offered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimClassSpec {
    /// The `type` of the claims that it is for; `namespace` for what every labelled Namespace gets.
    #[serde(rename = "type")]
    pub claim_type: String,
    /// The `class` of the claims that it is for; `default` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The Rego package of the library that makes it, such as `provision.postgresql`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The Rego itself, instead of `package`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rego: Option<String>,
    /// Where it is offered; the class that says most about a namespace is the one that counts there.
    #[serde(default, rename = "match", skip_serializing_if = "is_default")]
    pub matches: ClassMatch,
    /// What its Rego knows as `input.class.settings`: sizes, versions, prices. The package's METADATA has the schema.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "any_object")]
    pub settings: Map<String, Value>,
    /// JSON Schema of the `parameters` of claims; without one they may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_object")]
    pub parameters_schema: Option<Value>,
    /// The kinds that its Rego may make, as `group/Kind` (`v1`'s have no group: `/PersistentVolumeClaim`). Nothing else is
    /// ever applied.
    pub allowed_kinds: Vec<KindName>,
    /// Those among them whose objects are never deleted by us when they are not wanted any more: they hold data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retain_kinds: Vec<KindName>,
    /// Those among them whose objects may be there before us: what the class says is added to them, and they are never
    /// deleted by us. An object of any other kind that is not ours is left alone, and the claim says `Conflict`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adopt_kinds: Vec<KindName>,
    /// The `ServiceAccount` of the suite's own namespace in whose name everything is applied and deleted: what it may not
    /// do, no Rego can.
    pub service_account: String,
    /// What becomes of what was made when a claim is deleted, where the claim does not say.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deletion_policy: DeletionPolicy,
    /// What is done about objects that somebody else has changed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub drift: Drift,
}

/// A kind by its group: `postgresql.cnpg.io/Cluster`, `/PersistentVolumeClaim`.
pub type KindName = String;

/// Where a class is offered. What is empty says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClassMatch {
    /// Namespaces, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Namespaces whose label `team` has one of these values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// Namespaces whose label `environment` has one of these values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
}

/// What is done about objects that somebody else has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Drift {
    /// They are put right.
    #[default]
    Correct,
    /// The claim says so in its condition `Drifted`.
    Report,
}

/// What is known of a class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassStatus {
    /// The generation that the rest is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Loaded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// How many claims it serves.
    #[serde(default)]
    pub claims: u32,
}

impl ClaimClassSpec {
    /// The class of claims that it is for.
    pub fn class_name(&self) -> &str {
        self.class.as_deref().filter(|name| !name.is_empty()).unwrap_or(super::claim::DEFAULT_CLASS)
    }
}
