//! The engine's own value: a `Copy` tree in a bump arena, with strings borrowed from the request's bytes.
//!
//! A whole request is parsed once and freed by one reset; nothing is reference-counted. Objects are slices
//! sorted by key, so a look-up is a binary search and two equal objects are equal slices. What must outlive a
//! request (parameters, namespaces, inventory) lives in a [`Document`].
//!
//! JSON gives the first six kinds; Rego adds sets and objects whose keys are not strings. Every value has one
//! place in one total order ([`Value::compare`]), which is OPA's.

pub(crate) mod bytes;
mod decimal;
mod diff;
mod document;
mod edit;
mod json;
mod keyed;
mod number;
mod order;
mod pointer;
mod serde_bridge;
mod set;
mod write;
mod yaml;

pub use diff::{PatchOperation, diff};
pub use document::Document;
pub use edit::{EditError, Revision, remove, set};
pub use json::{JsonError, MAX_DEPTH, parse_json};
pub use keyed::{Entries, Map, Object};
pub use number::Number;
pub use pointer::{Pointer, escape_segment, named_path};
pub use serde_bridge::from_serde;
pub use set::Set;
pub use write::write_json_string;
pub use yaml::{YamlDocument, YamlError, parse_yaml};

/// Where values are allocated: a request's bump arena, or the herd behind a long-lived [`Document`].
pub trait Arena<'a> {
    /// Copies a string into the arena.
    fn text(&self, text: &str) -> &'a str;
    /// Copies array elements into the arena.
    fn array(&self, items: &[Value<'a>]) -> &'a [Value<'a>];
    /// Copies object members (sorted by key, unique) into the arena.
    fn members(&self, members: &[(&'a str, Value<'a>)]) -> &'a [(&'a str, Value<'a>)];
    /// Copies pairs (sorted by key, unique) into the arena.
    fn pairs(&self, pairs: &[(Value<'a>, Value<'a>)]) -> &'a [(Value<'a>, Value<'a>)];
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
    fn pairs(&self, pairs: &[(Value<'a>, Value<'a>)]) -> &'a [(Value<'a>, Value<'a>)] {
        self.alloc_slice_copy(pairs)
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
    fn pairs(&self, pairs: &[(Value<'a>, Value<'a>)]) -> &'a [(Value<'a>, Value<'a>)] {
        self.alloc_slice_copy(pairs)
    }
}

/// One value. `Copy`: passing one around costs what passing a slice costs.
#[derive(Clone, Copy, Debug)]
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
    /// An object all of whose keys are strings: every JSON object.
    Object(Object<'a>),
    /// An object with at least one key that is not a string.
    Map(Map<'a>),
    /// A set.
    Set(Set<'a>),
}

impl<'a> Value<'a> {
    /// An empty object.
    pub const EMPTY: Value<'static> = Value::Object(Object::EMPTY);
    /// An empty array.
    pub const EMPTY_ARRAY: Value<'static> = Value::Array(&[]);
    /// An empty set.
    pub const EMPTY_SET: Value<'static> = Value::Set(Set::EMPTY);

    /// An integer.
    pub const fn int(value: i64) -> Self {
        Value::Number(Number::Int(value))
    }

    /// A set of items in any order; of equal items the first stays.
    pub fn set(arena: &impl Arena<'a>, items: Vec<Value<'a>>) -> Self {
        Value::Set(Set::new(arena, items))
    }

    /// An object of pairs in any order: [`Value::Object`] if all keys are strings, else [`Value::Map`]. Of
    /// equal keys the last value wins.
    pub fn object(arena: &impl Arena<'a>, pairs: Vec<(Value<'a>, Value<'a>)>) -> Self {
        keyed::from_pairs(arena, pairs)
    }

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

    /// The members of a set.
    pub fn as_set(self) -> Option<Set<'a>> {
        match self {
            Value::Set(set) => Some(set),
            _ => None,
        }
    }

    /// The name of this value's type, as Rego's `type_name` gives it.
    pub fn type_name(self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) | Value::Map(_) => "object",
            Value::Set(_) => "set",
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
                Value::Object(Object::from_sorted(arena.members(&members)))
            }
            Value::Map(map) => {
                let pairs: Vec<_> =
                    map.iter().map(|(key, value)| (key.copy_into(arena), value.copy_into(arena))).collect();
                Value::Map(Map::from_sorted(arena.pairs(&pairs)))
            }
            Value::Set(set) => {
                let items: Vec<_> = set.iter().map(|item| item.copy_into(arena)).collect();
                Value::Set(Set::from_sorted(arena.array(&items)))
            }
        }
    }
}
