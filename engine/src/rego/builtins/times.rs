//! `time.*`.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::number::arithmetic;
use crate::rego::time::{Civil, Zone, format, named_layout, parse, parse_duration};
use crate::value::bytes::text_from;
use crate::value::{Number, Value};

const ZONED: Type = Type::Array(&[Type::Number, Type::String], None);
const WITH_LAYOUT: Type = Type::Array(&[Type::Number, Type::String, Type::String], None);
const TIME: Type = Type::OneOf(&[Type::Number, ZONED]);
const TIME_AND_LAYOUT: Type = Type::OneOf(&[Type::Number, ZONED, WITH_LAYOUT]);
const THREE: Type = Type::Array(&[Type::Number, Type::Number, Type::Number], None);
const SIX: Type =
    Type::Array(&[Type::Number, Type::Number, Type::Number, Type::Number, Type::Number, Type::Number], None);

pub(super) const TABLE: &[Builtin] = &[
    function("time.parse_ns", &[Type::String, Type::String], Type::Number, parse_ns),
    function("time.parse_rfc3339_ns", &[Type::String], Type::Number, parse_rfc3339),
    function("time.parse_duration_ns", &[Type::String], Type::Number, duration),
    function("time.format", &[TIME_AND_LAYOUT], Type::String, format_time),
    function("time.date", &[TIME], THREE, date),
    function("time.clock", &[TIME], THREE, clock),
    function("time.weekday", &[TIME], Type::String, weekday),
    function("time.add_date", &[TIME, Type::Number, Type::Number, Type::Number], Type::Number, add_date),
    function("time.diff", &[TIME, TIME], SIX, diff),
];

/// Nanoseconds since 1970, if they fit 64 bits.
fn instant<'a>(seconds: Option<i64>, nanosecond: i64) -> Outcome<'a> {
    let exact = seconds.map(|seconds| i128::from(seconds) * 1_000_000_000 + i128::from(nanosecond));
    match exact.and_then(|exact| i64::try_from(exact).ok()) {
        Some(nanoseconds) => Ok(Some(Value::int(nanoseconds))),
        None => Err(BuiltinError::failed("time outside of valid range")),
    }
}

fn parse_ns<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (layout, value) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    call.spend((layout.len() + value.len()) / 8)?;
    let (seconds, nanosecond) = parse(named_layout(layout), value).map_err(BuiltinError::failed)?;
    instant(seconds, nanosecond)
}

fn parse_rfc3339<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let value = operand::string(arguments, 1)?;
    let (seconds, nanosecond) = parse(named_layout("RFC3339"), value).map_err(BuiltinError::failed)?;
    instant(seconds, nanosecond)
}

fn duration<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    call.spend(text.len() / 8)?;
    Ok(Some(Value::int(parse_duration(text).map_err(BuiltinError::failed)?)))
}

/// A time in an operand: nanoseconds, or an array of them, a zone and a layout.
struct Moment<'a> {
    seconds: i64,
    nanosecond: i64,
    zone: Zone,
    layout: &'a str,
}

impl<'a> Moment<'a> {
    fn read(value: Value<'a>) -> Result<Self, BuiltinError> {
        const EITHER: &[&str] = &["either number (ns) or [number (ns), string (tz)]"];
        let first = |value: Value<'a>| match value {
            Value::Number(number) => Ok(number),
            other => Err(BuiltinError::expected(1, &["number"], other)),
        };
        let text =
            |value: Value<'a>| value.as_str().ok_or_else(|| BuiltinError::expected(1, &["string"], value));
        let (number, zone, layout) = match value {
            Value::Number(number) => (number, Zone::Utc, ""),
            Value::Array([number, rest @ ..]) => {
                let number = first(*number)?;
                let name = rest.first().map(|name| text(*name)).transpose()?.unwrap_or_default();
                let zone = Zone::named(name)
                    .ok_or_else(|| BuiltinError::failed(format!("unknown time zone {name}")))?;
                let layout = rest.get(1).map(|layout| text(*layout)).transpose()?.unwrap_or_default();
                (number, zone, layout)
            }
            other => return Err(BuiltinError::expected(1, EITHER, other)),
        };
        let nanoseconds = match number {
            Number::Int(value) => Some(value),
            Number::Text(_) => {
                let value = arithmetic::float(number)?;
                value.is_integer().then(|| i64::try_from(&value.truncated()).ok()).flatten()
            }
        };
        let nanoseconds = nanoseconds.ok_or_else(|| BuiltinError::failed("timestamp too big"))?;
        let (seconds, nanosecond) =
            (nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000));
        Ok(Self { seconds, nanosecond, zone, layout })
    }

    /// Date and time of day in a zone.
    fn civil(&self, zone: &Zone) -> Civil {
        Civil::from_seconds(self.seconds + zone.offset(self.seconds).0, self.nanosecond)
    }
}

