//! A story for people: the verdict, the policies that said something, those that were content, those that are about
//! something else.

use super::Extent;
use super::expressions::{self, shown};
use super::text::Page;
use crate::command::check::{Checked, Report, human, rule_id};
use crate::output::{BAD, GOOD, Output, PLACE, QUIET, STRONG, WARNING, styled};
use anstyle::Style;
use std::collections::BTreeMap;
use wayguard_engine::decision::Effect;
use wayguard_engine::story::{PolicyStory, Standing};
use wayguard_engine::{Finding, Verdict};

/// Writes the stories of all objects. `question`: who does what.
pub(super) fn write(report: &Report, extent: Extent<'_>, question: &str, out: &mut Output) {
    for checked in &report.results {
        object(checked, extent, question, &mut Page::new(out));
        out.data("");
    }
    out.data(human::summary(report));
}

fn object(checked: &Checked, extent: Extent<'_>, question: &str, page: &mut Page<'_>) {
    let verdict = match checked.verdict {
        Verdict::Allow => styled(GOOD, "allowed"),
        Verdict::Warn => styled(WARNING, "allowed with warnings"),
        Verdict::Deny => styled(BAD, "denied"),
        Verdict::Error => styled(BAD, "error"),
    };
    let place = styled(PLACE, format_args!("{}:{}", checked.source.file, checked.source.line));
    page.line(0, &format!("{}  {place}", styled(STRONG, &checked.object)));
    page.line(0, &format!("{question}: {verdict}"));
    if let Some(error) = checked.error_without_finding() {
        error.lines().for_each(|line| page.text(2, 2, BAD, line));
    }
    let Some(story) = &checked.story else { return };
    let told: Vec<&PolicyStory> = story
        .policies
        .iter()
        .filter(|policy| extent.includes(&policy.policy, &policy.policy_object))
        .collect();
    let is_speaking = |policy: &&&PolicyStory| {
        extent.whole || policy.standing == Standing::Failed || speaks(policy, checked)
    };
    for one in told.iter().filter(is_speaking) {
        page.line(0, "");
        policy(one, checked, extent.whole, page);
    }
    if !extent.whole {
        rest(&told, checked, page);
    }
    for fill in &checked.fills {
        page.text(2, 4, Style::new(), &format!("{} {fill}", styled(GOOD, "+")));
    }
}

/// Whether a policy has something to say about an object.
fn speaks(policy: &PolicyStory, checked: &Checked) -> bool {
    findings(policy, checked).next().is_some()
        || policy.edits.iter().any(|edit| edit.written)
        || policy.looks.iter().any(|look| !look.error.is_empty())
}

fn findings<'c>(policy: &'c PolicyStory, checked: &'c Checked) -> impl Iterator<Item = (&'c Finding, usize)> {
    checked.findings().filter(|(finding, _)| {
        finding.policy_object == policy.policy_object && finding.policy == policy.policy
    })
}

/// One policy: what it is about, what it did, what came of it.
fn policy(story: &PolicyStory, checked: &Checked, whole: bool, page: &mut Page<'_>) {
    let standing = match story.standing {
        Standing::Matched if speaks(story, checked) => String::new(),
        Standing::Matched => styled(GOOD, "is content"),
        Standing::Unmatched => styled(QUIET, "is not about this object"),
        Standing::Skipped => styled(WARNING, "could not be judged here"),
        Standing::Failed => styled(BAD, "could not be evaluated"),
    };
    page.line(2, &format!("{}  {}  {standing}", styled(STRONG, &story.policy), styled(QUIET, &story.title)));
    if !story.reason.is_empty() {
        page.text(4, 2, Style::new(), &format!("because {}", story.reason));
    }
    if !story.judges.is_empty() && (whole || story.standing == Standing::Unmatched) {
        page.text(4, 2, QUIET, &format!("it is about {}", story.judges.join("; ")));
    }
    if story.action_overridden {
        let text = format!("its action is {} here, by the labels of the namespace", story.action);
        page.text(4, 2, QUIET, &text);
    }
    for (finding, line) in findings(story, checked) {
        tell(finding, line, checked, page);
    }
    exceptions(story, page);
    edits(story, page);
    for look in &story.looks {
        let rules: Vec<_> = look.rules.iter().filter(|rule| whole || says(rule)).collect();
        if look.at == "template" && (!rules.is_empty() || !look.error.is_empty()) {
            page.line(4, &styled(QUIET, "the Pod of its template"));
        }
        for rule in rules {
            expressions::rule(page, 4, rule, whole);
        }
        if !look.error.is_empty() {
            page.text(4, 2, BAD, &look.error);
        }
        if look.cut {
            page.line(4, &styled(QUIET, "there was more than is told"));
        }
    }
}

