//! Text to times.

use super::calendar::{Civil, MONTHS, WEEKDAYS, days_before, days_in, is_leap};
use super::layout::{Offset, Part, next_part};
use crate::rego::text::quote::write_quoted;

/// Why a part cannot be read.
enum Bad {
    /// It is not there.
    Part,
    /// It is, but there is no such time: what is out of range.
    Range(&'static str),
}

type Read<'v, T> = Result<(T, &'v [u8]), Bad>;

/// What was read.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: i64,
    afternoon: Option<bool>,
    offset: Option<i64>,
    utc: bool,
    zone: Vec<u8>,
}

/// The seconds since 1970 and the nanoseconds of a time in a layout. A zone known by name only counts as
/// universal time, but for `GMT` with an offset.
///
/// # Errors
/// In Go's words.
pub(in crate::rego) fn parse(layout: &str, value: &str) -> Result<(Option<i64>, i64), String> {
    let mut fields = Fields::default();
    let (mut rest_layout, mut rest) = (layout.as_bytes(), value.as_bytes());
    loop {
        let next = next_part(rest_layout);
        let literal = next.map_or(rest_layout, |(before, ..)| before);
        rest = skip(rest, literal).map_err(|left| cannot(layout, value, literal, left))?;
        let Some((before, part, after)) = next else {
            if rest.is_empty() {
                break;
            }
            return Err(wrong(value, &format!(": extra text: {}", quoted(rest))));
        };
        let text = rest_layout.get(before.len()..rest_layout.len() - after.len()).unwrap_or_default();
        rest_layout = after;
        rest = match fields.read(part, rest, rest_layout) {
            Ok(left) => left,
            Err(Bad::Part) => return Err(cannot(layout, value, text, rest)),
            Err(Bad::Range(what)) => return Err(wrong(value, &format!(": {what} out of range"))),
        };
    }
    fields.finish(value)
}

fn quoted(text: &[u8]) -> String {
    let mut out = String::new();
    write_quoted(&mut out, &String::from_utf8_lossy(text), false);
    out
}

fn wrong(value: &str, what: &str) -> String {
    format!("parsing time {}{what}", quoted(value.as_bytes()))
}

fn cannot(layout: &str, value: &str, part: &[u8], rest: &[u8]) -> String {
    let (value, layout) = (quoted(value.as_bytes()), quoted(layout.as_bytes()));
    format!("parsing time {value} as {layout}: cannot parse {} as {}", quoted(rest), quoted(part))
}

/// Passes literal text; one space stands for any number of them.
fn skip<'v>(value: &'v [u8], literal: &[u8]) -> Result<&'v [u8], &'v [u8]> {
    let (mut value, mut literal) = (value, literal);
    let without_spaces = |text: &'v [u8]| {
        let spaces = text.iter().take_while(|byte| **byte == b' ').count();
        text.get(spaces..).unwrap_or_default()
    };
    while let Some((wanted, rest)) = literal.split_first() {
        if *wanted == b' ' {
            if value.first().is_some_and(|byte| *byte != b' ') {
                return Err(value);
            }
            let spaces = literal.iter().take_while(|byte| **byte == b' ').count();
            literal = literal.get(spaces..).unwrap_or_default();
            value = without_spaces(value);
            continue;
        }
        match value.split_first() {
            Some((byte, after)) if byte == wanted => value = after,
            _ => return Err(value),
        }
        literal = rest;
    }
    Ok(value)
}

fn digit(text: &[u8], at: usize) -> Option<i64> {
    text.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| i64::from(byte - b'0'))
}

/// One digit or two; two if `fixed`.
fn number(text: &[u8], fixed: bool) -> Read<'_, i64> {
    match (digit(text, 0), digit(text, 1)) {
        (Some(tens), Some(ones)) => Ok((tens * 10 + ones, text.get(2..).unwrap_or_default())),
        (Some(ones), None) if !fixed => Ok((ones, text.get(1..).unwrap_or_default())),
        _ => Err(Bad::Part),
    }
}

fn split(text: &[u8], at: usize) -> Read<'_, &[u8]> {
    text.split_at_checked(at).ok_or(Bad::Part)
}

/// A name from a list, in any case; the first that fits.
fn name<'v>(text: &'v [u8], names: &[&str], short: bool) -> Read<'v, i64> {
    let found = names.iter().enumerate().find_map(|(at, name)| {
        let name = if short { name.get(..3)? } else { name };
        let (head, rest) = text.split_at_checked(name.len())?;
        head.eq_ignore_ascii_case(name.as_bytes()).then_some((i64::try_from(at).ok()?, rest))
    });
    found.ok_or(Bad::Part)
}

fn in_range(value: i64, range: std::ops::RangeInclusive<i64>, what: &'static str) -> Result<i64, Bad> {
    if range.contains(&value) { Ok(value) } else { Err(Bad::Range(what)) }
}

