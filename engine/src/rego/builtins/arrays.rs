//! `array.*` and the numbers that make arrays.

use super::{Builtin, BuiltinError, Call, Limit, Outcome, Type, function, operand};
use crate::rego::number::integer;
use crate::value::Value;
use num_bigint::BigInt;

pub(super) const TABLE: &[Builtin] = &[
    function("array.concat", &[Type::ARRAY, Type::ARRAY], Type::ARRAY, concat),
    function("array.flatten", &[Type::ARRAY], Type::ARRAY, flatten),
    function("array.reverse", &[Type::ARRAY], Type::ARRAY, reverse),
    function("array.slice", &[Type::ARRAY, Type::Number, Type::Number], Type::ARRAY, slice),
    function("numbers.range", &[Type::Number, Type::Number], NUMBERS, range),
    function("numbers.range_step", &[Type::Number, Type::Number, Type::Number], NUMBERS, range_step),
];

const NUMBERS: Type = Type::Array(&[], Some(&Type::Number));

fn concat<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (operand::array(arguments, 1)?, operand::array(arguments, 2)?);
    if left.is_empty() || right.is_empty() {
        return Ok(Some(Value::Array(if left.is_empty() { right } else { left })));
    }
    let length = left.len() + right.len();
    call.spend(length / 4)?;
    call.claim(length * size_of::<Value<'_>>())?;
    Ok(Some(call.array(&[left, right].concat())))
}

fn flatten<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = operand::array(arguments, 1)?;
    if !items.iter().any(|item| matches!(item, Value::Array(_))) {
        return Ok(Some(Value::Array(items)));
    }
    let mut flat = Vec::new();
    for item in items {
        match item {
            Value::Array(inner) => flat.extend_from_slice(inner),
            other => flat.push(*other),
        }
        call.spend(1)?;
    }
    call.claim(flat.len() * size_of::<Value<'_>>())?;
    Ok(Some(call.array(&flat)))
}

fn reverse<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = operand::array(arguments, 1)?;
    call.spend(items.len() / 4)?;
    let reversed: Vec<_> = items.iter().rev().copied().collect();
    Ok(Some(call.array(&reversed)))
}

fn slice<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let items = operand::array(arguments, 1)?;
    let (start, stop) = (operand::integer(arguments, 2)?, operand::integer(arguments, 3)?);
    // Indexes outside are taken for the nearest that is inside.
    let clamp = |index: i64, end: usize| usize::try_from(index.max(0)).map_or(end, |index| index.min(end));
    let stop = clamp(stop, items.len());
    let start = clamp(start, stop);
    Ok(Some(Value::Array(items.get(start..stop).unwrap_or_default())))
}

fn range<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (from, to) = (operand::big_integer(arguments, 1)?, operand::big_integer(arguments, 2)?);
    numbers(call, from, &to, &BigInt::from(1))
}

fn range_step<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (from, to) = (operand::big_integer(arguments, 1)?, operand::big_integer(arguments, 2)?);
    let step = operand::big_integer(arguments, 3)?;
    if step <= BigInt::ZERO {
        return Err(BuiltinError::failed("numbers.range_step: step must be a positive integer"));
    }
    numbers(call, from, &to, &step)
}

/// The numbers from one to another, both included, up or down.
fn numbers<'a>(call: &mut Call<'a, '_>, from: BigInt, to: &BigInt, step: &BigInt) -> Outcome<'a> {
    let count = (to - &from).magnitude() / step.magnitude() + 1_u8;
    let count = usize::try_from(count).map_err(|_| BuiltinError::Limit(Limit::Memory))?;
    call.spend(count)?;
    call.claim(count.saturating_mul(size_of::<Value<'_>>()))?;
    let step = if *to < from { -step } else { step.clone() };
    let mut items = Vec::with_capacity(count);
    if let (Ok(from), Ok(_), Ok(step)) = (i64::try_from(&from), i64::try_from(to), i64::try_from(&step)) {
        let steps = std::iter::successors(Some(from), |value| value.checked_add(step));
        items.extend(steps.take(count).map(Value::int));
    } else {
        let mut next = from;
        for _ in 0..count {
            items.push(Value::Number(integer::to_number(&call.arena, &next)?));
            next += &step;
        }
    }
    Ok(Some(call.array(&items)))
}
