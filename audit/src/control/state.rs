//! What the audit tells about itself, for metrics.

use crate::totals::Totals;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wayguard_cluster::reports::Flavour;

/// What the audit tells about itself.
#[derive(Debug, Default)]
pub struct AuditState {
    /// Whether this process leads.
    pub leading: AtomicBool,
    /// Reports that were written.
    pub report_writes: AtomicU64,
    /// Reports that were removed.
    pub report_removals: AtomicU64,
    /// Writes and removals that failed.
    pub report_failures: AtomicU64,
    /// States that the history has taken.
    pub history_states: AtomicU64,
    /// Attempts to tell the history that failed.
    pub history_failures: AtomicU64,
    /// Reports that are there.
    pub reports: AtomicU64,
    /// Listings of a kind that were finished.
    pub scans: AtomicU64,
    /// Objects that were judged by at least one policy, again and again counted.
    pub judged: AtomicU64,
    /// When the last listing of a kind was finished, in seconds of Unix time; 0: none was.
    pub listed_at: AtomicU64,
    pub(super) inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    totals: Totals,
    /// How long the last listing of each kind took.
    took: BTreeMap<String, Duration>,
    /// Kinds that could not be listed, and why.
    unlisted: BTreeMap<String, String>,
    /// The same by what objects of them call themselves.
    blind: BTreeMap<String, String>,
    /// Since when there is something that no report says.
    waiting_since: Option<Instant>,
    flavour: Option<Flavour>,
}

impl AuditState {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts as of the last reports.
    pub fn totals(&self) -> Totals {
        self.inner().totals.clone()
    }

    /// How long the last listing of each kind took.
    pub fn took(&self) -> BTreeMap<String, Duration> {
        self.inner().took.clone()
    }

    /// Kinds that policies judge and that could not be listed, with what the API server said.
    pub fn unlisted(&self) -> BTreeMap<String, String> {
        self.inner().unlisted.clone()
    }

    /// Kinds that could not be listed, as `Deployment.apps` or `Pod.`.
    pub(super) fn blind(&self) -> std::collections::BTreeSet<String> {
        self.inner().blind.values().cloned().collect()
    }

    /// How long something has been known that no report says yet.
    pub fn lag(&self) -> Duration {
        self.inner().waiting_since.map(|since| since.elapsed()).unwrap_or_default()
    }

    /// Which kinds of reports are written; none: the cluster has none.
    pub fn flavour(&self) -> Option<Flavour> {
        self.inner().flavour
    }

    pub(super) fn write_as(&self, flavour: Option<Flavour>) {
        self.inner().flavour = flavour;
    }

    pub(super) fn count(&self, totals: Totals) {
        self.inner().totals = totals;
    }

    pub(super) fn listed(&self, kind: &str, took: Duration) {
        self.scans.fetch_add(1, Ordering::Relaxed);
        let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
        self.listed_at.store(now, Ordering::Relaxed);
        let mut inner = self.inner();
        inner.unlisted.remove(kind);
        inner.blind.remove(kind);
        inner.took.insert(kind.to_owned(), took);
    }

    /// Whether this is news.
    pub(super) fn not_listed(&self, kind: &str, called: &str, why: &str) -> bool {
        let mut inner = self.inner();
        inner.blind.insert(kind.to_owned(), called.to_owned());
        inner.unlisted.insert(kind.to_owned(), why.to_owned()).as_deref() != Some(why)
    }

    pub(super) fn forget_kind(&self, kind: &str) {
        let mut inner = self.inner();
        inner.unlisted.remove(kind);
        inner.blind.remove(kind);
        inner.took.remove(kind);
    }

    pub(super) fn waits(&self, since: Option<Instant>) {
        self.inner().waiting_since = since;
    }

    /// Who does not lead knows nothing.
    pub(super) fn rest(&self) {
        self.leading.store(false, Ordering::Relaxed);
        *self.inner() = Inner::default();
    }
}
