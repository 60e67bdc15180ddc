//! What a registry said of an image. Nothing in here is trusted: it is what verification starts from.

use crate::digest::Digest;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Everything that was found beside one image.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Of the manifest or index that the reference names; computed from the bytes, not taken from a header.
    pub digest: Digest,
    /// Layers of `application/vnd.dev.sigstore.bundle.v0.3+json` (or another version; what the bundle itself says
    /// counts) in manifests that refer to the digest.
    pub bundles: Vec<Bytes>,
    /// Layers under the tags `sha256-<hex>.sig` and `.att`, cosign's layout before bundles.
    pub legacy: Vec<LegacyLayer>,
    /// Layers of referrers that are no signatures and are believed by nobody unless an attestation says the same:
    /// SARIF and others, by media type.
    pub documents: Vec<Document>,
}

/// One layer of cosign's layout before bundles (cosign `specs/SIGNATURE_SPEC.md`).
#[derive(Clone, Debug)]
pub struct LegacyLayer {
    /// Under which tag it was.
    pub kind: LegacyKind,
    /// The layer's bytes: a simple-signing payload, or a DSSE envelope.
    pub payload: Bytes,
    /// The layer descriptor's annotations: `dev.cosignproject.cosign/signature`, `dev.sigstore.cosign/certificate`,
    /// `…/chain`, `…/bundle`, `…/rfc3161timestamp`.
    pub annotations: BTreeMap<String, String>,
}

/// The two tags of the layout before bundles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyKind {
    /// `.sig`: the payload is signed as it is.
    Signature,
    /// `.att`: the payload is a DSSE envelope.
    Attestation,
}

/// A layer that nobody signed.
#[derive(Clone, Debug)]
pub struct Document {
    /// The layer's media type, such as `application/sarif+json`.
    pub media_type: String,
    /// The layer's bytes.
    pub bytes: Bytes,
}
