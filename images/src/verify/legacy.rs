//! cosign's layout before bundles: a layer with its signature, certificate and log entry in annotations, made into
//! the bundle that it would be today, so that the same rules verify it.
//!
//! The layout is that of cosign `specs/SIGNATURE_SPEC.md`; an entry carries the log's promise (SET) and no proof.

use crate::digest::Digest;
use crate::evidence::{LegacyKind, LegacyLayer};
use crate::verify::item::{Item, Signed, few, text};
use crate::verify::{Format, Limits, Reason, shape};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sigstore_verify::types::bundle::{
    InclusionPromise, LogId, PublicKeyIdentifier, Rfc3161Timestamp, TimestampVerificationData,
    VerificationMaterial, VerificationMaterialContent, X509Certificate,
};
use sigstore_verify::types::{
    Bundle, CanonicalizedBody, DerCertificate, DigestBytes, DsseEnvelope, HashAlgorithm, KindVersion,
    LogIndex, LogKeyId, MediaType, MessageDigest, MessageSignature, SignatureBytes, SignatureContent,
    SignedTimestamp, TimestampToken, TransparencyLogEntry,
};
use x509_parser::pem::Pem;

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const BUNDLE: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
/// How cosign calls what it signs.
const SIMPLE_SIGNING: &str = "cosign container image signature";
const DEPTH: usize = 32;
const MEMORY: usize = 1 << 20;

