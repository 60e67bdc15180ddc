//! `--format human`: grouped by file, one paragraph per object, every finding with a place that terminals and
//! editors can follow.

use super::report::{Checked, Report};
use crate::output::{BAD, GOOD, Output, PLACE, QUIET, STRONG, WARNING, styled};
use std::collections::BTreeMap;
use wayguard_engine::decision::Effect;
use wayguard_engine::masking::printable;
use wayguard_engine::{Finding, Verdict};

/// More filled-in fields than this are counted, not listed.
const MAX_FILLS: usize = 12;
/// Longer lines of a message are cut.
const LINE: usize = 2000;

/// Writes the report.
pub(crate) fn write(report: &Report, out: &mut Output) {
    let mut file = None;
    for checked in &report.results {
        if file != Some(checked.source.file.as_str()) {
            if file.is_some() {
                out.data("");
            }
            out.data(styled(STRONG, &checked.source.file));
            file = Some(&checked.source.file);
        }
        object(checked, out);
    }
    if !report.results.is_empty() {
        out.data("");
    }
    out.data(summary(report));
}

fn object(checked: &Checked, out: &mut Output) {
    let verdict = match checked.verdict {
        Verdict::Allow => styled(GOOD, "allowed"),
        Verdict::Warn => styled(WARNING, "allowed with warnings"),
        Verdict::Deny => styled(BAD, "denied"),
        Verdict::Error => styled(BAD, "error"),
    };
    if checked.object.kind.is_empty() {
        let place = styled(PLACE, format_args!("{}:{}", checked.source.file, checked.source.line));
        return out.data(format_args!("  {verdict} {place} {}", checked.message));
    }
    out.data(format_args!("  {}: {verdict}", checked.object));
    if let Some(error) = checked.error_without_finding() {
        for line in error.lines() {
            out.data(format_args!("    {line}"));
        }
    }
    for (finding, line) in checked.findings() {
        let place = styled(PLACE, format_args!("{}:{line}", checked.source.file));
        let id = styled(STRONG, super::report::rule_id(finding));
        out.data(format_args!("    {} {place} {id}", mark(finding)));
        // A constraint's message is the template's own: perhaps of many lines, perhaps not clean.
        for line in finding.message.lines() {
            out.data(format_args!("      {}", printable(line, LINE)));
        }
        if let Some(exception) = &finding.exception {
            out.data(format_args!("      {}", styled(QUIET, format_args!("excepted by `{exception}`"))));
        } else if !finding.remedy.is_empty() {
            out.data(format_args!("      fix: {}", finding.remedy));
        }
        if finding.existing {
            out.data(format_args!("      {}", styled(QUIET, "the object had this before")));
        }
    }
    skips(checked, out);
    for assumption in &checked.assumed {
        out.data(format_args!("    {}", styled(QUIET, assumption)));
    }
    fills(checked, out);
}

/// One line per reason: a namespace that is not known keeps a whole bundle from being judged.
fn skips(checked: &Checked, out: &mut Output) {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for skipped in &checked.skipped {
        by_reason.entry(&skipped.reason).or_default().push(&skipped.policy);
    }
    for (reason, policies) in by_reason {
        let names = match policies.as_slice() {
            ["*"] => "all policies".to_owned(),
            [first, second, _, _, ..] => format!("{} policies ({first}, {second}, …)", policies.len()),
            few => few.join(", "),
        };
        out.data(format_args!("    {}", styled(QUIET, format_args!("skipped {names}: {reason}"))));
    }
}

fn fills(checked: &Checked, out: &mut Output) {
    let count = checked.fills.len();
    for fill in checked.fills.iter().take(MAX_FILLS) {
        out.data(format_args!("    {} {fill}", styled(GOOD, "+")));
    }
    if count > MAX_FILLS {
        out.data(format_args!("    {} {} more fields are filled in", styled(GOOD, "+"), count - MAX_FILLS));
    }
}

fn mark(finding: &Finding) -> String {
    match finding.effect {
        _ if finding.exception.is_some() => styled(QUIET, "excepted"),
        Effect::Deny => styled(BAD, "deny"),
        Effect::Error => styled(BAD, "error"),
        Effect::Warn => styled(WARNING, "warn"),
        Effect::Audit => styled(QUIET, "audit"),
    }
}

/// How many objects met which verdict, in one line.
pub(in crate::command) fn summary(report: &Report) -> String {
    let counts = report.summary();
    let total = report.results.len();
    let part = |count: usize, style, word: &str| {
        let text = format!("{count} {word}");
        (count > 0).then(|| styled(style, text))
    };
    let parts: Vec<_> = [
        part(counts.errors, BAD, if counts.errors == 1 { "error" } else { "errors" }),
        part(counts.denied, BAD, "denied"),
        part(counts.warned, WARNING, "allowed with warnings"),
        part(counts.allowed, GOOD, "allowed"),
    ]
    .into_iter()
    .flatten()
    .collect();
    match total {
        0 => "0 objects".to_owned(),
        1 => format!("1 object: {}", parts.join(", ")),
        _ => format!("{total} objects: {}", parts.join(", ")),
    }
}
