//! The operators on numbers and their companions: `+ - * / %`, `abs`, `round`, `ceil`, `floor`, `bits.*`.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::number::{arithmetic, integer};
use crate::value::{Number, Set, Value};
use num_bigint::BigInt;

const ONE: &[Type] = &[Type::Number];
const TWO: &[Type] = &[Type::Number, Type::Number];
const NUMBER_OR_SET: Type = Type::OneOf(&[Type::Number, Type::SET]);

pub(super) const TABLE: &[Builtin] = &[
    function("plus", TWO, Type::Number, plus),
    function("minus", &[NUMBER_OR_SET, NUMBER_OR_SET], NUMBER_OR_SET, minus),
    function("mul", TWO, Type::Number, multiply),
    function("div", TWO, Type::Number, divide),
    function("rem", TWO, Type::Number, remainder),
    function("abs", ONE, Type::Number, absolute),
    function("round", ONE, Type::Number, round),
    function("ceil", ONE, Type::Number, ceil),
    function("floor", ONE, Type::Number, floor),
    function("bits.and", TWO, Type::Number, bits_and),
    function("bits.or", TWO, Type::Number, bits_or),
    function("bits.xor", TWO, Type::Number, bits_xor),
    function("bits.negate", ONE, Type::Number, bits_negate),
    function("bits.lsh", TWO, Type::Number, shift_left),
    function("bits.rsh", TWO, Type::Number, shift_right),
];

fn plus<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (operand::number(arguments, 1)?, operand::number(arguments, 2)?);
    arithmetic::add(&call.arena, left, right).map(|sum| Some(Value::Number(sum)))
}

fn minus<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match (operand::at(arguments, 1), operand::at(arguments, 2)) {
        (Value::Number(left), Value::Number(right)) => {
            arithmetic::subtract(&call.arena, left, right).map(|difference| Some(Value::Number(difference)))
        }
        (Value::Set(left), Value::Set(right)) => Ok(Some(Value::Set(without(call, left, right)))),
        (Value::Set(_), right @ Value::Number(_)) => Err(BuiltinError::expected(2, &["set"], right)),
        (Value::Number(_) | Value::Set(_), right) => Err(BuiltinError::expected(2, &["number"], right)),
        (left, _) => Err(BuiltinError::expected(1, &["number", "set"], left)),
    }
}

/// The members of `left` that `right` has not.
pub(super) fn without<'a>(call: &Call<'a, '_>, left: Set<'a>, right: Set<'a>) -> Set<'a> {
    if right.is_empty() {
        return left;
    }
    let kept: Vec<_> = left.iter().filter(|item| !right.contains(*item)).collect();
    if kept.len() == left.len() { left } else { Set::new(&call.arena, kept) }
}

fn multiply<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (operand::number(arguments, 1)?, operand::number(arguments, 2)?);
    arithmetic::multiply(&call.arena, left, right).map(|product| Some(Value::Number(product)))
}

fn divide<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (operand::number(arguments, 1)?, operand::number(arguments, 2)?);
    arithmetic::divide(&call.arena, left, right).map(|quotient| Some(Value::Number(quotient)))
}

fn remainder<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (operand::number(arguments, 1)?, operand::number(arguments, 2)?);
    arithmetic::remainder(&call.arena, left, right).map(|rest| Some(Value::Number(rest)))
}

fn absolute<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    arithmetic::absolute(&call.arena, operand::number(arguments, 1)?)
        .map(|number| Some(Value::Number(number)))
}

fn round<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    arithmetic::round(&call.arena, operand::number(arguments, 1)?).map(|number| Some(Value::Number(number)))
}

fn ceil<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    arithmetic::ceil(&call.arena, operand::number(arguments, 1)?).map(|number| Some(Value::Number(number)))
}

fn floor<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    arithmetic::floor(&call.arena, operand::number(arguments, 1)?).map(|number| Some(Value::Number(number)))
}

/// An integer of any size; fractions are refused in OPA's words.
fn big(arguments: &[Value<'_>], position: usize) -> Result<BigInt, BuiltinError> {
    operand::big_integer(arguments, position)
}

fn whole<'a>(call: &Call<'a, '_>, value: &BigInt) -> Outcome<'a> {
    integer::to_number(&call.arena, value).map(|number| Some(Value::Number(number)))
}

fn small(arguments: &[Value<'_>]) -> Option<(i64, i64)> {
    match (operand::at(arguments, 1), operand::at(arguments, 2)) {
        (Value::Number(Number::Int(left)), Value::Number(Number::Int(right))) => Some((left, right)),
        _ => None,
    }
}

fn bits_and<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match small(arguments) {
        Some((left, right)) => Ok(Some(Value::int(left & right))),
        None => whole(call, &(big(arguments, 1)? & big(arguments, 2)?)),
    }
}

fn bits_or<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match small(arguments) {
        Some((left, right)) => Ok(Some(Value::int(left | right))),
        None => whole(call, &(big(arguments, 1)? | big(arguments, 2)?)),
    }
}

fn bits_xor<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match small(arguments) {
        Some((left, right)) => Ok(Some(Value::int(left ^ right))),
        None => whole(call, &(big(arguments, 1)? ^ big(arguments, 2)?)),
    }
}

fn bits_negate<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    whole(call, &!big(arguments, 1)?)
}

/// How far to shift, with OPA's words for a negative amount.
fn amount(arguments: &[Value<'_>]) -> Result<u64, BuiltinError> {
    let amount = big(arguments, 2)?;
    if amount.sign() == num_bigint::Sign::Minus {
        let problem = "must be an unsigned integer number but got a negative integer";
        return Err(BuiltinError::operand(2, problem));
    }
    // OPA takes the low 64 bits.
    Ok(amount.iter_u64_digits().next().unwrap_or(0))
}

fn shift_left<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (value, amount) = (big(arguments, 1)?, amount(arguments)?);
    if value == BigInt::ZERO {
        return Ok(Some(Value::int(0)));
    }
    integer::check_bits(value.bits().saturating_add(amount))?;
    whole(call, &(value << amount))
}

fn shift_right<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (value, amount) = (big(arguments, 1)?, amount(arguments)?);
    if amount > value.bits() {
        return Ok(Some(Value::int(if value.sign() == num_bigint::Sign::Minus { -1 } else { 0 })));
    }
    whole(call, &(value >> amount))
}
