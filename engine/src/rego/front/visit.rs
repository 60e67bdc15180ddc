//! Which variables a piece of policy holds: the walks that safety, locals and code generation share.

use super::form::{Body, Clause, Expr, ExprKind, Kind, Part, Target, Term, Var, With};
use std::collections::BTreeSet;

/// A set of variables, in a stable order.
pub(crate) type Vars = BTreeSet<Var>;

/// What a walk leaves out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Skip {
    /// The head of references.
    pub(crate) ref_heads: bool,
    /// The keys of object literals.
    pub(crate) object_keys: bool,
    /// Set literals.
    pub(crate) sets: bool,
    /// Comprehensions, templates, and the bodies of `every`, `not`, `and`, `or`.
    pub(crate) closures: bool,
    /// The head of references that a `with` names or gives.
    pub(crate) with_heads: bool,
}

/// The variables whose binding an expression needs or gives, as the safety check counts them.
pub(crate) const SAFETY: Skip =
    Skip { ref_heads: false, object_keys: false, sets: false, closures: true, with_heads: true };
/// The variables that a pattern gives.
pub(crate) const OUTPUTS: Skip =
    Skip { ref_heads: true, object_keys: true, sets: true, closures: true, with_heads: false };
/// As [`OUTPUTS`], with the items of set literals.
pub(crate) const PATTERN: Skip =
    Skip { ref_heads: true, object_keys: true, sets: false, closures: true, with_heads: false };
/// Everything.
pub(crate) const ALL: Skip =
    Skip { ref_heads: false, object_keys: false, sets: false, closures: false, with_heads: false };

impl Skip {
    pub(crate) fn term(self, term: &Term<'_>, found: &mut Vars) {
        match &term.kind {
            Kind::Scalar(_) => {}
            Kind::Var(var) => {
                found.insert(*var);
            }
            Kind::Ref(parts) => {
                for part in parts.iter().skip(usize::from(self.ref_heads)) {
                    self.term(part, found);
                }
            }
            Kind::Set(_) if self.sets => {}
            Kind::Array(items) | Kind::Set(items) | Kind::Call(_, items) => {
                items.iter().for_each(|item| self.term(item, found));
            }
            Kind::Object(pairs) => {
                for (key, value) in pairs {
                    if !self.object_keys {
                        self.term(key, found);
                    }
                    self.term(value, found);
                }
            }
            _ if self.closures => {}
            Kind::ArrayOf(of) | Kind::SetOf(of) => {
                self.term(&of.0, found);
                self.body(&of.1, found);
            }
            Kind::ObjectOf(of) => {
                self.term(&of.0, found);
                self.term(&of.1, found);
                self.body(&of.2, found);
            }
            Kind::Template(parts) => {
                for part in parts {
                    if let Part::Expr(expr) = part {
                        self.expr(expr, found);
                    }
                }
            }
        }
    }

    pub(crate) fn with(self, with: &With<'_>, found: &mut Vars) {
        if let Target::Document(parts) = &with.target {
            parts.iter().skip(usize::from(self.with_heads)).for_each(|part| self.term(part, found));
        }
        if with.function.is_some() {
            return;
        }
        match &with.value.kind {
            Kind::Ref(parts) if self.with_heads => {
                parts.iter().skip(1).for_each(|part| self.term(part, found));
            }
            _ => self.term(&with.value, found),
        }
    }

    pub(crate) fn expr(self, expr: &Expr<'_>, found: &mut Vars) {
        match &expr.kind {
            ExprKind::Term(term) => self.term(term, found),
            ExprKind::Call(_, args) => args.iter().for_each(|arg| self.term(arg, found)),
            ExprKind::Some(names) => found.extend(names.iter().map(|(var, _)| *var)),
            ExprKind::SomeIn { key, value, domain } => {
                key.iter().for_each(|key| self.term(key, found));
                self.term(value, found);
                self.term(domain, found);
            }
            ExprKind::Every(every) => {
                self.term(&every.domain, found);
                if self.closures {
                    // As OPA's walk, which stops here and does not see the modifiers.
                    return;
                }
                found.extend(every.key);
                found.insert(every.value);
                self.body(&every.body, found);
            }
            ExprKind::Not { .. } | ExprKind::And(_) | ExprKind::Or(_) if self.closures => {}
            ExprKind::Not { body, .. } => self.body(body, found),
            ExprKind::And(sides) | ExprKind::Or(sides) => {
                sides.iter().for_each(|side| self.body(&side.body, found));
            }
        }
        expr.withs.iter().for_each(|with| self.with(with, found));
    }

