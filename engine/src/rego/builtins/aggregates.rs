//! `count` and its like: one answer about a whole collection.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::value::Value;

const COUNTABLE: Type = Type::OneOf(&[Type::String, Type::ARRAY, Type::OBJECT, Type::SET]);

pub(super) const TABLE: &[Builtin] = &[function("count", &[COUNTABLE], Type::Number, count)];

fn count<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let value = operand::at(arguments, 1);
    let count = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Set(set) => set.len(),
        Value::Object(object) => object.len(),
        Value::Map(map) => map.len(),
        _ => return Err(BuiltinError::expected(1, &["array", "object", "set", "string"], value)),
    };
    Ok(Some(call.count(count)))
}
