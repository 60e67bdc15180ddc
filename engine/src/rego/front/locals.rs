//! Local variables told apart: what `:=`, `some` and `every` declare, and what a function's head names, becomes a
//! variable of its own; a name that is used before it is declared is an error.

use super::form::{Body, Callee, Clause, Expr, ExprKind, Kind, Part, Rule, Target, Term, Var, With};
use super::names::Names;
use super::outputs::output_vars_of_unification;
use super::read::Problem;
use super::visit::{ALL, PATTERN, Skip, Vars};
use crate::rego::place::Place;
use std::collections::HashMap;

/// How a name came into a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// As a parameter.
    Parameter,
    /// By being used.
    Used,
    /// By `:=`.
    Assigned,
    /// By `some` or `every`.
    Declared,
}

#[derive(Clone, Debug, Default)]
struct Scope {
    now: HashMap<Var, (Var, Came)>,
}

/// Rewrites the local variables of rules.
pub(crate) struct Locals<'r> {
    names: &'r mut Names,
    problems: &'r mut Vec<Problem>,
    scopes: Vec<Scope>,
    /// Whether a problem was found since it was last reset: later checks would only repeat it.
    failed: bool,
}

impl<'r> Locals<'r> {
    pub(crate) fn new(names: &'r mut Names, problems: &'r mut Vec<Problem>) -> Self {
        Self { names, problems, scopes: vec![Scope::default()], failed: false }
    }

    /// One rule with all its clauses.
    pub(crate) fn rule(&mut self, rule: &mut Rule<'_>) {
        self.scopes = vec![Scope::default()];
        let mut args = rule.clauses.first().map(|clause| clause.args.clone()).unwrap_or_default();
        args.iter_mut().for_each(|arg| self.parameter(arg));
        let parameters = self.scopes.clone();
        for clause in &mut rule.clauses {
            clause.args.clone_from(&args);
            self.failed = false;
            self.clause(clause, &parameters);
        }
    }

    /// A query.
    pub(crate) fn query(&mut self, body: &mut Body<'_>) {
        self.failed = false;
        self.body(body, &Vars::new());
    }

    /// The scope of the outermost body that was rewritten last: written name to local variable.
    pub(crate) fn declared(&self, var: Var) -> Option<Var> {
        self.scopes.iter().rev().find_map(|scope| scope.now.get(&var)).map(|(local, _)| *local)
    }

    fn parameter(&mut self, term: &mut Term<'_>) {
        match &mut term.kind {
            Kind::Var(var) => {
                let local = self.declared(*var).unwrap_or_else(|| {
                    let local = self.names.local(*var);
                    self.insert(*var, local, Came::Parameter);
                    local
                });
                *var = local;
            }
            Kind::Object(pairs) => pairs.iter_mut().for_each(|(_, value)| self.parameter(value)),
            Kind::Array(items) | Kind::Ref(items) => items.iter_mut().for_each(|item| self.parameter(item)),
            Kind::Call(..) => self.problem(term.place, "rule arguments cannot contain calls"),
            _ => {}
        }
    }

    fn clause(&mut self, clause: &mut Clause<'_>, parameters: &[Scope]) {
        // Comprehensions in the head first: what they declare is theirs.
        self.scopes = vec![Scope::default()];
        for term in heads(clause) {
            self.head_comprehensions(term);
        }
        let mut used = Vars::new();
        clause.tail.iter().for_each(|term| ALL.term(term, &mut used));
        ALL.term(clause.result.term(), &mut used);
        self.scopes = parameters.to_vec();
        self.body(&mut clause.body, &used);
        let scope = self.scopes.first().cloned().unwrap_or_default();
        for term in heads(clause) {
            rename(term, &scope, self.problems);
        }
    }

    fn head_comprehensions(&mut self, term: &mut Term<'_>) {
        match &mut term.kind {
            Kind::ArrayOf(_) | Kind::SetOf(_) | Kind::ObjectOf(_) | Kind::Template(_) => {
                self.scopes = vec![Scope::default()];
                self.term(term);
            }
            Kind::Ref(items) | Kind::Array(items) | Kind::Set(items) | Kind::Call(_, items) => {
                items.iter_mut().for_each(|item| self.head_comprehensions(item));
            }
            Kind::Object(pairs) => {
                for (key, value) in pairs {
                    self.head_comprehensions(key);
                    self.head_comprehensions(value);
                }
            }
            Kind::Scalar(_) | Kind::Var(_) => {}
        }
    }

    fn problem(&mut self, place: Place, message: impl Into<String>) {
        self.failed = true;
        self.problems.push((place, message.into()));
    }

