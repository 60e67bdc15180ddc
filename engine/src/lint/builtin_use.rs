//! Functions that have no place in a policy, or cost more than they look.

use super::paths::{self, Path};
use super::rule::{Found, Rule, Severity};
use super::unit::{Role, Unit, Whole};
use super::walk::{self, Node};
use crate::rego::syntax::tree::{Call, Term, TermKind};

static PRINT: Rule = Rule {
    id: "print-call",
    severity: Severity::Error,
    wants: "no `print` is left in",
    why: "It is for looking at a policy while it is written. In a server nobody sees it, and every request pays for it.",
    example: Some([
        "deny contains finding if {\n\tprint(input)\n\tnot input.review.object.metadata.name\n\tfinding := {\"path\": \
         \"/metadata/name\", \"expected\": \"a name\"}\n}\n",
        "deny contains finding if {\n\tnot input.review.object.metadata.name\n\tfinding := {\"path\": \
         \"/metadata/name\", \"expected\": \"a name\"}\n}\n",
    ]),
};
static PATTERN: Rule = Rule {
    id: "pattern-from-input",
    severity: Severity::Warning,
    wants: "no pattern is made of what the object says",
    why: "Whoever writes the object then writes the pattern too: it matches what they like. It is also compiled anew at \
          every request.",
    example: Some([
        "deny contains finding if {\n\tregex.match(input.review.object.metadata.labels.pattern, \"a\")\n\tfinding := \
         {\"path\": \"/metadata/labels\", \"expected\": \"none\"}\n}\n",
        "deny contains finding if {\n\tregex.match(`^a+$`, input.review.object.metadata.labels.name)\n\tfinding := \
         {\"path\": \"/metadata/labels\", \"expected\": \"none\"}\n}\n",
    ]),
};
static WALKS: Rule = Rule {
    id: "nested-walk",
    severity: Severity::Warning,
    wants: "a rule walks a document once",
    why: "Two walks in one rule look at every pair of places: a large object takes the square of its size.",
    example: Some([
        "deny contains finding if {\n\twalk(input.review.object, [_, one])\n\twalk(input.review.object.spec, [_, \
         one])\n\tfinding := {\"path\": \"\", \"expected\": \"x\"}\n}\n",
        "deny contains finding if {\n\twalk(input.review.object, [_, one])\n\tone == \"x\"\n\tfinding := {\"path\": \
         \"\", \"expected\": \"x\"}\n}\n",
    ]),
};
static CHANCE: Rule = Rule {
    id: "not-repeatable",
    severity: Severity::Warning,
    wants: "a verdict does not hang on the clock or on chance",
    why: "`check` in CI, the webhook and the audit then say different things of one object, and nothing is remembered \
          between requests.",
    example: Some([
        "deny contains finding if {\n\trand.intn(input.review.uid, 2) == 1\n\tfinding := {\"path\": \"\", \
         \"expected\": \"x\"}\n}\n",
        "deny contains finding if {\n\tinput.review.dryRun == true\n\tfinding := {\"path\": \"\", \"expected\": \
         \"x\"}\n}\n",
    ]),
};

pub(super) const RULES: &[&Rule] = &[&PRINT, &PATTERN, &WALKS, &CHANCE];

pub(super) fn check(unit: &Unit<'_>, whole: &Whole<'_>, found: &mut Found) {
    let is_test = unit.source.role == Role::Tests;
    for rule in &unit.tree.rules {
        let mut walks = 0_usize;
        walk::rule(rule, &mut |node, _| {
            let Node::Term(term @ Term { kind: TermKind::Call(call), .. }) = node else { return };
            let name = call.dotted().unwrap_or_default();
            let at = unit.at(term.span);
            match name.as_str() {
                "print" => found.add(&PRINT, at, "a `print` is left in", "remove it"),
                _ if is_test => {}
                "walk" => {
                    walks += 1;
                    if walks == 2 {
                        let remedy = "walk once and keep what is needed in a set, or name the places";
                        found.add(&WALKS, at, "this rule walks a second time", remedy);
                    }
                }
                "time.now_ns" | "rand.intn" | "uuid.rfc4122" => {
                    let message = format!("`{name}` makes the verdict differ from one request to the next");
                    found.add(
                        &CHANCE,
                        at,
                        message,
                        "take what it hangs on from the object or from a parameter",
                    );
                }
                name if name.starts_with("regex.") || name == "glob.match" => {
                    if let Some(text) = foreign_pattern(call, name, unit, whole) {
                        let message =
                            format!("the pattern is made of `{text}`, which the object's author writes");
                        let remedy = "write the pattern out, or take it from a parameter";
                        found.add(&PATTERN, at, message, remedy);
                    }
                }
                _ => {}
            }
        });
    }
}

/// What of the input a pattern is made of.
fn foreign_pattern(call: &Call, name: &str, unit: &Unit<'_>, whole: &Whole<'_>) -> Option<String> {
    let place = usize::from(name == "regex.replace");
    let pattern = call.args.get(place)?;
    let mut found = None;
    walk::term(pattern, walk::Around::default(), &mut |node, _| {
        let Node::Term(term) = node else { return };
        let of_object =
            |path: &Path| path.starts_with(&["input", "review"]) || path.starts_with(&["input", "owner"]);
        if found.is_none() && paths::of_term(term, unit, whole).is_some_and(|path| of_object(&path)) {
            found = Some(unit.text(term.span).to_owned());
        }
    });
    found
}
