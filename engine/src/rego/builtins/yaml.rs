//! `yaml.unmarshal` and `yaml.is_valid`: YAML as go-yaml v3 reads it on OPA's behalf. (Manifests are read by the
//! engine's own reader, as `kubectl` reads them: that is YAML 1.1, where `yes` is true.)

use super::encoding::from_base64_standard;
use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::text::go_float;
use crate::rego::time::parse as parse_time;
use crate::value::bytes::text_from;
use crate::value::{Arena, MAX_DEPTH, Number, Object, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use std::collections::BTreeMap;

pub(super) const TABLE: &[Builtin] = &[
    function("yaml.unmarshal", &[Type::String], Type::Any, unmarshal),
    function("yaml.is_valid", &[Type::String], Type::Boolean, is_valid),
];

fn unmarshal<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    load(call, text).map(Some)
}

fn is_valid<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let Value::String(text) = operand::at(arguments, 1) else { return Ok(Some(Value::Bool(false))) };
    match load(call, text) {
        Ok(_) => Ok(Some(Value::Bool(true))),
        Err(BuiltinError::Failed(_)) => Ok(Some(Value::Bool(false))),
        Err(stopped) => Err(stopped),
    }
}

/// The first document of a stream; the others must be well-formed too. No document is `null`.
fn load<'a>(call: &mut Call<'a, '_>, text: &str) -> Result<Value<'a>, BuiltinError> {
    let lines = if text.contains('\t') { text.lines().collect() } else { Vec::new() };
    let mut loader = Loader { events: Parser::new_from_str(text), lines, call, anchors: BTreeMap::new() };
    let mut first = None;
    while let Some((event, _)) = loader.next()? {
        if let Event::DocumentStart(_) = event {
            loader.anchors.clear();
            let (event, span) = loader.expect()?;
            let value = loader.node(event, span, 0)?;
            first.get_or_insert(value);
        }
    }
    Ok(first.unwrap_or(Value::Null))
}

struct Loader<'t, 'c, 'a, 'b> {
    events: Parser<'t, StrInput<'t>>,
    /// The lines of a text that has tabs, which go-yaml does not let indent.
    lines: Vec<&'t str>,
    call: &'c mut Call<'a, 'b>,
    anchors: BTreeMap<usize, (Value<'a>, usize)>,
}

fn failed<T>(span: Span, what: &str) -> Result<T, BuiltinError> {
    Err(BuiltinError::failed(format!("yaml: line {}: {what}", span.start.line())))
}

/// How many values a value is made of, for aliases that multiply.
fn size(value: Value<'_>) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(|item| size(*item)).sum::<usize>(),
        Value::Object(object) => 1 + object.iter().map(|(_, value)| size(value)).sum::<usize>(),
        _ => 1,
    }
}

