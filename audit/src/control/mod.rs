//! `control --role=audit`: the scan that never ends. A leader lists every kind that policies judge, follows its changes,
//! and keeps reports in the cluster that say what is so now.
//!
//! ```text
//! policies, exceptions' ends ─► Edition ─┐             ┌► follower (one a kind): list, then watch ─► Auditor
//! discovery ─────────────────────────────┼─► shift ────┤                                               │ namespaces
//! namespaces' labels ────────────────────┘  (leader)   └► writer: reports that differ, stale ones gone ◄┘ that changed
//! ```
//! No scan overlaps itself: a kind has one follower, and one kind is listed at a time. Nothing is kept over a restart
//! but the reports: the first listing finds everything again, and what says the same is not written.

mod follower;
mod history;
mod shift;
mod state;
mod writer;

use shift::Shift;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use wayguard_cluster::control::{AUDIT_LEASE, Candidate, Election};
use wayguard_cluster::policies::PolicyWatchOptions;
use wayguard_cluster::{Client, PolicyWatch};

pub use history::Kept;
pub use state::AuditState;

/// What the audit needs to know.
#[derive(Clone)]
pub struct AuditOptions {
    /// The suite's own namespace.
    pub own_namespace: String,
    /// Who we are in the election; unique among all Pods of all times.
    pub identity: String,
    /// As the server's replicas load them.
    pub policies: PolicyWatchOptions,
    /// The label, of objects or their namespaces, that says who answers for them. Default `team`.
    pub owner_label: String,
    /// Requests a second at most for reading, and as many again for writing reports. Default 50.
    pub requests_per_second: u32,
    /// How often policies that look at more than the object are asked again. Default 10 minutes.
    pub refresh_every: Duration,
    /// Where the state is kept over time. Default: nowhere.
    pub history: Option<Kept>,
}

/// Works until `stop`, as leader or waiting to become one. Failures are logged, counted and tried again.
pub async fn audit(
    client: &Client,
    options: AuditOptions,
    state: Arc<AuditState>,
    stop: impl Future<Output = ()>,
) {
    let policies = PolicyWatch::start(client, options.policies.clone());
    let candidate = Candidate {
        namespace: options.own_namespace.clone(),
        lease: AUDIT_LEASE.to_owned(),
        identity: options.identity.clone(),
    };
    let election = Arc::new(Election::start(client, candidate));
    let mut leading = election.leading();
    let work = async {
        loop {
            // The sender lives as long as the election.
            if leading.wait_for(|leads| *leads).await.is_err() {
                return;
            }
            state.leading.store(true, Ordering::Relaxed);
            let shift = Shift::new(client, &options, &policies, &election, &state);
            tokio::select! {
                () = shift.work() => {}
                _ = leading.wait_for(|leads| !*leads) => {}
            }
            state.rest();
        }
    };
    tokio::select! {
        () = work => {}
        () = stop => {}
    }
    state.rest();
    // Nobody else holds it: the work has ended.
    if let Some(election) = Arc::into_inner(election) {
        election.resign().await;
    }
}
