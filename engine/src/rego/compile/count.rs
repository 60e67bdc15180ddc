//! How often each variable of a clause stands somewhere: what stands twice is bound and used once.

use crate::rego::front::form::{Clause, Expr, ExprKind, Kind, Part, Target, Term, Var};
use crate::rego::front::visit::own_terms;
use std::collections::HashMap;

/// The variables of an expression in the order in which they are evaluated, closures left out.
pub(crate) fn in_order(expr: &Expr<'_>) -> Vec<Var> {
    let mut found = Vec::new();
    for term in own_terms(expr) {
        term_in_order(term, &mut found);
    }
    found
}

/// As [`in_order`], for a term.
pub(crate) fn term_in_order(term: &Term<'_>, found: &mut Vec<Var>) {
    match &term.kind {
        Kind::Var(var) => found.push(*var),
        Kind::Ref(items) | Kind::Array(items) | Kind::Set(items) | Kind::Call(_, items) => {
            items.iter().for_each(|item| term_in_order(item, found));
        }
        Kind::Object(pairs) => {
            for (key, value) in pairs {
                term_in_order(key, found);
                term_in_order(value, found);
            }
        }
        _ => {}
    }
}

/// Occurrences by variable.
#[derive(Debug, Default)]
pub(crate) struct Counts(HashMap<Var, u32>);

impl Counts {
    pub(crate) fn of(clause: &Clause<'_>) -> Self {
        let mut counts = Self::default();
        clause.args.iter().chain(&clause.tail).for_each(|term| counts.term(term));
        counts.term(clause.result.term());
        clause.body.iter().for_each(|expr| counts.expr(expr));
        counts
    }

    pub(crate) fn get(&self, var: Var) -> u32 {
        self.0.get(&var).copied().unwrap_or(0)
    }

    fn var(&mut self, var: Var) {
        *self.0.entry(var).or_default() += 1;
    }

    fn term(&mut self, term: &Term<'_>) {
        match &term.kind {
            Kind::Scalar(_) => {}
            Kind::Var(var) => self.var(*var),
            Kind::Ref(items) | Kind::Array(items) | Kind::Set(items) | Kind::Call(_, items) => {
                items.iter().for_each(|item| self.term(item));
            }
            Kind::Object(pairs) => {
                for (key, value) in pairs {
                    self.term(key);
                    self.term(value);
                }
            }
            Kind::ArrayOf(of) | Kind::SetOf(of) => {
                self.term(&of.0);
                of.1.iter().for_each(|expr| self.expr(expr));
            }
            Kind::ObjectOf(of) => {
                self.term(&of.0);
                self.term(&of.1);
                of.2.iter().for_each(|expr| self.expr(expr));
            }
            Kind::Template(parts) => {
                for part in parts {
                    if let Part::Expr(expr) = part {
                        self.expr(expr);
                    }
                }
            }
        }
    }

    fn expr(&mut self, expr: &Expr<'_>) {
        match &expr.kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Call(_, args) => args.iter().for_each(|arg| self.term(arg)),
            ExprKind::Some(_) | ExprKind::SomeIn { .. } => {}
            ExprKind::Every(every) => {
                every.key.iter().for_each(|key| self.var(*key));
                self.var(every.value);
                self.term(&every.domain);
                every.body.iter().for_each(|expr| self.expr(expr));
            }
            ExprKind::Not { body, .. } => body.iter().for_each(|expr| self.expr(expr)),
            ExprKind::And(sides) | ExprKind::Or(sides) => {
                sides.iter().flat_map(|side| &side.body).for_each(|expr| self.expr(expr));
            }
        }
        for with in &expr.withs {
            if let Target::Document(parts) = &with.target {
                parts.iter().for_each(|part| self.term(part));
            }
            if with.function.is_none() {
                self.term(&with.value);
            }
        }
    }
}
