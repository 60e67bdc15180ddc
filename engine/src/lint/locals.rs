//! The variables of a rule: where each is declared, and whether anything uses it.

use super::walk;
use crate::rego::syntax::tree::{Body, Expr, ExprKind, Rule, Span, TemplatePart, Term, TermKind};

/// How a variable came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// An argument of a function.
    Argument,
    /// `x := …`
    Assigned,
    /// `some x`
    Some,
    /// `some x in …`
    SomeIn,
    /// `every x in …`
    Every,
}

/// A variable that is declared.
#[derive(Clone, Debug)]
pub(super) struct Local<'t> {
    pub(super) name: &'t str,
    pub(super) span: Span,
    pub(super) how: How,
    /// Something reads it, or tests it.
    pub(super) used: bool,
}

/// The variables that a rule declares, outer scopes first.
pub(super) fn of_rule(rule: &Rule) -> Vec<Local<'_>> {
    let mut found = Vec::new();
    let head: Vec<&Term> = walk::heads(rule);
    let mut arguments = Vec::new();
    rule.head.args.iter().for_each(|arg| pattern(arg, &mut arguments));
    // An argument that stands twice (`f(x, x)`) tests that both are equal.
    let twice = |name: &str| arguments.iter().filter(|(other, _)| *other == name).count() > 1;
    let values: Vec<&Term> = head.iter().copied().filter(|term| !is_argument(rule, term)).collect();
    let mut uses = Vec::new();
    values.iter().for_each(|term| uses_of(term, &mut uses));
    rule.head.args.iter().for_each(|arg| pattern_uses(arg, &mut uses));
    rule.body.iter().for_each(|expr| uses_of_expr(expr, &mut uses));
    for other in &rule.elses {
        other.body.iter().for_each(|expr| uses_of_expr(expr, &mut uses));
    }
    for &(name, span) in &arguments {
        found.push(Local { name, span, how: How::Argument, used: uses.contains(&name) || twice(name) });
    }
    let mut own: Vec<&Term> = rule.head.path.iter().collect();
    own.push(walk::defined(rule));
    scope(&rule.body, &own, &mut found);
    for other in &rule.elses {
        scope(&other.body, &[&other.value], &mut found);
    }
    values.iter().for_each(|term| below(term, &mut found));
    found
}

fn is_argument(rule: &Rule, term: &Term) -> bool {
    rule.head.args.iter().any(|arg| std::ptr::eq(arg, term))
}

/// The declarations of a body and of the bodies below it. `heads`: what is made of its variables.
fn scope<'t>(body: &'t Body, heads: &[&'t Term], found: &mut Vec<Local<'t>>) {
    let mut uses = Vec::new();
    heads.iter().for_each(|term| uses_of(term, &mut uses));
    body.iter().for_each(|expr| uses_of_expr(expr, &mut uses));
    for expr in body {
        let mut names = Vec::new();
        let how = match &expr.kind {
            ExprKind::Assign { left, .. } => {
                pattern(left, &mut names);
                How::Assigned
            }
            ExprKind::Some(some) => {
                names.extend(some.iter().map(|name| (name.text.as_str(), name.span)));
                How::Some
            }
            ExprKind::SomeIn { key, value, .. } => {
                key.iter().chain([value]).for_each(|term| pattern(term, &mut names));
                How::SomeIn
            }
            _ => How::Some,
        };
        let local = |(name, span)| Local { name, span, how, used: uses.contains(&name) };
        found.extend(names.into_iter().filter(|(name, _)| *name != "_").map(local));
        inner(expr, found);
    }
}

fn inner<'t>(expr: &'t Expr, found: &mut Vec<Local<'t>>) {
    match &expr.kind {
        ExprKind::Term(term) => below(term, found),
        ExprKind::Assign { left, right } | ExprKind::Unify { left, right } => {
            below(left, found);
            below(right, found);
        }
        ExprKind::Some(_) => {}
        ExprKind::SomeIn { key, value, domain } => {
            key.iter().chain([value, domain]).for_each(|term| below(term, found));
        }
        ExprKind::Every { key, value, domain, body } => {
            below(domain, found);
            let mut uses = Vec::new();
            body.iter().for_each(|expr| uses_of_expr(expr, &mut uses));
            for name in key.iter().chain([value]).filter(|name| name.text != "_") {
                let used = uses.contains(&name.text.as_str());
                found.push(Local { name: &name.text, span: name.span, how: How::Every, used });
            }
            scope(body, &[], found);
        }
        ExprKind::Not { body, .. } => scope(body, &[], found),
        ExprKind::And(left, right) | ExprKind::Or(left, right) => {
            scope(&left.body, &[], found);
            scope(&right.body, &[], found);
        }
    }
    for with in &expr.with {
        below(&with.value, found);
    }
}

