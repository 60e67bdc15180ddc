//! Writing to a registry (distribution specification, "push"): blobs in one piece, then manifests. For policy bundles
//! and what is signed here; images are pushed by those who build them.

use super::host::{Ask, encoded};
use super::http::Client;
use super::manifest::{Descriptor, IMAGE, INDEX, Index, Manifest};
use super::{LARGEST_MANIFEST, Problem, RegistryError, Repository, Source};
use crate::digest::Digest;
use bytes::Bytes;
use hyper::header::LOCATION;
use hyper::{Method, StatusCode};

impl Client {
    /// Writes a blob, unless it is there, and says what names it.
    ///
    /// # Errors
    /// If the registry does not take it.
    pub async fn push_blob(
        &self,
        to: &Repository,
        bytes: Bytes,
        media_type: &str,
    ) -> Result<Descriptor, RegistryError> {
        let digest = Digest::of(&bytes);
        let descriptor = described(&bytes, media_type);
        let what = format!("writing blob `{to}@{digest}`");
        let mut head = writing(to, Method::HEAD, format!("/v2/{}/blobs/{digest}", to.path()), what.clone());
        head.accept = "*/*";
        if self.write(head).await?.status.is_success() {
            return Ok(descriptor);
        }
        let started = self
            .write(writing(to, Method::POST, format!("/v2/{}/blobs/uploads/", to.path()), what.clone()))
            .await?;
        let location =
            started.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let path = upload_path(location).ok_or_else(|| {
            let reason = "it does not say where to write".to_owned();
            RegistryError::new(to.registry(), Problem::Malformed { what: what.clone(), reason })
        })?;
        let joint = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{joint}digest={}", encoded(&digest.to_string()));
        let ask = Ask {
            content_type: "application/octet-stream",
            body: bytes,
            ..writing(to, Method::PUT, path, what.clone())
        };
        let written = self.write(ask).await?;
        expect(to, &what, written.status, StatusCode::CREATED)?;
        Ok(descriptor)
    }

    /// Writes a manifest by its digest, or under a tag, and says what names it. Where it refers to another and the
    /// registry keeps no list of referrers, the tag that stands for the list is written too.
    ///
    /// # Errors
    /// If the registry does not take it.
    pub async fn push_manifest(
        &self,
        to: &Repository,
        manifest: &Manifest,
        tag: Option<&str>,
    ) -> Result<Descriptor, RegistryError> {
        let bytes = encode(to, manifest)?;
        let mut descriptor = described(&bytes, manifest.media_type.as_deref().unwrap_or(IMAGE));
        let name = tag.map_or_else(|| descriptor.digest.to_string(), ToOwned::to_owned);
        self.put_manifest(to, &name, bytes, &descriptor.media_type).await?;
        descriptor.artifact_type =
            manifest.artifact_type.clone().or(Some(manifest.config.media_type.clone()));
        descriptor.annotations = manifest.annotations.clone();
        if let Some(subject) = &manifest.subject
            && self.referrers(to, subject.digest).await?.is_none()
        {
            self.add_to_fallback(to, subject.digest, descriptor.clone()).await?;
        }
        Ok(descriptor)
    }

    async fn put_manifest(
        &self,
        to: &Repository,
        name: &str,
        body: Bytes,
        media_type: &str,
    ) -> Result<(), RegistryError> {
        let what = format!("writing manifest `{to}` as `{name}`");
        let path = format!("/v2/{}/manifests/{name}", to.path());
        let ask = Ask { content_type: media_type, body, ..writing(to, Method::PUT, path, what.clone()) };
        let written = self.write(ask).await?;
        expect(to, &what, written.status, StatusCode::CREATED)
    }

    /// "Referrers tag schema": an index under a tag that is made from the digest.
    async fn add_to_fallback(
        &self,
        to: &Repository,
        subject: Digest,
        descriptor: Descriptor,
    ) -> Result<(), RegistryError> {
        let tag = fallback_tag(subject);
        let mut index =
            Index { schema_version: 2, media_type: Some(INDEX.to_owned()), manifests: Vec::new() };
        if let Some(known) = self.manifest(to, &tag).await? {
            index = serde_json::from_slice(&known.bytes).map_err(|error| {
                let what = format!("`{to}:{tag}`");
                RegistryError::new(to.registry(), Problem::Malformed { what, reason: error.to_string() })
            })?;
        }
        if !index.manifests.iter().any(|known| known.digest == descriptor.digest) {
            index.manifests.push(descriptor);
            self.put_manifest(to, &tag, encode(to, &index)?, INDEX).await?;
        }
        Ok(())
    }
}

/// The tag that stands for a list of referrers (distribution specification, "referrers tag schema"); cosign's older
/// layout has its tags from it too.
pub fn fallback_tag(subject: Digest) -> String {
    format!("sha256-{}", subject.hex())
}

fn described(bytes: &Bytes, media_type: &str) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        artifact_type: None,
        annotations: std::collections::BTreeMap::new(),
        platform: None,
    }
}

fn encode(to: &Repository, value: &impl serde::Serialize) -> Result<Bytes, RegistryError> {
    let bytes = serde_json::to_vec(value).map_err(|error| {
        RegistryError::new(
            to.registry(),
            Problem::Malformed { what: "a manifest".to_owned(), reason: error.to_string() },
        )
    })?;
    Ok(bytes.into())
}

fn writing(to: &Repository, method: Method, path: String, what: String) -> Ask<'static> {
    let scope = format!("repository:{}:pull,push", to.path());
    Ask { method, ..Ask::read(path, what, scope, LARGEST_MANIFEST) }
}

fn expect(to: &Repository, what: &str, found: StatusCode, wanted: StatusCode) -> Result<(), RegistryError> {
    if found == wanted {
        return Ok(());
    }
    Err(RegistryError::new(to.registry(), Problem::Status { what: what.to_owned(), status: found.as_u16() }))
}

/// The path and query of where to write; the host is the one that was asked, whatever it says.
fn upload_path(location: &str) -> Option<String> {
    if location.starts_with('/') {
        return (!location.starts_with("//")).then(|| location.to_owned());
    }
    let url: hyper::Uri = location.parse().ok()?;
    url.path_and_query().map(ToString::to_string).filter(|path| path.starts_with('/') && path.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_stay_with_the_host_that_was_asked() {
        assert_eq!(upload_path("/v2/a/blobs/uploads/1?x=y").as_deref(), Some("/v2/a/blobs/uploads/1?x=y"));
        assert_eq!(upload_path("http://evil.example/v2/u/1").as_deref(), Some("/v2/u/1"));
        for bad in ["", "//evil.example/x", "nowhere"] {
            assert_eq!(upload_path(bad), None, "{bad}");
        }
    }
}
