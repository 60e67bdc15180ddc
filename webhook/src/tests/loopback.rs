//! The server on loopback, with TLS: connections that are slow, idle, many, or not HTTP/1.1.

use super::fixture::{decided, eventually, judged_by, parts, pod, review};
use crate::{AdmissionServer, Config, ExpiryCheck, Parts};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wayguard_engine::Verdict;

/// A certificate for `localhost`, made once per call, that is always valid.
pub(crate) fn self_signed() -> (Arc<rustls::ServerConfig>, ExpiryCheck) {
    let (server, _) = certified();
    (server, Arc::new(|| Some(jiff::Timestamp::MAX)))
}

/// The server's side, and a client's that trusts it.
fn certified() -> (Arc<rustls::ServerConfig>, Arc<rustls::ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

/// A running server.
pub(crate) struct Running {
    pub(crate) admission: SocketAddr,
    pub(crate) health: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) done: tokio::task::JoinHandle<()>,
    client: Arc<rustls::ClientConfig>,
}

pub(crate) fn local(config: Config) -> Config {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    Config { admission_address: any, health_address: any, ..config }
}

pub(crate) async fn start(parts: Parts) -> Running {
    let (server, client) = certified();
    let config = local(parts.config.clone());
    let server = AdmissionServer::bind(Parts { config, tls: server, ..parts }).await.unwrap();
    let (admission, health) = server.addresses().unwrap();
    let (stop, stopped) = oneshot::channel();
    let done = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    Running { admission, health, stop: Some(stop), done, client }
}

impl Running {
    pub(crate) async fn connect(&self) -> Client<TlsStream<TcpStream>> {
        self.try_connect().await.unwrap()
    }

    pub(crate) async fn try_connect(&self) -> std::io::Result<Client<TlsStream<TcpStream>>> {
        let stream = TcpStream::connect(self.admission).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").unwrap();
        Ok(Client(TlsConnector::from(Arc::clone(&self.client)).connect(name, stream).await?))
    }

    /// What SIGTERM does.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Status and body of a GET on the health port, or `None` if nothing listens there.
    pub(crate) async fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut client = Client(TcpStream::connect(self.health).await.ok()?);
        client.write(format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes()).await;
        client.response().await.map(|response| (response.status, response.body))
    }

    pub(crate) async fn metric(&self, sample: &str) -> i64 {
        let (_, text) = self.get("/metrics").await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_default()
    }
}

/// A client that writes HTTP by hand, so that it can do it wrong.
pub(crate) struct Client<S>(S);

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) closes: bool,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn allowed(&self) -> Option<bool> {
        let review: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        review["response"]["allowed"].as_bool()
    }
}

impl<S: AsyncRead + tokio::io::AsyncWrite + Unpin> Client<S> {
    /// Errors are the server's right: it may have closed.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
        let _ = self.0.flush().await;
    }

    pub(crate) async fn post(&mut self, path: &str, body: &str) -> Option<Response> {
        self.write(request(path, body).as_bytes()).await;
        self.response().await
    }

    /// The next response; `None` if the connection ends before a whole one.
    pub(crate) async fn response(&mut self) -> Option<Response> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length = header("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.ok()?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        let closes = header("connection:") == Some("close");
        Some(Response { status, closes, body: String::from_utf8(body).unwrap() })
    }

    /// Waits until the server has closed; asserts that it does in time.
    pub(crate) async fn closed(&mut self) {
        let mut rest = [0; 1024];
        let closing = async { while matches!(self.0.read(&mut rest).await, Ok(1..)) {} };
        soon("the server closes", closing).await;
    }
}

