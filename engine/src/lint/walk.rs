//! The one walk over syntax trees that all rules share.

use crate::rego::syntax::tree::{Body, Expr, ExprKind, HeadKind, Ref, Rule, TemplatePart, Term, TermKind};

/// What is come to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node<'t> {
    /// An expression, before what it is made of.
    Expr(&'t Expr),
    /// A term, before what it is made of.
    Term(&'t Term),
}

/// What stands around a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Around {
    /// Below a `not`.
    pub(super) negated: bool,
    /// How many comprehensions and template strings.
    pub(super) closures: u8,
}

/// What is called with every node, outermost first.
pub(super) type See<'f, 't> = &'f mut dyn FnMut(Node<'t>, Around);

/// Everything of a rule, its heads included.
pub(super) fn rule<'t>(rule: &'t Rule, see: See<'_, 't>) {
    heads(rule).into_iter().for_each(|head| term(head, Around::default(), see));
    body(&rule.body, Around::default(), see);
    rule.elses.iter().for_each(|other| body(&other.body, Around::default(), see));
}

/// The terms that stand in the heads of a rule.
pub(super) fn heads(rule: &Rule) -> Vec<&Term> {
    let mut terms: Vec<&Term> = rule.head.path.iter().chain(&rule.head.args).collect();
    terms.push(defined(rule));
    terms.extend(rule.elses.iter().map(|other| &other.value));
    terms
}

/// What a rule defines: its value, or the element.
pub(super) fn defined(rule: &Rule) -> &Term {
    match &rule.head.kind {
        HeadKind::Value { value, .. } => value,
        HeadKind::Element { key, .. } => key,
    }
}

pub(super) fn body<'t>(body: &'t Body, around: Around, see: See<'_, 't>) {
    body.iter().for_each(|inner| expr(inner, around, see));
}

pub(super) fn expr<'t>(whole: &'t Expr, around: Around, see: See<'_, 't>) {
    see(Node::Expr(whole), around);
    let inside = Around { negated: around.negated != whole.negated, ..around };
    match &whole.kind {
        ExprKind::Term(inner) => term(inner, inside, see),
        ExprKind::Assign { left, right } | ExprKind::Unify { left, right } => {
            term(left, inside, see);
            term(right, inside, see);
        }
        ExprKind::Some(_) => {}
        ExprKind::SomeIn { key, value, domain } => {
            key.iter().chain([value, domain]).for_each(|inner| term(inner, inside, see));
        }
        ExprKind::Every { domain, body: inner, .. } => {
            term(domain, inside, see);
            body(inner, inside, see);
        }
        ExprKind::Not { body: inner, .. } => {
            body(inner, Around { negated: !inside.negated, ..inside }, see);
        }
        ExprKind::And(left, right) | ExprKind::Or(left, right) => {
            body(&left.body, inside, see);
            body(&right.body, inside, see);
        }
    }
    for with in &whole.with {
        term(&with.target, around, see);
        term(&with.value, around, see);
    }
}

pub(super) fn term<'t>(whole: &'t Term, around: Around, see: See<'_, 't>) {
    see(Node::Term(whole), around);
    let closed = Around { closures: around.closures.saturating_add(1), ..around };
    match &whole.kind {
        TermKind::Null
        | TermKind::Bool(_)
        | TermKind::Number(_)
        | TermKind::String { .. }
        | TermKind::Var(_)
        | TermKind::Wildcard => {}
        TermKind::Ref(inner) => reference(inner, around, see),
        TermKind::Call(call) => {
            call.function.path.iter().chain(&call.args).for_each(|inner| term(inner, around, see));
        }
        TermKind::Infix(infix) => {
            term(&infix.left, around, see);
            term(&infix.right, around, see);
        }
        TermKind::Member(inner) => {
            let parts = inner.key.iter().chain([&inner.value, &inner.collection]);
            parts.for_each(|part| term(part, around, see));
        }
        TermKind::Array(items) | TermKind::Set(items) => {
            items.iter().for_each(|item| term(item, around, see));
        }
        TermKind::Object(pairs) => pairs.iter().for_each(|(key, value)| {
            term(key, around, see);
            term(value, around, see);
        }),
        TermKind::ArrayComprehension(inner) | TermKind::SetComprehension(inner) => {
            term(&inner.term, closed, see);
            body(&inner.body, closed, see);
        }
        TermKind::ObjectComprehension(inner) => {
            term(&inner.key, closed, see);
            term(&inner.value, closed, see);
            body(&inner.body, closed, see);
        }
        TermKind::Template { parts, .. } => parts.iter().for_each(|part| {
            if let TemplatePart::Expr(inner) = part {
                expr(inner, closed, see);
            }
        }),
    }
}

fn reference<'t>(whole: &'t Ref, around: Around, see: See<'_, 't>) {
    term(&whole.head, around, see);
    whole.path.iter().for_each(|part| term(part, around, see));
}
