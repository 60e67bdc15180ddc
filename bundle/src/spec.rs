//! What a `PolicyBundle` object says: which artifact, and what of it is in force.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wayguard_images::digest::Digest;
use wayguard_images::reference::Reference;

/// A bundle of policies out of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyBundleSpec {
    /// The artifact, by digest, such as `ghcr.io/acme/policies:1.4.0@sha256:…`. Every ImageAuthority that speaks of it
    /// must be satisfied, and at least one must speak of it.
    pub image: String,
    /// The names of Bundles and ids of policies that are in force, such as `acme` or `shop/no-team-zero`: those of the
    /// artifact, else those that are built in.
    #[schemars(length(min = 1))]
    pub enforce: Vec<String>,
    /// Lets an older version, or a bundle of another name, take the place of the one that is stored. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_rollback: bool,
}

impl PolicyBundleSpec {
    /// Where the artifact is, and which one.
    ///
    /// # Errors
    /// If that is no reference with a digest, in words.
    pub fn artifact(&self) -> Result<(Reference, Digest), String> {
        let example = "`ghcr.io/acme/policies:1.4.0@sha256:…` would be one";
        let reference: Reference =
            self.image.parse().map_err(|problem| format!("spec.image: {problem}; {example}"))?;
        let digest = reference.digest().ok_or_else(|| {
            format!(
                "spec.image: `{}` has no digest, and a tag may mean something else tomorrow; {example}, as `wayguard policy push` prints it",
                self.image
            )
        })?;
        Ok((reference, digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_named_by_its_digest() {
        let spec = |image: &str| PolicyBundleSpec {
            image: image.to_owned(),
            enforce: vec!["acme".to_owned()],
            allow_rollback: false,
        };
        let digest = Digest::of(b"manifest");
        let (reference, read) = spec(&format!("ghcr.io/acme/policies:1.4.0@{digest}")).artifact().unwrap();
        assert_eq!((reference.repository(), read), ("acme/policies", digest));
        let error = spec("ghcr.io/acme/policies:1.4.0").artifact().unwrap_err();
        assert!(error.contains("has no digest") && error.contains("wayguard policy push"), "{error}");
        assert!(spec("NOT A PLACE").artifact().unwrap_err().starts_with("spec.image: "));
    }
}
