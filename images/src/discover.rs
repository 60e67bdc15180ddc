//! Everything that is found beside an image: what refers to it, and the tags of cosign's older layout.
//!
//! That something does not exist is only concluded from a registry that says so (404): one that is busy or forbids is
//! an error, or an image whose signature could not be asked for would look like one that has none.

use crate::digest::Digest;
use crate::evidence::{Document, Evidence, LegacyKind, LegacyLayer};
use crate::reference::Reference;
use crate::registry::manifest::{Content, Descriptor, Index, Manifest};
use crate::registry::{
    Fetched, LARGEST_BLOB, MOST_REFERRERS, Problem, RegistryError, Repository, Source, fallback_tag,
};
use bytes::Bytes;
use futures::stream::{StreamExt, TryStreamExt, iter};

/// Manifests and blobs that are fetched at a time for one image.
const AT_ONCE: usize = 4;
/// The most layers that a signature's manifest may have; cosign adds one with each signature.
const MOST_LAYERS: usize = 64;
/// What everything beside one image may weigh together, in bytes.
const LARGEST_EVIDENCE: u64 = 32 << 20;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// Documents that nobody need have signed to be of use.
const DOCUMENTS: [&str; 1] = ["application/sarif+json"];

/// An image's manifest or index, or `None` if the registry has none of that name.
///
/// # Errors
/// If the registry could not be asked, or what it gives cannot be read.
pub async fn manifest(
    source: &dyn Source,
    reference: &Reference,
) -> Result<Option<(Fetched, Content)>, RegistryError> {
    let of = Repository::of(reference);
    let Some(fetched) = source.manifest(&of, &reference.asked()).await? else { return Ok(None) };
    let content = read(&of, &fetched.bytes, &format!("`{reference}`"))?;
    Ok(Some((fetched, content)))
}

/// Everything beside the image of that digest.
///
/// # Errors
/// If the registry could not be asked for all of it, or it is more than is looked at.
pub async fn evidence(
    source: &dyn Source,
    of: &Repository,
    digest: Digest,
) -> Result<Evidence, RegistryError> {
    let mut found = Evidence { digest, bundles: Vec::new(), legacy: Vec::new(), documents: Vec::new() };
    let mut budget = LARGEST_EVIDENCE;
    let descriptors = referrers(source, of, digest).await?;
    let manifests: Vec<Option<Manifest>> = iter(descriptors)
        .map(|descriptor| async move { referrer(source, of, descriptor.digest).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let about = manifests.into_iter().flatten().filter(|manifest| {
        // What the registry lists and the manifest denies refers to something else.
        manifest.subject.as_ref().is_none_or(|subject| subject.digest == digest)
    });
    let layers: Vec<Descriptor> = about.flat_map(|manifest| manifest.layers).filter(is_wanted).collect();
    let layers = fetched(source, of, layers, &mut budget).await?;
    for (layer, bytes) in layers {
        if layer.media_type.starts_with(BUNDLE) {
            found.bundles.push(bytes);
        } else {
            found.documents.push(Document { media_type: layer.media_type, bytes });
        }
    }
    for (suffix, kind) in [("sig", LegacyKind::Signature), ("att", LegacyKind::Attestation)] {
        let tag = format!("{}.{suffix}", fallback_tag(digest));
        let Some(manifest) = source.manifest(of, &tag).await? else { continue };
        let Content::Image(manifest) = read(of, &manifest.bytes, &format!("`{of}:{tag}`"))? else { continue };
        for (layer, payload) in fetched(source, of, manifest.layers, &mut budget).await? {
            found.legacy.push(LegacyLayer { kind, payload, annotations: layer.annotations });
        }
    }
    Ok(found)
}

fn is_wanted(layer: &Descriptor) -> bool {
    layer.media_type.starts_with(BUNDLE) || DOCUMENTS.contains(&layer.media_type.as_str())
}

/// What refers to a digest: the registry's list, or where it has none, the tag that stands for it.
async fn referrers(
    source: &dyn Source,
    of: &Repository,
    digest: Digest,
) -> Result<Vec<Descriptor>, RegistryError> {
    if let Some(listed) = source.referrers(of, digest).await? {
        return Ok(listed);
    }
    let tag = fallback_tag(digest);
    let Some(fetched) = source.manifest(of, &tag).await? else { return Ok(Vec::new()) };
    match read(of, &fetched.bytes, &format!("`{of}:{tag}`"))? {
        Content::Index(Index { manifests, .. }) if manifests.len() <= MOST_REFERRERS => Ok(manifests),
        Content::Index(_) => {
            let problem = Problem::TooMany { what: format!("`{of}@{digest}`"), limit: MOST_REFERRERS };
            Err(RegistryError::new(of.registry(), problem))
        }
        Content::Image(_) => Ok(Vec::new()),
    }
}

/// The manifest of something that refers to an image; `None`: it is gone since it was listed, or it is a list.
async fn referrer(
    source: &dyn Source,
    of: &Repository,
    digest: Digest,
) -> Result<Option<Manifest>, RegistryError> {
    let Some(fetched) = source.manifest(of, &digest.to_string()).await? else { return Ok(None) };
    match read(of, &fetched.bytes, &format!("`{of}@{digest}`"))? {
        Content::Image(manifest) => Ok(Some(*manifest)),
        Content::Index(_) => Ok(None),
    }
}

/// The bytes of layers, in their order; those that are not there are left out, for a signature that is not there
/// vouches for nothing.
async fn fetched(
    source: &dyn Source,
    of: &Repository,
    layers: Vec<Descriptor>,
    budget: &mut u64,
) -> Result<Vec<(Descriptor, Bytes)>, RegistryError> {
    let too_large =
        |what: String, limit: usize| RegistryError::new(of.registry(), Problem::TooLarge { what, limit });
    if layers.len() > MOST_LAYERS {
        let problem = Problem::TooMany { what: format!("what vouches in `{of}`"), limit: MOST_LAYERS };
        return Err(RegistryError::new(of.registry(), problem));
    }
    for layer in &layers {
        if layer.size > LARGEST_BLOB as u64 {
            return Err(too_large(format!("`{of}@{}`", layer.digest), LARGEST_BLOB));
        }
        *budget = budget.checked_sub(layer.size).ok_or_else(|| {
            let limit = usize::try_from(LARGEST_EVIDENCE).unwrap_or(usize::MAX);
            too_large(format!("what vouches for an image in `{of}`, together,"), limit)
        })?;
    }
    let digests: Vec<Digest> = layers.iter().map(|layer| layer.digest).collect();
    let bytes: Vec<Option<Bytes>> = iter(digests)
        .map(|digest| async move { source.blob(of, digest).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(layers.into_iter().zip(bytes).filter_map(|(layer, bytes)| Some((layer, bytes?))).collect())
}

pub(crate) fn read(of: &Repository, bytes: &[u8], what: &str) -> Result<Content, RegistryError> {
    Content::read(bytes).map_err(|reason| {
        RegistryError::new(of.registry(), Problem::Malformed { what: what.to_owned(), reason })
    })
}
