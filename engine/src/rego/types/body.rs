//! Bodies, expression by expression.

use super::environment::{Node, Replaced, Scope};
use super::kind::{
    self, Known, Signature, Type, any, declared, is_unknown, keys, or, shown, unifies, values,
};
use super::scalars;
use crate::rego::builtins::{self, Type as Declared};
use crate::rego::front::Problem;
use crate::rego::front::form::{Body, Callee, Expr, ExprKind, INPUT, Kind, Target, Term, Var};
use crate::rego::front::names::Names;
use crate::rego::front::rules::Tree;
use crate::rego::front::visit::{each_term, each_term_of, own_terms};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// Bodies that one rule's check may look at, those of comprehensions each time that their type is asked for. Policies
/// of people stay far below a thousand.
const MAX_BODIES: u32 = 50_000;

/// The check of one rule.
pub(super) struct Checker<'r, 'p> {
    tree: &'r Tree<'p>,
    names: &'r Names,
    dependents: &'r [Vec<usize>],
    left: u32,
}

/// A wrong expression. `unknown`: something in it is not known, perhaps for another error.
struct Mismatch {
    problem: Problem,
    unknown: bool,
}

impl<'r, 'p> Checker<'r, 'p> {
    pub(super) fn new(tree: &'r Tree<'p>, names: &'r Names, dependents: &'r [Vec<usize>]) -> Self {
        Self { tree, names, dependents, left: MAX_BODIES }
    }

