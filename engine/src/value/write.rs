//! Value to JSON text.

use super::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result, Write};

impl Display for Value<'_> {
    /// Compact JSON, keys in order; a set is written as an array, a key that is no string as its JSON text.
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Value::Null => out.write_str("null"),
            Value::Bool(value) => value.fmt(out),
            Value::Number(number) => number.fmt(out),
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
pub(super) fn key_text<'a>(key: Value<'a>) -> Cow<'a, str> {
    match key {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
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
