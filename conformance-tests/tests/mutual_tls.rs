//! Only the API server is answered: a real one that shows its certificate (by its `--admission-control-config-file`), and
//! a thousand strangers, none of whom gets a word.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use wayguard_conformance_tests::{control_plane, eventually, output, policy, wayguard};
use wayguard_sandbox::{Binaries, Lifetime, Options, Sandbox};

/// How many strangers knock.
const STRANGERS: usize = 1000;

/// Signs clients.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "a CA of clients");
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn sign(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Identity { certificate, key: key.serialize_pem() }
    }
}

/// `wayguard serve` beside the cluster, stopped when dropped.
struct Server {
    child: Child,
    address: SocketAddr,
    ca: String,
}

impl Server {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let rules = r#"deny contains "not this one" if input.review.object.data.admit == "no""#;
        let policies = folder.join("policies.yaml");
        std::fs::write(&policies, policy("refused", "", "configmaps", "CREATE", rules)).unwrap();
        let ca = folder.join("server-ca.pem");
        let mut child = Command::new(wayguard())
            .args(["serve", "--listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0", "--ca-file"])
            .arg(&ca)
            .arg("--policies")
            .arg(&policies)
            .args(arguments)
            .current_dir(folder)
            .env("NO_COLOR", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| {
            line.split_once("serving admission=")?.1.split_whitespace().next()?.parse().ok()
        });
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address: address.expect("it says where it listens"),
            ca: std::fs::read_to_string(ca).unwrap(),
        }
    }

    /// The status line and all that follows of one request by this client; what came in its way otherwise.
    fn knock(&self, as_whom: Option<&Identity>) -> std::io::Result<String> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.ca.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots);
        let config = match as_whom {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
                config.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let connection =
            ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut stream = StreamOwned::new(connection, stream);
        let body = review().to_string();
        let head = "POST /validate/fail HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json";
        write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
        let mut answer = Vec::new();
        // A server that closes without a word of parting has said all that it had to say.
        match stream.read_to_end(&mut answer) {
            Err(error) if answer.is_empty() => return Err(error),
            _ => {}
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn review() -> Value {
    let (kind, resource) = (
        json!({"group": "", "version": "v1", "kind": "ConfigMap"}),
        json!({"group": "", "version": "v1", "resource": "configmaps"}),
    );
    json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "by-a-stranger", "kind": kind, "resource": resource, "namespace": "default", "operation": "CREATE",
        "userInfo": {"username": "system:apiserver"},
        "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}, "data": {"admit": "no"}}}})
}

#[test]
fn strangers_get_no_word_and_the_api_server_its_verdicts() {
    let Some(binaries) = control_plane() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (ours, foreign) = (Authority::new(), Authority::new());
    let api_server = ours.sign("kube-apiserver");
    let ca = folder.path().join("clients.pem");
    std::fs::write(&ca, &ours.pem).unwrap();
    let server = Server::start(folder.path(), &["--client-ca", ca.to_str().unwrap()]);

    let strangers = [None, Some(foreign.sign("kube-apiserver")), Some(ours.sign("system:node:node-1"))];
    for number in 0..STRANGERS {
        let stranger = strangers.get(number % strangers.len()).and_then(Option::as_ref);
        let answer = server.knock(stranger);
        assert!(answer.as_ref().map_or(true, String::is_empty), "stranger {number} was answered: {answer:?}");
    }
    let answer = server.knock(Some(&api_server)).unwrap();
    assert!(answer.contains("not this one"), "{answer}");

    let sandbox = shown_by_a_real_api_server(folder.path(), &binaries, &api_server);
    let registration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "wayguard"},
        "webhooks": [{
            "name": "validate-fail.wayguard.io", "sideEffects": "None", "failurePolicy": "Fail",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {
                "url": format!("https://localhost:{}/validate/fail", server.address.port()),
                "caBundle": output(Command::new("base64").arg("-w0"), &server.ca).accepted(),
            },
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}},
        }],
    });
    let apply =
        |object: Value| output(sandbox.kubectl().args(["apply", "-f", "-"]), &format!("---\n{object}"));
    apply(registration).accepted();
    let map = |name: &str, admit: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": {"admit": admit}});
    eventually("the registration is heard of", || apply(map("probe", "no")).err.contains("not this one"));
    apply(map("admitted", "yes")).accepted();

    // The CA is followed: those of another one are let in once the file names it, and those of the first no longer.
    std::fs::write(&ca, &foreign.pem).unwrap();
    let other = foreign.sign("kube-apiserver");
    eventually("the other CA signs clients", || {
        server.knock(Some(&other)).is_ok_and(|answer| answer.contains("not this one"))
    });
    let answer = server.knock(Some(&api_server));
    assert!(answer.as_ref().map_or(true, String::is_empty), "{answer:?}");
}

/// A control plane whose API server shows this certificate to webhooks.
fn shown_by_a_real_api_server(folder: &Path, binaries: &Binaries, identity: &Identity) -> Sandbox {
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let certificate = write("webhooks.crt", identity.certificate.clone());
    let key = write("webhooks.key", identity.key.clone());
    let user = json!({"client-certificate": certificate, "client-key": key});
    let kubeconfig =
        json!({"apiVersion": "v1", "kind": "Config", "users": [{"name": "*", "user": user}]}).to_string();
    let kubeconfig = write("webhooks.kubeconfig", kubeconfig);
    let plugin = |name: &str| {
        json!({"name": name, "configuration": {
            "apiVersion": "apiserver.config.k8s.io/v1", "kind": "WebhookAdmissionConfiguration", "kubeConfigFile": kubeconfig,
        }})
    };
    let plugins = [plugin("MutatingAdmissionWebhook"), plugin("ValidatingAdmissionWebhook")];
    let configuration = json!({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": plugins});
    let configuration = write("admission.yaml", configuration.to_string());
    let mut options = Options::new(folder.join("state"));
    options.lifetime = Lifetime::Foreground;
    options.controllers = false;
    options.api_server_args = vec![format!("--admission-control-config-file={configuration}")];
    Sandbox::start(&options, binaries, &mut |_| {}).unwrap()
}
