//! The archive in a registry: one manifest with one layer, of the media types that OPA's own downloader asks for, and
//! signatures as referrers.

use crate::archive::{Archive, NotABundle};
use crate::signing::BUNDLE;
use bytes::Bytes;
use semver::Version;
use std::collections::BTreeMap;
use wayguard_images::digest::Digest;
use wayguard_images::registry::http::Client;
use wayguard_images::registry::manifest::{Content, Descriptor, EMPTY, IMAGE, Manifest};
use wayguard_images::registry::{Fetched, Problem, RegistryError, Repository, Source};

/// What the artifact is.
pub const ARTIFACT_TYPE: &str = "application/vnd.wayguard.policies.v1";
/// The archive: what OPA looks for (`plugins/bundle`, OCI).
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const VERSION: &str = "org.opencontainers.image.version";
const TITLE: &str = "org.opencontainers.image.title";

/// An artifact that was fetched; its bytes are those that its digest names.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Of the manifest: what is signed and pinned.
    pub digest: Digest,
    /// The manifest's bytes.
    pub manifest: Bytes,
    /// The archive's bytes.
    pub archive: Bytes,
}

/// Why there is no artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactError {
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Nothing of that name.
    #[error("`{0}` does not exist")]
    Absent(String),
    /// Something else.
    #[error("`{0}` is no bundle of policies: {1}")]
    Kind(String, String),
    /// An archive that cannot be read.
    #[error("`{0}`: {1}")]
    Archive(String, NotABundle),
}

/// Writes an archive under a tag; the descriptor's digest is what to sign and pin.
///
/// # Errors
/// If the registry does not take it.
pub async fn push(
    client: &Client,
    to: &Repository,
    tag: &str,
    archive: &Archive,
    bytes: Bytes,
) -> Result<Descriptor, RegistryError> {
    let config = client.push_blob(to, Bytes::from_static(b"{}"), CONFIG).await?;
    let layer = client.push_blob(to, bytes, LAYER).await?;
    let about = archive.manifest.metadata.wayguard.as_ref();
    let said = about.map(|about| [(TITLE, about.name.clone()), (VERSION, about.version.to_string())]);
    let annotations = said.into_iter().flatten().map(|(key, value)| (key.to_owned(), value)).collect();
    let manifest = manifest(config, layer, None, ARTIFACT_TYPE, annotations);
    client.push_manifest(to, &manifest, Some(tag)).await
}

/// Keeps a signature beside what it vouches for.
///
/// # Errors
/// If the registry does not take it.
pub async fn attach(
    client: &Client,
    to: &Repository,
    subject: &Descriptor,
    signature: Vec<u8>,
) -> Result<Descriptor, RegistryError> {
    let config = client.push_blob(to, Bytes::from_static(b"{}"), EMPTY).await?;
    let layer = client.push_blob(to, signature.into(), BUNDLE).await?;
    let subject = Descriptor { annotations: BTreeMap::new(), artifact_type: None, ..subject.clone() };
    let annotations = [
        ("dev.sigstore.bundle.content", "dsse-envelope"),
        ("dev.sigstore.bundle.predicateType", crate::signing::PREDICATE_TYPE),
    ];
    let annotations = annotations.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let manifest = manifest(config, layer, Some(subject), BUNDLE, annotations);
    client.push_manifest(to, &manifest, None).await
}

fn manifest(
    config: Descriptor,
    layer: Descriptor,
    subject: Option<Descriptor>,
    artifact_type: &str,
    annotations: BTreeMap<String, String>,
) -> Manifest {
    Manifest {
        schema_version: 2,
        media_type: Some(IMAGE.to_owned()),
        artifact_type: Some(artifact_type.to_owned()),
        config,
        layers: vec![layer],
        subject,
        annotations,
    }
}

/// Fetches an artifact by tag or digest.
///
/// # Errors
/// If it is not there, or is something else.
pub async fn pull(source: &dyn Source, of: &Repository, asked: &str) -> Result<Artifact, ArtifactError> {
    let shown = format!("{of}{}{asked}", if asked.contains(':') { '@' } else { ':' });
    let Some(fetched) = source.manifest(of, asked).await? else { return Err(ArtifactError::Absent(shown)) };
    let layer = layer_of(&fetched.bytes).map_err(|reason| ArtifactError::Kind(shown.clone(), reason))?;
    let Some(archive) = source.blob(of, layer).await? else {
        return Err(ArtifactError::Absent(format!("{of}@{layer}")));
    };
    let Fetched { bytes: manifest, digest, .. } = fetched;
    Ok(Artifact { digest, manifest, archive })
}

/// The digest of the archive that a manifest names.
fn layer_of(manifest: &[u8]) -> Result<Digest, String> {
    match Content::read(manifest)? {
        Content::Index(_) => Err("it is a list of manifests".to_owned()),
        Content::Image(manifest) => match manifest.layers.as_slice() {
            [layer] if layer.media_type == LAYER => Ok(layer.digest),
            [layer] => Err(format!("its layer is a `{}`, not a `{LAYER}`", layer.media_type)),
            layers => Err(format!("it has {} layers, not one", layers.len())),
        },
    }
}

impl Artifact {
    /// Puts an artifact together again from parts that somebody kept; nothing of them is believed.
    ///
    /// # Errors
    /// If they are not what `digest` names.
    pub fn from_parts(digest: Digest, manifest: Bytes, archive: Bytes) -> Result<Self, ArtifactError> {
        let differs =
            |expected, found| RegistryError::new("the cluster", Problem::OtherContent { expected, found });
        let found = Digest::of(&manifest);
        if found != digest {
            return Err(differs(digest, found).into());
        }
        let layer = layer_of(&manifest).map_err(|reason| ArtifactError::Kind(digest.to_string(), reason))?;
        let found = Digest::of(&archive);
        if found != layer {
            return Err(differs(layer, found).into());
        }
        Ok(Self { digest, manifest, archive })
    }

    /// What is in it.
    ///
    /// # Errors
    /// If the archive cannot be read.
    pub fn unpack(&self) -> Result<Archive, ArtifactError> {
        Archive::unpack(&self.archive)
            .map_err(|problem| ArtifactError::Archive(self.digest.to_string(), problem))
    }
}

/// Whether one version may take the place of another.
///
/// # Errors
/// In words, if it would go back.
pub fn may_follow(new: &Version, old: &Version) -> Result<(), String> {
    if new < old {
        return Err(format!("version {new} would take the place of {old}, which is newer"));
    }
    Ok(())
}
