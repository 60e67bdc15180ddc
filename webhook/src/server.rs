//! Binds the two ports and runs them, from start to drained.

use crate::Config;
use crate::admission::{self, Admission};
use crate::budget::ByteBudget;
use crate::connections::{Connections, Limits};
use crate::facts::{FactSource, NoCluster};
use crate::health::{self, Conditions, Health};
use crate::judging::{Clock, Engine, Judge, Tools};
use crate::listener::Door;
use crate::metrics::{Metrics, State};
use crate::own_kinds::{KindJudge, OwnKinds};
use crate::policies::PolicySource;
use crate::process::Process;
use crate::providers::{ProviderOptions, Providers};
use crate::readiness::Readiness;
use crate::recording::{Recording, RecordingMetrics};
use crate::workers::WorkerPool;
use jiff::Timestamp;
use prometheus_client::registry::Registry;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use wayguard_engine::policy::library::Library;

/// When the serving certificate expires; `None` while there is none.
pub type ExpiryCheck = Arc<dyn Fn() -> Option<Timestamp> + Send + Sync>;

/// What this replica has loaded, as JSON, for `GET /policies`; `None` while nothing is loaded.
pub type LoadReporter = Arc<dyn Fn() -> Option<Vec<u8>> + Send + Sync>;

/// Probes and one or two scrapers.
pub(crate) const HEALTH_CONNECTIONS: usize = 64;

/// What the server is made of. [`Parts::new`] fills in what most hosts need not choose.
pub struct Parts {
    /// Addresses, limits, times.
    pub config: Config,
    /// TLS; its certificate resolver swaps certificates, the server keeps this for ever. Must offer ALPN
    /// `http/1.1` only, or none.
    pub tls: Arc<rustls::ServerConfig>,
    /// When the certificate that `tls` serves now expires.
    pub certificate_expiry: ExpiryCheck,
    /// Where the policies are.
    pub policies: Arc<PolicySource>,
    /// Namespaces, inventory, other facts. Default: [`NoCluster`].
    pub facts: Arc<dyn FactSource>,
    /// How Gatekeeper's providers are asked. Default: [`ProviderOptions::default`].
    pub providers: ProviderOptions,
    /// Who judges our own kinds that the engine does not know, when they are applied. Default: nobody, and they are
    /// refused.
    pub kind_judge: Option<Arc<dyn KindJudge>>,
    /// The Rego that applied policies may name as their source.
    pub library: Arc<Library>,
    /// Conditions of the host, such as synced caches. Default: none.
    pub readiness: Arc<Readiness>,
    /// Metrics of the host; the server adds its own.
    pub registry: Registry,
    /// What `GET /policies` answers on the health port. Default: nothing, and it is not found.
    pub load_report: Option<LoadReporter>,
    /// Where decisions are recorded. Default: nowhere.
    pub recording: Option<Arc<Recording>>,
    /// Who decides. Default: [`Engine`].
    pub judge: Arc<dyn Judge>,
    /// The time of day. Default: the system's.
    pub clock: Clock,
}

impl Parts {
    /// A server without a cluster, with default settings.
    pub fn new(
        tls: Arc<rustls::ServerConfig>,
        certificate_expiry: ExpiryCheck,
        policies: Arc<PolicySource>,
        library: Arc<Library>,
    ) -> Self {
        Self {
            config: Config::default(),
            tls,
            certificate_expiry,
            policies,
            facts: Arc::new(NoCluster),
            providers: ProviderOptions::default(),
            kind_judge: None,
            library,
            readiness: Readiness::new(),
            registry: Registry::default(),
            load_report: None,
            recording: None,
            judge: Arc::new(Engine),
            clock: Arc::new(Timestamp::now),
        }
    }
}

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken, or the address is not ours.
    #[error("cannot listen on `{address}`: {cause}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// No thread to judge on.
    #[error("cannot start {workers} worker threads: {cause}")]
    Workers {
        /// How many were asked for.
        workers: usize,
        /// What the system says.
        cause: io::Error,
    },
}

