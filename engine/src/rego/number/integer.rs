//! Exact integers, for what 64 bits do not hold.

use crate::rego::builtins::{BuiltinError, Limit};
use crate::value::{Arena, Number};
use num_bigint::BigInt;

/// The largest integer that is computed with, in bits: more than two numbers at OPA's own bound (2^100000)
/// multiplied, and still written within milliseconds.
const MAX_BITS: u64 = 1 << 18;

/// The exact integer that a number is, also when written `1e3` or `2.50e1`; `None` if it is a fraction or far
/// beyond what OPA reads.
pub(in crate::rego) fn from_number(number: Number<'_>) -> Option<BigInt> {
    match number {
        Number::Int(value) => Some(BigInt::from(value)),
        Number::Text(text) => from_text(text),
    }
}

fn from_text(text: &str) -> Option<BigInt> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    if exponent == 0 {
        return if fraction.is_empty() { parse(whole) } else { None };
    }
    let digits = format!("{whole}{fraction}");
    let trimmed = digits.trim_end_matches('0');
    if !trimmed.bytes().any(|digit| digit.is_ascii_digit()) {
        return Some(BigInt::ZERO);
    }
    let zeros = i32::try_from(digits.len() - trimmed.len()).ok()?;
    let shift = exponent.checked_add(zeros)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let shift = u32::try_from(shift).ok().filter(|shift| *shift <= 100_000)?;
    Some(parse(trimmed)? * BigInt::from(10).pow(shift))
}

fn parse(digits: &str) -> Option<BigInt> {
    match digits {
        "" | "-" | "+" => Some(BigInt::ZERO),
        _ => digits.parse().ok(),
    }
}

/// The number that an integer is.
///
/// # Errors
/// If it is larger than is computed with.
pub(in crate::rego) fn to_number<'a>(
    arena: &impl Arena<'a>,
    value: &BigInt,
) -> Result<Number<'a>, BuiltinError> {
    check_bits(value.bits())?;
    Ok(match i64::try_from(value) {
        Ok(small) => Number::Int(small),
        Err(_) => Number::Text(arena.text(&value.to_string())),
    })
}

/// Refuses a result of more bits than is computed with; to be asked before it is made.
pub(in crate::rego) fn check_bits(bits: u64) -> Result<(), BuiltinError> {
    if bits > MAX_BITS { Err(BuiltinError::Limit(Limit::Memory)) } else { Ok(()) }
}