    fn insert(&mut self, var: Var, local: Var, came: Came) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.now.insert(var, (local, came));
        }
    }

    fn came(&self, var: Var) -> Option<Came> {
        self.scopes.last()?.now.get(&var).map(|(_, came)| *came)
    }

    /// Declares a name in the current scope; `None` if it is there already.
    fn declare(&mut self, var: Var, came: Came, place: Place) -> Option<Var> {
        let shown = self.names.shown(var).unwrap_or("_").to_owned();
        let message = match self.came(var) {
            Some(Came::Used) => format!("var {shown} referenced above"),
            Some(Came::Assigned) => format!("var {shown} assigned above"),
            Some(Came::Declared) => format!("var {shown} declared above"),
            Some(Came::Parameter) => format!("arg {shown} redeclared"),
            None => {
                let local = self.names.local(var);
                self.insert(var, local, came);
                return Some(local);
            }
        };
        self.problem(place, message);
        None
    }

    fn scoped(&mut self, body: &mut Body<'_>, used: &Vars) {
        self.scopes.push(Scope::default());
        self.body(body, used);
        self.scopes.pop();
    }

    fn body(&mut self, body: &mut Body<'_>, used: &Vars) {
        let mut declared_at: Vec<(Var, Place)> = Vec::new();
        let place = body.first().map(|expr| expr.place).unwrap_or_default();
        let written = std::mem::take(body);
        for mut expr in written {
            let kept = match &mut expr.kind {
                ExprKind::Call(callee, args) if callee.is("assign") && args.len() == 2 => {
                    self.assignment(&mut expr);
                    true
                }
                ExprKind::Some(names) => {
                    for (var, place) in names.clone() {
                        if self.declare(var, Came::Declared, place).is_some() {
                            declared_at.push((var, expr.place));
                        }
                    }
                    false
                }
                ExprKind::SomeIn { .. } => self.some_in(&mut expr, &mut declared_at),
                _ => {
                    self.expr(&mut expr);
                    true
                }
            };
            if kept {
                body.push(expr);
            }
        }
        if body.is_empty() {
            body.push(Expr::truth(place));
        }
        self.unused(body, used, &declared_at);
    }

    /// `some x` without any use of `x` is a mistake.
    fn unused(&mut self, body: &Body<'_>, used: &Vars, declared_at: &[(Var, Place)]) {
        if self.failed || declared_at.is_empty() {
            return;
        }
        let mut present = Vars::new();
        ALL.body(body, &mut present);
        for (var, place) in declared_at {
            let Some(local) = self.declared(*var) else { continue };
            if !present.contains(&local) && !used.contains(var) && !self.names.is_wildcard(*var) {
                let shown = self.names.shown(*var).unwrap_or("_");
                self.problems.push((*place, format!("declared var {shown} unused")));
            }
        }
    }

    fn assignment(&mut self, expr: &mut Expr<'_>) {
        if expr.negated {
            return self.problem(expr.place, "cannot assign vars inside negated expression");
        }
        let ExprKind::Call(callee, args) = &mut expr.kind else { return };
        let [left, right] = args.as_mut_slice() else { return };
        let known = self.problems.len();
        // The right side first: it does not see what the left side declares.
        self.term(right);
        for with in &mut expr.withs {
            self.term(&mut with.value);
        }
        self.assigned(left);
        if self.problems.len() == known {
            callee.path = vec!["eq"];
            expr.assigned = true;
        }
    }

    fn assigned(&mut self, term: &mut Term<'_>) {
        let root = term.as_root();
        let kind = match &mut term.kind {
            Kind::Var(var) => {
                if let Some(local) = self.declare(*var, Came::Assigned, term.place) {
                    *var = local;
                }
                return;
            }
            Kind::Array(items) => return items.iter_mut().for_each(|item| self.assigned(item)),
            Kind::Object(pairs) => return pairs.iter_mut().for_each(|(_, value)| self.assigned(value)),
            Kind::Ref(_) => {
                if let Some(root) = root {
                    if let Some(local) = self.declare(root, Came::Assigned, term.place) {
                        term.kind = Kind::Var(local);
                    }
                    return;
                }
                "ref"
            }
            Kind::Scalar(value) => value.type_name(),
            Kind::Set(_) => "set",
            Kind::Call(..) => "call",
            Kind::ArrayOf(_) => "arraycomprehension",
            Kind::SetOf(_) => "setcomprehension",
            Kind::ObjectOf(_) => "objectcomprehension",
            Kind::Template(_) => "templatestring",
        };
        self.problem(term.place, format!("cannot assign to {kind}"));
    }

    /// `some k, v in xs` is `v = xs[k]` with its new variables declared.
    fn some_in(&mut self, expr: &mut Expr<'_>, declared_at: &mut Vec<(Var, Place)>) -> bool {
        let place = expr.place;
        let kind = std::mem::replace(&mut expr.kind, ExprKind::Some(Vec::new()));
        let ExprKind::SomeIn { key, value, domain } = kind else { return false };
        let key = key.unwrap_or_else(|| Term::var(self.names.made(), place));
        let mut bound = PATTERN.of_term(&key);
        PATTERN.term(&value, &mut bound);
        let in_domain = Skip { closures: true, ..ALL }.of_term(&domain);
        let mut clash = false;
        for var in bound.intersection(&in_domain) {
            if !self.names.is_wildcard(*var) {
                let shown = self.names.shown(*var).unwrap_or("_").to_owned();
                self.problem(place, format!("var {shown} assigned before"));
                clash = true;
            }
        }
        if clash {
            return false;
        }
        let outer = ALL.of_term(&domain);
        let domain_place = domain.place;
        let mut parts = match domain.kind {
            Kind::Ref(parts) => parts,
            kind => vec![Term::new(kind, domain_place)],
        };
        parts.push(key);
        let right = Term::new(Kind::Ref(parts), domain_place);
        for var in output_vars_of_unification(&value, &right, false, &outer) {
            if self.declare(var, Came::Declared, place).is_none() {
                return false;
            }
            if self.names.shown(var).is_some() && !self.names.is_wildcard(var) {
                declared_at.push((var, place));
            }
        }
        expr.kind = Expr::unify(value, right, place).kind;
        self.expr_terms(expr);
        true
    }

    fn expr(&mut self, expr: &mut Expr<'_>) {
        match &mut expr.kind {
            ExprKind::Every(every) => {
                self.term(&mut every.domain);
                self.scopes.push(Scope::default());
                let key = match every.key {
                    None => Some(self.names.made()),
                    Some(key) if self.names.is_wildcard(key) => Some(key),
                    Some(key) => self.declare(key, Came::Declared, expr.place),
                };
                let value = if self.names.is_wildcard(every.value) {
                    Some(every.value)
                } else {
                    self.declare(every.value, Came::Declared, expr.place)
                };
                if let (Some(key), Some(value)) = (key, value) {
                    every.key = Some(key);
                    every.value = value;
                    self.body(&mut every.body, &Vars::new());
                }
                self.scopes.pop();
                self.withs(expr);
            }
            ExprKind::Not { body, braces: true } => {
                self.scoped(body, &Vars::new());
                self.withs(expr);
            }
            ExprKind::Not { body, braces: false } => {
                self.implicit(body, "cannot assign vars inside negated expression");
                self.withs(expr);
            }
            ExprKind::And(sides) => {
                for side in sides.iter_mut() {
                    self.operand(
                        &mut side.body,
                        side.braces,
                        "cannot assign vars inside implicit and operand",
                    );
                }
                self.withs(expr);
            }
            ExprKind::Or(sides) => {
                for side in sides.iter_mut() {
                    self.operand(
                        &mut side.body,
                        side.braces,
                        "cannot assign vars inside implicit or operand",
                    );
                }
                self.withs(expr);
            }
            _ => self.expr_terms(expr),
        }
    }

    fn operand(&mut self, body: &mut Body<'_>, braces: bool, refusal: &str) {
        if braces {
            self.scoped(body, &Vars::new());
        } else {
            self.implicit(body, refusal);
        }
    }

    /// A body without braces: part of the scope around it, and not allowed to declare.
    fn implicit(&mut self, body: &mut Body<'_>, refusal: &str) {
        for expr in body {
            if expr.is_call("assign") {
                self.problem(expr.place, refusal);
            } else {
                self.expr(expr);
            }
        }
    }

    fn expr_terms(&mut self, expr: &mut Expr<'_>) {
        match &mut expr.kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Call(callee, args) => {
                self.called(callee);
                args.iter_mut().for_each(|arg| self.term(arg));
            }
            _ => {}
        }
        self.withs(expr);
    }

    /// The first word of a function's name is a use of it, and must not be a local variable.
    fn called(&mut self, callee: &Callee<'_>) {
        let Some(head) = callee.head else { return };
        match self.declared(head) {
            Some(local) if local != head => {
                let (place, message) = shadowed(callee);
                self.problem(place, message);
            }
            Some(_) => {}
            None => self.insert(head, head, Came::Used),
        }
    }

    fn withs(&mut self, expr: &mut Expr<'_>) {
        for With { target, value, .. } in &mut expr.withs {
            // `input` and `data` as targets are the documents, whatever their names mean here.
            if let Target::Document(parts) = target {
                parts.iter_mut().skip(1).for_each(|part| self.term(part));
            }
            self.term(value);
        }
    }

    fn term(&mut self, term: &mut Term<'_>) {
        if let Some(root) = term.as_root() {
            let shadow = self.scopes.iter().rev().find_map(|scope| scope.now.get(&root));
            if let Some((local, came)) = shadow
                && *came != Came::Used
            {
                term.kind = Kind::Var(*local);
            }
            return;
        }
        match &mut term.kind {
            Kind::Scalar(_) => {}
            Kind::Var(var) => {
                if let Some(local) = self.declared(*var) {
                    *var = local;
                } else if self.came(*var).is_none() {
                    self.insert(*var, *var, Came::Used);
                }
            }
            Kind::Ref(items) | Kind::Array(items) | Kind::Set(items) => {
                items.iter_mut().for_each(|item| self.term(item));
            }
            Kind::Object(pairs) => {
                for (key, value) in pairs {
                    self.term(key);
                    self.term(value);
                }
            }
            Kind::Call(callee, args) => {
                self.called(callee);
                args.iter_mut().for_each(|arg| self.term(arg));
            }
            Kind::ArrayOf(of) | Kind::SetOf(of) => {
                let used = ALL.of_term(&of.0);
                self.scopes.push(Scope::default());
                self.body(&mut of.1, &used);
                self.term(&mut of.0);
                self.scopes.pop();
            }
            Kind::ObjectOf(of) => {
                let mut used = ALL.of_term(&of.0);
                ALL.term(&of.1, &mut used);
                self.scopes.push(Scope::default());
                self.body(&mut of.2, &used);
                self.term(&mut of.0);
                self.term(&mut of.1);
                self.scopes.pop();
            }
            Kind::Template(parts) => {
                for part in parts {
                    if let Part::Expr(expr) = part {
                        self.scopes.push(Scope::default());
                        self.expr_terms(expr);
                        self.scopes.pop();
                    }
                }
            }
        }
    }
}

