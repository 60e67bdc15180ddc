//! Strings: searching, cutting, joining, changing case.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::number::{self, arithmetic};
use crate::rego::text::case;
use crate::value::bytes::{as_runes, bytes_of, is_broken, rune, text_from};
use crate::value::{Number, Value};
use num_bigint::BigInt;
use std::borrow::Cow;

const TWO: &[Type] = &[Type::String, Type::String];
const ONE: &[Type] = &[Type::String];
const SOME_STRINGS: Type = Type::OneOf(&[Type::STRINGS, Type::Set(&Type::String)]);
const ONE_OR_SOME: Type = Type::OneOf(&[Type::String, Type::STRINGS, Type::Set(&Type::String)]);

pub(super) const TABLE: &[Builtin] = &[
    function("concat", &[Type::String, SOME_STRINGS], Type::String, concat),
    function("contains", TWO, Type::Boolean, |_, a| {
        test(
            a,
            |text, part| text.contains(part),
            |text, part| text.windows(part.len()).any(|window| window == part),
        )
    }),
    function("startswith", TWO, Type::Boolean, |_, a| {
        test(a, |text, part| text.starts_with(part), <[u8]>::starts_with)
    }),
    function("endswith", TWO, Type::Boolean, |_, a| {
        test(a, |text, part| text.ends_with(part), <[u8]>::ends_with)
    }),
    function("format_int", &[Type::Number, Type::Number], Type::String, format_int),
    function("indexof", TWO, Type::Number, index_of),
    function("indexof_n", TWO, Type::Array(&[], Some(&Type::Number)), index_of_n),
    function("lower", ONE, Type::String, |call, a| mapped(call, a, case::lower)),
    function("upper", ONE, Type::String, |call, a| mapped(call, a, case::upper)),
    function("split", TWO, Type::STRINGS, split),
    function("strings.split_n", &[Type::String, Type::String, Type::Number], Type::STRINGS, split_n),
    function("strings.count", TWO, Type::Number, count),
    function("strings.reverse", ONE, Type::String, |call, a| {
        mapped(call, a, |text| text.chars().rev().collect())
    }),
    function("strings.any_prefix_match", &[ONE_OR_SOME, ONE_OR_SOME], Type::Boolean, any_prefix),
    function("strings.any_suffix_match", &[ONE_OR_SOME, ONE_OR_SOME], Type::Boolean, any_suffix),
    function("substring", &[Type::String, Type::Number, Type::Number], Type::String, substring),
    function("trim", TWO, Type::String, |_, a| cut(a, |text, set| text.trim_matches(|c| is_of(c, set)))),
    function("trim_left", TWO, Type::String, |_, a| {
        cut(a, |text, set| text.trim_start_matches(|c| is_of(c, set)))
    }),
    function("trim_right", TWO, Type::String, |_, a| {
        cut(a, |text, set| text.trim_end_matches(|c| is_of(c, set)))
    }),
    function("trim_prefix", TWO, Type::String, |call, a| {
        stripped(call, a, |text, part| text.strip_prefix(part), <[u8]>::strip_prefix)
    }),
    function("trim_suffix", TWO, Type::String, |call, a| {
        stripped(call, a, |text, part| text.strip_suffix(part), <[u8]>::strip_suffix)
    }),
    function("trim_space", ONE, Type::String, |_, a| Ok(Some(Value::String(operand::string(a, 1)?.trim())))),
];

/// Whether the second string is in the first; half a character, which is bytes, is in a whole one.
fn test<'a>(
    arguments: &[Value<'a>],
    test: fn(&str, &str) -> bool,
    by_bytes: fn(&[u8], &[u8]) -> bool,
) -> Outcome<'a> {
    let (text, part) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    let holds = if is_broken(part) { by_bytes(&bytes_of(text), &bytes_of(part)) } else { test(text, part) };
    Ok(Some(Value::Bool(holds)))
}

/// A part of the first string, found by the second.
fn cut<'a>(arguments: &[Value<'a>], cut: fn(&'a str, &'a str) -> &'a str) -> Outcome<'a> {
    Ok(Some(Value::String(cut(operand::string(arguments, 1)?, operand::string(arguments, 2)?))))
}

/// As [`cut`], of a prefix or suffix, which may end within a character.
fn stripped<'a>(
    call: &mut Call<'a, '_>,
    arguments: &[Value<'a>],
    strip: for<'t> fn(&'t str, &str) -> Option<&'t str>,
    by_bytes: for<'t> fn(&'t [u8], &[u8]) -> Option<&'t [u8]>,
) -> Outcome<'a> {
    let (text, part) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    if !is_broken(part) {
        return Ok(Some(Value::String(strip(text, part).unwrap_or(text))));
    }
    call.claim(text.len() * 4)?;
    let rest = by_bytes(&bytes_of(text), &bytes_of(part)).map(|rest| text_from(rest).into_owned());
    Ok(Some(rest.map_or(Value::String(text), |rest| call.text(&rest))))
}

