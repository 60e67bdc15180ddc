//! What one judgement yields, and the library's errors in our words.

use crate::authority::{Authority, spec::Wanted};
use crate::digest::Digest;
use crate::trust::TrustRoot;
use crate::verify::item::Item;
use crate::verify::verified::Certificate;
use crate::verify::{Format, Reason};
use jiff::Timestamp;
use serde_json::Value;
use sigstore_verify::bundle::Error as BundleError;
use sigstore_verify::types::bundle::TimestampVerificationData;
use sigstore_verify::types::{Bundle, TransparencyLogEntry};
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};
use std::borrow::Cow;

/// Who signed, and what was proven beside it.
#[derive(Debug, Default)]
pub(super) struct Proof {
    pub(super) key: Option<Digest>,
    pub(super) certificate: Option<Certificate>,
    pub(super) logs: Vec<String>,
    pub(super) times: Vec<Timestamp>,
}

/// What was signed.
#[derive(Debug)]
pub(super) enum Content {
    /// The image, and nothing more is said.
    Signature,
    /// Something about the image.
    Attestation { predicate_type: String, predicate: Value },
}

/// The bundle with only that evidence in it which the authority looks at, all of which must be good.
///
/// The library takes a bundle in which one entry of several has a proof; here each must have one, but for the
/// layout before bundles, which never carries any.
pub(super) fn wanted<'i>(item: &'i Item, authority: &Authority) -> Result<Cow<'i, Bundle>, Reason> {
    let mut bundle = Cow::Borrowed(&item.bundle);
    let has = authority.root.as_ref().map(|root| root.has());
    let looked_at = |wanted: Wanted, known: bool| match wanted {
        Wanted::Required => true,
        Wanted::Optional => known,
        Wanted::Off => false,
    };
    let entries = !bundle.verification_material.tlog_entries.is_empty();
    if entries && !looked_at(authority.log, has.is_some_and(|has| has.logs)) {
        bundle.to_mut().verification_material.tlog_entries.clear();
    }
    let stamps =
        bundle.verification_material.timestamp_verification_data != TimestampVerificationData::default();
    if stamps && !looked_at(authority.timestamps, has.is_some_and(|has| has.timestamps)) {
        bundle.to_mut().verification_material.timestamp_verification_data =
            TimestampVerificationData::default();
    }
    let material = &bundle.verification_material;
    if authority.log == Wanted::Required && material.tlog_entries.is_empty() {
        return Err(Reason::NoLog);
    }
    let unproven = |entry: &TransparencyLogEntry| match item.format {
        Format::Bundle => entry.inclusion_proof.is_none(),
        Format::Legacy => entry.inclusion_proof.is_none() && entry.inclusion_promise.is_none(),
    };
    if material.tlog_entries.iter().any(unproven) {
        return Err(Reason::NoProof);
    }
    let timestamps = &material.timestamp_verification_data.rfc3161_timestamps;
    if authority.timestamps == Wanted::Required && timestamps.is_empty() {
        return Err(Reason::NoTimestamp);
    }
    Ok(bundle)
}

/// The logs in which a verified bundle is, by whose key signed.
pub(super) fn logs(bundle: &Bundle, root: &TrustRoot, now: Timestamp) -> Vec<String> {
    let log = |entry: &TransparencyLogEntry| match &entry.inclusion_proof {
        Some(proof) => root.log_of_checkpoint(proof.checkpoint.checkpoint()?, now).map(str::to_owned),
        None => root.log_of_identifier(&entry.log_id.key_id).map(str::to_owned),
    };
    let mut logs: Vec<String> = bundle.verification_material.tlog_entries.iter().filter_map(log).collect();
    logs.sort();
    logs.dedup();
    logs
}

/// The library's error in our words. Some say less than could be known, and the bundle says the rest; nothing in
/// here makes anything count.
pub(super) fn reason(error: Error, bundle: &Bundle, root: &TrustRoot, now: Timestamp) -> Reason {
    let entries = &bundle.verification_material.tlog_entries;
    let unknown_log = || entries.iter().any(|entry| root.log_of_identifier(&entry.log_id.key_id).is_none());
    match error {
        Error::SignatureInvalid(cause) => Reason::Signature(cause),
        // What it is about was compared before; so it is the log's entry that is about something else.
        Error::ArtifactMismatch(cause) => Reason::Entry(cause),
        Error::Certificate(error) => certificate(error),
        Error::TransparencyLog(error) => match error {
            TransparencyLogError::UnknownLog { .. } => Reason::UnknownLog,
            TransparencyLogError::Checkpoint(_) | TransparencyLogError::InclusionPromise(_)
                if unknown_log() =>
            {
                Reason::UnknownLog
            }
            TransparencyLogError::InclusionProof(cause) => Reason::Proof(cause),
            TransparencyLogError::Checkpoint(cause) => Reason::Checkpoint(cause),
            TransparencyLogError::InclusionPromise(cause) => Reason::Promise(cause),
            TransparencyLogError::EntryMismatch(cause) => Reason::Entry(cause),
            TransparencyLogError::IntegratedTime(cause) => {
                let ahead = entries.iter().filter_map(|entry| entry.integrated_time).find(|time| *time > now);
                ahead.map_or(Reason::LogTime(cause), |time| Reason::Clock { time, now })
            }
            TransparencyLogError::MalformedEntry(cause) => Reason::Entry(cause),
            other => Reason::Entry(other.to_string()),
        },
        Error::Timestamp(error) => match error {
            TimestampError::Invalid(cause) => Reason::Timestamp(cause),
            TimestampError::OutsideAuthorityValidity { time } => Reason::TimestampWindow(time),
            TimestampError::NoVerifiedTimestamp(cause) => Reason::NoTime(cause),
            other => Reason::Timestamp(other.to_string()),
        },
        Error::Bundle(error) => match error {
            BundleError::MissingInclusionProof(_) => Reason::NoProof,
            BundleError::MissingSigningTimeEvidence | BundleError::MissingTimestamp => {
                Reason::NoTime(error.to_string())
            }
            BundleError::CheckpointRootMismatch | BundleError::MissingCheckpoint => {
                Reason::Checkpoint(error.to_string())
            }
            BundleError::LogIndexOutOfRange { .. } => Reason::Proof(error.to_string()),
            other => Reason::Malformed(other.to_string()),
        },
        Error::UnsupportedBundle(cause) | Error::UnsupportedArtifact(cause) => Reason::Unsupported(cause),
        other => Reason::Malformed(other.to_string()),
    }
}

fn certificate(error: CertificateError) -> Reason {
    match error {
        CertificateError::Malformed(cause) => Reason::Certificate(cause),
        CertificateError::NotYetValid { .. } | CertificateError::Expired { .. } => {
            Reason::CertificateTime(error.to_string())
        }
        // The path builder looks at times first, so that its word for them arrives as one about the chain.
        CertificateError::ChainInvalid(cause)
            if cause.contains("CertExpired") || cause.contains("CertNotValidYet") =>
        {
            Reason::CertificateTime(cause)
        }
        CertificateError::ChainInvalid(cause) => Reason::Untrusted(cause),
        CertificateError::NoValidAuthority { .. } => Reason::Untrusted(error.to_string()),
        CertificateError::Sct(cause) => Reason::Sct(cause),
        other => Reason::Certificate(other.to_string()),
    }
}
