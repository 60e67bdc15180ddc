//! `regex.*` and `glob.*`. Compiled patterns are kept; constant ones are compiled at load.

use super::{Builtin, BuiltinError, Call, Outcome, Type, deprecated, function, operand};
use crate::rego::pattern::{Glob, IntersectError, PatternError, Regular, intersect, quote_meta, translate};
use crate::value::Value;
use std::sync::Arc;

const TWO: &[Type] = &[Type::String, Type::String];
const FIND: &[Type] = &[Type::String, Type::String, Type::Number];
const SEPARATORS: Type = Type::OneOf(&[Type::Null, Type::STRINGS]);
const FOUR: &[Type] = &[Type::String, Type::String, Type::String, Type::String];

pub(super) const TABLE: &[Builtin] = &[
    function("regex.is_valid", &[Type::String], Type::Boolean, is_valid),
    function("regex.match", TWO, Type::Boolean, is_match),
    deprecated("re_match", TWO, Type::Boolean, is_match),
    function("regex.find_n", FIND, Type::STRINGS, find),
    function("regex.find_all_string_submatch_n", FIND, Type::Array(&[], Some(&Type::STRINGS)), find_groups),
    function("regex.split", TWO, Type::STRINGS, split),
    function("regex.replace", &[Type::String, Type::String, Type::String], Type::String, replace),
    function("regex.template_match", FOUR, Type::Boolean, template_match),
    function("regex.globs_match", TWO, Type::Boolean, globs_match),
    function("glob.match", &[Type::String, SEPARATORS, Type::String], Type::Boolean, glob_match),
    function("glob.quote_meta", &[Type::String], Type::String, |call, a| {
        Ok(Some(call.text(&quote_meta(operand::string(a, 1)?))))
    }),
];

impl From<PatternError> for BuiltinError {
    fn from(error: PatternError) -> Self {
        match error {
            PatternError::Syntax(words) => BuiltinError::failed(words),
            // OPA would have compiled it: an answer of our own would be a silent difference.
            PatternError::Refused(reason) => BuiltinError::Halt(reason.into()),
        }
    }
}

/// The compiled pattern of a text.
fn compiled(call: &mut Call<'_, '_>, pattern: &str) -> Result<Arc<Regular>, BuiltinError> {
    Ok(call.caches.regular(pattern)?)
}

/// Matching is linear in the text.
fn read(call: &mut Call<'_, '_>, text: &str) -> Result<(), BuiltinError> {
    call.spend(1 + text.len() / 16)
}

fn is_valid<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let pattern = operand::at(arguments, 1).as_str();
    let valid = pattern.is_some_and(|pattern| !matches!(translate(pattern), Err(PatternError::Syntax(_))));
    Ok(Some(Value::Bool(valid)))
}

fn is_match<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (pattern, text) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    read(call, text)?;
    Ok(Some(Value::Bool(compiled(call, pattern)?.is_match(text))))
}

/// A number of finds; negative for all.
fn most(arguments: &[Value<'_>]) -> Result<usize, BuiltinError> {
    Ok(usize::try_from(operand::integer(arguments, 3)?).unwrap_or(usize::MAX))
}

fn texts<'a>(call: &mut Call<'a, '_>, texts: &[&'a str]) -> Result<Value<'a>, BuiltinError> {
    call.spend(texts.len())?;
    call.claim(texts.len() * size_of::<Value<'_>>())?;
    let items: Vec<_> = texts.iter().copied().map(Value::String).collect();
    Ok(call.array(&items))
}

fn find<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (pattern, text) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    let most = most(arguments)?;
    read(call, text)?;
    let found = compiled(call, pattern)?.find(text, most);
    texts(call, &found).map(Some)
}

fn find_groups<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (pattern, text) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    let most = most(arguments)?;
    read(call, text)?;
    let mut items = Vec::new();
    for groups in compiled(call, pattern)?.find_groups(text, most) {
        items.push(texts(call, &groups)?);
    }
    Ok(Some(call.array(&items)))
}

fn split<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (pattern, text) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    read(call, text)?;
    let parts = compiled(call, pattern)?.split(text);
    texts(call, &parts).map(Some)
}

