//! Between values and `serde_json`: for what leaves the engine (findings, patches) or enters it from Rust
//! types (parameters). Not for the request path's bulk.

use super::write::{json_number, key_text, shown_text};
use super::{Arena, Number, Object, Value};

/// Copies a `serde_json` value into an arena.
pub fn from_serde<'a>(arena: &impl Arena<'a>, value: &serde_json::Value) -> Value<'a> {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => Value::Number(match number.as_i64() {
            Some(value) => Number::Int(value),
            None => Number::Text(arena.text(&number.to_string())),
        }),
        serde_json::Value::String(text) => Value::String(arena.text(text)),
        serde_json::Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| from_serde(arena, item)).collect();
            Value::Array(arena.array(&items))
        }
        serde_json::Value::Object(members) => {
            let members =
                members.iter().map(|(key, value)| (arena.text(key), from_serde(arena, value))).collect();
            Value::Object(Object::new(arena, members))
        }
    }
}

impl Value<'_> {
    /// A `serde_json` copy of this value; numbers beyond 64 bits become floats.
    pub fn to_serde(self) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => value.into(),
            Value::Number(Number::Int(value)) => value.into(),
            Value::Number(Number::Text(text)) => {
                let text = json_number(text);
                serde_json::from_str(&text).unwrap_or_else(|_| serde_json::Value::String(text.into_owned()))
            }
            Value::String(text) => shown_text(text).into(),
            Value::Array(items) => items.iter().map(|item| item.to_serde()).collect(),
            Value::Object(object) => serde_json::Value::Object(
                object.iter().map(|(key, value)| (key.to_owned(), value.to_serde())).collect(),
            ),
            Value::Set(set) => set.iter().map(Value::to_serde).collect(),
            Value::Map(map) => serde_json::Value::Object(
                map.iter().map(|(key, value)| (key_text(key).into_owned(), value.to_serde())).collect(),
            ),
        }
    }
}

impl serde::Serialize for Value<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(Number::Int(value)) => serializer.serialize_i64(*value),
            Value::Number(Number::Text(_)) | Value::Map(_) => self.to_serde().serialize(serializer),
            Value::String(text) => serializer.serialize_str(&shown_text(text)),
            Value::Array(items) => serializer.collect_seq(items.iter()),
            Value::Object(object) => serializer.collect_map(object.iter()),
            Value::Set(set) => serializer.collect_seq(set.iter()),
        }
    }
}
