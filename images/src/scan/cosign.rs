//! Attested scans: cosign's predicate for vulnerabilities (COSIGN_VULN_ATTESTATION_SPEC.md), whose `result` is
//! whatever the scanner writes, and in-toto's, whose `result` is a list.

use crate::scan::field::{items, text, time};
use crate::scan::{Finding, Scan, Severity, Source, grype, trivy};
use serde_json::Value;

const TYPES: [&str; 3] = [
    "https://cosign.sigstore.dev/attestation/vuln/v1",
    "cosign.sigstore.dev/attestation/vuln/v1",
    "https://in-toto.io/attestation/vulns",
];

/// Whether a predicate of this type is a scan.
pub fn is_type(predicate_type: &str) -> bool {
    TYPES.iter().any(|known| {
        let rest = predicate_type.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Reads a predicate.
pub fn read(predicate: &Value) -> Scan {
    let mut scan = Scan::from_source(Source::Attestation);
    let at = |names: [&str; 2]| names.into_iter().find_map(|name| time(predicate, name));
    scan.scanner_version = text(predicate, "/scanner/version");
    scan.db_updated = time(predicate, "/scanner/db/lastUpdate");
    scan.started_at = at(["/metadata/scanStartedOn", "/metadata/scan_started_on"]);
    scan.finished_at = at(["/metadata/scanFinishedOn", "/metadata/scan_finished_on"]);
    let result = predicate.pointer("/scanner/result").unwrap_or(&Value::Null);
    let (name, findings) = if let Some(findings) = trivy::findings(result) {
        (Some("trivy"), Some(findings))
    } else if let Some(findings) = grype::findings(result) {
        (Some("grype"), Some(findings))
    } else {
        (None, listed(result))
    };
    scan.scanner = name.map(str::to_owned).or_else(|| text(predicate, "/scanner/uri"));
    scan.scanner_version = scan.scanner_version.or_else(|| text(result, "/descriptor/version"));
    scan.db_updated = scan.db_updated.or_else(|| grype::database(result));
    match findings {
        Some(findings) => scan.found(findings),
        None => scan,
    }
}

/// in-toto's list. A severity is given by several methods, and the worst of them counts.
fn listed(result: &Value) -> Option<Vec<Finding>> {
    result.as_array()?;
    let finding = |item: &Value| {
        let severities = items(item, "/severity").map(|one| match one.get("score") {
            Some(Value::Number(score)) => Severity::from_score(score.as_f64().unwrap_or_default()),
            Some(Value::String(score)) => {
                score.parse().map_or_else(|_| Severity::from_word(score), Severity::from_score)
            }
            _ => Severity::Unknown,
        });
        Some(Finding {
            id: text(item, "/id")?,
            severity: severities.min().unwrap_or(Severity::Unknown),
            package: None,
            installed: None,
            fixed: None,
        })
    };
    // An item without a name is something that was found all the same: the list is then not understood.
    items(result, "").map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Counts;
    use serde_json::json;

    #[test]
    fn only_types_of_scans_are_scans() {
        assert!(is_type("https://cosign.sigstore.dev/attestation/vuln/v1"));
        assert!(is_type("https://in-toto.io/attestation/vulns/v0.2"));
        assert!(
            !is_type("https://in-toto.io/attestation/vulnsy/v0.2")
                && !is_type("https://slsa.dev/provenance/v1")
        );
    }

    #[test]
    fn trivys_result_is_read() {
        let scan = read(&json!({
            "scanner": {
                "uri": "pkg:github/aquasecurity/trivy@0.69.0", "version": "0.69.0",
                "db": {"lastUpdate": "2026-11-22T06:00:00Z"},
                "result": {"SchemaVersion": 2, "Results": [
                    {"Target": "os", "Vulnerabilities": [
                        {"VulnerabilityID": "CVE-1", "PkgName": "openssl", "InstalledVersion": "3.0.0",
                         "FixedVersion": "3.0.1", "Severity": "HIGH"},
                        {"VulnerabilityID": "CVE-2", "PkgName": "zlib", "Severity": "LOW"},
                    ]},
                    {"Target": "clean"},
                ]},
            },
            "metadata": {"scanStartedOn": "2026-11-22T12:00:00Z", "scanFinishedOn": "2026-11-22T12:01:00Z"},
        }));
        assert_eq!(scan.scanner.as_deref(), Some("trivy"));
        assert_eq!(scan.counts, Some(Counts { high: 1, low: 1, ..Counts::default() }));
        assert_eq!(scan.findings[0].fixed.as_deref(), Some("3.0.1"));
        assert_eq!(scan.findings[1].fixed, None);
        assert_eq!(scan.finished_at.unwrap().to_string(), "2026-11-22T12:01:00Z");
        assert_eq!(scan.db_updated.unwrap().to_string(), "2026-11-22T06:00:00Z");
    }

    #[test]
    fn grypes_result_is_read() {
        let scan = read(&json!({
            "scanner": {"result": {
                "matches": [{
                    "vulnerability": {"id": "CVE-1", "severity": "Negligible", "fix": {"state": "fixed", "versions": ["2"]}},
                    "artifact": {"name": "zlib", "version": "1"},
                }],
                "descriptor": {"name": "grype", "version": "0.90.0", "db": {"built": "2026-11-20T00:00:00Z"}},
            }},
        }));
        assert_eq!(
            (scan.scanner.as_deref(), scan.scanner_version.as_deref()),
            (Some("grype"), Some("0.90.0"))
        );
        assert_eq!(scan.counts, Some(Counts { low: 1, ..Counts::default() }));
        assert_eq!(scan.findings[0].fixed.as_deref(), Some("2"));
        assert!(scan.db_updated.is_some() && scan.finished_at.is_none());
    }

    #[test]
    fn in_totos_list_is_read_and_the_worst_word_counts() {
        let scan = read(&json!({"scanner": {"uri": "pkg:x", "result": [
            {"id": "CVE-1", "severity": [{"method": "nvd", "score": "medium"}, {"method": "CVSS_v3", "score": "9.8"}]},
            {"id": "CVE-2"},
        ]}}));
        assert_eq!(scan.counts, Some(Counts { critical: 1, unknown: 1, ..Counts::default() }));
    }

    #[test]
    fn a_layout_that_nobody_knows_has_no_counts() {
        for predicate in [
            json!(null),
            json!({}),
            json!({"scanner": {"result": {"issues": []}}}),
            json!({"scanner": {"result": "clean"}}),
            json!({"scanner": {"result": [{"severity": []}]}}),
            json!({"scanner": {"result": {"matches": "none"}}}),
            json!({"scanner": {"result": {"Results": {}}}}),
            json!({"scanner": {"result": {"Results": [{"Vulnerabilities": [{"Severity": "LOW"}]}]}}}),
        ] {
            assert_eq!(read(&predicate).counts, None, "{predicate}");
        }
    }
}
