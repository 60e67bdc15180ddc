//! What scanners, builders and list makers said, in one shape each, whatever program wrote it.
//!
//! Nothing here decides: a scan that is old, or of a layout that nobody knows, is said to be so, and policies refuse
//! what is not said. What could not be read is absent, never zero.

pub mod cosign;
pub mod field;
pub mod grype;
pub mod provenance;
pub mod sarif;
pub mod sbom;
pub mod trivy;
pub mod vex;

use crate::evidence::Document;
use crate::verify::{Attestation, Verified};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// One look of a scanner at an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scan {
    /// From where it comes.
    pub source: Source,
    /// Whether an authority signed it; only then is it more than somebody's word.
    pub signed: bool,
    /// The authority that signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// The scanner's name, such as `trivy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scanner: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scanner_version: Option<String>,
    /// When its database was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_updated: Option<Timestamp>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// How many of each severity; absent where the scanner's layout is not known, which is not the same as none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// From where a scan comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// An attestation of cosign's or in-toto's type for vulnerabilities.
    Attestation,
    /// SARIF, attested or beside the image.
    Sarif,
    /// An object of trivy-operator in the cluster.
    VulnerabilityReport,
}

/// One vulnerability in one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Such as `CVE-2026-0001`.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// In which package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// In which version, which is in the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed: Option<String>,
    /// Since which version it is gone; absent: there is no fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
}

/// How bad a vulnerability is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The worst.
    Critical,
    /// Bad.
    High,
    /// Middling.
    Medium,
    /// Little, or negligible.
    Low,
    /// Nobody said.
    Unknown,
}

/// How many findings of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Critical ones.
    pub critical: u64,
    /// High ones.
    pub high: u64,
    /// Medium ones.
    pub medium: u64,
    /// Low ones.
    pub low: u64,
    /// Those of which nobody said how bad they are.
    pub unknown: u64,
}

impl Severity {
    /// By a scanner's word for it; a word that is not known is [`Self::Unknown`].
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "critical" => Self::Critical,
            "high" | "important" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" | "negligible" | "minor" => Self::Low,
            _ => Self::Unknown,
        }
    }

    /// By a CVSS base score, as CVSS 3.1 section 5 divides them.
    pub fn from_score(score: f64) -> Self {
        match score {
            score if score >= 9.0 => Self::Critical,
            score if score >= 7.0 => Self::High,
            score if score >= 4.0 => Self::Medium,
            score if score > 0.0 => Self::Low,
            _ => Self::Unknown,
        }
    }
}

impl Counts {
    /// Of these findings.
    pub fn of(findings: &[Finding]) -> Self {
        let mut out = Self::default();
        for finding in findings {
            *match finding.severity {
                Severity::Critical => &mut out.critical,
                Severity::High => &mut out.high,
                Severity::Medium => &mut out.medium,
                Severity::Low => &mut out.low,
                Severity::Unknown => &mut out.unknown,
            } += 1;
        }
        out
    }

    /// The larger of each: where a list and its own summary differ, the worse one counts.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self {
            critical: self.critical.max(other.critical),
            high: self.high.max(other.high),
            medium: self.medium.max(other.medium),
            low: self.low.max(other.low),
            unknown: self.unknown.max(other.unknown),
        }
    }
}

impl Scan {
    /// One of which nothing is known but where it comes from.
    pub(crate) fn from_source(source: Source) -> Self {
        Self {
            source,
            signed: false,
            authority: None,
            scanner: None,
            scanner_version: None,
            db_updated: None,
            started_at: None,
            finished_at: None,
            counts: None,
            findings: Vec::new(),
        }
    }

    /// With what was found, counted.
    pub(crate) fn found(mut self, findings: Vec<Finding>) -> Self {
        self.counts = Some(Counts::of(&findings));
        self.findings = findings;
        self
    }
}

/// All scans beside an image: those that were verified, and documents that nobody signed, marked so.
pub fn scans(verified: &Verified, documents: &[Document]) -> Vec<Scan> {
    let signed = verified.attestations.iter().filter_map(attested);
    let unsigned =
        documents.iter().filter(|document| document.media_type.contains("sarif")).flat_map(|document| {
            // What is no JSON is no scan; a policy that wants one refuses the image.
            serde_json::from_slice::<Value>(&document.bytes)
                .map_or_else(|_| Vec::new(), |value| sarif::read(&value))
        });
    signed.flatten().chain(unsigned).collect()
}

fn attested(attestation: &Attestation) -> Option<Vec<Scan>> {
    let predicate = attestation.predicate.as_ref();
    let scans = if cosign::is_type(&attestation.predicate_type) {
        vec![cosign::read(predicate)]
    } else if attestation.predicate_type.to_ascii_lowercase().contains("sarif") {
        sarif::read(predicate)
    } else {
        return None;
    };
    let by = |mut scan: Scan| {
        scan.signed = true;
        scan.authority = Some(attestation.signer.authority.clone());
        scan
    };
    Some(scans.into_iter().map(by).collect())
}

#[cfg(test)]
mod tests {
    use super::Severity::{Critical, High, Low, Medium, Unknown};
    use super::*;

    #[test]
    fn severities_by_word_and_score() {
        let words = ["CRITICAL", "High", "moderate", "Negligible", "", "whatever"].map(Severity::from_word);
        let scores = [9.8, 7.0, 4.0, 0.1, 0.0, f64::NAN].map(Severity::from_score);
        assert_eq!(words, [Critical, High, Medium, Low, Unknown, Unknown]);
        assert_eq!(scores, [Critical, High, Medium, Low, Unknown, Unknown]);
    }
}
