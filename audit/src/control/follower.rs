//! One kind: listed, then followed; listed again when policies, or too much else, have changed.

use super::state::AuditState;
use crate::auditor::{Auditor, Counts, Host};
use crate::scan::{kind_name, scan};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tracing::{debug, info, warn};
use wayguard_cluster::listing::{Change, Follow, FollowEnd, Listing};
use wayguard_cluster::{ApiError, Pause};

/// What a follower is to do beyond following.
#[derive(Debug, Default)]
pub(super) struct Orders {
    wanted: Mutex<Wanted>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Wanted {
    whole: bool,
    refresh: bool,
    namespaces: BTreeSet<String>,
}

impl Orders {
    /// All objects are to be met again; `refresh`: and policies that look at more than the object are to be asked.
    pub(super) fn whole(&self, refresh: bool) {
        let mut wanted = self.lock();
        wanted.whole = true;
        wanted.refresh |= refresh;
        drop(wanted);
        self.changed.notify_one();
    }

    /// The objects of a namespace are.
    pub(super) fn namespace(&self, name: &str) {
        self.lock().namespaces.insert(name.to_owned());
        self.changed.notify_one();
    }

    fn take(&self) -> Wanted {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What all followers share.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) auditor: Arc<Auditor>,
    pub(super) host: Arc<dyn Host>,
    pub(super) state: Arc<AuditState>,
    /// One kind is listed at a time.
    pub(super) turn: Arc<Semaphore>,
    /// How many want to list, or are listing.
    pub(super) listing: Arc<AtomicUsize>,
}

/// A kind that is followed; it ends with whoever holds it.
pub(super) struct Follower {
    pub(super) orders: Arc<Orders>,
    /// Whether the kind was listed, or it was tried.
    pub(super) tried: Arc<std::sync::atomic::AtomicBool>,
    task: JoinHandle<()>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Follower {
    pub(super) fn start(listing: Listing, common: &Common) -> Self {
        let orders = Arc::new(Orders::default());
        let tried = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let kind = listing.kind();
        let name = if kind.group.is_empty() {
            kind.plural.clone()
        } else {
            format!("{}.{}", kind.plural, kind.group)
        };
        let kind = format!("{}.{}", kind.kind, kind.group);
        let work = Work {
            listing,
            name,
            kind,
            common: common.clone(),
            orders: Arc::clone(&orders),
            tried: Arc::clone(&tried),
            pause: Pause::default(),
        };
        Self { orders, tried, task: tokio::spawn(work.run()) }
    }
}

struct Work {
    listing: Listing,
    name: String,
    /// `Deployment.apps`, `Pod.`
    kind: String,
    common: Common,
    orders: Arc<Orders>,
    tried: Arc<std::sync::atomic::AtomicBool>,
    pause: Pause,
}

/// Counts who is listing, also if it is stopped meanwhile.
struct Listed(Arc<AtomicUsize>);

impl Listed {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Work {
    async fn run(mut self) {
        loop {
            let wanted = self.orders.take();
            match self.list(None, wanted.refresh).await {
                Ok(version) => {
                    self.pause.reset();
                    self.tried.store(true, Ordering::Release);
                    self.follow(version).await;
                }
                Err(problem) => {
                    self.tried.store(true, Ordering::Release);
                    self.told(&problem);
                    if wanted.refresh {
                        self.orders.whole(true);
                    }
                    self.pause.wait().await;
                }
            }
        }
    }

    fn told(&self, problem: &ApiError) {
        if matches!(problem, ApiError::NotFound(_)) {
            // The kind is gone; who looks at discovery will say so.
            return debug!(kind = self.name, %problem, "cannot be listed");
        }
        if self.common.state.not_listed(&self.name, &self.kind, &problem.to_string()) {
            warn!(kind = self.name, %problem, "not audited: its objects cannot be listed");
        }
    }

    async fn list(&self, namespace: Option<&str>, refresh: bool) -> Result<String, ApiError> {
        let _listed = Listed::begin(&self.common.listing);
        // The semaphore is never closed.
        let _turn = self.common.turn.acquire().await;
        let started = Instant::now();
        let (auditor, host) = (&self.common.auditor, &self.common.host);
        let scanned = scan(&self.listing, namespace, auditor, host, refresh, &|_, _| {}).await?;
        self.count(scanned.counts);
        if namespace.is_none() {
            let took = started.elapsed();
            self.common.state.listed(&self.name, took);
            let counts = scanned.counts;
            info!(
                kind = self.name,
                objects = counts.all(),
                judged = counts.wholly,
                judged_partly = counts.partly,
                milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                "listed"
            );
        }
        Ok(scanned.version)
    }

    fn count(&self, counts: Counts) {
        self.common.state.judged.fetch_add(counts.wholly + counts.partly, Ordering::Relaxed);
    }

    /// Follows changes until everything has to be listed again.
    async fn follow(&mut self, mut version: String) {
        loop {
            match self.listing.follow(&version).await {
                Ok(mut following) => match self.changes(&mut following).await {
                    Some(FollowEnd::InTime) => following.version().clone_into(&mut version),
                    Some(FollowEnd::Failed(problem)) => {
                        debug!(kind = self.name, %problem, "watch interrupted");
                        following.version().clone_into(&mut version);
                        self.pause.wait().await;
                    }
                    Some(FollowEnd::TooOld) | None => return,
                },
                Err(ApiError::Expired(_)) => return,
                Err(problem) => {
                    self.told(&problem);
                    self.pause.wait().await;
                    if matches!(problem, ApiError::NotFound(_) | ApiError::Forbidden(_)) {
                        return;
                    }
                }
            }
            if self.orders.lock().whole {
                return;
            }
        }
    }

    /// Why changes come no more; `None`: everything is to be listed again.
    async fn changes(&mut self, following: &mut Follow) -> Option<FollowEnd> {
        loop {
            tokio::select! {
                change = following.next() => match change {
                    Ok(change) => {
                        self.pause.reset();
                        self.change(change).await;
                    }
                    Err(end) => return Some(end),
                },
                () = self.orders.changed.notified() => {
                    if self.orders.lock().whole {
                        return None;
                    }
                    for namespace in self.orders.take().namespaces {
                        if let Err(problem) = self.list(Some(&namespace), false).await {
                            self.told(&problem);
                            return None;
                        }
                    }
                }
            }
        }
    }

    async fn change(&self, change: Change) {
        let kind = kind_name(&self.listing);
        match change {
            Change::Mark => {}
            Change::Gone(namespace, name) => self.common.auditor.remove(&kind, &namespace, &name),
            Change::Set(object) => {
                let (auditor, host) = (Arc::clone(&self.common.auditor), Arc::clone(&self.common.host));
                let plural = self.listing.kind().plural.clone();
                let work = tokio::task::spawn_blocking(move || {
                    // A pass that is over: the next listing has to meet it.
                    auditor.judge(&kind, &plural, &[object.value()], &*host, 0, false)
                });
                match work.await {
                    Ok(counts) => self.count(counts),
                    Err(panicked) => tracing::error!(%panicked, "an object could not be judged"),
                }
            }
        }
    }
}
