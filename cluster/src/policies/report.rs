//! What a replica has loaded, as it tells `control`: the body of `GET /policies` on the health port.

use super::Loaded;
use crate::facts::Forbidden;
use crate::images::Trusted;
use serde::{Deserialize, Serialize};
use wayguard_engine::PolicySet;

/// One replica's answer. It has names, numbers and load errors, never the content of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadReport {
    /// The content hash of the set that is served: equal digests decide alike.
    pub set_digest: String,
    /// The cluster's Policy objects.
    pub policies: Vec<ItemReport>,
    /// The cluster's `PolicyException` objects, of the suite's own namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<ItemReport>,
    /// The cluster's `PolicyBundle` objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<ItemReport>,
    /// The cluster's `ImageAuthority` objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_authorities: Vec<ItemReport>,
    /// The cluster's `TrustRoot` objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trust_roots: Vec<ItemReport>,
    /// Declared facts that the replica may not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forbidden: Vec<Forbidden>,
    /// SHA-256 of the CA that signed the leaf being served, in hex; absent if it is not one of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
}

/// One object in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemReport {
    /// The object's name.
    pub name: String,
    /// The generation that was looked at.
    pub generation: i64,
    /// Whether it is part of the set.
    pub loaded: bool,
    /// What is wrong with it, with place and source line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

impl LoadReport {
    /// What this replica tells.
    pub fn new(loaded: &Loaded, forbidden: Vec<Forbidden>, authority: Option<String>) -> Self {
        Self {
            set_digest: loaded.set.digest().to_owned(),
            policies: loaded.policies.values().cloned().collect(),
            exceptions: loaded.exceptions.values().cloned().collect(),
            bundles: loaded.bundles.values().cloned().collect(),
            forbidden,
            authority,
            ..Self::default()
        }
    }

    /// With what is told about who may sign images.
    #[must_use]
    pub fn trusting(mut self, trusted: &Trusted) -> Self {
        self.image_authorities.clone_from(&trusted.authorities_told);
        self.trust_roots.clone_from(&trusted.roots_told);
        self
    }

    /// As the endpoint answers it.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings, numbers and lists of them: serialisation cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

pub(super) fn item(set: &PolicySet, from: &str, name: &str, generation: i64) -> (String, ItemReport) {
    let failed = set.failures().iter().filter(|failure| failure.policy == name && failure.from == from);
    let errors: Vec<String> = failed.flat_map(|failure| &failure.errors).map(ToString::to_string).collect();
    (name.to_owned(), ItemReport { name: name.to_owned(), generation, loaded: errors.is_empty(), errors })
}
