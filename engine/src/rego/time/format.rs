//! Times to text.

use super::calendar::{Civil, MONTHS, WEEKDAYS};
use super::layout::{Offset, Part, next_part};

/// A time in a layout: its date and time of day in a zone, the zone's offset in seconds and its name.
pub(in crate::rego) fn format(civil: &Civil, offset: i64, zone: &str, layout: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(layout.len() + 16);
    let mut rest = layout.as_bytes();
    while let Some((before, part, after)) = next_part(rest) {
        out.extend_from_slice(before);
        out.extend_from_slice(text(civil, offset, zone, part).as_bytes());
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

fn text(civil: &Civil, offset: i64, zone: &str, part: Part) -> String {
    let month =
        || usize::try_from(civil.month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or_default();
    let weekday = || WEEKDAYS.get(civil.weekday()).copied().unwrap_or_default();
    let short = |name: &str| name.get(..3).unwrap_or(name).to_owned();
    let two = |value: i64| format!("{value:02}");
    let hour12 = if civil.hour % 12 == 0 { 12 } else { civil.hour % 12 };
    let afternoon = civil.hour >= 12;
    match part {
        Part::LongMonth => month().to_owned(),
        Part::Month => short(month()),
        Part::NumMonth => civil.month.to_string(),
        Part::ZeroMonth => two(civil.month),
        Part::LongWeekDay => weekday().to_owned(),
        Part::WeekDay => short(weekday()),
        Part::Day => civil.day.to_string(),
        Part::UnderDay => format!("{:2}", civil.day),
        Part::ZeroDay => two(civil.day),
        Part::UnderYearDay => format!("{:3}", civil.day_of_year()),
        Part::ZeroYearDay => format!("{:03}", civil.day_of_year()),
        Part::Hour => two(civil.hour),
        Part::Hour12 => hour12.to_string(),
        Part::ZeroHour12 => two(hour12),
        Part::Minute => civil.minute.to_string(),
        Part::ZeroMinute => two(civil.minute),
        Part::Second => civil.second.to_string(),
        Part::ZeroSecond => two(civil.second),
        Part::LongYear => format!("{:04}", civil.year),
        Part::Year => two(civil.year.abs() % 100),
        Part::UpperPm => if afternoon { "PM" } else { "AM" }.to_owned(),
        Part::LowerPm => if afternoon { "pm" } else { "am" }.to_owned(),
        Part::ZoneName => zone.to_owned(),
        Part::Offset(form) => offset_text(offset, form),
        Part::Fraction { digits, separator, trimmed } => {
            fraction(civil.nanosecond, digits, separator, trimmed)
        }
    }
}

fn offset_text(offset: i64, form: Offset) -> String {
    if form.z && offset == 0 {
        return "Z".to_owned();
    }
    let minutes = offset / 60;
    // An offset of less than a minute is written without its sign, as in Go.
    let sign = if minutes < 0 { '-' } else { '+' };
    let seconds = if minutes < 0 { -offset } else { offset } % 60;
    let minutes = minutes.abs();
    let colon = if form.colons { ":" } else { "" };
    let mut text = format!("{sign}{:02}", minutes / 60);
    if form.minutes {
        text.push_str(&format!("{colon}{:02}", minutes % 60));
    }
    if form.seconds {
        text.push_str(&format!("{colon}{seconds:02}"));
    }
    text
}

fn fraction(nanosecond: i64, digits: usize, separator: u8, trimmed: bool) -> String {
    if trimmed && nanosecond == 0 {
        return String::new();
    }
    let all = format!("{nanosecond:09}");
    let shown = all.get(..digits.min(9)).unwrap_or(&all);
    let shown = if trimmed { shown.trim_end_matches('0') } else { shown };
    if shown.is_empty() { String::new() } else { format!("{}{shown}", char::from(separator)) }
}
