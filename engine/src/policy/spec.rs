//! The `Policy` and `PolicyException` kinds (`wayguard.io/v1alpha1`), as they are written in files and in the
//! cluster. The CRDs' schemas are generated from these types.

use super::metadata::Custom;
use crate::matching::spec::{LabelSelector, Match, ResourceRule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The API group and version of our kinds.
pub const API_VERSION: &str = "wayguard.io/v1alpha1";

/// One working policy: where its Rego is, what it judges, and what a finding does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicySpec {
    /// Where the Rego comes from.
    pub source: Source,
    /// Which requests it judges. Without `resourceRules`: those that the policy's METADATA names.
    #[serde(default, rename = "match", skip_serializing_if = "is_default")]
    pub matches: Match,
    /// The policy is written for Pods and also judges Deployments, Jobs, `CronJobs` and other workloads by their
    /// pod template. Absent: as METADATA says where `match.resourceRules` are METADATA's too, else no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand: Option<bool>,
    /// Further kinds that hold a pod template, for `expand`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<TemplatePath>,
    /// `input.parameters`, checked against the schema in the policy's METADATA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_object")]
    pub parameters: Option<serde_json::Map<String, serde_json::Value>>,
    /// What a `deny` finding does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub action: Action,
    /// Other actions for some namespaces; the first selector that matches decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub action_overrides: Vec<ActionOverride>,
    /// What happens when the policy cannot be evaluated.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_error: OnError,
    /// What an UPDATE does about findings that the old object already had.
    #[serde(default, skip_serializing_if = "is_default")]
    pub existing: Existing,
    /// Where defaults for Pods are written when the object is a workload.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mutate: Mutate,
}

impl PolicySpec {
    /// Everything at its default but the source.
    pub fn of(source: Source) -> Self {
        Self {
            source,
            matches: Match::default(),
            expand: None,
            templates: Vec::new(),
            parameters: None,
            action: Action::default(),
            action_overrides: Vec::new(),
            on_error: OnError::default(),
            existing: Existing::default(),
            mutate: Mutate::default(),
        }
    }

    /// Whether workloads are judged by their pod template.
    pub fn expands(&self) -> bool {
        self.expand == Some(true)
    }

    /// Fills in what the policy says of itself, where nothing is said here.
    pub(crate) fn complete(&mut self, own: &Custom) {
        let Some(applies) = own.matches.as_ref().filter(|_| self.matches.resource_rules.is_empty()) else {
            return;
        };
        self.matches.resource_rules.clone_from(&applies.resource_rules);
        self.matches.exclude_resource_rules.extend(applies.exclude_resource_rules.iter().cloned());
        self.expand.get_or_insert(own.expand);
    }
}

/// Where a policy's Rego comes from; exactly one is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// A policy of the built-in library, such as `images/latest-tag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// The Rego itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rego: Option<String>,
    /// A folder with a `policy.rego`, relative to the file that names it (files only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// A kind that holds a pod template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplatePath {
    /// API group.
    pub api_group: String,
    /// Plural resource name.
    pub resource: String,
    /// JSON Pointer to the PodTemplateSpec, such as `/spec/template`.
    pub path: String,
}

/// What a finding does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Action {
    /// Recorded only.
    Audit,
    /// The requester is warned.
    Warn,
    /// The request is refused.
    #[default]
    Deny,
}

/// Another action for the namespaces that a selector matches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActionOverride {
    /// Which namespaces.
    pub namespace_selector: LabelSelector,
    /// The action there.
    pub action: Action,
}

/// What happens when a policy cannot be evaluated: it failed, a fact is missing, time is up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnError {
    /// The request is refused with the reason.
    #[default]
    Deny,
    /// The request is admitted with a warning, and recorded.
    Allow,
}

/// What an UPDATE does about findings that the old object already had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Existing {
    /// They only warn.
    #[default]
    Warn,
    /// They are treated like new ones.
    Deny,
}

/// Where defaults for Pods are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mutate {
    /// On Pods only; workloads are judged as if their Pods had been mutated, and stay as they are in Git.
    #[default]
    Pod,
    /// Into the templates of workloads as well.
    Template,
}

/// A time-limited exception to policies; honoured only in the suite's own namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyExceptionSpec {
    /// Names of Policy objects, or policy ids such as `images/latest-tag`; at least one.
    #[schemars(length(min = 1))]
    pub policies: Vec<String>,
    /// Rule ids within them; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Image references, `*` as wildcard; a finding is covered only if its container's image matches. Empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Objects by namespace and name; empty: all that `match` selects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectReference>,
    /// Which requests; absent: all.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matches: Option<ExceptionMatch>,
    /// Why, for auditors.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Who answers for it.
    #[schemars(length(min = 1))]
    pub owner: String,
    /// RFC 3339; from then on the exception has no effect.
    pub expires_at: String,
}

/// Which requests an exception covers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptionMatch {
    /// Resources and operations; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource_rules: Vec<ResourceRule>,
    /// Namespaces by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Namespaces by label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
}

/// An object by namespace, kind and name; `*` and `?` are wildcards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectReference {
    /// Kind; empty: any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Namespace; empty: any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Name.
    pub name: String,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// An object of any shape: parameters are checked by the policy's own schema, not by the CRD.
fn any_object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}
