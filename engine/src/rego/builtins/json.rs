//! `json.marshal`, `json.unmarshal`, `json.is_valid`: JSON text as Go's `encoding/json` writes and reads it.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::number::float::Float;
use crate::value::bytes::stands_for;
use crate::value::{MAX_DEPTH, Number, Value, parse_json};
use std::collections::BTreeMap;

const ONE: &[Type] = &[Type::String];
const OPTIONS: Type = Type::Object(
    &[("indent", Type::String), ("prefix", Type::String), ("pretty", Type::Boolean)],
    Some((&Type::String, &Type::Any)),
);

pub(super) const TABLE: &[Builtin] = &[
    function("json.marshal", &[Type::Any], Type::String, marshal),
    function("json.marshal_with_options", &[Type::Any, OPTIONS], Type::String, marshal_with_options),
    function("json.unmarshal", ONE, Type::Any, unmarshal),
    function("json.is_valid", ONE, Type::Boolean, is_valid),
];

/// How JSON text is laid out.
#[derive(Clone, Copy)]
struct Layout<'t> {
    prefix: &'t str,
    indent: &'t str,
}

/// Writes JSON as Go does: keys sorted, `<`, `>`, `&` and the line separators U+2028 and U+2029 escaped.
struct Writer<'c, 'a, 'b> {
    call: &'c mut Call<'a, 'b>,
    out: String,
    layout: Option<Layout<'c>>,
    depth: usize,
}

impl Writer<'_, '_, '_> {
    fn value(&mut self, value: Value<'_>) -> Result<(), BuiltinError> {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if value { "true" } else { "false" }),
            Value::Number(Number::Int(value)) => self.out.push_str(&value.to_string()),
            Value::Number(Number::Text(text)) => {
                if !is_json_number(text) {
                    return Err(BuiltinError::failed(format!("json: invalid number literal \"{text}\"")));
                }
                self.out.push_str(text);
            }
            Value::String(text) => write_string(&mut self.out, text),
            Value::Array(items) => self.items(items)?,
            Value::Set(set) => self.items(set.items())?,
            Value::Object(object) => self.members(object.iter())?,
            Value::Map(map) => {
                // A key that is no string becomes one; of keys that become equal the last stays.
                let mut members = BTreeMap::new();
                for (key, value) in map.iter() {
                    members.insert(self.key(key)?, value);
                }
                self.members(members.iter().map(|(key, value)| (key.as_str(), *value)))?;
            }
        }
        Ok(())
    }

    fn key(&mut self, key: Value<'_>) -> Result<String, BuiltinError> {
        match key {
            Value::String(text) => Ok(text.to_owned()),
            other => {
                let mut writer = Writer { call: self.call, out: String::new(), layout: None, depth: 0 };
                writer.value(other)?;
                Ok(writer.out)
            }
        }
    }

    fn items(&mut self, items: &[Value<'_>]) -> Result<(), BuiltinError> {
        self.block('[', ']', items.iter(), |writer, item| writer.value(*item))
    }

    fn members<'v>(
        &mut self,
        members: impl Iterator<Item = (&'v str, Value<'v>)>,
    ) -> Result<(), BuiltinError> {
        self.block('{', '}', members, |writer, (key, value)| {
            write_string(&mut writer.out, key);
            writer.out.push_str(if writer.layout.is_some() { ": " } else { ":" });
            writer.value(value)
        })
    }

    fn block<T>(
        &mut self,
        open: char,
        close: char,
        items: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<(), BuiltinError>,
    ) -> Result<(), BuiltinError> {
        self.out.push(open);
        self.depth += 1;
        let mut empty = true;
        for item in items {
            if !empty {
                self.out.push(',');
            }
            empty = false;
            self.line();
            let before = self.out.len();
            write(self, item)?;
            self.call.spend(1 + (self.out.len() - before) / 64)?;
            self.call.claim(self.out.len() - before)?;
        }
        self.depth -= 1;
        if !empty {
            self.line();
        }
        self.out.push(close);
        Ok(())
    }

    /// A new line, if there are lines.
    fn line(&mut self) {
        if let Some(layout) = self.layout {
            self.out.push('\n');
            self.out.push_str(layout.prefix);
            (0..self.depth).for_each(|_| self.out.push_str(layout.indent));
        }
    }
}

/// The grammar of RFC 8259 §6.
fn is_json_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

/// A JSON string with Go's escapes.
pub(super) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            '\u{10ff80}'..='\u{10ffff}' if stands_for(character).is_some() => out.push_str("\\ufffd"),
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// The text of `json.marshal`, for those who embed it.
pub(super) fn text(call: &mut Call<'_, '_>, value: Value<'_>) -> Result<String, BuiltinError> {
    let mut writer = Writer { call, out: String::new(), layout: None, depth: 0 };
    writer.value(value)?;
    Ok(writer.out)
}

fn marshal<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = text(call, operand::at(arguments, 1))?;
    Ok(Some(call.text(&text)))
}

