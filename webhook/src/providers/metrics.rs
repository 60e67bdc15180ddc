//! What is measured of providers. Labels are names of loaded Providers.

use crate::metric::Described;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Seconds: from a neighbour's answer to the longest time-out.
const BUCKETS: [f64; 10] = [0.001, 0.004, 0.016, 0.064, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

static DURATIONS: Described = Described::histogram(
    "wayguard_provider_request_duration_seconds",
    "Requests to providers, by whether they were answered",
)
.by(&["provider", "outcome"])
.when("once a provider was asked");
static KEYS: Described = Described::counter(
    "wayguard_provider_keys",
    "Keys that policies asked for, by whether the cache had them or the provider was asked",
)
.by(&["provider", "source"])
.when("once a provider was asked");

/// All metrics of providers.
pub(crate) static METRICS: [&Described; 2] = [&DURATIONS, &KEYS];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    provider: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Keys {
    provider: String,
    source: &'static str,
}

pub(super) struct ProviderMetrics {
    durations: Family<Asked, Histogram, fn() -> Histogram>,
    keys: Family<Keys, Counter>,
}

impl ProviderMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            keys: Family::default(),
        };
        DURATIONS.register(registry, metrics.durations.clone());
        KEYS.register(registry, metrics.keys.clone());
        metrics
    }

    /// A request has ended.
    pub(super) fn asked(&self, provider: &str, answered: bool, took: Duration) {
        let outcome = if answered { "answered" } else { "failed" };
        let labels = Asked { provider: provider.to_owned(), outcome };
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Keys were looked up.
    pub(super) fn keys(&self, provider: &str, cached: usize, asked: usize) {
        for (source, count) in [("cache", cached), ("provider", asked)] {
            if count > 0 {
                let labels = Keys { provider: provider.to_owned(), source };
                self.keys.get_or_create(&labels).inc_by(count as u64);
            }
        }
    }
}
