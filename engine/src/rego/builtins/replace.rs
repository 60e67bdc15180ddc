//! `replace` and `strings.replace_n`: Go's `strings.Replacer`, which works on bytes and can put things between
//! them.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::value::Value;
use crate::value::bytes::{bytes_of, is_broken, text_from};

pub(super) const TABLE: &[Builtin] = &[
    function("replace", &[Type::String, Type::String, Type::String], Type::String, replace),
    function(
        "strings.replace_n",
        &[Type::Object(&[], Some((&Type::String, &Type::String))), Type::String],
        Type::String,
        replace_n,
    ),
];

fn replace<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    let (old, new) = (operand::string(arguments, 2)?, operand::string(arguments, 3)?);
    if old.is_empty() || is_broken(old) || is_broken(new) {
        return replaced(call, text, &[(old, new)]);
    }
    call.spend(1 + text.len() / 64)?;
    if !text.contains(old) {
        return Ok(Some(Value::String(text)));
    }
    if new.len() > old.len() {
        // A few bytes replaced by many is how a string becomes a gigabyte.
        let growth = text.matches(old).count().saturating_mul(new.len() - old.len());
        call.spend(growth / 64)?;
        call.claim(text.len().saturating_add(growth))?;
    }
    Ok(Some(call.text(&text.replace(old, new))))
}

fn replace_n<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let patterns = operand::object(arguments, 1)?;
    let text = operand::string(arguments, 2)?;
    let mut pairs = Vec::with_capacity(patterns.len());
    for (key, value) in patterns {
        let Value::String(old) = key else {
            return Err(BuiltinError::operand(1, "non-string key found in pattern object"));
        };
        let Value::String(new) = value else {
            return Err(BuiltinError::operand(1, "non-string value found in pattern object"));
        };
        pairs.push((old, new));
    }
    replaced(call, text, &pairs)
}

/// At each byte the first of the pairs that fits, nothing replaced twice.
fn replaced<'a>(call: &mut Call<'a, '_>, text: &str, pairs: &[(&str, &str)]) -> Outcome<'a> {
    let source = bytes_of(text);
    let pairs: Vec<_> = pairs.iter().map(|(old, new)| (bytes_of(old), bytes_of(new))).collect();
    let mut out: Vec<u8> = Vec::with_capacity(source.len());
    let mut at = 0;
    let mut after_empty = false;
    while at <= source.len() {
        call.spend(1)?;
        let rest = source.get(at..).unwrap_or_default();
        // After a match of nothing, nothing may not match again at the same place.
        let fits = |old: &[u8]| rest.starts_with(old) && !(after_empty && old.is_empty());
        if let Some((old, new)) = pairs.iter().find(|(old, _)| fits(old)) {
            call.spend(new.len() / 64)?;
            out.extend_from_slice(new);
            at += old.len();
            after_empty = old.is_empty();
            continue;
        }
        after_empty = false;
        out.extend(rest.first());
        at += 1;
    }
    call.claim(out.len())?;
    Ok(Some(call.text(&text_from(&out))))
}
