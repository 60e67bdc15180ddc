//! Which variables an expression binds, given those that are bound already: OPA's rules, to the letter, because the
//! order of evaluation and the refusal of unsafe variables hang on them.

use super::form::{Expr, ExprKind, Kind, Term, Var};
use super::visit::{OUTPUTS, PATTERN, SAFETY, Vars};
use std::collections::{BTreeMap, BTreeSet};

/// How many arguments a function takes; `None`: there is no such function.
pub(crate) type Arity<'c> = &'c dyn Fn(&super::form::Callee<'_>) -> Option<usize>;

/// What `expr` binds if `safe` is bound.
pub(crate) fn output_vars(expr: &Expr<'_>, arity: Arity<'_>, safe: &Vars) -> Vars {
    if expr.negated {
        return Vars::new();
    }
    for with in &expr.withs {
        let mut needed = Vars::new();
        SAFETY.with(with, &mut needed);
        if !needed.is_subset(safe) {
            return Vars::new();
        }
    }
    match &expr.kind {
        ExprKind::Term(term) => {
            let mut output = Vars::new();
            references(term, safe, &mut output);
            for with in &expr.withs {
                references(&with.value, safe, &mut output);
            }
            output
        }
        ExprKind::Call(callee, args) if callee.is("eq") => match args.as_slice() {
            [left, right] => output_vars_of_unification(left, right, expr.assigned, safe),
            _ => safe.clone(),
        },
        ExprKind::Call(callee, args) => {
            let Some(arity) = arity(callee) else { return Vars::new() };
            let mut output = Vars::new();
            args.iter().for_each(|arg| references(arg, safe, &mut output));
            if arity >= args.len() {
                return output;
            }
            let (inputs, outputs) = args.split_at(arity);
            let mut needed = Vars::new();
            inputs.iter().for_each(|arg| OUTPUTS.term(arg, &mut needed));
            if needed.iter().any(|var| !output.contains(var) && !safe.contains(var)) {
                return Vars::new();
            }
            outputs.iter().for_each(|arg| OUTPUTS.term(arg, &mut output));
            output
        }
        ExprKind::Every(every) => {
            let mut output = Vars::new();
            references(&every.domain, safe, &mut output);
            output
        }
        _ => Vars::new(),
    }
}

/// What `body` binds if `safe` is bound.
pub(crate) fn output_vars_of_body(body: &[Expr<'_>], arity: Arity<'_>, safe: &Vars) -> Vars {
    let mut known = safe.clone();
    for expr in body {
        let more = output_vars(expr, arity, &known);
        known.extend(more);
    }
    known.difference(safe).copied().collect()
}

/// What `left = right` binds if `safe` is bound.
pub(crate) fn output_vars_of_unification(
    left: &Term<'_>,
    right: &Term<'_>,
    assigned: bool,
    safe: &Vars,
) -> Vars {
    let mut known = Vars::new();
    references(left, safe, &mut known);
    references(right, safe, &mut known);
    known.extend(safe);
    if assigned {
        for var in super::visit::ALL.of_term(left) {
            known.remove(&var);
        }
    }
    let mut unifier = Unifier { safe: known.clone(), unified: Vars::new(), unknown: BTreeMap::new() };
    unifier.unify(left, right);
    known.extend(unifier.unified);
    known.difference(safe).copied().collect()
}

/// The variables that iterating the references of a term binds.
fn references(term: &Term<'_>, safe: &Vars, output: &mut Vars) {
    match &term.kind {
        Kind::Scalar(_) | Kind::Var(_) => {}
        Kind::ArrayOf(_) | Kind::SetOf(_) | Kind::ObjectOf(_) | Kind::Template(_) => {}
        Kind::Ref(parts) => {
            if !is_ref_safe(parts, safe) {
                return;
            }
            for part in parts.iter().skip(1) {
                super::visit::Skip { ref_heads: true, ..super::visit::ALL }.term(part, output);
            }
            parts.iter().for_each(|part| references(part, safe, output));
        }
        Kind::Array(items) | Kind::Set(items) | Kind::Call(_, items) => {
            items.iter().for_each(|item| references(item, safe, output));
        }
        Kind::Object(pairs) => {
            for (key, value) in pairs {
                references(key, safe, output);
                references(value, safe, output);
            }
        }
    }
}

fn is_ref_safe(parts: &[Term<'_>], safe: &Vars) -> bool {
    parts.first().is_some_and(|head| match head.kind {
        Kind::Var(var) => safe.contains(&var),
        _ => SAFETY.of_term(head).is_subset(safe),
    })
}

/// Finds what unifying two terms binds.
struct Unifier {
    safe: Vars,
    unified: Vars,
    unknown: BTreeMap<Var, BTreeSet<Var>>,
}

impl Unifier {
    fn is_safe(&self, var: Var) -> bool {
        self.safe.contains(&var) || self.unified.contains(&var)
    }

    fn is_term_safe(&self, term: &Term<'_>) -> bool {
        match &term.kind {
            Kind::Ref(parts) => is_ref_safe(parts, &self.safe),
            _ => SAFETY.of_term(term).is_subset(&self.safe),
        }
    }

    fn unify(&mut self, left: &Term<'_>, right: &Term<'_>) {
        match (&left.kind, &right.kind) {
            (Kind::Var(a), Kind::Var(b)) => {
                if self.is_safe(*b) {
                    self.bound(*a);
                } else if self.is_safe(*a) {
                    self.bound(*b);
                } else {
                    self.unknown.entry(*a).or_default().insert(*b);
                    self.unknown.entry(*b).or_default().insert(*a);
                }
            }
            (Kind::Var(var), Kind::Array(_) | Kind::Object(_)) => self.with_pattern(*var, right),
            (Kind::Array(_) | Kind::Object(_), Kind::Var(var)) => self.with_pattern(*var, left),
            (Kind::Var(var), Kind::Ref(_) | Kind::Call(..)) if self.is_term_safe(right) => {
                self.bound(*var);
            }
            (Kind::Var(var), _) => self.bound(*var),
            (Kind::Ref(_) | Kind::Call(..), _) if self.is_term_safe(left) => match &right.kind {
                Kind::Var(var) => self.bound(*var),
                Kind::Array(_) | Kind::Object(_) => self.pattern(right),
                _ => {}
            },
            (Kind::ArrayOf(_) | Kind::ObjectOf(_) | Kind::SetOf(_), Kind::Var(var)) => self.bound(*var),
            (Kind::ArrayOf(_), Kind::Array(_)) | (Kind::ObjectOf(_), Kind::Object(_)) => self.pattern(right),
            (Kind::ArrayOf(_) | Kind::ObjectOf(_) | Kind::SetOf(_), _) => {}
            (Kind::Array(_), Kind::ArrayOf(_) | Kind::ObjectOf(_) | Kind::SetOf(_)) => self.pattern(left),
            (Kind::Array(_) | Kind::Object(_), Kind::Ref(_) | Kind::Call(..)) if self.is_term_safe(right) => {
                self.pattern(left);
            }
            (Kind::Array(a), Kind::Array(b)) if a.len() == b.len() => {
                a.iter().zip(b).for_each(|(a, b)| self.unify(a, b));
            }
            (Kind::Object(a), Kind::Object(b)) if a.len() == b.len() => {
                for (key, value) in a {
                    if let Some((_, other)) = b.iter().find(|(other, _)| other == key) {
                        self.unify(value, other);
                    }
                }
            }
            (_, Kind::Var(var)) => self.bound(*var),
            _ => {}
        }
    }

    fn pattern(&mut self, term: &Term<'_>) {
        PATTERN.of_term(term).into_iter().for_each(|var| self.bound(var));
    }

    fn bound(&mut self, var: Var) {
        self.unified.insert(var);
        for dependency in self.unknown.remove(&var).unwrap_or_default() {
            self.bound(dependency);
        }
        let mut ready = Vec::new();
        for (dependent, needed) in &mut self.unknown {
            if needed.remove(&var) && needed.is_empty() {
                ready.push(*dependent);
            }
        }
        ready.into_iter().for_each(|var| self.bound(var));
    }

    fn with_pattern(&mut self, var: Var, pattern: &Term<'_>) {
        if self.is_safe(var) {
            return self.pattern(pattern);
        }
        let unsafe_vars: Vec<Var> =
            PATTERN.of_term(pattern).into_iter().filter(|other| !self.is_safe(*other)).collect();
        if unsafe_vars.is_empty() {
            self.bound(var);
        } else {
            self.unknown.entry(var).or_default().extend(unsafe_vars);
        }
    }
}
