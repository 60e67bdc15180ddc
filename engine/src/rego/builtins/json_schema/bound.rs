//! Numbers compared exactly: as decimals, whatever their size.

use crate::rego::number::float::Float;
use crate::value::Number;
use num_bigint::{BigInt, Sign};
use std::cmp::Ordering;

/// The largest power of ten that is computed with.
const MAX_POWER: i64 = 40_000;

/// `digits · 10^power`
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    digits: BigInt,
    power: i64,
    /// For messages: with the fewest digits of a float of 64 bits, as Go's `%g`.
    shown: String,
}

impl Decimal {
    /// The number; `None` if it is larger than is computed with.
    pub(super) fn new(number: Number<'_>) -> Option<Self> {
        let text = match number {
            Number::Int(value) => value.to_string(),
            Number::Text(text) => text.to_owned(),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent: i64 = exponent.parse().ok()?;
        let power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        if power.abs() > MAX_POWER {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { digits, power, shown: Float::from_number(number)?.general() })
    }

    /// The digits at a lower power.
    fn at(&self, power: i64) -> BigInt {
        let by = u32::try_from(self.power - power).unwrap_or(0);
        &self.digits * BigInt::from(10).pow(by)
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let power = self.power.min(other.power);
        self.at(power).cmp(&other.at(power))
    }

    pub(super) fn is_positive(&self) -> bool {
        self.digits.sign() == Sign::Plus
    }

    pub(super) fn is_integer(&self) -> bool {
        self.power >= 0
            || &self.digits % BigInt::from(10).pow(u32::try_from(-self.power).unwrap_or(0)) == BigInt::ZERO
    }

    /// Whether it is a multiple of another, which is not 0.
    pub(super) fn is_multiple_of(&self, other: &Self) -> bool {
        let power = self.power.min(other.power);
        self.at(power) % other.at(power) == BigInt::ZERO
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }
}
