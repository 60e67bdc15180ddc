//! Trivy's report (`trivy image --format json`), and trivy-operator's object with the same in the cluster.

use crate::digest::Digest;
use crate::scan::field::{items, text, time};
use crate::scan::{Counts, Finding, Scan, Severity, Source};
use serde_json::Value;

/// What a report found; none: it is not Trivy's, or something in it has no name.
pub(super) fn findings(report: &Value) -> Option<Vec<Finding>> {
    let results = match report.get("Results") {
        Some(results) => results.as_array()?.as_slice(),
        // An image without anything to look at has a report without results.
        None if report.get("SchemaVersion").is_some() && report.get("ArtifactName").is_some() => &[],
        None => return None,
    };
    let found = |result| items(result, "/Vulnerabilities");
    let finding = |found: &Value| {
        Some(Finding {
            id: text(found, "/VulnerabilityID")?,
            severity: severity(found, "/Severity"),
            package: text(found, "/PkgName"),
            installed: text(found, "/InstalledVersion"),
            fixed: text(found, "/FixedVersion"),
        })
    };
    results.iter().flat_map(found).map(finding).collect()
}

fn severity(found: &Value, pointer: &str) -> Severity {
    text(found, pointer).map_or(Severity::Unknown, |word| Severity::from_word(&word))
}

/// Reads a `VulnerabilityReport` (aquasecurity.github.io/v1alpha1): the digest that it is about, if it says one, and
/// the scan. Nobody signed it; it is as good as the rights in the cluster are.
pub fn read_report(object: &Value) -> (Option<Digest>, Scan) {
    let mut scan = Scan::from_source(Source::VulnerabilityReport);
    scan.scanner = text(object, "/report/scanner/name").map(|name| name.to_lowercase());
    scan.scanner_version = text(object, "/report/scanner/version");
    scan.finished_at = time(object, "/report/updateTimestamp");
    let finding = |found: &Value| {
        Some(Finding {
            id: text(found, "/vulnerabilityID")?,
            severity: severity(found, "/severity"),
            package: text(found, "/resource"),
            installed: text(found, "/installedVersion"),
            fixed: text(found, "/fixedVersion"),
        })
    };
    let listed = object.pointer("/report/vulnerabilities").and_then(Value::as_array);
    let findings: Option<Vec<Finding>> = listed.and_then(|list| list.iter().map(finding).collect());
    let summary = summary(object);
    if let Some(findings) = findings {
        scan = scan.found(findings);
    }
    scan.counts = match (scan.counts, summary) {
        (Some(counted), Some(summary)) => Some(counted.worse(summary)),
        (counted, summary) => counted.or(summary),
    };
    (text(object, "/report/artifact/digest").and_then(|digest| digest.parse().ok()), scan)
}

fn summary(object: &Value) -> Option<Counts> {
    let count = |name: &str| object.pointer(&format!("/report/summary/{name}Count")).and_then(Value::as_u64);
    Some(Counts {
        critical: count("critical")?,
        high: count("high")?,
        medium: count("medium")?,
        low: count("low")?,
        unknown: count("unknown").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(summary: &Value, vulnerabilities: &Value) -> Value {
        json!({
            "apiVersion": "aquasecurity.github.io/v1alpha1",
            "kind": "VulnerabilityReport",
            "report": {
                "artifact": {"digest": Digest::of(b"image").to_string(), "repository": "team/app"},
                "scanner": {"name": "Trivy", "version": "0.69.0"},
                "updateTimestamp": "2026-11-22T12:00:00Z",
                "summary": summary,
                "vulnerabilities": vulnerabilities,
            },
        })
    }

    #[test]
    fn a_report_of_the_operator_is_read() {
        let summary = json!({"criticalCount": 1, "highCount": 0, "mediumCount": 0, "lowCount": 0});
        let found = json!([{"vulnerabilityID": "CVE-1", "severity": "HIGH", "resource": "zlib", "fixedVersion": "2"}]);
        let (digest, scan) = read_report(&report(&summary, &found));
        assert_eq!(digest, Some(Digest::of(b"image")));
        assert!(!scan.signed);
        assert_eq!(
            scan.counts,
            Some(Counts { critical: 1, high: 1, ..Counts::default() }),
            "the worse of both"
        );
        assert_eq!(scan.finished_at.unwrap().to_string(), "2026-11-22T12:00:00Z");
        assert_eq!(scan.findings[0].package.as_deref(), Some("zlib"));
    }

    #[test]
    fn a_report_without_counts_and_list_has_none() {
        let (_, scan) = read_report(&report(&json!({}), &json!(null)));
        assert_eq!(scan.counts, None);
        assert_eq!(read_report(&json!({})).0, None);
    }
}
