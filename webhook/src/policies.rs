//! The policy set that this replica serves from: one immutable set, swapped whole.

use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wayguard_engine::PolicySet;

/// Where the server finds its policies. Whoever loads them (files, the cluster) holds a clone of the `Arc` and
/// calls [`PolicySource::replace`]; requests that have begun keep the set that they began with.
///
/// "Not loaded yet" and "loaded, and empty" are different: before the first set the server is not ready and
/// admits nothing.
#[derive(Debug, Default)]
pub struct PolicySource {
    current: ArcSwapOption<PolicySet>,
    replaced: AtomicU64,
    refused: AtomicU64,
    replaced_at: AtomicU64,
}

impl PolicySource {
    /// A source that nothing has been loaded into yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves from this set from now on. Call it only with a set that was loaded whole: a set that could not
    /// be read never replaces a good one, see [`PolicySource::refuse`].
    pub fn replace(&self, set: Arc<PolicySet>) {
        self.current.store(Some(set));
        self.replaced.fetch_add(1, Ordering::Relaxed);
        let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
        self.replaced_at.store(now, Ordering::Relaxed);
    }

    /// Counts an attempt to load that failed; the current set stays.
    pub fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// The current set, or `None` before the first.
    pub fn current(&self) -> Option<Arc<PolicySet>> {
        self.current.load_full()
    }

    /// When the current set was taken, in seconds of Unix time; 0 before the first.
    pub fn replaced_at(&self) -> u64 {
        self.replaced_at.load(Ordering::Relaxed)
    }

    /// How often a set was taken, and how often one could not be loaded.
    pub fn counts(&self) -> (u64, u64) {
        (self.replaced.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }
}
