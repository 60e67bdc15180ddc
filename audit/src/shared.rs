//! Values that many results have alike, kept once.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// Fewer are never looked through for what nobody uses any more.
const FEW: usize = 1024;

/// One copy of each value that is in use.
#[derive(Debug)]
pub(crate) struct Shared<T: ?Sized> {
    known: HashSet<Arc<T>>,
    /// At this many, what nobody uses is dropped.
    tidy_at: usize,
}

impl<T: ?Sized> Default for Shared<T> {
    fn default() -> Self {
        Self { known: HashSet::new(), tidy_at: FEW }
    }
}

impl<T: Eq + Hash + ?Sized> Shared<T> {
    /// The copy of a value that is kept already, or a new one.
    pub(crate) fn of<Q: Eq + Hash + ?Sized>(&mut self, value: &Q, make: impl FnOnce() -> Arc<T>) -> Arc<T>
    where
        Arc<T>: Borrow<Q>,
    {
        if let Some(known) = self.known.get(value) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.tidy_at {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            self.tidy_at = FEW.max(2 * self.known.len());
        }
        let new = make();
        self.known.insert(Arc::clone(&new));
        new
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }
}

impl Shared<str> {
    /// The copy of a text.
    pub(crate) fn text(&mut self, text: &str) -> Arc<str> {
        self.of(text, || text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_and_unused_ones_go() {
        let mut shared: Shared<str> = Shared::default();
        let first = shared.text("a");
        assert!(Arc::ptr_eq(&first, &shared.text("a")));
        for number in 0..10 * FEW {
            shared.text(&number.to_string());
        }
        assert!(shared.len() <= FEW + 1, "{}", shared.len());
        assert!(Arc::ptr_eq(&first, &shared.text("a")));
    }
}
