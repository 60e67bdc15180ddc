//! How many bytes of bodies all requests hold together. A body is charged as it arrives, not by what its
//! `Content-Length` promises: a promise costs an attacker nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that may be in flight.
#[derive(Debug)]
pub(crate) struct ByteBudget {
    used: AtomicUsize,
    limit: usize,
}

/// A share of the budget, given back on drop.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Arc<ByteBudget>,
    bytes: usize,
}

impl ByteBudget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), limit })
    }

    /// An empty share, to be grown.
    pub(crate) fn open(self: &Arc<Self>) -> Charge {
        Charge { budget: Arc::clone(self), bytes: 0 }
    }

    /// Bytes held now.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

impl Charge {
    /// Takes `bytes` more; `false`, and nothing taken, if the budget has not that much.
    #[must_use]
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let taken = self.budget.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|sum| *sum <= self.budget.limit)
        });
        if taken.is_ok() {
            self.bytes += bytes;
        }
        taken.is_ok()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back() {
        let budget = ByteBudget::new(10);
        let mut first = budget.open();
        let mut second = budget.open();
        assert!(first.grow(4) && first.grow(4) && second.grow(2));
        assert!(!second.grow(1));
        assert!(!second.grow(usize::MAX));
        assert_eq!(budget.used(), 10);
        drop(first);
        assert_eq!(budget.used(), 2);
        assert!(second.grow(8));
        drop(second);
        assert_eq!(budget.used(), 0);
    }
}
