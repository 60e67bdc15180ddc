//! The one total order of values, which is OPA's: null, booleans, numbers, strings, arrays, objects, sets;
//! numbers by exact value, strings by bytes, arrays and sets item by item, objects key by key and value by value.

use super::Value;
use std::cmp::Ordering;

impl Value<'_> {
    /// Where this value stands to `other` in the total order.
    pub fn compare(self, other: Value<'_>) -> Ordering {
        match (self, other) {
            (Value::String(left), Value::String(right)) => super::bytes::compare(left, right),
            (Value::Number(left), Value::Number(right)) => left.compare(right),
            (Value::Bool(left), Value::Bool(right)) => left.cmp(&right),
            (Value::Array(left), Value::Array(right)) => compare_items(left, right),
            (Value::Set(left), Value::Set(right)) => compare_items(left.items(), right.items()),
            (Value::Object(left), Value::Object(right)) => {
                let (left, right) = (left.members(), right.members());
                for ((key, value), (other_key, other_value)) in left.iter().zip(right) {
                    let order = key.cmp(other_key).then_with(|| value.compare(*other_value));
                    if order.is_ne() {
                        return order;
                    }
                }
                left.len().cmp(&right.len())
            }
            _ => match (self.entries(), other.entries()) {
                (Some(left), Some(right)) => {
                    let lengths = left.len().cmp(&right.len());
                    left.zip(right)
                        .map(|(left, right)| left.0.compare(right.0).then_with(|| left.1.compare(right.1)))
                        .find(|order| order.is_ne())
                        .unwrap_or(lengths)
                }
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }

    fn rank(self) -> u8 {
        match self {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            Value::String(_) => 3,
            Value::Array(_) => 4,
            Value::Object(_) | Value::Map(_) => 5,
            Value::Set(_) => 6,
        }
    }
}

fn compare_items(left: &[Value<'_>], right: &[Value<'_>]) -> Ordering {
    for (left, right) in left.iter().zip(right) {
        let order = left.compare(*right);
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Value::String(left), Value::String(right)) => left == right,
            (Value::Array(left), Value::Array(right)) => left == right,
            (Value::Set(left), Value::Set(right)) => left.items() == right.items(),
            (Value::Object(left), Value::Object(right)) => left.members() == right.members(),
            (Value::Map(left), Value::Map(right)) => left.pairs() == right.pairs(),
            (left, right) => left.compare(right).is_eq(),
        }
    }
}

impl Eq for Value<'_> {}

impl PartialOrd for Value<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(*other)
    }
}

impl PartialEq for super::Object<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.members() == other.members()
    }
}

#[cfg(test)]
mod tests {
    use crate::value::{Number, Value};
    use bumpalo::Bump;

    #[test]
    fn types_and_values_stand_in_opas_order() {
        let bump = Bump::new();
        let arena = &&bump;
        let one = Value::int(1);
        let ascending = [
            Value::Null,
            Value::Bool(false),
            Value::Bool(true),
            Value::Number(Number::Text("-1e3")),
            one,
            Value::Number(Number::Text("1.000000000000000000001")),
            Value::String("a"),
            Value::EMPTY_ARRAY,
            Value::Array(&[Value::Null]),
            Value::EMPTY,
            Value::object(arena, vec![(one, Value::Null)]),
            Value::object(arena, vec![(one, Value::Null), (Value::String("a"), Value::Null)]),
            Value::object(arena, vec![(Value::String("a"), Value::Null)]),
            Value::EMPTY_SET,
            Value::set(arena, vec![one]),
        ];
        assert!(ascending.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn equal_items_and_keys_are_one() {
        let bump = Bump::new();
        let arena = &&bump;
        let (one, same) = (Value::Number(Number::Text("1.0")), Value::int(1));
        assert_eq!(Value::set(arena, vec![one, Value::Null, same]).to_string(), "[null,1.0]");
        let object = Value::object(arena, vec![(one, Value::Null), (same, Value::Bool(true))]);
        assert_eq!(object.to_string(), r#"{"1.0":true}"#);
        assert_eq!(object.get_key(same), Some(Value::Bool(true)));
    }
}
