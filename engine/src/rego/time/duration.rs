//! Durations: Go's (`1h30m`), and OPA's days, weeks and years (`1d2h`).

use crate::rego::text::quote::write_quoted;

/// The nanoseconds of a duration.
///
/// # Errors
/// In Go's words.
pub(in crate::rego) fn parse_duration(text: &str) -> Result<i64, String> {
    if text.is_empty() || !text.contains(['d', 'w', 'y']) {
        return standard(text).map_err(|what| problem(&what, text));
    }
    let invalid = || problem("invalid duration", text);
    let rewritten = in_hours(text).ok_or_else(invalid)?;
    standard(&rewritten).map_err(|what| problem(&what, text))
}

fn problem(what: &str, text: &str) -> String {
    let mut out = format!("time: {what} ");
    write_quoted(&mut out, text, false);
    out
}

/// Days, weeks and years as hours; `None`: not a duration.
fn in_hours(text: &str) -> Option<String> {
    let (sign, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.get(..1)?, rest),
        None => ("", text),
    };
    let mut out = String::from(sign);
    loop {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (digits, after) = rest.split_at(end);
        if digits.is_empty() {
            return None;
        }
        let long = ["ms", "us", "µs", "ns"].into_iter().find(|unit| after.starts_with(unit));
        let unit = match long {
            Some(unit) => unit,
            None => {
                after.get(..1).filter(|unit| unit.as_bytes().first().is_some_and(u8::is_ascii_lowercase))?
            }
        };
        let hours = match unit {
            "d" => 24.0,
            "w" => 168.0,
            "y" => 8_760.0,
            _ => 0.0,
        };
        if hours > 0.0 {
            let value: f64 = digits.parse().ok()?;
            out.push_str(&format!("{}h", value * hours));
        } else {
            out.push_str(digits);
            out.push_str(unit);
        }
        rest = after.get(unit.len()..)?;
        if rest.is_empty() {
            return Some(out);
        }
    }
}

fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// The largest magnitude: that of the least number of nanoseconds.
const LIMIT: u64 = 1 << 63;

fn standard(text: &str) -> Result<i64, String> {
    let invalid = || "invalid duration".to_owned();
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (whole, after) = rest.split_at(end);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => {
                let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
                after.split_at(end)
            }
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        if whole > LIMIT {
            return Err(invalid());
        }
        if name.is_empty() {
            return Err("missing unit in duration".to_owned());
        }
        let Some(unit) = unit(name) else {
            let mut quoted = String::new();
            write_quoted(&mut quoted, name, false);
            return Err(format!("unknown unit {quoted} in duration"));
        };
        let value = whole.checked_mul(unit).filter(|value| *value <= LIMIT).ok_or_else(invalid)?;
        let value =
            value.checked_add(part_of(fraction, unit)).filter(|value| *value <= LIMIT).ok_or_else(invalid)?;
        total = total.checked_add(value).filter(|total| *total <= LIMIT).ok_or_else(invalid)?;
        rest = after;
    }
    if negative {
        return 0_i64.checked_sub_unsigned(total).ok_or_else(invalid);
    }
    i64::try_from(total).map_err(|_| invalid())
}

/// A fraction of a unit, as Go computes it: in floats. Digits that 63 bits do not hold are left off.
fn part_of(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes().map(|digit| u64::from(digit - b'0')) {
        if value > (LIMIT - 1) / 10 {
            break;
        }
        let next = value * 10 + digit;
        if next > LIMIT {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what Go does, number for number"
    )]
    let part = (value as f64 * (unit as f64 / scale)) as u64;
    part
}
