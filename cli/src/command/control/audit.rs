//! What the audit counts, for Prometheus. Labels are policies, severities, outcomes and kinds: never names of objects
//! or namespaces.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use wayguard_audit::control::AuditState;

/// A view of what the audit tells about itself.
#[derive(Debug)]
pub(super) struct Metrics(pub(super) Arc<AuditState>);

/// Counts come from memory; 2⁶³ is never met.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let state = &self.0;
        let totals = state.totals();
        for (name, help, value) in [
            (
                "wayguard_audit_leading",
                "Whether this process leads",
                u64::from(state.leading.load(Ordering::Relaxed)),
            ),
            ("wayguard_audit_objects", "Objects that are known", totals.objects),
            ("wayguard_audit_denied_objects", "Objects that would be refused", totals.denied),
            ("wayguard_audit_reports", "Reports that are there", state.reports.load(Ordering::Relaxed)),
        ] {
            let value = ConstGauge::new(signed(value));
            value.encode(encoder.encode_descriptor(name, help, None, value.metric_type())?)?;
        }
        for (name, help, value) in [
            ("wayguard_audit_scans", "Listings of a kind that were finished", &state.scans),
            ("wayguard_audit_judged", "Objects that were judged, again and again counted", &state.judged),
            ("wayguard_audit_report_writes", "Reports that were written", &state.report_writes),
            ("wayguard_audit_report_removals", "Reports that were removed", &state.report_removals),
            ("wayguard_audit_report_failures", "Writes of reports that failed", &state.report_failures),
            ("wayguard_audit_history_states", "States that the history has taken", &state.history_states),
            (
                "wayguard_audit_history_failures",
                "Attempts to tell the history the state that failed",
                &state.history_failures,
            ),
        ] {
            let value = ConstCounter::new(value.load(Ordering::Relaxed));
            value.encode(encoder.encode_descriptor(name, help, None, value.metric_type())?)?;
        }
        let lag = ConstGauge::new(state.lag().as_secs_f64());
        let help = "How long something has been known that no report says yet, in seconds";
        lag.encode(encoder.encode_descriptor(
            "wayguard_audit_lag_seconds",
            help,
            None,
            lag.metric_type(),
        )?)?;
        self.findings(&mut encoder)?;
        self.kinds(&mut encoder)
    }
}

impl Metrics {
    fn findings(&self, encoder: &mut DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let totals = self.0.totals();
        let help = "Findings of a policy in what runs";
        let mut family =
            encoder.encode_descriptor("wayguard_audit_findings", help, None, MetricType::Gauge)?;
        for (policy, counts) in &totals.policies {
            for ((outcome, severity), count) in &counts.findings {
                let labels = [
                    ("policy", policy.as_str()),
                    ("result", outcome.as_str()),
                    ("severity", severity.as_str()),
                ];
                ConstGauge::new(signed(*count)).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn kinds(&self, encoder: &mut DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let help = "How long the last listing of a kind took, in seconds";
        let mut family =
            encoder.encode_descriptor("wayguard_audit_scan_seconds", help, None, MetricType::Gauge)?;
        for (kind, took) in self.0.took() {
            let labels = [("kind", kind.as_str())];
            ConstGauge::new(took.as_secs_f64()).encode(family.encode_family(&labels)?)?;
        }
        let help = "Kinds that policies judge and that could not be listed";
        let mut family =
            encoder.encode_descriptor("wayguard_audit_unlisted", help, None, MetricType::Gauge)?;
        for kind in self.0.unlisted().keys() {
            let labels = [("kind", kind.as_str())];
            ConstGauge::new(1_i64).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
