//! What the server knows beyond the request: a cluster's namespaces, inventory, policies and exceptions, or nothing
//! but names.

use crate::cluster::inventory_kinds;
use crate::exit::Failure;
use crate::metrics::{ApiRequests, Watches};
use crate::policies::{Sources, gather};
use crate::suite::SuiteArgs;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wayguard_certs::ServingCertificate;
use wayguard_cluster::images::TrustWatch;
use wayguard_cluster::policies::{LoadReport, PolicyWatchOptions};
use wayguard_cluster::{ApiError, Client, ClusterFacts, PolicyWatch};
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_webhook::{BoxFuture, FactSource, Latch, LoadReporter, NoCluster, PolicySource, Readiness};

/// Where facts come from.
pub(super) struct Surroundings {
    /// For the server.
    pub(super) facts: Arc<dyn FactSource>,
    cluster: Option<Cluster>,
}

struct Cluster {
    facts: Arc<ClusterFacts>,
    watch: Arc<PolicyWatch>,
    namespaces_latch: Latch,
    policies_latch: Latch,
}

/// The cluster's look-ups as the server asks them.
struct FromCluster {
    facts: Arc<ClusterFacts>,
    watch: Arc<PolicyWatch>,
}

impl FactSource for FromCluster {
    fn at_hand(&self, key: &FactKey) -> Option<Fact> {
        self.facts.at_hand(key)
    }

    fn fetch(&self, keys: Vec<FactKey>, deadline: Instant) -> BoxFuture<'_, Vec<(FactKey, Fact)>> {
        Box::pin(self.facts.fetch(keys, deadline))
    }

    fn last_heard(&self) -> Option<Duration> {
        self.facts.namespaces().staleness().into_iter().chain(self.watch.staleness()).max()
    }
}

/// Starts the watches of the cluster, if there is one. A cluster that does not answer is no error: the server starts,
/// is not ready, and says why.
///
/// # Errors
/// If the policies of files and bundles cannot be read.
pub(super) fn open(
    client: Option<&Client>,
    sources: &Sources,
    suite: &SuiteArgs,
    readiness: &Arc<Readiness>,
) -> Result<Surroundings, Failure> {
    let Some(client) = client else {
        return Ok(Surroundings { facts: Arc::new(NoCluster), cluster: None });
    };
    let kinds = inventory_kinds(&gather(sources)?.compile());
    let facts = Arc::new(ClusterFacts::start(client, &kinds));
    let options = watch_options(sources, suite);
    let watch = Arc::new(PolicyWatch::start(client, options));
    let cluster = Cluster {
        facts: Arc::clone(&facts),
        watch: Arc::clone(&watch),
        namespaces_latch: readiness.require("namespaces", "the namespaces have not been listed yet"),
        policies_latch: readiness
            .require("cluster-policies", "the cluster's policies have not been listed yet"),
    };
    Ok(Surroundings { facts: Arc::new(FromCluster { facts, watch }), cluster: Some(cluster) })
}

/// How the cluster's policies join those of files and bundles: the same for every replica and for `control`.
pub(crate) fn watch_options(sources: &Sources, suite: &SuiteArgs) -> PolicyWatchOptions {
    let base = sources.clone();
    PolicyWatchOptions {
        own_namespace: suite.own_namespace.clone(),
        base: Arc::new(move || match gather(&base) {
            Ok(gathered) => Ok(gathered.collected()),
            Err(failure) => Err(failure.to_string()),
        }),
        observe: suite.observe,
        gatekeeper: suite.gatekeeper,
    }
}

/// How long an API server that does not answer is asked whether Gatekeeper works beside it.
const LOOK_FOR: Duration = Duration::from_secs(30);

