//! Probes and metrics for a process that serves nothing else, such as `control`: `/livez`, `/readyz`, `/metrics`.

use crate::config::Config;
use crate::connections::{Connections, Limits};
use crate::health;
use crate::listener::Door;
use crate::process::Process;
use crate::readiness::Readiness;
use crate::server::{HEALTH_CONNECTIONS, StartError, listen};
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::registry::Registry;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The server: bound, and not serving yet.
pub struct ProbeServer {
    socket: TcpListener,
    door: Door,
}

struct Probed {
    readiness: Arc<Readiness>,
    registry: Registry,
}

impl ProbeServer {
    /// Binds the port.
    ///
    /// # Errors
    /// [`StartError::Bind`].
    pub async fn bind(
        address: SocketAddr,
        readiness: Arc<Readiness>,
        mut registry: Registry,
    ) -> Result<Self, StartError> {
        registry.register_collector(Box::new(Process::new()));
        let config = Config::default();
        let limits = Limits {
            connections: HEALTH_CONNECTIONS,
            header: config.header_timeout,
            idle: config.idle_timeout,
            age: config.max_connection_age,
        };
        let router = Router::new()
            .route("/livez", get(async || "ok\n"))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(Arc::new(Probed { readiness, registry }));
        let door = Door {
            tls: None,
            handshake_timeout: config.handshake_timeout,
            handshake_failures: Arc::default(),
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

    /// Serves until `stop` resolves.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let (end, ends) = watch::channel(false);
        let connections = Arc::clone(&self.door.connections);
        let mut serving = tokio::spawn(self.door.serve(self.socket, ends));
        stop.await;
        // A receiver is gone only if its task is: then there is nothing to stop.
        let _ = end.send(true);
        if tokio::time::timeout(Duration::from_secs(1), &mut serving).await.is_err() {
            connections.drop_all();
            serving.abort();
        }
    }
}

async fn ready(State(probed): State<Arc<Probed>>) -> impl IntoResponse {
    health::readiness(probed.readiness.conditions())
}

async fn metrics(State(probed): State<Arc<Probed>>) -> impl IntoResponse {
    health::exposition(&probed.registry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn it_answers_probes_until_it_is_stopped() {
        let readiness = Readiness::new();
        let latch = readiness.require("election", "nobody leads yet");
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = ProbeServer::bind(address, readiness, Registry::default()).await.unwrap();
        let address = server.address().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        assert!(get(address, "/livez").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "/readyz").await.ends_with("[-]election not ready: nobody leads yet\n"));
        latch.ready();
        assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "/metrics").await.starts_with("HTTP/1.1 200"));
        stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(10), running).await.unwrap().unwrap();
    }
}