/// The scopes inside of a term: its outermost comprehensions and templates.
fn below<'t>(term: &'t Term, found: &mut Vec<Local<'t>>) {
    match &term.kind {
        TermKind::ArrayComprehension(inner) | TermKind::SetComprehension(inner) => {
            scope(&inner.body, &[&inner.term], found);
            below(&inner.term, found);
        }
        TermKind::ObjectComprehension(inner) => {
            scope(&inner.body, &[&inner.key, &inner.value], found);
            below(&inner.key, found);
            below(&inner.value, found);
        }
        TermKind::Template { parts, .. } => parts.iter().for_each(|part| {
            if let TemplatePart::Expr(expr) = part {
                inner(expr, found);
            }
        }),
        _ => parts(term).into_iter().for_each(|part| below(part, found)),
    }
}

/// The variables that a pattern gives, with their places; `_` too.
pub(super) fn pattern<'t>(term: &'t Term, found: &mut Vec<(&'t str, Span)>) {
    match &term.kind {
        TermKind::Var(name) => found.push((name, term.span)),
        TermKind::Array(items) => items.iter().for_each(|item| pattern(item, found)),
        TermKind::Object(pairs) => pairs.iter().for_each(|(_, value)| pattern(value, found)),
        _ => {}
    }
}

/// The variables that a pattern reads: keys, and what cannot be given.
fn pattern_uses<'t>(term: &'t Term, uses: &mut Vec<&'t str>) {
    match &term.kind {
        TermKind::Var(_) => {}
        TermKind::Array(items) => items.iter().for_each(|item| pattern_uses(item, uses)),
        TermKind::Object(pairs) => pairs.iter().for_each(|(key, value)| {
            uses_of(key, uses);
            pattern_uses(value, uses);
        }),
        _ => uses_of(term, uses),
    }
}

/// The variables that an expression reads, those below it too, but not where they are declared.
pub(super) fn uses_of_expr<'t>(expr: &'t Expr, uses: &mut Vec<&'t str>) {
    match &expr.kind {
        ExprKind::Term(term) => uses_of(term, uses),
        ExprKind::Assign { left, right } => {
            pattern_uses(left, uses);
            uses_of(right, uses);
        }
        ExprKind::Unify { left, right } => {
            uses_of(left, uses);
            uses_of(right, uses);
        }
        ExprKind::Some(_) => {}
        ExprKind::SomeIn { key, value, domain } => {
            key.iter().chain([value]).for_each(|term| pattern_uses(term, uses));
            uses_of(domain, uses);
        }
        ExprKind::Every { domain, body, .. } => {
            uses_of(domain, uses);
            body.iter().for_each(|expr| uses_of_expr(expr, uses));
        }
        ExprKind::Not { body, .. } => body.iter().for_each(|expr| uses_of_expr(expr, uses)),
        ExprKind::And(left, right) | ExprKind::Or(left, right) => {
            left.body.iter().chain(&right.body).for_each(|expr| uses_of_expr(expr, uses));
        }
    }
    for with in &expr.with {
        uses_of(&with.target, uses);
        uses_of(&with.value, uses);
    }
}

/// The variables and names that a term reads.
pub(super) fn uses_of<'t>(term: &'t Term, uses: &mut Vec<&'t str>) {
    match &term.kind {
        TermKind::Var(name) => uses.push(name),
        TermKind::Call(call) => {
            uses_of(&call.function.head, uses);
            parts(term).into_iter().for_each(|part| uses_of(part, uses));
        }
        TermKind::ArrayComprehension(inner) | TermKind::SetComprehension(inner) => {
            uses_of(&inner.term, uses);
            inner.body.iter().for_each(|expr| uses_of_expr(expr, uses));
        }
        TermKind::ObjectComprehension(inner) => {
            uses_of(&inner.key, uses);
            uses_of(&inner.value, uses);
            inner.body.iter().for_each(|expr| uses_of_expr(expr, uses));
        }
        TermKind::Template { parts, .. } => parts.iter().for_each(|part| {
            if let TemplatePart::Expr(expr) = part {
                uses_of_expr(expr, uses);
            }
        }),
        _ => parts(term).into_iter().for_each(|part| uses_of(part, uses)),
    }
}

/// The terms that a term is made of, where no scope lies between.
pub(super) fn parts(term: &Term) -> Vec<&Term> {
    match &term.kind {
        TermKind::Ref(inner) => std::iter::once(inner.head.as_ref()).chain(&inner.path).collect(),
        TermKind::Call(call) => call.function.path.iter().chain(&call.args).collect(),
        TermKind::Infix(infix) => vec![&infix.left, &infix.right],
        TermKind::Member(inner) => inner.key.iter().chain([&inner.value, &inner.collection]).collect(),
        TermKind::Array(items) | TermKind::Set(items) => items.iter().collect(),
        TermKind::Object(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
        _ => Vec::new(),
    }
}
