//! Conditions that say nothing, or that say it the long way.

use super::rule::{Found, Rule, Severity};
use super::unit::{Unit, Whole};
use super::walk::{self, Node};
use crate::rego::syntax::tree::{Expr, ExprKind, Operator, Rule as Clause, Span, Term, TermKind};

static CONSTANT: Rule = Rule {
    id: "constant-condition",
    severity: Severity::Warning,
    wants: "a condition can hold and fail",
    why: "One that always holds is noise, one that never holds turns the rule off; neither is what its author believes.",
    example: Some([
        "deny contains finding if {\n\t1 == 1\n\tnot input.review.object.metadata.name\n\tfinding := {\"path\": \
         \"/metadata/name\", \"expected\": \"a name\"}\n}\n",
        "deny contains finding if {\n\tnot input.review.object.metadata.name\n\tfinding := {\"path\": \
         \"/metadata/name\", \"expected\": \"a name\"}\n}\n",
    ]),
};
static PREFER_IN: Rule = Rule {
    id: "prefer-in",
    severity: Severity::Warning,
    wants: "membership is asked for with `in`",
    why: "`x in list` says what is meant, is true once, and works below `not`.",
    example: Some([
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"another\"} if \
         input.review.object.metadata.name == [\"a\", \"b\"][_]\n",
        "deny contains {\"path\": \"/metadata/name\", \"expected\": \"another\"} if \
         input.review.object.metadata.name in [\"a\", \"b\"]\n",
    ]),
};
static PREFER_SOME: Rule = Rule {
    id: "prefer-some-in",
    severity: Severity::Warning,
    wants: "elements are taken with `some … in`",
    why: "`x := list[_]` looks like one value and is all of them.",
    example: Some([
        "deny contains finding if {\n\tcontainer := input.review.object.spec.containers[_]\n\tnot \
         container.image\n\tfinding := {\"path\": \"/spec/containers\", \"expected\": \"images\"}\n}\n",
        "deny contains finding if {\n\tsome container in input.review.object.spec.containers\n\tnot \
         container.image\n\tfinding := {\"path\": \"/spec/containers\", \"expected\": \"images\"}\n}\n",
    ]),
};

pub(super) const RULES: &[&Rule] = &[&CONSTANT, &PREFER_IN, &PREFER_SOME];

pub(super) fn check(unit: &Unit<'_>, _: &Whole<'_>, found: &mut Found) {
    for rule in &unit.tree.rules {
        let omitted = |expr: &Expr| is_filled_in(rule, expr.span);
        walk::rule(rule, &mut |node, _| {
            if let Node::Expr(expr) = node
                && !omitted(expr)
            {
                expression(unit, expr, found);
            }
        });
    }
}

/// The body `true` of a rule without one.
fn is_filled_in(rule: &Clause, span: Span) -> bool {
    let omitted = rule.elses.iter().filter(|other| other.body_omitted).map(|other| &other.body);
    let own = rule.body_omitted.then_some(&rule.body);
    own.into_iter().chain(omitted).flatten().any(|expr| expr.span == span)
}

fn expression(unit: &Unit<'_>, expr: &Expr, found: &mut Found) {
    let at = unit.at(expr.span);
    match &expr.kind {
        ExprKind::Term(term) => {
            if let Some(message) = constant(unit, term) {
                found.add(&CONSTANT, at, message, "remove it, or compare what was meant");
                return;
            }
            let TermKind::Infix(infix) = &term.kind else { return };
            let of_any = [&infix.left, &infix.right].into_iter().find_map(collection);
            if let (Operator::Equal, Some(collection)) = (infix.operator, of_any) {
                let message = format!("`{}` is a membership", unit.text(term.span));
                found.add(
                    &PREFER_IN,
                    at,
                    message,
                    format!("write `… in {}`", before_wildcard(unit, collection)),
                );
            }
        }
        ExprKind::Assign { left, right } => {
            if let (TermKind::Var(name), Some(collection)) = (&left.kind, collection(right)) {
                let message = format!("`{name}` stands for every element in turn");
                let remedy = format!("write `some {name} in {}`", before_wildcard(unit, collection));
                found.add(&PREFER_SOME, at, message, remedy);
            }
        }
        _ => {}
    }
}

/// `list[_]`
fn collection(term: &Term) -> Option<&Term> {
    let TermKind::Ref(inner) = &term.kind else { return None };
    matches!(inner.path.last()?.kind, TermKind::Wildcard).then_some(term)
}

fn before_wildcard<'s>(unit: &Unit<'s>, term: &Term) -> &'s str {
    let text = unit.text(term.span);
    text.rsplit_once('[').map_or(text, |(before, _)| before)
}

fn constant(unit: &Unit<'_>, term: &Term) -> Option<String> {
    let text = unit.text(term.span);
    match &term.kind {
        TermKind::Bool(_) | TermKind::Null | TermKind::Number(_) | TermKind::String { .. } => {
            Some(format!("`{text}` is always the same"))
        }
        TermKind::Infix(infix) if is_comparison(infix.operator) => {
            let sides = [&infix.left, &infix.right];
            let [left, right] = sides.map(|side| unit.text(side.span));
            if sides.iter().all(|side| is_literal(side)) {
                return Some(format!("`{text}` is always the same"));
            }
            let pure = matches!(infix.left.kind, TermKind::Var(_) | TermKind::Ref(_));
            (pure && left == right && !left.contains('_'))
                .then(|| format!("`{left}` is compared with itself"))
        }
        _ => None,
    }
}

fn is_comparison(operator: Operator) -> bool {
    use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    matches!(operator, Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual)
}

fn is_literal(term: &Term) -> bool {
    match &term.kind {
        TermKind::Bool(_) | TermKind::Null | TermKind::Number(_) | TermKind::String { .. } => true,
        TermKind::Array(items) | TermKind::Set(items) => items.iter().all(is_literal),
        _ => false,
    }
}
