//! Values written as Rego terms: strings quoted, sets in braces, `set()` for the empty one.

use super::quote::write_quoted;
use crate::value::{Number, Value};
use std::fmt::Write;

/// Appends a value as OPA prints terms.
pub(in crate::rego) fn write_term(out: &mut String, value: Value<'_>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(Number::Int(value)) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "{value}");
        }
        Value::Number(Number::Text(text)) => out.push_str(text),
        Value::String(text) => write_quoted(out, text, false),
        Value::Array(items) => {
            out.push('[');
            write_items(out, items);
            out.push(']');
        }
        Value::Set(set) if set.is_empty() => out.push_str("set()"),
        Value::Set(set) => {
            out.push('{');
            write_items(out, set.items());
            out.push('}');
        }
        Value::Object(_) | Value::Map(_) => {
            out.push('{');
            for (index, (key, value)) in value.entries().into_iter().flatten().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_term(out, key);
                out.push_str(": ");
                write_term(out, value);
            }
            out.push('}');
        }
    }
}

fn write_items(out: &mut String, items: &[Value<'_>]) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_term(out, *item);
    }
}
