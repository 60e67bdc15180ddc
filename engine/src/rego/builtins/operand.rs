//! Reading operands: the type asked for, or OPA's words about what came instead.

use super::BuiltinError;
use crate::rego::number;
use crate::value::{Entries, Number, Set, Value};
use num_bigint::BigInt;

type Read<T> = Result<T, BuiltinError>;

/// The operand at a 1-based position; `null` if the caller gave fewer (the compiler checks the count).
pub(super) fn at<'a>(arguments: &[Value<'a>], position: usize) -> Value<'a> {
    arguments.get(position.wrapping_sub(1)).copied().unwrap_or(Value::Null)
}

/// A string.
pub(super) fn string<'a>(arguments: &[Value<'a>], position: usize) -> Read<&'a str> {
    match at(arguments, position) {
        Value::String(text) => Ok(text),
        other => Err(BuiltinError::expected(position, &["string"], other)),
    }
}

/// A number.
pub(super) fn number<'a>(arguments: &[Value<'a>], position: usize) -> Read<Number<'a>> {
    match at(arguments, position) {
        Value::Number(number) => Ok(number),
        other => Err(BuiltinError::expected(position, &["number"], other)),
    }
}

/// An array.
pub(super) fn array<'a>(arguments: &[Value<'a>], position: usize) -> Read<&'a [Value<'a>]> {
    match at(arguments, position) {
        Value::Array(items) => Ok(items),
        other => Err(BuiltinError::expected(position, &["array"], other)),
    }
}

/// A set.
pub(super) fn set<'a>(arguments: &[Value<'a>], position: usize) -> Read<Set<'a>> {
    match at(arguments, position) {
        Value::Set(set) => Ok(set),
        other => Err(BuiltinError::expected(position, &["set"], other)),
    }
}

/// The items of an array or a set, in order.
pub(super) fn items<'a>(arguments: &[Value<'a>], position: usize) -> Read<&'a [Value<'a>]> {
    match at(arguments, position) {
        Value::Array(items) => Ok(items),
        Value::Set(set) => Ok(set.items()),
        other => Err(BuiltinError::expected(position, &["array", "set"], other)),
    }
}

/// An integer within 64 bits, as OPA reads one: `2.0` is, `2e0` is not.
pub(super) fn integer(arguments: &[Value<'_>], position: usize) -> Read<i64> {
    let number = number(arguments, position)?;
    number::int64(number).ok_or_else(|| BuiltinError::operand(position, NO_INTEGER))
}

/// An integer of any size, however written.
pub(super) fn big_integer(arguments: &[Value<'_>], position: usize) -> Read<BigInt> {
    match at(arguments, position) {
        Value::Number(number) => {
            number::integer::from_number(number).ok_or_else(|| BuiltinError::operand(position, NO_INTEGER))
        }
        other => Err(BuiltinError::expected(position, &["integer"], other)),
    }
}

const NO_INTEGER: &str = "must be integer number but got floating-point number";

/// An object.
pub(super) fn object<'a>(arguments: &[Value<'a>], position: usize) -> Read<Entries<'a>> {
    let value = at(arguments, position);
    value.entries().ok_or_else(|| BuiltinError::expected(position, &["object"], value))
}

/// The items of an array or set that must all be strings.
pub(super) fn strings<'a>(arguments: &[Value<'a>], position: usize) -> Read<Vec<&'a str>> {
    let collection = at(arguments, position);
    items(arguments, position)?.iter().map(|item| element_string(position, collection, *item)).collect()
}

/// An item of a collection that must be a string.
pub(super) fn element_string<'a>(position: usize, collection: Value<'_>, item: Value<'a>) -> Read<&'a str> {
    item.as_str().ok_or_else(|| element(position, collection, item, "string"))
}

/// What is wrong with an item of a collection.
pub(super) fn element(
    position: usize,
    collection: Value<'_>,
    item: Value<'_>,
    expected: &'static str,
) -> BuiltinError {
    let (outer, inner) = (collection.type_name(), item.type_name());
    let problem = format!("must be {outer} of {expected}s but got {outer} containing {inner}");
    BuiltinError::operand(position, problem)
}
