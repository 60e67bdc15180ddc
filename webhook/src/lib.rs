//! The HTTPS admission server: decode, match, gather facts, evaluate, reply.
//!
//! ```text
//! listener ─► connections (cap, slow, idle, old)            health: /livez /readyz /metrics
//!    └► admission ─► body (limits, budget) ─► workers ─► judging ⇄ facts, providers ─► answer ─► log, metrics
//!                                                ├► own_kinds (our own kinds, at apply), stamps (who asked)
//!                                                └► recording (what goes into the history)
//! ```
//!
//! Once a review's uid is known every outcome, panics and time-outs included, is an AdmissionReview with that
//! uid and HTTP status 200: under `failurePolicy: Ignore` anything else would be an allow that nobody chose.
//! What each path answers without a verdict is written at [`Path`].

mod admission;
mod answer;
mod body;
mod budget;
mod config;
mod connections;
mod deadline;
mod decision_log;
mod facts;
mod health;
mod history;
mod judging;
mod listener;
mod log_text;
pub mod metric;
mod metrics;
mod own_kinds;
mod panics;
mod path;
mod policies;
mod probes;
mod process;
mod providers;
mod readiness;
mod recording;
mod server;
mod stamps;
#[cfg(test)]
mod tests;
mod trace_context;
mod workers;

pub use config::Config;
pub use facts::{BoxFuture, FactSource, NoCluster};
pub use history::{HistoryClient, HistoryServer, TrustedCas};
pub use judging::{Clock, Engine, Judge};
pub use own_kinds::{Applied, Asker, KindJudge};
pub use panics::log_panics_without_values;
pub use path::Path;
pub use policies::PolicySource;
pub use probes::ProbeServer;
pub use process::METRICS as PROCESS_METRICS;
pub use providers::ProviderOptions;
pub use readiness::{Latch, Readiness};
pub use recording::Recording;
pub use server::{AdmissionServer, ExpiryCheck, LoadReporter, Parts, StartError, terminated};

/// All that the admission server measures, besides [`PROCESS_METRICS`].
pub fn admission_metrics() -> Vec<&'static metric::Described> {
    [&metrics::METRICS[..], &providers::metrics::METRICS, &recording::METRICS].concat()
}
