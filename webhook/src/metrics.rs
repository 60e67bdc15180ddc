//! What is measured. Labels come from enums and from the names of loaded policies, never from a request.

use crate::Path;
use crate::answer::{Answer, Ending};
use crate::budget::ByteBudget;
use crate::connections::Connections;
use crate::policies::PolicySource;
use crate::server::ExpiryCheck;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wayguard_engine::Decision;
use wayguard_engine::decision::Effect;

/// Seconds. Most requests take less than a millisecond; none takes longer than the API server's 30 s.
const BUCKETS: [f64; 15] =
    [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    path: &'static str,
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
}

/// The counters of the admission path.
#[derive(Debug)]
pub(crate) struct Metrics {
    durations: Family<RequestLabels, Histogram, fn() -> Histogram>,
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
            unjudged: Family::default(),
            policies: Family::default(),
            skipped: Counter::default(),
            in_flight: Gauge::default(),
        };
        registry.register(
            "wayguard_admission_request_duration_seconds",
            "From the end of a request's head to its answer, by path and by how it ended",
            metrics.durations.clone(),
        );
        registry.register(
            "wayguard_admission_unjudged",
            "Requests answered without a verdict (shed, timed out, panicked, unreadable), by what the answer was",
            metrics.unjudged.clone(),
        );
        registry.register(
            "wayguard_policy_findings",
            "Requests in which a policy found something, by its strongest effect there",
            metrics.policies.clone(),
        );
        registry.register(
            "wayguard_policy_skipped",
            "Policies that matched a request but could not be judged for lack of context",
            metrics.skipped.clone(),
        );
        registry.register(
            "wayguard_admission_in_flight_requests",
            "Requests that have begun and are not answered yet",
            metrics.in_flight.clone(),
        );
        metrics
    }

    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub(crate) fn observe(&self, path: Path, answer: &Answer, took: Duration) {
        let labels = RequestLabels { path: path.url(), decision: answer.ending.as_str() };
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
        if !matches!(answer.ending, Ending::Verdict(_)) {
            let admitted = match answer.admitted {
                Some(true) => "allow",
                Some(false) => "deny",
                None => "http_status",
            };
            let labels =
                UnjudgedLabels { path: path.url(), reason: answer.ending.as_str(), answer: admitted };
            self.unjudged.get_or_create(&labels).inc();
        }
    }

    pub(crate) fn decided(&self, decision: &Decision) {
        let mut strongest: BTreeMap<&str, Effect> = BTreeMap::new();
        for finding in &decision.findings {
            let effect = strongest.entry(&finding.policy_object).or_insert(finding.effect);
            *effect = (*effect).max(finding.effect);
        }
        for (policy, effect) in strongest {
            let labels = PolicyLabels { policy: policy.to_owned(), effect: effect_name(effect) };
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
    pub(crate) connections: Arc<Connections>,
    pub(crate) handshake_failures: Arc<AtomicU64>,
    pub(crate) certificate_expiry: ExpiryCheck,
}

impl fmt::Debug for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("State").finish_non_exhaustive()
    }
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let mut gauge = |name: &str, help: &str, value: i64| {
            let value = ConstGauge::new(value);
            value.encode(encoder.encode_descriptor(name, help, None, value.metric_type())?)
        };
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        gauge(
            "wayguard_admission_in_flight_bytes",
            "Bytes of bodies held by requests that are not answered yet",
            count(self.budget.used()),
        )?;
        gauge(
            "wayguard_connections",
            "Open connections of the admission port",
            count(self.connections.count()),
        )?;
        if let Some(expiry) = (self.certificate_expiry)() {
            gauge(
                "wayguard_certificate_expiry_timestamp_seconds",
                "When the serving certificate expires, as Unix time",
                expiry.as_second(),
            )?;
        }
        if let Some(set) = self.policies.current() {
            gauge("wayguard_policies", "Policies in the set that is served", count(set.policies().len()))?;
            gauge(
                "wayguard_policy_load_failures",
                "Policies and exceptions that were left out of the set that is served, because they do not load",
                count(set.failures().len()),
            )?;
            let info = ConstGauge::new(1i64);
            let mut family = encoder.encode_descriptor(
                "wayguard_policy_set_info",
                "The content hash of the policy set that is served",
                None,
                info.metric_type(),
            )?;
            info.encode(family.encode_family(&[("digest", set.digest())])?)?;
        }
        let (replaced, refused) = self.policies.counts();
        let memo = self.policies.current().map(|set| set.memo_counts()).unwrap_or_default();
        let mut counter = |name: &str, help: &str, value: u64| {
            let value = ConstCounter::new(value);
            value.encode(encoder.encode_descriptor(name, help, None, value.metric_type())?)
        };
        counter("wayguard_policy_set_loads", "Policy sets taken into service", replaced)?;
        counter(
            "wayguard_policy_set_load_failures",
            "Policy sets that could not be loaded; the last good one stayed",
            refused,
        )?;
        counter(
            "wayguard_memo_hits",
            "Policies that were not run because they found nothing before on all that they can read of the request",
            memo.hits,
        )?;
        counter("wayguard_memo_misses", "Policies that were run", memo.misses)?;
        counter(
            "wayguard_connections_evicted",
            "Connections closed to make room for a new one",
            self.connections.evicted.load(Ordering::Relaxed),
        )?;
        counter(
            "wayguard_connections_refused",
            "Connections refused because all others were busy",
            self.connections.refused.load(Ordering::Relaxed),
        )?;
        counter(
            "wayguard_tls_handshake_failures",
            "TLS handshakes that failed or timed out",
            self.handshake_failures.load(Ordering::Relaxed),
        )
    }
}
