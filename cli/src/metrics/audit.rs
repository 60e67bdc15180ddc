//! What the audit measures. Labels are policies, severities, outcomes and kinds: never names of objects or namespaces.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use std::fmt;
use std::sync::Arc;
use wayguard_audit::control::AuditState;
use wayguard_webhook::metric::{Described, Number};

static LEADING: Described = Described::gauge("wayguard_audit_leading", "Whether this process leads");
static OBJECTS: Described = Described::gauge("wayguard_audit_objects", "Objects that are known");
static DENIED: Described = Described::gauge("wayguard_audit_denied_objects", "Objects that would be refused");
static REPORTS: Described = Described::gauge("wayguard_audit_reports", "Reports that are there");
static SCANS: Described = Described::counter("wayguard_audit_scans", "Listings of a kind that were finished");
static LISTED: Described = Described::gauge(
    "wayguard_audit_last_scan_timestamp_seconds",
    "When the last listing of a kind was finished, as Unix time; 0 while there was none",
);
static JUDGED: Described =
    Described::counter("wayguard_audit_judged", "Objects that were judged, again and again counted");
static WRITES: Described = Described::counter("wayguard_audit_report_writes", "Reports that were written");
static REMOVALS: Described =
    Described::counter("wayguard_audit_report_removals", "Reports that were removed");
static FAILURES: Described =
    Described::counter("wayguard_audit_report_failures", "Writes of reports that failed");
static STATES: Described =
    Described::counter("wayguard_audit_history_states", "States that the history has taken");
static UNTOLD: Described = Described::counter(
    "wayguard_audit_history_failures",
    "Attempts to tell the history the state that failed",
);
static LAG: Described = Described::gauge(
    "wayguard_audit_lag_seconds",
    "How long something has been known that no report says yet, in seconds",
);
static FINDINGS: Described = Described::gauge("wayguard_audit_findings", "Findings of a policy in what runs")
    .by(&["policy", "result", "severity"]);
static TOOK: Described =
    Described::gauge("wayguard_audit_scan_seconds", "How long the last listing of a kind took, in seconds")
        .by(&["kind"]);
static UNLISTED: Described =
    Described::gauge("wayguard_audit_unlisted", "Kinds that policies judge and that could not be listed")
        .by(&["kind"]);

/// All of them.
#[cfg(test)]
pub(super) static METRICS: [&Described; 16] = [
    &LEADING, &OBJECTS, &DENIED, &REPORTS, &SCANS, &LISTED, &JUDGED, &WRITES, &REMOVALS, &FAILURES, &STATES,
    &UNTOLD, &LAG, &FINDINGS, &TOOK, &UNLISTED,
];

/// A view of what the audit tells about itself.
#[derive(Debug)]
pub(crate) struct Audit(pub(crate) Arc<AuditState>);

impl Collector for Audit {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let (state, to) = (&self.0, &mut encoder);
        let totals = state.totals();
        LEADING.write(to, &state.leading)?;
        OBJECTS.write(to, totals.objects)?;
        DENIED.write(to, totals.denied)?;
        REPORTS.write(to, &state.reports)?;
        SCANS.write(to, &state.scans)?;
        LISTED.write(to, &state.listed_at)?;
        JUDGED.write(to, &state.judged)?;
        WRITES.write(to, &state.report_writes)?;
        REMOVALS.write(to, &state.report_removals)?;
        FAILURES.write(to, &state.report_failures)?;
        STATES.write(to, &state.history_states)?;
        UNTOLD.write(to, &state.history_failures)?;
        LAG.write(to, state.lag().as_secs_f64())?;
        let findings = totals.policies.iter().flat_map(|(policy, counts)| {
            counts.findings.iter().map(move |((outcome, severity), count)| {
                (vec![policy.as_str(), outcome.as_str(), severity.as_str()], Number::from(*count))
            })
        });
        FINDINGS.write_each(to, findings)?;
        TOOK.write_each(
            to,
            state.took().into_iter().map(|(kind, took)| (vec![kind], took.as_secs_f64().into())),
        )?;
        UNLISTED.write_each(to, state.unlisted().into_keys().map(|kind| (vec![kind], 1_u64.into())))
    }
}
