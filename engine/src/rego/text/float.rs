//! 64-bit floats as Go's `strconv.FormatFloat` writes them.

use std::fmt::Write;

/// The kinds of text a float can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `%e`
    Exponent,
    /// `%f`
    Fixed,
    /// `%g`
    General,
    /// `%b`: the mantissa as an integer and a power of two.
    Binary,
    /// `%x`: the mantissa in hexadecimal and a power of two.
    Hexadecimal,
}

/// Digits and where the point stands: `0.d₁d₂… · 10^point`.
struct Decimal {
    digits: String,
    point: i32,
}

impl Decimal {
    /// From Rust's `d.ddde±x`.
    fn read(scientific: &str) -> Self {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
        let mut digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        digits.truncate(digits.trim_end_matches('0').len());
        let point = if digits.is_empty() { 0 } else { exponent.parse::<i32>().unwrap_or(0) + 1 };
        Self { digits, point }
    }

    /// The fewest digits that read back; where two are as near, the even one, as Go.
    fn shortest(value: f64) -> Self {
        let short = Self::read(&format!("{value:e}"));
        let places = short.digits.len().saturating_sub(1);
        let nearest = format!("{value:.places$e}");
        if nearest.parse() == Ok(value) { Self::read(&nearest) } else { short }
    }

    fn digit(&self, at: i32) -> char {
        let digit = usize::try_from(at).ok().and_then(|at| self.digits.as_bytes().get(at));
        digit.map_or('0', |digit| char::from(*digit))
    }

    fn exponent_form(&self, places: usize, upper: bool) -> String {
        let mut text = String::new();
        text.push(self.digit(0));
        if places > 0 {
            text.push('.');
            for at in 1..=places {
                text.push(self.digit(i32::try_from(at).unwrap_or(i32::MAX)));
            }
        }
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        text.push(if upper { 'E' } else { 'e' });
        text.push(if exponent < 0 { '-' } else { '+' });
        // Writing to a string cannot fail.
        let _ = write!(text, "{:02}", exponent.unsigned_abs());
        text
    }

    fn fixed_form(&self, places: usize) -> String {
        let mut text = String::new();
        if self.point <= 0 {
            text.push('0');
        }
        for at in 0..self.point {
            text.push(self.digit(at));
        }
        if places > 0 {
            text.push('.');
            for at in 0..i32::try_from(places).unwrap_or(i32::MAX) {
                text.push(self.digit(self.point.saturating_add(at)));
            }
        }
        text
    }
}

/// No 64-bit float has more decimal places than 1074; what is asked for beyond them is zeros.
const MOST_PLACES: usize = 1100;

/// The text of a finite float; without a precision the shortest that reads back.
pub(super) fn text(value: f64, shape: Shape, precision: Option<usize>, upper: bool) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let value = value.abs();
    let unsigned = match (shape, precision) {
        (Shape::Fixed, Some(precision)) => {
            let exact = precision.min(MOST_PLACES);
            let zeros = std::iter::repeat_n('0', precision - exact);
            format!("{value:.exact$}").chars().chain(zeros).collect()
        }
        (Shape::Fixed, None) => {
            let decimal = Decimal::shortest(value);
            let places = i32::try_from(decimal.digits.len()).unwrap_or(i32::MAX) - decimal.point;
            decimal.fixed_form(usize::try_from(places).unwrap_or(0))
        }
        (Shape::Exponent, Some(precision)) => {
            Decimal::read(&format!("{value:.*e}", precision.min(MOST_PLACES))).exponent_form(precision, upper)
        }
        (Shape::Exponent, None) => {
            let decimal = Decimal::shortest(value);
            decimal.exponent_form(decimal.digits.len().saturating_sub(1), upper)
        }
        (Shape::General, _) => general(value, precision, upper),
        (Shape::Binary, _) => binary(value),
        (Shape::Hexadecimal, _) => hexadecimal(value, precision, upper),
    };
    format!("{sign}{unsigned}")
}

