//! What was found, as people and programs read it.

use crate::annotation;
use crate::exit::ExitStatus;
use crate::output::{BAD, GOOD, Output, QUIET, WARNING, styled};
use crate::sarif;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wayguard_engine::lint::{Finding, Report, Rule, Severity, rules};

/// All findings of one run.
#[derive(Debug, Default)]
pub(super) struct Linted {
    findings: Vec<Finding>,
    /// With the reasons.
    ignored: Vec<(Finding, String)>,
    files: BTreeSet<String>,
}

impl Linted {
    /// Adds what was found in the files that were asked for.
    pub(super) fn add(&mut self, report: Report, asked: &BTreeSet<String>) {
        let wanted = |finding: &Finding| asked.contains(&finding.error.file);
        let new: Vec<_> = report.findings.into_iter().filter(wanted).collect();
        self.findings.extend(new.into_iter().filter(|finding| !self.files.contains(&finding.error.file)));
        let ignored = report.ignored.into_iter().filter(|(finding, _)| wanted(finding));
        self.ignored.extend(ignored.filter(|(finding, _)| !self.files.contains(&finding.error.file)));
        self.files.extend(asked.iter().cloned());
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.rule.severity == severity).count()
    }

    /// The exit code.
    pub(super) fn status(&self, strict: bool) -> ExitStatus {
        let least = if strict { Severity::Warning } else { Severity::Error };
        let any = self.findings.iter().any(|finding| finding.rule.severity >= least);
        if any { ExitStatus::Denied } else { ExitStatus::Fine }
    }

    pub(super) fn human(&self, out: &mut Output) {
        for finding in &self.findings {
            let style = if finding.rule.severity == Severity::Error { BAD } else { WARNING };
            let mut error = finding.error.clone();
            error.message = format!(
                "{}: {} {}",
                styled(style, finding.rule.severity.word()),
                error.message,
                styled(QUIET, format_args!("[{}]", finding.rule.id))
            );
            out.data(error);
            if !finding.remedy.is_empty() {
                out.data(format_args!("  {} {}", styled(GOOD, "fix:"), finding.remedy));
            }
        }
        out.data(self.summary());
    }

    fn summary(&self) -> String {
        let number =
            |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let mut parts = vec![
            number(self.count(Severity::Error), "error"),
            number(self.count(Severity::Warning), "warning"),
        ];
        if !self.ignored.is_empty() {
            parts.push(format!("{} ignored", self.ignored.len()));
        }
        format!("{} in {}", parts.join(", "), number(self.files.len(), "file"))
    }

    pub(super) fn json(&self, out: &mut Output) {
        let ignored = self.ignored.iter().map(|(finding, reason)| {
            let mut value = plain(finding);
            if let Some(object) = value.as_object_mut() {
                object.insert("reason".to_owned(), json!(reason));
            }
            value
        });
        let document = json!({
            "findings": self.findings.iter().map(plain).collect::<Vec<_>>(),
            "ignored": ignored.collect::<Vec<_>>(),
            "summary": {
                "errors": self.count(Severity::Error),
                "warnings": self.count(Severity::Warning),
                "ignored": self.ignored.len(),
                "files": self.files.len(),
            },
        });
        out.data(format_args!("{document:#}"));
    }

    pub(super) fn sarif(&self, out: &mut Output) {
        let all = rules();
        let result = |finding: &Finding, reason: Option<&str>| {
            let error = &finding.error;
            let region = json!({
                "startLine": error.line.max(1),
                "startColumn": error.column.max(1),
                "endLine": finding.end.0.max(1),
                "endColumn": finding.end.1.max(1),
            });
            let mut result = json!({
                "ruleId": finding.rule.id,
                "ruleIndex": all.iter().position(|rule| rule.id == finding.rule.id),
                "level": finding.rule.severity.word(),
                "message": {"text": with_remedy(finding)},
                "locations": [sarif::location(&error.file, &region)],
                // Moves with the line's text, not with its number.
                "partialFingerprints": {"wayguardLint/v1": format!("{}|{}", finding.rule.id, error.excerpt.trim())},
            });
            if let (Some(reason), Some(result)) = (reason, result.as_object_mut()) {
                let suppression = json!([{"kind": "inSource", "justification": reason}]);
                result.insert("suppressions".to_owned(), suppression);
            }
            result
        };
        let mut results: Vec<Value> = self.findings.iter().map(|finding| result(finding, None)).collect();
        results.extend(self.ignored.iter().map(|(finding, reason)| result(finding, Some(reason))));
        let rules: Vec<Value> = all.iter().map(|rule| described(rule)).collect();
        out.data(format_args!("{:#}", sarif::document(&rules, &results)));
    }

    pub(super) fn github(&self, out: &mut Output) {
        for finding in &self.findings {
            let line = usize::try_from(finding.error.line).unwrap_or_default().max(1);
            let level = finding.rule.severity.word();
            let text = with_remedy(finding);
            out.data(annotation::github(level, &finding.error.file, line, finding.rule.id, &text));
        }
    }
}

fn with_remedy(finding: &Finding) -> String {
    match finding.remedy.as_str() {
        "" => finding.error.message.clone(),
        remedy => format!("{}. Fix: {remedy}", finding.error.message),
    }
}

fn plain(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.id,
        "severity": finding.rule.severity,
        "file": finding.error.file,
        "line": finding.error.line,
        "column": finding.error.column,
        "endLine": finding.end.0,
        "endColumn": finding.end.1,
        "message": finding.error.message,
        "remedy": finding.remedy,
    })
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.wants},
        "help": {"text": rule.why},
        "defaultConfiguration": {"level": rule.severity.word()},
    })
}