fn replace<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    let (pattern, template) = (operand::string(arguments, 2)?, operand::string(arguments, 3)?);
    read(call, text)?;
    let regular = compiled(call, pattern)?;
    let replaced = regular.replace(text, template, |growth| {
        call.spend(1 + growth / 64)?;
        call.claim(growth)
    })?;
    Ok(Some(call.text(&replaced)))
}

/// A pattern with regular expressions between delimiters, the rest literal, matched as a whole.
fn template_match<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (template, text) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    let (start, end) = (operand::string(arguments, 3)?, operand::string(arguments, 4)?);
    let delimiter = |name: &str, text: &str| {
        let one = u8::try_from(text.len()).ok().filter(|length| *length == 1).and(text.bytes().next());
        one.ok_or_else(|| {
            let length = start.len();
            BuiltinError::failed(format!(
                "{name} delimiter has to be exactly one character long but is {length} long"
            ))
        })
    };
    let (start, end) = (delimiter("start", start)?, delimiter("end", end)?);
    read(call, text)?;
    let mut pattern = String::from("^");
    let mut literal_from = 0;
    for (open, close) in delimited(template, start, end)? {
        let inner = template.get(open + 1..close).unwrap_or_default();
        let literal = template.get(literal_from..open).unwrap_or_default();
        pattern.push_str(&format!("{}({inner})", quote(literal)));
        compiled(call, &format!("^{inner}$"))?;
        literal_from = close + 1;
    }
    pattern.push_str(&quote(template.get(literal_from..).unwrap_or_default()));
    pattern.push('$');
    Ok(Some(Value::Bool(compiled(call, &pattern)?.is_match(text))))
}

/// A literal in Go's regular expressions.
fn quote(literal: &str) -> String {
    let mut quoted = String::with_capacity(literal.len());
    for character in literal.chars() {
        if "\\.+*?()|[]{}^$".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// Where the outermost delimiters open and close.
fn delimited(template: &str, start: u8, end: u8) -> Result<Vec<(usize, usize)>, BuiltinError> {
    let (mut pairs, mut level, mut opened) = (Vec::new(), 0_usize, 0);
    let mut balanced = true;
    for (at, byte) in template.bytes().enumerate() {
        if byte == start {
            level += 1;
            if level == 1 {
                opened = at;
            }
        } else if byte == end {
            match level.checked_sub(1) {
                Some(0) => pairs.push((opened, at)),
                Some(_) => {}
                None => balanced = false,
            }
            level = level.saturating_sub(1);
        }
    }
    if balanced && level == 0 {
        return Ok(pairs);
    }
    let mut quoted = String::new();
    crate::rego::text::quote::write_quoted(&mut quoted, template, false);
    Err(BuiltinError::failed(format!("unbalanced braces in {quoted}")))
}

fn globs_match<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    match intersect(left, right, &mut || call.spend(1)) {
        Ok(meet) => Ok(Some(Value::Bool(meet))),
        Err(IntersectError::Invalid(words)) => Err(BuiltinError::failed(words)),
        Err(IntersectError::Stopped(error)) => Err(error),
    }
}

fn glob_match<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let pattern = operand::string(arguments, 1)?;
    let separators = operand::at(arguments, 2);
    let separators: Vec<char> = match separators {
        Value::Null => Vec::new(),
        Value::Array([]) => vec!['.'],
        Value::Array(items) => {
            items.iter().map(|item| one_character(separators, *item)).collect::<Result<_, _>>()?
        }
        other => return Err(BuiltinError::expected(2, &["array", "null"], other)),
    };
    let text = operand::string(arguments, 3)?;
    read(call, text)?;
    let glob: Arc<Glob> = call.caches.glob(pattern, &separators)?;
    Ok(Some(Value::Bool(glob.is_match(text))))
}

fn one_character(collection: Value<'_>, item: Value<'_>) -> Result<char, BuiltinError> {
    let text = operand::element_string(2, collection, item)?;
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(operand::element(2, collection, item, "rune")),
    }
}
