//! What calls make once and use again.

use crate::rego::pattern::{Glob, PatternError, Regular};
use crate::rego::text::Format;
use std::collections::HashMap;
use std::sync::Arc;

/// Compiled patterns and formats, kept by whoever evaluates (one per worker thread, or one per evaluation).
#[derive(Debug, Default)]
pub(in crate::rego) struct Caches {
    formats: Bounded<Format>,
    regulars: Bounded<Result<Arc<Regular>, PatternError>>,
    globs: Bounded<Result<Arc<Glob>, PatternError>>,
    /// A buffer for text that is made piece by piece.
    pub(super) scratch: String,
}

impl Caches {
    /// The format of a text.
    pub(super) fn format(&mut self, text: &str) -> Arc<Format> {
        self.formats.get(text, || Format::new(text))
    }

    /// The compiled regular expression of a text.
    pub(super) fn regular(&mut self, pattern: &str) -> Result<Arc<Regular>, PatternError> {
        (*self.regulars.get(pattern, || Regular::new(pattern).map(Arc::new))).clone()
    }

    /// The compiled glob of a text and its separators.
    pub(super) fn glob(&mut self, pattern: &str, separators: &[char]) -> Result<Arc<Glob>, PatternError> {
        let separated: String = separators.iter().collect();
        // A zero byte keeps pattern and separators apart.
        let key = format!("{pattern}\0{separated}");
        (*self.globs.get(&key, || Glob::new(pattern, separators).map(Arc::new))).clone()
    }
}

/// A map by text that starts anew when it is full: what is in use comes back with the next calls.
#[derive(Debug)]
struct Bounded<V> {
    entries: HashMap<Box<str>, Arc<V>>,
}

/// As many as OPA keeps regexes.
const MAX_ENTRIES: usize = 100;

impl<V> Default for Bounded<V> {
    fn default() -> Self {
        Self { entries: HashMap::new() }
    }
}

impl<V> Bounded<V> {
    /// The entry of a key, made if it is not there.
    fn get(&mut self, key: &str, make: impl FnOnce() -> V) -> Arc<V> {
        if let Some(entry) = self.entries.get(key) {
            return entry.clone();
        }
        if self.entries.len() >= MAX_ENTRIES {
            self.entries.clear();
        }
        let entry = Arc::new(make());
        self.entries.insert(key.into(), entry.clone());
        entry
    }
}
