//! What Rego v1 asks of rules beyond their grammar.

use super::super::tree::{HeadKind, Rule, Version};
use super::Parser;
use super::statement::is_keyword_in;

impl Parser<'_> {
    pub(super) fn check_v1(&mut self, rules: &[Rule]) {
        for rule in rules {
            let what = if rule.head.args.is_empty() { "rule" } else { "function" };
            let name = &rule.head.name;
            if rule.head.path.is_empty() && is_keyword_in(&name.text, Version::V1) {
                self.error(rule.span, format!("{} keyword cannot be used for rule name", name.text));
            }
            let value_omitted = match &rule.head.kind {
                HeadKind::Value { omitted, .. } => *omitted && !is_bare_call(rule),
                HeadKind::Element { with_contains, .. } => {
                    if !with_contains {
                        self.error(rule.span, "`contains` keyword is required for partial set rules");
                    }
                    false
                }
            };
            if rule.default {
                continue;
            }
            if rule.body_omitted && value_omitted {
                self.error(rule.span, format!("{what} must have value assignment and/or body declaration"));
            }
            if !rule.body_omitted && !rule.with_if {
                self.error(rule.span, format!("`if` keyword is required before {what} body"));
            }
            for other in &rule.elses {
                if !other.body_omitted && !other.with_if {
                    self.error(other.span, format!("`if` keyword is required before {what} body"));
                }
            }
        }
    }
}

/// `f(x)` alone: a function that is always true, which OPA accepts.
fn is_bare_call(rule: &Rule) -> bool {
    rule.body_omitted && !rule.head.args.is_empty()
}