    pub(crate) fn body(self, body: &[Expr<'_>], found: &mut Vars) {
        body.iter().for_each(|expr| self.expr(expr, found));
    }

    pub(crate) fn of_term(self, term: &Term<'_>) -> Vars {
        let mut found = Vars::new();
        self.term(term, &mut found);
        found
    }

    pub(crate) fn of_expr(self, expr: &Expr<'_>) -> Vars {
        let mut found = Vars::new();
        self.expr(expr, &mut found);
        found
    }
}

/// Calls `found` with every term below, outermost first; what returns true is not descended into.
pub(crate) fn each_term<'t, 'p>(term: &'t Term<'p>, found: &mut dyn FnMut(&'t Term<'p>) -> bool) {
    if found(term) {
        return;
    }
    match &term.kind {
        Kind::Scalar(_) | Kind::Var(_) => {}
        Kind::Ref(items) | Kind::Array(items) | Kind::Set(items) | Kind::Call(_, items) => {
            items.iter().for_each(|item| each_term(item, found));
        }
        Kind::Object(pairs) => {
            for (key, value) in pairs {
                each_term(key, found);
                each_term(value, found);
            }
        }
        Kind::ArrayOf(of) | Kind::SetOf(of) => {
            each_term(&of.0, found);
            of.1.iter().for_each(|expr| each_term_of(expr, found));
        }
        Kind::ObjectOf(of) => {
            each_term(&of.0, found);
            each_term(&of.1, found);
            of.2.iter().for_each(|expr| each_term_of(expr, found));
        }
        Kind::Template(parts) => {
            for part in parts {
                if let Part::Expr(expr) = part {
                    each_term_of(expr, found);
                }
            }
        }
    }
}

/// As [`each_term`], for an expression and the bodies below it.
pub(crate) fn each_term_of<'t, 'p>(expr: &'t Expr<'p>, found: &mut dyn FnMut(&'t Term<'p>) -> bool) {
    own_terms(expr).into_iter().for_each(|term| each_term(term, found));
    own_bodies(expr).into_iter().flatten().for_each(|expr| each_term_of(expr, found));
}

/// The terms that stand in an expression itself, not in bodies below it.
pub(crate) fn own_terms<'t, 'p>(expr: &'t Expr<'p>) -> Vec<&'t Term<'p>> {
    let mut terms = Vec::new();
    match &expr.kind {
        ExprKind::Term(term) => terms.push(term),
        ExprKind::Call(_, args) => terms.extend(args),
        ExprKind::SomeIn { key, value, domain } => {
            terms.extend(key);
            terms.extend([value, domain]);
        }
        ExprKind::Every(every) => terms.push(&every.domain),
        ExprKind::Some(_) | ExprKind::Not { .. } | ExprKind::And(_) | ExprKind::Or(_) => {}
    }
    for with in &expr.withs {
        if let Target::Document(parts) = &with.target {
            terms.extend(parts);
        }
        terms.push(&with.value);
    }
    terms
}

/// The bodies that stand in an expression itself.
pub(crate) fn own_bodies<'t, 'p>(expr: &'t Expr<'p>) -> Vec<&'t Body<'p>> {
    match &expr.kind {
        ExprKind::Every(every) => vec![&every.body],
        ExprKind::Not { body, .. } => vec![body],
        ExprKind::And(sides) | ExprKind::Or(sides) => sides.iter().map(|side| &side.body).collect(),
        _ => Vec::new(),
    }
}

/// The bodies of the outermost comprehensions of a term.
pub(crate) fn comprehension_bodies<'t, 'p>(term: &'t Term<'p>, bodies: &mut Vec<&'t Body<'p>>) {
    each_term(term, &mut |term| {
        match &term.kind {
            Kind::ArrayOf(of) | Kind::SetOf(of) => {
                comprehension_bodies(&of.0, bodies);
                bodies.push(&of.1);
            }
            Kind::ObjectOf(of) => {
                comprehension_bodies(&of.0, bodies);
                comprehension_bodies(&of.1, bodies);
                bodies.push(&of.2);
            }
            _ => return false,
        }
        true
    });
}

/// Calls `found` with every expression below this one, itself first.
pub(crate) fn each_expr<'t, 'p>(expr: &'t Expr<'p>, found: &mut dyn FnMut(&'t Expr<'p>)) {
    found(expr);
    let mut bodies = own_bodies(expr);
    own_terms(expr).into_iter().for_each(|term| comprehension_bodies(term, &mut bodies));
    bodies.into_iter().flatten().for_each(|expr| each_expr(expr, found));
}

/// All expressions of a clause, those in the head's comprehensions too.
pub(crate) fn each_expr_of_clause<'t, 'p>(clause: &'t Clause<'p>, found: &mut dyn FnMut(&'t Expr<'p>)) {
    clause.body.iter().for_each(|expr| each_expr(expr, found));
    let mut bodies = Vec::new();
    let heads = clause.args.iter().chain(&clause.tail).chain(std::iter::once(clause.result.term()));
    heads.for_each(|term| comprehension_bodies(term, &mut bodies));
    bodies.into_iter().flatten().for_each(|expr| each_expr(expr, found));
}
