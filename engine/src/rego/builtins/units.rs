//! `units.parse` and `units.parse_bytes`: amounts with SI and binary suffixes.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::number::{arithmetic, float::Float, integer};
use crate::rego::text::case;
use crate::value::{Arena, Number, Value};
use num_bigint::{BigInt, BigUint};
use std::borrow::Cow;

const ONE: &[Type] = &[Type::String];

pub(super) const TABLE: &[Builtin] = &[
    function("units.parse", ONE, Type::Number, parse),
    function("units.parse_bytes", ONE, Type::Number, parse_bytes),
];

const DECIMAL: [u64; 7] =
    [1, 1_000, 1_000_000, 1_000_000_000, 1_000_000_000_000, 1_000_000_000_000_000, 1_000_000_000_000_000_000];
const BINARY: [u64; 7] = [1, 1 << 10, 1 << 20, 1 << 30, 1 << 40, 1 << 50, 1 << 60];

/// OPA's milli is the 64-bit float nearest to 0.001, exactly: this many 2^-60.
const MILLI: u64 = 1_152_921_504_606_847;
const MILLI_SHIFT: u32 = 60;

fn rank(letter: u8) -> Option<usize> {
    b"kmgtpe".iter().position(|known| known.eq_ignore_ascii_case(&letter)).map(|at| at + 1)
}

/// The factor of a unit; `None`: not one.
fn factor(unit: &str, bytes: bool) -> Option<u64> {
    let table = |table: &[u64; 7], letter: u8| rank(letter).and_then(|rank| table.get(rank).copied());
    match (unit.as_bytes(), bytes) {
        ([], _) => Some(1),
        ([letter] | [letter, b'b'], true) | ([letter], false) => table(&DECIMAL, *letter),
        ([letter, b'i'] | [letter, b'i', b'b'], true) | ([letter, b'i' | b'I'], false) => {
            table(&BINARY, *letter)
        }
        _ => None,
    }
}

/// Where the number ends: at the first byte that cannot be part of one, an `e` being part of it only before
/// digits or a sign. `None`: the exponent has more than six digits.
fn number_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is_sign = |at: usize| matches!(bytes.get(at), Some(b'+' | b'-'));
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' | b'.' | b'+' | b'-' => {}
            b'e' | b'E' if is_digit(at + 1) || is_sign(at + 1) => {
                if is_sign(at + 1) {
                    at += 1;
                }
                let digits = (at + 1..bytes.len()).take_while(|at| is_digit(*at)).count();
                if digits > 6 {
                    return None;
                }
            }
            _ => return Some(at),
        }
        at += 1;
    }
    Some(bytes.len())
}

/// A decimal amount: `digits · 10^exponent`.
struct Amount<'t> {
    negative: bool,
    digits: Cow<'t, str>,
    exponent: i64,
}

fn read(number: &str) -> Option<Amount<'_>> {
    let (negative, unsigned) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (digits, places) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (Cow::Owned(format!("{whole}{fraction}")), fraction.len()),
        None => (Cow::Borrowed(mantissa), 0),
    };
    let all_digits = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    all_digits.then_some(Amount { negative, digits, exponent: exponent - i64::try_from(places).ok()? })
}

fn parse<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    const NAME: &str = "units.parse";
    let text = unquoted(operand::string(arguments, 1)?);
    call.spend(text.len() / 16)?;
    if text.contains(' ') {
        return problem(NAME, "spaces not allowed in resource strings");
    }
    let Some(end) = number_end(&text) else { return problem(NAME, "exponent too large") };
    let (number, unit) = text.split_at(end);
    if number.is_empty() {
        return problem(NAME, "no amount provided");
    }
    // The first letter tells milli from mega; it alone has a case.
    let (factor, milli) = match unit {
        "m" => (MILLI, true),
        _ => match factor(unit, false) {
            Some(factor) => (factor, false),
            None => return problem(NAME, &format!("unit {} not recognized", lower_after_first(unit))),
        },
    };
    let Some(amount) = read(number) else { return problem(NAME, "could not parse amount to a number") };
    let number = match quick(&call.arena, &amount, factor, milli) {
        Some(number) => number,
        None => exact(&call.arena, &amount, factor, milli)?,
    };
    Ok(Some(Value::Number(number)))
}

fn problem<'a>(name: &str, what: &str) -> Outcome<'a> {
    Err(BuiltinError::failed(format!("{name}: {what}")))
}

fn unquoted(text: &str) -> Cow<'_, str> {
    if text.contains('"') { Cow::Owned(text.replace('"', "")) } else { Cow::Borrowed(text) }
}

fn lower_after_first(unit: &str) -> String {
    let mut characters = unit.chars();
    characters.next().into_iter().chain(case::lower(characters.as_str()).chars()).collect()
}

