//! `base64.*`, `base64url.*`, `hex.*` and `urlquery.*`.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::value::bytes::{bytes_of, text_from};
use crate::value::{Object, Value};
use std::collections::BTreeMap;

const ONE: &[Type] = &[Type::String];
const STRING_OR_SOME: Type = Type::OneOf(&[Type::String, Type::STRINGS, Type::Set(&Type::String)]);

pub(super) const TABLE: &[Builtin] = &[
    function("base64.encode", ONE, Type::String, |call, a| {
        encode(call, a, |bytes| base64(bytes, STANDARD, true))
    }),
    function("base64url.encode", ONE, Type::String, |call, a| {
        encode(call, a, |bytes| base64(bytes, URL, true))
    }),
    function("base64url.encode_no_pad", ONE, Type::String, |call, a| {
        encode(call, a, |bytes| base64(bytes, URL, false))
    }),
    function("base64.decode", ONE, Type::String, |call, a| {
        decode(call, a, |text| from_base64(text.as_bytes(), STANDARD))
    }),
    function("base64url.decode", ONE, Type::String, |call, a| decode(call, a, from_base64url)),
    function("base64.is_valid", ONE, Type::Boolean, is_base64),
    function("hex.encode", ONE, Type::String, |call, a| encode(call, a, hex)),
    function("hex.decode", ONE, Type::String, |call, a| decode(call, a, from_hex)),
    function("urlquery.encode", ONE, Type::String, |call, a| encode(call, a, query_escape)),
    function("urlquery.decode", ONE, Type::String, |call, a| {
        decode(call, a, |text| query_unescape(text.as_bytes()))
    }),
    function(
        "urlquery.encode_object",
        &[Type::Object(&[], Some((&Type::String, &STRING_OR_SOME)))],
        Type::String,
        encode_object,
    ),
    function(
        "urlquery.decode_object",
        ONE,
        Type::Object(&[], Some((&Type::String, &Type::STRINGS))),
        decode_object,
    ),
];

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>], encode: fn(&[u8]) -> String) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    call.spend(text.len() / 16)?;
    call.claim(text.len().saturating_mul(3))?;
    Ok(Some(call.text(&encode(&bytes_of(text)))))
}

fn decode<'a>(
    call: &mut Call<'a, '_>,
    arguments: &[Value<'a>],
    decode: fn(&str) -> Result<Vec<u8>, String>,
) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    call.spend(text.len() / 16)?;
    call.claim(text.len())?;
    let bytes = decode(text).map_err(BuiltinError::failed)?;
    Ok(Some(call.text(&text_from(&bytes))))
}

/// Base64 in an alphabet, with or without padding.
pub(super) fn base64(bytes: &[u8], alphabet: &[u8; 64], padded: bool) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = 0_u32;
        for at in 0..3 {
            group = (group << 8) | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            if at <= chunk.len() {
                let index = usize::try_from((group >> (18 - 6 * at)) & 63).unwrap_or(0);
                text.push(alphabet.get(index).map_or('A', |letter| char::from(*letter)));
            } else if padded {
                text.push('=');
            }
        }
    }
    text
}

/// Bytes of padded base64; line breaks are passed over, as in Go.
pub(super) fn from_base64(text: &[u8], alphabet: &[u8; 64]) -> Result<Vec<u8>, String> {
    let illegal = |at: usize| Err(format!("illegal base64 data at input byte {at}"));
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut letters = text.iter().copied().enumerate().filter(|(_, letter)| !matches!(letter, b'\r' | b'\n'));
    loop {
        let (mut group, mut count) = (0_u32, 0);
        while count < 4 {
            let Some((at, letter)) = letters.next() else {
                // Go says where the broken group began.
                return if count == 0 { Ok(bytes) } else { illegal(text.len() - count) };
            };
            if letter == b'=' {
                match count {
                    0 | 1 => return illegal(at),
                    2 => match letters.next() {
                        Some((_, b'=')) => {}
                        Some(_) => return illegal(at),
                        None => return illegal(text.len()),
                    },
                    _ => {}
                }
                if let Some((at, _)) = letters.next() {
                    return illegal(at);
                }
                let [_, first, second, _] = (group << (6 * (4 - count))).to_be_bytes();
                bytes.push(first);
                if count == 3 {
                    bytes.push(second);
                }
                return Ok(bytes);
            }
            let Some(value) = alphabet.iter().position(|known| *known == letter) else { return illegal(at) };
            group = (group << 6) | u32::try_from(value).unwrap_or(0);
            count += 1;
        }
        bytes.extend_from_slice(group.to_be_bytes().get(1..).unwrap_or_default());
    }
}

