//! What of the input and of the cluster's objects a policy reads: paths below `input` and `data`, also where they are
//! taken with `object.get` or by a rule that only names one.

use super::unit::{Unit, Whole};
use super::walk;
use crate::rego::syntax::tree::{HeadKind, Ref, Rule, Span, Term, TermKind};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A key that is written out.
    Key(String),
    /// Any.
    Any,
}

/// A path that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// From `input` or `data`, which is its first key.
    pub(super) steps: Vec<Step>,
    pub(super) span: Span,
}

impl Path {
    /// The key at a place, if it is written out.
    pub(super) fn key(&self, at: usize) -> Option<&str> {
        match self.steps.get(at) {
            Some(Step::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// Whether it begins with these keys.
    pub(super) fn starts_with(&self, keys: &[&str]) -> bool {
        keys.iter().enumerate().all(|(at, key)| self.key(at) == Some(key))
    }
}

/// The path that a term names, if it names one: `input.a.b`, `object.get(input.a, "b", 1)`, `spec.b` where `spec` is
/// a rule that is nothing but a path. Names of locals and of rules of other packages are no paths.
pub(super) fn of_term(term: &Term, unit: &Unit<'_>, whole: &Whole<'_>) -> Option<Path> {
    resolved(term, unit, whole, 0)
}

/// Rules that name each other are followed so far.
const MAX_NAMES: usize = 8;

fn resolved(term: &Term, unit: &Unit<'_>, whole: &Whole<'_>, depth: usize) -> Option<Path> {
    if depth > MAX_NAMES {
        return None;
    }
    let span = term.span;
    match &term.kind {
        TermKind::Var(name) => of_name(name, unit, whole, depth).map(|path| Path { span, ..path }),
        TermKind::Ref(inner) => of_ref(inner, unit, whole, depth).map(|path| Path { span, ..path }),
        TermKind::Call(call) => {
            // `object.get(x, key, …)`, and functions of shared modules that take an object and a key.
            let name = call.dotted()?;
            if name != "object.get" && !name.ends_with("_at") {
                return None;
            }
            let [object, key, ..] = call.args.as_slice() else { return None };
            let mut path = resolved(object, unit, whole, depth + 1)?;
            match &key.kind {
                TermKind::Array(keys) => path.steps.extend(keys.iter().map(step)),
                _ => path.steps.push(step(key)),
            }
            Some(Path { span, ..path })
        }
        _ => None,
    }
}

fn of_ref(inner: &Ref, unit: &Unit<'_>, whole: &Whole<'_>, depth: usize) -> Option<Path> {
    let TermKind::Var(head) = &inner.head.kind else { return None };
    let mut path = match head.as_str() {
        "input" | "data" => Path { steps: vec![Step::Key(head.clone())], span: Span::default() },
        name => of_name(name, unit, whole, depth)?,
    };
    path.steps.extend(inner.path.iter().map(step));
    Some(path)
}

/// A rule of one clause that is nothing but a path.
fn of_name(name: &str, unit: &Unit<'_>, whole: &Whole<'_>, depth: usize) -> Option<Path> {
    let mut rules = unit.rules_named(name);
    let rule = rules.next().filter(|rule| is_plain(rule))?;
    if rules.next().is_some() {
        return None;
    }
    resolved(walk::defined(rule), unit, whole, depth + 1)
}

/// `name := value`, with or without conditions, that is no function and no set.
fn is_plain(rule: &Rule) -> bool {
    rule.head.path.is_empty()
        && rule.head.args.is_empty()
        && rule.elses.is_empty()
        && matches!(rule.head.kind, HeadKind::Value { .. })
}

fn step(term: &Term) -> Step {
    match &term.kind {
        TermKind::String { text, .. } => Step::Key(text.clone()),
        _ => Step::Any,
    }
}
