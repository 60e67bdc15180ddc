//! `with`: targets checked, functions as values found, all other values bound before the expression.

use super::expand::Expander;
use super::form::{Body, Callee, DATA, Expr, ExprKind, Kind, Target, Term, Var};
use super::names::Names;
use super::read::Problem;
use super::rules::Tree;
use super::visit::Vars;
use crate::rego::builtins::{self, Body as BuiltinBody, Type};
use crate::value::Value;

/// Rewrites the `with`s of a module's bodies.
pub(crate) struct Withs<'r, 't, 'p> {
    pub(crate) names: &'r mut Names,
    pub(crate) problems: &'r mut Vec<Problem>,
    pub(crate) tree: &'t Tree<'p>,
}

impl<'p> Withs<'_, '_, 'p> {
    /// All of a body, and of the bodies in it.
    pub(crate) fn body(&mut self, body: &mut Body<'p>) {
        let written = std::mem::take(body);
        for mut expr in written {
            self.nested(&mut expr);
            for at in 0..expr.withs.len() {
                if self.check(&mut expr, at)
                    && let Some(with) = expr.withs.get_mut(at)
                    && with.value.requires_evaluation()
                {
                    let mut value = Term::new(Kind::Array(Vec::new()), with.value.place);
                    std::mem::swap(&mut value, &mut with.value);
                    let mut expander = Expander { names: self.names };
                    let (var, binding) = expander.bind(value);
                    with.value.kind = Kind::Var(var);
                    body.push(Expr { written: expr.written, ..binding });
                }
            }
            body.push(expr);
        }
    }

    fn nested(&mut self, expr: &mut Expr<'p>) {
        match &mut expr.kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Call(_, args) => args.iter_mut().for_each(|arg| self.term(arg)),
            ExprKind::Every(every) => {
                self.term(&mut every.domain);
                self.body(&mut every.body);
            }
            ExprKind::Not { body, .. } => self.body(body),
            ExprKind::And(sides) | ExprKind::Or(sides) => {
                sides.iter_mut().for_each(|side| self.body(&mut side.body));
            }
            ExprKind::Some(_) | ExprKind::SomeIn { .. } => {}
        }
        for with in &mut expr.withs {
            self.term(&mut with.value);
        }
    }

    pub(crate) fn term(&mut self, term: &mut Term<'p>) {
        match &mut term.kind {
            Kind::Scalar(_) | Kind::Var(_) | Kind::Template(_) => {}
            Kind::Ref(items) | Kind::Array(items) | Kind::Set(items) | Kind::Call(_, items) => {
                items.iter_mut().for_each(|item| self.term(item));
            }
            Kind::Object(pairs) => {
                for (key, value) in pairs {
                    self.term(key);
                    self.term(value);
                }
            }
            Kind::ArrayOf(of) | Kind::SetOf(of) => self.body(&mut of.1),
            Kind::ObjectOf(of) => self.body(&mut of.2),
        }
    }

    /// Checks one modifier; true if its value is a value.
    fn check(&mut self, expr: &mut Expr<'p>, at: usize) -> bool {
        let Some(with) = expr.withs.get_mut(at) else { return false };
        let place = with.place;
        let problem = match &with.target {
            Target::Builtin(name) => {
                with.function = function_named(&with.value, self.names, self.tree);
                builtin_problem(name)
            }
            Target::Document(parts) => {
                let keys: Vec<Value<'p>> = parts
                    .iter()
                    .skip(1)
                    .filter_map(|part| match part.kind {
                        Kind::Scalar(value) => Some(value),
                        _ => None,
                    })
                    .collect();
                let in_data = parts.first().and_then(Term::as_var) == Some(DATA);
                if in_data && self.tree.arity_at(&keys).is_some_and(|arity| arity > 0) {
                    with.function = function_named(&with.value, self.names, self.tree);
                }
                (in_data && self.tree.is_below_rule(&keys))
                    .then(|| "with keyword cannot partially replace virtual document(s)".to_owned())
            }
        };
        if let Some(function) = &with.function
            && let Some(builtin) = function.name().and_then(builtins::find)
            && let Some(reason) = self.tree.refusal(builtin)
        {
            self.problems.push((with.value.place, format!("`{}` is not available: {reason}", builtin.name)));
        }
        let function = with.function.is_some();
        if let Some(message) = problem {
            self.problems.push((place, message));
        }
        !function
    }
}

fn builtin_problem(name: &str) -> Option<String> {
    let builtin = builtins::find(name)?;
    let prefix = "with keyword replacing built-in function";
    if let BuiltinBody::Refused(reason) = builtin.body {
        return Some(format!("{prefix}: `{name}` is not available: {reason}"));
    }
    if matches!(name, "eq" | "rego.metadata.chain" | "rego.metadata.rule") {
        return Some(format!("{prefix}: replacement of \"{name}\" invalid"));
    }
    if name.starts_with("internal.") {
        return Some(format!("{prefix}: replacement of internal function \"{name}\" invalid"));
    }
    if matches!(builtin.body, BuiltinBody::Relation(_)) {
        return Some(format!("{prefix}: target must not be a relation"));
    }
    matches!(builtin.result, Type::Nothing).then(|| format!("{prefix}: target must not be a void function"))
}

/// The function that a `with` value names, if it names a builtin or anything that rules define.
fn function_named<'p>(value: &Term<'p>, names: &Names, tree: &Tree<'p>) -> Option<Callee<'p>> {
    let place = value.place;
    match &value.kind {
        Kind::Var(var) => {
            let name = written(names, *var)?;
            let builtin = builtins::find(name)?;
            Some(Callee::builtin(builtin.name, place))
        }
        Kind::Ref(parts) => {
            let keys: Option<Vec<&'p str>> = parts.iter().skip(1).map(Term::as_text).collect();
            let keys = keys?;
            let head = parts.first().and_then(Term::as_var)?;
            if head == DATA {
                let values: Vec<Value<'p>> = keys.iter().copied().map(Value::String).collect();
                let path = std::iter::once("data").chain(keys).collect();
                return tree.arity_at(&values).is_some().then_some(Callee { path, head: None, place });
            }
            let dotted = std::iter::once(written(names, head)?).chain(keys).collect::<Vec<_>>().join(".");
            builtins::find(&dotted).map(|builtin| Callee::builtin(builtin.name, place))
        }
        _ => None,
    }
}

/// The name of a variable that is no local one.
fn written(names: &Names, var: Var) -> Option<&str> {
    if names.is_made(var) { None } else { names.shown(var) }
}

/// What every body may use without binding it.
pub(crate) fn reserved() -> Vars {
    Vars::from([super::form::INPUT, DATA])
}
