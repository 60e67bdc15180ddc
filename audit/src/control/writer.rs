//! Reports in the cluster: those that differ are written, those that say what is no longer so are removed. Nothing is
//! written before every kind was listed once, so that a restart makes no report less than it was.

use super::AuditOptions;
use super::follower::Common;
use crate::policy_report::{Report, outlines, report};
use crate::totals::totals;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tracing::{debug, info, warn};
use wayguard_cluster::control::Election;
use wayguard_cluster::listing::Pace;
use wayguard_cluster::reports::{Flavour, Reports};
use wayguard_cluster::{ApiError, Client, Pause};

/// Between looks at what has changed.
const TICK: Duration = Duration::from_millis(500);
/// While objects are listed reports wait for the end of it, but no longer: what a report says must not be older than ten
/// seconds.
const HOLD: Duration = Duration::from_secs(4);
/// Writes at once after a rest.
const BURST: u32 = 100;

/// Reports by namespace and name, with the hash of what they say.
type Known = BTreeMap<String, BTreeMap<String, String>>;

pub(super) struct Writer {
    client: Client,
    common: Common,
    election: Arc<Election>,
    flavours: watch::Receiver<Option<Flavour>>,
    ready: watch::Receiver<bool>,
    pace: Arc<Pace>,
}

impl Writer {
    pub(super) fn new(
        client: &Client,
        options: &AuditOptions,
        common: &Common,
        election: &Arc<Election>,
        flavours: watch::Receiver<Option<Flavour>>,
        ready: watch::Receiver<bool>,
    ) -> Self {
        Self {
            client: client.clone(),
            common: common.clone(),
            election: Arc::clone(election),
            flavours,
            ready,
            pace: Arc::new(Pace::new(options.requests_per_second, BURST)),
        }
    }

