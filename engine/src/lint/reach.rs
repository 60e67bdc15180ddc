//! Which rules of which files a policy comes to: from the rules of the contract through everything they name.

use super::unit::{Unit, Whole, is_directive};
use super::walk::{self, Around, Node};
use crate::rego::syntax::tree::{Ref, Rule, Term, TermKind};
use std::collections::BTreeSet;

/// The rules of a policy that somebody asks for, those of provisioning too.
pub(super) const ENTRIES: [&str; 14] = [
    "deny",
    "warn",
    "audit",
    "violation",
    "defaults",
    "overrides",
    "removals",
    "recheck_pods",
    "access",
    "objects",
    "outputs",
    "approval",
    "cost",
    "ready",
];

/// A rule of a file that is come to.
#[derive(Clone, Copy)]
pub(super) struct Reached<'w, 's> {
    pub(super) unit: &'w Unit<'s>,
    pub(super) rule: &'w Rule,
}

/// All rules that the rules of those names in a file come to, themselves included.
pub(super) fn from<'w, 's>(unit: &'w Unit<'s>, names: &[&str], whole: &'w Whole<'s>) -> Vec<Reached<'w, 's>> {
    let mut seen: BTreeSet<(*const Unit<'s>, String)> = BTreeSet::new();
    let mut queue: Vec<(&'w Unit<'s>, String)> =
        names.iter().map(|name| (unit, (*name).to_owned())).collect();
    let mut found = Vec::new();
    while let Some((unit, name)) = queue.pop() {
        if !seen.insert((std::ptr::from_ref(unit), name.clone())) {
            continue;
        }
        for rule in unit.tree.rules.iter().filter(|rule| rule.head.name.text == name) {
            found.push(Reached { unit, rule });
            queue.extend(named_by(unit, rule, whole));
        }
    }
    found
}

/// The rules that a rule names.
pub(super) fn named_by<'w, 's>(
    unit: &'w Unit<'s>,
    rule: &Rule,
    whole: &'w Whole<'s>,
) -> Vec<(&'w Unit<'s>, String)> {
    let mut found = Vec::new();
    walk::rule(rule, &mut |node, _: Around| {
        let Node::Term(term) = node else { return };
        found.extend(named(unit, term, whole));
    });
    found
}

/// The rules that a term itself names: one, or none; all of a package if that is named whole.
pub(super) fn named<'w, 's>(
    unit: &'w Unit<'s>,
    term: &Term,
    whole: &'w Whole<'s>,
) -> Vec<(&'w Unit<'s>, String)> {
    match &term.kind {
        TermKind::Var(name) => of_name(unit, name, &[], whole),
        TermKind::Ref(inner) => of_ref(unit, inner, whole),
        TermKind::Call(call) => of_ref(unit, &call.function, whole),
        _ => Vec::new(),
    }
}

fn of_ref<'w, 's>(unit: &'w Unit<'s>, inner: &Ref, whole: &'w Whole<'s>) -> Vec<(&'w Unit<'s>, String)> {
    let TermKind::Var(head) = &inner.head.kind else { return Vec::new() };
    let keys: Vec<&str> = inner.path.iter().map_while(key).collect();
    if head == "data" {
        return of_path(&keys, whole);
    }
    of_name(unit, head, &keys, whole)
}

fn of_name<'w, 's>(
    unit: &'w Unit<'s>,
    name: &str,
    keys: &[&str],
    whole: &'w Whole<'s>,
) -> Vec<(&'w Unit<'s>, String)> {
    if unit.defines(name) {
        return vec![(unit, name.to_owned())];
    }
    let Some(import) = unit.import(name).filter(|import| !is_directive(import)) else { return Vec::new() };
    let mut path: Vec<&str> = import.path.iter().map(|part| part.text.as_str()).collect();
    if path.first() != Some(&"data") {
        return Vec::new();
    }
    path.remove(0);
    path.extend(keys);
    of_path(&path, whole)
}

fn of_path<'w, 's>(path: &[&str], whole: &'w Whole<'s>) -> Vec<(&'w Unit<'s>, String)> {
    if let Some((unit, name, _)) = whole.rules_at(path) {
        return vec![(unit, name.to_owned())];
    }
    let units = whole.package(&path.join("."));
    units
        .flat_map(|unit| unit.tree.rules.iter().map(move |rule| (unit, rule.head.name.text.clone())))
        .collect()
}

fn key(term: &Term) -> Option<&str> {
    match &term.kind {
        TermKind::String { text, .. } => Some(text),
        _ => None,
    }
}
