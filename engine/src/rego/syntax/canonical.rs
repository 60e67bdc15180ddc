//! A tree as one line that does not show how it was written: what two parsers can be compared by.
//!
//! The same form is written for OPA's trees by `conformance-tests/rego/oracle/tree.go`.

use super::tree::{
    Body, Expr, ExprKind, Head, HeadKind, Module, Name, Ref, Rule, TemplatePart, Term, TermKind, With,
};
use std::fmt::Write as _;

/// The canonical form of a file.
pub fn module(module: &Module) -> String {
    let mut parts = vec!["package".to_owned(), names(&module.package.path)];
    for import in &module.imports {
        let (first, rest) = import.path.split_first().map_or(("", [].as_slice()), |(f, r)| (&f.text, r));
        let alias = import.alias.as_ref().map(|alias| format!(" as {}", alias.text)).unwrap_or_default();
        parts.push(format!("(import {first}.{}{alias})", names(rest)));
    }
    parts.extend(module.rules.iter().map(rule));
    format!("({})", parts.join(" "))
}

/// The canonical form of a body.
pub fn body(body: &Body) -> String {
    let parts: Vec<_> = body.iter().map(expr).collect();
    format!("{{{}}}", parts.join("; "))
}

fn names(names: &[Name]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| string(&name.text)).collect();
    quoted.join(".")
}

/// The canonical form of a rule.
pub fn rule(rule: &Rule) -> String {
    let mut out = String::from("(rule");
    if rule.default {
        out.push_str(" default");
    }
    out.push_str(&head(&rule.head));
    let _ = write!(out, " {}", body(&rule.body));
    for other in &rule.elses {
        let _ = write!(out, " (else {} {})", term(&other.value), body(&other.body));
    }
    out.push(')');
    out
}

fn head(head: &Head) -> String {
    let mut out = format!(" (head ${}{})", head.name.text, terms(&head.path));
    if !head.args.is_empty() {
        let _ = write!(out, " (args{})", terms(&head.args));
    }
    let _ = match &head.kind {
        HeadKind::Value { value, .. } => write!(out, " (value {})", term(value)),
        HeadKind::Element { key, .. } => write!(out, " (element {})", term(key)),
    };
    out
}

fn expr(expr: &Expr) -> String {
    let mut out = bare(&expr.kind);
    if expr.negated {
        out = format!("(negated {out})");
    }
    for With { target, value, .. } in &expr.with {
        let _ = write!(out, " (with {} {})", term(target), term(value));
    }
    out
}

fn variable(name: &Name) -> String {
    if name.text == "_" { "_".to_owned() } else { format!("${}", name.text) }
}

fn bare(kind: &ExprKind) -> String {
    match kind {
        ExprKind::Term(inner) => term(inner),
        ExprKind::Assign { left, right } => format!("(call (ref $assign) {} {})", term(left), term(right)),
        ExprKind::Unify { left, right } => format!("(call (ref $eq) {} {})", term(left), term(right)),
        ExprKind::Some(names) => {
            let names: Vec<_> = names.iter().map(variable).collect();
            format!("(some {})", names.join(" "))
        }
        ExprKind::SomeIn { key, value, domain } => {
            format!("(some {})", member(key.as_ref(), value, domain))
        }
        ExprKind::Every { key, value, domain, body: inner } => {
            let key = key.as_ref().map_or("-".to_owned(), variable);
            format!("(every {key} {} {} {})", variable(value), term(domain), body(inner))
        }
        ExprKind::Not { body: inner, .. } => format!("(not {})", body(inner)),
        ExprKind::And(left, right) => format!("(and {} {})", body(&left.body), body(&right.body)),
        ExprKind::Or(left, right) => format!("(or {} {})", body(&left.body), body(&right.body)),
    }
}

fn member(key: Option<&Term>, value: &Term, collection: &Term) -> String {
    match key {
        Some(key) => {
            format!("(call (ref $internal 'member_3') {} {} {})", term(key), term(value), term(collection))
        }
        None => format!("(call (ref $internal 'member_2') {} {})", term(value), term(collection)),
    }
}

fn terms(terms: &[Term]) -> String {
    terms.iter().fold(String::new(), |mut out, inner| {
        let _ = write!(out, " {}", term(inner));
        out
    })
}

fn reference(reference: &Ref) -> String {
    format!("(ref {}{})", term(&reference.head), terms(&reference.path))
}

/// The canonical form of a term.
pub fn term(whole: &Term) -> String {
    match &whole.kind {
        TermKind::Null => "null".to_owned(),
        TermKind::Bool(value) => value.to_string(),
        TermKind::Number(text) => format!("#{text}"),
        TermKind::String { text, .. } => string(text),
        TermKind::Template { parts, .. } => {
            let parts: String = parts.iter().map(|inner| format!(" {}", part(inner))).collect();
            format!("(template{parts})")
        }
        TermKind::Var(name) => format!("${name}"),
        TermKind::Wildcard => "_".to_owned(),
        TermKind::Ref(inner) => reference(inner),
        TermKind::Call(call) => format!("(call {}{})", reference(&call.function), terms(&call.args)),
        TermKind::Infix(infix) => {
            format!("(call (ref ${}) {} {})", infix.operator.builtin(), term(&infix.left), term(&infix.right))
        }
        TermKind::Member(inner) => member(inner.key.as_ref(), &inner.value, &inner.collection),
        TermKind::Array(elements) => format!("[{}]", terms(elements)),
        TermKind::Set(elements) => {
            let mut elements: Vec<_> = elements.iter().map(term).collect();
            elements.sort_unstable();
            elements.dedup();
            format!("(set {})", elements.join(" "))
        }
        TermKind::Object(pairs) => object(pairs),
        TermKind::ArrayComprehension(inner) => format!("[{} | {}]", term(&inner.term), body(&inner.body)),
        TermKind::SetComprehension(inner) => format!("(set {} | {})", term(&inner.term), body(&inner.body)),
        TermKind::ObjectComprehension(inner) => {
            format!("(object {}: {} | {})", term(&inner.key), term(&inner.value), body(&inner.body))
        }
    }
}

fn object(pairs: &[(Term, Term)]) -> String {
    let mut pairs: Vec<_> =
        pairs.iter().map(|(key, value)| format!("{}: {}", term(key), term(value))).collect();
    pairs.sort_unstable();
    format!("(object {})", pairs.join(", "))
}

fn part(part: &TemplatePart) -> String {
    match part {
        TemplatePart::Text { text, .. } => string(text),
        TemplatePart::Expr(inner) => {
            let text = expr(inner);
            let constant = matches!(
                &inner.kind,
                ExprKind::Term(Term {
                    kind: TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::String { .. },
                    ..
                })
            );
            if constant && inner.with.is_empty() { text } else { format!("{{{text}}}") }
        }
    }
}

fn string(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