    pub(super) async fn run(mut self) {
        if self.ready.wait_for(|ready| *ready).await.is_err() {
            return;
        }
        let mut pending: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut since: Option<Instant> = None;
        let mut known: Option<(Reports, Known)> = None;
        let mut pause = Pause::default();
        let mut counted = false;
        loop {
            tokio::time::sleep(TICK).await;
            let flavour = *self.flavours.borrow();
            if known.as_ref().map(|(reports, _)| reports.flavour()) != flavour {
                known = match self.take_stock(flavour).await {
                    Ok(known) => known,
                    Err(problem) => {
                        warn!(%problem, "the reports that are there cannot be listed");
                        self.common.state.report_failures.fetch_add(1, Ordering::Relaxed);
                        pause.wait().await;
                        continue;
                    }
                };
                // Everything is compared, also namespaces of which nothing is known any more.
                pending.extend(
                    known.iter().flat_map(|(_, known)| known.keys().map(|name| name.as_str().into())),
                );
                self.common.auditor.touch();
            }
            pending.extend(self.common.auditor.take_changed());
            if pending.is_empty() {
                if !counted {
                    counted = true;
                    self.count().await;
                }
                continue;
            }
            let first = *since.get_or_insert_with(Instant::now);
            self.common.state.waits(since);
            if self.common.listing.load(Ordering::Acquire) > 0 && first.elapsed() < HOLD {
                continue;
            }
            let began = Instant::now();
            let now = std::mem::take(&mut pending);
            if let Some((reports, known)) = &mut known {
                pending = self.write(reports, known, now).await;
                let count: usize = known.values().map(BTreeMap::len).sum();
                self.common.state.reports.store(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            self.count().await;
            counted = true;
            if pending.is_empty() {
                pause.reset();
                since = None;
            } else {
                since = Some(began);
                pause.wait().await;
            }
            self.common.state.waits(since);
        }
    }

    async fn count(&self) {
        let auditor = Arc::clone(&self.common.auditor);
        // It looks at every object: not for the threads that wait for the network.
        if let Ok(totals) = tokio::task::spawn_blocking(move || totals(&auditor)).await {
            self.common.state.count(totals);
        }
    }

    /// What is there of a flavour.
    async fn take_stock(&self, flavour: Option<Flavour>) -> Result<Option<(Reports, Known)>, ApiError> {
        let Some(flavour) = flavour else { return Ok(None) };
        let reports = Reports::new(&self.client, flavour, &self.pace);
        let mut known = Known::new();
        for written in reports.written().await? {
            known.entry(written.namespace).or_default().insert(written.name, written.content);
        }
        Ok(Some((reports, known)))
    }

    /// Brings the reports of these namespaces up to date; those with which it failed come back.
    async fn write(
        &self,
        reports: &Reports,
        known: &mut Known,
        namespaces: BTreeSet<Arc<str>>,
    ) -> BTreeSet<Arc<str>> {
        let mut again = BTreeSet::new();
        let (mut written, mut removed) = (0_u64, 0_u64);
        for namespace in namespaces {
            // Before every namespace: who leads no longer writes no longer.
            if !self.election.is_leading() {
                again.insert(namespace);
                continue;
            }
            let there = known.entry(namespace.to_string()).or_default();
            match self.namespace(reports, there, &namespace).await {
                Ok((more_written, more_removed)) => {
                    written += more_written;
                    removed += more_removed;
                }
                Err(problem) => {
                    self.common.state.report_failures.fetch_add(1, Ordering::Relaxed);
                    warn!(namespace = &*namespace, %problem, "reports are not up to date");
                    again.insert(namespace);
                }
            }
        }
        known.retain(|_, reports| !reports.is_empty());
        self.common.state.report_writes.fetch_add(written, Ordering::Relaxed);
        self.common.state.report_removals.fetch_add(removed, Ordering::Relaxed);
        if written + removed > 0 {
            info!(written, removed, "reports are up to date");
        }
        again
    }

    async fn namespace(
        &self,
        reports: &Reports,
        there: &mut BTreeMap<String, String>,
        namespace: &Arc<str>,
    ) -> Result<(u64, u64), ApiError> {
        let (mut written, mut removed) = (0, 0);
        let (auditor, name) = (Arc::clone(&self.common.auditor), Arc::clone(namespace));
        let all = tokio::task::spawn_blocking(move || outlines(&auditor, &name)).await;
        let mut wanted = BTreeSet::new();
        let mut gone = false;
        for outline in all.map_err(panicked)? {
            for shard in 0..outline.shards() {
                let (auditor, name) = (Arc::clone(&self.common.auditor), Arc::clone(namespace));
                let (outline, flavour) = (outline.clone(), reports.flavour());
                let made =
                    tokio::task::spawn_blocking(move || report(&auditor, flavour, &name, &outline, shard));
                let Report { name, content, object, .. } = made.await.map_err(panicked)?;
                wanted.insert(name.clone());
                if there.get(&name) == Some(&content) {
                    continue;
                }
                match reports.apply(&object).await {
                    Ok(()) => {
                        there.insert(name, content);
                        written += 1;
                    }
                    // The namespace is going; its objects will be told gone one by one, and its reports go with it.
                    Err(ApiError::NotFound(problem)) => {
                        debug!(namespace = &**namespace, problem, "no report into a namespace that is gone");
                        gone = true;
                    }
                    Err(ApiError::Forbidden(problem)) if problem.contains("is being terminated") => {
                        gone = true;
                    }
                    Err(problem) => return Err(problem),
                }
            }
        }
        let stale: Vec<String> =
            there.keys().filter(|name| gone || !wanted.contains(*name)).cloned().collect();
        for name in stale {
            reports.remove(namespace, &name).await?;
            there.remove(&name);
            removed += 1;
        }
        Ok((written, removed))
    }
}

fn panicked(error: tokio::task::JoinError) -> ApiError {
    ApiError::Unavailable(format!("a report could not be made: {error}"))
}
