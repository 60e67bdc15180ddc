//! The document that policies read as `input.facts.images[ref]`.
//!
//! Only what was verified is in it, but for scans that say `signed: false` and for `rejected`, which says why the
//! rest does not count. What is not known is absent: a policy that wants it refuses what lacks it.

use crate::evidence::Document;
use crate::reference::Reference;
use crate::scan::field::said;
use crate::scan::provenance::Provenance;
use crate::scan::sbom::Sbom;
use crate::scan::vex::VexStatement;
use crate::scan::{self, Scan};
use crate::verify::{Certificate, Format, Rejected, Requirement, Signer, Verified};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of one image.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageFacts {
    /// Its whole name by digest, the same for every way to write it; the object's own is the key under which policies
    /// have these facts.
    #[serde(rename = "ref")]
    pub reference: String,
    /// What it is.
    pub digest: String,
    /// Whether enough have signed, for each ImageAuthority that speaks of the image; empty: none does.
    pub authorities: Vec<Requirement>,
    /// Who signed it.
    pub signatures: Vec<SignatureFacts>,
    /// What was attested, by predicate type.
    pub attestations: BTreeMap<String, Vec<AttestationFacts>>,
    /// What scanners found.
    pub scans: Vec<Scan>,
    /// Which vulnerabilities do not matter, by authorities that are believed.
    pub vex: Vec<VexStatement>,
    /// Who built it, from what.
    pub provenance: Vec<Provenance>,
    /// Lists of what is in it.
    pub sboms: Vec<Sbom>,
    /// The image itself, where its configuration was fetched.
    #[serde(flatten)]
    pub image: Option<ImageConfig>,
    /// What does not count, and why.
    pub rejected: Vec<RejectedFacts>,
}

/// What an image says of itself, in its manifest and configuration; nobody signed it but who signed the digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageConfig {
    /// `linux/amd64` and others; several for an index.
    pub platforms: Vec<String>,
    /// When it was built; of several platforms, the oldest. What builders write where they know none (the years 1
    /// and 1970) is absent in facts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// Compressed bytes of its layers; of several platforms, the largest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// How it runs; of the first platform.
    pub config: RunConfig,
}

/// How an image runs if nobody says otherwise (OCI image-spec, `config.md`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunConfig {
    /// Labels, such as `org.opencontainers.image.base.name`.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// `user`, `uid` or `uid:gid`; absent: root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What is run.
    pub entrypoint: Vec<String>,
    /// With which arguments.
    pub cmd: Vec<String>,
    /// In which directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Such as `8080/tcp`.
    pub exposed_ports: Vec<String>,
    /// Names of its environment variables; never their values.
    pub environment: Vec<String>,
}

/// Who signed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureFacts {
    /// The ImageAuthority by which it counts.
    pub image_authority: String,
    /// And which of its authorities.
    pub authority: String,
    /// `bundle` or `legacy`.
    pub format: Format,
    /// The key's fingerprint; with a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Subject, issuer and claims of the certificate; keyless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Certificate>,
    /// In which transparency logs.
    pub logs: Vec<String>,
    /// When, by a log or a timestamp authority.
    pub times: Vec<Timestamp>,
}

/// What somebody attested.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttestationFacts {
    /// Who.
    #[serde(flatten)]
    pub signer: SignatureFacts,
    /// What.
    pub predicate: Arc<Value>,
}

/// Something that does not count.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedFacts {
    /// Which bundle or layer; absent: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Which ImageAuthority refused it; absent: it cannot count for anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_authority: Option<String>,
    /// Which of its authorities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// Why, in one word, such as `wrong-key`.
    pub reason: &'static str,
    /// Why, for people.
    pub message: String,
}

impl ImageFacts {
    /// From a verdict, documents that nobody signed, scans of the cluster (marked as not signed), and the image's
    /// configuration if it was fetched.
    pub fn new(
        reference: &Reference,
        verified: &Verified,
        documents: &[Document],
        reports: impl IntoIterator<Item = Scan>,
        image: Option<ImageConfig>,
    ) -> Self {
        let mut attestations: BTreeMap<String, Vec<AttestationFacts>> = BTreeMap::new();
        for attestation in &verified.attestations {
            let facts = AttestationFacts {
                signer: SignatureFacts::of(&attestation.signer),
                predicate: Arc::clone(&attestation.predicate),
            };
            attestations.entry(attestation.predicate_type.clone()).or_default().push(facts);
        }
        let reports = reports.into_iter().map(|report| Scan { signed: false, authority: None, ..report });
        Self {
            reference: reference.written().to_owned(),
            digest: verified.digest.to_string(),
            authorities: verified.required.clone(),
            signatures: verified.signatures.iter().map(|one| SignatureFacts::of(&one.signer)).collect(),
            attestations,
            scans: scan::scans(verified, documents).into_iter().chain(reports).collect(),
            vex: scan::vex::statements(verified),
            provenance: scan::provenance::all(verified),
            sboms: scan::sbom::all(verified),
            image: image.map(|image| ImageConfig { created: image.created.filter(said), ..image }),
            rejected: verified.rejected.iter().map(RejectedFacts::of).collect(),
        }
    }

    /// As the engine is given it.
    pub fn to_value(&self) -> Value {
        // Texts, numbers, lists and maps of texts: JSON can always hold them.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl SignatureFacts {
    fn of(signer: &Signer) -> Self {
        Self {
            image_authority: signer.image_authority.clone(),
            authority: signer.authority.clone(),
            format: signer.format,
            key: signer.key.map(|key| key.to_string()),
            identity: signer.certificate.clone(),
            logs: signer.logs.clone(),
            times: signer.times.clone(),
        }
    }
}

impl RejectedFacts {
    fn of(rejected: &Rejected) -> Self {
        let (image_authority, authority) = rejected.authority.clone().unzip();
        Self {
            what: rejected.what.as_ref().map(ToString::to_string),
            image_authority,
            authority,
            reason: rejected.reason.code(),
            message: rejected.reason.to_string(),
        }
    }
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
