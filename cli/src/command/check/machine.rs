//! The formats that programs read: `json` (design §5), `sarif`, `junit`, `github` and `gitlab`.

use super::report::{Checked, Report, rule_id};
use crate::annotation;
use crate::output::Output;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wayguard_engine::decision::{Effect, Severity};
use wayguard_engine::{Finding, Verdict};

/// One JSON document: `results` and `summary`.
pub(crate) fn json(report: &Report, out: &mut Output) {
    let document = json!({"results": report.results, "summary": report.summary()});
    out.data(format_args!("{document:#}"));
}

/// A result for each finding; an object that could not be judged is one too.
pub(crate) fn sarif(report: &Report, out: &mut Output) {
    out.write(&sarif_text(report));
}

/// The document that [`sarif`] writes.
pub(crate) fn sarif_text(report: &Report) -> String {
    let mut rules: BTreeMap<String, &Finding> = BTreeMap::new();
    for finding in report.results.iter().flat_map(|checked| &checked.findings) {
        rules.entry(rule_id(finding)).or_insert(finding);
    }
    let ids: Vec<&String> = rules.keys().collect();
    let mut results = Vec::new();
    for checked in &report.results {
        for (finding, line) in checked.findings() {
            results.push(sarif_result(checked, finding, line, &ids));
        }
        if let Some(error) = checked.error_without_finding() {
            results.push(json!({
                "level": "error",
                "message": {"text": error},
                "locations": [location(checked, checked.source.line)],
            }));
        }
    }
    let rules: Vec<_> = rules.values().map(|finding| sarif_rule(finding)).collect();
    format!("{:#}\n", crate::sarif::document(&rules, &results))
}

fn sarif_rule(finding: &Finding) -> Value {
    let id = rule_id(finding);
    // The scale that code-scanning services sort by: https://docs.github.com, "security-severity".
    let severity = match finding.severity {
        Severity::Low => "3.0",
        Severity::Medium => "5.5",
        Severity::High => "8.0",
        Severity::Critical => "9.5",
    };
    let mut rule = json!({
        "id": id,
        "shortDescription": {"text": id},
        "properties": {"tags": tags(finding), "security-severity": severity},
    });
    let fields = [
        ("help", json!({"text": finding.remedy}), &finding.remedy),
        ("helpUri", json!(finding.docs), &finding.docs),
    ];
    for (key, value, text) in fields {
        if let (false, Some(rule)) = (text.is_empty(), rule.as_object_mut()) {
            rule.insert(key.to_owned(), value);
        }
    }
    rule
}

fn tags(finding: &Finding) -> Vec<&str> {
    let category = Some(finding.category.as_str()).filter(|category| !category.is_empty());
    category.into_iter().chain(finding.controls.iter().map(String::as_str)).collect()
}

fn location(checked: &Checked, line: usize) -> Value {
    crate::sarif::location(&checked.source.file, &json!({"startLine": line}))
}

fn sarif_result(checked: &Checked, finding: &Finding, line: usize, ids: &[&String]) -> Value {
    let id = rule_id(finding);
    let level = match finding.effect {
        Effect::Deny | Effect::Error => "error",
        Effect::Warn => "warning",
        Effect::Audit => "note",
    };
    let object = &checked.object;
    let mut result = json!({
        "ruleId": id,
        "ruleIndex": ids.iter().position(|known| **known == id),
        "level": level,
        "message": {"text": with_remedy(finding)},
        "locations": [location(checked, line)],
        // Moves with the object, not with its line.
        "partialFingerprints": {"wayguard/v1": format!("{id}|{}|{object}|{}", object.api_version, finding.path)},
    });
    if let (Some(exception), Some(result)) = (&finding.exception, result.as_object_mut()) {
        let suppression = json!([{"kind": "external", "justification": format!("exception `{exception}`")}]);
        result.insert("suppressions".to_owned(), suppression);
    }
    result
}

fn with_remedy(finding: &Finding) -> String {
    match finding.remedy.as_str() {
        "" => finding.message.clone(),
        remedy => format!("{}. Fix: {remedy}", finding.message.trim_end_matches('.')),
    }
}

/// JUnit XML: a suite per file, a case per object; `tool` names what made it.
pub(crate) fn junit(report: &Report, tool: &str, out: &mut Output) {
    out.write(&junit_text(report, tool));
}

