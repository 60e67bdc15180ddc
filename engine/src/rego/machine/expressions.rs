//! Expressions: a tree in, a value or undefined out.

use super::documents::index;
use super::scene::Replaced;
use super::{Cause, Machine};
use crate::rego::builtins::{Builtin, sprintf};
use crate::rego::compile::code::{Code, Comparison, Prepared, RuleId, Tool, X};
use crate::value::{Object, Set, Value};

/// Members of an object that need no allocation while they are made.
const FEW: usize = 4;

impl<'a> Machine<'a, '_> {
    /// The value of an expression; `None`: undefined.
    #[inline]
    pub(super) fn x(&mut self, x: &'a X<'a>) -> Option<Value<'a>> {
        match x {
            X::Constant(value) => Some(*value),
            X::Slot(slot) => self.slot(*slot),
            X::InputPath(keys) => path(self.scene.input?, keys),
            X::SlotPath(slot, keys) => path(self.slot(*slot)?, keys),
            x => self.composed(x),
        }
    }

    /// The value of an expression that is made of others.
    fn composed(&mut self, x: &'a X<'a>) -> Option<Value<'a>> {
        match x {
            X::Constant(_) | X::Slot(_) | X::InputPath(_) | X::SlotPath(..) => self.x(x),
            X::Undefined => None,
            X::Input => self.scene.input,
            X::Path(x, keys) => path(self.x(x)?, keys),
            X::Index(sides) => {
                let (of, key) = (&sides.0, &sides.1);
                let value = self.x(of)?;
                index(value, self.x(key)?)
            }
            X::Rule(id) => self.document(*id),
            X::Node(id) => self.extent(*id),
            X::Base(path) => self.stored(path),
            X::Call(id, args) => self.call_with(*id, args),
            X::Builtin(builtin, args) => self.builtin_with(builtin, args),
            X::Compare(comparison, sides) => {
                let left = self.x(&sides.0)?;
                let right = self.x(&sides.1)?;
                Some(Value::Bool(compare(*comparison, left, right)))
            }
            X::Member(sides) => {
                let value = self.x(&sides.0)?;
                let collection = self.x(&sides.1)?;
                Some(Value::Bool(is_member(value, collection)))
            }
            X::Prepared(prepared) => self.prepared(prepared),
            X::Array(items) => self.array(items),
            X::Set(items) => self.set_literal(items),
            X::Object(pairs) => self.object(pairs),
            X::ArrayOf(code) => {
                let start = self.gather(code)?;
                let items = self.results.get(start..).unwrap_or_default();
                let value = Value::Array(self.arena.alloc_slice_copy(items));
                self.results.truncate(start);
                Some(value)
            }
            X::SetOf(code) => {
                let start = self.gather(code)?;
                Some(self.set_from(start))
            }
            X::ObjectOf(code) => {
                let start = self.gather(code)?;
                if let Some(value) = self.pairs_from(start) {
                    Some(value)
                } else {
                    let text = "eval_conflict_error: object keys must be unique".to_owned();
                    self.fail(Cause::Conflict(text), code.places.last().copied())
                }
            }
        }
    }

    /// Runs a comprehension; its results are on top of the stack from the given place on.
    fn gather(&mut self, code: &'a Code<'a>) -> Option<usize> {
        let start = self.results.len();
        let unsure = self.unsure;
        self.run(code, 0, false);
        if self.failure.is_some() || self.unsure != unsure {
            self.results.truncate(start);
            return None;
        }
        Some(start)
    }

    /// The set of the results from a place on, which are taken away.
    pub(super) fn set_from(&mut self, start: usize) -> Value<'a> {
        let items = self.results.get_mut(start..).unwrap_or_default();
        let value = set_of(self.arena, items);
        self.results.truncate(start);
        value
    }

    /// The object of the results from a place on, keys and values in turn, which are taken away; `None` if one key
    /// has two values.
    pub(super) fn pairs_from(&mut self, start: usize) -> Option<Value<'a>> {
        let items = self.results.get(start..).unwrap_or_default();
        let mut pairs: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(items.len() / 2);
        for pair in items.chunks_exact(2) {
            if let [key, value] = pair {
                pairs.push((*key, *value));
            }
        }
        self.results.truncate(start);
        pairs.sort_by(|left, right| left.0.compare(right.0));
        let clash = pairs.windows(2).any(|pair| match pair {
            [left, right] => left.0 == right.0 && left.1 != right.1,
            _ => false,
        });
        (!clash).then(|| Value::object(&self.arena, pairs))
    }

    fn array(&mut self, items: &'a [X<'a>]) -> Option<Value<'a>> {
        let start = self.push_all(items)?;
        let values = self.results.get(start..).unwrap_or_default();
        let value = Value::Array(self.arena.alloc_slice_copy(values));
        self.results.truncate(start);
        Some(value)
    }

    fn set_literal(&mut self, items: &'a [X<'a>]) -> Option<Value<'a>> {
        let start = self.push_all(items)?;
        Some(self.set_from(start))
    }

    /// Puts values on the stack of results; nothing stays there if one is undefined.
    fn push_all(&mut self, items: &'a [X<'a>]) -> Option<usize> {
        let start = self.results.len();
        for item in items {
            if let Some(value) = self.x(item) {
                self.results.push(value);
            } else {
                self.results.truncate(start);
                return None;
            }
        }
        Some(start)
    }

    fn object(&mut self, pairs: &'a [(X<'a>, X<'a>)]) -> Option<Value<'a>> {
        if let Some(members) = self.members(pairs) {
            return members;
        }
        let mut members: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let key = self.x(key)?;
            members.push((key, self.x(value)?));
        }
        Some(Value::object(&self.arena, members))
    }

    /// The usual literal: few keys, all of them constant strings in order. `None`: it is another.
    #[expect(clippy::option_option, reason = "another literal, and an undefined one, are different answers")]
    fn members(&mut self, pairs: &'a [(X<'a>, X<'a>)]) -> Option<Option<Value<'a>>> {
        let mut members = [("", Value::Null); FEW];
        if pairs.is_empty() || pairs.len() > FEW {
            return None;
        }
        let mut before: Option<&str> = None;
        for (key, _) in pairs {
            let X::Constant(Value::String(key)) = key else { return None };
            if before.is_some_and(|before| before >= *key) {
                return None;
            }
            before = Some(key);
        }
        for (member, (key, value)) in members.iter_mut().zip(pairs) {
            let X::Constant(Value::String(key)) = key else { return None };
            let Some(value) = self.x(value) else { return Some(None) };
            *member = (key, value);
        }
        let members = members.get(..pairs.len()).unwrap_or_default();
        Some(Some(Value::Object(Object::from_sorted(self.arena.alloc_slice_copy(members)))))
    }

    fn call_with(&mut self, id: RuleId, args: &'a [X<'a>]) -> Option<Value<'a>> {
        match args {
            [one] => {
                let args = [self.x(one)?];
                self.call(id, &args)
            }
            [one, two] => {
                let args = [self.x(one)?, self.x(two)?];
                self.call(id, &args)
            }
            _ => {
                let args = self.many(args)?;
                self.call(id, args)
            }
        }
    }

    fn builtin_with(&mut self, builtin: &'static Builtin, args: &'a [X<'a>]) -> Option<Value<'a>> {
        match args {
            [one] => {
                let args = [self.x(one)?];
                self.builtin_or_mock(builtin, &args)
            }
            [one, two] => {
                let args = [self.x(one)?, self.x(two)?];
                self.builtin_or_mock(builtin, &args)
            }
            [one, two, three] => {
                let args = [self.x(one)?, self.x(two)?, self.x(three)?];
                self.builtin_or_mock(builtin, &args)
            }
            _ => {
                let args = self.many(args)?;
                self.builtin_or_mock(builtin, args)
            }
        }
    }

    fn builtin_or_mock(&mut self, builtin: &'static Builtin, args: &[Value<'a>]) -> Option<Value<'a>> {
        if !self.scene.mocks.is_empty()
            && let Some(by) = self.mock(Replaced::Builtin(builtin.name))
        {
            return self.mocked(by, args);
        }
        self.call_builtin(builtin, args)
    }

    fn many(&mut self, args: &'a [X<'a>]) -> Option<&'a [Value<'a>]> {
        let start = self.push_all(args)?;
        let values: &'a [Value<'a>] =
            self.arena.alloc_slice_copy(self.results.get(start..).unwrap_or_default());
        self.results.truncate(start);
        Some(values)
    }

    fn prepared(&mut self, prepared: &'a Prepared<'a>) -> Option<Value<'a>> {
        match &prepared.tool {
            Tool::Regex(regex) => {
                let subject = prepared.args.get(1)?;
                match self.x(subject)? {
                    Value::String(text) => {
                        let outcome = crate::rego::builtins::Meter::spend(
                            &mut self.gauge,
                            1 + u64::try_from(text.len() / 64).unwrap_or(u64::MAX),
                        );
                        if let Err(limit) = outcome {
                            return self.fail(Cause::Limit(limit), None);
                        }
                        Some(Value::Bool(regex.is_match(text)))
                    }
                    // Not a string: the builtin's own words.
                    _ => self.builtin_with(prepared.builtin, &prepared.args),
                }
            }
            Tool::Format(format) => {
                let Value::Array(values) = self.x(prepared.args.get(1)?)? else {
                    return self.builtin_with(prepared.builtin, &prepared.args);
                };
                let value = self
                    .call_function(prepared.builtin, |call| sprintf::write(call, format, values).map(Some));
                if self.watched {
                    self.made(values, value);
                }
                value
            }
        }
    }
}

