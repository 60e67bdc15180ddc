//! Type checks at load: what can never work is refused, as OPA refuses it.
//!
//! Rules are checked in the order in which they need each other, so that the type of what a rule refers to is known;
//! `input` and base documents can be anything. The order of a body is that of its evaluation, and what an earlier
//! expression says of a variable holds for the later ones.

mod body;
mod environment;
mod kind;
mod reference;
mod unify;

use super::front::form::{Body, Clause, Result, Rule, Term};
use super::front::names::Names;
use super::front::rules::Tree;
use super::front::{Problem, visit};
use crate::value::Value;
use body::Checker;
use environment::{Node, Scope};
use kind::{Known, Signature, Type, any};
use std::collections::HashMap;
use std::rc::Rc;

/// What is known of the rules of a program.
#[derive(Debug, Default)]
pub(super) struct Types<'p> {
    rules: Node<'p>,
}

/// Checks all rules.
///
/// # Errors
/// Every expression that can never be evaluated.
pub(super) fn rules<'p>(tree: &Tree<'p>, names: &Names) -> std::result::Result<Types<'p>, Vec<Problem>> {
    let needs = tree.dependencies();
    let dependents = reversed(&needs);
    let mut checked = Types::default();
    let mut problems = Vec::new();
    for at in in_order(&needs) {
        let Some(rule) = tree.rules.get(at) else { continue };
        for clause in &rule.clauses {
            clause_type(tree, names, &dependents, &mut checked.rules, (rule, clause), &mut problems);
        }
    }
    if problems.is_empty() { Ok(checked) } else { Err(problems) }
}

/// Checks a query against rules that were checked before.
///
/// # Errors
/// Every expression that can never be evaluated.
pub(super) fn query<'p>(
    tree: &Tree<'p>,
    names: &Names,
    known: &Types<'p>,
    body: &Body<'p>,
) -> std::result::Result<(), Vec<Problem>> {
    let dependents = reversed(&tree.dependencies());
    let mut checker = Checker::new(tree, names, &dependents);
    let mut scope = Scope { rules: &known.rules, replaced: Vec::new(), vars: Vec::new() };
    let problems = checker.body(&mut scope, body);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Checks one clause and adds its type to those of the rules.
fn clause_type<'p>(
    tree: &Tree<'p>,
    names: &Names,
    dependents: &[Vec<usize>],
    rules: &mut Node<'p>,
    (rule, clause): (&Rule<'p>, &Clause<'p>),
    problems: &mut Vec<Problem>,
) {
    let mut checker = Checker::new(tree, names, dependents);
    let mut scope = Scope { rules, replaced: Vec::new(), vars: vec![HashMap::new()] };
    let found = checker.body(&mut scope, &clause.body);
    if !found.is_empty() {
        problems.extend(found);
        // What refers to it is not wrong for that.
        return rules.put(&rule.path, Some(any()));
    }
    let kind = if clause.args.is_empty() {
        document_type(&mut checker, &mut scope, clause)
    } else {
        Some(function_type(&mut checker, &mut scope, clause))
    };
    if let Some(kind) = kind {
        rules.insert(&rule.path, &kind);
    }
}

fn function_type<'p>(
    checker: &mut Checker<'_, 'p>,
    scope: &mut Scope<'_, 'p>,
    clause: &Clause<'p>,
) -> Rc<Type<'p>> {
    for arg in &clause.args {
        visit::each_term(arg, &mut |term| {
            if let Some(var) = term.as_var()
                && scope.var(var).is_none()
            {
                scope.set(var, Some(any()));
            }
            false
        });
    }
    let args = clause.args.iter().map(|arg| checker.kind(scope, arg)).collect();
    let result = checker.kind(scope, clause.result.term()).or_else(|| Some(any()));
    Rc::new(Type::Function(Signature { args, result, variadic: false }))
}

fn document_type<'p>(
    checker: &mut Checker<'_, 'p>,
    scope: &mut Scope<'_, 'p>,
    clause: &Clause<'p>,
) -> Known<'p> {
    let kind = checker.kind(scope, clause.result.term())?;
    let kind = match &clause.result {
        Result::Value(_) => kind,
        Result::Element(_) => Rc::new(Type::Set(Some(kind))),
    };
    nested(checker, scope, &clause.tail, kind)
}

/// Objects around a type, one for each term of a path that is only known when the rule runs.
fn nested<'p>(
    checker: &mut Checker<'_, 'p>,
    scope: &mut Scope<'_, 'p>,
    path: &[Term<'p>],
    kind: Rc<Type<'p>>,
) -> Known<'p> {
    let Some((first, rest)) = path.split_first() else { return Some(kind) };
    let value = nested(checker, scope, rest, kind)?;
    let key = checker.kind(scope, first)?;
    Some(kind::object(Vec::new(), Some((Some(key), Some(value)))))
}

/// For each rule those that need it.
fn reversed(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut dependents = vec![Vec::new(); needs.len()];
    for (at, needed) in needs.iter().enumerate() {
        for other in needed {
            if let Some(list) = dependents.get_mut(*other) {
                list.push(at);
            }
        }
    }
    dependents
}

/// The rules, each after those that it needs.
fn in_order(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(needs.len());
    let mut seen = vec![false; needs.len()];
    // A stack of its own: chains of rules can be long.
    for start in 0..needs.len() {
        let mut stack = vec![(start, 0)];
        while let Some((at, next)) = stack.pop() {
            if next == 0 {
                let Some(mark) = seen.get_mut(at) else { continue };
                if std::mem::replace(mark, true) {
                    continue;
                }
            }
            match needs.get(at).and_then(|needed| needed.get(next)) {
                Some(needed) => {
                    stack.push((at, next + 1));
                    stack.push((*needed, 0));
                }
                None => order.push(at),
            }
        }
    }
    order
}

/// The path of a rule as constants only.
fn scalars<'p>(parts: &[Term<'p>]) -> Vec<Value<'p>> {
    parts
        .iter()
        .map_while(|part| match part.kind {
            super::front::form::Kind::Scalar(value) => Some(value),
            _ => None,
        })
        .collect()
}