/// Base64 of the URL alphabet, with or without padding.
pub(in crate::rego) fn from_base64url(text: &str) -> Result<Vec<u8>, String> {
    if text.ends_with('=') {
        return from_base64(text.as_bytes(), URL);
    }
    let padding = match text.len() % 4 {
        0 => "",
        2 => "==",
        3 => "=",
        _ => return Err(format!("illegal base64url string: {text}")),
    };
    from_base64(format!("{text}{padding}").as_bytes(), URL)
}

/// Base64 of the URL alphabet without padding.
pub(super) fn base64url(bytes: &[u8]) -> String {
    base64(bytes, URL, false)
}

/// Padded base64 of the standard alphabet.
pub(super) fn base64_standard(bytes: &[u8]) -> String {
    base64(bytes, STANDARD, true)
}

/// Bytes of padded base64 of the standard alphabet.
pub(crate) fn from_base64_standard(text: &str) -> Result<Vec<u8>, String> {
    from_base64(text.as_bytes(), STANDARD)
}

fn is_base64<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::at(arguments, 1).as_str();
    call.spend(text.map_or(0, str::len) / 16)?;
    Ok(Some(Value::Bool(text.is_some_and(|text| from_base64(text.as_bytes(), STANDARD).is_ok()))))
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes of hexadecimal of either case.
pub(super) fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let digit = |byte: u8| {
        let value = char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
        value.ok_or_else(|| {
            let shown = match byte {
                b' '..=b'~' => format!("U+{byte:04X} '{}'", char::from(byte)),
                _ => format!("U+{byte:04X}"),
            };
            format!("encoding/hex: invalid byte: {shown}")
        })
    };
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in text.as_bytes().chunks(2) {
        match pair {
            [high, low] => bytes.push(digit(*high)? << 4 | digit(*low)?),
            [single] => {
                digit(*single)?;
                return Err("encoding/hex: odd length hex string".to_owned());
            }
            _ => {}
        }
    }
    Ok(bytes)
}

/// As in the query of a URL: a space becomes `+`.
/// Bytes as Go escapes them in queries.
pub(super) fn query_escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(*byte));
            }
            b' ' => text.push('+'),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn query_unescape(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let digits = rest.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
                let value = digits.and_then(|digits| std::str::from_utf8(digits).ok());
                let Some(value) = value.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
                    let mut bad = b"%".to_vec();
                    bad.extend(rest.iter().take(2));
                    let mut quoted = String::new();
                    crate::rego::text::quote::write_quoted(&mut quoted, &text_from(&bad), false);
                    return Err(format!("invalid URL escape {quoted}"));
                };
                bytes.push(value);
                rest = rest.get(2..).unwrap_or_default();
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }
    Ok(bytes)
}

fn encode_object<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let value_error = || BuiltinError::operand(1, "values must be string, array[string], or set[string]");
    let mut pairs: BTreeMap<String, Vec<&'a str>> = BTreeMap::new();
    for (key, value) in operand::object(arguments, 1)? {
        let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        let values = match value {
            Value::String(one) => vec![one],
            Value::Array(items) => {
                items.iter().map(|item| item.as_str().ok_or_else(value_error)).collect::<Result<_, _>>()?
            }
            Value::Set(set) => {
                set.iter().map(|item| item.as_str().ok_or_else(value_error)).collect::<Result<_, _>>()?
            }
            _ => return Err(value_error()),
        };
        call.spend(1 + values.len())?;
        pairs.insert(key, values);
    }
    let mut text = String::new();
    for (key, values) in &pairs {
        for value in values {
            call.spend((key.len() + value.len()) / 16)?;
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(&query_escape(&bytes_of(key)));
            text.push('=');
            text.push_str(&query_escape(&bytes_of(value)));
        }
    }
    call.claim(text.len())?;
    Ok(Some(call.text(&text)))
}

fn decode_object<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let query = operand::string(arguments, 1)?;
    call.spend(query.len() / 4)?;
    let mut pairs: BTreeMap<String, Vec<Value<'a>>> = BTreeMap::new();
    let mut problem = None;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        if part.contains(';') {
            problem = Some("invalid semicolon separator in query".to_owned());
            continue;
        }
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match (query_unescape(key.as_bytes()), query_unescape(value.as_bytes())) {
            (Ok(key), Ok(value)) => {
                let value = call.text(&text_from(&value));
                pairs.entry(text_from(&key).into_owned()).or_default().push(value);
            }
            (Err(words), _) | (_, Err(words)) => {
                problem.get_or_insert(words);
            }
        }
    }
    if let Some(words) = problem {
        return Err(BuiltinError::failed(words));
    }
    let members =
        pairs.into_iter().map(|(key, values)| (&*call.arena.alloc_str(&key), call.array(&values))).collect();
    Ok(Some(Value::Object(Object::new(&call.arena, members))))
}
