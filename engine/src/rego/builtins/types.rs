//! What a value is, and making one type of another: `is_*`, `type_name`, `cast_*`, `to_number`, comparisons.

use super::{Builtin, BuiltinError, Call, Outcome, Type, deprecated, function, operand};
use crate::rego::number::float::Float;
use crate::value::{Arena, Number, Value};
use std::cmp::Ordering;

const ANY: &[Type] = &[Type::Any];
const TWO: &[Type] = &[Type::Any, Type::Any];
const SCALAR: Type = Type::OneOf(&[Type::Null, Type::Boolean, Type::Number, Type::String]);

pub(super) const TABLE: &[Builtin] = &[
    function("equal", TWO, Type::Boolean, |_, a| compare(a, Ordering::is_eq)),
    function("neq", TWO, Type::Boolean, |_, a| compare(a, Ordering::is_ne)),
    function("lt", TWO, Type::Boolean, |_, a| compare(a, Ordering::is_lt)),
    function("lte", TWO, Type::Boolean, |_, a| compare(a, Ordering::is_le)),
    function("gt", TWO, Type::Boolean, |_, a| compare(a, Ordering::is_gt)),
    function("gte", TWO, Type::Boolean, |_, a| compare(a, Ordering::is_ge)),
    function("is_null", ANY, Type::Boolean, |_, a| is(a, "null")),
    function("is_boolean", ANY, Type::Boolean, |_, a| is(a, "boolean")),
    function("is_number", ANY, Type::Boolean, |_, a| is(a, "number")),
    function("is_string", ANY, Type::Boolean, |_, a| is(a, "string")),
    function("is_array", ANY, Type::Boolean, |_, a| is(a, "array")),
    function("is_object", ANY, Type::Boolean, |_, a| is(a, "object")),
    function("is_set", ANY, Type::Boolean, |_, a| is(a, "set")),
    function("type_name", ANY, Type::String, |_, a| Ok(Some(Value::String(operand::at(a, 1).type_name())))),
    deprecated("cast_null", ANY, Type::Null, |_, a| cast(a, &["null"])),
    deprecated("cast_boolean", ANY, Type::Boolean, |_, a| cast(a, &["boolean"])),
    deprecated("cast_string", ANY, Type::String, |_, a| cast(a, &["string"])),
    deprecated("cast_object", ANY, Type::OBJECT, |_, a| cast(a, &["object"])),
    deprecated("cast_array", ANY, Type::ARRAY, |_, a| Ok(Some(Value::Array(operand::items(a, 1)?)))),
    deprecated("cast_set", ANY, Type::SET, to_set),
    function("to_number", &[SCALAR], Type::Number, to_number),
];

fn compare<'a>(arguments: &[Value<'a>], wanted: fn(Ordering) -> bool) -> Outcome<'a> {
    Ok(Some(Value::Bool(wanted(operand::at(arguments, 1).compare(operand::at(arguments, 2))))))
}

fn is<'a>(arguments: &[Value<'a>], name: &str) -> Outcome<'a> {
    Ok(Some(Value::Bool(operand::at(arguments, 1).type_name() == name)))
}

fn cast<'a>(arguments: &[Value<'a>], wanted: &'static [&'static str]) -> Outcome<'a> {
    let value = operand::at(arguments, 1);
    if wanted.contains(&value.type_name()) {
        Ok(Some(value))
    } else {
        Err(BuiltinError::expected(1, wanted, value))
    }
}

fn to_set<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    if let set @ Value::Set(_) = operand::at(arguments, 1) {
        return Ok(Some(set));
    }
    let items = operand::items(arguments, 1)?;
    call.spend(items.len())?;
    Ok(Some(call.set(items.to_vec())))
}

fn to_number<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let number = match operand::at(arguments, 1) {
        Value::Null | Value::Bool(false) => Number::Int(0),
        Value::Bool(true) => Number::Int(1),
        Value::Number(number) => number,
        Value::String(text) => parse(&call.arena, text)?,
        other => return Err(BuiltinError::expected(1, &["null", "boolean", "number", "string"], other)),
    };
    Ok(Some(Value::Number(number)))
}

/// A number from text that Go's `ParseFloat` reads; it keeps the form it was written in.
fn parse<'a>(arena: &impl Arena<'a>, text: &str) -> Result<Number<'a>, BuiltinError> {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let canonical = !plain.is_empty()
        && plain.bytes().all(|digit| digit.is_ascii_digit())
        && (!plain.starts_with('0') || text == "0");
    if let (true, Ok(small)) = (canonical, text.parse()) {
        return Ok(Number::Int(small));
    }
    let bare = text.trim_start_matches(['+', '-']);
    if ["inf", "infinity", "nan"].iter().any(|word| bare.eq_ignore_ascii_case(word)) {
        return Err(BuiltinError::operand(1, "must be valid number string but got string"));
    }
    let problem = |why: &str| {
        let mut quoted = String::new();
        crate::rego::text::quote::write_quoted(&mut quoted, text, false);
        Err(BuiltinError::failed(format!("strconv.ParseFloat: parsing {quoted}: {why}")))
    };
    if bare.starts_with("0x") || bare.starts_with("0X") {
        // Go reads `0x1p-2`; nobody writes it, and nothing that follows could compute with it.
        return problem("invalid syntax");
    }
    let separated = without_separators(text);
    let text = separated.as_deref().unwrap_or(text);
    match text.parse::<f64>() {
        Err(_) => problem("invalid syntax"),
        Ok(value) if !value.is_finite() => problem("value out of range"),
        Ok(_) => {
            let number = Number::Text(arena.text(text));
            match Float::from_number(number) {
                Some(_) => Ok(number),
                None => Err(BuiltinError::failed("invalid number: number too big")),
            }
        }
    }
}

/// Go allows an underscore between digits; `None`: there is none, or one that is not between digits.
fn without_separators(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let between = |at: usize| digit(at.checked_sub(1)) && digit(at.checked_add(1));
    let mut places = text.match_indices('_').map(|(at, _)| at).peekable();
    places.peek()?;
    places.all(between).then(|| text.replace('_', ""))
}