/// The nanoseconds of a separator and digits; more than nine are cut off.
fn nanoseconds(text: &[u8]) -> Result<i64, Bad> {
    let (separator, digits) = text.split_first().ok_or(Bad::Part)?;
    if !matches!(separator, b'.' | b',') || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Bad::Part);
    }
    let value = (0..9).fold(0, |value, at| value * 10 + digit(digits, at).unwrap_or(0));
    Ok(value)
}

impl Fields {
    fn read<'v>(&mut self, part: Part, text: &'v [u8], layout: &[u8]) -> Result<&'v [u8], Bad> {
        Ok(match part {
            Part::Year => {
                let (digits, rest) = split(text, 2)?;
                let (Some(tens), Some(ones)) = (digit(digits, 0), digit(digits, 1)) else {
                    return Err(Bad::Part);
                };
                let year = tens * 10 + ones;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
                rest
            }
            Part::LongYear => {
                let (digits, rest) = split(text, 4)?;
                if !digits.iter().all(u8::is_ascii_digit) {
                    return Err(Bad::Part);
                }
                self.year = (0..4).fold(0, |year, at| year * 10 + digit(digits, at).unwrap_or(0));
                rest
            }
            Part::Month | Part::LongMonth => {
                let (month, rest) = name(text, &MONTHS, part == Part::Month)?;
                self.month = Some(month + 1);
                rest
            }
            Part::NumMonth | Part::ZeroMonth => {
                let (month, rest) = number(text, part == Part::ZeroMonth)?;
                self.month = Some(in_range(month, 1..=12, "month")?);
                rest
            }
            Part::WeekDay | Part::LongWeekDay => name(text, &WEEKDAYS, part == Part::WeekDay)?.1,
            Part::Day | Part::UnderDay | Part::ZeroDay => {
                let text =
                    if part == Part::UnderDay { text.strip_prefix(b" ").unwrap_or(text) } else { text };
                let (day, rest) = number(text, part == Part::ZeroDay)?;
                self.day = Some(day);
                rest
            }
            Part::UnderYearDay | Part::ZeroYearDay => self.read_year_day(text, part == Part::ZeroYearDay)?,
            Part::Hour => {
                let (hour, rest) = number(text, false)?;
                self.hour = in_range(hour, 0..=23, "hour")?;
                rest
            }
            Part::Hour12 | Part::ZeroHour12 => {
                let (hour, rest) = number(text, part == Part::ZeroHour12)?;
                self.hour = in_range(hour, 0..=12, "hour")?;
                rest
            }
            Part::Minute | Part::ZeroMinute => {
                let (minute, rest) = number(text, part == Part::ZeroMinute)?;
                self.minute = in_range(minute, 0..=59, "minute")?;
                rest
            }
            Part::Second | Part::ZeroSecond => self.read_second(text, part == Part::ZeroSecond, layout)?,
            Part::UpperPm | Part::LowerPm => {
                let (half, rest) = split(text, 2)?;
                self.afternoon = Some(match (half, part) {
                    (b"PM", Part::UpperPm) | (b"pm", Part::LowerPm) => true,
                    (b"AM", Part::UpperPm) | (b"am", Part::LowerPm) => false,
                    _ => return Err(Bad::Part),
                });
                rest
            }
            Part::Offset(form) => self.read_offset(text, form)?,
            Part::ZoneName => {
                if let Some(rest) = text.strip_prefix(b"UTC") {
                    self.utc = true;
                    return Ok(rest);
                }
                let (zone, rest) = split(text, zone_length(text).ok_or(Bad::Part)?)?;
                self.zone = zone.to_vec();
                rest
            }
            Part::Fraction { digits, trimmed: false, .. } => {
                let (fraction, rest) = split(text, 1 + digits)?;
                self.nanosecond = nanoseconds(fraction)?;
                rest
            }
            Part::Fraction { .. } => {
                let separated = matches!(text.first(), Some(b'.' | b','));
                let digits = text.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
                if !separated || digits == 0 {
                    return Ok(text);
                }
                let (fraction, rest) = split(text, 1 + digits)?;
                self.nanosecond = nanoseconds(fraction)?;
                rest
            }
        })
    }

    fn read_year_day<'v>(&mut self, text: &'v [u8], fixed: bool) -> Result<&'v [u8], Bad> {
        let mut text = text;
        if !fixed {
            for _ in 0..2 {
                text = text.strip_prefix(b" ").unwrap_or(text);
            }
        }
        let digits = text.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || (fixed && digits != 3) {
            return Err(Bad::Part);
        }
        self.year_day = Some((0..digits).fold(0, |day, at| day * 10 + digit(text, at).unwrap_or(0)));
        Ok(text.get(digits..).unwrap_or_default())
    }

    /// A second, and its fraction even if the layout has none.
    fn read_second<'v>(&mut self, text: &'v [u8], fixed: bool, layout: &[u8]) -> Result<&'v [u8], Bad> {
        let (second, rest) = number(text, fixed)?;
        self.second = in_range(second, 0..=59, "second")?;
        if !matches!(rest.first(), Some(b'.' | b',')) || digit(rest, 1).is_none() {
            return Ok(rest);
        }
        if matches!(next_part(layout), Some((_, Part::Fraction { .. }, _))) {
            return Ok(rest);
        }
        let digits = rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = split(rest, 1 + digits)?;
        self.nanosecond = nanoseconds(fraction)?;
        Ok(rest)
    }

    fn read_offset<'v>(&mut self, text: &'v [u8], form: Offset) -> Result<&'v [u8], Bad> {
        if form.z
            && let Some(rest) = text.strip_prefix(b"Z")
        {
            self.utc = true;
            return Ok(rest);
        }
        let pairs = 1 + usize::from(form.minutes) + usize::from(form.seconds);
        let step = 2 + usize::from(form.colons);
        let length = 1 + pairs * step - usize::from(form.colons);
        let (written, rest) = split(text, length)?;
        let mut values = [0; 3];
        for (at, value) in values.iter_mut().take(pairs).enumerate() {
            let start = 1 + at * step;
            if at > 0 && form.colons && written.get(start - 1) != Some(&b':') {
                return Err(Bad::Part);
            }
            (*value, _) = number(written.get(start..start + 2).unwrap_or_default(), true)?;
        }
        let [hours, minutes, seconds] = values;
        in_range(hours, 0..=24, "time zone offset hour")?;
        in_range(minutes, 0..=60, "time zone offset minute")?;
        in_range(seconds, 0..=60, "time zone offset second")?;
        let offset = (hours * 60 + minutes) * 60 + seconds;
        self.offset = Some(match written.first() {
            Some(b'+') => offset,
            Some(b'-') => -offset,
            _ => return Err(Bad::Part),
        });
        Ok(rest)
    }

    fn finish(self, value: &str) -> Result<(Option<i64>, i64), String> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = match self.year_day {
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
            Some(year_day) => {
                let (month, day) = from_year_day(self.year, year_day)
                    .ok_or_else(|| wrong(value, ": day-of-year out of range"))?;
                if self.month.is_some_and(|given| given != month) {
                    return Err(wrong(value, ": day-of-year does not match month"));
                }
                if self.day.is_some_and(|given| given != day) {
                    return Err(wrong(value, ": day-of-year does not match day"));
                }
                (month, day)
            }
        };
        if day < 1 || day > days_in(month, self.year) {
            return Err(wrong(value, ": day out of range"));
        }
        let civil = Civil {
            year: self.year,
            month,
            day,
            hour,
            minute: self.minute,
            second: self.second,
            nanosecond: self.nanosecond,
        };
        // -1 is Go's mark for "none given", and so -1 second is none.
        let offset = match self.offset {
            _ if self.utc => 0,
            Some(offset) if offset != -1 => offset,
            _ => self
                .zone
                .strip_prefix(b"GMT")
                .and_then(|hours| std::str::from_utf8(hours).ok())
                .map_or(0, |hours| hours.parse::<i64>().unwrap_or(0) * 3_600),
        };
        // A name with an hour (`GMT-3`) keeps its time of day: Go only remembers the offset.
        let shift = if self.utc || self.offset.is_some_and(|offset| offset != -1) { offset } else { 0 };
        Ok((civil.seconds().map(|seconds| seconds - shift), self.nanosecond))
    }
}

