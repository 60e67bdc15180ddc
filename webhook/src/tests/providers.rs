//! Providers on loopback, with TLS: what templates see of each way to answer, and what is asked how often.

use super::fixture::{eventually, library, parts, pod, review, rig_of};
use crate::{Config, Parts, Path, PolicySource, ProviderOptions};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use wayguard_engine::gatekeeper::Given;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::{PolicySet, PolicySetBuilder};

/// An authority and whom it signs for.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn sign(
        &self,
        purpose: ExtendedKeyUsagePurpose,
    ) -> (Vec<rustls::pki_types::CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.extended_key_usages.push(purpose);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    fn roots(&self) -> rustls::RootCertStore {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        roots
    }

    fn bundle(&self) -> String {
        use std::fmt::Write as _;
        // The one place that needs base64 here; the certificate itself is PEM already.
        let pem = self.certificate.pem();
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in pem.as_bytes().chunks(3) {
            let group =
                chunk.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            for position in 0..4 {
                let letter = char::from(alphabet[(group >> (18 - 6 * position)) as usize & 63]);
                write!(text, "{}", if position <= chunk.len() { letter } else { '=' }).unwrap();
            }
        }
        text
    }
}

/// What a provider answers to keys: a whole HTTP response.
type Behaviour = Arc<dyn Fn(&[String]) -> String + Send + Sync>;

/// A running provider.
struct FakeProvider {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Vec<String>>>>,
    serving: tokio::task::JoinHandle<()>,
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn said(items: Value) -> String {
    let response = json!({"idempotent": true, "items": items});
    let body = json!({"apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "ProviderResponse", "response": response});
    http("200 OK", &body.to_string())
}

/// Images of `good…` are signed, others are not.
fn signatures() -> Behaviour {
    Arc::new(|keys| {
        let item = |key: &String| {
            if key.starts_with("good") {
                json!({"key": key, "value": "signed"})
            } else {
                json!({"key": key, "error": "no signature"})
            }
        };
        said(keys.iter().map(item).collect())
    })
}

impl FakeProvider {
    async fn start(authority: &Authority, clients: Option<&Authority>, behaviour: Behaviour) -> Self {
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&crypto))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(clients) => config.with_client_cert_verifier(
                rustls::server::WebPkiClientVerifier::builder_with_provider(
                    Arc::new(clients.roots()),
                    crypto,
                )
                .build()
                .unwrap(),
            ),
        };
        let (chain, key) = authority.sign(ExtendedKeyUsagePurpose::ServerAuth);
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()));
        let socket = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<Vec<String>>>>::default();
        let log = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            // Connections end with the provider.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = socket.accept().await {
                let (acceptor, behaviour, log) = (acceptor.clone(), Arc::clone(&behaviour), Arc::clone(&log));
                connections.spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    while let Some(keys) = read(&mut stream).await {
                        log.lock().unwrap().push(keys.clone());
                        let response = behaviour(&keys);
                        if response.is_empty() {
                            std::future::pending::<()>().await;
                        }
                        if stream.write_all(response.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, asked, serving }
    }

    fn asked(&self) -> Vec<Vec<String>> {
        self.asked.lock().unwrap().clone()
    }
}

/// The keys of the next request of a connection.
async fn read(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<Vec<String>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post /validate http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/json\r\n"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap();
    let mut body = vec![0; length.trim().parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    let request: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(request["apiVersion"], "externaldata.gatekeeper.sh/v1beta1");
    assert_eq!(request["kind"], "ProviderRequest");
    Some(serde_json::from_value(request["request"]["keys"].clone()).unwrap())
}

/// Denies images for which the provider has an error, and says what is wrong with the provider.
const BY_IMAGE: &str = r#"package byimage
violation[{"msg": msg}] {
  images := [image | image := input.review.object.spec.containers[_].image]
  response := external_data({"provider": "signatures", "keys": images})
  msg := reasons(response)[_]
}
reasons(response) = {reason | [key, error] := response.errors[_]; reason := sprintf("%v: %v", [key, error])} {
  response.system_error == ""
}
reasons(response) = {reason} {
  response.system_error != ""
  reason := sprintf("%v: %v", [response.status_code, response.system_error])
}"#;

fn set_of(address: SocketAddr, bundle: &str, timeout: u32, templates: &[(&str, &str)]) -> Arc<PolicySet> {
    let mut builder = PolicySetBuilder::new(library(), SetConfig::default());
    let mut add = |object: Value| builder.gatekeeper(Given { object, from: "test".into(), place: None });
    add(json!({
        "apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "Provider", "metadata": {"name": "signatures"},
        "spec": {"url": format!("https://localhost:{}/validate", address.port()), "timeout": timeout, "caBundle": bundle},
    }));
    for (kind, rego) in templates {
        add(json!({
            "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate",
            "metadata": {"name": kind.to_lowercase()},
            "spec": {
                "crd": {"spec": {"names": {"kind": kind}}},
                "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": rego}],
            },
        }));
        add(json!({
            "apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": kind.to_lowercase()},
            "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}},
        }));
    }
    let set = builder.build();
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    Arc::new(set)
}

