//! Iterations that one success ends: nothing that is emitted depends on which member it was.

use super::code::{Code, Operand, Pattern, Step, X};
use std::collections::BTreeSet;

type Slots = BTreeSet<u32>;

/// Marks the iterations at the end of `steps` whose bindings the result does not need; not those after which
/// something can fail, as `fails` has it: there the next member may fail where this one did not.
pub(super) fn mark<'p>(steps: &mut [Step<'p>], fails: impl Fn(&Step<'p>) -> bool) {
    let Some((last, before)) = steps.split_last_mut() else { return };
    let mut needed = Slots::new();
    match &*last {
        Step::Emit(x) => reads(x, &mut needed),
        Step::EmitPair(key, value) => {
            reads(key, &mut needed);
            reads(value, &mut needed);
        }
        Step::Put { keys, leaf, .. } => {
            keys.iter().for_each(|key| reads(key, &mut needed));
            reads(leaf, &mut needed);
        }
        _ => return,
    }
    if fails(last) {
        return;
    }
    for step in before.iter_mut().rev() {
        let is_safe = !fails(step);
        match step {
            Step::Each { key, value, cut, .. } => {
                let mut bound = Slots::new();
                binds(key, &mut bound);
                binds(value, &mut bound);
                if !bound.is_disjoint(&needed) || !is_safe {
                    return;
                }
                *cut = true;
            }
            _ if !is_safe => return,
            Step::Bind(slot, x) => {
                if needed.contains(slot) {
                    reads(x, &mut needed);
                }
            }
            Step::Match(x, pattern) => {
                let mut bound = Slots::new();
                binds(pattern, &mut bound);
                if !bound.is_disjoint(&needed) {
                    reads(x, &mut needed);
                }
            }
            Step::Test(_) | Step::Equal(..) | Step::Not(_) | Step::Holds(_) | Step::Either(_) => {}
            Step::Every(_) | Step::Fail => {}
            _ => return,
        }
    }
}

fn binds(pattern: &Pattern<'_>, found: &mut Slots) {
    match pattern {
        Pattern::Any | Pattern::Equal(_) => {}
        Pattern::Bind(slot) => {
            found.insert(*slot);
        }
        Pattern::Array(items) => items.iter().for_each(|item| binds(item, found)),
        Pattern::Object(pairs) => pairs.iter().for_each(|(_, value)| binds(value, found)),
    }
}

/// The slots that an expression reads, those of its closures too.
pub(super) fn reads(x: &X<'_>, found: &mut Slots) {
    match x {
        X::Constant(_) | X::Undefined | X::Input | X::InputPath(_) => {}
        X::Rule(_) | X::Node(_) | X::Base(_) => {}
        X::Slot(slot) | X::SlotPath(slot, _) => {
            found.insert(*slot);
        }
        X::Path(x, _) => reads(x, found),
        X::Index(sides) | X::Compare(_, sides) | X::Member(sides) => {
            reads(&sides.0, found);
            reads(&sides.1, found);
        }
        X::Call(_, items) | X::Builtin(_, items) | X::Array(items) | X::Set(items) => {
            items.iter().for_each(|item| reads(item, found));
        }
        X::Prepared(prepared) => prepared.args.iter().for_each(|item| reads(item, found)),
        X::Object(pairs) => {
            for (key, value) in pairs {
                reads(key, found);
                reads(value, found);
            }
        }
        X::ArrayOf(code) | X::SetOf(code) | X::ObjectOf(code) => code_reads(code, found),
    }
}

fn pattern_reads(pattern: &Pattern<'_>, found: &mut Slots) {
    match pattern {
        Pattern::Any | Pattern::Bind(_) => {}
        Pattern::Equal(x) => reads(x, found),
        Pattern::Array(items) => items.iter().for_each(|item| pattern_reads(item, found)),
        Pattern::Object(pairs) => {
            for (key, value) in pairs {
                reads(key, found);
                pattern_reads(value, found);
            }
        }
    }
}

fn code_reads(code: &Code<'_>, found: &mut Slots) {
    for step in &code.steps {
        match step {
            Step::Test(x) | Step::Bind(_, x) | Step::Emit(x) => reads(x, found),
            Step::Equal(left, right) | Step::EmitPair(left, right) => {
                reads(left, found);
                reads(right, found);
            }
            Step::Match(x, pattern) => {
                reads(x, found);
                pattern_reads(pattern, found);
            }
            Step::Each { over, key, value, .. } => {
                reads(over, found);
                pattern_reads(key, found);
                pattern_reads(value, found);
            }
            Step::Tree { operands, value, .. } => {
                for operand in operands {
                    match operand {
                        Operand::Key(x) => reads(x, found),
                        Operand::Any(pattern) => pattern_reads(pattern, found),
                    }
                }
                pattern_reads(value, found);
            }
            Step::Not(code) | Step::Holds(code) => code_reads(code, found),
            Step::Either(codes) => {
                code_reads(&codes.0, found);
                code_reads(&codes.1, found);
            }
            Step::Every(every) => {
                reads(&every.domain, found);
                code_reads(&every.body, found);
            }
            Step::With(replacements) => {
                use super::code::{Mock, Replacement};
                for replacement in replacements {
                    match replacement {
                        Replacement::Input { value, .. }
                        | Replacement::Data { value, .. }
                        | Replacement::Function { by: Mock::Value(value), .. } => reads(value, found),
                        Replacement::Function { .. } => {}
                    }
                }
            }
            Step::Print(items) => items.iter().for_each(|item| reads(item, found)),
            Step::Put { keys, leaf, .. } => {
                keys.iter().for_each(|key| reads(key, found));
                reads(leaf, found);
            }
            Step::EndWith | Step::Fail | Step::Mark(_) | Step::Yes => {}
        }
    }
}
