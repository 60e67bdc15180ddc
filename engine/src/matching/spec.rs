//! The matching vocabulary: that of `ValidatingAdmissionPolicy.spec.matchConstraints` (KEP-3488), plus
//! namespaces by name and subjects.

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// Which requests a policy judges. All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Match {
    /// At least one must match. Absent: those that the policy's METADATA names.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some_rules")]
    #[schemars(length(min = 1))]
    pub resource_rules: Vec<ResourceRule>,
    /// None may match. They add to those that METADATA names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_resource_rules: Vec<ResourceRule>,
    /// Labels of the object's namespace (a Namespace's own labels); cluster-scoped objects always match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// Labels of the object or, on UPDATE and DELETE, the old object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_selector: Option<LabelSelector>,
    /// Only these namespaces (`*` and `?` are wildcards); empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Not these namespaces (`*` and `?` are wildcards).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_namespaces: Vec<String>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Subjects>,
}

/// Resources and verbs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceRule {
    /// API groups; `""` is core, `*` is all.
    pub api_groups: Vec<String>,
    /// API versions; `*` is all.
    #[serde(default = "all", skip_serializing_if = "is_all")]
    pub api_versions: Vec<String>,
    /// Plural resources: `pods`, `pods/exec`, `pods/*`, `*` (all but subresources), `*/*`, `*/scale`.
    pub resources: Vec<String>,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`; `*` is all but DELETE, which must be named.
    pub operations: Vec<String>,
    /// Object names; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource_names: Vec<String>,
    /// `Cluster`, `Namespaced` or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

/// Whether cluster-scoped or namespaced resources are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Scope {
    /// Cluster-scoped, Namespaces included.
    Cluster,
    /// Namespaced.
    Namespaced,
    /// Both.
    #[serde(rename = "*")]
    All,
}

/// `meta/v1` `LabelSelector`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabelSelector {
    /// All of these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// And all of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

/// `meta/v1` `LabelSelectorRequirement`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelSelectorRequirement {
    /// Label key.
    pub key: String,
    /// How it is compared.
    pub operator: SelectorOperator,
    /// With `In` and `NotIn`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the operators of meta/v1")]
pub enum SelectorOperator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

/// Who asks. Empty lists do not restrict; an exclusion wins. `*` is a wildcard in names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subjects {
    /// User names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Groups; one of the requester's must match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Not these users.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_users: Vec<String>,
    /// Nobody in these groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_groups: Vec<String>,
}

/// Absent means what METADATA says; an empty list is a mistake.
fn some_rules<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ResourceRule>, D::Error> {
    let rules = Vec::deserialize(deserializer)?;
    if rules.is_empty() {
        return Err(D::Error::custom(
            "`resourceRules` is empty; name resources, or leave it out for those that the policy's METADATA names",
        ));
    }
    Ok(rules)
}

fn all() -> Vec<String> {
    vec!["*".to_owned()]
}

fn is_all(versions: &[String]) -> bool {
    versions == ["*"]
}