/// A float as Go's `%v` shows it.
pub(in crate::rego) fn go_float(value: f64) -> String {
    text(value, Shape::General, None, false)
}

fn general(value: f64, precision: Option<usize>, upper: bool) -> String {
    let (decimal, precision, threshold) = match precision {
        None => {
            let decimal = Decimal::shortest(value);
            let length = decimal.digits.len();
            (decimal, length, 6)
        }
        Some(precision) => {
            let precision = precision.max(1);
            let decimal = Decimal::read(&format!("{value:.*e}", (precision - 1).min(MOST_PLACES)));
            let length = decimal.digits.len();
            let whole = i32::try_from(length).is_ok_and(|length| length >= decimal.point);
            let threshold = if precision > length && whole { length } else { precision };
            (decimal, precision, threshold)
        }
    };
    let length = decimal.digits.len();
    let exponent = decimal.point - 1;
    if exponent < -4 || i32::try_from(threshold).is_ok_and(|threshold| exponent >= threshold) {
        return decimal.exponent_form(precision.min(length).saturating_sub(1), upper);
    }
    let wide = i32::try_from(precision).map_or(true, |precision| precision > decimal.point);
    let shown = if wide { length } else { precision };
    let places = i32::try_from(shown).unwrap_or(i32::MAX).saturating_sub(decimal.point);
    decimal.fixed_form(usize::try_from(places).unwrap_or(0))
}

/// Mantissa and binary exponent of a finite float: `mantissa · 2^exponent`.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    if exponent == 0 { (fraction, -1074) } else { (fraction | (1 << 52), exponent - 1075) }
}

fn binary(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    format!("{mantissa}p{exponent:+}")
}

fn hexadecimal(value: f64, precision: Option<usize>, upper: bool) -> String {
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // The leading 1 at bit 60, fifteen hexadecimal digits behind it.
        let shift = mantissa.leading_zeros() - 3;
        mantissa <<= shift;
        exponent += 60 - i32::try_from(shift).unwrap_or(0);
    }
    if let Some(places) = precision.filter(|places| *places < 15) {
        let dropped = u32::try_from(4 * (15 - places)).unwrap_or(0);
        let extra = mantissa & ((1 << dropped) - 1);
        mantissa -= extra;
        let half = 1_u64 << (dropped - 1);
        if extra > half || (extra == half && mantissa & (half << 1) != 0) {
            mantissa += half << 1;
        }
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let digits = format!("{:015x}", mantissa & ((1 << 60) - 1));
    let digits = match precision {
        None => digits.trim_end_matches('0').to_owned(),
        Some(places) if places <= 15 => digits.get(..places).unwrap_or_default().to_owned(),
        Some(places) => digits.chars().chain(std::iter::repeat_n('0', places - 15)).collect(),
    };
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    let text = format!("0x{}{point}{digits}p{sign}{:02}", mantissa >> 60, exponent.unsigned_abs());
    if upper { text.to_ascii_uppercase() } else { text }
}

/// What the flag `#` adds: a decimal point always, and for `%g` the zeros that were left off.
pub(super) fn keep_zeros(text: &mut String, shape: Shape, precision: Option<usize>, verb: char) {
    let mut missing = match shape {
        Shape::General => precision.unwrap_or(6),
        Shape::Hexadecimal if verb == 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let tail_at = match shape {
        Shape::Hexadecimal => text.find(['p', 'P']),
        _ => text.find(['e', 'E']),
    };
    let tail = tail_at.map(|at| text.split_off(at)).unwrap_or_default();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut significant = false;
    for character in digits.chars().filter(|character| *character != '.') {
        significant |= character != '0';
        missing = missing.saturating_sub(usize::from(significant));
    }
    if !text.contains('.') {
        if text.trim_start_matches('-') == "0" {
            missing = missing.saturating_sub(1);
        }
        text.push('.');
    }
    text.extend(std::iter::repeat_n('0', missing));
    text.push_str(&tail);
}
