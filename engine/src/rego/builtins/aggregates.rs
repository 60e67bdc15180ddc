//! One answer about a whole collection: `count`, `sum`, `max`, `any`, membership and their like.

use super::{Builtin, BuiltinError, Call, Outcome, Type, deprecated, function, operand};
use crate::rego::number::{arithmetic, float::Float, int64, integer};
use crate::value::{Number, Value};
use num_bigint::BigInt;

const COUNTABLE: Type = Type::OneOf(&[Type::String, Type::ARRAY, Type::OBJECT, Type::SET]);
const NUMBERS: Type = Type::OneOf(&[Type::Array(&[], Some(&Type::Number)), Type::Set(&Type::Number)]);

pub(super) const TABLE: &[Builtin] = &[
    function("count", &[COUNTABLE], Type::Number, count),
    function("sum", &[NUMBERS], Type::Number, sum),
    function("product", &[NUMBERS], Type::Number, product),
    function("max", &[Type::COLLECTION], Type::Any, max),
    function("min", &[Type::COLLECTION], Type::Any, min),
    function("sort", &[Type::COLLECTION], Type::ARRAY, sort),
    deprecated("all", &[Type::COLLECTION], Type::Boolean, all),
    deprecated("any", &[Type::COLLECTION], Type::Boolean, any),
    function("internal.member_2", &[Type::Any, Type::Any], Type::Boolean, member),
    function("internal.member_3", &[Type::Any, Type::Any, Type::Any], Type::Boolean, member_with_key),
];

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

/// The items, with OPA's order of the types in its words.
fn set_or_array<'a>(arguments: &[Value<'a>]) -> Result<&'a [Value<'a>], BuiltinError> {
    match operand::at(arguments, 1) {
        Value::Array(items) => Ok(items),
        Value::Set(set) => Ok(set.items()),
        other => Err(BuiltinError::expected(1, &["set", "array"], other)),
    }
}

/// All items as exact integers, if they are.
fn integers<'a>(items: &'a [Value<'a>]) -> Option<impl Iterator<Item = BigInt> + 'a> {
    let exact = |item: &Value<'a>| match item {
        Value::Number(number) => integer::from_number(*number),
        _ => None,
    };
    items.iter().all(|item| exact(item).is_some()).then(|| items.iter().filter_map(exact))
}

fn float_of(arguments: &[Value<'_>], item: Value<'_>) -> Result<Float, BuiltinError> {
    match item {
        Value::Number(number) => arithmetic::float(number),
        other => Err(operand::element(1, operand::at(arguments, 1), other, "number")),
    }
}

fn sum<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = set_or_array(arguments)?;
    call.spend(items.len() / 4)?;
    let small = items.iter().try_fold(0_i64, |sum, item| match item {
        Value::Number(number) => sum.checked_add(int64(*number)?),
        _ => None,
    });
    if let Some(sum) = small {
        return Ok(Some(Value::int(sum)));
    }
    call.spend(items.len() * 4)?;
    if let Some(integers) = integers(items) {
        return integer::to_number(&call.arena, &integers.sum()).map(|sum| Some(Value::Number(sum)));
    }
    let sum = items
        .iter()
        .try_fold(Float::ZERO, |sum, item| Ok::<_, BuiltinError>(sum.add(float_of(arguments, *item)?)))?;
    Ok(Some(Value::Number(sum.to_number(&call.arena))))
}

fn product<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = set_or_array(arguments)?;
    call.spend(items.len())?;
    let small = items.iter().try_fold(1_i64, |product, item| match item {
        Value::Number(Number::Int(value)) => product.checked_mul(*value),
        _ => None,
    });
    if let Some(product) = small {
        return Ok(Some(Value::int(product)));
    }
    if let Some(integers) = integers(items) {
        let mut product = BigInt::from(1);
        for value in integers {
            integer::check_bits(product.bits() + value.bits())?;
            call.spend(usize::try_from(product.bits() / 64).unwrap_or(usize::MAX))?;
            product *= value;
        }
        return integer::to_number(&call.arena, &product).map(|product| Some(Value::Number(product)));
    }
    let mut product = Float::ONE;
    for item in items {
        // OPA starts from a float of 53 bits, and stays there.
        product = product.multiply_double(float_of(arguments, *item)?);
    }
    Ok(Some(Value::Number(product.double_to_number(&call.arena))))
}

fn max<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = set_or_array(arguments)?;
    call.spend(items.len())?;
    Ok(match operand::at(arguments, 1) {
        Value::Set(set) => set.items().last().copied(),
        // Of equal ones the last.
        _ => items.iter().copied().max_by(|left, right| left.compare(*right)),
    })
}

fn min<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = set_or_array(arguments)?;
    call.spend(items.len())?;
    Ok(match operand::at(arguments, 1) {
        Value::Set(set) => set.items().first().copied(),
        // Of equal ones the last.
        _ => items.iter().rev().copied().min_by(|left, right| left.compare(*right)),
    })
}

fn sort<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = set_or_array(arguments)?;
    call.spend(items.len())?;
    if items.is_sorted_by(|left, right| left.compare(*right).is_le()) {
        return Ok(Some(Value::Array(items)));
    }
    let mut sorted = items.to_vec();
    sorted.sort_by(|left, right| left.compare(*right));
    Ok(Some(call.array(&sorted)))
}

fn all<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = operand::items(arguments, 1)?;
    Ok(Some(Value::Bool(items.iter().all(|item| matches!(item, Value::Bool(true))))))
}

fn any<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = operand::items(arguments, 1)?;
    Ok(Some(Value::Bool(items.iter().any(|item| matches!(item, Value::Bool(true))))))
}

fn member<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let wanted = operand::at(arguments, 1);
    let found = match operand::at(arguments, 2) {
        Value::Set(set) => set.contains(wanted),
        Value::Array(items) => {
            call.spend(items.len() / 4)?;
            items.contains(&wanted)
        }
        other => other.entries().is_some_and(|mut entries| entries.any(|(_, value)| value == wanted)),
    };
    Ok(Some(Value::Bool(found)))
}

fn member_with_key<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (key, wanted) = (operand::at(arguments, 1), operand::at(arguments, 2));
    let found = super::lookup(operand::at(arguments, 3), key).is_some_and(|value| value == wanted);
    Ok(Some(Value::Bool(found)))
}
