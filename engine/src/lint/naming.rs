//! How names and lines look.

use super::locals;
use super::rule::{At, Found, Rule, Severity};
use super::unit::{Unit, Whole};
use std::collections::BTreeSet;

static SNAKE: Rule = Rule {
    id: "snake-case",
    severity: Severity::Warning,
    wants: "names of rules, arguments and variables are in snake_case",
    why: "One way to write names is one thing less to read. Names of fields are as Kubernetes writes them.",
    example: Some([
        "deny contains {\"path\": \"\", \"expected\": \"x\"} if not isFine\n\nisFine if input.review.object.fine\n",
        "deny contains {\"path\": \"\", \"expected\": \"x\"} if not is_fine\n\nis_fine if input.review.object.fine\n",
    ]),
};
static LONG: Rule = Rule {
    id: "line-length",
    severity: Severity::Warning,
    wants: "a line has at most 120 characters",
    why: "Longer ones are not seen whole in a review.",
    example: None,
};

pub(super) const RULES: &[&Rule] = &[&SNAKE, &LONG];

/// Characters of the longest line.
const LONGEST: usize = 120;

pub(super) fn check(unit: &Unit<'_>, _: &Whole<'_>, found: &mut Found) {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut name = |text, span| {
        if !is_snake(text) && told.insert(text) {
            let message = format!("`{text}` is not in snake_case");
            found.add(&SNAKE, unit.at(span), message, format!("write `{}`", snake(text)));
        }
    };
    for rule in &unit.tree.rules {
        name(&rule.head.name.text, rule.head.name.span);
        for local in locals::of_rule(rule) {
            name(local.name, local.span);
        }
    }
    for (number, line) in (1_u32..).zip(unit.source.text.lines()) {
        let length = line.chars().count();
        // A comment with an address cannot be broken.
        if length > LONGEST && !line.contains("://") {
            let at = At::line(&unit.source.path, &unit.source.text, number);
            found.add(&LONG, at, format!("the line has {length} characters"), "break it");
        }
    }
}

fn is_snake(name: &str) -> bool {
    !name.chars().any(|letter| letter.is_ascii_uppercase())
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
