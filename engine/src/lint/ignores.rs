//! `# wayguard:ignore RULE[,RULE…] reason`: what a person has looked at and lets stand, on its line or the one above.

use super::rule::{Finding, Found, Rule, Severity};
use super::unit::{Role, Unit, Whole};
use super::{Report, rule};
use crate::rego::syntax::tree::Span;

static REASON: Rule = Rule {
    id: "ignore-reason",
    severity: Severity::Error,
    wants: "what is ignored is named, with a reason",
    why: "Who reads the line next must know whether the reason still holds.",
    example: Some([
        "deny contains {\"path\": \"\", \"expected\": \"x\"} if not isFine\n\n# wayguard:ignore snake-case\nisFine if \
         input.review.object.fine\n",
        "deny contains {\"path\": \"\", \"expected\": \"x\"} if not isFine\n\n# wayguard:ignore snake-case the tests \
         of another team use this name\nisFine if input.review.object.fine\n",
    ]),
};
static NEEDLESS: Rule = Rule {
    id: "ignore-needless",
    severity: Severity::Warning,
    wants: "what is ignored is there",
    why: "A comment that ignores nothing hides the next mistake on that line.",
    example: Some([
        "# wayguard:ignore snake-case a name of another team\ndeny contains {\"path\": \"\", \"expected\": \"x\"} if \
         not input.review.object.fine\n",
        "deny contains {\"path\": \"\", \"expected\": \"x\"} if not input.review.object.fine\n",
    ]),
};

pub(super) const RULES: &[&Rule] = &[&REASON, &NEEDLESS];

/// The words that begin it.
const MARK: &str = "wayguard:ignore";

/// One comment.
struct Ignore<'s> {
    file: &'s str,
    /// The line that it speaks of.
    line: u32,
    rules: Vec<&'s str>,
    reason: &'s str,
    used: std::cell::Cell<bool>,
    span: Span,
}

/// Sets aside what comments ignore, and finds what is wrong with the comments.
pub(super) fn apply(whole: &Whole<'_>, findings: Vec<Finding>, disabled: &[&str]) -> Report {
    let mut report = Report::default();
    let mut found = Found::default();
    let mut ignores = Vec::new();
    for unit in &whole.units {
        of_unit(unit, &mut ignores, &mut found);
    }
    for finding in findings {
        let of = ignores.iter().find(|ignore| {
            let here = ignore.file == finding.error.file && ignore.line == finding.error.line;
            let there = finding
                .through
                .as_ref()
                .is_some_and(|(file, line)| ignore.file == file && ignore.line == *line);
            (here || there) && ignore.rules.contains(&finding.rule.id)
        });
        match of {
            Some(ignore) => {
                ignore.used.set(true);
                report.ignored.push((finding, ignore.reason.to_owned()));
            }
            None => report.findings.push(finding),
        }
    }
    for ignore in ignores.iter().filter(|ignore| !ignore.used.get()) {
        // What is not asked cannot be found.
        if ignore.rules.iter().all(|rule| disabled.contains(rule)) {
            continue;
        }
        let unit = whole.units.iter().find(|unit| unit.source.path == ignore.file);
        // A shared module is ignored for policies, and which of them are at hand is another matter.
        let judged = |unit: &&Unit<'_>| !matches!(unit.source.role, Role::Known | Role::Shared);
        if let Some(unit) = unit.filter(judged) {
            let message = format!("there is no finding of `{}` here", ignore.rules.join(","));
            found.add(&NEEDLESS, unit.at(ignore.span), message, "remove the comment");
        }
    }
    report.findings.extend(found.findings.into_iter().filter(|it| !disabled.contains(&it.rule.id)));
    report
}

fn of_unit<'w>(unit: &'w Unit<'_>, ignores: &mut Vec<Ignore<'w>>, found: &mut Found) {
    let known = unit.source.role == Role::Known;
    let lines: Vec<&str> = unit.source.text.lines().collect();
    for comment in &unit.tree.comments {
        let Some((_, rest)) = comment.text.split_once(MARK) else { continue };
        let rest = rest.trim();
        let (ids, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let rules: Vec<&str> = ids.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
        let at = unit.at(comment.span);
        let unknown: Vec<_> =
            rules.iter().filter(|id| rule(id).is_none()).map(|id| format!("`{id}`")).collect();
        if known && (!unknown.is_empty() || reason.trim().is_empty()) {
            continue;
        }
        if !unknown.is_empty() || rules.is_empty() {
            let named = if rules.is_empty() {
                "no rule is named".to_owned()
            } else {
                format!("there is no rule {}", unknown.join(", "))
            };
            found.add(&REASON, at, named, format!("write `# {MARK} RULE reason`"));
            continue;
        }
        let reason = reason.trim();
        if reason.is_empty() {
            let message = format!("no reason is given for ignoring `{ids}`");
            found.add(&REASON, at, message, "say why it may stand, after the rule's name");
            continue;
        }
        let own = comment.span.start.line;
        let text = |line: u32| {
            let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
            lines.get(index).map(|line| line.trim())
        };
        let alone = text(own).is_some_and(|line| {
            line.starts_with('#') && line.trim_start_matches(['#', ' ']).starts_with(MARK)
        });
        let mut line = own;
        if alone {
            line += 1;
            while text(line).is_some_and(|line| line.is_empty() || line.starts_with('#')) {
                line += 1;
            }
        }
        ignores.push(Ignore {
            file: &unit.source.path,
            line,
            rules,
            reason,
            used: std::cell::Cell::new(false),
            span: comment.span,
        });
    }
}
