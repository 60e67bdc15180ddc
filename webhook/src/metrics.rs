//! What is measured. Labels come from enums and from the names of loaded policies, never from a request.

use crate::Path;
use crate::answer::{Answer, Ending};
use crate::budget::ByteBudget;
use crate::connections::Connections;
use crate::facts::FactSource;
use crate::health::Conditions;
use crate::metric::Described;
use crate::policies::PolicySource;
use crate::server::ExpiryCheck;
use crate::workers::WorkerPool;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use wayguard_engine::Decision;
use wayguard_engine::decision::{Effect, Severity};

/// Seconds. Most requests take less than a millisecond; none takes longer than the API server's 30 s.
const BUCKETS: [f64; 17] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0,
];

static DURATIONS: Described = Described::histogram(
    "wayguard_admission_request_duration_seconds",
    "From the end of a request's head to its answer, by path and by how it ended",
)
.by(&["path", "decision"]);
static VERDICTS: Described = Described::counter(
    "wayguard_admission_verdicts",
    "Verdicts of the policies, by what was asked for; stamps and our own kinds counted",
)
.by(&["operation", "decision"]);
static UNJUDGED: Described = Described::counter(
    "wayguard_admission_unjudged",
    "Requests answered without a verdict (shed, timed out, panicked, unreadable), by what the answer was",
)
.by(&["path", "reason", "answer"]);
static FINDINGS: Described = Described::counter(
    "wayguard_policy_findings",
    "Requests in which a policy found something, by its strongest effect there",
)
.by(&["policy", "effect", "severity"]);
static SKIPPED: Described = Described::counter(
    "wayguard_policy_skipped",
    "Policies that matched a request but could not be judged for lack of context",
);
static IN_FLIGHT: Described = Described::gauge(
    "wayguard_admission_in_flight_requests",
    "Requests that have begun and are not answered yet",
);
static IN_FLIGHT_BYTES: Described = Described::gauge(
    "wayguard_admission_in_flight_bytes",
    "Bytes of bodies held by requests that are not answered yet",
);
static IN_FLIGHT_LIMIT: Described = Described::gauge(
    "wayguard_admission_in_flight_bytes_limit",
    "Bytes of bodies beyond which requests are shed",
);
static WAITING: Described =
    Described::gauge("wayguard_admission_waiting_requests", "Requests that wait for a thread that judges");
static WAITING_LIMIT: Described = Described::gauge(
    "wayguard_admission_waiting_requests_limit",
    "Waiting requests beyond which more are shed",
);
static WORKERS: Described = Described::gauge("wayguard_workers", "Threads that judge");
static BUSY: Described = Described::gauge("wayguard_workers_busy", "Threads that are judging a request now");
static READY: Described =
    Described::gauge("wayguard_ready", "Whether a condition of readiness holds; `/readyz` says why not")
        .by(&["condition"]);
static CONNECTIONS: Described =
    Described::gauge("wayguard_connections", "Open connections of the admission port");
static EVICTED: Described =
    Described::counter("wayguard_connections_evicted", "Connections closed to make room for a new one");
static REFUSED: Described =
    Described::counter("wayguard_connections_refused", "Connections refused because all others were busy");
static HANDSHAKES: Described =
    Described::counter("wayguard_tls_handshake_failures", "TLS handshakes that failed or timed out");
static EXPIRY: Described = Described::gauge(
    "wayguard_certificate_expiry_timestamp_seconds",
    "When the serving certificate expires, as Unix time",
)
.when("once there is a certificate");
static STALE: Described = Described::gauge(
    "wayguard_cluster_stale",
    "1 while verdicts rest on an old state of the cluster, because the API server cannot be reached",
)
.when("in a cluster, after its first answer");
static POLICIES: Described = Described::gauge("wayguard_policies", "Policies in the set that is served");
static LEFT_OUT: Described = Described::gauge(
    "wayguard_policy_load_failures",
    "Policies and exceptions that were left out of the set that is served, because they do not load",
);
static SET: Described =
    Described::gauge("wayguard_policy_set_info", "The content hash of the policy set that is served")
        .by(&["digest"]);
