//! What calls make once and use again.

use crate::rego::text::Format;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Compiled patterns and formats, kept by whoever evaluates (one per worker thread, or one per evaluation).
#[derive(Debug, Default)]
pub(in crate::rego) struct Caches {
    formats: Bounded<Box<str>, Format>,
    /// A buffer for text that is made piece by piece.
    pub(super) scratch: String,
}

impl Caches {
    /// The format of a text.
    pub(super) fn format(&mut self, text: &str) -> Arc<Format> {
        self.formats.get(text, || Format::new(text))
    }
}

/// A map that starts anew when it is full: what is in use comes back with the next calls.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    entries: HashMap<K, Arc<V>>,
}

/// As many as OPA keeps regexes.
const MAX_ENTRIES: usize = 100;

impl<K, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new() }
    }
}

impl<K: Hash + Eq, V> Bounded<K, V> {
    /// The entry of a key, made if it is not there.
    pub(super) fn get<Q>(&mut self, key: &Q, make: impl FnOnce() -> V) -> Arc<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ToOwned + ?Sized,
        for<'q> K: From<&'q Q>,
    {
        if let Some(entry) = self.entries.get(key) {
            return entry.clone();
        }
        if self.entries.len() >= MAX_ENTRIES {
            self.entries.clear();
        }
        let entry = Arc::new(make());
        self.entries.insert(K::from(key), entry.clone());
        entry
    }
}
