//! Value to JSON text.

use super::bytes::stands_for;
use super::{Number, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result, Write};

impl Display for Value<'_> {
    /// Compact JSON, keys in order; a set is written as an array, a key that is no string as its JSON text.
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Value::Null => out.write_str("null"),
            Value::Bool(value) => value.fmt(out),
            Value::Number(Number::Int(value)) => value.fmt(out),
            Value::Number(Number::Text(text)) => out.write_str(&json_number(text)),
            Value::String(text) => write_json_string(out, text),
            Value::Array(items) => write_items(out, items),
            Value::Set(set) => write_items(out, set.items()),
            Value::Object(object) => {
                out.write_char('{')?;
                for (index, (key, value)) in object.iter().enumerate() {
                    if index > 0 {
                        out.write_char(',')?;
                    }
                    write_json_string(out, key)?;
                    out.write_char(':')?;
                    value.fmt(out)?;
                }
                out.write_char('}')
            }
            Value::Map(map) => {
                // Two keys can have one text (`1` and `"1"`): the last of them in order wins, as in a JSON reader.
                let members: BTreeMap<_, _> = map.iter().map(|(key, value)| (key_text(key), value)).collect();
                out.write_char('{')?;
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.write_char(',')?;
                    }
                    write_json_string(out, key)?;
                    out.write_char(':')?;
                    value.fmt(out)?;
                }
                out.write_char('}')
            }
        }
    }
}

fn write_items(out: &mut Formatter<'_>, items: &[Value<'_>]) -> Result {
    out.write_char('[')?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.write_char(',')?;
        }
        item.fmt(out)?;
    }
    out.write_char(']')
}

/// What a key becomes in JSON, where keys are strings: itself, or its JSON text.
pub(super) fn key_text(key: Value<'_>) -> Cow<'_, str> {
    match key {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// A number as JSON has it. Rego keeps the form that `to_number` was given, and Go reads more forms than JSON
/// has: a plus sign, leading zeros, a point with nothing before or behind it.
pub(super) fn json_number(text: &str) -> Cow<'_, str> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let end = unsigned.find(['e', 'E']).unwrap_or(unsigned.len());
    let (mantissa, exponent) = unsigned.split_at(end);
    let (whole, fraction) =
        mantissa.split_once('.').map_or((mantissa, None), |(whole, rest)| (whole, Some(rest)));
    let plain = !whole.is_empty() && (whole.len() == 1 || !whole.starts_with('0')) && fraction != Some("");
    if plain && !text.starts_with('+') {
        return Cow::Borrowed(text);
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Cow::Owned(match fraction.filter(|fraction| !fraction.is_empty()) {
        Some(fraction) => format!("{sign}{whole}.{fraction}{exponent}"),
        None => format!("{sign}{whole}{exponent}"),
    })
}

/// Text without what stands for bytes that are no text.
pub(super) fn shown_text(text: &str) -> Cow<'_, str> {
    if !text.as_bytes().contains(&0xf4) {
        return Cow::Borrowed(text);
    }
    let shown =
        |character| if stands_for(character).is_some() { char::REPLACEMENT_CHARACTER } else { character };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Writes a JSON string with the escapes that RFC 8259 §7 requires, and no others.
pub fn write_json_string(out: &mut impl Write, text: &str) -> Result {
    out.write_char('"')?;
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            // The first byte of what stands for a byte that is no text.
            0xf4 if text.get(at..).and_then(|rest| rest.chars().next()).and_then(stands_for).is_some() => {
                out.write_str(text.get(plain..at).unwrap_or_default())?;
                out.write_char(char::REPLACEMENT_CHARACTER)?;
                plain = at + 4;
                continue;
            }
            _ => continue,
        };
        out.write_str(text.get(plain..at).unwrap_or_default())?;
        if escape.is_empty() {
            write!(out, "\\u{byte:04x}")?;
        } else {
            out.write_str(escape)?;
        }
        plain = at + 1;
    }
    out.write_str(text.get(plain..).unwrap_or_default())?;
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::json_number;
    use crate::value::Value;
    use crate::value::bytes::text_from;

    #[test]
    fn what_json_has_not_is_written_as_what_it_has() {
        let forms =
            [("+5", "5"), ("007", "7"), (".5", "0.5"), ("-.5e3", "-0.5e3"), ("5.", "5"), ("1.50", "1.50")];
        for (given, expected) in forms {
            assert_eq!(json_number(given), expected);
        }
        let text = text_from(b"a\xffb\"");
        assert_eq!(Value::String(&text).to_string(), "\"a\u{fffd}b\\\"\"");
        assert_eq!(Value::String(&text).to_serde(), "a\u{fffd}b\"");
    }
}