static LOADS: Described = Described::counter("wayguard_policy_set_loads", "Policy sets taken into service");
static LOADED_AT: Described = Described::gauge(
    "wayguard_policy_set_loaded_timestamp_seconds",
    "When the policy set that is served was taken into service, as Unix time",
);
static SETS_REFUSED: Described = Described::counter(
    "wayguard_policy_set_load_failures",
    "Policy sets that could not be loaded; the last good one stayed",
);
static HITS: Described = Described::counter(
    "wayguard_memo_hits",
    "Policies that were not run because they found nothing before on all that they can read of the request",
);
static MISSES: Described = Described::counter("wayguard_memo_misses", "Policies that were run");

/// All metrics of the admission path.
pub(crate) static METRICS: [&Described; 27] = [
    &DURATIONS,
    &VERDICTS,
    &UNJUDGED,
    &FINDINGS,
    &SKIPPED,
    &IN_FLIGHT,
    &IN_FLIGHT_BYTES,
    &IN_FLIGHT_LIMIT,
    &WAITING,
    &WAITING_LIMIT,
    &WORKERS,
    &BUSY,
    &READY,
    &CONNECTIONS,
    &EVICTED,
    &REFUSED,
    &HANDSHAKES,
    &EXPIRY,
    &STALE,
    &POLICIES,
    &LEFT_OUT,
    &SET,
    &LOADS,
    &LOADED_AT,
    &SETS_REFUSED,
    &HITS,
    &MISSES,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    path: &'static str,
    decision: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    operation: &'static str,
    decision: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UnjudgedLabels {
    path: &'static str,
    reason: &'static str,
    answer: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PolicyLabels {
    policy: String,
    effect: &'static str,
    severity: &'static str,
}

/// The counters of the admission path.
#[derive(Debug)]
pub(crate) struct Metrics {
    durations: Family<RequestLabels, Histogram, fn() -> Histogram>,
    verdicts: Family<VerdictLabels, Counter>,
    unjudged: Family<UnjudgedLabels, Counter>,
    policies: Family<PolicyLabels, Counter>,
    skipped: Counter,
    pub(crate) in_flight: Gauge,
}

/// Counts a request as in flight until dropped.
pub(crate) struct InFlight(Gauge);

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            verdicts: Family::default(),
            unjudged: Family::default(),
            policies: Family::default(),
            skipped: Counter::default(),
            in_flight: Gauge::default(),
        };
        metrics.begin_at_nothing();
        DURATIONS.register(registry, metrics.durations.clone());
        VERDICTS.register(registry, metrics.verdicts.clone());
        UNJUDGED.register(registry, metrics.unjudged.clone());
        FINDINGS.register(registry, metrics.policies.clone());
        SKIPPED.register(registry, metrics.skipped.clone());
        IN_FLIGHT.register(registry, metrics.in_flight.clone());
        metrics
    }

    /// A series that begins at 1 is no increase to Prometheus: what alerts look at is there from the start.
    fn begin_at_nothing(&self) {
        for path in Path::ALL {
            let path_url = path.url();
            drop(self.durations.get_or_create(&RequestLabels { path: path_url, decision: "allow" }));
            for ending in Ending::WITHOUT_VERDICT {
                for answer in [if path.admits_unjudged() { "allow" } else { "deny" }, "http_status"] {
                    let labels = UnjudgedLabels { path: path_url, reason: ending.as_str(), answer };
                    self.unjudged.get_or_create(&labels).inc_by(0);
                }
            }
        }
        for operation in ["CREATE", "UPDATE", "DELETE", "CONNECT"] {
            for decision in ["allow", "warn", "deny", "error"] {
                self.verdicts.get_or_create(&VerdictLabels { operation, decision }).inc_by(0);
            }
        }
    }

    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub(crate) fn observe(&self, path: Path, operation: &'static str, answer: &Answer, took: Duration) {
        let decision = answer.ending.as_str();
        let labels = RequestLabels { path: path.url(), decision };
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
        if matches!(answer.ending, Ending::Verdict(_)) {
            self.verdicts.get_or_create(&VerdictLabels { operation, decision }).inc();
        } else {
            let admitted = match answer.admitted {
                Some(true) => "allow",
                Some(false) => "deny",
                None => "http_status",
            };
            let labels = UnjudgedLabels { path: path.url(), reason: decision, answer: admitted };
            self.unjudged.get_or_create(&labels).inc();
        }
    }

    pub(crate) fn decided(&self, decision: &Decision) {
        let mut strongest: BTreeMap<&str, (Effect, Severity)> = BTreeMap::new();
        for finding in &decision.findings {
            let found = (finding.effect, finding.severity);
            let known = strongest.entry(&finding.policy_object).or_insert(found);
            known.0 = known.0.max(finding.effect);
        }
        for (policy, (effect, severity)) in strongest {
            let labels = PolicyLabels {
                policy: policy.to_owned(),
                effect: effect_name(effect),
                severity: severity.as_str(),
            };
            self.policies.get_or_create(&labels).inc();
        }
        self.skipped.inc_by(decision.skipped.len() as u64);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

pub(crate) fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Audit => "audit",
        Effect::Warn => "warn",
        Effect::Deny => "deny",
        Effect::Error => "error",
    }
}

