//! What `control --role provisioning` measures.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use std::fmt;
use std::sync::{Arc, PoisonError};
use wayguard_provisioning::controller::State;
use wayguard_webhook::metric::Described;

static LEADING: Described = Described::gauge("wayguard_provisioning_leading", "Whether this process leads");
static ROUNDS: Described = Described::counter("wayguard_provisioning_rounds", "Rounds that were finished");
static FAILURES: Described =
    Described::counter("wayguard_provisioning_failures", "Triggers and rounds that failed");
static PLANS: Described = Described::counter("wayguard_provisioning_plans", "Plans that were made");
static WRITES: Described =
    Described::counter("wayguard_provisioning_writes", "Objects that were made, changed or taken away");
static CORRECTIONS: Described = Described::counter(
    "wayguard_provisioning_corrections",
    "Objects that others had changed and that were put right",
);
static STATUSES: Described =
    Described::counter("wayguard_provisioning_statuses", "Statuses that were written");
static ORPHANS: Described = Described::gauge(
    "wayguard_provisioning_orphans",
    "Objects that were made for claims or namespaces that are gone",
);
static COSTS: Described =
    Described::gauge("wayguard_provisioning_cost_eur", "What a team's claims cost together, in euro a month")
        .by(&["team"]);
static CLAIMS: Described = Described::gauge("wayguard_provisioning_claims", "Claims by phase").by(&["phase"]);

/// All of them.
#[cfg(test)]
pub(super) static METRICS: [&Described; 10] =
    [&LEADING, &ROUNDS, &FAILURES, &PLANS, &WRITES, &CORRECTIONS, &STATUSES, &ORPHANS, &COSTS, &CLAIMS];

/// A view of what the controller tells about itself.
#[derive(Debug)]
pub(crate) struct Provisioning(pub(crate) Arc<State>);

impl Collector for Provisioning {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let (state, to) = (&self.0, &mut encoder);
        LEADING.write(to, &state.leading)?;
        ROUNDS.write(to, &state.rounds)?;
        FAILURES.write(to, &state.failures)?;
        PLANS.write(to, &state.plans)?;
        WRITES.write(to, &state.writes)?;
        CORRECTIONS.write(to, &state.corrections)?;
        STATUSES.write(to, &state.statuses)?;
        ORPHANS.write(to, &state.orphans)?;
        let costs = state.costs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        COSTS.write_each(to, costs.into_iter().map(|(team, cost)| (vec![team], cost.into())))?;
        let phases = state.phases.lock().unwrap_or_else(PoisonError::into_inner).clone();
        CLAIMS.write_each(to, phases.into_iter().map(|(phase, count)| (vec![phase], count.into())))
    }
}
