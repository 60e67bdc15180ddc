//! A bundle as ConfigMaps of the suite's own namespace: parts of its archive, and an index that names them, written last.
//!
//! What is read is believed only as far as the digest goes: the parts must come to the archive that the manifest names,
//! and the manifest to the digest that the index says.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use bytes::Bytes;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use wayguard_bundle::artifact::Artifact;
use wayguard_bundle::manifest::About;
use wayguard_images::digest::Digest;

/// The label of all that is stored; its value is the name of the `PolicyBundle`.
pub(super) const LABEL: &str = "wayguard.io/policy-bundle";
/// Of the index, server-side apply.
const FIELD_MANAGER: &str = "wayguard-control-bundles";
/// Bytes of a part: a ConfigMap holds 1 MiB of data (`MaxSecretSize` of the API).
const PART: usize = 700 << 10;
/// The largest archive that is stored: what a cluster's database is not harmed by.
pub(super) const LARGEST: usize = 16 << 20;
/// Keys of a part, and of the index.
const ARCHIVE: &str = "archive";
const MANIFEST: &str = "manifest";
const DIGEST: &str = "digest";
const PARTS: &str = "parts";
const VERSION: &str = "version";
const NAME: &str = "name";

/// A ConfigMap of ours, as far as it matters.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) uid: String,
    /// The `PolicyBundle` that it belongs to.
    pub(super) bundle: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Index { digest: String, parts: usize, manifest: Bytes },
    Part(Bytes),
    Neither,
}

impl Kept {
    /// Of any ConfigMap with the label.
    pub(super) fn read(object: DynamicObject) -> Option<Self> {
        let map: ConfigMap = object.try_parse().ok()?;
        let (data, mut binary) = (map.data.unwrap_or_default(), map.binary_data.unwrap_or_default());
        let bytes = |found: Option<ByteString>| found.map(|bytes| Bytes::from(bytes.0));
        let digest = data.get(DIGEST).cloned();
        let parts = data.get(PARTS).and_then(|text| text.parse().ok());
        let content = match (bytes(binary.remove(ARCHIVE)), bytes(binary.remove(MANIFEST)), digest, parts) {
            (Some(part), None, None, None) => Content::Part(part),
            (None, Some(manifest), Some(digest), Some(parts)) => Content::Index { digest, parts, manifest },
            _ => Content::Neither,
        };
        Some(Self {
            bundle: map.metadata.labels.unwrap_or_default().remove(LABEL)?,
            name: map.metadata.name?,
            uid: map.metadata.uid.unwrap_or_default(),
            content,
        })
    }

    /// The digest that an index says, whatever that is.
    pub(super) fn digest(&self) -> Option<&str> {
        match &self.content {
            Content::Index { digest, .. } => Some(digest),
            Content::Part(_) | Content::Neither => None,
        }
    }
}

/// The name of the index of a bundle.
pub(super) fn index_name(bundle: &str) -> String {
    format!("policybundle-{bundle}")
}

fn part_name(bundle: &str, digest: Digest, at: usize) -> String {
    let hex = digest.hex();
    format!("policybundle-{bundle}-{}-{at}", hex.get(..16).unwrap_or(&hex))
}

/// The artifact that an index names, from its parts.
///
/// # Errors
/// In words, if something is missing or is not what the digest says.
pub(super) fn assemble(
    bundle: &str,
    kept: &BTreeMap<(String, String), Arc<Kept>>,
    namespace: &str,
) -> Option<Result<Artifact, String>> {
    let find = |name: String| kept.get(&(namespace.to_owned(), name)).filter(|it| it.bundle == bundle);
    let index = find(index_name(bundle))?;
    let Content::Index { digest, parts, manifest } = &index.content else {
        return Some(Err(format!("ConfigMap `{}` is no index of a bundle", index.name)));
    };
    let assembled = || {
        let digest: Digest = digest.parse().map_err(|_| format!("`{digest}` is no digest"))?;
        let mut archive = Vec::new();
        for at in 0..(*parts).min(LARGEST / PART + 1) {
            let name = part_name(bundle, digest, at);
            let part = find(name.clone()).ok_or_else(|| format!("ConfigMap `{name}` is missing"))?;
            let Content::Part(bytes) = &part.content else {
                return Err(format!("ConfigMap `{name}` is no part of a bundle"));
            };
            archive.extend_from_slice(bytes);
        }
        Artifact::from_parts(digest, manifest.clone(), archive.into()).map_err(|problem| problem.to_string())
    };
    Some(assembled().map_err(|problem| format!("what is stored of `{bundle}` cannot be used: {problem}")))
}

