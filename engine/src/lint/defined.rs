//! What may be absent: fields of objects that somebody else wrote, and rules that do not hold always.

use super::locals::pattern;
use super::paths::{self, Path};
use super::unit::{Unit, Whole};
use crate::rego::syntax::tree::{Body, ExprKind, HeadKind, Rule, Term, TermKind};
use std::collections::BTreeMap;

/// What is asked of the terms of one body.
pub(super) struct InBody<'w, 's> {
    pub(super) unit: &'w Unit<'s>,
    pub(super) whole: &'w Whole<'s>,
    /// Variables that stand for a part of the input, and for which.
    foreign: BTreeMap<String, Path>,
    /// The texts of what other expressions of the body require to be there.
    required: Vec<String>,
}

impl<'w, 's> InBody<'w, 's> {
    /// Reads which variables of a body stand for a part of the input.
    pub(super) fn new(body: &Body, unit: &'w Unit<'s>, whole: &'w Whole<'s>) -> Self {
        let mut this = Self { unit, whole, foreign: BTreeMap::new(), required: Vec::new() };
        for expr in body {
            let (names, domain, element) = match &expr.kind {
                ExprKind::Assign { left, right } => (vec![left], right, false),
                ExprKind::SomeIn { value, domain, .. } => (vec![value], domain, true),
                ExprKind::Term(term) if !expr.negated => {
                    this.requires(term);
                    continue;
                }
                _ => continue,
            };
            let Some(mut path) = this.path(domain) else { continue };
            if element {
                path.steps.push(paths::Step::Any);
            } else {
                this.required.push(unit.text(domain.span).to_owned());
            }
            let mut variables = Vec::new();
            names.into_iter().for_each(|name| pattern(name, &mut variables));
            for (name, _) in variables {
                this.foreign.insert(name.to_owned(), path.clone());
            }
        }
        this
    }

    /// `spec.x` alone, `is_string(spec.x)`: what else is said of the field is only asked if it is there.
    fn requires(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Ref(_) => self.required.push(self.unit.text(term.span).to_owned()),
            TermKind::Call(call) if call.dotted().is_some_and(|name| name.starts_with("is_")) => {
                self.required.extend(call.args.iter().map(|arg| self.unit.text(arg.span).to_owned()));
            }
            _ => {}
        }
    }

    /// The path below the input that a term stands for.
    fn path(&self, term: &Term) -> Option<Path> {
        if let TermKind::Ref(inner) = &term.kind
            && let TermKind::Var(head) = &inner.head.kind
            && let Some(path) = self.foreign.get(head)
        {
            let mut path = path.clone();
            path.steps.extend(inner.path.iter().map(|_| paths::Step::Any));
            return Some(path);
        }
        paths::of_term(term, self.unit, self.whole)
    }

    /// What of a term may be absent: the field or the rule as it is written.
    pub(super) fn may_be_absent(&self, term: &Term) -> Option<String> {
        let text = self.unit.text(term.span);
        if self.required.iter().any(|required| required == text) {
            return None;
        }
        match &term.kind {
            TermKind::Ref(inner) => {
                let head = match &inner.head.kind {
                    TermKind::Var(head) => head.as_str(),
                    _ => return None,
                };
                if let Some(path) = self.path(term) {
                    let local = self.foreign.contains_key(head);
                    return (local || absentable(&path, self.unit)).then(|| text.to_owned());
                }
                let none = inner.path.is_empty();
                (none && self.rule_may_be_undefined(head)).then(|| text.to_owned())
            }
            // A local stands for what was there when it was bound.
            TermKind::Var(name) => self.rule_may_be_undefined(name).then(|| text.to_owned()),
            // What is taken with a default is always there.
            TermKind::Call(call) if call.dotted().as_deref() == Some("object.get") => None,
            TermKind::Call(call) => call.args.iter().find_map(|arg| self.may_be_absent(arg)),
            TermKind::Infix(infix) => {
                [&infix.left, &infix.right].into_iter().find_map(|side| self.may_be_absent(side))
            }
            _ => None,
        }
    }

    fn rule_may_be_undefined(&self, name: &str) -> bool {
        self.unit.defines(name) && !self.unit.rules_named(name).any(|rule| always(rule, self))
    }
}

/// Whether a clause of a rule gives a value whatever the input is.
fn always(rule: &Rule, body: &InBody<'_, '_>) -> bool {
    if rule.default || matches!(rule.head.kind, HeadKind::Element { .. }) || !rule.head.path.is_empty() {
        return true;
    }
    if rule.body_omitted {
        let HeadKind::Value { value, .. } = &rule.head.kind else { return true };
        return body.may_be_absent(value).is_none();
    }
    rule.elses.iter().any(|other| other.body_omitted && body.may_be_absent(&other.value).is_none())
}

/// Whether what a path names may be absent: all but what every request has, what is declared, and parameters that have
/// a default.
fn absentable(path: &Path, unit: &Unit<'_>) -> bool {
    let depth = path.steps.len();
    match (path.key(0), path.key(1)) {
        (Some("input"), Some("review")) => match path.key(2) {
            None => depth > 2,
            Some("kind" | "resource") => depth > 4,
            Some("object" | "operation" | "uid" | "name" | "namespace" | "userInfo") => depth > 3,
            Some(_) => true,
        },
        (Some("input"), Some("parameters")) => {
            let declared = unit.annotations.as_ref().and_then(|found| found.parameter(path.key(2)?));
            let filled = declared.is_some_and(|property| property.get("default").is_some());
            depth > 3 || (depth == 3 && !filled)
        }
        (Some("input"), Some("facts")) => depth > 3,
        (Some("input"), Some(_)) => depth > 2,
        (Some("data"), Some("inventory")) => depth > 2,
        _ => false,
    }
}