/// Whether a character is of a set of them; a byte that is no text is U+FFFD in both, as Go reads runes.
fn is_of(character: char, set: &str) -> bool {
    set.contains(character)
        || (rune(character) == char::REPLACEMENT_CHARACTER
            && set.chars().any(|member| rune(member) == char::REPLACEMENT_CHARACTER))
}

fn mapped<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>], map: fn(&str) -> String) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    call.spend(text.len() / 64)?;
    call.claim(text.len())?;
    Ok(Some(call.text(&map(text))))
}

fn concat<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let separator = operand::string(arguments, 1)?;
    let collection = operand::at(arguments, 2);
    let items = match collection {
        Value::Array(items) => items,
        Value::Set(set) => set.items(),
        other => return Err(BuiltinError::expected(2, &["set", "array"], other)),
    };
    if let [Value::String(only)] = items {
        return Ok(Some(Value::String(only)));
    }
    let mut length = separator.len() * items.len();
    for item in items {
        length += operand::element_string(2, collection, *item)?.len();
    }
    call.spend(items.len() + length / 64)?;
    call.claim(length)?;
    let mut text = String::with_capacity(length);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        text.push_str(item.as_str().unwrap_or_default());
    }
    if is_broken(&text) {
        // Bytes that are no text by themselves may be a character together.
        text = text_from(&bytes_of(&text)).into_owned();
    }
    Ok(Some(call.text(&text)))
}

fn format_int<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (value, base) = (operand::number(arguments, 1)?, operand::number(arguments, 2)?);
    let radix = match base {
        Number::Int(radix @ (2 | 8 | 10 | 16)) => u32::try_from(radix).unwrap_or(10),
        _ => return Err(BuiltinError::operand(2, "must be one of {2, 8, 10, 16}")),
    };
    let whole = match value {
        Number::Int(value) if radix == 10 => return Ok(Some(call.text(&value.to_string()))),
        Number::Int(value) => BigInt::from(value),
        Number::Text(text) => match number::int64(value).filter(|_| radix == 10) {
            Some(small) => BigInt::from(small),
            // Fractions lose what is behind the point.
            None => match text.parse() {
                Ok(big) => big,
                Err(_) => arithmetic::float(value)?.truncated(),
            },
        },
    };
    Ok(Some(call.text(&whole.to_str_radix(radix))))
}

/// Both strings, the second not empty.
fn haystack_and_needle<'a>(arguments: &[Value<'a>]) -> Result<(&'a str, &'a str), BuiltinError> {
    let (text, part) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    if part.is_empty() { Err(BuiltinError::failed("empty search character")) } else { Ok((text, part)) }
}

fn index_of<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, part) = haystack_and_needle(arguments)?;
    call.spend(text.len() / 64)?;
    Ok(Some(match text.find(part).and_then(|at| text.get(..at)) {
        Some(before) => call.count(before.chars().count()),
        None => Value::int(-1),
    }))
}

fn index_of_n<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, part) = haystack_and_needle(arguments)?;
    let mut found = Vec::new();
    let (mut characters, mut from) = (0, 0);
    // Finds may overlap.
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(part)) {
        call.spend(1 + at / 64)?;
        characters += text.get(from..from + at).map_or(0, |passed| passed.chars().count());
        found.push(call.count(characters));
        let first = text.get(from + at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        characters += 1;
        from += at + first;
    }
    Ok(Some(call.array(&found)))
}

fn strings<'a>(call: &mut Call<'a, '_>, parts: &[&'a str]) -> Outcome<'a> {
    call.spend(parts.len())?;
    call.claim(parts.len() * size_of::<Value<'_>>())?;
    let parts: Vec<_> = parts.iter().copied().map(Value::String).collect();
    Ok(Some(call.array(&parts)))
}

/// A string cut at each separator; at each character if there is none.
fn parts<'a>(call: &mut Call<'a, '_>, text: &'a str, separator: &str) -> Vec<&'a str> {
    if separator.is_empty() {
        return text.char_indices().filter_map(|(at, c)| text.get(at..at + c.len_utf8())).collect();
    }
    if is_broken(separator) {
        return parts_by_bytes(call, text, &bytes_of(separator));
    }
    text.split(separator).collect()
}

