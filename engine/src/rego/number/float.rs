//! Binary floats with a 64-bit mantissa, rounded to nearest even: what Go's `big.Float` is at its default
//! precision, which is where OPA computes what is not an integer.

use super::digits;
use crate::value::{Arena, Number};
use num_bigint::{BigInt, BigUint, Sign};
use std::cmp::Ordering;

/// `±mantissa · 2^exponent`; the mantissa has its top bit set, or is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rego) struct Float {
    negative: bool,
    mantissa: u64,
    exponent: i64,
}

/// Decimal exponents beyond this are no numbers to OPA (it stops at 2^±100000).
const MAX_DECIMAL_EXPONENT: i64 = 31_000;

impl Float {
    /// Positive zero.
    pub(in crate::rego) const ZERO: Float = Float { negative: false, mantissa: 0, exponent: 0 };

    /// One half.
    pub(in crate::rego) const HALF: Float = Float { negative: false, mantissa: 1 << 63, exponent: -64 };

    /// One.
    pub(in crate::rego) const ONE: Float = Float { negative: false, mantissa: 1 << 63, exponent: -63 };

    /// The nearest float to a number; `None` if its exponent is out of bounds.
    pub(in crate::rego) fn from_number(number: Number<'_>) -> Option<Self> {
        match number {
            Number::Int(value) => Some(Self::from_parts(value < 0, value.unsigned_abs(), 0)),
            Number::Text(text) => Self::parse(text),
        }
    }

    fn from_parts(negative: bool, mantissa: u64, exponent: i64) -> Self {
        if mantissa == 0 {
            return Self { negative, mantissa: 0, exponent: 0 };
        }
        let shift = mantissa.leading_zeros();
        Self { negative, mantissa: mantissa << shift, exponent: exponent - i64::from(shift) }
    }

    fn parse(text: &str) -> Option<Self> {
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = whole.trim_start_matches('0');
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let digits = whole.len() + fraction.len();
        if digits <= 19 {
            let mut value = 0_u64;
            for digit in whole.bytes().chain(fraction.bytes()) {
                value = value * 10 + u64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
            }
            if value == 0 {
                return Some(Self { negative, ..Self::ZERO });
            }
            if exponent == 0 {
                return Some(Self::from_parts(negative, value, 0));
            }
            if let Some(power) = small_power_of_five(exponent.unsigned_abs()) {
                let value = Self::from_parts(negative, value, exponent);
                let power = Self::from_parts(false, power, 0);
                return Some(if exponent < 0 { value.divide(power) } else { value.multiply(power) });
            }
        }
        let value: BigUint = format!("0{whole}{fraction}").parse().ok()?;
        if value == BigUint::ZERO {
            return Some(Self { negative, ..Self::ZERO });
        }
        if exponent == 0 {
            return Some(Self::rounded(negative, &value, 0, false));
        }
        if exponent.abs() > MAX_DECIMAL_EXPONENT {
            return None;
        }
        // 10^n is 5^n · 2^n; the power of five is itself rounded, to 128 bits, as Go does it.
        let power = power_of_five(exponent.unsigned_abs());
        Some(if exponent < 0 {
            Self::quotient(negative, &value, exponent, &power)
        } else {
            Self::rounded(negative, &(value * power.0), exponent.checked_add(power.1)?, false)
        })
    }

    /// The float nearest to `mantissa · 2^exponent`, plus something less than the last bit if `more`.
    fn rounded(negative: bool, mantissa: &BigUint, exponent: i64, more: bool) -> Self {
        let (mantissa, exponent) = round(mantissa, exponent, more, 64);
        let digits = mantissa.to_u64_digits();
        Self::from_parts(negative, digits.first().copied().unwrap_or(0), exponent)
    }

    fn quotient(negative: bool, value: &BigUint, exponent: i64, divisor: &(BigUint, i64)) -> Self {
        let width = |value: &BigUint| i64::try_from(value.bits()).unwrap_or(i64::MAX);
        // Enough bits for 64 and a rounding bit.
        let shift = (width(&divisor.0) - width(value) + 66).max(0);
        let shifted = value << shift;
        let quotient = &shifted / &divisor.0;
        let rest = &quotient * &divisor.0 != shifted;
        Self::rounded(negative, &quotient, exponent - shift - divisor.1, rest)
    }

    /// Whether this is zero of either sign.
    pub(in crate::rego) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether the sign bit is set (also of `-0`).
    pub(in crate::rego) fn is_negative(self) -> bool {
        self.negative
    }

