//! Sets and objects asked for single members: as OPA does, their rules are run with the keys known from the start, so
//! that nothing fails that only other members need.

use super::body::Generator;
use super::code::{RuleId, RuleKind, X};
use super::{Compiler, Head, Plan};
use crate::rego::front::form::{Clause, Kind, Rule, Term};

impl Compiler<'_, '_> {
    /// The function that gives members of a set or object by as many keys; `None`: its rules differ in depth.
    fn keyed(&mut self, id: RuleId) -> Option<(RuleId, usize)> {
        let plan = self.plans.get(id as usize)?;
        let depth = depth(plan)?;
        if let Some(known) = self.keyed.get(&id) {
            return known.map(|known| (known, depth));
        }
        let rules = plan.rules.iter().map(by_key).collect();
        let keyed = Plan { kind: RuleKind::Function, rules, whole: Some(id), ..plan.clone() };
        let keyed = self.add(keyed);
        self.keyed.insert(id, Some(keyed));
        Some((keyed, depth))
    }
}

impl<'p> Generator<'_, '_, 'p> {
    /// The member of a rule's document by the first operands, and how many these are; `None`: it is not asked so.
    pub(super) fn member_of(&mut self, x: &X<'p>, operands: &[Term<'p>]) -> Option<(X<'p>, usize)> {
        let X::Rule(id) = x else { return None };
        if operands.first().is_none_or(|operand| !self.is_ready(operand)) {
            return None;
        }
        let (function, depth) = self.compiler.keyed(*id)?;
        let keys = operands.get(..depth)?;
        if !keys.iter().all(|key| self.is_ready(key)) {
            return None;
        }
        let keys = keys.iter().map(|key| self.x(key)).collect();
        Some((X::Call(function, keys), depth))
    }
}

/// How many keys lead to a member, if as many do in all rules, and all keys can be compared with a value.
fn depth(plan: &Plan<'_>) -> Option<usize> {
    if !matches!(plan.kind, RuleKind::Set | RuleKind::Pairs | RuleKind::Object) {
        return None;
    }
    let of = |clause: &Clause<'_>| {
        let element = match &clause.result {
            Head::Element(term) => Some(term),
            Head::Value(_) => None,
        };
        let comparable = clause.tail.iter().chain(element).all(is_pattern);
        comparable.then(|| clause.tail.len() + usize::from(element.is_some()))
    };
    let mut depths = plan.rules.iter().flat_map(|rule| &rule.clauses).map(of);
    let first = depths.next().flatten()?;
    (first > 0 && depths.all(|depth| depth == Some(first))).then_some(first)
}

/// Whether a value can be matched with a term before its variables are known.
fn is_pattern(term: &Term<'_>) -> bool {
    match &term.kind {
        Kind::Scalar(_) | Kind::Var(_) => true,
        Kind::Array(items) => items.iter().all(is_pattern),
        Kind::Object(pairs) => {
            pairs.iter().all(|(key, value)| matches!(key.kind, Kind::Scalar(_)) && is_pattern(value))
        }
        _ => false,
    }
}

/// A rule as a function of the keys of what it gives.
fn by_key<'p>(rule: &Rule<'p>) -> Rule<'p> {
    let mut rule = rule.clone();
    for clause in &mut rule.clauses {
        clause.args = std::mem::take(&mut clause.tail);
        if let Head::Element(element) = &clause.result {
            clause.args.push(element.clone());
            clause.result = Head::Value(element.clone());
        }
    }
    rule
}