/// As [`parts`], by a separator that may end within a character.
fn parts_by_bytes<'a>(call: &mut Call<'a, '_>, text: &str, separator: &[u8]) -> Vec<&'a str> {
    let bytes = bytes_of(text);
    let (mut parts, mut rest) = (Vec::new(), bytes.as_ref());
    let mut part = |bytes: &[u8]| parts.push(call.text(&text_from(bytes)).as_str().unwrap_or_default());
    while let Some(at) = rest.windows(separator.len()).position(|window| window == separator) {
        part(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + separator.len()..).unwrap_or_default();
    }
    part(rest);
    parts
}

fn split<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, separator) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    call.spend(text.len() / 64)?;
    let parts = parts(call, text, separator);
    strings(call, &parts)
}

/// The first `n` parts, or the last for a negative `n`.
fn split_n<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, separator) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    let wanted = operand::integer(arguments, 3)?;
    call.spend(text.len() / 64)?;
    let parts = parts(call, text, separator);
    let count = usize::try_from(wanted.unsigned_abs()).map_or(parts.len(), |count| count.min(parts.len()));
    let chosen = if wanted >= 0 { parts.get(..count) } else { parts.get(parts.len() - count..) };
    strings(call, chosen.unwrap_or_default())
}

fn count<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, part) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    call.spend(text.len() / 64)?;
    let count = match part {
        // The empty string is between all characters, and at both ends.
        "" => text.chars().count() + 1,
        part if is_broken(part) => parts_by_bytes(call, text, &bytes_of(part)).len() - 1,
        part => text.matches(part).count(),
    };
    Ok(Some(call.count(count)))
}

/// The string as Go's runes read it.
fn runes<'a>(call: &mut Call<'a, '_>, text: &'a str) -> &'a str {
    match as_runes(text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(runes) => call.text(&runes).as_str().unwrap_or_default(),
    }
}

fn substring<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = runes(call, operand::string(arguments, 1)?);
    let (start, length) = (operand::integer(arguments, 2)?, operand::integer(arguments, 3)?);
    let Ok(start) = usize::try_from(start) else { return Err(BuiltinError::failed("negative offset")) };
    call.spend(text.len() / 64)?;
    // Byte positions of characters; beyond the end is the end. A negative length means all the rest.
    let position = |text: &str, count: usize| {
        if text.is_ascii() {
            count.min(text.len())
        } else {
            text.char_indices().nth(count).map_or(text.len(), |(at, _)| at)
        }
    };
    let rest = text.get(position(text, start)..).unwrap_or_default();
    let part = match usize::try_from(length) {
        Ok(length) => rest.get(..position(rest, length)).unwrap_or_default(),
        Err(_) => rest,
    };
    Ok(Some(Value::String(part)))
}

/// The strings of the operands of `any_…_match`.
fn one_or_some<'a>(arguments: &[Value<'a>], position: usize) -> Result<Vec<&'a str>, BuiltinError> {
    match operand::at(arguments, position) {
        Value::String(one) => Ok(vec![one]),
        Value::Array(_) | Value::Set(_) => operand::strings(arguments, position),
        other => Err(BuiltinError::expected(position, &["string", "set", "array"], other)),
    }
}

fn any_prefix<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (mut texts, prefixes) = (one_or_some(arguments, 1)?, one_or_some(arguments, 2)?);
    call.spend(texts.len() + prefixes.len())?;
    if prefixes.iter().any(|prefix| is_broken(prefix)) {
        let starts = |prefix: &[u8]| texts.iter().any(|text| bytes_of(text).starts_with(prefix));
        return Ok(Some(Value::Bool(prefixes.iter().any(|prefix| starts(&bytes_of(prefix))))));
    }
    // In order, what begins with a prefix comes directly after the prefix itself.
    texts.sort_unstable();
    let any = prefixes.iter().any(|prefix| {
        let first = texts.partition_point(|text| text < prefix);
        texts.get(first).is_some_and(|text| text.starts_with(prefix))
    });
    Ok(Some(Value::Bool(any)))
}

fn any_suffix<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (texts, suffixes) = (one_or_some(arguments, 1)?, one_or_some(arguments, 2)?);
    if let ([text], false) = (texts.as_slice(), suffixes.iter().any(|suffix| is_broken(suffix))) {
        call.spend(suffixes.len())?;
        return Ok(Some(Value::Bool(suffixes.iter().any(|suffix| text.ends_with(suffix)))));
    }
    let reversed = |text: &str| bytes_of(text).iter().rev().copied().collect::<Vec<u8>>();
    let mut texts: Vec<_> = texts.into_iter().map(reversed).collect();
    call.spend(texts.len() * 2 + suffixes.len())?;
    texts.sort_unstable();
    let any = suffixes.into_iter().map(reversed).any(|suffix| {
        let first = texts.partition_point(|text| *text < suffix);
        texts.get(first).is_some_and(|text| text.starts_with(&suffix))
    });
    Ok(Some(Value::Bool(any)))
}