/// The member of objects in objects.
#[inline]
fn path<'a>(mut value: Value<'a>, keys: &[&str]) -> Option<Value<'a>> {
    for key in keys {
        value = match value {
            Value::Object(object) => object.get(key)?,
            Value::Set(set) => set.find(Value::String(key))?,
            Value::Map(map) => map.get(Value::String(key))?,
            _ => return None,
        };
    }
    Some(value)
}

/// The set of items that may be put in order where they lie.
fn set_of<'a>(arena: &'a bumpalo::Bump, items: &mut [Value<'a>]) -> Value<'a> {
    if items.is_empty() {
        return Value::EMPTY_SET;
    }
    if !items.is_sorted_by(|left, right| left.compare(*right).is_lt()) {
        items.sort_by(|left, right| left.compare(*right));
        let mut unique: Vec<Value<'a>> = items.to_vec();
        unique.dedup_by(|later, first| later == first);
        return Value::Set(Set::from_sorted(arena.alloc_slice_copy(&unique)));
    }
    Value::Set(Set::from_sorted(arena.alloc_slice_copy(items)))
}

#[inline]
fn compare(comparison: Comparison, left: Value<'_>, right: Value<'_>) -> bool {
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left.compare(right).is_lt(),
        Comparison::LessOrEqual => left.compare(right).is_le(),
        Comparison::Greater => left.compare(right).is_gt(),
        Comparison::GreaterOrEqual => left.compare(right).is_ge(),
    }
}

/// `value in collection`: a member of an array, an object's values, or a set.
fn is_member(value: Value<'_>, collection: Value<'_>) -> bool {
    match collection {
        Value::Array(items) => items.contains(&value),
        Value::Set(set) => set.contains(value),
        other => other.entries().into_iter().flatten().any(|(_, member)| member == value),
    }
}
