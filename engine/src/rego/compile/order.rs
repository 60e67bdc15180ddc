//! What may be evaluated in another order, or not at all, now that it is known what can fail.

use super::code::{Code, Compiled, Operand, Pattern, Replacement, RuleId, Step, X};
use super::failing::{self, Failing};
use super::{cut, early};
use crate::value::Value;

/// Puts cheap tests first, ends iterations that nothing depends on, and drops the index of rules that cannot fail.
pub(super) fn settle(compiled: &mut Compiled<'_>, strict: bool) {
    let known = failing::rules(compiled, strict);
    let mut rules = std::mem::take(&mut compiled.rules);
    let mut queries = std::mem::take(&mut compiled.queries);
    let failing = Failing::new(compiled, strict, known);
    for (id, rule) in (0..).zip(&mut rules) {
        let fails = failing.is_failing(id);
        if !fails {
            rule.index = None;
        }
        if failing.document(id).is_some() {
            // Nobody asks it: see `expression`.
            rule.clauses = Box::default();
            continue;
        }
        let clauses = rule.clauses.iter_mut().flatten().chain(rule.default.as_deref_mut());
        for clause in clauses {
            code(&mut clause.code, &failing);
            if !fails && compiled.marks.is_empty() {
                early::settle(clause);
            }
            cut::mark(&mut clause.code.steps, |step| failing.step(step));
        }
    }
    for query in &mut queries {
        code(&mut query.clause.code, &failing);
    }
    (compiled.rules, compiled.queries) = (rules, queries);
}

/// What stands within the steps of some code.
fn code<'p>(within: &mut Code<'p>, failing: &Failing<'_, 'p>) {
    for step in &mut within.steps {
        match step {
            Step::Test(x) | Step::Bind(_, x) | Step::Emit(x) => expression(x, failing),
            Step::Equal(left, right) | Step::EmitPair(left, right) => {
                expression(left, failing);
                expression(right, failing);
            }
            Step::Match(x, shape) => {
                expression(x, failing);
                pattern(shape, failing);
            }
            Step::Each { over, key, value, .. } => {
                expression(over, failing);
                pattern(key, failing);
                pattern(value, failing);
            }
            Step::Tree { operands, value, .. } => {
                for operand in operands {
                    match operand {
                        Operand::Key(x) => expression(x, failing),
                        Operand::Any(shape) => pattern(shape, failing),
                    }
                }
                pattern(value, failing);
            }
            Step::Not(inner) => {
                inner.whole = failing.code(inner);
                code(inner, failing);
            }
            Step::Holds(inner) => code(inner, failing),
            Step::Either(codes) => {
                code(&mut codes.0, failing);
                code(&mut codes.1, failing);
            }
            Step::Every(every) => {
                expression(&mut every.domain, failing);
                code(&mut every.body, failing);
            }
            Step::With(replacements) => {
                use super::code::Mock;
                for replacement in replacements {
                    match replacement {
                        Replacement::Input { value, .. }
                        | Replacement::Data { value, .. }
                        | Replacement::Function { by: Mock::Value(value), .. } => expression(value, failing),
                        Replacement::Function { .. } => {}
                    }
                }
            }
            Step::Print(items) => items.iter_mut().for_each(|item| expression(item, failing)),
            Step::Put { keys, leaf, .. } => {
                keys.iter_mut().for_each(|key| expression(key, failing));
                expression(leaf, failing);
            }
            Step::EndWith | Step::Fail | Step::Mark(_) | Step::Yes => {}
        }
    }
}

fn pattern<'p>(shape: &mut Pattern<'p>, failing: &Failing<'_, 'p>) {
    match shape {
        Pattern::Any | Pattern::Bind(_) => {}
        Pattern::Equal(x) => expression(x, failing),
        Pattern::Array(items) => items.iter_mut().for_each(|item| pattern(item, failing)),
        Pattern::Object(pairs) => {
            for (key, value) in pairs {
                expression(key, failing);
                pattern(value, failing);
            }
        }
    }
}

fn expression<'p>(x: &mut X<'p>, failing: &Failing<'_, 'p>) {
    match x {
        X::Constant(_) | X::Undefined | X::Slot(_) | X::Input | X::InputPath(_) | X::SlotPath(..) => {}
        X::Rule(_) | X::Node(_) | X::Base(_) => {}
        X::Path(x, _) => expression(x, failing),
        X::Index(sides) | X::Compare(_, sides) | X::Member(sides) => {
            expression(&mut sides.0, failing);
            expression(&mut sides.1, failing);
        }
        X::Call(id, keys) => {
            keys.iter_mut().for_each(|key| expression(key, failing));
            if let Some(whole) = failing.document(*id) {
                *x = member(whole, std::mem::take(keys));
            }
        }
        X::Builtin(_, items) | X::Array(items) | X::Set(items) => {
            items.iter_mut().for_each(|item| expression(item, failing));
        }
        X::Prepared(prepared) => prepared.args.iter_mut().for_each(|item| expression(item, failing)),
        X::Object(pairs) => {
            for (key, value) in pairs {
                expression(key, failing);
                expression(value, failing);
            }
        }
        X::ArrayOf(of) => code(of, failing),
        X::SetOf(of) | X::ObjectOf(of) => {
            code(of, failing);
            cut::mark(&mut of.steps, |step| failing.step(step));
        }
    }
}

/// A member of the document of a rule, which is evaluated once as a whole.
fn member(whole: RuleId, keys: Box<[X<'_>]>) -> X<'_> {
    keys.into_iter().fold(X::Rule(whole), |x, key| match (x, key) {
        (X::Path(x, keys), X::Constant(Value::String(key))) => {
            X::Path(x, keys.into_iter().chain([key]).collect())
        }
        (x, X::Constant(Value::String(key))) => X::Path(Box::new(x), Box::new([key])),
        (x, key) => X::Index(Box::new((x, key))),
    })
}
