//! `.manifest` of a bundle: what OPA reads there (`v1/bundle`, "bundle file format"), and below `metadata.wayguard`
//! what we say of it.

use semver::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use wayguard_engine::policy::library::Library;

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What OPA shows as the bundle's revision: name and version.
    #[serde(default)]
    pub revision: String,
    /// The first words of its packages: no other bundle may have rules there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<BTreeSet<String>>,
    /// The version of Rego that its modules are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rego_version: Option<u8>,
    /// What OPA hands through.
    #[serde(default)]
    pub metadata: Metadata,
}

/// What others may add to; ours is below `wayguard`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wayguard: Option<About>,
}

/// What a bundle says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// What it is called, such as `acme-policies`.
    pub name: String,
    /// Its version (semver.org); one of a lower version does not take the place of one of a higher.
    pub version: Version,
    /// The ids of its policies.
    pub policies: Vec<String>,
    /// The names of its Bundle objects.
    pub bundles: Vec<String>,
}

impl Manifest {
    /// The manifest of a library.
    pub fn of(name: &str, version: &Version, library: &Library) -> Self {
        let policies = library.policy_ids();
        let bundles = library.bundles();
        // Packages are named after folders; `lib` is one of them where there are shared rules.
        let modules = library.files().keys().filter_map(|path| path.strip_suffix(".rego")?.split('/').next());
        let roots = modules.map(|root| root.replace('-', "_")).collect();
        Self {
            revision: format!("{name} {version}"),
            roots: Some(roots),
            rego_version: Some(1),
            metadata: Metadata {
                wayguard: Some(About { name: name.to_owned(), version: version.clone(), policies, bundles }),
            },
        }
    }
}
