//! What an operator sets: addresses, limits, times. Every field has a default that fits a replica with two
//! cores and 512 MiB.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

/// The server's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the API server connects (TLS). Default `[::]:8443`, which is IPv4 as well; port 0 picks one.
    pub admission_address: SocketAddr,
    /// Where probes and metrics are served (plain HTTP). Default `[::]:8080`.
    pub health_address: SocketAddr,
    /// Whether other processes may listen on the admission address too (`SO_REUSEPORT`): the system spreads
    /// connections over them. Default false: a second server on the port is a mistake.
    pub share_port: bool,
    /// The largest body that is judged, in bytes. Default 32 MiB: the API server escapes `<`, `>` and `&` into
    /// six bytes, so a request of 3 MiB with an old object of 1.5 MiB becomes up to 28 MiB.
    pub body_limit: usize,
    /// Bytes of bodies held at once by all requests. Default 256 MiB. Past it requests are shed, see
    /// [`crate::Path`].
    pub in_flight_bytes: usize,
    /// Requests that may wait for a worker. Default 512. Past it requests are shed.
    pub max_waiting: usize,
    /// Open connections. Default 2048. Past it the longest unused one makes room.
    pub max_connections: usize,
    /// For the TLS handshake. Default 5 s.
    pub handshake_timeout: Duration,
    /// From a request head's first byte to its last. Default 5 s.
    pub header_timeout: Duration,
    /// For a request's whole body. Default 10 s.
    pub body_timeout: Duration,
    /// How long an unused connection stays open. Default 120 s: longer than the 90 s of Go's client, so that
    /// the API server closes first and never sends a request into a connection that is being closed.
    pub idle_timeout: Duration,
    /// After this age a connection's next response says `Connection: close`, so that load spreads over
    /// replicas that came later. Default 5 min.
    pub max_connection_age: Duration,
    /// The deadline of a request without `?timeout=`. Default 10 s, the default of `timeoutSeconds`.
    pub default_timeout: Duration,
    /// For all Rego of one request, if the deadline leaves that much. Default 2 s.
    pub evaluation_limit: Duration,
    /// Threads that judge. Default: the number of cores.
    pub workers: NonZeroUsize,
    /// How long the server keeps answering after it turned unready, until no Service sends it requests.
    /// Default 10 s.
    pub drain_delay: Duration,
    /// After that, how long requests that have begun may take. Default 15 s.
    pub shutdown_grace: Duration,
    /// The suite's own namespace: the only one in which a `PolicyException` is honoured. Default
    /// `wayguard-system`.
    pub own_namespace: String,
}

impl Default for Config {
    fn default() -> Self {
        let any = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        Self {
            admission_address: SocketAddr::new(any, 8443),
            health_address: SocketAddr::new(any, 8080),
            share_port: false,
            body_limit: 32 << 20,
            in_flight_bytes: 256 << 20,
            max_waiting: 512,
            max_connections: 2048,
            handshake_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(2),
            max_connection_age: Duration::from_mins(5),
            default_timeout: Duration::from_secs(10),
            evaluation_limit: Duration::from_secs(2),
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            drain_delay: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(15),
            own_namespace: "wayguard-system".to_owned(),
        }
    }
}
