//! What functions gave for arguments: a policy asks `is_exempt(container)` once in each of its rules.
//!
//! Arguments are told by where they lie, not by what they are: two that lie at one place are one value, and to find
//! that out costs nothing. A function is pure but for the documents that it reads, so what it gave holds until a
//! `with` shows it others.

use super::workspace::emptied;
use crate::rego::compile::code::RuleId;
use crate::value::{Number, Value};

/// Calls that are remembered; a power of two. A call takes the place of another that falls on the same one.
const PLACES: usize = 64;

/// Arguments that a function may have to be remembered.
pub(crate) const MAX_ARGUMENTS: usize = 2;

/// Where an argument lies, and how much of it there is.
type Identity = (usize, usize);

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    rule: RuleId,
    arguments: [Identity; MAX_ARGUMENTS],
}

/// The calls of one evaluation, and what they gave.
#[derive(Debug, Default)]
pub(super) struct Calls<'a> {
    places: Vec<Option<(Question, Option<Value<'a>>)>>,
}

impl Question {
    /// A function asked for a value; `None` if it has too many arguments.
    pub(super) fn new(rule: RuleId, arguments: &[Value<'_>]) -> Option<Self> {
        let mut places = [(0, 0); MAX_ARGUMENTS];
        if arguments.len() > MAX_ARGUMENTS {
            return None;
        }
        places.iter_mut().zip(arguments).for_each(|(place, argument)| *place = identity(*argument));
        Some(Self { rule, arguments: places })
    }

    fn place(&self) -> usize {
        let mut hash = self.rule as usize;
        for (at, length) in self.arguments {
            hash = hash.wrapping_mul(31) ^ (at >> 3) ^ (at >> 9) ^ length;
        }
        hash % PLACES
    }
}

impl<'a> Calls<'a> {
    /// What the call gave: a value, or undefined; `None` if it is not known.
    #[expect(clippy::option_option, reason = "unknown, and undefined, are different answers")]
    pub(super) fn recall(&self, question: &Question) -> Option<Option<Value<'a>>> {
        let (known, value) = self.places.get(question.place())?.as_ref()?;
        (known == question).then_some(*value)
    }

    pub(super) fn remember(&mut self, question: Question, value: Option<Value<'a>>) {
        if self.places.is_empty() {
            self.places.resize(PLACES, None);
        }
        if let Some(place) = self.places.get_mut(question.place()) {
            *place = Some((question, value));
        }
    }

    /// Its memory, for another evaluation.
    pub(super) fn emptied<'b>(self) -> Calls<'b> {
        Calls { places: emptied(self.places) }
    }
}

/// Two values of one identity are equal: they are one number, or lie at one place. Values of other identities may be
/// equal too.
fn identity(value: Value<'_>) -> Identity {
    let (kind, at, length) = match value {
        Value::Null => (0, 0, 0),
        Value::Bool(value) => (1, usize::from(value), 0),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "all 64 bits are kept")]
        Value::Number(Number::Int(value)) => (2, value as u32 as usize, (value >> 32) as u32 as usize),
        Value::Number(Number::Text(text)) => (3, text.as_ptr().addr(), text.len()),
        Value::String(text) => (4, text.as_ptr().addr(), text.len()),
        Value::Array(items) => (5, items.as_ptr().addr(), items.len()),
        Value::Object(object) => (6, object.members().as_ptr().addr(), object.len()),
        Value::Map(map) => (7, map.pairs().as_ptr().addr(), map.len()),
        Value::Set(set) => (8, set.items().as_ptr().addr(), set.len()),
    };
    (at, length << 4 | kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_identity_are_equal() {
        let (text, items) = ("abcabc", [Value::Null, Value::Null]);
        let values = [
            Value::Null,
            Value::Bool(false),
            Value::Bool(true),
            Value::int(0),
            Value::int(1),
            Value::int(-1),
            Value::int(1 << 35),
            Value::int(i64::MIN),
            Value::String(""),
            Value::String(&text[..3]),
            Value::String(&text[3..]),
            Value::String(text),
            Value::Array(&items),
            Value::Array(&items[..1]),
            Value::EMPTY_ARRAY,
            Value::EMPTY,
            Value::EMPTY_SET,
        ];
        for left in values {
            for right in values {
                assert!(identity(left) != identity(right) || left == right, "{left} and {right}");
            }
            assert_eq!(identity(left), identity(left));
        }
    }

    #[test]
    fn a_call_is_known_until_another_takes_its_place() {
        let mut calls = Calls::default();
        let question = |rule, value| Question::new(rule, &[Value::int(value)]).unwrap();
        assert_eq!(calls.recall(&question(1, 1)), None);
        calls.remember(question(1, 1), None);
        assert_eq!(calls.recall(&question(1, 1)), Some(None));
        assert_eq!(calls.recall(&question(2, 1)), None);
        assert_eq!(calls.recall(&question(1, 2)), None);
        for value in 0..1000 {
            calls.remember(question(1, value), Some(Value::int(value)));
            assert_eq!(calls.recall(&question(1, value)), Some(Some(Value::int(value))));
        }
        assert_eq!(Question::new(1, &[Value::Null; 3]), None);
    }
}