pub(crate) fn request(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(40), future).await {
        Ok(value) => value,
        Err(elapsed) => panic!("waited in vain ({elapsed}): {what}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_get_their_own_answers() {
    let server = Arc::new(start(parts(Config::default())).await);
    let clients: Vec<_> = (0..64)
        .map(|number| {
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                let mut client = server.connect().await;
                for round in 0..5 {
                    let image = if (number + round) % 2 == 0 { "web:latest" } else { "web:1" };
                    let uid = format!("u-{number}-{round}");
                    let response =
                        client.post("/validate/fail?timeout=20s", &review(&uid, &pod(image))).await.unwrap();
                    assert!(response.body.contains(&format!("\"uid\":\"{uid}\"")), "{}", response.body);
                    assert_eq!(response.allowed(), Some(image == "web:1"), "{}", response.body);
                    assert!(!response.closes);
                }
            })
        })
        .collect();
    for client in clients {
        soon("a client", client).await.unwrap();
    }
    eventually("all connections are gone", async || server.metric("wayguard_connections").await == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_escaped_mebibytes_over_tls_are_judged() {
    let server =
        start(parts(Config { evaluation_limit: Duration::from_secs(30), ..Config::default() })).await;
    let argument = format!("\"web:latest\",\"args\":[\"{}\"]", "\\u003c".repeat((16 << 20) / 6));
    let object = pod("web:latest").replace("\"web:latest\"", &argument);
    let mut client = server.connect().await;
    let response =
        soon("the verdict", client.post("/validate/fail?timeout=30s", &review("u", &object))).await.unwrap();
    assert_eq!(response.allowed(), Some(false));
    assert!(response.body.contains("spec.containers[web].image"), "{:.500}", response.body);
    assert_eq!(client.post("/validate/fail", &review("u", &pod("a:1"))).await.unwrap().allowed(), Some(true));
}

#[tokio::test]
async fn slow_heads_are_dropped_and_others_served() {
    let server =
        start(parts(Config { header_timeout: Duration::from_millis(100), ..Config::default() })).await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut client = server.connect().await;
        client.write(b"POST /validate/fail HTTP/1.1\r\nHost: local").await;
        slow.push(client);
    }
    let mut sound = server.connect().await;
    assert_eq!(sound.post("/validate/fail", &review("u", &pod("a:1"))).await.unwrap().allowed(), Some(true));
    for mut client in slow {
        client.closed().await;
    }
    // Unused for longer than a head may take, which is no fault.
    assert_eq!(sound.post("/validate/fail", &review("u", &pod("a:1"))).await.unwrap().allowed(), Some(true));
}

#[tokio::test]
async fn a_slow_body_gets_an_explicit_answer() {
    let server = start(parts(Config { body_timeout: Duration::from_millis(100), ..Config::default() })).await;
    let whole = request("/validate/fail", &review("u-slow", &pod("a:1")));
    let mut client = server.connect().await;
    client.write(&whole.as_bytes()[..whole.len() - 10]).await;
    let response = soon("an answer", client.response()).await.unwrap();
    assert_eq!(response.status, 200);
    assert!(
        response.body.contains("\"uid\":\"u-slow\"") && response.body.contains("504"),
        "{}",
        response.body
    );
    client.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_body_is_answered_and_cut_off() {
    let server = start(parts(Config { body_limit: 1 << 20, ..Config::default() })).await;
    let (mut reading, mut writing) = {
        let client = server.connect().await;
        let (reading, writing) = tokio::io::split(client.0);
        (reading, writing)
    };
    let head = review("u-endless", "\"");
    let start = &head[..head.len() - 40];
    let request = format!(
        "POST /validate/fail HTTP/1.1\r\nHost: l\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{start}\r\n",
        start.len()
    );
    let pouring = tokio::spawn(async move {
        let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, "x".repeat(1 << 16));
        if writing.write_all(request.as_bytes()).await.is_err() {
            return;
        }
        while writing.write_all(chunk.as_bytes()).await.is_ok() {}
    });
    let mut answer = vec![0; 4096];
    let length = soon("an answer", reading.read(&mut answer)).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("\"uid\":\"u-endless\"") && answer.contains("\"code\":413"), "{answer}");
    soon("the connection is cut", pouring).await.unwrap();
}

#[tokio::test]
async fn a_large_body_that_is_refused_leaves_the_connection_in_use() {
    let server = start(parts(Config { body_limit: 1 << 20, ..Config::default() })).await;
    let mut client = server.connect().await;
    let large = review("u-large", &format!("\"{}\"", "x".repeat(3 << 20)));
    let response = soon("an answer", client.post("/validate/ignore", &large)).await.unwrap();
    assert_eq!(response.allowed(), Some(true), "{}", response.body);
    let response = soon("another", client.post("/validate/fail", &review("u", &pod("a:1")))).await.unwrap();
    assert_eq!(response.allowed(), Some(true), "{}", response.body);
}