/// Stores an artifact: its parts, then the index. Who reads meanwhile has the old one whole.
///
/// # Errors
/// If it is too large or the API server does not take it.
pub(super) async fn write(
    client: &Client,
    namespace: &str,
    bundle: &str,
    artifact: &Artifact,
    about: &About,
) -> Result<(), ApiError> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let parts: Vec<&[u8]> = artifact.archive.chunks(PART).collect();
    for (at, bytes) in parts.iter().enumerate() {
        part(&api, bundle, part_name(bundle, artifact.digest, at), bytes).await?;
    }
    let name = index_name(bundle);
    let index = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": labels(bundle)},
        "data": {
            DIGEST: artifact.digest.to_string(),
            PARTS: parts.len().to_string(),
            NAME: about.name,
            VERSION: about.version.to_string(),
        },
        "binaryData": {MANIFEST: ByteString(artifact.manifest.to_vec())},
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    within(REQUEST_LIMIT, api.patch(&name, &params, &Patch::Apply(&index))).await.map(drop)
}

/// Makes one part. One of that name that holds something else is not ours any more.
async fn part(api: &Api<ConfigMap>, bundle: &str, name: String, bytes: &[u8]) -> Result<(), ApiError> {
    let content: BTreeMap<String, ByteString> = [(ARCHIVE.to_owned(), ByteString(bytes.to_vec()))].into();
    let wanted = ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            labels: Some(labels(bundle)),
            ..ObjectMeta::default()
        },
        binary_data: Some(content),
        immutable: Some(true),
        ..ConfigMap::default()
    };
    let params = PostParams::default();
    let create = || within(REQUEST_LIMIT, api.create(&params, &wanted));
    match create().await {
        Err(ApiError::Conflict(_)) => {}
        made => return made.map(drop),
    }
    let found = within(REQUEST_LIMIT, api.get(&name)).await?;
    let same = found.binary_data == wanted.binary_data
        && found.data.is_none()
        && found.metadata.labels.as_ref().and_then(|labels| labels.get(LABEL)).is_some_and(|it| it == bundle);
    if same {
        return Ok(());
    }
    delete(api, &name, found.metadata.uid.unwrap_or_default()).await?;
    create().await.map(drop)
}

/// Removes what nothing names any more.
///
/// # Errors
/// If the API server does not let it go.
pub(super) async fn remove(client: &Client, namespace: &str, kept: &Kept) -> Result<(), ApiError> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    delete(&api, &kept.name, kept.uid.clone()).await
}

async fn delete(api: &Api<ConfigMap>, name: &str, uid: String) -> Result<(), ApiError> {
    let preconditions = Some(Preconditions { uid: Some(uid), resource_version: None });
    let params = DeleteParams { preconditions, ..DeleteParams::default() };
    match within(REQUEST_LIMIT, api.delete(name, &params)).await {
        Ok(_) | Err(ApiError::NotFound(_) | ApiError::Conflict(_)) => Ok(()),
        Err(problem) => Err(problem),
    }
}

/// What of a bundle is no longer named by an index of this digest.
pub(super) fn is_left_over(kept: &Kept, digest: Digest) -> bool {
    let hex = digest.hex();
    let own = format!("policybundle-{}-{}-", kept.bundle, hex.get(..16).unwrap_or(&hex));
    kept.name != index_name(&kept.bundle) && !kept.name.starts_with(&own)
}

fn labels(bundle: &str) -> BTreeMap<String, String> {
    [
        (LABEL, bundle),
        ("app.kubernetes.io/name", "wayguard"),
        ("app.kubernetes.io/part-of", "wayguard"),
        ("app.kubernetes.io/component", "control"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}