/// `simple signing`: what is signed in a layer of `.sig`.
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// The annotation with the log's entry.
#[derive(Deserialize)]
struct Logged {
    #[serde(rename = "SignedEntryTimestamp")]
    promise: SignedTimestamp,
    #[serde(rename = "Payload")]
    payload: LoggedPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggedPayload {
    body: CanonicalizedBody,
    integrated_time: i64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryKind {
    kind: String,
    api_version: String,
}

#[derive(Deserialize)]
struct Stamped {
    #[serde(rename = "SignedRFC3161Timestamp")]
    token: TimestampToken,
}

/// Reads a layer.
pub(super) fn read(layer: &LegacyLayer, image: Digest, limits: &Limits) -> Result<Item, Reason> {
    let payload = text(&layer.payload, limits)?;
    let annotated: usize = layer.annotations.values().map(String::len).sum();
    if annotated > limits.bytes {
        return Err(Reason::TooLarge { bytes: annotated, limit: limits.bytes });
    }
    let material = material(layer, limits)?;
    // Without an entry there is no promise, which version 0.1 must have; the rules are otherwise the same.
    let version = if material.tlog_entries.is_empty() { MediaType::Bundle0_2 } else { MediaType::Bundle0_1 };
    match layer.kind {
        LegacyKind::Signature => {
            about(payload, image)?;
            let signature = layer
                .annotations
                .get(SIGNATURE)
                .and_then(|text| STANDARD.decode(text).ok())
                .ok_or_else(|| Reason::Malformed(format!("it has no base64 in `{SIGNATURE}`")))?;
            let artifact = Digest::of(&layer.payload);
            let said =
                MessageDigest::new(HashAlgorithm::Sha2256, DigestBytes::new(artifact.bytes().to_vec()));
            let content =
                MessageSignature::new(SignatureBytes::from_bytes(&signature)).with_message_digest(said);
            Ok(Item {
                format: Format::Legacy,
                signed: Signed::Payload(layer.payload.clone()),
                signature,
                bundle: Bundle::new(version, material, SignatureContent::MessageSignature(content)),
                artifact,
                statement: None,
            })
        }
        LegacyKind::Attestation => {
            shape::check(&layer.payload, MEMORY, DEPTH)?;
            let envelope: DsseEnvelope = parsed(payload)?;
            let bundle = Bundle::new(version, material, SignatureContent::DsseEnvelope(envelope));
            Item::over_envelope(Format::Legacy, bundle, image, limits)
        }
    }
}

/// A payload names the image's digest; the name of its repository is whatever it was when it was signed, and cosign
/// does not compare it either.
fn about(payload: &str, image: Digest) -> Result<(), Reason> {
    shape::check(payload.as_bytes(), MEMORY, DEPTH)?;
    let Payload { critical } = parsed(payload)?;
    if critical.kind != SIMPLE_SIGNING {
        return Err(Reason::PayloadType(critical.kind.chars().take(200).collect()));
    }
    let digest: Digest = critical
        .image
        .digest
        .parse()
        .map_err(|error: crate::digest::NotADigest| Reason::Malformed(error.to_string()))?;
    if digest == image { Ok(()) } else { Err(Reason::other_digest([digest])) }
}

fn material(layer: &LegacyLayer, limits: &Limits) -> Result<VerificationMaterial, Reason> {
    let certificate = layer.annotations.get(CERTIFICATE).filter(|text| !text.trim().is_empty());
    let content = match certificate {
        Some(leaf) => {
            let mut certificates = certificates(leaf, limits)?;
            if certificates.len() != 1 {
                return Err(Reason::Malformed(format!("`{CERTIFICATE}` is not one certificate")));
            }
            if let Some(chain) = layer.annotations.get(CHAIN) {
                certificates.extend(self::certificates(chain, limits)?);
            }
            VerificationMaterialContent::X509CertificateChain { certificates }
        }
        None => VerificationMaterialContent::PublicKey(PublicKeyIdentifier::new("")),
    };
    let mut material = VerificationMaterial::new(content);
    if let Some(logged) = annotation(layer, BUNDLE)? {
        material = material.with_tlog_entries(vec![entry(logged)?]);
    }
    if let Some(stamped) = annotation::<Stamped>(layer, TIMESTAMP)? {
        let stamps = vec![Rfc3161Timestamp::new(stamped.token)];
        material = material.with_timestamp_verification_data(TimestampVerificationData::new(stamps));
    }
    Ok(material)
}

fn annotation<T: for<'de> Deserialize<'de>>(layer: &LegacyLayer, name: &str) -> Result<Option<T>, Reason> {
    let text = layer.annotations.get(name).filter(|text| !text.trim().is_empty() && text.trim() != "null");
    text.map(|text| {
        shape::check(text.as_bytes(), MEMORY, DEPTH)?;
        parsed(text)
    })
    .transpose()
}

fn entry(logged: Logged) -> Result<TransparencyLogEntry, Reason> {
    let malformed = |error: &dyn std::fmt::Display| Reason::Entry(error.to_string());
    let LoggedPayload { body, integrated_time, log_index, log_id } = logged.payload;
    shape::check(body.as_bytes(), MEMORY, DEPTH)?;
    let EntryKind { kind, api_version } =
        serde_json::from_slice(body.as_bytes()).map_err(|error| malformed(&error))?;
    let kind = match (kind.as_str(), api_version.as_str()) {
        ("hashedrekord", "0.0.1") => KindVersion::HashedRekordV001,
        ("dsse", "0.0.1") => KindVersion::DsseV001,
        ("intoto", "0.0.2") => KindVersion::IntotoV002,
        _ => return Err(Reason::Unsupported(format!("an entry of `{kind}` {api_version}"))),
    };
    let log_id: Digest = format!("sha256:{log_id}").parse().map_err(|error| malformed(&error))?;
    let time = jiff::Timestamp::from_second(integrated_time).map_err(|error| malformed(&error))?;
    let index = LogIndex::new(log_index).map_err(|error| malformed(&error))?;
    let log = LogId::new(LogKeyId::from_bytes(log_id.bytes()));
    Ok(TransparencyLogEntry::new(index, log, kind, body)
        .with_integrated_time(time)
        .with_inclusion_promise(InclusionPromise::new(logged.promise)))
}

fn certificates(pem: &str, limits: &Limits) -> Result<Vec<X509Certificate>, Reason> {
    let blocks: Vec<Pem> = Pem::iter_from_buffer(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| Reason::Certificate(error.to_string()))?;
    few("certificates", blocks.len(), limits)?;
    Ok(blocks.into_iter().map(|block| X509Certificate::new(DerCertificate::new(block.contents))).collect())
}

fn parsed<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Reason> {
    serde_json::from_str(text).map_err(|error| Reason::Malformed(error.to_string()))
}
