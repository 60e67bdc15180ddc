//! Which decisions go into the history, and as what: denials, warnings, and mutations that changed something; never
//! what a dry run asked, never an object's values.

use crate::judging::Subject;
use crate::metric::Described;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use std::fmt;
use std::sync::Arc;
use wayguard_engine::decision::Effect;
use wayguard_engine::value::PatchOperation;
use wayguard_engine::{Decision, Request, Stage, Verdict};
use wayguard_history::{Change, Counts, DecisionRecord, FindingRecord, Recorder, Reserved};

/// Where decisions go, and what they are told apart by.
pub struct Recording {
    /// The queue.
    pub recorder: Recorder,
    /// The cluster's name, as its operator calls it.
    pub cluster: String,
    /// This replica's name.
    pub replica: String,
}

impl Recording {
    /// A place for a decision that is worth one. If there is none, the denial says so.
    pub(crate) fn reserve(
        &self,
        request: &Request<'_>,
        decision: &mut Decision,
        stage: Stage,
        now: jiff::Timestamp,
    ) -> Option<Reserved> {
        if request.dry_run || !is_worth(decision, stage) {
            return None;
        }
        let reserved = self.recorder.reserve(self.record(request, decision, stage, now));
        if reserved.is_none() && decision.message.ends_with(')') {
            decision.message.pop();
            decision.message.push_str(", not stored)");
        }
        reserved
    }

    fn record(
        &self,
        request: &Request<'_>,
        decision: &Decision,
        stage: Stage,
        now: jiff::Timestamp,
    ) -> DecisionRecord {
        let subject = Subject::of(request);
        DecisionRecord {
            id: decision.id.clone(),
            uid: subject.uid,
            at: now,
            cluster: self.cluster.clone(),
            replica: self.replica.clone(),
            stage: if stage == Stage::Mutate { "mutate" } else { "validate" }.to_owned(),
            operation: subject.operation.to_owned(),
            group: request.kind.group.to_owned(),
            kind: subject.kind,
            namespace: subject.namespace,
            name: subject.name,
            user: request.user.to_owned(),
            verdict: crate::answer::verdict_name(decision.verdict).to_owned(),
            message: decision.message.clone(),
            set_digest: decision.set_digest.clone(),
            policies: decision.policies.iter().map(ToString::to_string).collect(),
            findings: decision.findings.iter().map(finding).collect(),
            changes: decision.patch.iter().filter(|_| stage == Stage::Mutate).map(change).collect(),
            left_out: 0,
        }
    }
}

/// What mutation would refuse is judged, and recorded, by validation; what it changes only by itself.
fn is_worth(decision: &Decision, stage: Stage) -> bool {
    if stage == Stage::Mutate {
        return !decision.patch.is_empty() || !decision.admits(stage);
    }
    decision.verdict != Verdict::Allow
}

fn finding(finding: &wayguard_engine::Finding) -> FindingRecord {
    FindingRecord {
        policy: finding.policy.clone(),
        rule: finding.rule.clone(),
        severity: finding.severity.as_str().to_owned(),
        effect: crate::metrics::effect_name(finding.effect).to_owned(),
        path: finding.field.clone(),
        message: finding.message.clone(),
        remedy: if finding.effect == Effect::Audit { String::new() } else { finding.remedy.clone() },
        exception: finding.exception.clone().unwrap_or_default(),
    }
}

fn change(operation: &PatchOperation) -> Change {
    let (operation, path) = match operation {
        PatchOperation::Add { path, .. } => ("add", path),
        PatchOperation::Replace { path, .. } => ("replace", path),
        PatchOperation::Remove { path } => ("remove", path),
    };
    Change { operation: operation.to_owned(), path: path.clone() }
}

const WHEN: &str = "with `--history` or `--database-url-file`";
static STORED: Described =
    Described::counter("wayguard_history_stored", "Decisions that the history has taken").when(WHEN);
static DROPPED: Described = Described::counter(
    "wayguard_history_dropped",
    "Decisions that were not stored, because too many waited or the server ended",
)
.when(WHEN);
static REFUSED: Described = Described::counter(
    "wayguard_history_refused",
    "Decisions that the history refused for good; the log says why",
)
.when(WHEN);
static FAILURES: Described =
    Described::counter("wayguard_history_write_failures", "Attempts to store that failed").when(WHEN);
static WAITING: Described =
    Described::gauge("wayguard_history_waiting", "Decisions that wait to be stored").when(WHEN);

/// All metrics of recording.
pub(crate) static METRICS: [&Described; 5] = [&STORED, &DROPPED, &REFUSED, &FAILURES, &WAITING];

/// What became of decisions, for Prometheus.
pub(crate) struct RecordingMetrics(pub(crate) Arc<Counts>);

impl fmt::Debug for RecordingMetrics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RecordingMetrics").finish_non_exhaustive()
    }
}

impl Collector for RecordingMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let (counts, to) = (&self.0, &mut encoder);
        STORED.write(to, &counts.stored)?;
        DROPPED.write(to, &counts.dropped)?;
        REFUSED.write(to, &counts.refused)?;
        FAILURES.write(to, &counts.failures)?;
        WAITING.write(to, counts.waiting())
    }
}
