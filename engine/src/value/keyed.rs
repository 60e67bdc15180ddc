//! Objects: members sorted by key, each key once. [`Object`] has string keys only, as all of JSON has; [`Map`]
//! has at least one other key.

use super::{Arena, Value};

/// Among so few members looking at each is quicker than searching: nearly all differ in length from what is wanted.
const FEW: usize = 16;

/// A JSON object: members sorted by key, each key once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Object<'a> {
    members: &'a [(&'a str, Value<'a>)],
}

impl<'a> Object<'a> {
    /// The object without members.
    pub const EMPTY: Object<'static> = Object { members: &[] };

    /// Members that the caller has sorted by key, each key once.
    pub(crate) fn from_sorted(members: &'a [(&'a str, Value<'a>)]) -> Self {
        debug_assert!(members.is_sorted_by(|a, b| a.0 < b.0), "members must be sorted and unique");
        Self { members }
    }

    /// All members in key order, as a slice.
    pub fn members(&self) -> &'a [(&'a str, Value<'a>)] {
        self.members
    }

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
        if self.members.len() <= FEW {
            let is = |member: &&(&str, Value<'a>)| member.0.len() == key.len() && member.0 == key;
            return self.members.iter().find(is).map(|(_, value)| *value);
        }
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

/// An object with at least one key that is not a string: pairs sorted by key, each key once.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a> {
    pairs: &'a [(Value<'a>, Value<'a>)],
}

impl<'a> Map<'a> {
    /// Pairs that the caller has sorted by key, each key once, one of them no string.
    pub(crate) fn from_sorted(pairs: &'a [(Value<'a>, Value<'a>)]) -> Self {
        debug_assert!(pairs.is_sorted_by(|a, b| a.0.compare(b.0).is_lt()), "pairs must be sorted and unique");
        debug_assert!(
            pairs.iter().any(|(key, _)| key.as_str().is_none()),
            "a map has a key that is no string"
        );
        Self { pairs }
    }

    /// The value of `key`.
    pub fn get(&self, key: Value<'_>) -> Option<Value<'a>> {
        let at = self.pairs.binary_search_by(|(name, _)| name.compare(key)).ok()?;
        self.pairs.get(at).map(|(_, value)| *value)
    }

    /// All pairs in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Value<'a>, Value<'a>)> + use<'a> {
        self.pairs.iter().copied()
    }

    /// All pairs in key order, as a slice.
    pub fn pairs(&self) -> &'a [(Value<'a>, Value<'a>)] {
        self.pairs
    }

    /// The number of pairs; never 0.
    #[expect(clippy::len_without_is_empty, reason = "a map is never empty")]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }
}

/// An object of pairs in any order; of equal keys the first is kept with the value of the last, as OPA does.
pub(super) fn from_pairs<'a>(arena: &impl Arena<'a>, mut pairs: Vec<(Value<'a>, Value<'a>)>) -> Value<'a> {
    if !pairs.is_sorted_by(|a, b| a.0.compare(b.0).is_lt()) {
        pairs.sort_by(|a, b| a.0.compare(b.0));
        pairs.dedup_by(|later, first| {
            let equal = later.0 == first.0;
            if equal {
                first.1 = later.1;
            }
            equal
        });
    }
    let all_strings: Option<Vec<_>> =
        pairs.iter().map(|(key, value)| key.as_str().map(|key| (key, *value))).collect();
    match all_strings {
        // Where bytes that are no text stand among keys is seen by nobody but the search, which goes by characters.
        Some(mut members) if !members.is_sorted_by_key(|(key, _)| *key) => {
            members.sort_by_key(|(key, _)| *key);
            Value::Object(Object::from_sorted(arena.members(&members)))
        }
        Some(members) => Value::Object(Object::from_sorted(arena.members(&members))),
        None => Value::Map(Map::from_sorted(arena.pairs(&pairs))),
    }
}

impl<'a> Value<'a> {
    /// The value of any key of an object; `None` if this is no object or has no such key.
    pub fn get_key(self, key: Value<'_>) -> Option<Value<'a>> {
        match (self, key) {
            (Value::Object(object), Value::String(key)) => object.get(key),
            (Value::Map(map), key) => map.get(key),
            _ => None,
        }
    }

    /// The pairs of an object in key order; `None` if this is none.
    pub fn entries(self) -> Option<Entries<'a>> {
        match self {
            Value::Object(object) => Some(Entries::Object(object.members.iter())),
            Value::Map(map) => Some(Entries::Map(map.pairs.iter())),
            _ => None,
        }
    }
}

/// The pairs of an object in key order.
#[derive(Clone, Debug)]
pub enum Entries<'a> {
    /// Of an object with string keys only.
    Object(std::slice::Iter<'a, (&'a str, Value<'a>)>),
    /// Of any other.
    Map(std::slice::Iter<'a, (Value<'a>, Value<'a>)>),
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Value<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Entries::Object(members) => members.next().map(|(key, value)| (Value::String(key), *value)),
            Entries::Map(pairs) => pairs.next().copied(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Entries::Object(members) => members.size_hint(),
            Entries::Map(pairs) => pairs.size_hint(),
        }
    }
}

impl ExactSizeIterator for Entries<'_> {}
