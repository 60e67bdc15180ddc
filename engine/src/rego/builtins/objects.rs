//! `object.*`.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, lookup, operand};
use crate::value::{Set, Value};
use std::collections::BTreeMap;

const KEYS: Type = Type::OneOf(&[Type::ARRAY, Type::OBJECT, Type::SET]);

pub(super) const TABLE: &[Builtin] = &[
    function("object.get", &[Type::OBJECT, Type::Any, Type::Any], Type::Any, get),
    function("object.keys", &[Type::OBJECT], Type::SET, keys),
    function("object.union", &[Type::OBJECT, Type::OBJECT], Type::OBJECT, union),
    function("object.union_n", &[Type::Array(&[], Some(&Type::OBJECT))], Type::OBJECT, union_n),
    function("object.remove", &[Type::OBJECT, KEYS], Type::OBJECT, remove),
    function("object.filter", &[Type::OBJECT, KEYS], Type::OBJECT, filter),
    function("object.subset", &[KEYS, KEYS], Type::Boolean, subset),
];

fn get<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    operand::object(arguments, 1)?;
    let (object, default) = (operand::at(arguments, 1), operand::at(arguments, 3));
    let found = match operand::at(arguments, 2) {
        Value::Array(path) => path.iter().try_fold(object, |value, key| lookup(value, *key)),
        key => object.get_key(key),
    };
    Ok(Some(found.unwrap_or(default)))
}

fn keys<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let keys: Vec<_> = operand::object(arguments, 1)?.map(|(key, _)| key).collect();
    call.spend(keys.len() / 4)?;
    Ok(Some(call.set(keys)))
}

fn union<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    operand::object(arguments, 1)?;
    operand::object(arguments, 2)?;
    merge(call, &[operand::at(arguments, 1), operand::at(arguments, 2)], false).map(Some)
}

fn union_n<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = operand::array(arguments, 1)?;
    if let Some(other) = items.iter().find(|item| item.entries().is_none()) {
        return Err(operand::element(1, operand::at(arguments, 1), *other, "object"));
    }
    merge(call, items, true).map(Some)
}

/// Objects laid over each other, later ones on top; objects under the same key are merged in turn, down to the
/// last value of that key that is no object. Of equal keys (`1` and `1.0`) the first is kept, or the last.
fn merge<'a>(
    call: &mut Call<'a, '_>,
    objects: &[Value<'a>],
    last_key: bool,
) -> Result<Value<'a>, BuiltinError> {
    let mut filled =
        objects.iter().filter(|object| object.entries().is_some_and(|entries| entries.len() > 0));
    match (filled.next(), filled.next()) {
        (None, _) => return Ok(Value::EMPTY),
        (Some(only), None) => return Ok(*only),
        _ => {}
    }
    let mut layers: BTreeMap<Value<'a>, (Value<'a>, Vec<Value<'a>>)> = BTreeMap::new();
    for (key, value) in objects.iter().filter_map(|object| object.entries()).flatten() {
        call.spend(1)?;
        let (kept, values) = layers.entry(key).or_insert_with(|| (key, Vec::new()));
        if last_key {
            *kept = key;
        }
        if value.entries().is_none() || values.last().is_some_and(|last| last.entries().is_none()) {
            values.clear();
        }
        values.push(value);
    }
    let mut pairs = Vec::with_capacity(layers.len());
    for (key, values) in layers.into_values() {
        let value = match values.as_slice() {
            [only] => *only,
            several => merge(call, several, last_key)?,
        };
        pairs.push((key, value));
    }
    Ok(Value::object(&call.arena, pairs))
}

/// The keys that an array, a set or an object names.
fn named<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Result<Set<'a>, BuiltinError> {
    let items: Vec<_> = match operand::at(arguments, 2) {
        Value::Set(set) => return Ok(set),
        Value::Array(items) => items.to_vec(),
        other => match other.entries() {
            Some(entries) => entries.map(|(key, _)| key).collect(),
            None => return Err(BuiltinError::expected(2, &["object", "set", "array"], other)),
        },
    };
    call.spend(items.len())?;
    Ok(Set::new(&call.arena, items))
}

fn pick<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>], named_ones: bool) -> Outcome<'a> {
    let entries = operand::object(arguments, 1)?;
    let keys = named(call, arguments)?;
    call.spend(entries.len())?;
    let kept = entries.filter(|(key, _)| keys.contains(*key) == named_ones).collect();
    Ok(Some(Value::object(&call.arena, kept)))
}

fn remove<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    pick(call, arguments, false)
}

fn filter<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    pick(call, arguments, true)
}

fn subset<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (whole, part) = (operand::at(arguments, 1), operand::at(arguments, 2));
    let contained = match (whole, part) {
        (Value::Set(whole), Value::Set(part)) => holds_set(call, whole, part)?,
        (Value::Array(whole), Value::Array(part)) => holds_array(call, whole, part)?,
        (Value::Array(whole), Value::Set(part)) => {
            // Counted as OPA counts: an item that is there twice counts twice.
            let mut unmatched = part.len();
            call.spend(whole.len())?;
            whole.iter().any(|item| {
                if part.contains(*item) {
                    unmatched = unmatched.saturating_sub(1);
                }
                unmatched == 0
            })
        }
        _ if whole.entries().is_some() && part.entries().is_some() => holds_object(call, whole, part)?,
        _ => {
            let problem = "both arguments object.subset must be of the same type or array and set";
            return Err(BuiltinError::Operand(super::call::Operand::Plain(problem)));
        }
    };
    Ok(Some(Value::Bool(contained)))
}

fn holds_set<'a>(call: &mut Call<'a, '_>, whole: Set<'a>, part: Set<'a>) -> Result<bool, BuiltinError> {
    call.spend(part.len())?;
    Ok(part.iter().all(|item| whole.contains(item)))
}

/// Whether one array is in another, without gaps.
fn holds_array<'a>(
    call: &mut Call<'a, '_>,
    whole: &[Value<'a>],
    part: &[Value<'a>],
) -> Result<bool, BuiltinError> {
    if part.len() > whole.len() {
        return Ok(false);
    }
    if part.is_empty() {
        return Ok(true);
    }
    for window in whole.windows(part.len()) {
        call.spend(1)?;
        let equal = window.iter().zip(part).take_while(|(left, right)| left == right).count();
        call.spend(equal)?;
        if equal == part.len() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn holds_object<'a>(
    call: &mut Call<'a, '_>,
    whole: Value<'a>,
    part: Value<'a>,
) -> Result<bool, BuiltinError> {
    for (key, wanted) in part.entries().into_iter().flatten() {
        call.spend(1)?;
        let Some(found) = whole.get_key(key) else { return Ok(false) };
        let holds = match (found, wanted) {
            _ if found == wanted => true,
            (Value::Set(found), Value::Set(wanted)) => holds_set(call, found, wanted)?,
            (Value::Array(found), Value::Array(wanted)) => holds_array(call, found, wanted)?,
            _ if found.entries().is_some() && wanted.entries().is_some() => {
                holds_object(call, found, wanted)?
            }
            _ => false,
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}
