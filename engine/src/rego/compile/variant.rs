//! Rules compiled once more for a caller that knows part of what it asks for.
//!
//! `violation[{"msg": msg, "field": "containers"}]` needs only elements with that field: a copy of the set's rules
//! in which the field is known from the start runs a fraction of the work. A reference that names constant keys of
//! an object needs only the rules that can give them; OPA allows a rule to ask for others of its own document so.

use super::code::{RuleId, RuleKind};
use super::{Compiler, constant, is_pair};
use crate::rego::front::form::{Expr, Kind, Rule, Term};
use crate::rego::front::rules::may_intersect;
use crate::value::Value;

impl<'p> Compiler<'_, 'p> {
    /// The variant of a node's rules for operands; `None` if there is no better one.
    pub(super) fn variant(&mut self, node: usize, id: RuleId, operands: &[Term<'p>]) -> Option<RuleId> {
        let first = operands.first()?;
        let plan = self.plans.get(usize::try_from(id).ok()?)?;
        let (key, rules) = match (plan.kind, &first.kind) {
            (RuleKind::Set, Kind::Object(fields)) => {
                let known: Option<Vec<_>> =
                    fields.iter().map(|(key, value)| Some((constant(key)?, constant(value)))).collect();
                let known = known?;
                if known.iter().all(|(_, value)| value.is_none()) {
                    return None;
                }
                let rules: Option<Vec<_>> = plan.rules.iter().map(|rule| with_fields(rule, &known)).collect();
                let rules = rules?.into_iter().zip(plan.guards.iter().cloned());
                let rules = rules.filter_map(|(rule, guards)| Some((rule?, guards)));
                (format!("{known:?}"), rules.collect::<Vec<_>>())
            }
            (RuleKind::Pairs | RuleKind::Object, _) => {
                let all = plan.rules.iter().cloned().zip(plan.guards.iter().cloned());
                let rules: Vec<_> = all.filter(|(rule, _)| may_intersect(rule, Some(operands))).collect();
                if rules.len() == plan.rules.len() {
                    return None;
                }
                let places: Vec<_> = rules.iter().map(|(rule, _)| rule.place).collect();
                (format!("{places:?}"), rules)
            }
            _ => return None,
        };
        if let Some(known) = self.variants.get(&(node, key.clone())) {
            return *known;
        }
        let mut plan = plan.clone();
        (plan.rules, plan.guards) = rules.into_iter().unzip();
        if plan.kind == RuleKind::Object && plan.rules.iter().all(is_pair) {
            plan.kind = RuleKind::Pairs;
        }
        let variant = self.add(plan);
        self.variants.insert((node, key), Some(variant));
        Some(variant)
    }
}

/// A set's rule for elements that are objects with these fields; `Some(None)` if it gives none such, `None` if that
/// cannot be said.
#[expect(clippy::option_option, reason = "none such, and cannot be said, are different answers")]
fn with_fields<'p>(rule: &Rule<'p>, fields: &[(Value<'p>, Option<Value<'p>>)]) -> Option<Option<Rule<'p>>> {
    let mut rule = rule.clone();
    let clause = rule.clauses.first_mut()?;
    let Kind::Object(own) = &clause.result.term().kind else { return None };
    let own_keys: Option<Vec<Value<'p>>> = own.iter().map(|(key, _)| constant(key)).collect();
    let own_keys = own_keys?;
    if own.len() != fields.len() || fields.iter().any(|(key, _)| !own_keys.contains(key)) {
        return Some(None);
    }
    let mut known = Vec::new();
    for (key, wanted) in fields {
        let Some(wanted) = wanted else { continue };
        let (_, term) = own.iter().find(|(own, _)| constant(own).as_ref() == Some(key))?;
        match &term.kind {
            Kind::Scalar(value) if value == wanted => {}
            Kind::Scalar(_) => return Some(None),
            Kind::Var(_) => {
                let value = Term::new(Kind::Scalar(*wanted), term.place);
                known.push(Expr::unify(term.clone(), value, term.place));
            }
            _ => return None,
        }
    }
    known.append(&mut clause.body);
    clause.body = known;
    Some(Some(rule))
}