/// The admission server: bound, and not serving yet.
pub struct AdmissionServer {
    admission_socket: TcpListener,
    health_socket: TcpListener,
    admission: Door,
    health: Door,
    draining: Arc<AtomicBool>,
    drain_delay: Duration,
    shutdown_grace: Duration,
}

impl AdmissionServer {
    /// Binds both ports and starts the workers.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn bind(parts: Parts) -> Result<Self, StartError> {
        let admission_socket = if parts.config.share_port {
            listen_with_others(parts.config.admission_address)?
        } else {
            listen(parts.config.admission_address).await?
        };
        let health_socket = listen(parts.config.health_address).await?;
        let (drain_delay, shutdown_grace) = (parts.config.drain_delay, parts.config.shutdown_grace);
        let tls = TlsAcceptor::from(Arc::clone(&parts.tls));
        let assembled = Assembled::new(parts)?;
        let admission = Door {
            tls: Some(tls),
            handshake_timeout: assembled.handshake_timeout,
            handshake_failures: assembled.handshake_failures,
            router: admission::router(assembled.admission),
            connections: assembled.connections,
        };
        let health = Door {
            tls: None,
            handshake_timeout: assembled.handshake_timeout,
            handshake_failures: Arc::default(),
            router: health::router(assembled.health),
            connections: assembled.health_connections,
        };
        let draining = assembled.draining;
        Ok(Self { admission_socket, health_socket, admission, health, draining, drain_delay, shutdown_grace })
    }

    /// Where admission is served, and where health and metrics are: the real ports, also if 0 was asked for.
    ///
    /// # Errors
    /// If the system cannot say.
    pub fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.admission_socket.local_addr()?, self.health_socket.local_addr()?))
    }

    /// Serves until `stop` resolves ([`terminated`], usually; should the admission port fail, until then), then
    /// drains: turns unready and keeps answering
    /// for the drain delay, with `Connection: close`, until no Service sends it requests; then accepts no more,
    /// and lets requests that have begun finish within the grace.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let (stop_admission, admission_stops) = watch::channel(false);
        let (stop_health, health_stops) = watch::channel(false);
        let (admission, health) =
            (Arc::clone(&self.admission.connections), Arc::clone(&self.health.connections));
        let mut serving = tokio::spawn(self.admission.serve(self.admission_socket, admission_stops));
        let mut probing = tokio::spawn(self.health.serve(self.health_socket, health_stops));

        tokio::select! {
            () = stop => {}
            // Only a fault of ours ends it before its time; a process that listens nowhere must not live on.
            _ = &mut serving => {
                tracing::error!("the admission port has failed");
                return;
            }
        }
        tracing::info!(delay = ?self.drain_delay, "shutting down: unready, still answering");
        self.draining.store(true, Ordering::Relaxed);
        admission.announce_close();
        tokio::time::sleep(self.drain_delay).await;

        tracing::info!(grace = ?self.shutdown_grace, "no longer accepting connections");
        // A receiver is gone only if its task is: then there is nothing to stop.
        let _ = stop_admission.send(true);
        if tokio::time::timeout(self.shutdown_grace, &mut serving).await.is_err() {
            tracing::warn!(open = admission.count(), "requests had not finished within the grace");
            admission.drop_all();
            serving.abort();
        }
        let _ = stop_health.send(true);
        if tokio::time::timeout(Duration::from_secs(1), &mut probing).await.is_err() {
            health.drop_all();
            probing.abort();
        }
    }
}

/// Resolves when the process is asked to end: SIGTERM (kubelet) or SIGINT (a terminal).
///
/// # Errors
/// If the signals cannot be listened to.
pub fn terminated() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Everything behind the ports, put together; tests call the routers without them.
pub(crate) struct Assembled {
    pub(crate) admission: Arc<Admission>,
    pub(crate) health: Arc<Health>,
    pub(crate) connections: Arc<Connections>,
    health_connections: Arc<Connections>,
    handshake_failures: Arc<AtomicU64>,
    handshake_timeout: Duration,
    draining: Arc<AtomicBool>,
}

