//! The time that a process leads: which kinds are followed, by which policies.

use super::AuditOptions;
use super::follower::{Common, Follower};
use super::state::AuditState;
use super::writer::Writer;
use crate::auditor::{Auditor, Host};
use crate::edition::Edition;
use crate::store::KindName;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tracing::{info, warn};
use wayguard_cluster::control::Election;
use wayguard_cluster::facts::inventory_kinds;
use wayguard_cluster::listing::{Concerns, Listing, Pace};
use wayguard_cluster::reports::Flavour;
use wayguard_cluster::{Client, ClusterFacts, Pause, PolicyWatch, Resources};
use wayguard_engine::facts::Fact;
use wayguard_engine::value::Document;
use wayguard_engine::{FactKey, Facts, PolicySet};

/// New kinds are looked for this often; those that new policies name at once.
const DISCOVER_EVERY: Duration = Duration::from_secs(30);
/// Requests at once after a rest.
const BURST: u32 = 20;
/// For the look-ups of one object.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(10);

/// The work of a leader.
pub(super) struct Shift<'s> {
    client: &'s Client,
    options: &'s AuditOptions,
    policies: &'s PolicyWatch,
    election: &'s Arc<Election>,
    state: &'s Arc<AuditState>,
}

/// The cluster's look-ups for threads that judge.
struct Cluster {
    facts: Arc<ClusterFacts>,
    runtime: Handle,
}

impl Host for Cluster {
    fn answer(&self, keys: Vec<FactKey>, facts: &mut Facts) {
        let mut open = Vec::new();
        for key in keys {
            match (self.facts.at_hand(&key), &key) {
                (Some(fact), _) => facts.insert(key, fact),
                (None, FactKey::Image { .. }) => {
                    let why = "the audit in the cluster asks no registries; `wayguard audit` does";
                    facts.insert(key, Fact::OutOfReach(why.to_owned()));
                }
                (None, FactKey::External { .. }) => {
                    let why = "the audit asks no providers";
                    facts.insert(key, Fact::OutOfReach(why.to_owned()));
                }
                (None, _) => open.push(key),
            }
        }
        if !open.is_empty() {
            let fetched = self.runtime.block_on(self.facts.fetch(open, Instant::now() + LOOK_UP_LIMIT));
            fetched.into_iter().for_each(|(key, fact)| facts.insert(key, fact));
        }
    }

    fn namespace(&self, name: &str) -> Option<Arc<Document>> {
        match self.facts.at_hand(&FactKey::Namespace(name.to_owned())) {
            Some(Fact::Known(namespace)) => Some(namespace),
            _ => None,
        }
    }
}

/// A kind that is followed.
struct Followed {
    follower: Follower,
    kind: KindName,
    /// Its objects live in namespaces.
    namespaced: bool,
    /// The names of the Policy objects that judge it.
    policies: BTreeSet<String>,
}

/// What is followed now.
struct Round {
    followers: BTreeMap<(String, String), Followed>,
    common: Common,
    pace: Arc<Pace>,
    told: BTreeSet<String>,
}

impl<'s> Shift<'s> {
    pub(super) fn new(
        client: &'s Client,
        options: &'s AuditOptions,
        policies: &'s PolicyWatch,
        election: &'s Arc<Election>,
        state: &'s Arc<AuditState>,
    ) -> Self {
        Self { client, options, policies, election, state }
    }

