//! The same said twice.

use super::rule::{Found, Rule, Severity};
use super::unit::{Role, Unit, Whole};
use crate::rego::syntax::canonical;
use std::collections::BTreeMap;

static RULE: Rule = Rule {
    id: "duplicate-rule",
    severity: Severity::Error,
    wants: "no rule stands twice",
    why: "The second is a copy in which something was to be changed.",
    example: Some([
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\"} if not \
         input.review.object.metadata.name\n\ndeny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\"} \
         if not input.review.object.metadata.name\n",
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\"} if not \
         input.review.object.metadata.name\n",
    ]),
};
static BODY: Rule = Rule {
    id: "duplicate-body",
    severity: Severity::Warning,
    wants: "two rules do not do the same by two names",
    why: "One of them will be changed, and the other forgotten.",
    example: Some([
        "deny contains {\"path\": \"/a\", \"expected\": \"x\"} if {\n\tone(input.review.object)\n\tother(input.review\
         .object)\n}\n\none(object) if {\n\tobject.a == 1\n\tobject.b == 2\n}\n\nother(object) if {\n\tobject.a == \
         1\n\tobject.b == 2\n}\n",
        "deny contains {\"path\": \"/a\", \"expected\": \"x\"} if one(input.review.object)\n\none(object) if \
         {\n\tobject.a == 1\n\tobject.b == 2\n}\n",
    ]),
};

pub(super) const RULES: &[&Rule] = &[&RULE, &BODY];

pub(super) fn check(unit: &Unit<'_>, _: &Whole<'_>, found: &mut Found) {
    let mut whole: BTreeMap<String, u32> = BTreeMap::new();
    let mut nameless: BTreeMap<String, (&str, u32)> = BTreeMap::new();
    for rule in &unit.tree.rules {
        let line = rule.span.start.line;
        let name = rule.head.name.text.as_str();
        let at = unit.at(rule.head.name.span);
        if let Some(before) = whole.get(&canonical::rule(rule)) {
            let message = format!("this rule stands on line {before} already");
            found.add(&RULE, at, message, "remove it, or change what was to be different");
            continue;
        }
        whole.insert(canonical::rule(rule), line);
        // Tests are alike by nature, and a rule of one line is a name for it.
        if unit.source.role == Role::Tests || rule.body.len() < 2 {
            continue;
        }
        let mut bare = rule.clone();
        bare.head.name.text = String::new();
        match nameless.get(&canonical::rule(&bare)) {
            Some((other, before)) if *other != name => {
                let message = format!("`{name}` does what `{other}` on line {before} does");
                found.add(&BODY, at, message, "keep one of them, or give both a common rule");
            }
            Some(_) => {}
            None => {
                nameless.insert(canonical::rule(&bare), (name, line));
            }
        }
    }
}
