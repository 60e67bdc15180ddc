//! What can fail: where nothing can, nobody sees in which order things are evaluated, or whether at all.
//!
//! An evaluation fails when a complete rule or function has two values, when a key of an object has two, and, for a
//! program that is strict, when a builtin is given what it does not take. Limits are no part of this: they end an
//! evaluation wherever it is.

use super::code::{
    ClauseCode, Code, Compiled, Mock, Operand, Pattern, Replacement, RuleCode, RuleId, RuleKind, Step, X,
};
use crate::rego::builtins::Builtin;

/// Builtins that answer whatever they are given.
const SAFE: [&str; 18] = [
    "equal",
    "neq",
    "lt",
    "lte",
    "gt",
    "gte",
    "internal.member_2",
    "internal.member_3",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "type_name",
    "internal.template_string",
    "json.is_valid",
];

/// What can fail of a program.
pub(super) struct Failing<'c, 'p> {
    compiled: &'c Compiled<'p>,
    strict: bool,
    /// Functions are replaced somewhere: any may be any other.
    mocks: bool,
    /// By rule.
    rules: Vec<bool>,
    /// For each rule, of which it gives members.
    wholes: Vec<Option<RuleId>>,
}

fn wholes(compiled: &Compiled<'_>) -> Vec<Option<RuleId>> {
    compiled.rules.iter().map(|rule| rule.whole).collect()
}

/// What is known of the rules of a program.
pub(super) struct Known {
    rules: Vec<bool>,
    wholes: Vec<Option<RuleId>>,
    mocks: bool,
}

/// For each rule of a program, whether its evaluation can fail.
pub(super) fn rules(compiled: &Compiled<'_>, strict: bool) -> Known {
    let mocks = compiled
        .rules
        .iter()
        .flat_map(|rule| rule.clauses.iter().flatten().chain(rule.default.as_deref()))
        .chain(compiled.queries.iter().map(|query| &query.clause))
        .any(|clause| replaces_functions(&clause.code));
    let rules = vec![false; compiled.rules.len()];
    let mut failing = Failing { compiled, strict, mocks, rules, wholes: wholes(compiled) };
    loop {
        let next: Vec<bool> = compiled
            .rules
            .iter()
            .zip(&failing.rules)
            .map(|(rule, known)| *known || failing.rule(rule))
            .collect();
        if next == failing.rules {
            return Known { rules: next, wholes: failing.wholes, mocks };
        }
        failing.rules = next;
    }
}

impl<'c, 'p> Failing<'c, 'p> {
    pub(super) fn new(compiled: &'c Compiled<'p>, strict: bool, known: Known) -> Self {
        Self { compiled, strict, mocks: known.mocks, rules: known.rules, wholes: known.wholes }
    }

    /// What a call can be instead: a member of the document of a rule that cannot fail.
    pub(super) fn document(&self, id: RuleId) -> Option<RuleId> {
        let whole = self.wholes.get(id as usize).copied().flatten()?;
        (!self.is_failing(whole)).then_some(whole)
    }

    /// Whether the evaluation of a rule can fail; of one that gives members of another, whether the other can.
    pub(super) fn is_failing(&self, id: RuleId) -> bool {
        let whole = self.wholes.get(id as usize).copied().flatten().unwrap_or(id);
        self.rules.get(whole as usize).copied().unwrap_or(true)
    }

    fn rule(&self, rule: &RuleCode<'p>) -> bool {
        if rule.whole.is_some() {
            return false;
        }
        let clauses = || rule.clauses.iter().flatten().chain(rule.default.as_deref());
        if clauses().any(|clause| self.code(&clause.code)) {
            return true;
        }
        match rule.kind {
            RuleKind::Set => false,
            _ if rule.same => false,
            _ => rule.clauses.len() > 1 || clauses().any(is_plural),
        }
    }

    pub(super) fn code(&self, code: &Code<'p>) -> bool {
        code.steps.iter().any(|step| self.step(step))
    }

    /// Whether a step itself can fail, or what it asks at each of its turns.
    pub(super) fn step(&self, step: &Step<'p>) -> bool {
        match step {
            Step::Test(x) | Step::Bind(_, x) | Step::Emit(x) => self.x(x),
            Step::Equal(left, right) | Step::EmitPair(left, right) => self.x(left) || self.x(right),
            Step::Match(x, pattern) => self.x(x) || self.pattern(pattern),
            Step::Each { over, key, value, .. } => self.x(over) || self.pattern(key) || self.pattern(value),
            Step::Tree { node, operands, value } => {
                self.node(*node)
                    || self.pattern(value)
                    || operands.iter().any(|operand| match operand {
                        Operand::Key(x) => self.x(x),
                        Operand::Any(pattern) => self.pattern(pattern),
                    })
            }
            Step::Not(code) | Step::Holds(code) => self.code(code),
            Step::Either(codes) => self.code(&codes.0) || self.code(&codes.1),
            Step::Every(every) => self.x(&every.domain) || self.code(&every.body),
            Step::With(replacements) => replacements.iter().any(|replacement| match replacement {
                Replacement::Input { value, .. } | Replacement::Data { value, .. } => self.x(value),
                Replacement::Function { by: Mock::Value(x), .. } => self.x(x),
                Replacement::Function { .. } => false,
            }),
            Step::Print(items) => self.any(items),
            Step::Put { keys, leaf, .. } => self.any(keys) || self.x(leaf),
            Step::EndWith | Step::Fail | Step::Mark(_) | Step::Yes => false,
        }
    }

