//! The audit's state on its way into the history: every so often all that is known, in parts. Nothing is told before
//! every kind was listed once, or all that is not known yet would count as fixed.

use super::follower::Common;
use super::state::AuditState;
use crate::auditor::Auditor;
use crate::note::Outcome;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use tracing::{debug, warn};
use wayguard_cluster::Pause;
use wayguard_history::{AuditCount, AuditFinding, AuditPart, Sink, SinkError};

/// Findings in one part: some 500 KB.
const IN_A_PART: usize = 1000;

/// Where states are kept.
#[derive(Clone)]
pub struct Kept {
    /// What takes them.
    pub sink: Arc<dyn Sink>,
    /// What the cluster is called there.
    pub cluster: String,
    /// How often the state is told. Default 10 minutes.
    pub every: Duration,
}

/// Tells the state until it is dropped.
pub(super) async fn tell(kept: Option<Kept>, common: Common, mut ready: watch::Receiver<bool>) {
    let Some(kept) = kept else { return std::future::pending().await };
    if ready.wait_for(|ready| *ready).await.is_err() {
        return;
    }
    let mut pause = Pause::default();
    loop {
        match tell_once(&kept, &common).await {
            Ok(parts) => {
                debug!(parts, "the history has the state");
                pause.reset();
                tokio::time::sleep(kept.every).await;
            }
            Err(problem) => {
                common.state.history_failures.fetch_add(1, Ordering::Relaxed);
                warn!(%problem, "the history has not taken the state");
                pause.wait().await;
            }
        }
    }
}

async fn tell_once(kept: &Kept, common: &Common) -> Result<usize, SinkError> {
    let (auditor, state, cluster) =
        (Arc::clone(&common.auditor), Arc::clone(&common.state), kept.cluster.clone());
    // It looks at every object: not for the threads that wait for the network.
    let parts = tokio::task::spawn_blocking(move || parts(&auditor, &state, &cluster, Timestamp::now()))
        .await
        .map_err(|_| SinkError::NotNow("the state could not be put together".to_owned()))?;
    let count = parts.len();
    for part in parts {
        kept.sink.write_state(&part).await?;
    }
    common.state.history_states.fetch_add(1, Ordering::Relaxed);
    Ok(count)
}

fn parts(auditor: &Auditor, state: &AuditState, cluster: &str, at: Timestamp) -> Vec<AuditPart> {
    let mut findings = Vec::new();
    let mut counts: BTreeMap<(String, String, &str, Outcome), u64> = BTreeMap::new();
    auditor.each(&mut |found| {
        let (subject, note) = (found.subject, found.note);
        let severity = note.rule.severity.as_str();
        let key = (subject.namespace.to_owned(), note.rule.policy.to_string(), severity, note.outcome());
        *counts.entry(key).or_default() += 1;
        // What an exception covers is counted, and nothing that somebody has to mend.
        if note.outcome() == Outcome::Skip {
            return;
        }
        findings.push(AuditFinding {
            policy: note.rule.policy.to_string(),
            rule: note.rule.rule.to_string(),
            severity: severity.to_owned(),
            result: note.outcome().as_str().to_owned(),
            group: subject.kind.group.clone(),
            kind: subject.kind.kind.clone(),
            namespace: subject.namespace.to_owned(),
            name: subject.name.to_owned(),
            path: note.field.to_string(),
            message: note.message(subject.name),
            owner: subject.owner.to_owned(),
        });
    });
    let empty = || AuditPart { cluster: cluster.to_owned(), at, ..AuditPart::default() };
    let mut parts: Vec<AuditPart> =
        findings.chunks(IN_A_PART).map(|some| AuditPart { findings: some.to_vec(), ..empty() }).collect();
    let counts = counts.into_iter().map(|((namespace, policy, severity, outcome), count)| AuditCount {
        namespace,
        policy,
        severity: severity.to_owned(),
        result: outcome.as_str().to_owned(),
        count,
    });
    parts.push(AuditPart {
        objects: auditor.len() as u64,
        counts: counts.collect(),
        unknown_kinds: state.blind(),
        last: true,
        ..empty()
    });
    parts
}