fn moment<'a>(arguments: &[Value<'a>]) -> Result<(Moment<'a>, Civil), BuiltinError> {
    let moment = Moment::read(operand::at(arguments, 1))?;
    let civil = moment.civil(&moment.zone);
    Ok((moment, civil))
}

fn format_time<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (moment, civil) = moment(arguments)?;
    let layout = if moment.layout.is_empty() { "RFC3339Nano" } else { moment.layout };
    call.spend(layout.len() / 4)?;
    call.claim(layout.len() * 9)?;
    let (offset, name) = moment.zone.offset(moment.seconds);
    let bytes = format(&civil, offset, &name, named_layout(layout));
    Ok(Some(call.text(&text_from(&bytes))))
}

fn date<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (_, civil) = moment(arguments)?;
    Ok(Some(call.array(&[civil.year, civil.month, civil.day].map(Value::int))))
}

fn clock<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (_, civil) = moment(arguments)?;
    Ok(Some(call.array(&[civil.hour, civil.minute, civil.second].map(Value::int))))
}

fn weekday<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (_, civil) = moment(arguments)?;
    Ok(Some(call.text(&String::from_utf8_lossy(&format(&civil, 0, "", "Monday")))))
}

fn add_date<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (moment, civil) = moment(arguments)?;
    let (years, months, days) =
        (operand::integer(arguments, 2)?, operand::integer(arguments, 3)?, operand::integer(arguments, 4)?);
    let moved = Civil {
        year: civil.year.saturating_add(years),
        month: civil.month.saturating_add(months),
        day: civil.day.saturating_add(days),
        ..civil
    };
    let local = moved.seconds();
    // As Go: the offset is looked up for the local time, then for what that makes of it.
    let seconds = local.map(|local| {
        let first = moment.zone.offset(local).0;
        if first == 0 { local } else { local - moment.zone.offset(local - first).0 }
    });
    instant(seconds, moment.nanosecond)
}

fn diff<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (first, second) =
        (Moment::read(operand::at(arguments, 1))?, Moment::read(operand::at(arguments, 2))?);
    let zone = &first.zone;
    let (mut from, mut to) = (first.civil(zone), second.civil(zone));
    if (first.seconds, first.nanosecond) > (second.seconds, second.nanosecond) {
        std::mem::swap(&mut from, &mut to);
    }
    let mut difference = [
        to.year - from.year,
        to.month - from.month,
        to.day - from.day,
        to.hour - from.hour,
        to.minute - from.minute,
        to.second - from.second,
    ];
    let days = Civil { day: 1, month: from.month + 1, ..from }.seconds().unwrap_or(0)
        - Civil { day: 1, ..from }.seconds().unwrap_or(0);
    // From the smallest up: what is below zero borrows from what is above it.
    for (at, borrowed) in [(5, 60), (4, 60), (3, 24), (2, days / 86_400), (1, 12)] {
        if let Some([above, value]) = difference.get_mut(at - 1..=at)
            && *value < 0
        {
            *value += borrowed;
            *above -= 1;
        }
    }
    Ok(Some(call.array(&difference.map(Value::int))))
}