    /// Whether this is an integer.
    pub(in crate::rego) fn is_integer(self) -> bool {
        self.mantissa == 0 || self.exponent + i64::from(self.mantissa.trailing_zeros()) >= 0
    }

    /// The integer part.
    pub(in crate::rego) fn truncated(self) -> BigInt {
        let sign = if self.negative { Sign::Minus } else { Sign::Plus };
        let mantissa = BigUint::from(self.mantissa);
        let magnitude = if self.exponent >= 0 {
            mantissa << self.exponent
        } else {
            mantissa >> self.exponent.unsigned_abs()
        };
        BigInt::from_biguint(sign, magnitude)
    }

    /// The nearest float to an integer.
    pub(in crate::rego) fn from_integer(value: &BigInt) -> Self {
        Self::rounded(value.sign() == Sign::Minus, value.magnitude(), 0, false)
    }

    /// Without its sign.
    pub(in crate::rego) fn absolute(self) -> Self {
        Self { negative: false, ..self }
    }

    /// With the other sign.
    pub(in crate::rego) fn negated(self) -> Self {
        Self { negative: !self.negative, ..self }
    }

    /// The sum.
    pub(in crate::rego) fn add(self, other: Self) -> Self {
        if self.is_zero() || other.is_zero() {
            return match (self.is_zero(), other.is_zero()) {
                (true, true) => Self { negative: self.negative && other.negative, ..Self::ZERO },
                (true, false) => other,
                _ => self,
            };
        }
        let (larger, smaller) = if (self.exponent, self.mantissa) >= (other.exponent, other.mantissa) {
            (self, other)
        } else {
            (other, self)
        };
        let gap = larger.exponent - smaller.exponent;
        let (top, low) = (u128::from(larger.mantissa), u128::from(smaller.mantissa));
        if larger.negative == smaller.negative {
            // One bit of head room; what falls off the smaller one's end only matters as "more than nothing".
            let top = top << 62;
            let (low, more) = shifted_right(low << 62, gap);
            return Self::from_wide(larger.negative, top + low, larger.exponent - 62, more, 64);
        }
        let top = top << 63;
        let (low, more) = shifted_right(low << 63, gap);
        let mut difference = top - low;
        if more {
            difference -= 1;
        }
        if difference == 0 && !more {
            return Self::ZERO;
        }
        Self::from_wide(larger.negative, difference, larger.exponent - 63, more, 64)
    }

    /// The product.
    pub(in crate::rego) fn multiply(self, other: Self) -> Self {
        let negative = self.negative != other.negative;
        let product = u128::from(self.mantissa) * u128::from(other.mantissa);
        Self::from_wide(negative, product, self.exponent + other.exponent, false, 64)
    }

    /// The product rounded to the 53 bits of a double, without its bounds on the exponent.
    pub(in crate::rego) fn multiply_double(self, other: Self) -> Self {
        let negative = self.negative != other.negative;
        let product = u128::from(self.mantissa) * u128::from(other.mantissa);
        Self::from_wide(negative, product, self.exponent + other.exponent, false, 53)
    }

    /// The quotient; the divisor must not be zero.
    pub(in crate::rego) fn divide(self, other: Self) -> Self {
        let negative = self.negative != other.negative;
        if self.is_zero() || other.is_zero() {
            return Self { negative, ..Self::ZERO };
        }
        let (dividend, divisor) = (u128::from(self.mantissa) << 64, u128::from(other.mantissa));
        let (quotient, rest) = (dividend / divisor, dividend % divisor);
        // 64 or 65 bits: two more for rounding come from the rest.
        let (next, rest) = ((rest << 2) / divisor, (rest << 2) % divisor);
        Self::from_wide(negative, (quotient << 2) | next, self.exponent - other.exponent - 66, rest != 0, 64)
    }

    /// The float of `precision` bits (at most 64) nearest to `mantissa · 2^exponent`, plus something less than the
    /// last bit if `more`.
    fn from_wide(negative: bool, mantissa: u128, exponent: i64, more: bool, precision: u32) -> Self {
        if mantissa == 0 {
            return Self { negative, ..Self::ZERO };
        }
        let width = 128 - mantissa.leading_zeros();
        let Some(excess) = width.checked_sub(precision).filter(|excess| *excess > 0) else {
            return Self::from_parts(negative, low_half(mantissa), exponent);
        };
        let kept = low_half(mantissa >> excess);
        let dropped = mantissa & ((1_u128 << excess) - 1);
        let half = 1_u128 << (excess - 1);
        let up = match dropped.cmp(&half) {
            Ordering::Less => false,
            Ordering::Equal => more || kept % 2 == 1,
            Ordering::Greater => true,
        };
        let exponent = exponent + i64::from(excess);
        match kept.checked_add(u64::from(up)) {
            Some(kept) => Self::from_parts(negative, kept, exponent),
            None => Self { negative, mantissa: 1 << 63, exponent: exponent + 1 },
        }
    }

