//! The functions of templates.

use super::failed;
use super::item::Item;
use super::parser::Term;
use super::render::State;
use crate::rego::builtins::BuiltinError;
use crate::rego::builtins::encoding::query_escape;
use crate::rego::text::Format;
use crate::rego::text::quote::is_print;
use crate::value::Value;
use crate::value::bytes::{bytes_of, text_from};
use std::cmp::Ordering;

type Done<T> = Result<T, BuiltinError>;

/// Calls a function with operands, and with what came before it.
pub(super) fn call<'t, 'a>(
    state: &mut State<'t, 'a, '_, '_>,
    name: &str,
    operands: &'t [Term],
    dot: &Item<'a>,
    last: Option<Item<'a>>,
) -> Done<Item<'a>> {
    if let "and" | "or" = name {
        let mut value = None;
        for operand in operands {
            let given = state.term(operand, dot)?;
            if given.is_true() == (name == "or") {
                return Ok(given);
            }
            value = Some(given);
        }
        return match last.or(value) {
            Some(value) => Ok(value),
            None => failed(format!("wrong number of args for {name}: want at least 1 got 0")),
        };
    }
    let mut given = Vec::with_capacity(operands.len() + 1);
    for operand in operands {
        given.push(state.term(operand, dot)?);
    }
    given.extend(last);
    let size: usize = given.iter().filter_map(|item| item.text().map(|text| text.len())).sum();
    state.call.spend(2 + size / 16)?;
    match (name, given.as_slice()) {
        ("not", [one]) => Ok(Item::Bool(!one.is_true())),
        ("len", [one]) => length(one).map(Item::Int),
        ("index", [of, at @ ..]) => index(of, at),
        ("slice", [of, at @ ..]) => slice(of, at),
        ("print", all) => Ok(Item::Text(print(all))),
        ("println", all) => {
            let shown: Vec<_> = all.iter().map(shown).collect();
            Ok(Item::Text(shown.join(" ") + "\n"))
        }
        ("printf", [format, all @ ..]) => printf(state, format, all),
        ("html", all) => Ok(Item::Text(html(&joined(all)))),
        ("js", all) => Ok(Item::Text(javascript(&joined(all)))),
        ("urlquery", all) => Ok(Item::Text(query_escape(&bytes_of(&joined(all))))),
        ("eq", [first, others @ ..]) => equal(first, others).map(Item::Bool),
        ("ne", [one, other]) => equal(one, std::slice::from_ref(other)).map(|equal| Item::Bool(!equal)),
        ("lt", [one, other]) => Ok(Item::Bool(compare(one, other)? == Some(Ordering::Less))),
        ("le", [one, other]) => {
            Ok(Item::Bool(matches!(compare(one, other)?, Some(Ordering::Less | Ordering::Equal))))
        }
        ("gt", [one, other]) => {
            Ok(Item::Bool(!matches!(compare(one, other)?, Some(Ordering::Less | Ordering::Equal))))
        }
        ("ge", [one, other]) => Ok(Item::Bool(compare(one, other)? != Some(Ordering::Less))),
        ("call", _) => failed("error calling call: data has no functions"),
        _ => failed(format!("wrong number of args for {name}: got {}", given.len())),
    }
}

fn shown(item: &Item<'_>) -> String {
    let mut text = String::new();
    item.clone().settled().write(&mut text);
    text
}

