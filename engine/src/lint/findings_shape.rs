//! What a policy finds is of use to the person who is told no: it says where, and what would pass.

use super::rule::{Found, Rule, Severity};
use super::unit::{Unit, Whole};
use super::walk;
use crate::rego::syntax::tree::{Body, ExprKind, HeadKind, Rule as Clause, Term, TermKind};
use std::collections::BTreeSet;

static PATH: Rule = Rule {
    id: "finding-path",
    severity: Severity::Error,
    wants: "a finding has a `path`",
    why: "Without it nobody is shown the field: not in the denial, not in an editor, not in a pull request; and what \
          the old object had already cannot be told from what is new.",
    example: Some([
        "deny contains {\"expected\": \"a name\"} if not input.review.object.metadata.name\n",
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\"} if not \
         input.review.object.metadata.name\n",
    ]),
};

static EXPECTED: Rule = Rule {
    id: "finding-expected",
    severity: Severity::Error,
    wants: "a finding says what would pass: `expected`, or a `remedy` of its own",
    why: "A denial names the field, the value found and the value that would pass; the last only the policy knows.",
    example: Some([
        "deny contains {\"path\": \"/metadata/name\"} if not input.review.object.metadata.name\n",
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\"} if not \
         input.review.object.metadata.name\n",
    ]),
};

static TEXT: Rule = Rule {
    id: "finding-text",
    severity: Severity::Warning,
    wants: "a finding is an object, not a text alone",
    why: "A text has no path, no value found and none expected; reports, editors and `--fix` can do nothing with it.",
    example: Some([
        "deny contains \"the object has no name\" if not input.review.object.metadata.name\n",
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\"} if not \
         input.review.object.metadata.name\n",
    ]),
};

static MESSAGE: Rule = Rule {
    id: "finding-message",
    severity: Severity::Warning,
    wants: "a message is not empty and says more than that something is wrong",
    why: "It is all that `kubectl apply` shows of why. What the path and the expected value say already needs no `msg`.",
    example: Some([
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\", \"msg\": \"not allowed\"} if not \
         input.review.object.metadata.name\n",
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\", \"msg\": \"it has no name\"} if not \
         nameless\n\nnameless if input.review.object.metadata.name\n",
    ]),
};

pub(super) const RULES: &[&Rule] = &[&PATH, &EXPECTED, &TEXT, &MESSAGE];

/// Messages that say nothing.
const EMPTY_WORDS: [&str; 8] =
    ["", "denied", "not allowed", "invalid", "error", "failed", "forbidden", "policy violation"];

pub(super) fn check(unit: &Unit<'_>, _: &Whole<'_>, found: &mut Found) {
    if unit.policy().is_none() {
        return;
    }
    for rule in &unit.tree.rules {
        let finds = matches!(rule.head.name.text.as_str(), "deny" | "warn" | "audit");
        if !finds || !rule.head.path.is_empty() || !matches!(rule.head.kind, HeadKind::Element { .. }) {
            continue;
        }
        let key = walk::defined(rule);
        let shape = shape(key, &rule.body, 0);
        judge(unit, rule, key, &shape, found);
    }
}

fn judge(unit: &Unit<'_>, rule: &Clause, key: &Term, shape: &Shape<'_>, found: &mut Found) {
    let at = unit.at(key.span);
    match shape {
        Shape::Text => {
            let message = format!("`{}` finds a text alone", rule.head.name.text);
            found.add(&TEXT, at, message, "find an object: {\"path\": …, \"expected\": …, \"msg\": …}");
        }
        Shape::Object { keys, open, messages } => {
            if !open && !keys.contains("path") {
                let message = "this finding has no `path`";
                found.add(
                    &PATH,
                    at,
                    message,
                    "add \"path\": the JSON Pointer of the field, such as /spec/replicas",
                );
            }
            if !open && !keys.contains("expected") && !keys.contains("remedy") {
                let remedy = "add \"expected\": the words after `must be`, such as \"at least 2\"";
                found.add(&EXPECTED, at, "this finding does not say what would pass", remedy);
            }
            for message in messages {
                let TermKind::String { text, .. } = &message.kind else { continue };
                let plain = text.trim().trim_end_matches('.').to_lowercase();
                if EMPTY_WORDS.contains(&plain.as_str()) {
                    let remedy = "say what is wrong with this object, or leave `msg` out";
                    found.add(&MESSAGE, unit.at(message.span), format!("`{text}` says nothing"), remedy);
                }
            }
        }
        Shape::Unknown => {}
    }
}

/// What is known of a term that is found.
enum Shape<'t> {
    Text,
    /// Its keys, whether it may have others, and its messages.
    Object {
        keys: BTreeSet<&'t str>,
        open: bool,
        messages: Vec<&'t Term>,
    },
    Unknown,
}

/// Variables that stand for each other are followed so far.
const MAX_NAMES: usize = 8;

fn shape<'t>(term: &'t Term, body: &'t Body, depth: usize) -> Shape<'t> {
    if depth > MAX_NAMES {
        return Shape::Unknown;
    }
    match &term.kind {
        TermKind::String { .. } | TermKind::Template { .. } => Shape::Text,
        TermKind::Call(call) => match call.dotted().as_deref() {
            Some("sprintf" | "concat") => Shape::Text,
            Some("object.union") => {
                let parts = call.args.iter().map(|arg| shape(arg, body, depth + 1));
                parts.fold(Shape::object(), Shape::united)
            }
            _ => Shape::Unknown,
        },
        TermKind::Object(pairs) => {
            let mut object = (BTreeSet::new(), false, Vec::new());
            for (key, value) in pairs {
                match &key.kind {
                    TermKind::String { text, .. } => {
                        object.0.insert(text.as_str());
                        if matches!(text.as_str(), "msg" | "message") {
                            object.2.push(value);
                        }
                    }
                    _ => object.1 = true,
                }
            }
            Shape::Object { keys: object.0, open: object.1, messages: object.2 }
        }
        TermKind::Var(name) => {
            let assigned = body.iter().find_map(|expr| match &expr.kind {
                ExprKind::Assign { left, right } | ExprKind::Unify { left, right } => {
                    matches!(&left.kind, TermKind::Var(other) if other == name).then_some(right)
                }
                _ => None,
            });
            assigned.map_or(Shape::Unknown, |value| shape(value, body, depth + 1))
        }
        _ => Shape::Unknown,
    }
}

impl Shape<'_> {
    fn object() -> Self {
        Self::Object { keys: BTreeSet::new(), open: false, messages: Vec::new() }
    }

    /// This with the keys of another.
    fn united(self, other: Self) -> Self {
        match (self, other) {
            (
                Self::Object { mut keys, open, mut messages },
                Self::Object { keys: more, open: opens, messages: others },
            ) => {
                keys.extend(more);
                messages.extend(others);
                Self::Object { keys, open: open || opens, messages }
            }
            (Self::Object { keys, messages, .. }, _) | (_, Self::Object { keys, messages, .. }) => {
                Self::Object { keys, open: true, messages }
            }
            _ => Self::Unknown,
        }
    }
}