    fn any(&self, items: &[X<'p>]) -> bool {
        items.iter().any(|x| self.x(x))
    }

    fn pattern(&self, pattern: &Pattern<'p>) -> bool {
        match pattern {
            Pattern::Any | Pattern::Bind(_) => false,
            Pattern::Equal(x) => self.x(x),
            Pattern::Array(items) => items.iter().any(|item| self.pattern(item)),
            Pattern::Object(pairs) => pairs.iter().any(|(key, value)| self.x(key) || self.pattern(value)),
        }
    }

    fn builtin(&self, builtin: &Builtin) -> bool {
        self.mocks || (self.strict && !SAFE.contains(&builtin.name))
    }

    /// Whether evaluating an expression can fail.
    pub(super) fn x(&self, x: &X<'p>) -> bool {
        match x {
            X::Constant(_) | X::Undefined | X::Slot(_) | X::Input | X::InputPath(_) | X::Base(_) => false,
            X::SlotPath(..) => false,
            X::Path(x, _) => self.x(x),
            X::Index(sides) | X::Compare(_, sides) | X::Member(sides) => self.x(&sides.0) || self.x(&sides.1),
            X::Rule(id) => self.is_failing(*id),
            X::Node(id) => self.node(*id),
            X::Call(id, args) => self.mocks || self.is_failing(*id) || self.any(args),
            X::Builtin(builtin, args) => self.builtin(builtin) || self.any(args),
            X::Prepared(prepared) => self.builtin(prepared.builtin) || self.any(&prepared.args),
            X::Array(items) | X::Set(items) => self.any(items),
            X::Object(pairs) => pairs.iter().any(|(key, value)| self.x(key) || self.x(value)),
            X::ArrayOf(code) | X::SetOf(code) => self.code(code),
            X::ObjectOf(_) => true,
        }
    }

    fn node(&self, id: u32) -> bool {
        let Some(node) = self.compiled.nodes.get(id as usize) else { return true };
        node.rule.is_some_and(|rule| self.is_failing(rule))
            || node.children.values().any(|child| self.node(*child))
    }
}

/// Whether evaluating an expression may fail, as long as the rules that it asks are not compiled.
pub(super) fn may_fail(x: &X<'_>, strict: bool) -> bool {
    let any = |items: &[X<'_>]| items.iter().any(|x| may_fail(x, strict));
    match x {
        X::Constant(_) | X::Undefined | X::Slot(_) | X::Input | X::InputPath(_) | X::Base(_) => false,
        X::SlotPath(..) => false,
        X::Path(x, _) => may_fail(x, strict),
        X::Index(sides) | X::Compare(_, sides) | X::Member(sides) => {
            may_fail(&sides.0, strict) || may_fail(&sides.1, strict)
        }
        X::Builtin(builtin, args) => (strict && !SAFE.contains(&builtin.name)) || any(args),
        X::Prepared(prepared) => strict || any(&prepared.args),
        X::Array(items) | X::Set(items) => any(items),
        X::Object(pairs) => pairs.iter().any(|(key, value)| may_fail(key, strict) || may_fail(value, strict)),
        X::Rule(_) | X::Node(_) | X::Call(..) | X::ArrayOf(_) | X::SetOf(_) | X::ObjectOf(_) => true,
    }
}

/// Whether a `with` in it replaces a function.
fn replaces_functions(code: &Code<'_>) -> bool {
    let in_x = |x: &X<'_>| x_replaces(x);
    code.steps.iter().any(|step| match step {
        Step::With(replacements) => replacements.iter().any(|one| match one {
            Replacement::Function { .. } => true,
            Replacement::Input { value, .. } | Replacement::Data { value, .. } => in_x(value),
        }),
        Step::Test(x) | Step::Bind(_, x) | Step::Emit(x) | Step::Match(x, _) => in_x(x),
        Step::Equal(left, right) | Step::EmitPair(left, right) => in_x(left) || in_x(right),
        Step::Each { over, .. } => in_x(over),
        Step::Not(code) | Step::Holds(code) => replaces_functions(code),
        Step::Either(codes) => replaces_functions(&codes.0) || replaces_functions(&codes.1),
        Step::Every(every) => in_x(&every.domain) || replaces_functions(&every.body),
        Step::Put { keys, leaf, .. } => keys.iter().any(in_x) || in_x(leaf),
        Step::Print(items) => items.iter().any(in_x),
        Step::Tree { .. } | Step::EndWith | Step::Fail | Step::Mark(_) | Step::Yes => false,
    })
}

fn x_replaces(x: &X<'_>) -> bool {
    match x {
        X::ArrayOf(code) | X::SetOf(code) | X::ObjectOf(code) => replaces_functions(code),
        X::Path(x, _) => x_replaces(x),
        X::Index(sides) | X::Compare(_, sides) | X::Member(sides) => {
            x_replaces(&sides.0) || x_replaces(&sides.1)
        }
        X::Call(_, items) | X::Builtin(_, items) | X::Array(items) | X::Set(items) => {
            items.iter().any(x_replaces)
        }
        X::Prepared(prepared) => prepared.args.iter().any(x_replaces),
        X::Object(pairs) => pairs.iter().any(|(key, value)| x_replaces(key) || x_replaces(value)),
        _ => false,
    }
}

/// Whether a clause can give several results.
fn is_plural(clause: &ClauseCode<'_>) -> bool {
    let iterates = |step: &Step<'_>| matches!(step, Step::Each { .. } | Step::Tree { .. });
    !clause.constant && clause.code.steps.iter().any(iterates)
}