    /// Works until it is dropped.
    pub(super) async fn work(&self) {
        info!("leads; auditing");
        let mut changes = self.policies.changes();
        let set = loop {
            if let Some(loaded) = changes.borrow_and_update().clone() {
                break Arc::clone(&loaded.set);
            }
            if changes.changed().await.is_err() {
                return;
            }
        };
        let facts = Arc::new(ClusterFacts::start(self.client, &inventory_kinds(&set)));
        facts.namespaces().wait_synced().await;
        let edition = Edition::of(&set, Timestamp::now());
        let auditor = Arc::new(Auditor::new(edition, &self.options.owner_label));
        let common = Common {
            auditor: Arc::clone(&auditor),
            host: Arc::new(Cluster { facts: Arc::clone(&facts), runtime: Handle::current() }),
            state: Arc::clone(self.state),
            turn: Arc::new(Semaphore::new(1)),
            listing: Arc::new(AtomicUsize::new(0)),
        };
        let pace = Arc::new(Pace::new(self.options.requests_per_second, BURST));
        let (flavour, flavours) = watch::channel(None);
        let ready = Arc::new(watch::Sender::new(false));
        let writer =
            Writer::new(self.client, self.options, &common, self.election, flavours, ready.subscribe());
        let telling = super::history::tell(self.options.history.clone(), common.clone(), ready.subscribe());
        let round = Round { followers: BTreeMap::new(), common, pace, told: BTreeSet::new() };
        tokio::select! {
            () = writer.run() => {}
            () = telling => {}
            () = self.follow(round, &facts, changes, &flavour, &ready) => {}
        }
    }

    async fn follow(
        &self,
        mut round: Round,
        facts: &Arc<ClusterFacts>,
        mut changes: watch::Receiver<Option<Arc<wayguard_cluster::policies::Loaded>>>,
        flavour: &watch::Sender<Option<Flavour>>,
        ready: &watch::Sender<bool>,
    ) {
        let (mut seen, mut prints) = (0, prints(facts));
        let mut pause = Pause::default();
        let mut refresh = tokio::time::interval(self.options.refresh_every);
        refresh.tick().await;
        let mut discover = Duration::ZERO;
        loop {
            if discover.is_zero() {
                discover = match Resources::discover(self.client).await {
                    Ok(resources) => {
                        pause.reset();
                        self.tell_flavour(&resources, flavour);
                        round.settle(self.client, &resources);
                        DISCOVER_EVERY
                    }
                    Err(problem) => {
                        warn!(%problem, "cannot ask which kinds there are");
                        pause.length()
                    }
                };
            }
            let edition = round.common.auditor.edition();
            let tried = round.tried();
            ready.send_if_modified(|ready| std::mem::replace(ready, *ready || tried) != (*ready || tried));
            let until_ready = if tried { DISCOVER_EVERY } else { Duration::from_millis(200) };
            let started = Instant::now();
            tokio::select! {
                () = tokio::time::sleep(discover.min(until_ready)) => {}
                gone = changes.changed() => {
                    if gone.is_err() {
                        return;
                    }
                    let loaded = changes.borrow_and_update().clone();
                    if let Some(loaded) = loaded {
                        facts.watch(&inventory_kinds(&loaded.set));
                        // New policies may name new kinds.
                        if round.adopt(&loaded.set) {
                            discover = Duration::ZERO;
                            continue;
                        }
                    }
                }
                () = end_of(edition.next_end()) => {
                    round.adopt(&edition.set);
                }
                () = facts.namespaces().changed(&mut seen) => {
                    let now = self::prints(facts);
                    round.namespaces(&prints, &now);
                    prints = now;
                }
                _ = refresh.tick() => round.refresh(),
            }
            discover = discover.saturating_sub(started.elapsed());
        }
    }

    fn tell_flavour(&self, resources: &Resources, to: &watch::Sender<Option<Flavour>>) {
        let found = Flavour::installed(resources);
        let news = to.send_if_modified(|known| std::mem::replace(known, found) != found);
        if news
            || (found.is_none()
                && self.state.flavour().is_none()
                && self.state.scans.load(Ordering::Relaxed) == 0)
        {
            if let Some(flavour) = found {
                info!(kinds = flavour.api_version(), "reports are written");
            } else {
                warn!(
                    "no reports are written: the cluster has neither the kinds of openreports.io nor those of wgpolicyk8s.io; metrics and logs go on"
                );
            }
        }
        self.state.write_as(found);
    }
}

