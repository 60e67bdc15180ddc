//! Rules and functions: which clauses run, what their results make together, and what is a conflict.

use super::calls::Question;
use super::documents::index;
use super::scene::{By, Known, Replaced};
use super::{Cause, Machine};
use crate::rego::compile::code::{ClauseCode, RuleCode, RuleId, RuleKind};
use crate::rego::front::rules::shown_path;
use crate::value::Value;
use std::collections::BTreeMap;

impl<'a> Machine<'a, '_> {
    /// The document of a rule, evaluated once.
    pub(super) fn document(&mut self, id: RuleId) -> Option<Value<'a>> {
        match self.scene.known.get(id as usize)? {
            Known::Is(value) => return *value,
            Known::Running => return self.fail(Cause::Conflict("a rule needs its own result".into()), None),
            Known::Unsure => {
                self.unsure += 1;
                return None;
            }
            Known::Unknown => {}
        }
        let rule = self.code.rules.get(id as usize)?;
        if !self.scene.targets.is_empty() && self.scene.replaces(&rule.path) {
            return self.stored(&rule.path);
        }
        if !self.tick() {
            return None;
        }
        self.know(id, Known::Running);
        let unsure = self.unsure;
        let value = if self.watched {
            self.told(id, &[], |machine| machine.evaluated(id, rule))
        } else {
            self.evaluated(id, rule)
        };
        if self.unsure != unsure {
            self.know(id, Known::Unsure);
            return None;
        }
        self.know(id, if self.failure.is_some() { Known::Unknown } else { Known::Is(value) });
        value
    }

    fn evaluated(&mut self, id: RuleId, rule: &'a RuleCode<'a>) -> Option<Value<'a>> {
        match rule.kind {
            RuleKind::Complete => {
                let value = self.complete(rule, &[]);
                self.doubted(id, &[], value)
            }
            RuleKind::Set => Some(self.set_of(rule)),
            RuleKind::Pairs => self.pairs_of(rule),
            RuleKind::Object => self.object_of(rule, &[]),
            RuleKind::Function => None,
        }
    }

    fn know(&mut self, id: RuleId, known: Known<'a>) {
        if let Some(slot) = self.scene.known.get_mut(id as usize) {
            *slot = known;
        }
    }

    /// A function's value for arguments.
    pub(super) fn call(&mut self, id: RuleId, args: &[Value<'a>]) -> Option<Value<'a>> {
        if !self.tick() {
            return None;
        }
        if !self.scene.mocks.is_empty()
            && let Some(by) = self.mock(Replaced::Rule(id))
        {
            return self.mocked(by, args);
        }
        let rule = self.code.rules.get(id as usize)?;
        if let Some(whole) = rule.whole
            && self.is_whole(rule, whole)
        {
            let whole = self.document(whole)?;
            return args.iter().try_fold(whole, |value, key| index(value, *key));
        }
        if self.watched {
            return self.told(id, args, |machine| machine.given(id, rule, args));
        }
        if !rule.remember || !self.saved.is_empty() || self.observer.is_some() {
            return self.given(id, rule, args);
        }
        let Some(question) = Question::new(id, args) else { return self.given(id, rule, args) };
        if let Some(known) = self.calls.recall(&question) {
            return known;
        }
        let unsure = self.unsure;
        let value = self.given(id, rule, args);
        if self.failure.is_none() && self.unsure == unsure {
            self.calls.remember(question, value);
        }
        value
    }

    /// Whether a document is there as a whole: was evaluated, or is replaced.
    fn is_whole(&self, rule: &RuleCode<'a>, whole: RuleId) -> bool {
        matches!(self.scene.known.get(whole as usize), Some(Known::Is(_)))
            || (!self.scene.targets.is_empty() && self.scene.replaces(&rule.path))
    }

    /// What stands for a function now.
    pub(super) fn mock(&self, of: Replaced) -> Option<By<'a>> {
        let is = |known: &Replaced| match (known, of) {
            (Replaced::Rule(known), Replaced::Rule(of)) => *known == of,
            (Replaced::Builtin(known), Replaced::Builtin(of)) => *known == of,
            _ => false,
        };
        self.scene.mocks.iter().rev().find(|(known, _)| is(known)).map(|(_, by)| *by)
    }

    /// Calls what stands for a function; within it no function is replaced.
    pub(super) fn mocked(&mut self, by: By<'a>, args: &[Value<'a>]) -> Option<Value<'a>> {
        match by {
            By::Value(value) => Some(value),
            By::Document(id) => self.document(id),
            By::Rule(id) => {
                let mocks = std::mem::take(&mut self.scene.mocks);
                let value = self.call(id, args);
                self.scene.mocks = mocks;
                value
            }
            By::Builtin(builtin) => {
                let mocks = std::mem::take(&mut self.scene.mocks);
                let value = self.call_builtin(builtin, args);
                self.scene.mocks = mocks;
                value
            }
        }
    }

    /// What a function gives, or an object below some keys.
    fn given(&mut self, id: RuleId, rule: &'a RuleCode<'a>, args: &[Value<'a>]) -> Option<Value<'a>> {
        if rule.kind == RuleKind::Object {
            return self.object_of(rule, args);
        }
        if !self.settled.is_empty()
            && let Some(value) = self.settled(id, args)
        {
            return Some(value);
        }
        let value = self.complete(rule, args);
        self.doubted(id, args, value)
    }

    /// The document of a rule without arguments is this for the rest of the evaluation.
    pub(super) fn know_complete(&mut self, id: RuleId, value: Value<'a>) {
        if self.code.rules.get(id as usize).is_some_and(|rule| rule.kind == RuleKind::Complete) {
            self.know(id, Known::Is(Some(value)));
        }
    }

    fn complete(&mut self, rule: &'a RuleCode<'a>, args: &[Value<'a>]) -> Option<Value<'a>> {
        let mut value = None;
        let unsure = self.unsure;
        match &rule.dispatch {
            _ if rule.index.is_some() => {
                if !self.indexed(rule, args, &mut value) {
                    return value;
                }
            }
            Some(dispatch) => {
                let arg = args.get(dispatch.argument)?;
                for at in dispatch.by_value.get(arg).unwrap_or(&dispatch.others) {
                    let clauses = rule.clauses.get(*at as usize)?;
                    if !self.clauses(rule, clauses, args, &mut value) {
                        return value;
                    }
                }
            }
            None => {
                for clauses in &rule.clauses {
                    if !self.clauses(rule, clauses, args, &mut value) {
                        return value;
                    }
                }
            }
        }
        if value.is_none()
            && self.unsure == unsure
            && let Some(default) = &rule.default
        {
            let start = self.results.len();
            self.frame(default, args, true);
            value = self.results.get(start).copied();
            self.results.truncate(start);
        }
        value
    }

    /// One body and its `else`s; false: nothing else need be tried.
    fn clauses(
        &mut self,
        rule: &'a RuleCode<'a>,
        clauses: &'a [ClauseCode<'a>],
        args: &[Value<'a>],
        value: &mut Option<Value<'a>>,
    ) -> bool {
        let start = self.results.len();
        let unsure = self.unsure;
        for clause in clauses {
            self.frame(clause, args, clause.constant);
            match self.outcome_of(rule, clause, start, value) {
                Some(true) => return !rule.same,
                Some(false) if self.unsure != unsure => return true,
                Some(false) => {}
                None => return false,
            }
        }
        true
    }

    /// Takes the results of a clause from the stack: whether there are any; `None` if the evaluation has failed, also
    /// by two that differ.
    pub(super) fn outcome_of(
        &mut self,
        rule: &'a RuleCode<'a>,
        clause: &'a ClauseCode<'a>,
        start: usize,
        value: &mut Option<Value<'a>>,
    ) -> Option<bool> {
        if self.failure.is_some() {
            *value = None;
            self.results.truncate(start);
            return None;
        }
        if self.results.len() == start {
            return Some(false);
        }
        let mut same = true;
        let mut first = true;
        for (nth, found) in self.results.get(start..).unwrap_or_default().iter().enumerate() {
            match value {
                None => *value = Some(*found),
                Some(known) if known == found => {}
                Some(_) => (same, first) = (false, first && nth > 0),
            }
        }
        self.results.truncate(start);
        let agrees = same || (first && self.put_aside(clause, &conflict_of(rule), clause.place));
        if !agrees {
            *value = None;
            self.fail::<()>(Cause::Conflict(conflict_of(rule)), Some(clause.place));
            return None;
        }
        Some(true)
    }

    /// Runs all clauses; their results are on top of the stack from the given place on.
    fn all(&mut self, rule: &'a RuleCode<'a>, args: &[Value<'a>]) -> usize {
        let start = self.results.len();
        if let Some(index) = &rule.index {
            self.all_indexed(rule, index, args);
            return start;
        }
        for clauses in &rule.clauses {
            let before = (self.results.len(), self.unsure);
            for clause in clauses {
                self.frame(clause, args, clause.constant && rule.kind == RuleKind::Set);
                if self.failure.is_some() || (self.results.len(), self.unsure) != before {
                    break;
                }
            }
        }
        start
    }

    fn set_of(&mut self, rule: &'a RuleCode<'a>) -> Value<'a> {
        let start = self.all(rule, &[]);
        self.set_from(start)
    }

    fn pairs_of(&mut self, rule: &'a RuleCode<'a>) -> Option<Value<'a>> {
        let start = self.all(rule, &[]);
        let value = self.pairs_from(start);
        if value.is_none() && self.failure.is_none() {
            self.fail::<()>(Cause::Conflict(conflict_of(rule)), Some(rule.place));
        }
        value
    }

    /// Keys, then the leaf, below each other; a leaf is a value, or the elements of a set. Below some keys it is
    /// undefined where there is nothing.
    fn object_of(&mut self, rule: &'a RuleCode<'a>, args: &[Value<'a>]) -> Option<Value<'a>> {
        let start = self.all(rule, args);
        let mut root = None;
        let mut fits = true;
        for item in self.results.get(start..).unwrap_or_default() {
            let Value::Array([Value::Bool(element), keys @ .., leaf]) = item else { continue };
            fits = fits && grow(&mut root, keys, *leaf, *element);
        }
        self.results.truncate(start);
        if self.failure.is_some() {
            return None;
        }
        if !fits {
            self.fail::<()>(Cause::Conflict(conflict_of(rule)), Some(rule.place));
            return None;
        }
        match root {
            None if args.is_empty() => Some(Value::EMPTY),
            None => None,
            Some(root) => Some(self.built(root)),
        }
    }

    fn built(&self, growth: Growth<'a>) -> Value<'a> {
        match growth {
            Growth::Leaf(value) => value,
            Growth::Elements(items) => Value::set(&self.arena, items),
            Growth::Branch(below) => {
                let pairs = below.into_iter().filter_map(|(key, growth)| Some((key, self.built(growth?))));
                Value::object(&self.arena, pairs.collect())
            }
        }
    }
}

/// What is told of two values that a rule gives for one thing.
#[cold]
fn conflict_of(rule: &RuleCode<'_>) -> String {
    let name = shown_path(&rule.path);
    match rule.kind {
        RuleKind::Complete => format!("eval_conflict_error: rule {name} produced conflicting values"),
        RuleKind::Function if rule.whole.is_none() => {
            format!("eval_conflict_error: function {name} produced conflicting values for the same inputs")
        }
        _ => "eval_conflict_error: object keys must be unique".to_owned(),
    }
}

/// An object that grows by paths.
enum Growth<'a> {
    Leaf(Value<'a>),
    Elements(Vec<Value<'a>>),
    Branch(BTreeMap<Value<'a>, Option<Growth<'a>>>),
}

/// Adds a leaf; false if something else is there.
fn grow<'a>(place: &mut Option<Growth<'a>>, keys: &[Value<'a>], leaf: Value<'a>, element: bool) -> bool {
    if let Some((key, rest)) = keys.split_first() {
        return match place.get_or_insert_with(|| Growth::Branch(BTreeMap::new())) {
            Growth::Branch(below) => grow(below.entry(*key).or_default(), rest, leaf, element),
            _ => false,
        };
    }
    match place {
        None if element => *place = Some(Growth::Elements(vec![leaf])),
        None => *place = Some(Growth::Leaf(leaf)),
        Some(Growth::Elements(items)) if element => items.push(leaf),
        Some(Growth::Leaf(known)) if !element => return *known == leaf,
        Some(_) => return false,
    }
    true
}
