//! Go's layouts: a reference time, 2 January 2006 15:04:05 -0700, written as times are to be.

/// What a part of a layout stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    Offset(Offset),
    /// So many digits of a second's fraction, after this separator.
    Fraction {
        digits: usize,
        separator: u8,
        trimmed: bool,
    },
}

/// How an offset from universal time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each says how one thing is written")]
pub(super) struct Offset {
    /// `Z` for no offset.
    pub(super) z: bool,
    pub(super) colons: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

/// The first part of a layout with what is before and after it; `None`: the rest is literal.
pub(super) fn next_part(layout: &[u8]) -> Option<(&[u8], Part, &[u8])> {
    (0..layout.len()).find_map(|at| {
        let (before, rest) = layout.split_at(at);
        let (part, skipped, length) = part_at(rest)?;
        Some((layout.get(..before.len() + skipped)?, part, rest.get(skipped + length..)?))
    })
}

/// The part at the beginning of a text: what it is, how much of it is literal after all, and its length.
fn part_at(rest: &[u8]) -> Option<(Part, usize, usize)> {
    let starts = |text: &str| rest.starts_with(text.as_bytes());
    let lower_at = |at: usize| rest.get(at).is_some_and(u8::is_ascii_lowercase);
    let known = |part: Part, text: &str| starts(text).then_some((part, 0, text.len()));
    match rest.first()? {
        b'J' => {
            known(Part::LongMonth, "January").or_else(|| known(Part::Month, "Jan").filter(|_| !lower_at(3)))
        }
        b'M' => known(Part::LongWeekDay, "Monday")
            .or_else(|| known(Part::WeekDay, "Mon").filter(|_| !lower_at(3)))
            .or_else(|| known(Part::ZoneName, "MST")),
        b'0' => known(Part::ZeroMonth, "01")
            .or_else(|| known(Part::ZeroDay, "02"))
            .or_else(|| known(Part::ZeroHour12, "03"))
            .or_else(|| known(Part::ZeroMinute, "04"))
            .or_else(|| known(Part::ZeroSecond, "05"))
            .or_else(|| known(Part::Year, "06"))
            .or_else(|| known(Part::ZeroYearDay, "002")),
        b'1' => known(Part::Hour, "15").or_else(|| known(Part::NumMonth, "1")),
        b'2' => known(Part::LongYear, "2006").or_else(|| known(Part::Day, "2")),
        b'_' if starts("_2006") => Some((Part::LongYear, 1, 4)),
        b'_' => known(Part::UnderDay, "_2").or_else(|| known(Part::UnderYearDay, "__2")),
        b'3' => known(Part::Hour12, "3"),
        b'4' => known(Part::Minute, "4"),
        b'5' => known(Part::Second, "5"),
        b'P' => known(Part::UpperPm, "PM"),
        b'p' => known(Part::LowerPm, "pm"),
        b'-' | b'Z' => offset(rest),
        separator @ (b'.' | b',') => fraction(rest, *separator),
        _ => None,
    }
}

fn offset(rest: &[u8]) -> Option<(Part, usize, usize)> {
    let (first, digits) = rest.split_first()?;
    let z = *first == b'Z';
    [
        ("070000", false, true, true),
        ("07:00:00", true, true, true),
        ("0700", false, true, false),
        ("07:00", true, true, false),
        ("07", false, false, false),
    ]
    .into_iter()
    .find(|(text, ..)| digits.starts_with(text.as_bytes()))
    .map(|(text, colons, minutes, seconds)| {
        (Part::Offset(Offset { z, colons, minutes, seconds }), 0, 1 + text.len())
    })
}

fn fraction(rest: &[u8], separator: u8) -> Option<(Part, usize, usize)> {
    let digit = rest.get(1).copied().filter(|digit| matches!(digit, b'0' | b'9'))?;
    let digits = rest.iter().skip(1).take_while(|other| **other == digit).count();
    // Only if no other digit follows.
    let ends = !rest.get(1 + digits).is_some_and(u8::is_ascii_digit);
    ends.then_some((Part::Fraction { digits, separator, trimmed: digit == b'9' }, 0, 1 + digits))
}

/// The layouts that have names in OPA; any other text is a layout itself.
pub(in crate::rego) fn named_layout(name: &str) -> &str {
    match name {
        "ANSIC" => "Mon Jan _2 15:04:05 2006",
        "UnixDate" => "Mon Jan _2 15:04:05 MST 2006",
        "RubyDate" => "Mon Jan 02 15:04:05 -0700 2006",
        "RFC822" => "02 Jan 06 15:04 MST",
        "RFC822Z" => "02 Jan 06 15:04 -0700",
        "RFC850" => "Monday, 02-Jan-06 15:04:05 MST",
        "RFC1123" => "Mon, 02 Jan 2006 15:04:05 MST",
        "RFC1123Z" => "Mon, 02 Jan 2006 15:04:05 -0700",
        "RFC3339" => "2006-01-02T15:04:05Z07:00",
        "RFC3339Nano" => "2006-01-02T15:04:05.999999999Z07:00",
        other => other,
    }
}