impl Assembled {
    pub(crate) fn new(parts: Parts) -> Result<Self, StartError> {
        let Parts {
            config,
            certificate_expiry,
            policies,
            facts,
            providers,
            kind_judge,
            library,
            readiness,
            mut registry,
            load_report,
            recording,
            judge,
            clock,
            ..
        } = parts;
        let workers = config.workers.get();
        let pool = WorkerPool::start(config.workers, config.max_waiting)
            .map_err(|cause| StartError::Workers { workers, cause })?;
        let pool = Arc::new(pool);
        let limits = Limits {
            connections: config.max_connections.max(1),
            header: config.header_timeout,
            idle: config.idle_timeout,
            age: config.max_connection_age,
        };
        let connections = Connections::new(limits);
        let health_connections = Connections::new(Limits { connections: HEALTH_CONNECTIONS, ..limits });
        let handshake_failures = Arc::<AtomicU64>::default();
        let draining = Arc::<AtomicBool>::default();
        let budget = ByteBudget::new(config.in_flight_bytes);
        let metrics = Arc::new(Metrics::register(&mut registry));
        let providers = Arc::new(Providers::new(providers, &mut registry));
        let conditions = Arc::new(Conditions {
            readiness,
            policies: Arc::clone(&policies),
            certificate_expiry: Arc::clone(&certificate_expiry),
            clock: Arc::clone(&clock),
            draining: Arc::clone(&draining),
        });
        registry.register_collector(Box::new(Process::new()));
        registry.register_collector(Box::new(State {
            policies: Arc::clone(&policies),
            budget: Arc::clone(&budget),
            budget_limit: config.in_flight_bytes,
            pool: Arc::clone(&pool),
            waiting_limit: config.max_waiting,
            connections: Arc::clone(&connections),
            handshake_failures: Arc::clone(&handshake_failures),
            certificate_expiry,
            conditions: Arc::clone(&conditions),
            facts: Arc::clone(&facts),
        }));
        if let Some(recording) = &recording {
            registry.register_collector(Box::new(RecordingMetrics(Arc::clone(recording.recorder.counts()))));
        }
        let own_kinds = OwnKinds {
            library,
            policies: Arc::clone(&policies),
            namespace: config.own_namespace.clone(),
            others: kind_judge,
        };
        let health = Health { conditions, pool: Arc::clone(&pool), registry, load_report };
        let tools =
            Tools { judge, facts, providers, clock, evaluation_limit: config.evaluation_limit, recording };
        let handshake_timeout = config.handshake_timeout;
        let admission = Admission {
            config,
            policies,
            budget,
            pool,
            tools: Arc::new(tools),
            own_kinds: Arc::new(own_kinds),
            metrics,
        };
        Ok(Self {
            admission: Arc::new(admission),
            health: Arc::new(health),
            connections,
            health_connections,
            handshake_failures,
            handshake_timeout,
            draining,
        })
    }
}

/// `[::]` means all addresses of both families; where the system has no IPv6, all of IPv4.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let cause = match TcpListener::bind(address).await {
        Ok(socket) => return Ok(socket),
        Err(cause) => cause,
    };
    if address.is_ipv6() && address.ip().is_unspecified() && cause.kind() != io::ErrorKind::AddrInUse {
        let other = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
        if let Ok(socket) = TcpListener::bind(other).await {
            return Ok(socket);
        }
    }
    Err(StartError::Bind { address, cause })
}

/// Connections that the system keeps until we take them; the same as [`TcpListener::bind`] asks for.
const BACKLOG: u32 = 1024;

/// Listens where other processes may listen as well.
fn listen_with_others(address: SocketAddr) -> Result<TcpListener, StartError> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let open = |socket: TcpSocket| {
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    socket.and_then(open).map_err(|cause| StartError::Bind { address, cause })
}