    /// As a number: an integer in full, anything else as the shortest text that reads back as this float.
    pub(in crate::rego) fn to_number<'a>(self, arena: &impl Arena<'a>) -> Number<'a> {
        if let Some(small) = self.to_i64() {
            return Number::Int(small);
        }
        self.written(arena, &digits::shortest(self.mantissa, self.exponent))
    }

    fn written<'a>(self, arena: &impl Arena<'a>, digits: &digits::Digits) -> Number<'a> {
        let sign = if self.negative { "-" } else { "" };
        let text = if self.is_integer() { digits.plain() } else { digits.general() };
        match text.parse() {
            Ok(small) if !self.negative => Number::Int(small),
            _ => Number::Text(arena.text(&format!("{sign}{text}"))),
        }
    }

    /// With the fewest digits that read back, as Go's `%g` shows it.
    pub(in crate::rego) fn general(self) -> String {
        let sign = if self.negative { "-" } else { "" };
        if self.mantissa == 0 {
            return format!("{sign}0");
        }
        format!("{sign}{}", digits::shortest(self.mantissa, self.exponent).general())
    }

    /// As [`Float::to_number`], for a float of 53 bits.
    pub(in crate::rego) fn double_to_number<'a>(self, arena: &impl Arena<'a>) -> Number<'a> {
        self.written(arena, &digits::shortest(self.mantissa >> 11, self.exponent + 11))
    }

    /// The integer that this is, if within 64 bits and not `-0`.
    fn to_i64(self) -> Option<i64> {
        if self.mantissa == 0 {
            return (!self.negative).then_some(0);
        }
        if !self.is_integer() || self.exponent > 0 {
            return None;
        }
        let magnitude = self.mantissa.checked_shr(u32::try_from(-self.exponent).ok()?)?;
        if self.negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
fn low_half(wide: u128) -> u64 {
    wide as u64
}

/// `value >> by`, and whether a set bit fell off.
fn shifted_right(value: u128, by: i64) -> (u128, bool) {
    match u32::try_from(by) {
        Ok(0) => (value, false),
        Ok(by @ 1..=127) => (value >> by, value & ((1 << by) - 1) != 0),
        _ => (0, value != 0),
    }
}

fn small_power_of_five(power: u64) -> Option<u64> {
    u32::try_from(power).ok().and_then(|power| 5_u64.checked_pow(power))
}

/// 5^power as a mantissa of at most 128 bits and an exponent, multiplied up in the steps that Go takes, each
/// rounded: the rounding is part of the answer.
fn power_of_five(power: u64) -> (BigUint, i64) {
    const LARGEST: u64 = 27;
    let small = |power: u64| BigUint::from(small_power_of_five(power).unwrap_or(1));
    let Some(mut rest) = power.checked_sub(LARGEST).filter(|rest| *rest > 0) else {
        return (small(power), 0);
    };
    let mut value = (small(LARGEST), 0);
    let mut factor = (BigUint::from(5_u8), 0);
    while rest > 0 {
        if rest % 2 == 1 {
            value = round(&(&value.0 * &factor.0), value.1 + factor.1, false, 128);
        }
        factor = round(&(&factor.0 * &factor.0), factor.1 + factor.1, false, 192);
        rest /= 2;
    }
    value
}

/// `mantissa · 2^exponent` (plus something less than the last bit if `more`) rounded to `precision` bits, to
/// nearest, ties to even.
fn round(mantissa: &BigUint, exponent: i64, more: bool, precision: u64) -> (BigUint, i64) {
    let Some(excess) = mantissa.bits().checked_sub(precision).filter(|excess| *excess > 0) else {
        return (mantissa.clone(), exponent);
    };
    let kept = mantissa >> excess;
    let half = mantissa.bit(excess - 1);
    let below = more || mantissa.trailing_zeros().is_some_and(|zeros| zeros < excess - 1);
    let up = half && (below || kept.bit(0));
    (if up { kept + 1_u8 } else { kept }, exponent.saturating_add_unsigned(excess))
}