/// Waits until an exception ends; for ever if none does.
async fn end_of(end: Option<Timestamp>) {
    let Some(end) = end else { return std::future::pending().await };
    let left = end.duration_since(Timestamp::now()).unsigned_abs();
    let is_over = end <= Timestamp::now();
    // Long sleeps are cut: clocks are set.
    tokio::time::sleep(if is_over {
        Duration::ZERO
    } else {
        (left + Duration::from_millis(50)).min(Duration::from_mins(10))
    })
    .await;
    if end > Timestamp::now() {
        std::future::pending::<()>().await;
    }
}

/// What of each namespace counts for its objects, by name.
fn prints(facts: &ClusterFacts) -> BTreeMap<String, u64> {
    let all = facts.namespaces().all();
    all.into_iter().map(|(name, namespace)| (name, crate::hash::fixed(namespace.value()))).collect()
}

impl Round {
    /// Follows what policies judge now, and nothing else.
    fn settle(&mut self, client: &Client, resources: &Resources) {
        let set = Arc::clone(&self.common.auditor.edition().set);
        let concerns = Concerns::of(&set, resources);
        for (what, why) in concerns.left_out.iter().chain(&concerns.idle) {
            if self.told.insert(format!("{what}: {why}")) {
                info!(what, why, "not audited");
            }
        }
        let wanted: BTreeSet<(String, String)> =
            concerns.kinds.iter().map(|(kind, _)| (kind.group.clone(), kind.plural.clone())).collect();
        let common = &self.common;
        self.followers.retain(|key, followed| {
            let stays = wanted.contains(key);
            if !stays {
                common.auditor.forget_kind(&followed.kind);
                common.state.forget_kind(&format!("{}.{}", key.1, key.0));
            }
            stays
        });
        for (kind, policies) in concerns.kinds {
            let key = (kind.group.clone(), kind.plural.clone());
            if let Some(known) = self.followers.get_mut(&key) {
                known.policies = policies;
                continue;
            }
            let namespaced = kind.namespaced;
            let name = KindName {
                group: kind.group.clone(),
                version: kind.versions.first().cloned().unwrap_or_default(),
                kind: kind.kind.clone(),
            };
            let follower = Follower::start(Listing::new(client, kind, &self.pace), &self.common);
            self.followers.insert(key, Followed { follower, kind: name, namespaced, policies });
        }
    }

    /// Whether every kind was listed, or it was tried.
    fn tried(&self) -> bool {
        let mut all = self.followers.values();
        all.all(|followed| followed.follower.tried.load(Ordering::Acquire))
    }

    /// Judges by a set, as of now; whether that is another edition.
    fn adopt(&mut self, set: &Arc<PolicySet>) -> bool {
        let auditor = &self.common.auditor;
        let (before, edition) = (auditor.edition(), Edition::of(set, Timestamp::now()));
        let changed = edition.changed_since(&before);
        let is_other = !edition.is_like(&before);
        auditor.adopt(edition);
        for followed in self.followers.values() {
            if changed.iter().any(|name| followed.policies.contains(&**name)) {
                followed.follower.orders.whole(false);
            }
        }
        is_other
    }

    /// Namespaces have changed: their objects are judged with what they are now.
    fn namespaces(&self, before: &BTreeMap<String, u64>, now: &BTreeMap<String, u64>) {
        let changed = now.iter().filter(|(name, print)| before.get(*name).is_some_and(|old| old != *print));
        for (name, _) in changed {
            let concerned = self.followers.values().filter(|followed| followed.namespaced);
            concerned.for_each(|followed| followed.follower.orders.namespace(name));
        }
    }

    /// Policies that look at more than the object are asked again.
    fn refresh(&self) {
        let edition = self.common.auditor.edition();
        for followed in self.followers.values() {
            if edition.volatile.iter().any(|name| followed.policies.contains(&**name)) {
                followed.follower.orders.whole(true);
            }
        }
    }
}
