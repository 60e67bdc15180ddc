//! The second port: `/livez`, `/readyz`, `/metrics`, and `/policies` for `control`, without TLS and without anything
//! about requests' content.

use crate::judging::Clock;
use crate::policies::PolicySource;
use crate::readiness::Readiness;
use crate::server::{ExpiryCheck, LoadReporter};
use crate::workers::WorkerPool;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// No deadline is longer than 30 s; a task of twice that will not end.
const STUCK_AFTER: Duration = Duration::from_mins(1);

/// What the answers depend on.
pub(crate) struct Health {
    pub(crate) conditions: Arc<Conditions>,
    pub(crate) pool: Arc<WorkerPool>,
    pub(crate) registry: Registry,
    pub(crate) load_report: Option<LoadReporter>,
}

/// What readiness depends on; the probe and the metrics say the same.
pub(crate) struct Conditions {
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) policies: Arc<PolicySource>,
    pub(crate) certificate_expiry: ExpiryCheck,
    pub(crate) clock: Clock,
    pub(crate) draining: Arc<AtomicBool>,
}

/// The routes.
pub(crate) fn router(health: Arc<Health>) -> Router {
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/policies", get(policies))
        .with_state(health)
}

/// Alive, unless all workers have been busy with one task each for a minute: then only a restart helps.
async fn live(State(health): State<Arc<Health>>) -> (StatusCode, &'static str) {
    if health.pool.stuck(STUCK_AFTER) {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "all workers have been busy with one evaluation for a minute\n",
        );
    }
    (StatusCode::OK, "ok\n")
}

/// One line per condition, as the API server's own `/readyz?verbose` prints them.
async fn ready(State(health): State<Arc<Health>>) -> (StatusCode, String) {
    readiness(health.conditions.all())
}

pub(crate) fn readiness(conditions: Vec<(&'static str, Option<String>)>) -> (StatusCode, String) {
    let mut body = String::new();
    let mut status = StatusCode::OK;
    for (name, missing) in conditions {
        let outcome = match missing {
            None => writeln!(body, "[+]{name} ok"),
            Some(missing) => {
                status = StatusCode::SERVICE_UNAVAILABLE;
                writeln!(body, "[-]{name} not ready: {missing}")
            }
        };
        // Writing to a String cannot fail.
        let _ = outcome;
    }
    (status, body)
}

async fn metrics(State(health): State<Arc<Health>>) -> impl IntoResponse {
    exposition(&health.registry)
}

/// What this replica has loaded: names, numbers and load errors, never a policy's content.
async fn policies(State(health): State<Arc<Health>>) -> Response {
    match health.load_report.as_ref().map(|report| report()) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(None) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Some(body)) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
    }
}

pub(crate) fn exposition(registry: &Registry) -> impl IntoResponse + use<> {
    let mut text = String::new();
    let status = match prometheus_client::encoding::text::encode(&mut text, registry) {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}

impl Conditions {
    /// All conditions, each with what is missing.
    pub(crate) fn all(&self) -> Vec<(&'static str, Option<String>)> {
        let certificate = match (self.certificate_expiry)() {
            None => Some("no certificate has been loaded yet".to_owned()),
            Some(expiry) if expiry <= (self.clock)() => Some(format!("it expired at {expiry}")),
            Some(_) => None,
        };
        let policies =
            self.policies.current().is_none().then(|| "no policy set has been loaded yet".to_owned());
        let draining = self.draining.load(Ordering::Relaxed);
        let mut conditions = vec![
            ("certificate", certificate),
            ("policies", policies),
            ("serving", draining.then(|| "shutting down".to_owned())),
        ];
        conditions.extend(self.readiness.conditions());
        conditions
    }
}
