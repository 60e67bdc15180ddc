//! A provider of Gatekeeper's beside a real API server: its answers decide, the template says what happens without it,
//! and nobody waits longer than the API server does.

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};
use wayguard_conformance_tests::{Sandbox, eventually, here};

/// How a provider behaves.
const ANSWERING: u8 = 0;
/// It takes requests and says nothing.
const SILENT: u8 = 1;
/// It closes every connection.
const AWAY: u8 = 2;

/// A provider for which images of `good…` are signed.
struct Provider {
    port: u16,
    bundle: String,
    behaviour: Arc<AtomicU8>,
}

impl Provider {
    fn start() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let own = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&own, &issuer).unwrap();
        let config = server_config(certificate.der().clone(), own.serialize_der());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let behaviour = Arc::new(AtomicU8::new(ANSWERING));
        let shared = Arc::clone(&behaviour);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, behaviour) = (Arc::clone(&config), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, config, &behaviour));
            }
        });
        let bundle = base64::engine::general_purpose::STANDARD.encode(authority.pem());
        Self { port, bundle, behaviour }
    }

    fn object(&self) -> Value {
        json!({
            "apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "Provider", "metadata": {"name": "signatures"},
            "spec": {"url": format!("https://localhost:{}/validate", self.port), "timeout": 30, "caBundle": self.bundle},
        })
    }

    fn is(&self, behaviour: u8) {
        self.behaviour.store(behaviour, Ordering::Relaxed);
    }
}

fn server_config(certificate: CertificateDer<'static>, key: Vec<u8>) -> Arc<rustls::ServerConfig> {
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(crypto)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::try_from(key).unwrap())
        .unwrap();
    Arc::new(config)
}

/// Answers the requests of one connection; a broken one is its client's business.
fn serve(stream: TcpStream, config: Arc<rustls::ServerConfig>, behaviour: &AtomicU8) {
    let Ok(connection) = rustls::ServerConnection::new(config) else { return };
    let mut stream = rustls::StreamOwned::new(connection, stream);
    loop {
        if behaviour.load(Ordering::Relaxed) == AWAY {
            return;
        }
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_exact(&mut byte).is_err() {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
        match behaviour.load(Ordering::Relaxed) {
            AWAY => return,
            SILENT => {
                // Until the client gives up.
                let _ = stream.read_exact(&mut byte);
                return;
            }
            _ => {}
        }
        let request: Value = serde_json::from_slice(&body).unwrap();
        let keys = request["request"]["keys"].as_array().unwrap();
        let item = |key: &Value| {
            if key.as_str().unwrap().starts_with("good") {
                json!({"key": key, "value": "signed"})
            } else {
                json!({"key": key, "error": "no signature"})
            }
        };
        let items: Vec<Value> = keys.iter().map(item).collect();
        let answer = json!({
            "apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "ProviderResponse",
            "response": {"idempotent": true, "items": items},
        })
        .to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
        if stream.write_all(format!("{head}{answer}").as_bytes()).is_err() {
            return;
        }
    }
}

/// A ConfigMap that lists one image.
fn listed(name: &str, image: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: default, labels: {{images: judged}}}}, data: {{image: '{image}'}}}}"
    )
}

#[test]
fn a_provider_decides_and_is_missed() {
    let provider = Provider::start();
    let sandbox = Sandbox::start(&["--gatekeeper"]);
    sandbox.apply(&provider.object().to_string()).accepted();
    let file =
        |name: &str| std::fs::read_to_string(here().join("gatekeeper/signed-images").join(name)).unwrap();
    sandbox.apply(&file("template.yaml")).accepted();
    eventually("the constraint's kind is there", || sandbox.apply(&file("constraint.yaml")).fine);
    eventually("unsigned images are refused", || {
        let said = sandbox.kubectl(&["apply", "--dry-run=server", "-f", "-"], &listed("bad", "bad:0"));
        !said.fine && said.err.contains("[signed] bad:0: no signature")
    });
    sandbox.apply(&listed("good", "good:1")).accepted();
    let complaint = sandbox.apply(&listed("bad", "bad:1")).refused();
    assert!(complaint.contains("[signed] bad:1: no signature"), "{complaint}");
    assert!(sandbox.metric("wayguard_provider_keys_total")[0] >= 3.0);

    // Nobody is there: what is known stays known, for the rest the template decides.
    provider.is(AWAY);
    sandbox.apply(&listed("good-again", "good:1")).accepted();
    let complaint = sandbox.apply(&listed("later", "good:2")).refused();
    assert!(complaint.contains("[signed] signatures cannot be looked up (500): "), "{complaint}");

    // Who does not answer is not waited for longer than the API server waits for us, though its Provider says 30 s.
    provider.is(SILENT);
    let started = Instant::now();
    let complaint = sandbox.apply(&listed("silent", "good:3")).refused();
    assert!(
        complaint.contains("[signed] signatures cannot be looked up (500): it did not answer within "),
        "{complaint}"
    );
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());

    provider.is(ANSWERING);
    sandbox.apply(&listed("silent", "good:3")).accepted();
    // Keys and values are nobody's business.
    let log = sandbox.server_log();
    assert!(log.contains("a provider has not answered"), "{log}");
    assert!(!log.contains("good:2") && !log.contains("good:3"), "{log}");
}