fn from_year_day(year: i64, year_day: i64) -> Option<(i64, i64)> {
    let mut year_day = year_day;
    if is_leap(year) {
        if year_day == 60 {
            return Some((2, 29));
        }
        year_day -= i64::from(year_day > 60);
    }
    if !(1..=365).contains(&year_day) {
        return None;
    }
    let month = (1..=12).rfind(|month| days_before(*month) < year_day)?;
    Some((month, year_day - days_before(month)))
}

/// The length of what looks like the name of a zone.
fn zone_length(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_offset(rest));
    }
    if matches!(text.first(), Some(b'+' | b'-')) {
        return Some(signed_offset(text)).filter(|length| *length > 0);
    }
    let upper = text.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    match upper {
        5 if text.get(4) == Some(&b'T') => Some(5),
        4 if text.get(3) == Some(&b'T') || text.starts_with(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

/// The length of a sign and an hour up to 23; 0 if there is none.
fn signed_offset(text: &[u8]) -> usize {
    if !matches!(text.first(), Some(b'+' | b'-')) {
        return 0;
    }
    let digits = text.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
    let hours =
        (1..=digits).try_fold(0_i64, |hours, at| hours.checked_mul(10)?.checked_add(digit(text, at)?));
    if digits > 0 && hours.is_some_and(|hours| hours <= 23) { 1 + digits } else { 0 }
}
