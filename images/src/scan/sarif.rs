//! SARIF 2.1.0, which most scanners can write: rules with a severity, results that name them.

use crate::scan::field::{items, text, time};
use crate::scan::{Finding, Scan, Severity, Source};
use serde_json::Value;

/// One scan for each run; none where it is no SARIF.
pub fn read(document: &Value) -> Vec<Scan> {
    items(document, "/runs").map(run).collect()
}

fn run(run: &Value) -> Scan {
    let mut scan = Scan::from_source(Source::Sarif);
    scan.scanner = text(run, "/tool/driver/name").map(|name| name.to_lowercase());
    scan.scanner_version =
        text(run, "/tool/driver/semanticVersion").or_else(|| text(run, "/tool/driver/version"));
    scan.started_at = time(run, "/invocations/0/startTimeUtc");
    scan.finished_at = time(run, "/invocations/0/endTimeUtc");
    let rules: Vec<&Value> = items(run, "/tool/driver/rules").collect();
    // A run without results did not look (SARIF 3.14.23); what is not listed is not none.
    if run.get("results").is_none_or(|results| !results.is_array()) {
        return scan;
    }
    let finding = |result: &Value| {
        let id = text(result, "/ruleId").or_else(|| text(result, "/rule/id"))?;
        let by_index = || {
            let index = result.get("ruleIndex").or_else(|| result.pointer("/rule/index"))?.as_u64()?;
            rules.get(usize::try_from(index).ok()?).copied()
        };
        let rule = by_index().or_else(|| {
            rules.iter().copied().find(|rule| rule.get("id").and_then(Value::as_str) == Some(id.as_str()))
        });
        let message = text(result, "/message/text").unwrap_or_default();
        Some(Finding {
            severity: severity(result, rule, &message),
            package: line(&message, "Package"),
            installed: line(&message, "Installed Version"),
            fixed: line(&message, "Fixed Version"),
            id,
        })
    };
    match items(run, "/results").map(finding).collect() {
        Some(findings) => scan.found(findings),
        None => scan,
    }
}

/// The score is the most exact, then the scanner's word, then SARIF's own three levels.
fn severity(result: &Value, rule: Option<&Value>, message: &str) -> Severity {
    let score = |value: &Value| {
        let score = value.pointer("/properties/security-severity")?;
        score.as_f64().or_else(|| score.as_str()?.parse().ok())
    };
    if let Some(score) = score(result).or_else(|| rule.and_then(score)) {
        return Severity::from_score(score);
    }
    if let Some(word) = line(message, "Severity") {
        return Severity::from_word(&word);
    }
    let level =
        text(result, "/level").or_else(|| rule.and_then(|rule| text(rule, "/defaultConfiguration/level")));
    match level.as_deref() {
        Some("error") => Severity::High,
        Some("note") => Severity::Low,
        // A result without a level is a warning (SARIF 3.27.10).
        Some("warning") | None => Severity::Medium,
        Some(_) => Severity::Unknown,
    }
}

/// `Name: value`, as Trivy writes a message's lines.
fn line(message: &str, name: &str) -> Option<String> {
    let value = message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Counts;
    use serde_json::json;

    #[test]
    fn a_run_is_a_scan() {
        let scans = read(&json!({"version": "2.1.0", "runs": [{
            "tool": {"driver": {"name": "Trivy", "version": "0.69.0", "rules": [
                {"id": "CVE-1", "properties": {"security-severity": "9.8"}},
                {"id": "CVE-2", "defaultConfiguration": {"level": "note"}},
            ]}},
            "invocations": [{"endTimeUtc": "2026-11-22T12:00:00Z"}],
            "results": [
                {"ruleId": "CVE-1", "ruleIndex": 0, "level": "note",
                 "message": {"text": "Package: openssl\nInstalled Version: 3.0.0\nFixed Version: 3.0.1\nSeverity: LOW"}},
                {"ruleId": "CVE-2", "message": {"text": "Package: zlib\nFixed Version: "}},
                {"ruleId": "CVE-3", "message": {"text": "Severity: HIGH"}},
                {"ruleId": "CVE-4"},
            ],
        }]}));
        let [scan] = scans.as_slice() else { panic!("{scans:?}") };
        assert_eq!(scan.counts, Some(Counts { critical: 1, high: 1, medium: 1, low: 1, unknown: 0 }));
        assert_eq!(scan.findings[0].fixed.as_deref(), Some("3.0.1"));
        assert_eq!(scan.findings[1].fixed, None);
        assert_eq!(scan.scanner.as_deref(), Some("trivy"));
        assert!(scan.finished_at.is_some() && !scan.signed);
    }

    #[test]
    fn a_run_that_did_not_look_has_no_counts() {
        let scans =
            read(&json!({"runs": [{"tool": {"driver": {"name": "x"}}}, {"results": [{}]}, {"results": []}]}));
        let counts: Vec<_> = scans.iter().map(|scan| scan.counts).collect();
        assert_eq!(counts, [None, None, Some(Counts::default())]);
        assert!(read(&json!({})).is_empty() && read(&json!([])).is_empty());
    }
}
