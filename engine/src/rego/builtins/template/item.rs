//! What a template computes with, and how it is shown.

use crate::rego::text::go_float;
use crate::value::Value;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Item<'a> {
    /// Nothing: what a key that is not there gives.
    Nothing,
    /// From the data: JSON. `null` is nothing once it is a command's value, but has no fields.
    Data(Value<'a>),
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl<'a> Item<'a> {
    /// `null` as nothing.
    pub(super) fn settled(self) -> Self {
        match self {
            Item::Data(Value::Null) => Item::Nothing,
            other => other,
        }
    }

    /// The text of what is text to Go: strings, and numbers of the data.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Item::Text(text) => Some(text.clone()),
            Item::Data(Value::String(text)) => Some((*text).to_owned()),
            Item::Data(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Whether it is a string, and not a number of the data.
    pub(super) fn is_string(&self) -> bool {
        matches!(self, Item::Text(_) | Item::Data(Value::String(_)))
    }

    pub(super) fn items(&self) -> Option<&'a [Value<'a>]> {
        match self {
            Item::Data(Value::Array(items)) => Some(items),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Item::Nothing | Item::Data(Value::Null) => false,
            Item::Bool(value) | Item::Data(Value::Bool(value)) => *value,
            Item::Int(value) => *value != 0,
            Item::Float(value) => *value != 0.0,
            Item::Data(Value::Array(items)) => !items.is_empty(),
            Item::Data(Value::Object(object)) => !object.is_empty(),
            other => other.text().is_some_and(|text| !text.is_empty()),
        }
    }

    /// As Go's `%v` shows it.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Item::Nothing => out.push_str("<nil>"),
            Item::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Item::Int(value) => out.push_str(&value.to_string()),
            Item::Float(value) => out.push_str(&go_float(*value)),
            Item::Text(text) => out.push_str(text),
            Item::Data(value) => write_value(out, *value),
        }
    }

    /// The name of its type, for errors.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Item::Nothing => "nil",
            Item::Bool(_) => "bool",
            Item::Int(_) => "int",
            Item::Float(_) => "float64",
            Item::Text(_) => "string",
            Item::Data(value) => value.type_name(),
        }
    }
}

fn write_value(out: &mut String, value: Value<'_>) {
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => out.push_str(text),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { " " } else { "" });
                write_value(out, *item);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push_str("map[");
            for (at, (key, value)) in object.iter().enumerate() {
                out.push_str(if at > 0 { " " } else { "" });
                out.push_str(key);
                out.push(':');
                write_value(out, value);
            }
            out.push(']');
        }
        // Data is JSON when it comes here.
        Value::Set(_) | Value::Map(_) => {}
    }
}
