//! Findings as a table for spreadsheets (RFC 4180, with a header).

use crate::model::{Finding, Report};

/// The names of the columns.
const COLUMNS: [&str; 19] = [
    "id",
    "severity",
    "result",
    "policy",
    "rule",
    "title",
    "owner",
    "namespace",
    "kind",
    "name",
    "apiVersion",
    "field",
    "message",
    "remedy",
    "controls",
    "exception",
    "firstSeen",
    "objectCreated",
    "docs",
];

/// One line for each finding, those that exceptions cover too.
///
/// # Errors
/// If a line cannot be put together, which does not happen in memory.
pub fn csv(report: &Report) -> Result<String, ::csv::Error> {
    let mut table = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for finding in &report.findings {
        table.write_record(line(finding).map(|text| inert(&text)))?;
    }
    let bytes = table.into_inner().map_err(|error| ::csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn line(finding: &Finding) -> [String; 19] {
    let object = &finding.object;
    [
        finding.id.clone(),
        finding.severity.as_str().to_owned(),
        finding.result.as_str().to_owned(),
        finding.policy.clone(),
        finding.rule.clone(),
        finding.title.clone(),
        finding.owner.clone(),
        object.namespace.clone(),
        object.kind.clone(),
        object.name.clone(),
        object.api_version.clone(),
        finding.field.clone(),
        finding.message.clone(),
        finding.remedy.clone(),
        finding.controls.join(" "),
        finding.exception.clone().unwrap_or_default(),
        finding.first_seen.to_string(),
        finding.object_created.map(|time| time.to_string()).unwrap_or_default(),
        finding.docs.clone(),
    ]
}

/// A text that a spreadsheet takes for a formula is kept from being one: messages repeat what strangers wrote.
fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_texts() {
        assert_eq!(inert("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(inert("spec is 1"), "spec is 1");
    }
}
