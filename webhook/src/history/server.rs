//! The service's end: whom TLS lets in may write and read.

use super::{DECISIONS, STATES};
use crate::Config;
use crate::connections::{Connections, Limits};
use crate::listener::Door;
use crate::server::{HEALTH_CONNECTIONS, StartError, listen};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use wayguard_history::{DecisionFilter, SinkError, Store, StoreError};

/// The largest batch, in bytes: what a queue may hold, written as JSON.
const LARGEST: usize = 96 << 20;

/// The server: bound, and not serving yet.
pub struct HistoryServer {
    socket: TcpListener,
    door: Door,
}

impl HistoryServer {
    /// Binds the port. `tls` must ask clients for certificates: whoever gets in may write.
    ///
    /// # Errors
    /// [`StartError::Bind`].
    pub async fn bind(
        address: SocketAddr,
        tls: Arc<rustls::ServerConfig>,
        store: Store,
    ) -> Result<Self, StartError> {
        let config = Config::default();
        let limits = Limits {
            connections: HEALTH_CONNECTIONS,
            header: config.header_timeout,
            idle: config.idle_timeout,
            age: config.max_connection_age,
        };
        let router = Router::new()
            .route(DECISIONS, post(write).get(read))
            .route(STATES, post(write_state))
            .layer(DefaultBodyLimit::max(LARGEST))
            .with_state(store);
        let door = Door {
            tls: Some(TlsAcceptor::from(tls)),
            handshake_timeout: config.handshake_timeout,
            handshake_failures: Arc::<AtomicU64>::default(),
            router,
            connections: Connections::new(limits),
        };
        Ok(Self { socket: listen(address).await?, door })
    }

    /// Where it is served: the real port, also if 0 was asked for.
    ///
    /// # Errors
    /// If the system cannot say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `stop` resolves; batches that have begun are finished.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let (end, ends) = watch::channel(false);
        let connections = Arc::clone(&self.door.connections);
        let mut serving = tokio::spawn(self.door.serve(self.socket, ends));
        stop.await;
        // A receiver is gone only if its task is: then there is nothing to stop.
        let _ = end.send(true);
        if tokio::time::timeout(Duration::from_secs(5), &mut serving).await.is_err() {
            connections.drop_all();
            serving.abort();
        }
    }
}

/// What a reader asks for: ids that begin so, or the fields of a filter.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    id: String,
    since: Option<jiff::Timestamp>,
    until: Option<jiff::Timestamp>,
    cluster: String,
    namespace: String,
    kind: String,
    name: String,
    user: String,
    verdict: String,
    policy: String,
    limit: u32,
}

async fn write(State(store): State<Store>, body: Bytes) -> Response {
    match serde_json::from_slice::<Vec<wayguard_history::DecisionRecord>>(&body) {
        Ok(batch) => {
            // Limits hold here too: who sends is not who keeps.
            let batch: Vec<_> = batch.into_iter().map(wayguard_history::DecisionRecord::trimmed).collect();
            taken(store.write(&batch).await)
        }
        Err(problem) => unreadable(&problem),
    }
}

async fn write_state(State(store): State<Store>, body: Bytes) -> Response {
    match serde_json::from_slice::<wayguard_history::AuditPart>(&body) {
        Ok(part) => taken(store.write_state(&part.trimmed()).await),
        Err(problem) => unreadable(&problem),
    }
}

async fn read(State(store): State<Store>, Query(asked): Query<Asked>) -> Response {
    let Asked { id, since, until, cluster, namespace, kind, name, user, verdict, policy, limit } = asked;
    let filter =
        DecisionFilter { since, until, cluster, namespace, kind, name, user, verdict, policy, limit };
    let found = if id.is_empty() { store.decisions(&filter).await } else { store.decisions_named(&id).await };
    match found {
        Ok(found) => {
            let body = serde_json::to_vec(&found).unwrap_or_default();
            ([(CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(error) => refused(&error),
    }
}

fn taken(outcome: Result<(), StoreError>) -> Response {
    match outcome {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(&error),
    }
}

fn refused(error: &StoreError) -> Response {
    match SinkError::from(error) {
        SinkError::NotNow(problem) => {
            tracing::warn!(%problem, "the database does not answer as it should");
            (StatusCode::SERVICE_UNAVAILABLE, problem).into_response()
        }
        SinkError::Never(problem) => (StatusCode::UNPROCESSABLE_ENTITY, problem).into_response(),
    }
}

fn unreadable(problem: &serde_json::Error) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, format!("the body cannot be read: {problem}")).into_response()
}
