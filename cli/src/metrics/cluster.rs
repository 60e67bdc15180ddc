//! What is measured of the way to the API server: requests, and how old what was watched is.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use wayguard_cluster::request_counts;
use wayguard_webhook::metric::{Described, Number};

static REQUESTS: Described = Described::counter(
    "wayguard_api_requests",
    "Requests to the API server: answered, forbidden (a right is missing), or unavailable (unreachable, overloaded, too slow)",
)
.by(&["outcome"])
.when("with a cluster");
static STALENESS: Described = Described::gauge(
    "wayguard_watch_staleness_seconds",
    "Since when the API server has not been heard of by a watch; watches are renewed every minute",
)
.by(&["watch"])
.when("with a cluster, once a watch was answered");
static SYNCED: Described =
    Described::gauge("wayguard_watch_synced", "Whether a watch has listed everything once")
        .by(&["watch"])
        .when("with a cluster");
static FORBIDDEN: Described = Described::gauge(
    "wayguard_facts_forbidden",
    "Kinds that policies look up and that the server may not read; `kubectl get policies` says which",
)
.when("with a cluster");

/// What every process with a cluster measures.
#[cfg(test)]
pub(super) static API_METRICS: [&Described; 1] = [&REQUESTS];
/// What the server measures of its watches.
#[cfg(test)]
pub(super) static WATCH_METRICS: [&Described; 3] = [&STALENESS, &SYNCED, &FORBIDDEN];

/// Requests of this process.
#[derive(Debug)]
pub(crate) struct ApiRequests;

impl Collector for ApiRequests {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let counts = request_counts();
        REQUESTS.write_each(
            &mut encoder,
            [
                (vec!["answered"], Number::from(&counts.answered)),
                (vec!["forbidden"], Number::from(&counts.forbidden)),
                (vec!["unavailable"], Number::from(&counts.unavailable)),
            ],
        )
    }
}

/// One watch: whether it has listed everything, and how long it has heard nothing.
pub(crate) type Watched = (&'static str, bool, Option<Duration>);

/// The server's watches, and how many kinds it may not read.
pub(crate) struct Watches(pub(crate) Arc<dyn Fn() -> (Vec<Watched>, usize) + Send + Sync>);

impl fmt::Debug for Watches {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Watches").finish_non_exhaustive()
    }
}

impl Collector for Watches {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let (watches, forbidden) = (self.0)();
        let to = &mut encoder;
        STALENESS.write_each(
            to,
            watches
                .iter()
                .filter_map(|(name, _, age)| Some((vec![*name], Number::Real((*age)?.as_secs_f64())))),
        )?;
        SYNCED.write_each(to, watches.iter().map(|(name, synced, _)| (vec![*name], (*synced).into())))?;
        FORBIDDEN.write(to, forbidden)
    }
}
