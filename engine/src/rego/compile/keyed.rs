//! Sets and objects asked for single members: as OPA does, their rules are run with the keys known from the start, so
//! that nothing fails that only other members need.

use super::body::Generator;
use super::code::{RuleId, RuleKind, X};
use super::{Compiler, Head, Plan};
use crate::rego::front::form::{Clause, Kind, Rule, Term};

impl Compiler<'_, '_> {
    /// The function that gives what a set or object has below so many keys; `None`: it cannot be asked so.
    fn keyed(&mut self, id: RuleId, keys: usize) -> Option<RuleId> {
        if let Some(known) = self.keyed.get(&(id, keys)) {
            return Some(*known);
        }
        let plan = self.plans.get(id as usize)?;
        let is_member = plan.rules.iter().flat_map(|rule| &rule.clauses).all(|clause| depth(clause) == keys);
        let kind = if is_member { RuleKind::Function } else { RuleKind::Object };
        let rules = plan.rules.iter().map(|rule| by_keys(rule, keys)).collect();
        let keyed = Plan { kind, rules, whole: Some(id), ..plan.clone() };
        let keyed = self.add(keyed);
        self.keyed.insert((id, keys), keyed);
        Some(keyed)
    }

    /// By how many of the keys that are `ready` all rules of a set or object can be asked; those of one rule may lead
    /// deeper than those of another.
    fn askable(&self, id: RuleId, ready: usize) -> Option<usize> {
        let plan = self.plans.get(id as usize)?;
        if !matches!(plan.kind, RuleKind::Set | RuleKind::Pairs | RuleKind::Object) {
            return None;
        }
        let clauses = || plan.rules.iter().flat_map(|rule| &rule.clauses);
        let is_comparable = |clause: &Clause<'_>| clause.tail.iter().chain(element(clause)).all(is_pattern);
        let least = clauses().map(depth).min()?;
        // The element of a set is asked for together with the keys of all other rules, or not at all.
        let keys = if ready >= least && clauses().all(|clause| depth(clause) == least) {
            least
        } else {
            clauses().map(|clause| clause.tail.len()).min()?.min(ready)
        };
        let fits = keys > 0 && clauses().all(is_comparable);
        fits.then_some(keys)
    }
}

impl<'p> Generator<'_, '_, 'p> {
    /// The member of a rule's document by the first operands, and how many these are; `None`: it is not asked so.
    pub(super) fn member_of(&mut self, x: &X<'p>, operands: &[Term<'p>]) -> Option<(X<'p>, usize)> {
        let X::Rule(id) = x else { return None };
        let ready = operands.iter().take_while(|operand| self.is_ready(operand)).count();
        let keys = self.compiler.askable(*id, ready)?;
        let function = self.compiler.keyed(*id, keys)?;
        let xs = operands.get(..keys)?.iter().map(|key| self.x(key)).collect();
        Some((X::Call(function, xs), keys))
    }
}

/// The element that a clause adds to a set.
fn element<'t, 'p>(clause: &'t Clause<'p>) -> Option<&'t Term<'p>> {
    match &clause.result {
        Head::Element(term) => Some(term),
        Head::Value(_) => None,
    }
}

/// How many keys lead to what a clause gives.
fn depth(clause: &Clause<'_>) -> usize {
    clause.tail.len() + usize::from(element(clause).is_some())
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

/// A rule as a function of the first keys of what it gives.
fn by_keys<'p>(rule: &Rule<'p>, keys: usize) -> Rule<'p> {
    let mut rule = rule.clone();
    for clause in &mut rule.clauses {
        let rest = clause.tail.split_off(keys.min(clause.tail.len()));
        clause.args = std::mem::replace(&mut clause.tail, rest);
        if let (Head::Element(element), true) = (&clause.result, clause.args.len() < keys) {
            clause.args.push(element.clone());
            clause.result = Head::Value(element.clone());
        }
    }
    rule
}