fn parts_of(set: Arc<PolicySet>, providers: ProviderOptions) -> Parts {
    let policies = Arc::new(PolicySource::new());
    policies.replace(set);
    Parts { policies, providers, ..parts(Config::default()) }
}

/// Why a Pod with this image is denied by what the provider says; empty: it is not.
async fn reason(rig: &super::fixture::Rig, image: &str) -> String {
    let response = rig.post(Path::Fail, review("u", &pod(image))).await.review("u");
    if response["allowed"] == true {
        return String::new();
    }
    let message = response["status"]["message"].as_str().unwrap();
    message.split(" (decision ").next().unwrap().to_owned()
}

/// The reason of a denial where the provider behaves so.
async fn reason_with(behaviour: impl Fn(&[String]) -> String + Send + Sync + 'static) -> String {
    let authority = Authority::new();
    let provider = FakeProvider::start(&authority, None, Arc::new(behaviour)).await;
    let set = set_of(provider.address, &authority.bundle(), 1, &[("ByImage", BY_IMAGE)]);
    let rig = rig_of(parts_of(set, ProviderOptions::default()));
    reason(&rig, "good:1").await
}

#[tokio::test]
async fn the_answer_decides_and_is_remembered() {
    let authority = Authority::new();
    let provider = FakeProvider::start(&authority, None, signatures()).await;
    let set = set_of(provider.address, &authority.bundle(), 1, &[("ByImage", BY_IMAGE)]);
    let rig = rig_of(parts_of(Arc::clone(&set), ProviderOptions::default()));
    for _ in 0..2 {
        assert_eq!(reason(&rig, "good:1").await, "");
        assert_eq!(reason(&rig, "bad:1").await, "[byimage] bad:1: no signature");
    }
    assert_eq!(provider.asked(), [["good:1"], ["bad:1"]], "the second time the cache knew");
    let keys =
        |source: &str| format!(r#"wayguard_provider_keys_total{{provider="signatures",source="{source}"}}"#);
    assert_eq!(rig.metric(&keys("provider")).await, Some(2));
    assert_eq!(rig.metric(&keys("cache")).await, Some(2));
    let count =
        r#"wayguard_provider_request_duration_seconds_count{provider="signatures",outcome="answered"}"#;
    assert_eq!(rig.metric(count).await, Some(2));

    // Without a cache each request asks; a provider of another address is another provider.
    let rig =
        rig_of(parts_of(set, ProviderOptions { cache_ttl: Duration::ZERO, ..ProviderOptions::default() }));
    assert_eq!((reason(&rig, "good:1").await, reason(&rig, "good:1").await), (String::new(), String::new()));
    assert_eq!(provider.asked().len(), 4);
}

#[tokio::test]
async fn what_a_provider_does_wrong_is_its_system_error() {
    for (answer, words) in [
        (http("200 OK", "<html>"), "500: the provider's answer is no JSON (line 1, column 1)"),
        (
            http("503 Unavailable", "away"),
            "500: the provider's answer is no JSON (line 1, column 1); its status is 503",
        ),
        (
            http("200 OK", r#"{"response":{"items":7}}"#),
            "500: the provider's answer is not as a ProviderResponse is (line 1, column 22)",
        ),
        (
            "HTTP/1.1 307 Elsewhere\r\nlocation: https://localhost/\r\ncontent-length: 0\r\n\r\n".to_owned(),
            "500: it answers with a redirect (307), which is not followed",
        ),
        (
            http("200 OK", &format!(r#"{{"response":{{"systemError":"{}"}}}}"#, "x".repeat(1 << 20))),
            "500: its answer is larger than 1024 KiB",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n100000\r\n".to_owned()
                + &" ".repeat(1 << 20)
                + "\r\n1\r\n \r\n0\r\n\r\n",
            "500: its answer is larger than 1024 KiB",
        ),
        (http("418 Teapot", r#"{"response":{"systemError":"short and stout"}}"#), "418: short and stout"),
        (String::new(), "500: it did not answer within "),
    ] {
        let found = reason_with(move |_| answer.clone()).await;
        let found = found.strip_prefix("[byimage] ").unwrap_or(&found);
        assert!(found.starts_with(words), "{found}");
    }
}

#[tokio::test]
async fn only_its_own_authority_vouches_for_a_provider() {
    let (authority, other) = (Authority::new(), Authority::new());
    let provider = FakeProvider::start(&authority, None, signatures()).await;
    let set = set_of(provider.address, &other.bundle(), 1, &[("ByImage", BY_IMAGE)]);
    let rig = rig_of(parts_of(set, ProviderOptions::default()));
    let found = reason(&rig, "good:1").await;
    assert!(found.starts_with("[byimage] 500: ") && found.contains("invalid peer certificate"), "{found}");
    assert!(provider.asked().is_empty(), "keys must not reach it");
}

#[tokio::test]
async fn a_provider_can_ask_who_we_are() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let provider = FakeProvider::start(&authority, Some(&clients), signatures()).await;
    let set = set_of(provider.address, &authority.bundle(), 1, &[("ByImage", BY_IMAGE)]);
    let rig = rig_of(parts_of(Arc::clone(&set), ProviderOptions::default()));
    let found = reason(&rig, "good:1").await;
    assert!(found.starts_with("[byimage] 500: "), "{found}");

    let (chain, key) = clients.sign(ExtendedKeyUsagePurpose::ClientAuth);
    let crypto = rustls::crypto::aws_lc_rs::default_provider();
    let own = rustls::sign::CertifiedKey::from_der(chain, key, &crypto).unwrap();
    let identity: Arc<dyn rustls::client::ResolvesClientCert> =
        Arc::new(rustls::sign::SingleCertAndKey::from(own));
    let options = ProviderOptions { identity: Some(identity), ..ProviderOptions::default() };
    assert_eq!(reason(&rig_of(parts_of(set, options)), "good:1").await, "");
}

#[tokio::test]
async fn who_is_away_or_unknown_is_so_at_once() {
    let authority = Authority::new();
    let provider = FakeProvider::start(&authority, None, signatures()).await;
    let set = set_of(provider.address, &authority.bundle(), 1, &[("ByImage", BY_IMAGE)]);
    let rig = rig_of(parts_of(set, ProviderOptions::default()));
    assert_eq!(reason(&rig, "good:1").await, "");
    provider.serving.abort();
    eventually("nobody listens", async || tokio::net::TcpStream::connect(provider.address).await.is_err())
        .await;
    assert_eq!(reason(&rig, "good:1").await, "", "the cache knows");
    let found = reason(&rig, "good:2").await;
    assert!(found.starts_with("[byimage] 500: ") && found.contains("refused"), "{found}");

    let elsewhere = BY_IMAGE.replace("\"signatures\"", "\"nobody\"");
    let set = set_of(provider.address, &authority.bundle(), 1, &[("ByImage", &elsewhere)]);
    let rig = rig_of(parts_of(set, ProviderOptions::default()));
    assert_eq!(reason(&rig, "good:1").await, "[byimage] 400: there is no Provider `nobody`");
}

#[tokio::test]
async fn the_requests_deadline_stands_above_the_providers_time() {
    let authority = Authority::new();
    let provider = FakeProvider::start(&authority, None, Arc::new(|_| String::new())).await;
    let set = set_of(provider.address, &authority.bundle(), 30, &[("ByImage", BY_IMAGE)]);
    let rig = rig_of(parts_of(set, ProviderOptions::default()));
    let started = Instant::now();
    let request = super::fixture::post("/validate/fail?timeout=1s", review("u", &pod("good:1")));
    let response = rig.send(request).await.review("u");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.starts_with("[byimage] 500: it did not answer within "), "{message}");
}

/// One template asks for images as they are, another for each by itself.
const ONE_BY_ONE: &str = r#"package onebyone
violation[{"msg": msg}] {
  image := ["good:2", input.review.object.spec.containers[_].image][_]
  response := external_data({"provider": "signatures", "keys": [image]})
  msg := sprintf("%v %v", [image, response])
  count(response.errors) + count(response.responses) != 1
}
violation[{"msg": msg}] {
  image := input.review.object.spec.containers[_].image
  response := external_data({"provider": "signatures", "keys": [image]})
  msg := sprintf("one by one: %v", [response.errors[_][1]])
}"#;

#[tokio::test]
async fn the_calls_of_all_constraints_are_one_request() {
    let authority = Authority::new();
    let provider = FakeProvider::start(&authority, None, signatures()).await;
    let templates = [("ByImage", BY_IMAGE), ("OneByOne", ONE_BY_ONE)];
    let set = set_of(provider.address, &authority.bundle(), 1, &templates);
    let rig = rig_of(parts_of(set, ProviderOptions::default()));
    let found = reason(&rig, "bad:1").await;
    assert_eq!(found, "[byimage] bad:1: no signature\n[onebyone] one by one: no signature");
    assert_eq!(provider.asked(), [["bad:1", "good:2"]]);
}

#[tokio::test]
async fn an_answer_that_cannot_be_taken_apart_is_asked_for_each_call() {
    let authority = Authority::new();
    let renaming: Behaviour = Arc::new(|keys| {
        said(keys.iter().map(|key| json!({"key": format!("docker.io/{key}"), "value": "signed"})).collect())
    });
    let provider = FakeProvider::start(&authority, None, renaming).await;
    let templates = [("ByImage", BY_IMAGE), ("OneByOne", ONE_BY_ONE)];
    let set = set_of(provider.address, &authority.bundle(), 1, &templates);
    let rig = rig_of(parts_of(set, ProviderOptions::default()));
    assert_eq!(reason(&rig, "good:1").await, "");
    let mut asked = provider.asked();
    assert_eq!(asked.remove(0), ["good:1", "good:2"]);
    asked.sort();
    // The two calls for `good:1` alone are one.
    assert_eq!(asked, [["good:1"], ["good:2"]]);
}