fn marshal_with_options<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let mut layout = Layout { prefix: "", indent: "\t" };
    let (mut asked, mut implied) = (None, false);
    for (index, (key, value)) in operand::object(arguments, 2)?.enumerate() {
        let Value::String(key) = key else {
            let mut shown = String::new();
            crate::rego::text::write_term(&mut shown, key);
            let found = key.type_name();
            let problem = format!(
                "failed to stringify key {shown} at index {index}: operand {index} must be string but got {found}"
            );
            return Err(BuiltinError::operand(2, problem));
        };
        let string = || {
            value.as_str().ok_or_else(|| {
                let found = value.type_name();
                let problem = format!(
                    "key \"{key}\" failed cast to string: operand {index} must be string but got {found}"
                );
                BuiltinError::operand(2, problem)
            })
        };
        match key {
            "prefix" => (layout.prefix, implied) = (string()?, true),
            "indent" => (layout.indent, implied) = (string()?, true),
            "pretty" => {
                let Value::Bool(pretty) = value else {
                    return Err(BuiltinError::operand(2, "key \"pretty\" failed cast to bool"));
                };
                asked = Some(pretty);
            }
            _ => return Err(BuiltinError::operand(2, format!("object contained unknown key \"{key}\""))),
        }
    }
    let pretty = asked.unwrap_or(implied);
    let mut writer = Writer { call, out: String::new(), layout: pretty.then_some(layout), depth: 0 };
    if pretty {
        writer.out.push_str(layout.prefix);
    }
    writer.value(operand::at(arguments, 1))?;
    let text = writer.out;
    Ok(Some(call.text(&text)))
}

fn unmarshal<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    unmarshalled(call, operand::string(arguments, 1)?).map(Some)
}

/// The value of a JSON text.
pub(super) fn unmarshalled<'a>(call: &mut Call<'a, '_>, text: &'a str) -> Result<Value<'a>, BuiltinError> {
    call.spend(text.len() / 8)?;
    call.claim(text.len().saturating_mul(4))?;
    let lenient = with_replaced_surrogates(text);
    let text = match lenient {
        Some(replaced) => &*call.arena.alloc_str(&replaced),
        None => text,
    };
    let value = parse_json(&call.arena, text.as_bytes()).map_err(|error| {
        if error.problem == "nested too deeply" {
            // OPA reads 10,000 levels; no policy does.
            return BuiltinError::Halt(
                format!("json.unmarshal: nested more than {MAX_DEPTH} levels deep").into(),
            );
        }
        BuiltinError::failed(error.to_string())
    })?;
    if has_large_number(value) {
        return Err(BuiltinError::failed("invalid number: number too big"));
    }
    Ok(value)
}

/// Go reads half a surrogate pair as U+FFFD, where our parser refuses it; `None`: there is none.
fn with_replaced_surrogates(text: &str) -> Option<String> {
    let hex = |at: usize| text.get(at..at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let mut replaced: Option<String> = None;
    let (mut at, mut copied) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        let escape = at + found;
        at = escape + 2;
        if text.as_bytes().get(escape + 1) != Some(&b'u') {
            // What is escaped may be longer than a byte; the next backslash is found from its boundary.
            while at < text.len() && !text.is_char_boundary(at) {
                at += 1;
            }
            continue;
        }
        let paired = |code: u32| (0xdc00..0xe000).contains(&code);
        match hex(escape + 2) {
            Some(0xd800..0xdc00)
                if text.get(escape + 6..escape + 8) == Some("\\u") && hex(escape + 8).is_some_and(paired) =>
            {
                at = escape + 12;
            }
            Some(0xd800..0xe000) => {
                let out = replaced.get_or_insert_default();
                out.push_str(text.get(copied..escape).unwrap_or_default());
                out.push_str("\\ufffd");
                at = escape + 6;
                copied = at;
            }
            _ => {}
        }
    }
    let mut replaced = replaced?;
    replaced.push_str(text.get(copied..).unwrap_or_default());
    Some(replaced)
}

/// Whether a number is beyond what OPA takes.
fn has_large_number(value: Value<'_>) -> bool {
    match value {
        Value::Number(number @ Number::Text(text)) => {
            text.contains(['e', 'E']) && Float::from_number(number).is_none()
        }
        Value::Array(items) => items.iter().any(|item| has_large_number(*item)),
        Value::Object(object) => object.iter().any(|(_, value)| has_large_number(value)),
        _ => false,
    }
}

fn is_valid<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let Value::String(text) = operand::at(arguments, 1) else { return Ok(Some(Value::Bool(false))) };
    call.spend(text.len() / 8)?;
    call.claim(text.len().saturating_mul(4))?;
    let replaced = with_replaced_surrogates(text);
    let scratch = bumpalo::Bump::new();
    let text = replaced.as_deref().unwrap_or(text);
    Ok(Some(Value::Bool(parse_json(&&scratch, text.as_bytes()).is_ok())))
}
