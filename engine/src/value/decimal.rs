//! Comparing decimal texts by their exact value, without making numbers of them.

use std::cmp::Ordering;

/// A number as its significant digits: `±0.d₁d₂d₃… · 10^point`, d₁ not 0.
struct Decimal<'t> {
    negative: bool,
    /// The digits before the decimal point, or all of them.
    whole: &'t [u8],
    /// The digits after it.
    fraction: &'t [u8],
    /// Where the point stands relative to the first significant digit.
    point: i64,
}

impl<'t> Decimal<'t> {
    fn read(text: &'t str) -> Self {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            // What `to_number` has read may begin with it.
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = whole.trim_start_matches('0').as_bytes();
        let fraction = fraction.trim_end_matches('0').as_bytes();
        // An exponent beyond 64 bits stands for the largest there is: no other number comes near it.
        let exponent = exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') {
            i64::MIN / 4
        } else {
            i64::MAX / 4
        });
        let (whole, fraction, shift) = if whole.is_empty() {
            let zeros = fraction.iter().take_while(|digit| **digit == b'0').count();
            (whole, fraction.get(zeros..).unwrap_or_default(), -signed(zeros))
        } else {
            (whole, fraction, signed(whole.len()))
        };
        Self { negative, whole, fraction, point: exponent.saturating_add(shift) }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).copied()
    }

    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        self.point.cmp(&other.point).then_with(|| {
            let mut left = self.digits();
            let mut right = other.digits();
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return Ordering::Equal,
                    // Trailing zeros of integers are digits here, and mean nothing.
                    (a, b) if a.unwrap_or(b'0') == b.unwrap_or(b'0') => {}
                    (a, b) => return a.unwrap_or(b'0').cmp(&b.unwrap_or(b'0')),
                }
            }
        })
    }
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX / 4)
}

/// The usual number, `digits · 10^-places`: at most 18 digits, no exponent.
fn short(text: &str) -> Option<(i64, u32)> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', unsigned @ ..] => (true, unsigned),
        unsigned => (false, unsigned),
    };
    if unsigned.is_empty() || unsigned.len() > 19 {
        return None;
    }
    let (mut value, mut places, mut behind, mut digits) = (0_i64, 0, 0, 0);
    for byte in unsigned {
        match byte {
            b'0'..=b'9' if digits == 18 => return None,
            b'0'..=b'9' => {
                value = value * 10 + i64::from(byte - b'0');
                places += behind;
                digits += 1;
            }
            b'.' if behind == 0 => behind = 1,
            _ => return None,
        }
    }
    (digits > 0).then_some((if negative { -value } else { value }, places))
}

/// How two JSON number texts compare as numbers.
///
/// One exception, which is OPA's: two fractions of more than 15 digits that are both written with trailing
/// zeros are equal if their nearest 64-bit floats are.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    if let (Some((left, left_places)), Some((right, right_places))) = (short(left), short(right)) {
        // 18 digits and 18 more stay well within 128 bits.
        let scaled = |value: i64, places: u32| i128::from(value) * 10_i128.pow(18 - places);
        return scaled(left, left_places).cmp(&scaled(right, right_places));
    }
    if padded_fraction(left) && padded_fraction(right) {
        let both = (left.parse::<f64>(), right.parse::<f64>());
        let long = left.len().max(right.len()) > 16;
        if long && matches!(both, (Ok(a), Ok(b)) if a.is_finite() && a.total_cmp(&b).is_eq()) {
            return Ordering::Equal;
        }
    }
    let (left, right) = (Decimal::read(left), Decimal::read(right));
    match (left.is_zero(), right.is_zero()) {
        (true, true) => Ordering::Equal,
        (true, false) if right.negative => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, true) if left.negative => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => match (left.negative, right.negative) {
            (false, false) => left.compare_magnitude(&right),
            (true, true) => right.compare_magnitude(&left),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        },
    }
}

/// Whether a text has a point, ends in zeros, and is still a fraction without them.
fn padded_fraction(text: &str) -> bool {
    text.ends_with('0') && text.trim_end_matches(['.', '0']).contains('.')
}

#[cfg(test)]
mod tests {
    use super::compare;
    use std::cmp::Ordering::{Equal, Less};

    #[test]
    fn numbers_compare_by_value_however_they_are_written() {
        for (left, right, order) in [
            ("1", "1.0", Equal),
            ("1e3", "1000", Equal),
            ("-0", "0.00", Equal),
            ("120e-2", "1.2", Equal),
            ("0.001", "1e-3", Equal),
            ("9007199254740993", "9007199254740992.5", super::Ordering::Greater),
            ("-1", "1", Less),
            ("-2", "-1.5", Less),
            ("0", "1e-300", Less),
            ("99999999999999999999", "1e20", Less),
            ("1e99999999999999999999", "1e999", super::Ordering::Greater),
            ("1.10", "1.2", Less),
            ("0.000000000000000001", "0.00000000000000000100", Equal),
            ("999999999999999999", "-0.99999999999999999", super::Ordering::Greater),
            ("0.1000000000", "0.25", Less),
            ("+1", "1", Equal),
            ("+.5", "0.5", Equal),
            ("1.", "+1e0", Equal),
            ("-.5", "+.5", Less),
        ] {
            assert_eq!(compare(left, right), order, "{left} {right}");
            assert_eq!(compare(right, left), order.reverse(), "{right} {left}");
        }
    }
}
