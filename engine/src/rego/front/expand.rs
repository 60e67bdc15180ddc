//! Nested calls taken apart: each call becomes an expression of its own that gives its result to a new variable,
//! and so do the terms of comprehensions and heads that must be evaluated.

use super::form::{Body, Clause, Every, Expr, ExprKind, Kind, Rule, Term, Var, append};
use super::names::Names;
use crate::rego::place::Place;

/// Takes expressions apart.
pub(crate) struct Expander<'r> {
    pub(crate) names: &'r mut Names,
}

impl Expander<'_> {
    /// `made = term`, with the new variable.
    pub(crate) fn bind<'p>(&mut self, term: Term<'p>) -> (Var, Expr<'p>) {
        let (var, place) = (self.names.made(), term.place);
        (var, Expr { generated: true, ..Expr::unify(Term::var(var, place), term, place) })
    }

    /// Parts of the head's path that are no variables or scalars are bound in the body.
    pub(crate) fn head_path(&mut self, rule: &mut Rule<'_>) {
        for clause in &mut rule.clauses {
            let mut more = Vec::new();
            for term in &mut clause.tail {
                if !matches!(term.kind, Kind::Var(_) | Kind::Scalar(_)) {
                    let written = std::mem::replace(&mut term.kind, Kind::Array(Vec::new()));
                    let (var, expr) = self.bind(Term::new(written, term.place));
                    term.kind = Kind::Var(var);
                    more.push(expr);
                }
            }
            append(&mut clause.body, more);
        }
    }

    /// All calls of a clause.
    pub(crate) fn clause(&mut self, clause: &mut Clause<'_>) {
        let mut more = Vec::new();
        clause.args.iter_mut().for_each(|arg| self.term(arg, &mut more));
        self.term(clause.result.term_mut(), &mut more);
        append(&mut clause.body, more);
        self.body(&mut clause.body);
    }

    /// Heads of a clause that must be evaluated are bound in the body.
    pub(crate) fn heads(&mut self, clause: &mut Clause<'_>) {
        let mut more = Vec::new();
        for term in std::iter::once(clause.result.term_mut()).chain(&mut clause.args) {
            if term.requires_evaluation() {
                self.replace(term, &mut more);
            }
        }
        append(&mut clause.body, more);
    }

    fn replace<'p>(&mut self, term: &mut Term<'p>, more: &mut Vec<Expr<'p>>) {
        let written = std::mem::replace(&mut term.kind, Kind::Array(Vec::new()));
        let (var, expr) = self.bind(Term::new(written, term.place));
        term.kind = Kind::Var(var);
        more.push(expr);
    }

    /// All calls of a body.
    pub(crate) fn body(&mut self, body: &mut Body<'_>) {
        let written = std::mem::take(body);
        for expr in written {
            self.expr(expr, body);
        }
    }

    fn expr<'p>(&mut self, mut expr: Expr<'p>, body: &mut Body<'p>) {
        let (start, written) = (body.len(), expr.written);
        for with in &mut expr.withs {
            self.term(&mut with.value, body);
        }
        let mut more = Vec::new();
        match &mut expr.kind {
            ExprKind::Term(term) => self.term(term, &mut more),
            ExprKind::Call(_, args) => args.iter_mut().for_each(|arg| self.term(arg, &mut more)),
            ExprKind::Every(every) => {
                let Every { domain, body, .. } = every.as_mut();
                let place = domain.place;
                let var = self.names.made();
                let domain = std::mem::replace(domain, Term::var(var, place));
                let eq = Expr { generated: true, ..Expr::unify(Term::var(var, place), domain, place) };
                self.expr(eq, &mut more);
                self.body(body);
            }
            ExprKind::Not { body, .. } => self.body(body),
            ExprKind::And(sides) | ExprKind::Or(sides) => {
                sides.iter_mut().for_each(|side| self.body(&mut side.body));
            }
            ExprKind::Some(_) | ExprKind::SomeIn { .. } => {}
        }
        if !expr.withs.is_empty() {
            more.iter_mut().for_each(|other| other.withs.clone_from(&expr.withs));
        }
        body.extend(more);
        body.push(expr);
        made_of(written, body.iter_mut().skip(start));
    }

    fn term<'p>(&mut self, term: &mut Term<'p>, more: &mut Vec<Expr<'p>>) {
        match &mut term.kind {
            Kind::Scalar(_) | Kind::Var(_) | Kind::Template(_) => {}
            Kind::Array(items) | Kind::Set(items) => {
                items.iter_mut().for_each(|item| self.term(item, more));
            }
            Kind::Object(pairs) => {
                for (key, value) in pairs {
                    self.term(key, more);
                    self.term(value, more);
                }
            }
            Kind::Call(callee, args) => {
                args.iter_mut().for_each(|arg| self.term(arg, more));
                let var = self.names.made();
                let mut args = std::mem::take(args);
                args.push(Term::var(var, term.place));
                let call = Expr::new(ExprKind::Call(callee.clone(), args), term.place);
                more.push(Expr { generated: true, ..call });
                term.kind = Kind::Var(var);
            }
            Kind::Ref(parts) => {
                parts.iter_mut().for_each(|part| self.term(part, more));
                if let Some(head) = parts.first_mut()
                    && !matches!(head.kind, Kind::Var(_) | Kind::Scalar(_))
                {
                    self.replace(head, more);
                }
            }
            Kind::ArrayOf(of) | Kind::SetOf(of) => {
                let mut support = Vec::new();
                self.term(&mut of.0, &mut support);
                append(&mut of.1, support);
                self.body(&mut of.1);
            }
            Kind::ObjectOf(of) => {
                let mut support = Vec::new();
                self.term(&mut of.0, &mut support);
                self.term(&mut of.1, &mut support);
                append(&mut of.2, support);
                self.body(&mut of.2);
            }
        }
    }

    /// The terms of all comprehensions of a body become variables, where they must be evaluated.
    pub(crate) fn comprehensions(&mut self, body: &mut Body<'_>) {
        for expr in body {
            match &mut expr.kind {
                ExprKind::Term(term) => self.comprehension(term),
                ExprKind::Call(_, args) => args.iter_mut().for_each(|arg| self.comprehension(arg)),
                ExprKind::Every(every) => {
                    self.comprehension(&mut every.domain);
                    self.comprehensions(&mut every.body);
                }
                ExprKind::Not { body, .. } => self.comprehensions(body),
                ExprKind::And(sides) | ExprKind::Or(sides) => {
                    sides.iter_mut().for_each(|side| self.comprehensions(&mut side.body));
                }
                ExprKind::Some(_) | ExprKind::SomeIn { .. } => {}
            }
            for with in &mut expr.withs {
                self.comprehension(&mut with.value);
            }
        }
    }

    /// As [`Self::comprehensions`], for one term.
    pub(crate) fn comprehension(&mut self, term: &mut Term<'_>) {
        match &mut term.kind {
            Kind::Scalar(_) | Kind::Var(_) | Kind::Template(_) => {}
            Kind::Ref(items) | Kind::Array(items) | Kind::Set(items) | Kind::Call(_, items) => {
                items.iter_mut().for_each(|item| self.comprehension(item));
            }
            Kind::Object(pairs) => {
                for (key, value) in pairs {
                    self.comprehension(key);
                    self.comprehension(value);
                }
            }
            Kind::ArrayOf(of) | Kind::SetOf(of) => {
                let (term, body) = of.as_mut();
                self.comprehension(term);
                self.comprehensions(body);
                self.comprehension_term(term, body);
            }
            Kind::ObjectOf(of) => {
                let (key, value, body) = of.as_mut();
                self.comprehension(key);
                self.comprehension(value);
                self.comprehensions(body);
                self.comprehension_term(key, body);
                self.comprehension_term(value, body);
            }
        }
    }

    fn comprehension_term<'p>(&mut self, term: &mut Term<'p>, body: &mut Body<'p>) {
        if term.requires_evaluation() {
            let mut more = Vec::new();
            self.replace(term, &mut more);
            append(body, more);
        }
    }
}

