//! Reading operands: the type asked for, or OPA's words about what came instead.

use super::BuiltinError;
use crate::value::{Number, Set, Value};

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
