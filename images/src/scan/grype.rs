//! Grype's report (`grype --output json`).

use crate::scan::field::{items, text, time};
use crate::scan::{Finding, Severity};
use jiff::Timestamp;
use serde_json::Value;

/// What a report found; none: it is not Grype's, or something in it has no name.
pub(super) fn findings(report: &Value) -> Option<Vec<Finding>> {
    report.get("matches")?.as_array()?;
    let finding = |found: &Value| {
        let severity = text(found, "/vulnerability/severity");
        // Versions are also listed for what will not be fixed.
        let fixed = text(found, "/vulnerability/fix/state").is_some_and(|state| state == "fixed");
        Some(Finding {
            id: text(found, "/vulnerability/id")?,
            severity: severity.map_or(Severity::Unknown, |word| Severity::from_word(&word)),
            package: text(found, "/artifact/name"),
            installed: text(found, "/artifact/version"),
            fixed: text(found, "/vulnerability/fix/versions/0").filter(|_| fixed),
        })
    };
    items(report, "/matches").map(finding).collect()
}

/// When its database was made; the place has moved between versions.
pub(super) fn database(report: &Value) -> Option<Timestamp> {
    ["/descriptor/db/built", "/descriptor/db/status/built"].into_iter().find_map(|place| time(report, place))
}