#[tokio::test]
async fn only_http_1_is_spoken() {
    let server = start(parts(Config::default())).await;
    let mut client = server.connect().await;
    client.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    client.closed().await;

    let mut h2 = (*server.client).clone();
    h2.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(server.admission).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let refused = TlsConnector::from(Arc::new(h2)).connect(name, stream).await;
    let error = refused.expect_err("no common protocol").to_string();
    assert!(error.contains("NoApplicationProtocol"), "{error}");

    let mut plain = Client(TcpStream::connect(server.admission).await.unwrap());
    plain.write(request("/validate/fail", "{}").as_bytes()).await;
    plain.closed().await;
    eventually("failures are counted", async || {
        server.metric("wayguard_tls_handshake_failures_total").await == 2
    })
    .await;
}

#[tokio::test]
async fn a_handshake_has_an_end() {
    let server =
        start(parts(Config { handshake_timeout: Duration::from_millis(50), ..Config::default() })).await;
    let mut silent = Client(TcpStream::connect(server.admission).await.unwrap());
    silent.closed().await;
}

#[tokio::test]
async fn idle_connections_make_room() {
    let server = start(parts(Config { max_connections: 4, ..Config::default() })).await;
    let mut useful = server.connect().await;
    useful.post("/validate/fail", &review("u", &pod("a:1"))).await.unwrap();
    let mut idle = Vec::new();
    for _ in 0..12 {
        idle.push(server.try_connect().await);
    }
    assert_eq!(useful.post("/validate/fail", &review("u", &pod("a:1"))).await.unwrap().allowed(), Some(true));
    let mut fresh = server.connect().await;
    assert_eq!(fresh.post("/validate/fail", &review("u", &pod("a:1"))).await.unwrap().allowed(), Some(true));
    assert!(server.metric("wayguard_connections").await <= 4);
    assert!(server.metric("wayguard_connections_evicted_total").await >= 9);
}

#[tokio::test]
async fn old_and_unused_connections_are_closed() {
    let age = Duration::from_millis(200);
    let server = start(parts(Config { max_connection_age: age, ..Config::default() })).await;
    let mut unused = server.connect().await;
    let mut client = server.connect().await;
    let started = Instant::now();
    loop {
        let Some(response) = client.post("/validate/fail", &review("u", &pod("a:1"))).await else {
            break;
        };
        if response.closes {
            client.closed().await;
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "an old connection must close");
    }
    assert!(started.elapsed() + Duration::from_millis(50) >= age, "not before its time");
    unused.closed().await;

    let server = start(parts(Config { idle_timeout: Duration::from_millis(50), ..Config::default() })).await;
    let mut idle = server.connect().await;
    idle.post("/validate/fail", &review("u", &pod("a:1"))).await.unwrap();
    idle.closed().await;
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_place_in_the_queue_along() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let judged = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&judged);
    let config = Config { workers: std::num::NonZeroUsize::MIN, ..Config::default() };
    let server = start(judged_by(parts(config), move |request, _, _| {
        seen.lock().unwrap().push(request.uid.to_owned());
        if request.uid == "held" {
            let _ = held.lock().unwrap().recv();
        }
        decided(Verdict::Allow, "")
    }))
    .await;
    let mut first = server.connect().await;
    first.write(request("/validate/fail", &review("held", &pod("a:1"))).as_bytes()).await;
    eventually("the worker is busy", async || !judged.lock().unwrap().is_empty()).await;
    let mut gone = server.connect().await;
    gone.write(request("/validate/fail", &review("gone", &pod("a:1"))).as_bytes()).await;
    eventually("it waits", async || server.metric("wayguard_admission_in_flight_requests").await == 2).await;
    drop(gone);
    eventually("it is given up", async || server.metric("wayguard_admission_in_flight_requests").await == 1)
        .await;
    drop(release);
    assert_eq!(soon("the first", first.response()).await.unwrap().allowed(), Some(true));
    assert_eq!(
        first.post("/validate/fail", &review("next", &pod("a:1"))).await.unwrap().allowed(),
        Some(true)
    );
    assert_eq!(*judged.lock().unwrap(), ["held", "next"]);
}
