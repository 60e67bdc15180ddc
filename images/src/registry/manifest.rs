//! Manifests and indexes (OCI image specification `manifest.md`, `image-index.md`; Docker's v2 schema 2 has the same
//! fields), as far as they are read here.

use crate::digest::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An image's manifest.
pub const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// A list of manifests.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker's manifest.
pub const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's list of manifests.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The configuration of what is no image (`manifest.md`, "guidance for an empty descriptor").
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// What can be read.
pub(crate) const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                                   application/vnd.docker.distribution.manifest.list.v2+json, \
                                   application/vnd.docker.distribution.manifest.v2+json";

/// What names a blob or manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// Of its bytes.
    #[serde(with = "text")]
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
    /// What the manifest is about, in lists of referrers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What machine it is for, in indexes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

/// What machine an image is for (`image-index.md`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// As Go's GOARCH.
    #[serde(default)]
    pub architecture: String,
    /// As Go's GOOS.
    #[serde(default)]
    pub os: String,
    /// Such as `v7` of arm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// An image or artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// 2.
    pub schema_version: u8,
    /// What this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What kind of artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The image's configuration.
    pub config: Descriptor,
    /// What it consists of.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// What it refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// What is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// 2.
    pub schema_version: u8,
    /// What this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
}

/// What a manifest's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// One image or artifact.
    Image(Box<Manifest>),
    /// Several.
    Index(Index),
}

impl Content {
    /// Reads it. What it is, its fields say: the header is the registry's word, and `mediaType` may be absent. A text
    /// that is both is refused, for two readers could take it for two things (CVE-2021-41190).
    ///
    /// # Errors
    /// Why it is neither.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Shape {
            manifests: Option<serde::de::IgnoredAny>,
            layers: Option<serde::de::IgnoredAny>,
            config: Option<serde::de::IgnoredAny>,
        }
        let shape: Shape =
            serde_json::from_slice(bytes).map_err(|error| format!("it is no manifest: {error}"))?;
        let unread = |error: serde_json::Error| format!("it is no manifest: {error}");
        match (shape.manifests.is_some(), shape.config.is_some() || shape.layers.is_some()) {
            (true, false) => Ok(Self::Index(serde_json::from_slice(bytes).map_err(unread)?)),
            (false, true) => Ok(Self::Image(Box::new(serde_json::from_slice(bytes).map_err(unread)?))),
            (true, true) => {
                Err("it has both `manifests` and `layers`, so that two readers could differ".to_owned())
            }
            (false, false) => Err("it has neither `manifests` nor `config`".to_owned()),
        }
    }
}

/// A digest as its text.
mod text {
    use super::Digest;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(digest: &Digest, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(digest)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_and_an_image_are_told_apart_by_their_fields() {
        let digest = Digest::of(b"{}");
        let config = format!(r#"{{"mediaType":"{EMPTY}","digest":"{digest}","size":2}}"#);
        let image = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]}}"#);
        assert!(matches!(Content::read(image.as_bytes()), Ok(Content::Image(_))));
        assert!(matches!(Content::read(br#"{"schemaVersion":2,"manifests":[]}"#), Ok(Content::Index(_))));
        let both = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[],"manifests":[]}}"#);
        assert!(Content::read(both.as_bytes()).unwrap_err().contains("both"));
        for bad in ["", "[]", "{}", "null", r#"{"schemaVersion":2,"manifests":[{"digest":"x"}]}"#] {
            assert!(Content::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