/// Whether a rule gave anything.
fn says(rule: &wayguard_engine::rego::trace::RuleTrace) -> bool {
    rule.failed
        || rule.value.as_ref().is_some_and(|value| value.as_array().is_none_or(|items| !items.is_empty()))
}

fn tell(finding: &Finding, line: usize, checked: &Checked, page: &mut Page<'_>) {
    let (word, style) = match finding.effect {
        _ if finding.exception.is_some() => ("excepted", QUIET),
        Effect::Deny => ("deny", BAD),
        Effect::Error => ("error", BAD),
        Effect::Warn => ("warn", WARNING),
        Effect::Audit => ("audit", QUIET),
    };
    let place = styled(PLACE, format_args!("{}:{line}", checked.source.file));
    page.line(4, &format!("{} {place} {}", styled(style, word), styled(STRONG, rule_id(finding))));
    page.text(6, 2, Style::new(), &finding.message);
    if finding.existing {
        page.line(6, &styled(QUIET, "the object had this before, which is why it is not refused"));
    }
    if !finding.remedy.is_empty() && finding.exception.is_none() {
        page.text(6, 2, Style::new(), &format!("fix: {}", finding.remedy));
    }
}

fn exceptions(story: &PolicyStory, page: &mut Page<'_>) {
    for one in &story.exceptions {
        let about = if one.field.is_empty() { one.rule.as_str() } else { one.field.as_str() };
        let text = if one.covers {
            format!("exception `{}` covers {about}", one.exception)
        } else {
            format!("exception `{}` does not cover {about}: {}", one.exception, one.reason)
        };
        page.text(4, 2, if one.covers { GOOD } else { QUIET }, &text);
    }
}

fn edits(story: &PolicyStory, page: &mut Page<'_>) {
    for edit in &story.edits {
        let value = edit.value.as_ref().map(|value| format!(": {}", shown(value))).unwrap_or_default();
        let of = if edit.at == "template" { " of the Pod that it makes" } else { "" };
        let text = format!("{} {}{value}{of}", edit.what, edit.path);
        if edit.written {
            page.text(4, 2, Style::new(), &format!("{} {text}", styled(GOOD, "+")));
        } else {
            page.text(4, 2, QUIET, &format!("- {text} is not written: {}", edit.reason));
        }
    }
}

/// The policies that are not told: in one line those that were content, by reason those that were not asked.
fn rest(told: &[&PolicyStory], checked: &Checked, page: &mut Page<'_>) {
    let ids = |policies: &[&str]| policies.join(", ");
    let content: Vec<&str> = told
        .iter()
        .filter(|policy| policy.standing == Standing::Matched && !speaks(policy, checked))
        .map(|policy| policy.policy.as_str())
        .collect();
    if told.iter().any(|policy| policy.standing != Standing::Failed && !speaks(policy, checked)) {
        page.line(0, "");
    }
    if !content.is_empty() {
        let text = format!("content ({}): {}", content.len(), ids(&content));
        page.text(2, 2, Style::new(), &text);
    }
    for (standing, heading) in
        [(Standing::Skipped, "could not be judged here"), (Standing::Unmatched, "not about this object")]
    {
        let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for policy in told.iter().filter(|policy| policy.standing == standing) {
            by_reason.entry(&policy.reason).or_default().push(&policy.policy);
        }
        for (reason, policies) in by_reason {
            let text = format!("{heading} ({}): {reason}: {}", policies.len(), ids(&policies));
            page.text(2, 2, QUIET, &text);
        }
    }
}