/// Says of expressions what they were made of.
pub(crate) fn made_of<'e, 'p: 'e>(written: Option<Place>, made: impl IntoIterator<Item = &'e mut Expr<'p>>) {
    for expr in made {
        expr.written = expr.written.or(written);
    }
}

/// References and comprehensions inside other terms are bound to variables in an expression before; `==` becomes
/// unification, now that the order is known.
pub(crate) fn dynamics(expander: &mut Expander<'_>, body: &mut Body<'_>) {
    let written = std::mem::take(body);
    for mut expr in written {
        let place = expr.place;
        let withs = expr.withs.clone();
        let mut more = Vec::new();
        match &mut expr.kind {
            ExprKind::Call(callee, args) => {
                if callee.is("equal") && args.len() == 2 {
                    callee.path = vec!["eq"];
                }
                let shallow = callee.is("eq");
                for arg in args {
                    if shallow {
                        in_term(expander, arg, &mut more);
                    } else {
                        one(expander, arg, &mut more);
                    }
                }
            }
            ExprKind::Term(term) => in_term(expander, term, &mut more),
            ExprKind::Every(every) => {
                one(expander, &mut every.domain, &mut more);
                dynamics(expander, &mut every.body);
            }
            ExprKind::Not { body, .. } => dynamics(expander, body),
            ExprKind::And(sides) | ExprKind::Or(sides) => {
                sides.iter_mut().for_each(|side| dynamics(expander, &mut side.body));
            }
            ExprKind::Some(_) | ExprKind::SomeIn { .. } => {}
        }
        for other in &mut more {
            other.withs.clone_from(&withs);
            if other.place == Place::default() {
                other.place = place;
            }
        }
        made_of(expr.written, &mut more);
        body.append(&mut more);
        body.push(expr);
    }
}

fn in_term<'p>(expander: &mut Expander<'_>, term: &mut Term<'p>, more: &mut Vec<Expr<'p>>) {
    match &mut term.kind {
        Kind::Ref(parts) => parts.iter_mut().skip(1).for_each(|part| one(expander, part, more)),
        Kind::ArrayOf(of) | Kind::SetOf(of) => dynamics(expander, &mut of.1),
        Kind::ObjectOf(of) => dynamics(expander, &mut of.2),
        _ => one(expander, term, more),
    }
}

fn one<'p>(expander: &mut Expander<'_>, term: &mut Term<'p>, more: &mut Vec<Expr<'p>>) {
    match &mut term.kind {
        Kind::Ref(parts) => {
            parts.iter_mut().skip(1).for_each(|part| one(expander, part, more));
            expander.replace(term, more);
        }
        Kind::Array(items) | Kind::Set(items) => {
            items.iter_mut().for_each(|item| one(expander, item, more));
        }
        Kind::Object(pairs) => {
            for (key, value) in pairs {
                one(expander, key, more);
                one(expander, value, more);
            }
        }
        Kind::ArrayOf(of) | Kind::SetOf(of) => {
            dynamics(expander, &mut of.1);
            expander.replace(term, more);
        }
        Kind::ObjectOf(of) => {
            dynamics(expander, &mut of.2);
            expander.replace(term, more);
        }
        _ => {}
    }
}