/// The product within 128 bits: an integer, or a fraction of ten digits, as OPA writes it.
fn quick<'a>(arena: &impl Arena<'a>, amount: &Amount<'_>, factor: u64, milli: bool) -> Option<Number<'a>> {
    if amount.digits.len() > 12 || !(-9..=0).contains(&amount.exponent) {
        return None;
    }
    let digits: u64 = amount.digits.parse().ok()?;
    let places = u32::try_from(-amount.exponent).ok()?;
    let value = u128::from(digits) * u128::from(factor);
    let shift = if milli { MILLI_SHIFT } else { 0 };
    let divisor = 10_u128.pow(places) << shift;
    let (mut whole, rest) = (value / divisor, value % divisor);
    if rest == 0 {
        let whole = i64::try_from(whole).ok()?;
        return Some(Number::Int(if amount.negative { -whole } else { whole }));
    }
    // Ten places, halves away from zero.
    let scaled = rest.checked_mul(10_000_000_000)?;
    let mut fraction = scaled / divisor + u128::from(scaled % divisor >= divisor - divisor / 2);
    if fraction == 10_000_000_000 {
        whole += 1;
        fraction = 0;
    }
    Some(fixed(arena, amount.negative, &format!("{whole}.{fraction:010}")))
}

fn fixed<'a>(arena: &impl Arena<'a>, negative: bool, text: &str) -> Number<'a> {
    Number::Text(arena.text(&format!("{}{text}", if negative { "-" } else { "" })))
}

fn exact<'a>(
    arena: &impl Arena<'a>,
    amount: &Amount<'_>,
    factor: u64,
    milli: bool,
) -> Result<Number<'a>, BuiltinError> {
    let mut value = amount.digits.parse::<BigUint>().unwrap_or_default() * factor;
    let mut divisor = BigUint::from(1_u8) << if milli { MILLI_SHIFT } else { 0 };
    let places = u32::try_from(amount.exponent.unsigned_abs()).unwrap_or(u32::MAX);
    let width = i64::try_from(amount.digits.len()).unwrap_or(i64::MAX);
    if value != BigUint::ZERO && amount.exponent.saturating_add(width) < -60 {
        // Far below the tenth place, whatever the unit.
        return Ok(fixed(arena, amount.negative, "0.0000000000"));
    }
    integer::check_bits(u64::from(places) * 4 + value.bits())?;
    let scale = BigUint::from(10_u8).pow(places);
    if amount.exponent < 0 {
        divisor *= scale;
    } else {
        value *= scale;
    }
    let sign = if amount.negative { num_bigint::Sign::Minus } else { num_bigint::Sign::Plus };
    if &value % &divisor == BigUint::ZERO {
        return integer::to_number(arena, &BigInt::from_biguint(sign, value / divisor));
    }
    let ten_places = 10_000_000_000_u64;
    let rounded = (value * ten_places * 2_u8 + &divisor) / (divisor * 2_u8);
    let (whole, fraction) = (&rounded / ten_places, &rounded % ten_places);
    let fraction = format!("{:0>10}", fraction.to_string());
    Ok(fixed(arena, amount.negative, &format!("{whole}.{fraction}")))
}

fn parse_bytes<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    const NAME: &str = "units.parse_bytes";
    let text = operand::string(arguments, 1)?;
    call.spend(text.len() / 16)?;
    if let Some(value) = plain_bytes(text) {
        return Ok(Some(Value::int(value)));
    }
    let text = case::lower(text).replace('"', "");
    if text.contains(' ') {
        return problem(NAME, "spaces not allowed in resource strings");
    }
    let Some(end) = number_end(&text) else { return problem(NAME, "exponent too large") };
    let (number, unit) = text.split_at(end);
    if number.is_empty() {
        return problem(NAME, "no byte amount provided");
    }
    let Some(factor) = factor(unit, true) else {
        return problem(NAME, &format!("byte unit {unit} not recognized"));
    };
    if read(number).is_none() {
        return problem(NAME, "could not parse byte amount to a number");
    }
    let number = Number::Text(number);
    let amount = match Float::from_number(number) {
        Some(amount) => amount,
        // Far below one byte.
        None if text.contains("e-") => Float::ZERO,
        None => arithmetic::float(number)?,
    };
    let factor = Float::from_integer(&BigInt::from(factor));
    let bytes = integer::to_number(&call.arena, &amount.multiply(factor).truncated())?;
    Ok(Some(Value::Number(bytes)))
}

/// The usual case: digits and a unit, no fraction, within 63 bits.
fn plain_bytes(text: &str) -> Option<i64> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = (text.get(..end)?, text.get(end..)?);
    let unit = match unit.as_bytes() {
        [] => 1,
        [letter] => *DECIMAL.get(rank(*letter)?)?,
        [letter, b'i' | b'I'] => *BINARY.get(rank(*letter)?)?,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(i64::try_from(unit).ok()?)
}
