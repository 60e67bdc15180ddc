//! What keeps a file from being loaded at all, as `check` and the server say it.

use super::rule::{Finding, Found, Rule, Severity};
use super::unit::{Role, Unit, Whole};
use crate::policy::metadata;
use crate::rego::{CompileOptions, Module, Program};
use std::collections::BTreeSet;

pub(super) static SYNTAX: Rule = Rule {
    id: "syntax",
    severity: Severity::Error,
    wants: "the file can be read as Rego v1",
    why: "What cannot be read decides nothing.",
    example: Some([
        "deny contains \"x\" {\n\tinput.review\n}\n",
        "deny contains finding if {\n\tnot input.review\n\tfinding := {\"path\": \"\", \"expected\": \"a review\"}\n}\n",
    ]),
};

pub(super) static LOAD: Rule = Rule {
    id: "load",
    severity: Severity::Error,
    wants: "the policy can be loaded: every name is known, every variable bound, every type fits",
    why: "A policy that cannot be loaded answers by its `onError`, never by its rules.",
    example: Some([
        "deny contains finding if {\n\tnot alowed\n\tfinding := {\"path\": \"\", \"expected\": \"x\"}\n}\n",
        "deny contains finding if {\n\tnot allowed\n\tfinding := {\"path\": \"\", \"expected\": \"x\"}\n}\n\nallowed if input.review.dryRun\n",
    ]),
};

pub(super) const SYNTAX_REMEDY: &str = "write it as Rego v1";

pub(super) const RULES: &[&Rule] = &[&SYNTAX, &LOAD];

/// Compiles every file with what it imports.
pub(super) fn check(whole: &Whole<'_>, found: &mut Found) {
    for unit in whole.units.iter().filter(|unit| unit.source.role != Role::Known) {
        let modules = closure(unit, whole);
        if unit.policy().is_some()
            && let Some(Err(error)) = modules.first().map(metadata::read)
        {
            push(found, error);
            continue;
        }
        let compiled = Program::compile(modules, CompileOptions::default());
        for error in compiled.err().into_iter().flatten() {
            let known = |unit: &Unit<'_>| unit.source.path == error.file && unit.source.role == Role::Known;
            if !whole.units.iter().any(known) {
                push(found, error);
            }
        }
    }
}

fn push(found: &mut Found, error: crate::rego::LoadError) {
    let end = (error.line, error.column.saturating_add(1));
    found.findings.push(Finding { rule: &LOAD, end, error, remedy: String::new(), through: None });
}

/// A file and all that it imports, directly or not, itself first.
fn closure(unit: &Unit<'_>, whole: &Whole<'_>) -> Vec<Module> {
    let mut queue = vec![unit];
    let mut seen = BTreeSet::new();
    let mut modules = Vec::new();
    let mut at = 0;
    while let Some(unit) = queue.get(at).copied() {
        at += 1;
        if !seen.insert(unit.source.path.as_str()) {
            continue;
        }
        modules.push(Module { path: unit.source.path.clone(), text: unit.source.text.clone() });
        for import in &unit.tree.imports {
            let path: Vec<&str> = import.path.iter().skip(1).map(|name| name.text.as_str()).collect();
            if import.path.first().is_some_and(|first| first.text == "data") {
                let all = (1..=path.len()).filter_map(|end| path.get(..end));
                queue.extend(all.flat_map(|path| whole.package(&path.join("."))));
            }
        }
    }
    modules
}