fn shadowed(callee: &Callee<'_>) -> Problem {
    (callee.place, format!("called function {} shadowed", callee.shown()))
}

/// All terms of a clause's head.
fn heads<'t, 'p>(clause: &'t mut Clause<'p>) -> impl Iterator<Item = &'t mut Term<'p>> {
    let Clause { args, tail, result, .. } = clause;
    args.iter_mut().chain(tail).chain(std::iter::once(result.term_mut()))
}

/// Gives the variables of a head the names that the body's scope has for them.
fn rename(term: &mut Term<'_>, scope: &Scope, problems: &mut Vec<Problem>) {
    if let Some(root) = term.as_root() {
        if let Some((local, Came::Assigned | Came::Declared | Came::Parameter)) = scope.now.get(&root) {
            term.kind = Kind::Var(*local);
        }
        return;
    }
    if let Kind::Call(callee, _) = &term.kind
        && let Some((local, _)) = callee.head.and_then(|head| scope.now.get(&head))
        && Some(*local) != callee.head
    {
        problems.push(shadowed(callee));
    }
    match &mut term.kind {
        Kind::Scalar(_) => {}
        Kind::Var(var) => {
            if let Some((local, _)) = scope.now.get(var) {
                *var = *local;
            }
        }
        Kind::Ref(items) | Kind::Array(items) | Kind::Set(items) | Kind::Call(_, items) => {
            items.iter_mut().for_each(|item| rename(item, scope, problems));
        }
        Kind::Object(pairs) => {
            for (key, value) in pairs {
                rename(key, scope, problems);
                rename(value, scope, problems);
            }
        }
        Kind::ArrayOf(of) | Kind::SetOf(of) => {
            rename(&mut of.0, scope, problems);
            of.1.iter_mut().for_each(|expr| rename_in(expr, scope, problems));
        }
        Kind::ObjectOf(of) => {
            rename(&mut of.0, scope, problems);
            rename(&mut of.1, scope, problems);
            of.2.iter_mut().for_each(|expr| rename_in(expr, scope, problems));
        }
        Kind::Template(parts) => {
            for part in parts {
                if let Part::Expr(expr) = part {
                    rename_in(expr, scope, problems);
                }
            }
        }
    }
}

fn rename_in(expr: &mut Expr<'_>, scope: &Scope, problems: &mut Vec<Problem>) {
    match &mut expr.kind {
        ExprKind::Term(term) => rename(term, scope, problems),
        ExprKind::Call(_, args) => args.iter_mut().for_each(|arg| rename(arg, scope, problems)),
        ExprKind::Some(_) | ExprKind::SomeIn { .. } => {}
        ExprKind::Every(every) => {
            rename(&mut every.domain, scope, problems);
            every.body.iter_mut().for_each(|expr| rename_in(expr, scope, problems));
        }
        ExprKind::Not { body, .. } => body.iter_mut().for_each(|expr| rename_in(expr, scope, problems)),
        ExprKind::And(sides) | ExprKind::Or(sides) => {
            sides
                .iter_mut()
                .for_each(|side| side.body.iter_mut().for_each(|expr| rename_in(expr, scope, problems)));
        }
    }
    for with in &mut expr.withs {
        rename(&mut with.value, scope, problems);
    }
}
