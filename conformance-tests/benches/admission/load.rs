//! The load: many requests over a few connections, each answered in full before the next.

use super::servers::Server;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How alike the objects of one row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objects {
    /// Each has other labels, images and names, as no two objects of a cluster do.
    Cold,
    /// Pods of 100 ReplicaSets in turn: other uid, name and token volume, as the API server sends them.
    Repeated,
}

impl fmt::Display for Objects {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Cold => "each different",
            Self::Repeated => "repeated Pods",
        })
    }
}

/// One row's load.
pub struct Load<'l> {
    pub review: &'l str,
    pub objects: Objects,
    pub connections: usize,
    pub time: Duration,
}

/// What was measured; milliseconds and megabytes.
pub struct Row {
    pub per_second: f64,
    pub p50: f64,
    pub p99: f64,
    pub megabytes: f64,
}

impl Load<'_> {
    /// Warms the server up for a fifth of the time, then measures.
    pub fn run(&self, server: &dyn Server) -> Row {
        self.drive(server, self.time / 5);
        let started = Instant::now();
        let mut latencies = self.drive(server, self.time);
        let elapsed = started.elapsed().as_secs_f64();
        latencies.sort_unstable();
        let at = |share: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a position in a list"
            )]
            let position = ((latencies.len() as f64 * share) as usize).min(latencies.len() - 1);
            latencies[position].as_secs_f64() * 1000.0
        };
        #[expect(clippy::cast_precision_loss, reason = "counts of requests are small")]
        let count = latencies.len() as f64;
        Row { per_second: count / elapsed, p50: at(0.5), p99: at(0.99), megabytes: server.megabytes() }
    }

    fn drive(&self, server: &dyn Server, time: Duration) -> Vec<Duration> {
        let config = client(server.ca());
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.connections)
                .map(|number| {
                    let config = Arc::clone(&config);
                    scope.spawn(move || self.one(number, server, config, time))
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn one(
        &self,
        number: usize,
        server: &dyn Server,
        config: Arc<ClientConfig>,
        time: Duration,
    ) -> Vec<Duration> {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(config, name).unwrap();
        let socket = TcpStream::connect(server.address()).unwrap();
        socket.set_nodelay(true).unwrap();
        let mut stream = BufReader::new(StreamOwned::new(connection, socket));
        let mut body = Body::new(self.review, self.objects, server.path());
        let deadline = Instant::now() + time;
        let mut latencies = Vec::new();
        let mut answer = Vec::new();
        for request in 0_u64.. {
            let started = Instant::now();
            if started >= deadline {
                break;
            }
            stream.get_mut().write_all(body.next(number, request)).unwrap();
            read(&mut stream, &mut answer);
            latencies.push(started.elapsed());
            if request == 0 {
                let text = String::from_utf8_lossy(&answer);
                assert!(text.contains("\"uid\""), "no AdmissionReview: {text}");
                let denied = text.contains("\"allowed\":false");
                assert_eq!(denied, server.denies(), "not the work that was asked for: {text}");
            }
        }
        latencies
    }
}

/// One whole HTTP/1.1 answer with a length.
fn read(stream: &mut BufReader<StreamOwned<ClientConnection, TcpStream>>, body: &mut Vec<u8>) {
    let mut line = String::new();
    let mut length = 0;
    loop {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the server has closed the connection");
        let lower = line.trim_end().to_ascii_lowercase();
        if lower.is_empty() {
            break;
        }
        if let Some(text) = lower.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
    }
    body.resize(length, 0);
    stream.read_exact(body).unwrap();
}

fn client(ca: &[u8]) -> Arc<ClientConfig> {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = RootCertStore::empty();
    for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(ca) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// A request whose changing parts are overwritten in place: the load costs next to nothing.
struct Body {
    bytes: Vec<u8>,
    /// Places of what every request has its own of: uids, name, token volume.
    own: Vec<(usize, usize)>,
    /// Places of what each ReplicaSet, or each cold object, has its own of.
    shared: Vec<(usize, usize)>,
    objects: Objects,
}

/// As the fixture has them.
const OWN: [&str; 4] = ["705ab4f5", "5f7a2b52", "x2k4q", "x7k2p"];
const SHARED: [&str; 1] = ["7d9c5b8f6d"];
/// What only cold objects have of their own: the label, and each container's image.
const COLD: [&str; 4] = ["0000000000000000", "1.24.3", "1.33.0", "abababababababababababababababab"];

impl Body {
    fn new(review: &str, objects: Objects, path: &str) -> Self {
        // A cold object has a label of its own, which every template may read.
        let review = review.replacen("\"labels\": {", "\"labels\": {\"cold\": \"0000000000000000\", ", 1);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            review.len()
        );
        let text = head + &review;
        let places = |needle: &str| -> Vec<(usize, usize)> {
            text.match_indices(needle).map(|(at, found)| (at, found.len())).collect()
        };
        let own = OWN.iter().flat_map(|needle| places(needle)).collect();
        let mut shared: Vec<_> = SHARED.iter().flat_map(|needle| places(needle)).collect();
        if objects == Objects::Cold {
            shared.extend(COLD.iter().flat_map(|needle| places(needle)));
        }
        Self { own, shared, objects, bytes: text.into_bytes() }
    }

    fn next(&mut self, connection: usize, request: u64) -> &[u8] {
        let unique = (connection as u64) << 40 | request;
        let set = match self.objects {
            Objects::Cold => unique,
            Objects::Repeated => request % 100,
        };
        for (places, number) in [(&self.own, unique), (&self.shared, set)] {
            for (at, length) in places {
                // Hexadecimal from the end, as many digits as the place has.
                let mut left = number;
                for byte in self.bytes[*at..at + length].iter_mut().rev() {
                    *byte = b"0123456789abcdef"[usize::try_from(left % 16).unwrap_or_default()];
                    left /= 16;
                }
            }
        }
        &self.bytes
    }
}