/// Refuses to work beside Gatekeeper.
///
/// # Errors
/// If it works in the cluster, or that cannot be found out.
pub(crate) async fn without_gatekeeper(client: &Client, suite: &SuiteArgs) -> Result<(), Failure> {
    if !suite.gatekeeper {
        return Ok(());
    }
    let deadline = Instant::now() + LOOK_FOR;
    loop {
        match wayguard_cluster::gatekeeper::look_for(client).await {
            Ok(None) => return Ok(()),
            Ok(Some(live)) => return Err(Failure::Invalid(live.to_string())),
            Err(problem @ ApiError::Unavailable(_)) if Instant::now() < deadline => {
                tracing::warn!(%problem, "cannot see yet whether Gatekeeper works in the cluster");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(problem) => {
                return Err(Failure::Ours(format!(
                    "cannot see whether Gatekeeper works in the cluster, which `--gatekeeper` must know: {problem}"
                )));
            }
        }
    }
}

impl Surroundings {
    /// The policies of the cluster, if there is one.
    pub(super) fn watch(&self) -> Option<Arc<PolicyWatch>> {
        Some(Arc::clone(&self.cluster.as_ref()?.watch))
    }

    /// What this replica tells `control` of itself.
    pub(super) fn load_report(
        &self,
        serving: &Arc<ServingCertificate>,
        trust: Option<Arc<TrustWatch>>,
    ) -> Option<LoadReporter> {
        let cluster = self.cluster.as_ref()?;
        let (facts, watch, serving) =
            (Arc::clone(&cluster.facts), Arc::clone(&cluster.watch), Arc::clone(serving));
        Some(Arc::new(move || {
            let loaded = watch.loaded()?;
            let authority = serving.current().and_then(|leaf| leaf.authority()).map(|it| it.to_string());
            let report = LoadReport::new(&loaded, facts.forbidden(), authority);
            let report = match trust.as_ref().and_then(|watch| watch.trusted()) {
                Some(trusted) => report.trusting(&trusted),
                None => report,
            };
            Some(report.to_json())
        }))
    }

    /// What is measured of the watches.
    pub(super) fn measure(&self, registry: &mut Registry) {
        let Some(cluster) = &self.cluster else { return };
        registry.register_collector(Box::new(ApiRequests));
        let (facts, watch) = (Arc::clone(&cluster.facts), Arc::clone(&cluster.watch));
        registry.register_collector(Box::new(Watches(Arc::new(move || {
            let namespaces = facts.namespaces();
            let watches = vec![
                ("namespaces", namespaces.synced(), namespaces.staleness()),
                ("policies", watch.synced(), watch.staleness()),
            ];
            (watches, facts.forbidden().len())
        }))));
    }

    /// Whether policies come from a cluster too; then [`Surroundings::keep`] brings every set into service.
    pub(super) fn has_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    /// Brings each new set into service, and keeps the latches, for as long as the future is polled.
    pub(super) async fn keep(self, sources: Sources, policies: Arc<PolicySource>, every: Duration) {
        let Some(cluster) = self.cluster else { return std::future::pending().await };
        let mut changes = cluster.watch.changes();
        let mut ticks = tokio::time::interval(every.clamp(Duration::from_millis(50), Duration::from_secs(1)));
        let mut seen = None;
        loop {
            tokio::select! {
                changed = changes.changed() => {
                    if changed.is_err() {
                        return std::future::pending().await;
                    }
                    if let Some(loaded) = changes.borrow_and_update().clone() {
                        super::reload::announce(&loaded.set);
                        cluster.facts.watch(&inventory_kinds(&loaded.set));
                        policies.replace(Arc::clone(&loaded.set));
                        cluster.policies_latch.ready();
                    }
                }
                _ = ticks.tick() => {
                    cluster.watch_latches();
                    if sources.can_change() {
                        cluster.look_at_files(&sources, &mut seen);
                    }
                }
            }
        }
    }
}

impl Cluster {
    fn watch_latches(&self) {
        if self.facts.namespaces().synced() {
            self.namespaces_latch.ready();
        } else if let Some(problem) = self.facts.namespaces().problem() {
            self.namespaces_latch.not_ready(&problem);
        }
        if self.watch.loaded().is_none()
            && let Some(problem) = self.watch.problem()
        {
            self.policies_latch.not_ready(&problem);
        }
    }

    /// A file has changed, twice the same: the watch compiles everything again.
    fn look_at_files(&self, sources: &Sources, seen: &mut Option<(blake3::Hash, bool)>) {
        let Ok(gathered) = gather(sources) else { return };
        let now = gathered.fingerprint;
        match seen {
            None => *seen = Some((now, true)),
            Some((before, _)) if *before != now => *seen = Some((now, false)),
            Some((_, taken)) if !*taken => {
                *taken = true;
                self.watch.reload();
            }
            Some(_) => {}
        }
    }
}
