//! What an evaluation tells its observer: which lines ran, and, for a story, every step with the values that it sees.
//!
//! Nothing here is come to without an observer that asked for it.

use super::Machine;
use crate::rego::compile::code::{ClauseCode, Code, Pattern, RuleId, Slot, Step, X};
use crate::rego::trace::{Follows, Recorder, Seen, Spot, Words};
use crate::value::Value;

impl<'a> Machine<'a, '_> {
    /// A step begins.
    #[cold]
    pub(super) fn watch(&mut self, code: &'a Code<'a>, at: usize) {
        if let (Some(observer), Some(place)) = (&mut self.observer, code.places.get(at)) {
            observer.step(*place);
        }
        self.tell(|machine, recorder| machine.step(recorder, code, at));
    }

    /// Has the recorder, if there is one, told something.
    fn tell(&mut self, tell: impl FnOnce(&Self, &mut Recorder)) {
        let recorder = self.observer.as_mut().and_then(|observer| observer.recorder.take());
        if let Some(mut recorder) = recorder {
            tell(self, &mut recorder);
            if let Some(observer) = &mut self.observer {
                observer.recorder = Some(recorder);
            }
        }
    }

    /// A rule or function is evaluated; what it gives is told too.
    #[cold]
    pub(super) fn told(
        &mut self,
        id: RuleId,
        args: &[Value<'a>],
        evaluate: impl FnOnce(&mut Self) -> Option<Value<'a>>,
    ) -> Option<Value<'a>> {
        let rule = self.code.rules.get(id as usize)?;
        self.tell(|_, recorder| recorder.rule_begins(&rule.path, args));
        let value = evaluate(self);
        let clauses = rule.clauses.iter().flatten().map(|clause| clause.place);
        self.tell(|machine, recorder| recorder.rule_ends(value, machine.failure.is_some(), clauses));
        value
    }

    #[cold]
    pub(super) fn clause_begins(&mut self, clause: &'a ClauseCode<'a>) {
        self.tell(|machine, recorder| {
            let names = clause.named.as_ref().map(|named| named.slots.as_slice()).unwrap_or_default();
            recorder.clause_begins(number(&clause.code), clause.place, machine.story_only, names);
        });
    }

    #[cold]
    pub(super) fn clause_ends(&mut self, held: bool) {
        self.tell(|_, recorder| recorder.clause_ends(held));
    }

    /// A builtin gave a value.
    #[cold]
    pub(super) fn made(&mut self, of: &[Value<'a>], value: Option<Value<'a>>) {
        if let Some(value) = value {
            self.tell(|_, recorder| recorder.privacy.made(of, value));
        }
    }

    /// A clause that the rule index left out: it is gone through for the story, and nothing comes of it.
    #[cold]
    pub(super) fn left_out(&mut self, clause: &'a ClauseCode<'a>, args: &[Value<'a>]) {
        if self.observer.as_ref().is_none_or(|observer| observer.recorder.is_none()) {
            return;
        }
        let (start, unsure, wanted) = (self.results.len(), self.unsure, self.wanted.len());
        let (failure, aside, doubt) = (self.failure.take(), self.aside.take(), self.doubt.take());
        let (settled, stop, held) = (self.settled.len(), self.stop, self.held);
        let spent = self.gauge.at();
        let story_only = std::mem::replace(&mut self.story_only, true);
        self.frame(clause, args, true);
        self.story_only = story_only;
        self.gauge.back_to(spent);
        self.results.truncate(start);
        self.wanted.truncate(wanted);
        self.settled.truncate(settled);
        (self.unsure, self.stop, self.held) = (unsure, stop, held);
        (self.failure, self.aside, self.doubt) = (failure, aside, doubt);
    }

    // ---- steps

    fn step(&self, recorder: &mut Recorder, code: &'a Code<'a>, at: usize) {
        let Some(follows) = recorder.arrive(Spot { code: number(code), at }) else { return };
        match follows {
            Follows::Nothing => {}
            Follows::Step(before) | Follows::Again(before) => self.held_before(recorder, code, before),
        }
        if let Some(step) = code.steps.get(at) {
            self.begins(recorder, step);
        }
    }

    /// What a step that held has bound.
    fn held_before(&self, recorder: &mut Recorder, code: &'a Code<'a>, before: usize) {
        let Some(step) = code.steps.get(before) else { return };
        let mut slots = Vec::new();
        match step {
            Step::Bind(slot, x) => {
                let text = Words { code: self.code, names: recorder }.of(x);
                let known = recorder.label(*slot);
                let named = known.is_some_and(|known| known != text);
                if known.is_none() {
                    recorder.call_it(*slot, text);
                }
                // What a comparison gave is said by the expression; what is written there need not be repeated.
                let is_told = match x {
                    X::Compare(..) | X::Member(_) | X::Constant(_) => named,
                    X::Slot(_) => named,
                    _ => true,
                };
                if is_told {
                    slots.push(*slot);
                }
            }
            Step::Match(_, pattern) => bound_by(pattern, &mut slots),
            Step::Each { key, value, .. } => {
                bound_by(key, &mut slots);
                bound_by(value, &mut slots);
                for slot in &slots {
                    if recorder.label(*slot).is_none() {
                        recorder.call_it(*slot, "a member".to_owned());
                    }
                }
                let seen = self.seen(recorder, &slots);
                return recorder.way(before, seen);
            }
            Step::Tree { value, .. } => {
                bound_by(value, &mut slots);
                let seen = self.seen(recorder, &slots);
                return recorder.way(before, seen);
            }
            _ => {}
        }
        let seen = self.seen(recorder, &slots);
        recorder.bound(seen);
    }

    fn begins(&self, recorder: &mut Recorder, step: &'a Step<'a>) {
        let words = Words { code: self.code, names: recorder };
        let mut slots = Vec::new();
        let why = match step {
            Step::Mark(mark) => return recorder.mark(*mark),
            Step::Yes | Step::Emit(_) | Step::EmitPair(..) | Step::Put { .. } => {
                return recorder.end("what it would give is undefined".to_owned());
            }
            // It was bound in the step before, and told there.
            Step::Test(x) => format!("{} is false", words.of(x)),
            Step::Bind(_, x) => {
                uses(x, &mut slots);
                match x {
                    X::Undefined => "it is never defined".to_owned(),
                    x => format!("{} is undefined", words.of(x)),
                }
            }
            Step::Equal(left, right) => {
                uses(left, &mut slots);
                uses(right, &mut slots);
                format!("{} is not {}", words.of(left), words.of(right))
            }
            Step::Match(x, _) => {
                uses(x, &mut slots);
                format!("{} does not look like that", words.of(x))
            }
            Step::Each { over, .. } => {
                uses(over, &mut slots);
                let of = words.of(over);
                match self.peek(over) {
                    None => format!("{of} is undefined"),
                    Some(Value::Array([])) => format!("{of} is empty"),
                    Some(Value::Set(set)) if set.is_empty() => format!("{of} is empty"),
                    Some(value @ (Value::Object(_) | Value::Map(_)))
                        if value.entries().is_none_or(|mut entries| entries.next().is_none()) =>
                    {
                        format!("{of} is empty")
                    }
                    Some(Value::Array(_) | Value::Set(_) | Value::Object(_) | Value::Map(_)) => {
                        format!("no member of {of} fits")
                    }
                    Some(other) => format!("{of} is a {}, which has no members", other.type_name()),
                }
            }
            Step::Tree { .. } => "nothing there fits".to_owned(),
            Step::Not(_) => "what must not hold holds".to_owned(),
            Step::Holds(_) => "one side does not hold".to_owned(),
            Step::Either(_) => "neither side holds".to_owned(),
            Step::Every(every) => {
                uses(&every.domain, &mut slots);
                match self.peek(&every.domain) {
                    None => format!("{} is undefined", words.of(&every.domain)),
                    Some(_) => format!("it does not hold for every member of {}", words.of(&every.domain)),
                }
            }
            Step::With(_) => "what stands behind `with` is undefined".to_owned(),
            Step::Fail => "it never holds".to_owned(),
            Step::EndWith | Step::Print(_) => return,
        };
        let seen = self.seen(recorder, &slots);
        recorder.step(why, seen);
    }

    /// The values of slots, by what people call them.
    fn seen(&self, recorder: &Recorder, slots: &[Slot]) -> Vec<Seen> {
        let seen = |slot: &Slot| {
            let name = recorder.label(*slot)?.to_owned();
            Some(Seen { name, value: recorder.shown(self.slot(*slot)?) })
        };
        slots.iter().filter_map(seen).collect()
    }

    /// The value of something that costs nothing.
    fn peek(&self, x: &X<'a>) -> Option<Value<'a>> {
        match x {
            X::Slot(slot) => self.slot(*slot),
            X::Constant(value) => Some(*value),
            _ => None,
        }
    }
}

/// Tells pieces of code apart: a clause's own, and what stands in it.
fn number(code: &Code<'_>) -> usize {
    std::ptr::from_ref(code).addr()
}

/// The slots that a pattern binds.
fn bound_by(pattern: &Pattern<'_>, slots: &mut Vec<Slot>) {
    match pattern {
        Pattern::Bind(slot) => slots.push(*slot),
        Pattern::Array(items) => items.iter().for_each(|item| bound_by(item, slots)),
        Pattern::Object(pairs) => pairs.iter().for_each(|(_, item)| bound_by(item, slots)),
        Pattern::Any | Pattern::Equal(_) => {}
    }
}

/// The slots that an expression looks at.
fn uses(x: &X<'_>, slots: &mut Vec<Slot>) {
    match x {
        X::Slot(slot) => slots.push(*slot),
        X::Path(x, _) => uses(x, slots),
        X::Index(sides) | X::Compare(_, sides) | X::Member(sides) => {
            uses(&sides.0, slots);
            uses(&sides.1, slots);
        }
        X::Call(_, items) | X::Builtin(_, items) | X::Array(items) | X::Set(items) => {
            items.iter().for_each(|item| uses(item, slots));
        }
        X::Prepared(prepared) => prepared.args.iter().for_each(|item| uses(item, slots)),
        X::Object(pairs) => pairs.iter().for_each(|(key, value)| {
            uses(key, slots);
            uses(value, slots);
        }),
        // What is found below a variable is told by itself.
        X::SlotPath(..) => {}
        X::Constant(_) | X::Undefined | X::Input | X::InputPath(_) | X::Rule(_) | X::Node(_) | X::Base(_) => {
        }
        X::ArrayOf(_) | X::SetOf(_) | X::ObjectOf(_) => {}
    }
}
