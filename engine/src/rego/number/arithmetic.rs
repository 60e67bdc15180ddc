//! The operators on numbers, each as OPA computes it.

use super::float::Float;
use super::{int64, integer};
use crate::rego::builtins::BuiltinError;
use crate::value::{Arena, Number};
use num_bigint::BigInt;

type Computed<'a> = Result<Number<'a>, BuiltinError>;

/// Both operands as exact integers, if both are.
fn exact(left: Number<'_>, right: Number<'_>) -> Option<(BigInt, BigInt)> {
    Some((integer::from_number(left)?, integer::from_number(right)?))
}

/// A number as a float.
///
/// # Errors
/// If its exponent is out of OPA's bounds.
pub(in crate::rego) fn float(number: Number<'_>) -> Result<Float, BuiltinError> {
    Float::from_number(number).ok_or_else(|| BuiltinError::failed("number too big"))
}

/// `left + right`
#[inline]
pub(in crate::rego) fn add<'a>(arena: &impl Arena<'a>, left: Number<'_>, right: Number<'_>) -> Computed<'a> {
    if let (Number::Int(a), Number::Int(b)) = (left, right)
        && let Some(sum) = a.checked_add(b)
    {
        return Ok(Number::Int(sum));
    }
    match exact(left, right) {
        Some((a, b)) => integer::to_number(arena, &(a + b)),
        None => Ok(float(left)?.add(float(right)?).to_number(arena)),
    }
}

/// `left - right`
#[inline]
pub(in crate::rego) fn subtract<'a>(
    arena: &impl Arena<'a>,
    left: Number<'_>,
    right: Number<'_>,
) -> Computed<'a> {
    if let (Number::Int(a), Number::Int(b)) = (left, right)
        && let Some(difference) = a.checked_sub(b)
    {
        return Ok(Number::Int(difference));
    }
    match exact(left, right) {
        Some((a, b)) => integer::to_number(arena, &(a - b)),
        None => Ok(float(left)?.add(float(right)?.negated()).to_number(arena)),
    }
}

/// `left * right`
#[inline]
pub(in crate::rego) fn multiply<'a>(
    arena: &impl Arena<'a>,
    left: Number<'_>,
    right: Number<'_>,
) -> Computed<'a> {
    if let (Number::Int(a), Number::Int(b)) = (left, right)
        && let Some(product) = a.checked_mul(b)
    {
        return Ok(Number::Int(product));
    }
    match exact(left, right) {
        Some((a, b)) => {
            integer::check_bits(a.bits() + b.bits())?;
            integer::to_number(arena, &(a * b))
        }
        None => Ok(float(left)?.multiply(float(right)?).to_number(arena)),
    }
}

/// `left / right`: an integer where the divisor divides the dividend, else a float.
///
/// # Errors
/// For a divisor of zero.
#[inline]
pub(in crate::rego) fn divide<'a>(
    arena: &impl Arena<'a>,
    left: Number<'_>,
    right: Number<'_>,
) -> Computed<'a> {
    if let (Some(a), Some(b)) = (int64(left), int64(right)) {
        // A dividend of zero is left to floats: its quotient can be -0.
        match (a, a.checked_rem(b), a.checked_div(b)) {
            (_, None, _) if b == 0 => return Err(BuiltinError::failed("divide by zero")),
            (1.. | ..=-1, Some(0), Some(quotient)) => return Ok(Number::Int(quotient)),
            _ => {}
        }
    }
    let divisor = float(right)?;
    if divisor.is_zero() {
        return Err(BuiltinError::failed("divide by zero"));
    }
    Ok(float(left)?.divide(divisor).to_number(arena))
}

/// `left % right`, with the sign of `left`.
///
/// # Errors
/// For a divisor of zero and for fractions.
#[inline]
pub(in crate::rego) fn remainder<'a>(
    arena: &impl Arena<'a>,
    left: Number<'_>,
    right: Number<'_>,
) -> Computed<'a> {
    if let (Some(a), Some(b)) = (int64(left), int64(right)) {
        return match b {
            0 => Err(BuiltinError::failed("modulo by zero")),
            // -1 divides everything, also the one number that cannot be divided by it.
            _ => Ok(Number::Int(a.checked_rem(b).unwrap_or(0))),
        };
    }
    match exact(left, right) {
        Some((_, b)) if b == BigInt::ZERO => Err(BuiltinError::failed("modulo by zero")),
        Some((a, b)) => integer::to_number(arena, &(a % b)),
        None => Err(BuiltinError::failed("modulo on floating-point number")),
    }
}

fn small(number: Number<'_>) -> Option<i64> {
    int64(number).filter(|value| i32::try_from(*value).is_ok())
}

/// The magnitude.
pub(in crate::rego) fn absolute<'a>(arena: &impl Arena<'a>, number: Number<'_>) -> Computed<'a> {
    match small(number) {
        Some(value) => Ok(Number::Int(value.abs())),
        None => Ok(float(number)?.absolute().to_number(arena)),
    }
}

/// The nearest integer; halves away from zero.
pub(in crate::rego) fn round<'a>(arena: &impl Arena<'a>, number: Number<'_>) -> Computed<'a> {
    if let Some(value) = small(number) {
        return Ok(Number::Int(value));
    }
    let value = float(number)?;
    let half = if value.is_negative() { Float::HALF.negated() } else { Float::HALF };
    integer::to_number(arena, &value.add(half).truncated())
}

/// The integer part, one more if that is positive and something was cut off. (`-0.5` gives 1, because its
/// integer part is a zero without sign: so does OPA.)
pub(in crate::rego) fn ceil<'a>(arena: &impl Arena<'a>, number: Number<'_>) -> Computed<'a> {
    toward(arena, number, false)
}

/// The integer part, one less if that is negative and something was cut off. (`-0.5` gives 0, as in OPA.)
pub(in crate::rego) fn floor<'a>(arena: &impl Arena<'a>, number: Number<'_>) -> Computed<'a> {
    toward(arena, number, true)
}

fn toward<'a>(arena: &impl Arena<'a>, number: Number<'_>, down: bool) -> Computed<'a> {
    if let Some(value) = small(number) {
        return Ok(Number::Int(value));
    }
    let value = float(number)?;
    let whole = value.truncated();
    let truncated = Float::from_integer(&whole);
    if value.is_integer() || truncated.is_negative() != down {
        return integer::to_number(arena, &whole);
    }
    let step = if down { Float::ONE.negated() } else { Float::ONE };
    Ok(truncated.add(step).to_number(arena))
}
