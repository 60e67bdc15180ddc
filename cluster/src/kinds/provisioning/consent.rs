//! `ClaimApproval` and `TeamBudget`: who agreed to a claim, and how much a team may spend.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Somebody agrees to one claim as it is now; in the claim's namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimApproval {
    /// Always `wayguard.io/v1alpha1`.
    pub api_version: String,
    /// Always `ClaimApproval`.
    pub kind: String,
    /// Name, namespace and the like.
    pub metadata: ObjectMeta,
    /// What is agreed to.
    pub spec: ClaimApprovalSpec,
}

/// What is agreed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimApprovalSpec {
    /// The claim's name.
    pub claim: String,
    /// The claim's `status.specHash`: an approval is of this spec and no other.
    pub spec_hash: String,
    /// In whose name, as the claim's `status.approvals` asks for it.
    pub group: String,
    /// Why it is right, for those who ask later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a team may spend; cluster-scoped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamBudget {
    /// Always `wayguard.io/v1alpha1`.
    pub api_version: String,
    /// Always `TeamBudget`.
    pub kind: String,
    /// Name, generation and the like.
    pub metadata: ObjectMeta,
    /// How much.
    pub spec: TeamBudgetSpec,
    /// How much of it is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<TeamBudgetStatus>,
}

/// How much a team may spend.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamBudgetSpec {
    /// The label `team` of the namespaces whose claims are counted.
    pub team: String,
    /// Euro a month. A claim that would exceed it is not provisioned; what is there already stays.
    #[serde(rename = "monthlyEUR")]
    pub monthly_eur: f64,
}

/// How much of a budget is spent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TeamBudgetStatus {
    /// The generation that the rest is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Euro a month of all claims of the team that were provisioned.
    #[serde(default, rename = "reservedEUR")]
    pub reserved_eur: f64,
    /// How many claims these are.
    #[serde(default)]
    pub claims: u32,
}
