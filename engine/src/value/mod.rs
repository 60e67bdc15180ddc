//! The engine's own JSON value: a `Copy` tree in a bump arena, with strings borrowed from the request's bytes.
//!
//! A whole request is parsed once and freed by one reset; nothing is reference-counted. Objects are slices
//! sorted by key, so a look-up is a binary search and two equal objects are equal slices. What must outlive a
//! request (parameters, namespaces, inventory) lives in a [`Document`].

mod diff;
mod document;
mod edit;
mod json;
mod number;
mod pointer;
mod serde_bridge;
mod write;
mod yaml;

pub use diff::{PatchOperation, diff};
pub use document::Document;
pub use edit::{EditError, remove, set};
pub use json::{JsonError, MAX_DEPTH, parse_json};
pub use number::Number;
pub use pointer::{Pointer, escape_segment, named_path};
pub use serde_bridge::from_serde;
pub use yaml::{YamlDocument, YamlError, parse_yaml};

/// Where values are allocated: a request's bump arena, or the herd behind a long-lived [`Document`].
pub trait Arena<'a> {
    /// Copies a string into the arena.
    fn text(&self, text: &str) -> &'a str;
    /// Copies array elements into the arena.
    fn array(&self, items: &[Value<'a>]) -> &'a [Value<'a>];
    /// Copies object members (sorted by key, unique) into the arena.
    fn members(&self, members: &[(&'a str, Value<'a>)]) -> &'a [(&'a str, Value<'a>)];
}

impl<'a> Arena<'a> for &'a bumpalo::Bump {
    fn text(&self, text: &str) -> &'a str {
        self.alloc_str(text)
    }
    fn array(&self, items: &[Value<'a>]) -> &'a [Value<'a>] {
        self.alloc_slice_copy(items)
    }
    fn members(&self, members: &[(&'a str, Value<'a>)]) -> &'a [(&'a str, Value<'a>)] {
        self.alloc_slice_copy(members)
    }
}

impl<'a> Arena<'a> for bumpalo_herd::Member<'a> {
    fn text(&self, text: &str) -> &'a str {
        self.alloc_str(text)
    }
    fn array(&self, items: &[Value<'a>]) -> &'a [Value<'a>] {
        self.alloc_slice_copy(items)
    }
    fn members(&self, members: &[(&'a str, Value<'a>)]) -> &'a [(&'a str, Value<'a>)] {
        self.alloc_slice_copy(members)
    }
}

/// One JSON value. `Copy`: passing one around costs what passing a slice costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exact: see [`Number`].
    Number(Number<'a>),
    /// A string, unescaped.
    String(&'a str),
    /// An array.
    Array(&'a [Value<'a>]),
    /// An object.
    Object(Object<'a>),
}

/// A JSON object: members sorted by key, each key once.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Object<'a> {
    members: &'a [(&'a str, Value<'a>)],
}

impl<'a> Object<'a> {
    /// Builds an object from members in any order; of equal keys the last wins, as in Go's `encoding/json`.
    pub fn new(arena: &impl Arena<'a>, mut members: Vec<(&'a str, Value<'a>)>) -> Self {
        if !members.is_sorted_by(|a, b| a.0 < b.0) {
            members.reverse();
            members.sort_by(|a, b| a.0.cmp(b.0));
            members.dedup_by(|later, first| later.0 == first.0);
        }
        Self { members: arena.members(&members) }
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        let at = self.members.binary_search_by(|(name, _)| (*name).cmp(key)).ok()?;
        self.members.get(at).map(|(_, value)| *value)
    }

    /// All members in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a str, Value<'a>)> + use<'a> {
        self.members.iter().copied()
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// This object with `key` set to `value`.
    #[must_use]
    pub fn with(&self, arena: &impl Arena<'a>, key: &'a str, value: Value<'a>) -> Self {
        let mut members = self.members.to_vec();
        match members.binary_search_by(|(name, _)| (*name).cmp(key)) {
            Ok(at) => {
                if let Some(member) = members.get_mut(at) {
                    member.1 = value;
                }
            }
            Err(at) => members.insert(at, (key, value)),
        }
        Self { members: arena.members(&members) }
    }

    /// This object without `key`.
    #[must_use]
    pub fn without(&self, arena: &impl Arena<'a>, key: &str) -> Self {
        let members: Vec<_> = self.members.iter().filter(|(name, _)| *name != key).copied().collect();
        Self { members: arena.members(&members) }
    }
}

impl<'a> Value<'a> {
    /// An empty object.
    pub const EMPTY: Value<'static> = Value::Object(Object { members: &[] });

    /// The member `key` of an object; `None` if this is no object or has no such member.
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        match self {
            Value::Object(object) => object.get(key),
            _ => None,
        }
    }

    /// The value along a path of object keys.
    pub fn at(self, path: &[&str]) -> Option<Value<'a>> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text of a string.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value of a boolean.
    pub fn as_bool(self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if it is an integer within 64 bits.
    pub fn as_int(self) -> Option<i64> {
        match self {
            Value::Number(number) => number.as_int(),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(self) -> Option<&'a [Value<'a>]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members of an object.
    pub fn as_object(self) -> Option<Object<'a>> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The string member `key`, or the empty string: how Kubernetes treats an absent string field.
    pub fn str_or_empty(self, key: &str) -> &'a str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether this is `null`.
    pub fn is_null(self) -> bool {
        matches!(self, Value::Null)
    }

    /// The JSON name of this value's type.
    pub fn type_name(self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }

    /// A copy of this value, strings included, in another arena.
    pub fn copy_into<'b>(self, arena: &impl Arena<'b>) -> Value<'b> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(Number::Int(value)) => Value::Number(Number::Int(value)),
            Value::Number(Number::Text(text)) => Value::Number(Number::Text(arena.text(text))),
            Value::String(text) => Value::String(arena.text(text)),
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| item.copy_into(arena)).collect();
                Value::Array(arena.array(&items))
            }
            Value::Object(object) => {
                let members: Vec<_> =
                    object.iter().map(|(key, value)| (arena.text(key), value.copy_into(arena))).collect();
                Value::Object(Object { members: arena.members(&members) })
            }
        }
    }
}