/// The document that [`junit`] writes.
pub(crate) fn junit_text(report: &Report, tool: &str) -> String {
    let mut suites: Vec<(&str, Vec<&Checked>)> = Vec::new();
    for checked in &report.results {
        match suites.last_mut() {
            Some((file, cases)) if *file == checked.source.file => cases.push(checked),
            _ => suites.push((&checked.source.file, vec![checked])),
        }
    }
    let suites = suites.into_iter().map(|(file, cases)| crate::junit::Suite {
        name: file.to_owned(),
        cases: cases.into_iter().map(junit_case).collect(),
    });
    crate::junit::document(tool, &suites.collect::<Vec<_>>())
}

fn junit_case(checked: &Checked) -> crate::junit::Case {
    let line = |(finding, line): (&Finding, usize)| {
        let place = format!("{}:{line}", checked.source.file);
        format!("{place}: {}: {}", rule_id(finding), with_remedy(finding))
    };
    let texts = |blocking: bool| -> Vec<String> {
        let wanted = |(finding, _): &(&Finding, usize)| (finding.effect >= Effect::Deny) == blocking;
        checked.findings().filter(wanted).map(line).collect()
    };
    let mut blocking = texts(true);
    blocking.extend(checked.error_without_finding().map(str::to_owned));
    let outcome = match checked.verdict {
        Verdict::Allow | Verdict::Warn => crate::junit::Outcome::Passed,
        Verdict::Deny => crate::junit::Outcome::Failed(blocking.join("\n")),
        Verdict::Error => crate::junit::Outcome::Error(blocking.join("\n")),
    };
    let mut remarks = texts(false);
    remarks.extend(
        checked.skipped.iter().map(|skipped| format!("skipped {}: {}", skipped.policy, skipped.reason)),
    );
    crate::junit::Case {
        name: checked.object.to_string(),
        class: checked.object.api_version.clone(),
        place: Some((checked.source.file.clone(), checked.source.line)),
        outcome,
        remarks: remarks.join("\n"),
    }
}

/// Workflow commands of GitHub Actions, which mark the lines in a pull request.
pub(crate) fn github(report: &Report, out: &mut Output) {
    for checked in &report.results {
        for (finding, line) in checked.findings().filter(|(finding, _)| finding.exception.is_none()) {
            let level = match finding.effect {
                Effect::Deny | Effect::Error => "error",
                Effect::Warn => "warning",
                Effect::Audit => "notice",
            };
            let text = format!("{}: {}", checked.object, with_remedy(finding));
            out.data(annotation::github(level, &checked.source.file, line, &rule_id(finding), &text));
        }
        if let Some(error) = checked.error_without_finding() {
            out.data(annotation::github(
                "error",
                &checked.source.file,
                checked.source.line,
                "wayguard",
                error,
            ));
        }
    }
}

/// GitLab's Code Quality report: a list of issues, each with a fingerprint that outlives a moved line
/// (<https://docs.gitlab.com>, "Code Quality report format").
pub(crate) fn gitlab(report: &Report, out: &mut Output) {
    let issue = |checked: &Checked, line: usize, name: &str, text: &str, severity: &str, place: &str| {
        let key = format!("{name}|{}|{}|{place}", checked.object.api_version, checked.object);
        json!({
            "description": text,
            "check_name": name,
            "fingerprint": blake3::hash(key.as_bytes()).to_hex().as_str(),
            "severity": severity,
            "location": {"path": checked.source.file.replace('\\', "/"), "lines": {"begin": line.max(1)}},
        })
    };
    let mut issues = Vec::new();
    for checked in &report.results {
        for (finding, line) in checked.findings().filter(|(finding, _)| finding.exception.is_none()) {
            let severity = match (finding.effect, finding.severity) {
                (Effect::Error, _) => "blocker",
                (Effect::Audit, _) => "info",
                (_, Severity::Critical) => "critical",
                (_, Severity::High) => "major",
                (_, Severity::Medium | Severity::Low) => "minor",
            };
            let text = format!("{}: {}", checked.object, with_remedy(finding));
            issues.push(issue(checked, line, &rule_id(finding), &text, severity, &finding.path));
        }
        if let Some(error) = checked.error_without_finding() {
            issues.push(issue(checked, checked.source.line, "wayguard", error, "blocker", error));
        }
    }
    out.data(format_args!("{:#}", Value::Array(issues)));
}
