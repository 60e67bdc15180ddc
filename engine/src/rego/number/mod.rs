//! Numbers as OPA computes them: integers of any size exactly; everything else as binary floats with a 64-bit
//! mantissa, rounded to nearest even, written with the fewest digits that read back as the same float.
//!
//! [`arithmetic`] has the operators, with a short way for two small integers; [`float`] the floats and
//! [`digits`] their text; [`integer`] the exact integers.

#![allow(clippy::format_push_string, reason = "shorter than writing, and on no path that is hot")]

pub(super) mod arithmetic;
mod digits;
pub(super) mod float;
pub(super) mod integer;

use crate::value::Number;

/// The integer that OPA takes a number for where it asks for one: written without exponent, with nothing but
/// zeros after the point, within 64 bits.
pub(super) fn int64(number: Number<'_>) -> Option<i64> {
    match number {
        Number::Int(value) => Some(value),
        Number::Text(text) => {
            let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
            if unsigned.len() > 19 {
                return None;
            }
            let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
            if !whole.bytes().all(|digit| digit.is_ascii_digit())
                || fraction.bytes().any(|digit| digit != b'0')
            {
                return None;
            }
            match whole {
                // `.0` is a number of Go, and 0.
                "" => Some(0),
                _ if text.starts_with('-') => format!("-{whole}").parse().ok(),
                _ => whole.parse().ok(),
            }
        }
    }
}