/// What is read off at each scrape.
pub(crate) struct State {
    pub(crate) policies: Arc<PolicySource>,
    pub(crate) budget: Arc<ByteBudget>,
    pub(crate) budget_limit: usize,
    pub(crate) pool: Arc<WorkerPool>,
    pub(crate) waiting_limit: usize,
    pub(crate) connections: Arc<Connections>,
    pub(crate) handshake_failures: Arc<AtomicU64>,
    pub(crate) certificate_expiry: ExpiryCheck,
    pub(crate) conditions: Arc<Conditions>,
    pub(crate) facts: Arc<dyn FactSource>,
}

impl fmt::Debug for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("State").finish_non_exhaustive()
    }
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let to = &mut encoder;
        IN_FLIGHT_BYTES.write(to, self.budget.used())?;
        IN_FLIGHT_LIMIT.write(to, self.budget_limit)?;
        WAITING.write(to, self.pool.waiting())?;
        WAITING_LIMIT.write(to, self.waiting_limit)?;
        let (workers, busy) = self.pool.workers();
        WORKERS.write(to, workers)?;
        BUSY.write(to, busy)?;
        let conditions = self.conditions.all();
        READY.write_each(
            to,
            conditions.iter().map(|(name, missing)| (vec![*name], missing.is_none().into())),
        )?;
        CONNECTIONS.write(to, self.connections.count())?;
        EVICTED.write(to, &self.connections.evicted)?;
        REFUSED.write(to, &self.connections.refused)?;
        HANDSHAKES.write(to, self.handshake_failures.as_ref())?;
        if let Some(expiry) = (self.certificate_expiry)() {
            EXPIRY.write(to, u64::try_from(expiry.as_second()).unwrap_or_default())?;
        }
        if self.facts.last_heard().is_some() {
            STALE.write(to, u64::from(self.facts.stale().is_some()))?;
        }
        let set = self.policies.current();
        POLICIES.write(to, set.as_ref().map_or(0, |set| set.policies().len()))?;
        LEFT_OUT.write(to, set.as_ref().map_or(0, |set| set.failures().len()))?;
        SET.write_each(to, set.iter().map(|set| (vec![set.digest()], 1_u64.into())))?;
        let (replaced, refused) = self.policies.counts();
        LOADS.write(to, replaced)?;
        LOADED_AT.write(to, self.policies.replaced_at())?;
        SETS_REFUSED.write(to, refused)?;
        let memo = set.map(|set| set.memo_counts()).unwrap_or_default();
        HITS.write(to, memo.hits)?;
        MISSES.write(to, memo.misses)
    }
}
