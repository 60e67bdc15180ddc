//! Sets: items in the total order, each once.

use super::{Arena, Value};

/// A set: a slice sorted by [`Value::compare`], each item once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Set<'a> {
    items: &'a [Value<'a>],
}

impl<'a> Set<'a> {
    /// The set without items.
    pub const EMPTY: Set<'static> = Set { items: &[] };

    /// A set of items in any order; of equal items (`1` and `1.0`) the first stays.
    pub fn new(arena: &impl Arena<'a>, mut items: Vec<Value<'a>>) -> Self {
        if !items.is_sorted_by(|a, b| a.compare(*b).is_lt()) {
            items.sort_by(|a, b| a.compare(*b));
            items.dedup_by(|later, first| later == first);
        }
        Self { items: arena.array(&items) }
    }

    /// Items that the caller has sorted, each once.
    pub(crate) fn from_sorted(items: &'a [Value<'a>]) -> Self {
        debug_assert!(items.is_sorted_by(|a, b| a.compare(*b).is_lt()), "items must be sorted and unique");
        Self { items }
    }

    /// The items in order.
    pub fn items(&self) -> &'a [Value<'a>] {
        self.items
    }

    /// The items in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Value<'a>> + DoubleEndedIterator + use<'a> {
        self.items.iter().copied()
    }

    /// The member that equals `value`.
    pub fn find(&self, value: Value<'_>) -> Option<Value<'a>> {
        let at = self.items.binary_search_by(|item| item.compare(value)).ok()?;
        self.items.get(at).copied()
    }

    /// Whether `value` is a member.
    pub fn contains(&self, value: Value<'_>) -> bool {
        self.find(value).is_some()
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
