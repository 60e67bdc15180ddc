//! Template strings and `print` become calls whose operands may be undefined: each is a set that is then empty.

use super::form::{Body, Callee, Clause, DATA, Expr, ExprKind, INPUT, Kind, Part, Term};
use super::names::Names;
use super::outputs::{Arity, output_vars_of_body};
use super::read::Problem;
use super::visit::{SAFETY, Vars};
use crate::rego::builtins::{self, Body as BuiltinBody};
use crate::rego::place::Place;

/// Rewrites template strings and `print`.
pub(crate) struct Templates<'r> {
    pub(crate) names: &'r mut Names,
    pub(crate) problems: &'r mut Vec<Problem>,
    pub(crate) arity: Arity<'r>,
}

impl Templates<'_> {
    /// All of a clause.
    pub(crate) fn clause(&mut self, clause: &mut Clause<'_>) {
        let mut known = Vars::from([INPUT, DATA]);
        clause.args.iter().for_each(|arg| super::visit::ALL.term(arg, &mut known));
        let safe = self.body(&mut clause.body, &known);
        clause.args.iter_mut().chain(&mut clause.tail).for_each(|term| self.term(term, &safe));
        self.term(clause.result.term_mut(), &safe);
    }

    /// All of a body that sees `known`; gives what is bound after it.
    pub(crate) fn body(&mut self, body: &mut Body<'_>, known: &Vars) -> Vars {
        let mut safe = output_vars_of_body(body, self.arity, known);
        safe.extend(known);
        for at in 0..body.len() {
            let Some((before, rest)) = body.split_at_mut_checked(at) else { continue };
            let Some(expr) = rest.first_mut() else { continue };
            if expr.is_call("print") {
                let mut given = output_vars_of_body(before, self.arity, known);
                given.extend(known);
                for expr in before.iter() {
                    let mut vars = Vars::new();
                    super::visit::ALL.expr(expr, &mut vars);
                    given.extend(vars.into_iter().filter(|var| self.names.is_made(*var)));
                }
                self.print(expr, &given);
            }
            self.expr(expr, &safe);
        }
        safe
    }

    fn expr(&mut self, expr: &mut Expr<'_>, safe: &Vars) {
        match &mut expr.kind {
            ExprKind::Term(term) => self.term(term, safe),
            ExprKind::Call(_, args) => args.iter_mut().for_each(|arg| self.term(arg, safe)),
            ExprKind::Every(every) => {
                self.term(&mut every.domain, safe);
                let mut inner = safe.clone();
                inner.extend(every.key);
                inner.insert(every.value);
                self.body(&mut every.body, &inner);
            }
            ExprKind::Not { body, .. } => {
                self.body(body, safe);
            }
            ExprKind::And(sides) | ExprKind::Or(sides) => {
                for side in sides.iter_mut() {
                    self.body(&mut side.body, safe);
                }
            }
            ExprKind::Some(_) | ExprKind::SomeIn { .. } => {}
        }
        for with in &mut expr.withs {
            self.term(&mut with.value, safe);
        }
    }

    fn term(&mut self, term: &mut Term<'_>, safe: &Vars) {
        match &mut term.kind {
            Kind::Scalar(_) | Kind::Var(_) => {}
            Kind::Ref(items) | Kind::Array(items) | Kind::Set(items) | Kind::Call(_, items) => {
                items.iter_mut().for_each(|item| self.term(item, safe));
            }
            Kind::Object(pairs) => {
                for (key, value) in pairs {
                    self.term(key, safe);
                    self.term(value, safe);
                }
            }
            Kind::ArrayOf(of) | Kind::SetOf(of) => {
                let inner = self.body(&mut of.1, safe);
                self.term(&mut of.0, &inner);
            }
            Kind::ObjectOf(of) => {
                let inner = self.body(&mut of.2, safe);
                self.term(&mut of.0, &inner);
                self.term(&mut of.1, &inner);
            }
            Kind::Template(parts) => {
                let parts = std::mem::take(parts);
                let mut items = Vec::with_capacity(parts.len());
                for part in parts {
                    items.push(match part {
                        Part::Text(text) => Term::new(Kind::Scalar(text), term.place),
                        Part::Expr(expr) => self.operand(*expr, safe),
                    });
                }
                let array = Term::new(Kind::Array(items), term.place);
                let callee = Callee::builtin("internal.template_string", term.place);
                term.kind = Kind::Call(callee, vec![array]);
            }
        }
    }

    fn operand<'p>(&mut self, mut expr: Expr<'p>, safe: &Vars) -> Term<'p> {
        self.expr(&mut expr, safe);
        let place = expr.place;
        let term = match expr.kind {
            ExprKind::Term(term) => term,
            ExprKind::Call(callee, args) => {
                let relation = callee.name().and_then(builtins::find);
                if relation.is_some_and(|found| matches!(found.body, BuiltinBody::Relation(_))) {
                    let message = format!(
                        "illegal call to relation built-in '{}' that may cause multiple outputs",
                        callee.shown()
                    );
                    self.problems.push((callee.place, message));
                }
                Term::new(Kind::Call(callee, args), place)
            }
            _ => {
                self.problems.push((place, "a template string takes terms and calls only".to_owned()));
                Term::new(Kind::Array(Vec::new()), place)
            }
        };
        if matches!(term.kind, Kind::Var(_)) && expr.withs.is_empty() {
            return Term::new(Kind::Set(vec![term]), place);
        }
        self.undeclared(&term, safe);
        let var = self.names.made();
        let capture = Expr::unify(Term::var(var, place), term, place);
        let capture = Expr { withs: expr.withs, ..capture };
        Term::new(Kind::SetOf(Box::new((Term::var(var, place), vec![capture]))), place)
    }

    fn print(&mut self, expr: &mut Expr<'_>, safe: &Vars) {
        let place = expr.place;
        let ExprKind::Call(callee, args) = &mut expr.kind else { return };
        callee.path = vec!["internal.print"];
        let written = std::mem::take(args);
        let items = written.into_iter().map(|arg| {
            self.undeclared(&arg, safe);
            self.optional(arg)
        });
        let items = items.collect();
        args.push(Term::new(Kind::Array(items), place));
    }

    /// `{x | x = term}`
    fn optional<'p>(&mut self, term: Term<'p>) -> Term<'p> {
        let place = term.place;
        let var = self.names.made();
        let capture = Expr::unify(Term::var(var, place), term, place);
        Term::new(Kind::SetOf(Box::new((Term::var(var, place), vec![capture]))), place)
    }

    fn undeclared(&mut self, term: &Term<'_>, safe: &Vars) {
        for var in SAFETY.of_term(term) {
            if !safe.contains(&var) {
                let name = self.names.shown(var).unwrap_or("_");
                self.problems.push((term.place, format!("var {name} is undeclared")));
            }
        }
    }
}

/// Calls of functions without a result where a value is needed.
pub(crate) fn void_calls(term: &Term<'_>, problems: &mut Vec<(Place, String)>) {
    super::visit::each_term(term, &mut |term| {
        if let Kind::Call(callee, _) = &term.kind
            && let Some(builtin) = callee.name().and_then(builtins::find)
            && matches!(builtin.result, builtins::Type::Nothing)
        {
            problems.push((callee.place, format!("{} used as value", callee.shown())));
        }
        false
    });
}
