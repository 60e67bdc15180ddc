//! What nothing uses: imports, variables, arguments, rules.

use super::locals::{self, How};
use super::reach::{self, ENTRIES};
use super::rule::{Found, Rule, Severity};
use super::unit::{Unit, Whole, is_directive};
use super::walk;
use crate::rego::syntax::tree::Rule as Clause;
use std::collections::BTreeSet;

static IMPORT: Rule = Rule {
    id: "unused-import",
    severity: Severity::Error,
    wants: "what is imported is used",
    why: "OPA's strict mode refuses it. It is often the trace of a check that was lost.",
    example: Some([
        "import data.lib.fields\n\ndeny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\"} if not \
         input.review.object.metadata.name\n",
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\"} if not \
         input.review.object.metadata.name\n",
    ]),
};
static VARIABLE: Rule = Rule {
    id: "unused-variable",
    severity: Severity::Error,
    wants: "a variable that is declared is used",
    why: "OPA's strict mode refuses it. Mostly another one was meant where it should stand.",
    example: Some([
        "deny contains finding if {\n\tname := input.review.object.metadata.name\n\tfinding := {\"path\": \
         \"/metadata/name\", \"expected\": \"another\"}\n}\n",
        "deny contains finding if {\n\tname := input.review.object.metadata.name\n\tname == \"bob\"\n\tfinding := \
         {\"path\": \"/metadata/name\", \"expected\": \"another\"}\n}\n",
    ]),
};
static ARGUMENT: Rule = Rule {
    id: "unused-argument",
    severity: Severity::Error,
    wants: "an argument that is not used is `_`",
    why: "OPA's strict mode refuses it. An argument that is not looked at is a check that is not made.",
    example: Some([
        "deny contains {\"path\": \"\", \"expected\": \"x\"} if bad(input.review.object)\n\nbad(object) if \
         input.review.dryRun\n",
        "deny contains {\"path\": \"\", \"expected\": \"x\"} if bad(input.review.object)\n\nbad(object) if \
         object.dryRun\n",
    ]),
};
static ITERATION: Rule = Rule {
    id: "unused-iteration",
    severity: Severity::Warning,
    wants: "what `some … in` and `every … in` give is used",
    why: "The body says the same of every element; often the element was to be looked at. `count(list) > 0` says that \
          there is one.",
    example: Some([
        "deny contains finding if {\n\tsome container in input.review.object.spec.containers\n\tfinding := \
         {\"path\": \"/spec/containers\", \"expected\": \"none\"}\n}\n",
        "deny contains finding if {\n\tcount(input.review.object.spec.containers) > 0\n\tfinding := {\"path\": \
         \"/spec/containers\", \"expected\": \"none\"}\n}\n",
    ]),
};
static RULE: Rule = Rule {
    id: "unused-rule",
    severity: Severity::Warning,
    wants: "every rule of a policy has a part in what it finds or changes",
    why: "What no rule of the contract comes to decides nothing, whatever it looks like.",
    example: Some([
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\"} if not \
         input.review.object.metadata.name\n\nlimit := 5\n",
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"a name\"} if not \
         input.review.object.metadata.name\n",
    ]),
};

pub(super) const RULES: &[&Rule] = &[&IMPORT, &VARIABLE, &ARGUMENT, &ITERATION, &RULE];

pub(super) fn check(unit: &Unit<'_>, whole: &Whole<'_>, found: &mut Found) {
    imports(unit, found);
    for rule in unit.tree.rules.iter().filter(|rule| !rule.chained) {
        variables(unit, rule, found);
    }
    if unit.policy().is_some() {
        rules(unit, whole, found);
    }
}

fn imports(unit: &Unit<'_>, found: &mut Found) {
    let mut uses = Vec::new();
    for rule in &unit.tree.rules {
        names_of(rule, &mut uses);
    }
    let used: BTreeSet<&str> = uses.into_iter().collect();
    for import in unit.tree.imports.iter().filter(|import| !is_directive(import)) {
        if !used.contains(import.name()) {
            let message = format!("`{}` is imported and not used", import.name());
            found.add(&IMPORT, unit.at(import.span), message, "remove the import");
        }
    }
}

/// All names that a rule uses.
fn names_of<'t>(rule: &'t Clause, uses: &mut Vec<&'t str>) {
    walk::heads(rule).into_iter().for_each(|term| locals::uses_of(term, uses));
    let bodies = std::iter::once(&rule.body).chain(rule.elses.iter().map(|other| &other.body));
    bodies.flatten().for_each(|expr| locals::uses_of_expr(expr, uses));
}

fn variables(unit: &Unit<'_>, rule: &Clause, found: &mut Found) {
    let locals = locals::of_rule(rule);
    for local in locals.iter().filter(|local| !local.used && local.name != "_") {
        let at = unit.at(local.span);
        let name = local.name;
        match local.how {
            How::Argument => {
                found.add(
                    &ARGUMENT,
                    at,
                    format!("the argument `{name}` is not used"),
                    "write `_` in its place",
                );
            }
            How::Assigned | How::Some => {
                found.add(
                    &VARIABLE,
                    at,
                    format!("the variable `{name}` is not used"),
                    "use it, or remove it",
                );
            }
            How::SomeIn | How::Every => {
                let remedy = "use it, or write `_` in its place";
                found.add(&ITERATION, at, format!("`{name}` is never looked at"), remedy);
            }
        }
    }
}

fn rules(unit: &Unit<'_>, whole: &Whole<'_>, found: &mut Found) {
    let reached = reach::from(unit, &ENTRIES, whole);
    let used = |rule: &Clause| {
        let name = &rule.head.name.text;
        reached.iter().any(|other| std::ptr::eq(other.unit, unit) && other.rule.head.name.text == *name)
    };
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for rule in unit.tree.rules.iter().filter(|rule| !used(rule)) {
        let name = rule.head.name.text.as_str();
        if told.insert(name) {
            let message = format!("no rule of the contract comes to `{name}`");
            found.add(&RULE, unit.at(rule.head.name.span), message, "use it, or remove it");
        }
    }
}