/// With a space between two of which neither is text.
fn print(all: &[Item<'_>]) -> String {
    let mut out = String::new();
    let mut before_is_text = true;
    for item in all {
        let is_text = item.text().is_some();
        if !before_is_text && !is_text {
            out.push(' ');
        }
        out.push_str(&shown(item));
        before_is_text = is_text;
    }
    out
}

/// What is escaped: the text of one string, or all as they are printed.
fn joined(all: &[Item<'_>]) -> String {
    if let [only] = all
        && only.is_string()
    {
        return only.text().unwrap_or_default();
    }
    let all: Vec<_> = all
        .iter()
        .map(|item| match item.clone().settled() {
            Item::Nothing => Item::Text("<no value>".to_owned()),
            item => item,
        })
        .collect();
    print(&all)
}

fn length(of: &Item<'_>) -> Done<i64> {
    let length = match of {
        Item::Data(Value::Array(items)) => items.len(),
        Item::Data(Value::Object(object)) => object.len(),
        other => match other.text() {
            Some(text) => bytes_of(&text).len(),
            None => return failed(format!("error calling len: len of type {}", other.kind())),
        },
    };
    Ok(i64::try_from(length).unwrap_or(i64::MAX))
}

/// A place up to a length.
fn place(at: &Item<'_>, length: usize) -> Done<usize> {
    let Item::Int(at) = at else {
        return failed(format!("cannot index slice/array with type {}", at.kind()));
    };
    match usize::try_from(*at) {
        Ok(place) if place <= length => Ok(place),
        _ => failed(format!("index out of range: {at}")),
    }
}

fn index<'a>(of: &Item<'a>, path: &[Item<'a>]) -> Done<Item<'a>> {
    let mut item = of.clone();
    if let Item::Nothing | Item::Data(Value::Null) = item {
        return failed("error calling index: index of untyped nil");
    }
    for at in path {
        item = match &item {
            Item::Data(Value::Object(object)) => {
                if !at.is_string() {
                    return failed(format!(
                        "error calling index: value has type {}; should be string",
                        at.kind()
                    ));
                }
                // What is not there is nil, not nothing.
                Item::Data(object.get(&at.text().unwrap_or_default()).unwrap_or(Value::Null))
            }
            Item::Data(Value::Array(items)) => match items.get(place(at, items.len())?) {
                Some(found) => Item::Data(*found),
                None => return failed("error calling index: reflect: slice index out of range"),
            },
            other => {
                let Some(text) = other.text() else {
                    return failed(format!("error calling index: can't index item of type {}", other.kind()));
                };
                let bytes = bytes_of(&text);
                match bytes.get(place(at, bytes.len())?) {
                    Some(byte) => Item::Int(i64::from(*byte)),
                    None => return failed("error calling index: reflect: string index out of range"),
                }
            }
        };
    }
    Ok(item)
}

fn slice<'a>(of: &Item<'a>, at: &[Item<'a>]) -> Done<Item<'a>> {
    let wrong = |from: usize, to: usize| failed(format!("invalid slice index: {from} > {to}"));
    let bounds = |length: usize| -> Done<(usize, usize)> {
        let mut bounds = [0, length, length];
        for (bound, at) in bounds.iter_mut().zip(at) {
            *bound = place(at, length)?;
        }
        let [from, to, capacity] = bounds;
        if from > to {
            return wrong(from, to);
        }
        if to > capacity {
            return wrong(to, capacity);
        }
        Ok((from, to))
    };
    if at.len() > 3 {
        return failed(format!("too many slice indexes: {}", at.len()));
    }
    if let Some(items) = of.items() {
        let (from, to) = bounds(items.len())?;
        return Ok(Item::Data(Value::Array(items.get(from..to).unwrap_or_default())));
    }
    match of.text() {
        Some(_) if at.len() == 3 => failed("cannot 3-index slice a string"),
        Some(text) => {
            let bytes = bytes_of(&text);
            let (from, to) = bounds(bytes.len())?;
            Ok(Item::Text(text_from(bytes.get(from..to).unwrap_or_default()).into_owned()))
        }
        None => failed(format!("can't slice item of type {}", of.kind())),
    }
}

/// Go's `fmt.Sprintf`, for text and integers with any verb, for anything with `%v`.
fn printf<'a>(state: &mut State<'_, 'a, '_, '_>, format: &Item<'a>, all: &[Item<'a>]) -> Done<Item<'a>> {
    if !format.is_string() {
        return failed(format!("wrong type for value; expected string; got {}", format.kind()));
    }
    let format = format.text().unwrap_or_default();
    let verbs: Vec<char> = verbs(&format);
    let fits = |item: &Item<'_>| match item {
        Item::Text(_) | Item::Data(Value::String(_)) => true,
        // Where the name of its type is not shown.
        Item::Int(_) => verbs.iter().all(|verb| "vdbcoqxXU".contains(*verb)),
        // Text of a type of its own: only where its name is not shown.
        Item::Data(Value::Number(_)) => verbs.iter().all(|verb| "vsqxX".contains(*verb)),
        _ => verbs.iter().all(|verb| *verb == 'v'),
    };
    if !all.iter().all(fits) {
        let words = "printf of what is neither text nor an integer is rendered here with %v only";
        return Err(BuiltinError::Halt(words.into()));
    }
    let values: Vec<Value<'a>> = all
        .iter()
        .map(|item| match item {
            Item::Int(value) => Value::int(*value),
            other => state.call.text(&shown(other)),
        })
        .collect();
    let mut out = String::new();
    Format::new(&format).write(&mut out, &values);
    state.call.claim(out.len())?;
    Ok(Item::Text(out))
}

/// The verbs of a format.
fn verbs(format: &str) -> Vec<char> {
    let mut verbs = Vec::new();
    let mut rest = format;
    while let Some((_, after)) = rest.split_once('%') {
        let flags = |character: char| "+-# 0123456789.[]*".contains(character);
        let after = after.trim_start_matches(flags);
        let mut characters = after.chars();
        verbs.extend(characters.next().filter(|verb| *verb != '%'));
        rest = characters.as_str();
    }
    verbs
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\0' => out.push(char::REPLACEMENT_CHARACTER),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    out
}

fn javascript(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '\'' | '"' => {
                out.push('\\');
                out.push(character);
            }
            '<' | '>' | '&' | '=' | '\0'..' ' => out.push_str(&format!("\\u{:04X}", u32::from(character))),
            _ if character.is_ascii() || is_print(character) => out.push(character),
            _ => out.push_str(&format!("\\u{:04X}", u32::from(character))),
        }
    }
    out
}

/// The kinds of values that are compared.
enum Basic {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

fn basic(item: &Item<'_>) -> Option<Basic> {
    Some(match item {
        Item::Bool(value) | Item::Data(Value::Bool(value)) => Basic::Bool(*value),
        Item::Int(value) => Basic::Int(*value),
        Item::Float(value) => Basic::Float(*value),
        other => Basic::Text(other.text()?),
    })
}

#[expect(clippy::float_cmp, reason = "equal is what the template asks for")]
fn equal(first: &Item<'_>, others: &[Item<'_>]) -> Done<bool> {
    if others.is_empty() {
        return failed("error calling eq: missing argument for comparison");
    }
    let first = first.clone().settled();
    for other in others {
        let other = other.clone().settled();
        let nothing = [&first, &other].map(|item| matches!(item, Item::Nothing));
        let is_equal = match (basic(&first), basic(&other)) {
            (Some(Basic::Bool(one)), Some(Basic::Bool(other))) => one == other,
            (Some(Basic::Int(one)), Some(Basic::Int(other))) => one == other,
            (Some(Basic::Float(one)), Some(Basic::Float(other))) => one == other,
            (Some(Basic::Text(one)), Some(Basic::Text(other))) => one == other,
            _ if nothing[0] || nothing[1] => nothing[0] && nothing[1],
            (None, None) => return failed("error calling eq: non-comparable types"),
            _ => {
                let (one, other) = (first.kind(), other.kind());
                return failed(format!("incompatible types for comparison: {one} and {other}"));
            }
        };
        if is_equal {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How two compare; `None` for what is no number.
fn compare(one: &Item<'_>, other: &Item<'_>) -> Done<Option<Ordering>> {
    match (basic(one), basic(other)) {
        (Some(Basic::Int(one)), Some(Basic::Int(other))) => Ok(Some(one.cmp(&other))),
        (Some(Basic::Float(one)), Some(Basic::Float(other))) => Ok(one.partial_cmp(&other)),
        (Some(Basic::Text(one)), Some(Basic::Text(other))) => Ok(Some(bytes_of(&one).cmp(&bytes_of(&other)))),
        (Some(Basic::Bool(_)), Some(Basic::Bool(_))) | (None, _) | (_, None) => {
            failed("invalid type for comparison")
        }
        _ => failed(format!("incompatible types for comparison: {} and {}", one.kind(), other.kind())),
    }
}
