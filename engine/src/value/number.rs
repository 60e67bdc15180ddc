//! Numbers without loss: 64-bit integers as themselves, everything else as its JSON text.

use super::decimal;
use std::cmp::Ordering;

/// A JSON number. Kubernetes objects hold almost only small integers; what is not one keeps the digits that
/// were sent (RFC 8259 §6), so a value that passes through is written back unchanged.
#[derive(Clone, Copy, Debug)]
pub enum Number<'a> {
    /// An integer that fits 64 bits.
    Int(i64),
    /// Any other number, as its JSON text.
    Text(&'a str),
}

impl<'a> Number<'a> {
    /// Reads a JSON number token that the caller has already checked against the grammar.
    pub fn from_token(token: &'a str) -> Self {
        match token.parse::<i64>() {
            // "-0" is the number zero, but Go's encoding/json keeps its sign; so does the text.
            Ok(value) if token != "-0" => Number::Int(value),
            _ => Number::Text(token),
        }
    }

    /// The integer, if it is one within 64 bits, also when written `1.0` or `1e3`.
    pub fn as_int(self) -> Option<i64> {
        match self {
            Number::Int(value) => Some(value),
            Number::Text(_) => {
                let value = self.as_f64();
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "checked to be an exact integer in range"
                )]
                (value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0).then_some(value as i64)
            }
        }
    }

    /// The number as the place of an element in an array, as OPA reads it from the text: `2`, `2.0` and `-0` are
    /// places, `0.2e1` is none.
    pub fn as_place(self) -> Option<usize> {
        let whole = match self {
            Number::Int(value) => return usize::try_from(value).ok(),
            Number::Text(text) => text.split_once('.').map_or(text, |(whole, fraction)| {
                if fraction.bytes().all(|digit| digit == b'0') { whole } else { text }
            }),
        };
        usize::try_from(whole.parse::<i64>().ok()?).ok()
    }

    /// The nearest 64-bit float.
    pub fn as_f64(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
            Number::Int(value) => value as f64,
            Number::Text(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// Numeric order, by exact value.
    pub fn compare(self, other: Number<'_>) -> Ordering {
        match (self, other) {
            (Number::Int(left), Number::Int(right)) => left.cmp(&right),
            (Number::Text(left), Number::Text(right)) => decimal::compare(left, right),
            (Number::Int(left), Number::Text(right)) => decimal::compare(&left.to_string(), right),
            (Number::Text(left), Number::Int(right)) => decimal::compare(left, &right.to_string()),
        }
    }
}

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.compare(*other) == Ordering::Equal
    }
}

impl std::fmt::Display for Number<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Int(value) => value.fmt(formatter),
            Number::Text(text) => formatter.write_str(text),
        }
    }
}
