//! `--format human`: what somebody can act on, worst first; then what was not judged, and why.

use super::coverage::counted;
use super::gathering::Audit;
use crate::output::{BAD, GOOD, Output, QUIET, STRONG, WARNING, styled};
use std::time::Duration;
use wayguard_audit::{Example, Group, Outcome, Totals, groups};
use wayguard_engine::masking::printable;

/// Who answers for objects: more are counted.
const OWNERS: usize = 5;
/// Longer lines of a message are cut.
const LINE: usize = 2000;
/// Objects that could not be judged: more are counted.
const PROBLEMS: usize = 10;

/// Writes the result.
pub(super) fn write(audit: &Audit, totals: &Totals, examples: usize, took: Duration, out: &mut Output) {
    for of_rule in groups(&audit.auditor, examples) {
        group(audit, &of_rule, out);
    }
    for (object, problem) in totals.problems.iter().take(PROBLEMS) {
        out.data(format_args!("{} {object}: {problem}", styled(BAD, "not judged")));
    }
    let gaps = audit.coverage.lines(totals);
    if !gaps.is_empty() {
        out.data(styled(STRONG, "Not judged"));
        for line in gaps {
            out.data(format_args!("  {}", styled(QUIET, printable(&line, LINE))));
        }
        out.data("");
    }
    out.data(summary(totals, took));
}

/// Says what was not judged beside another format.
pub(in crate::command) fn gaps(audit: &Audit, totals: &Totals, out: &mut Output) {
    for line in audit.coverage.lines(totals) {
        out.note(format_args!("not judged: {}", printable(&line, LINE)));
    }
}

fn group(audit: &Audit, group: &Group, out: &mut Output) {
    let rule = &group.note.rule;
    let mark = match group.outcome {
        Outcome::Error => styled(BAD, "error"),
        Outcome::Fail => styled(BAD, "deny"),
        Outcome::Warn => styled(WARNING, "warn"),
        Outcome::Skip => styled(QUIET, "excepted"),
    };
    let id = styled(STRONG, crate::command::check::id_of(&rule.policy, &rule.rule));
    let findings = match group.findings {
        count if count == group.objects => String::new(),
        count => format!(", {}", counted(count, "finding")),
    };
    out.data(format_args!(
        "{mark} {id} {}: {}{findings}",
        rule.severity.as_str(),
        counted(group.objects, "object")
    ));
    if group.outcome != Outcome::Skip && !rule.remedy.is_empty() {
        out.data(format_args!("  fix: {}", rule.remedy));
    }
    if let Some(line) = owners(group) {
        out.data(format_args!("  {line}"));
    }
    for example in &group.examples {
        let place = styled(QUIET, format_args!("{}: ", place(example)));
        out.data(format_args!("    {place}{}", printable(&example.message, LINE)));
        if let Some(name) = &example.exception {
            out.data(format_args!("      {}", styled(QUIET, excepted(audit, name))));
        }
    }
    let listed = u64::try_from(group.examples.len()).unwrap_or(u64::MAX);
    if group.findings > listed && listed > 0 {
        let more = format!("and {} more", group.findings - listed);
        out.data(format_args!("    {}", styled(QUIET, more)));
    }
    out.data("");
}

fn place(example: &Example) -> String {
    match example.namespace.as_str() {
        "" => format!("{} {}", example.kind, example.name),
        namespace => format!("{} {namespace}/{}", example.kind, example.name),
    }
}

fn excepted(audit: &Audit, name: &str) -> String {
    let edition = audit.auditor.edition();
    let Some(exception) = edition.set.exceptions().iter().find(|exception| exception.name == name) else {
        return format!("excepted by `{name}`");
    };
    let spec = &exception.spec;
    format!("excepted by `{name}` until {}, {} answers for it: {}", spec.expires_at, spec.owner, spec.reason)
}

/// Who answers for how many objects, most first.
fn owners(group: &Group) -> Option<String> {
    if group.owners.keys().all(String::is_empty) {
        return None;
    }
    let mut all: Vec<_> = group.owners.iter().collect();
    all.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    let part = |(name, count): &(&String, &u64)| match name.as_str() {
        "" => format!("nobody known {count}"),
        name => format!("{name} {count}"),
    };
    let mut text = all.iter().take(OWNERS).map(part).collect::<Vec<_>>().join(", ");
    if all.len() > OWNERS {
        text.push_str(&format!(", {} more", all.len() - OWNERS));
    }
    Some(format!("owners: {text}"))
}

fn summary(totals: &Totals, took: Duration) -> String {
    let excepted: u64 = totals
        .policies
        .values()
        .flat_map(|policy| &policy.findings)
        .filter(|((outcome, _), _)| *outcome == Outcome::Skip)
        .map(|(_, count)| *count)
        .sum();
    let judged = totals.policies.values().filter(|policy| policy.judged > 0).count();
    let policies = if judged == 1 { "1 policy".to_owned() } else { format!("{judged} policies") };
    let mut parts = Vec::new();
    if totals.denied > 0 {
        parts.push(styled(BAD, format_args!("{} would be refused", totals.denied)));
    }
    if totals.warned > 0 {
        parts.push(styled(WARNING, format_args!("{} only warned about", totals.warned)));
    }
    if excepted > 0 {
        parts.push(styled(QUIET, format_args!("{} excepted", counted(excepted, "finding"))));
    }
    if parts.is_empty() {
        parts.push(styled(GOOD, "nothing found"));
    }
    format!(
        "{} judged by {policies}: {} ({:.1} s)",
        counted(totals.objects, "object"),
        parts.join(", "),
        took.as_secs_f64()
    )
}
