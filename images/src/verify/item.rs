//! One bundle or layer, read: what was signed, by which signature, and that it is about the image.

use crate::authority::Authority;
use crate::digest::Digest;
use crate::evidence::LegacyLayer;
use crate::verify::outcome::Content;
use crate::verify::statement::{PAYLOAD_TYPE, Statement};
use crate::verify::{Format, Limits, Reason, legacy, shape};
use bytes::Bytes;
use serde::Deserialize;
use sigstore_verify::types::{
    Bundle, HashAlgorithm, MediaType, MessageSignature, Sha256Hash, SignatureContent,
};
use std::borrow::Cow;

/// A bundle without its payload is a few hundred values, whatever it attests.
const BUNDLE_MEMORY: usize = 1 << 20;
const BUNDLE_DEPTH: usize = 32;

/// One bundle or layer that is about the image, by its own unproven word.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) format: Format,
    pub(super) signed: Signed,
    pub(super) signature: Vec<u8>,
    /// As the library wants it; a layer is made into one.
    pub(super) bundle: Bundle,
    /// The SHA-256 of what the library calls the artifact.
    pub(super) artifact: Digest,
    pub(super) statement: Option<Statement>,
}

/// What the signature is over.
#[derive(Debug)]
pub(super) enum Signed {
    /// The image's manifest, of which only the digest is here.
    Digest(Digest),
    /// The payload of a layer.
    Payload(Bytes),
    /// The bundle's envelope, in its encoding for signatures.
    Envelope,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    media_type: String,
}

impl Item {
    /// Reads a bundle that refers to the image.
    pub(super) fn from_bundle(bytes: &[u8], image: Digest, limits: &Limits) -> Result<Self, Reason> {
        let text = text(bytes, limits)?;
        shape::check(bytes, BUNDLE_MEMORY, BUNDLE_DEPTH)?;
        let malformed = |error: &dyn std::fmt::Display| Reason::Malformed(error.to_string());
        let versioned: Versioned = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        let media_type: MediaType = versioned.media_type.parse().map_err(|error| malformed(&error))?;
        if media_type != MediaType::Bundle0_3 {
            return Err(Reason::Version(versioned.media_type));
        }
        let bundle = Bundle::from_json(text).map_err(|error| malformed(&error))?;
        if bundle.media_type != MediaType::Bundle0_3 {
            return Err(Reason::Version(bundle.media_type.to_string()));
        }
        let material = &bundle.verification_material;
        few("log entries", material.tlog_entries.len(), limits)?;
        few("timestamps", material.timestamp_verification_data.rfc3161_timestamps.len(), limits)?;
        match &bundle.content {
            SignatureContent::MessageSignature(signature) => {
                let signature = over_digest(signature, image)?;
                let (format, signed) = (Format::Bundle, Signed::Digest(image));
                Ok(Self { format, signed, signature, bundle, artifact: image, statement: None })
            }
            SignatureContent::DsseEnvelope(_) => Self::over_envelope(Format::Bundle, bundle, image, limits),
            _ => Err(Reason::Unsupported("its content is neither a signature nor an envelope".to_owned())),
        }
    }

    /// Reads a layer of the layout before bundles.
    pub(super) fn from_layer(layer: &LegacyLayer, image: Digest, limits: &Limits) -> Result<Self, Reason> {
        legacy::read(layer, image, limits)
    }

    /// An envelope that holds a statement about the image.
    pub(super) fn over_envelope(
        format: Format,
        bundle: Bundle,
        image: Digest,
        limits: &Limits,
    ) -> Result<Self, Reason> {
        let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
            return Err(Reason::Unsupported("its content is no envelope".to_owned()));
        };
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(Reason::PayloadType(envelope.payload_type.chars().take(200).collect()));
        }
        let statement = Statement::read(envelope.payload.as_bytes(), image, limits)?;
        let signature = envelope.signature.sig.as_bytes().to_vec();
        let statement = Some(statement);
        Ok(Self { format, signed: Signed::Envelope, signature, bundle, artifact: image, statement })
    }

    /// The bytes that the signature is over; none where only their digest is known.
    pub(super) fn message(&self) -> Option<Cow<'_, [u8]>> {
        match (&self.signed, &self.bundle.content) {
            (Signed::Payload(payload), _) => Some(Cow::Borrowed(payload)),
            (Signed::Envelope, SignatureContent::DsseEnvelope(envelope)) => Some(Cow::Owned(envelope.pae())),
            _ => None,
        }
    }

    /// What the library verifies.
    pub(super) fn artifact(&self) -> Sha256Hash {
        Sha256Hash::new(*self.artifact.bytes())
    }

    /// What was signed, if the authority is believed with it; only asked once it is proven.
    pub(super) fn content(&self, authority: &Authority) -> Result<Content, Reason> {
        let Some(statement) = &self.statement else { return Ok(Content::Signature) };
        if statement.is_signature() {
            return Ok(Content::Signature);
        }
        let believed = &authority.predicate_types;
        if !believed.is_empty() && !believed.contains(&statement.predicate_type) {
            return Err(Reason::PredicateType(statement.predicate_type.clone()));
        }
        let SignatureContent::DsseEnvelope(envelope) = &self.bundle.content else {
            return Ok(Content::Signature);
        };
        let predicate = Statement::predicate(envelope.payload.as_bytes())?;
        Ok(Content::Attestation { predicate_type: statement.predicate_type.clone(), predicate })
    }
}

/// The signature of a manifest, unless it says that it is of another.
fn over_digest(signature: &MessageSignature, image: Digest) -> Result<Vec<u8>, Reason> {
    if let Some(said) = &signature.message_digest {
        let is_image =
            said.algorithm == HashAlgorithm::Sha2256 && said.digest.as_bytes() == image.bytes().as_slice();
        if !is_image {
            return Err(Reason::OtherDigest(vec![format!("{} {}", said.algorithm, said.digest.to_hex())]));
        }
    }
    Ok(signature.signature.as_bytes().to_vec())
}

/// As text, if it is one and not too long.
pub(super) fn text<'b>(bytes: &'b [u8], limits: &Limits) -> Result<&'b str, Reason> {
    if bytes.len() > limits.bytes {
        return Err(Reason::TooLarge { bytes: bytes.len(), limit: limits.bytes });
    }
    std::str::from_utf8(bytes).map_err(|error| Reason::Malformed(error.to_string()))
}

/// No more of it than is looked at.
pub(super) fn few(kind: &'static str, found: usize, limits: &Limits) -> Result<(), Reason> {
    if found > limits.evidence {
        return Err(Reason::TooMuchEvidence { kind, found, limit: limits.evidence });
    }
    Ok(())
}
