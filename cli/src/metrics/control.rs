//! What `control --role webhooks` measures.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use std::fmt;
use std::sync::Arc;
use wayguard_cluster::control::ControlState;
use wayguard_webhook::metric::Described;

static LEADING: Described = Described::gauge("wayguard_control_leading", "Whether this process leads");
static PAUSED: Described =
    Described::gauge("wayguard_control_paused", "Whether the suite was paused at the leader's last look");
static REGISTRATIONS: Described =
    Described::counter("wayguard_control_registrations", "Writes of webhook configurations");
static REPAIRS: Described = Described::counter(
    "wayguard_control_repairs",
    "Writes of webhook configurations that undid what somebody else had changed or deleted",
);
static WEBHOOKS: Described = Described::gauge(
    "wayguard_control_webhooks",
    "Webhooks that are registered, as of the leader's last round",
);
static FAILURES: Described = Described::counter("wayguard_control_failures", "Rounds that were not finished");
static ROUNDS: Described = Described::counter("wayguard_control_rounds", "Rounds that were finished");
static FINISHED: Described = Described::gauge(
    "wayguard_control_last_round_timestamp_seconds",
    "When the leader's last round was finished, as Unix time; 0 while there was none",
);
static REPLICAS: Described =
    Described::gauge("wayguard_control_replicas", "Ready servers at the leader's last look");
static DISAGREEING: Described = Described::gauge(
    "wayguard_control_replicas_disagree",
    "Whether servers had not all loaded the same policies at the leader's last look",
);

/// All of them.
#[cfg(test)]
pub(super) static METRICS: [&Described; 10] = [
    &LEADING,
    &PAUSED,
    &REGISTRATIONS,
    &REPAIRS,
    &WEBHOOKS,
    &FAILURES,
    &ROUNDS,
    &FINISHED,
    &REPLICAS,
    &DISAGREEING,
];

/// A view of what the leader tells about itself.
#[derive(Debug)]
pub(crate) struct Control(pub(crate) Arc<ControlState>);

impl Collector for Control {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let (state, to) = (&self.0, &mut encoder);
        LEADING.write(to, &state.leading)?;
        PAUSED.write(to, &state.paused)?;
        REGISTRATIONS.write(to, &state.registrations)?;
        REPAIRS.write(to, &state.repairs)?;
        WEBHOOKS.write(to, &state.webhooks)?;
        FAILURES.write(to, &state.failures)?;
        ROUNDS.write(to, &state.rounds)?;
        FINISHED.write(to, &state.finished_at)?;
        REPLICAS.write(to, &state.replicas)?;
        DISAGREEING.write(to, &state.disagreeing)
    }
}