    /// Checks a body in a scope of its own, which is left on the scopes for whoever asks for types in it.
    pub(super) fn body(&mut self, scope: &mut Scope<'_, 'p>, body: &Body<'p>) -> Vec<Problem> {
        scope.vars.push(HashMap::new());
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
        } else {
            let place = body.first().map(|expr| expr.place).unwrap_or_default();
            return vec![(place, "comprehensions are nested too deeply to check their types".to_owned())];
        }
        let mut problems = Vec::new();
        for expr in body {
            let outer = scope.replaced.len();
            self.replace(scope, expr);
            let closures = self.closures(scope, expr);
            let references = self.references(scope, expr);
            let specific = !closures.is_empty() || !references.is_empty();
            problems.extend(closures);
            problems.extend(references);
            if let Err(mismatch) = self.expr(scope, expr)
                && !(specific && mismatch.unknown)
            {
                problems.push(mismatch.problem);
            }
            scope.replaced.truncate(outer);
        }
        problems
    }

    /// The type of a comprehension; unknown if its body is wrong.
    pub(super) fn within(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        body: &Body<'p>,
        kind: impl FnOnce(&mut Self, &mut Scope<'_, 'p>) -> Type<'p>,
    ) -> Known<'p> {
        let problems = self.body(scope, body);
        let found = problems.is_empty().then(|| Rc::new(kind(self, scope)));
        scope.vars.pop();
        found
    }

    /// Wrong bodies of comprehensions; those of the first wrong one.
    fn closures(&mut self, scope: &mut Scope<'_, 'p>, expr: &Expr<'p>) -> Vec<Problem> {
        let mut bodies = Vec::new();
        each_term_of(expr, &mut |term| match &term.kind {
            Kind::ArrayOf(of) | Kind::SetOf(of) => {
                bodies.push(&of.1);
                true
            }
            Kind::ObjectOf(of) => {
                bodies.push(&of.2);
                true
            }
            _ => false,
        });
        for body in bodies {
            let problems = self.body(scope, body);
            scope.vars.pop();
            if !problems.is_empty() {
                return problems;
            }
        }
        Vec::new()
    }

    /// References to what cannot be there.
    fn references(&mut self, scope: &mut Scope<'_, 'p>, expr: &Expr<'p>) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.references_of(scope, expr, &mut problems);
        problems
    }

    fn references_of(&mut self, scope: &mut Scope<'_, 'p>, expr: &Expr<'p>, problems: &mut Vec<Problem>) {
        let terms: Vec<&Term<'p>> = match &expr.kind {
            ExprKind::Term(term) => vec![term],
            ExprKind::Call(_, args) => args.iter().collect(),
            ExprKind::Not { body, .. } => {
                return body.iter().for_each(|expr| self.references_of(scope, expr, problems));
            }
            ExprKind::Every(every) => {
                own_terms(expr).into_iter().for_each(|term| self.references_in(scope, term, problems));
                return every.body.iter().for_each(|expr| self.references_of(scope, expr, problems));
            }
            ExprKind::And(sides) | ExprKind::Or(sides) => {
                for expr in sides.iter().flat_map(|side| &side.body) {
                    self.references_of(scope, expr, problems);
                }
                own_terms(expr)
            }
            ExprKind::Some(_) | ExprKind::SomeIn { .. } => return,
        };
        terms.into_iter().for_each(|term| self.references_in(scope, term, problems));
    }

    fn references_in(&mut self, scope: &mut Scope<'_, 'p>, term: &Term<'p>, problems: &mut Vec<Problem>) {
        let mut found = Vec::new();
        each_term(term, &mut |term| {
            if let Kind::Ref(parts) = &term.kind {
                found.push(parts);
            }
            matches!(term.kind, Kind::ArrayOf(_) | Kind::SetOf(_) | Kind::ObjectOf(_))
        });
        for parts in found {
            if let Err(problem) = self.reference(scope, parts) {
                problems.push(problem);
            }
        }
    }

    fn expr(&mut self, scope: &mut Scope<'_, 'p>, expr: &Expr<'p>) -> Result<(), Mismatch> {
        let ExprKind::Call(callee, args) = &expr.kind else { return Ok(()) };
        match (callee.name(), args.as_slice()) {
            (Some("eq"), [left, right]) => {
                let (one, other) = (self.kind(scope, left), self.kind(scope, right));
                if self.unify_terms(scope, (left, &one), (right, &other)) {
                    return Ok(());
                }
                Err(mismatch(expr, &one, &other))
            }
            (Some("internal.member_2"), [value, collection, ..]) => {
                self.member(scope, expr, (None, value, collection))?;
                self.call(scope, expr, callee, args)
            }
            (Some("internal.member_3"), [key, value, collection, ..]) => {
                self.member(scope, expr, (Some(key), value, collection))?;
                self.call(scope, expr, callee, args)
            }
            _ => self.call(scope, expr, callee, args),
        }
    }

    /// What is looked for must be what the collection can hold.
    fn member(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        expr: &Expr<'p>,
        (key, value, collection): (Option<&Term<'p>>, &Term<'p>, &Term<'p>),
    ) -> Result<(), Mismatch> {
        let Some(collection) = self.kind(scope, collection) else { return Ok(()) };
        let Some(values) = values(&collection) else { return Ok(()) };
        if let Some(key) = key {
            self.operand(scope, expr, key, &keys(&collection))?;
        }
        self.operand(scope, expr, value, &Some(values))
    }

    fn operand(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        expr: &Expr<'p>,
        term: &Term<'p>,
        kind: &Known<'p>,
    ) -> Result<(), Mismatch> {
        if is_unknown(kind) {
            return Ok(());
        }
        let have = self.kind(scope, term);
        if (!is_unknown(&have) && !unifies(&have, kind)) || !self.unify(scope, term, kind, false) {
            return Err(mismatch(expr, &have, kind));
        }
        Ok(())
    }

    fn call(
        &mut self,
        scope: &mut Scope<'_, 'p>,
        expr: &Expr<'p>,
        callee: &Callee<'p>,
        args: &[Term<'p>],
    ) -> Result<(), Mismatch> {
        let Some(signature) = Self::signature(scope, callee) else { return Ok(()) };
        let before: Vec<Known<'p>> = args.iter().map(|arg| self.kind(scope, arg)).collect();
        let wanted: Vec<&Known<'p>> =
            signature.args.iter().chain(signature.result.is_some().then_some(&signature.result)).collect();
        for (at, arg) in args.iter().enumerate() {
            // Too many arguments were reported where functions are looked up; more than declared is for `print`.
            let Some(kind) = wanted.get(at) else { break };
            let have = before.get(at).cloned().flatten();
            if !is_unknown(&have) && !unifies(&have, kind) {
                return Err(wrong_arguments(expr, callee, &before, &wanted));
            }
            if !self.unify(scope, arg, kind, false) {
                let after: Vec<Known<'p>> = args.iter().map(|arg| self.kind(scope, arg)).collect();
                return Err(wrong_arguments(expr, callee, &after, &wanted));
            }
        }
        Ok(())
    }

    fn signature(scope: &Scope<'_, 'p>, callee: &Callee<'p>) -> Option<Signature<'p>> {
        let Some(name) = callee.name() else {
            let Some(Type::Function(signature)) = Self::function(scope, callee).as_deref().cloned() else {
                return None;
            };
            return Some(signature);
        };
        let builtin = builtins::find(name)?;
        let plain = builtin.arguments.iter().filter(|of| !matches!(of, Declared::Variadic));
        Some(Signature {
            args: plain.map(declared).collect(),
            result: declared(&builtin.result),
            variadic: builtin.arguments.iter().any(|of| matches!(of, Declared::Variadic)),
        })
    }

    /// The type of a rule that is called.
    fn function(scope: &Scope<'_, 'p>, callee: &Callee<'p>) -> Known<'p> {
        let place = callee.place;
        let (first, rest) = callee.path.split_first()?;
        if *first != "data" {
            return None;
        }
        let head = Term::var(crate::rego::front::form::DATA, place);
        let parts: Vec<Term<'p>> =
            std::iter::once(head).chain(rest.iter().map(|word| Term::text(word, place))).collect();
        scope.reference(&parts)
    }

    /// What the modifiers of an expression leave of the documents.
    fn replace(&mut self, scope: &mut Scope<'_, 'p>, expr: &Expr<'p>) {
        let mut targets: Vec<(Var, Vec<crate::value::Value<'p>>, Known<'p>)> = Vec::new();
        for with in &expr.withs {
            let Target::Document(parts) = &with.target else { continue };
            let Some(root) = parts.first().and_then(Term::as_var) else { continue };
            let path = scalars(parts.get(1..).unwrap_or_default());
            let was = scope.reference(parts);
            let function = matches!(was.as_deref(), Some(Type::Function(_)));
            if root != INPUT {
                self.relax(scope, parts, function);
            }
            if !function {
                let now = self.kind(scope, &with.value);
                let ground = path.len() + 1 == parts.len();
                let kind = if ground && was.is_some() && now.is_some() { or(&was, &now) } else { None };
                targets.push((root, path, kind.or_else(|| Some(any()))));
            }
        }
        if targets.is_empty() {
            return;
        }
        let mut layer = Replaced::default();
        for (root, path, kind) in targets {
            let tree = if root == INPUT { &mut layer.input } else { &mut layer.data };
            tree.get_or_insert_default().put(&path, kind);
        }
        scope.replaced.push(Rc::new(layer));
    }

    /// Rules that depend on what is replaced can become anything.
    fn relax(&self, scope: &mut Scope<'_, 'p>, target: &[Term<'p>], function: bool) {
        let mut waiting = Vec::new();
        self.tree.selected(target, &mut waiting);
        let own = scalars(target.get(1..).unwrap_or_default());
        let mut seen = BTreeSet::new();
        let mut tree = Node::default();
        while let Some(at) = waiting.pop() {
            if !seen.insert(at) {
                continue;
            }
            waiting.extend(self.dependents.get(at).into_iter().flatten());
            if let Some(rule) = self.tree.rules.get(at)
                && !(function && rule.path == own)
            {
                tree.put(&rule.path, Some(any()));
            }
        }
        if !tree.children.is_empty() {
            scope.replaced.push(Rc::new(Replaced { input: None, data: Some(tree) }));
        }
    }

    /// A reference as a person writes it.
    pub(super) fn shown_reference(&self, parts: &[Term<'p>]) -> String {
        let mut text = String::new();
        for part in parts {
            match part.as_text() {
                Some(word) if !text.is_empty() => {
                    text.push('.');
                    text.push_str(word);
                }
                _ if text.is_empty() => text.push_str(&self.shown_term(part)),
                _ => {
                    text.push('[');
                    text.push_str(&self.shown_term(part));
                    text.push(']');
                }
            }
        }
        text
    }

    pub(super) fn shown_term(&self, term: &Term<'p>) -> String {
        match &term.kind {
            Kind::Scalar(value) => value.to_string(),
            Kind::Var(var) => self.names.shown(*var).unwrap_or("…").to_owned(),
            Kind::Ref(parts) => self.shown_reference(parts),
            _ => "…".to_owned(),
        }
    }
}

fn mismatch(expr: &Expr<'_>, left: &Known<'_>, right: &Known<'_>) -> Mismatch {
    let message = format!("match error: {} can never be {}", shown(left), shown(right));
    Mismatch { problem: (expr.place, message), unknown: is_unknown(left) || is_unknown(right) }
}

fn wrong_arguments(
    expr: &Expr<'_>,
    callee: &Callee<'_>,
    have: &[Known<'_>],
    want: &[&Known<'_>],
) -> Mismatch {
    let list =
        |kinds: &mut dyn Iterator<Item = &Known<'_>>| kinds.map(kind::shown).collect::<Vec<_>>().join(", ");
    let message = format!(
        "{}: invalid argument(s): have ({}), want ({})",
        callee.shown(),
        list(&mut have.iter()),
        list(&mut want.iter().copied())
    );
    Mismatch { problem: (expr.place, message), unknown: have.iter().any(is_unknown) }
}
