//! Steps: what holds goes on, what can hold several times goes on several times.

use super::scene::{By, Replaced, Scene, put};
use super::{Cause, Machine};
use crate::rego::compile::code::{Code, EveryCode, Mock, Mocked, Pattern, Replacement, Step, X};
use crate::rego::place::Place;
use crate::rego::text::write_term;
use crate::value::Value;

impl<'a> Machine<'a, '_> {
    /// Runs the steps of `code` from `at` on; true: nothing else need be tried, because one success was enough or
    /// the evaluation has failed.
    pub(super) fn run(&mut self, code: &'a Code<'a>, mut at: usize, first: bool) -> bool {
        while let Some(step) = code.steps.get(at) {
            if self.watched {
                self.watch(code, at);
            }
            match step {
                Step::Test(x) => match self.x(x) {
                    Some(Value::Bool(false)) | None => return self.not(code, at, first),
                    Some(_) => {}
                },
                Step::Bind(slot, x) => match self.x(x) {
                    Some(value) => self.set(*slot, value),
                    None => return self.not(code, at, first),
                },
                Step::Equal(left, right) => {
                    // A comprehension waits until it is known what it has to be equal to.
                    let swap = left.is_comprehension() && !right.is_comprehension();
                    let (known, other) = if swap { (right, left) } else { (left, right) };
                    match self.x(known) {
                        Some(value) if self.equals(other, value) => {}
                        _ => return self.not(code, at, first),
                    }
                }
                Step::Match(x, pattern) => match self.x(x) {
                    Some(value) if self.matches(pattern, value) => {}
                    _ => return self.not(code, at, first),
                },
                Step::Each { over, key, value, cut } => {
                    return self.each(over, key, value, *cut, (code, at, first));
                }
                Step::Tree { node, operands, value } => {
                    return self.below(*node, operands, value, (code, at, first));
                }
                Step::Not(body) => {
                    let unsure = self.unsure;
                    let holds = if body.whole { self.held(body) } else { self.run(body, 0, true) };
                    if holds || self.failure.is_some() || self.unsure != unsure {
                        return self.no(code, at);
                    }
                }
                Step::Holds(body) => {
                    if !self.run(body, 0, true) || self.failure.is_some() {
                        return self.no(code, at);
                    }
                }
                Step::Either(bodies) => {
                    let either = self.run(&bodies.0, 0, true) || self.run(&bodies.1, 0, true);
                    if !either || self.failure.is_some() {
                        return self.no(code, at);
                    }
                }
                Step::Every(every) => {
                    if !self.every(every) {
                        return self.not(code, at, first);
                    }
                }
                Step::With(replacements) => return self.with(replacements, (code, at, first)),
                Step::EndWith => return self.end_with(code, at, first),
                Step::Print(items) => self.print(items, code.places.get(at).copied().unwrap_or_default()),
                Step::Fail => return false,
                Step::Mark(id) => self.code.marks.reach(*id),
                Step::Yes => {
                    self.held |= !first;
                    return first;
                }
                Step::Emit(x) => {
                    let Some(value) = self.x(x) else { return self.not(code, at, false) };
                    self.results.push(value);
                    return first;
                }
                Step::EmitPair(key, x) => {
                    let Some(key) = self.x(key) else { return self.not(code, at, false) };
                    let Some(value) = self.x(x) else { return self.not(code, at, false) };
                    self.results.extend([key, value]);
                    return first;
                }
                Step::Put { keys, leaf, element } => {
                    let Some(value) = self.put(keys, leaf, *element) else {
                        return self.not(code, at, false);
                    };
                    self.results.push(value);
                    return first;
                }
            }
            at += 1;
        }
        false
    }

    /// A step that may have asked a rule does not hold; true if nothing else need be tried.
    #[inline]
    fn not(&mut self, code: &'a Code<'a>, at: usize, first: bool) -> bool {
        if self.failure.is_none() {
            return false;
        }
        if first && self.regardless(code, at) {
            return true;
        }
        self.doubt = None;
        self.no(code, at)
    }

    /// Whether a body holds in some way, gone through to the end.
    fn held(&mut self, body: &'a Code<'a>) -> bool {
        let outer = std::mem::take(&mut self.held);
        self.run(body, 0, false);
        std::mem::replace(&mut self.held, outer)
    }

    fn put(&mut self, keys: &'a [X<'a>], leaf: &'a X<'a>, element: bool) -> Option<Value<'a>> {
        let mut items = Vec::with_capacity(keys.len() + 2);
        items.push(Value::Bool(element));
        for key in keys {
            items.push(self.x(key)?);
        }
        items.push(self.x(leaf)?);
        Some(Value::Array(self.arena.alloc_slice_copy(&items)))
    }

    fn each(
        &mut self,
        over: &'a X<'a>,
        key: &'a Pattern<'a>,
        value: &'a Pattern<'a>,
        cut: bool,
        then: (&'a Code<'a>, usize, bool),
    ) -> bool {
        let Some(collection) = self.x(over) else { return self.not(then.0, then.1, then.2) };
        match collection {
            Value::Array(items) => {
                for (at, item) in (0_i64..).zip(items) {
                    if self.member(key, value, (Value::int(at), *item), cut, then) {
                        return self.ends(cut);
                    }
                }
            }
            Value::Object(object) => {
                for (name, item) in object.members() {
                    if self.member(key, value, (Value::String(name), *item), cut, then) {
                        return self.ends(cut);
                    }
                }
            }
            Value::Map(map) => {
                for (name, item) in map.pairs() {
                    if self.member(key, value, (*name, *item), cut, then) {
                        return self.ends(cut);
                    }
                }
            }
            Value::Set(set) => {
                // A set has what is looked for or not: nothing to go through.
                if let (Pattern::Equal(wanted), _) | (_, Pattern::Equal(wanted)) = (value, key) {
                    let Some(wanted) = self.x(wanted) else { return self.no(then.0, then.1) };
                    let Some(item) = set.find(wanted) else { return false };
                    return self.member(key, value, (item, item), cut, then) && self.ends(cut);
                }
                for item in set.items() {
                    if self.member(key, value, (*item, *item), cut, then) {
                        return self.ends(cut);
                    }
                }
            }
            _ => {}
        }
        false
    }

    /// What an iteration that was ended tells the one around it: whether that is to end too.
    #[inline]
    fn ends(&mut self, cut: bool) -> bool {
        if !cut || self.failure.is_some() {
            return true;
        }
        std::mem::take(&mut self.stop)
    }

    /// Goes on with one member; true: the iteration is to end.
    #[inline]
    fn member(
        &mut self,
        key: &'a Pattern<'a>,
        value: &'a Pattern<'a>,
        (name, item): (Value<'a>, Value<'a>),
        cut: bool,
        (code, at, first): (&'a Code<'a>, usize, bool),
    ) -> bool {
        if !self.tick() {
            return self.no(code, at);
        }
        if self.matches(key, name) && self.matches(value, item) {
            let before = self.results.len();
            let stop = self.run(code, at + 1, first);
            if cut && !stop {
                return self.results.len() > before;
            }
            if cut {
                self.stop = stop;
            }
            return stop;
        }
        self.no(code, at)
    }

    /// Whether an expression has this value. As in OPA, a comprehension that cannot have it is not evaluated, so that
    /// it does not fail either.
    #[inline]
    fn equals(&mut self, x: &'a X<'a>, value: Value<'a>) -> bool {
        match (x, value) {
            (X::ArrayOf(_), Value::Array(_) | Value::Set(_))
            | (X::ObjectOf(_), Value::Object(_) | Value::Map(_) | Value::Set(_))
            | (X::SetOf(_), Value::Set(_)) => {}
            (x, _) if x.is_comprehension() => return false,
            _ => {}
        }
        self.x(x).is_some_and(|wanted| wanted == value)
    }

    /// Whether a value looks as it must; binds slots.
    pub(super) fn matches(&mut self, pattern: &'a Pattern<'a>, value: Value<'a>) -> bool {
        match pattern {
            Pattern::Any => true,
            Pattern::Bind(slot) => {
                self.set(*slot, value);
                true
            }
            Pattern::Equal(x) => self.equals(x, value),
            Pattern::Array(patterns) => match value {
                Value::Array(items) if items.len() == patterns.len() => {
                    patterns.iter().zip(items).all(|(pattern, item)| self.matches(pattern, *item))
                }
                _ => false,
            },
            Pattern::Object(patterns) => {
                let Some(entries) = value.entries() else { return false };
                entries.len() == patterns.len()
                    && patterns.iter().all(|(key, pattern)| {
                        let item = self.x(key).and_then(|key| value.get_key(key));
                        item.is_some_and(|item| self.matches(pattern, item))
                    })
            }
        }
    }

    fn every(&mut self, every: &'a EveryCode<'a>) -> bool {
        let Some(domain) = self.x(&every.domain) else { return false };
        match domain {
            Value::Array(items) => {
                (0_i64..).zip(items).all(|(at, item)| self.holds_for(every, Value::int(at), *item))
            }
            Value::Object(object) => {
                object.members().iter().all(|(name, item)| self.holds_for(every, Value::String(name), *item))
            }
            Value::Map(map) => map.pairs().iter().all(|(name, item)| self.holds_for(every, *name, *item)),
            Value::Set(set) => set.items().iter().all(|item| self.holds_for(every, *item, *item)),
            _ => false,
        }
    }

    fn holds_for(&mut self, every: &'a EveryCode<'a>, key: Value<'a>, value: Value<'a>) -> bool {
        if let Some(slot) = every.key {
            self.set(slot, key);
        }
        self.set(every.value, value);
        self.tick() && self.run(&every.body, 0, true) && self.failure.is_none()
    }

    // ---- with

    fn with(
        &mut self,
        replacements: &'a [Replacement<'a>],
        (code, at, first): (&'a Code<'a>, usize, bool),
    ) -> bool {
        let mut scene = self.scene.afresh();
        for replacement in replacements {
            if self.replace(&mut scene, replacement).is_none() {
                return self.no(code, at);
            }
        }
        let outer = std::mem::replace(&mut self.scene, scene);
        self.saved.push(outer);
        let stop = self.run(code, at + 1, first);
        if let Some(outer) = self.saved.pop() {
            self.scene = outer;
        }
        stop
    }

    fn replace(&mut self, scene: &mut Scene<'a>, replacement: &'a Replacement<'a>) -> Option<()> {
        match replacement {
            Replacement::Input { path, value } => {
                let value = self.x(value)?;
                scene.input = Some(put(self.arena, scene.input, path, value));
            }
            Replacement::Data { path, value } => {
                let value = self.x(value)?;
                scene.over = Some(put(self.arena, scene.over, path, value));
                scene.targets.push(path);
            }
            Replacement::Function { of, by } => {
                let of = match of {
                    Mocked::Rule(id) => Replaced::Rule(*id),
                    Mocked::Builtin(builtin) => Replaced::Builtin(builtin.name),
                };
                let by = match by {
                    Mock::Rule(id) => By::Rule(*id),
                    Mock::Document(id) => By::Document(*id),
                    Mock::Builtin(builtin) => By::Builtin(builtin),
                    Mock::Value(x) => By::Value(self.x(x)?),
                };
                scene.mocks.push((of, by));
            }
        }
        Some(())
    }

    /// What follows sees the scene before; on the way back the other is there again.
    fn end_with(&mut self, code: &'a Code<'a>, at: usize, first: bool) -> bool {
        let Some(outer) = self.saved.pop() else { return self.run(code, at + 1, first) };
        let inner = std::mem::replace(&mut self.scene, outer);
        let stop = self.run(code, at + 1, first);
        let outer = std::mem::replace(&mut self.scene, inner);
        self.saved.push(outer);
        stop
    }

    // ---- watching

    /// One line for each combination of the operands' values.
    fn print(&mut self, items: &'a [X<'a>], place: Place) {
        if self.observer.is_none() {
            return;
        }
        let mut lines = vec![String::new()];
        for (at, item) in items.iter().enumerate() {
            let texts: Vec<String> = match self.x(item) {
                Some(Value::Set(set)) if set.is_empty() => vec!["<undefined>".to_owned()],
                Some(Value::Set(set)) => set.items().iter().map(|value| shown(*value)).collect(),
                Some(value) => vec![shown(value)],
                None => return,
            };
            if lines.len().saturating_mul(texts.len()) > 10_000 {
                let text = "print has too many combinations of values".to_owned();
                self.fail::<()>(Cause::Builtin(text), Some(place));
                return;
            }
            let separator = if at == 0 { "" } else { " " };
            lines = lines
                .iter()
                .flat_map(|line| texts.iter().map(move |text| format!("{line}{separator}{text}")))
                .collect();
        }
        if let Some(observer) = &mut self.observer {
            lines.into_iter().for_each(|line| observer.print(place, line));
        }
    }
}

/// A value as `print` writes it.
fn shown(value: Value<'_>) -> String {
    match value {
        Value::String(text) => text.to_owned(),
        other => {
            let mut text = String::new();
            write_term(&mut text, other);
            text
        }
    }
}