impl<'t, 'a> Loader<'t, '_, 'a, '_> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, BuiltinError> {
        self.call.spend(2)?;
        self.events.next().transpose().map_err(|error| {
            BuiltinError::failed(format!("yaml: line {}: {}", error.marker().line(), error.info()))
        })
    }

    fn expect(&mut self) -> Result<(Event<'t>, Span), BuiltinError> {
        self.next()?.ok_or_else(|| BuiltinError::failed("yaml: unexpected end of stream"))
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Value<'a>, BuiltinError> {
        if depth > MAX_DEPTH {
            return Err(BuiltinError::Halt(format!("yaml: nested more than {MAX_DEPTH} levels deep").into()));
        }
        let (anchor, value) = match event {
            Event::Alias(id) => {
                let Some((value, nodes)) = self.anchors.get(&id).copied() else {
                    return failed(span, "unknown anchor");
                };
                self.call.spend(nodes)?;
                self.call.claim(nodes * size_of::<Value<'_>>())?;
                return Ok(value);
            }
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, self.scalar(&text, style, tag.as_deref(), span)?)
            }
            Event::SequenceStart(anchor, _) => (anchor, self.sequence(depth)?),
            Event::MappingStart(anchor, _) => {
                if self.is_indented_by_tab(span) {
                    return failed(span, "found character that cannot start any token");
                }
                (anchor, self.mapping(depth)?)
            }
            _ => return failed(span, "did not find a value"),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (value, size(value)));
        }
        Ok(value)
    }

    /// Whether only blanks with a tab among them stand before it on its line.
    fn is_indented_by_tab(&self, span: Span) -> bool {
        let line =
            span.start.line().checked_sub(1).and_then(|at| self.lines.get(at)).copied().unwrap_or_default();
        let mut before = line.chars().take(span.start.col()).peekable();
        before.peek().is_some()
            && before.clone().all(|c| matches!(c, ' ' | '\t'))
            && before.any(|c| c == '\t')
    }

    fn sequence(&mut self, depth: usize) -> Result<Value<'a>, BuiltinError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.expect()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(self.call.array(&items));
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value<'a>, BuiltinError> {
        let mut members: Vec<(&'a str, Value<'a>)> = Vec::new();
        // What is merged in does not override what is given; of merged ones the first counts.
        let mut merged: Vec<Value<'a>> = Vec::new();
        loop {
            let (event, span) = self.expect()?;
            let key = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<" => None,
                Event::Scalar(..) | Event::Alias(_) => {
                    let key = self.node(event, span, depth + 1)?;
                    Some(self.key(key, span)?)
                }
                _ => return failed(span, "invalid map key"),
            };
            let (event, value_span) = self.expect()?;
            let value = self.node(event, value_span, depth + 1)?;
            match (key, value) {
                (Some(key), value) => members.push((key, value)),
                (None, Value::Array(items)) => merged.extend(items),
                (None, value) => merged.push(value),
            }
        }
        let mut all = Vec::new();
        for source in merged.iter().rev() {
            let Value::Object(source) = source else {
                return Err(BuiltinError::failed(
                    "yaml: map merge requires map or sequence of maps as the value",
                ));
            };
            self.call.spend(source.len())?;
            all.extend(source.iter());
        }
        all.extend(members);
        Ok(Value::Object(Object::new(&self.call.arena, all)))
    }

    /// What a key is in JSON.
    fn key(&self, key: Value<'a>, span: Span) -> Result<&'a str, BuiltinError> {
        match key {
            Value::String(text) => Ok(text),
            Value::Bool(_) | Value::Number(_) => Ok(self.call.arena.text(&key.to_string())),
            _ => failed(span, "unsupported map key"),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<Value<'a>, BuiltinError> {
        self.call.claim(text.len())?;
        let string = |loader: &Self| Value::String(loader.call.arena.text(text));
        let core = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
        let wanted = match (tag, core) {
            (None, _) if style == ScalarStyle::Plain => None,
            (Some(_), Some("binary")) => {
                let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                let bytes = from_base64_standard(&compact);
                let Ok(bytes) = bytes else {
                    return failed(span, "!!binary value contains invalid base64 data");
                };
                return Ok(self.call.text(&text_from(&bytes)));
            }
            (Some(_), Some(kind @ ("int" | "float" | "bool" | "null"))) => Some(kind),
            _ => return Ok(string(self)),
        };
        let resolved = resolve(text);
        let kind = match resolved {
            None => "str",
            Some(Resolved::Null) => "null",
            Some(Resolved::Bool(_)) => "bool",
            Some(Resolved::Integer(_)) => "int",
            Some(Resolved::Float(_)) => "float",
        };
        let fits = wanted.is_none_or(|wanted| wanted == kind || (wanted == "float" && kind == "int"));
        if !fits {
            let wanted = wanted.unwrap_or_default();
            return failed(span, &format!("cannot decode !!{kind} `{text}` as a !!{wanted}"));
        }
        Ok(match resolved {
            None => string(self),
            Some(Resolved::Null) => Value::Null,
            Some(Resolved::Bool(value)) => Value::Bool(value),
            Some(Resolved::Integer(value)) => match i64::try_from(value) {
                Ok(small) => Value::int(small),
                Err(_) => Value::Number(Number::Text(self.call.arena.text(&value.to_string()))),
            },
            Some(Resolved::Float(value)) if value.is_finite() => {
                Value::Number(Number::from_token(self.call.arena.text(&json_float(value))))
            }
            Some(Resolved::Float(_)) => {
                return Err(BuiltinError::failed(
                    "json: unsupported value: neither infinity nor NaN is JSON",
                ));
            }
        })
    }
}

enum Resolved {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
}

/// What a plain scalar means; `None`: a string.
fn resolve(text: &str) -> Option<Resolved> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Resolved::Null),
        "true" | "True" | "TRUE" => return Some(Resolved::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Resolved::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Some(Resolved::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Some(Resolved::Float(f64::INFINITY));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Some(Resolved::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    match text.as_bytes().first()? {
        b'.' => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Resolved::Float),
        b'0'..=b'9' | b'+' | b'-' => {
            if is_timestamp(text) {
                return None;
            }
            let plain = text.replace('_', "");
            if let Some(integer) = integer(&plain) {
                return Some(Resolved::Integer(integer));
            }
            let float = is_float(&plain).then(|| plain.parse().ok()).flatten();
            float.filter(|value: &f64| value.is_finite()).map(Resolved::Float)
        }
        _ => None,
    }
}

/// Dates stay text: JSON has none.
fn is_timestamp(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits == 4
        && text.as_bytes().get(4) == Some(&b'-')
        && [
            "2006-1-2T15:4:5.999999999Z07:00",
            "2006-1-2t15:4:5.999999999Z07:00",
            "2006-1-2 15:4:5.999999999",
            "2006-1-2",
        ]
        .iter()
        .any(|layout| parse_time(layout, text).is_ok())
}

/// A whole number of Go's: decimal, or with `0x`, `0o`, `0b`, or the `0` that was octal in YAML 1.1. Within 64
/// bits, of either sign or none.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match (lower.get(..2), lower.len()) {
        (Some("0x"), _) => (16, lower.get(2..)?),
        (Some("0b"), _) => (2, lower.get(2..)?),
        (Some("0o"), _) => (8, lower.get(2..)?),
        (Some(_), length) if length > 1 && lower.starts_with('0') => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -value } else { value };
    // What has a plus sign is not read as unsigned.
    let limit = if text.starts_with('+') { i128::from(i64::MAX) } else { i128::from(u64::MAX) };
    (i128::from(i64::MIN)..=limit).contains(&value).then_some(value)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let mantissa_fits = match mantissa.split_once('.') {
        None => !mantissa.is_empty() && digits(mantissa),
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
    };
    mantissa_fits && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// Whether a plain scalar is read as the string that it is.
pub(super) fn reads_as_string(text: &str) -> bool {
    let is_date = text.starts_with(|first: char| first.is_ascii_digit()) && is_timestamp(text);
    resolve(text).is_none() && !is_date
}

/// A number of JSON as it is written in YAML after it was read as YAML.
pub(super) fn number_text(text: &str) -> String {
    match resolve(text) {
        Some(Resolved::Integer(value)) => value.to_string(),
        Some(Resolved::Float(value)) => go_float(value),
        // What is beyond floats is text.
        _ => text.to_owned(),
    }
}

/// A float as Go's JSON writes it.
pub(super) fn json_float(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    value.to_string()
}
