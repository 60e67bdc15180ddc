//! `wayguard serve`, as a process on loopback: what the API server would get, hot reload, an orderly end, and
//! the same decision as `check`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code outside test functions"
)]

mod support;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_mins(1);

/// A server that is stopped when the test ends, however it ends.
struct Server {
    child: Child,
    admission: SocketAddr,
    health: SocketAddr,
    logs: Receiver<Value>,
    folder: tempfile::TempDir,
}

impl Server {
    fn start(files: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = support::folder(files);
        let mut command = support::command(folder.path());
        command.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--health-listen",
            "127.0.0.1:0",
            "--ca-file",
            "ca.pem",
        ]);
        command.args(["--log-format", "json", "--reload-interval", "0.1"]).args(arguments);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, logs) = channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|_| json!({"message": line}));
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { child, admission: any, health: any, logs, folder };
        let serving = server.wait_for(|line| line["admission"].is_string());
        let address = |key: &str| serving[key].as_str().unwrap().parse().unwrap();
        (server.admission, server.health) = (address("admission"), address("health"));
        server
    }

    fn wait_for_log(&self, part: &str) -> Value {
        self.wait_for(|line| line["message"].as_str().is_some_and(|message| message.contains(part)))
    }

    fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.logs.recv_timeout(left) else {
                panic!("the log line does not come; there were {seen:#?}");
            };
            if wanted(&line) {
                return line;
            }
            seen.push(line);
        }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Posts a review of an object that is created, and gives the response.
    fn review(&self, path: &str, object: &Value) -> Value {
        let body = review(object).to_string();
        let answer = https(&self.folder.path().join("ca.pem"), self.admission, path, &body);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        let answer: Value = serde_json::from_str(body).unwrap();
        assert_eq!(answer["response"]["uid"], "1-2-3");
        answer["response"].clone()
    }

    fn stop(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn review(object: &Value) -> Value {
    let api_version = object["apiVersion"].as_str().unwrap();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = object["kind"].as_str().unwrap();
    let gvk = json!({"group": group, "version": version, "kind": kind});
    let gvr = json!({"group": group, "version": version, "resource": format!("{}s", kind.to_lowercase())});
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "1-2-3",
            "kind": gvk,
            "resource": gvr,
            "requestKind": gvk,
            "requestResource": gvr,
            "name": object["metadata"]["name"],
            "namespace": object["metadata"]["namespace"],
            "operation": "CREATE",
            "userInfo": {"username": "dev", "groups": ["system:authenticated"]},
            "object": object,
            "oldObject": null,
            "dryRun": false,
            "options": null,
        },
    })
}

fn https(ca: &Path, address: SocketAddr, path: &str, body: &str) -> String {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let connection =
        rustls::ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A server may close without a TLS goodbye; what has come counts.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn http(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn house() -> PathBuf {
    support::fixtures().join("house/policies.yaml")
}

fn pod(image: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "shop"},
        "spec": {"containers": [{"name": "web", "image": image}]},
    })
}

/// Asks until the answer is as it should be.
fn until(server: &Server, object: &Value, allowed: bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let response = server.review("/validate/fail", object);
        if response["allowed"] == allowed {
            return response;
        }
        assert!(Instant::now() < deadline, "still {response}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn it_serves_with_no_cluster_and_ends_in_order() {
    let server = Server::start(&[], &["--policies", house().to_str().unwrap()]);
    assert!(http(server.health, "/readyz").starts_with("HTTP/1.1 200"));
    let denied = server.review("/validate/fail?timeout=5s", &pod("x:latest"));
    assert_eq!(denied["allowed"], false);
    let message = denied["status"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("denied by pinned-images: spec.containers[web].image is `x:latest`"),
        "{message}"
    );
    assert_eq!(server.review("/validate/fail", &pod("x:1"))["allowed"], true);
    let mutated = server.review("/mutate", &pod("x:1"));
    assert_eq!(mutated["patchType"], "JSONPatch");
    assert_eq!(server.stop(), 0);
}

#[test]
fn the_built_in_bundles_are_served_when_nothing_is_said() {
    let server = Server::start(&[], &[]);
    let loaded = server.review("/validate/fail", &pod("x:latest"));
    assert_eq!(loaded["allowed"], false);
    assert!(loaded["status"]["message"].as_str().unwrap().contains("images/latest-tag"), "{loaded}");
}

#[test]
fn policies_are_reloaded_and_a_bad_file_never_replaces_a_good_one() {
    let good = std::fs::read_to_string(house()).unwrap();
    let server = Server::start(&[("rules/house.yaml", &good)], &["--policies", "rules"]);
    assert_eq!(server.review("/validate/fail", &pod("x:latest"))["allowed"], false);

    server.write(
        "rules/house.yaml",
        &good.replace("endswith(container.image, \":latest\")", "endswith(container.image, \":old\")"),
    );
    until(&server, &pod("x:latest"), true);
    assert_eq!(server.review("/validate/fail", &pod("x:old"))["allowed"], false);

    server.write("rules/house.yaml", "apiVersion: [\n");
    server.wait_for_log("policies cannot be read, those in service stay");
    assert_eq!(server.review("/validate/fail", &pod("x:old"))["allowed"], false);

    server.write(
        "rules/house.yaml",
        &good.replace("endswith(container.image, \":latest\")", "nosuch(container.image)"),
    );
    let log = server.wait_for_log("a policy cannot be loaded, what was in service before stays");
    assert!(log["message"].as_str().unwrap().contains("undefined function nosuch"), "{log}");
    assert_eq!(server.review("/validate/fail", &pod("x:old"))["allowed"], false);

    server.write("rules/house.yaml", &good);
    until(&server, &pod("x:latest"), false);
    until(&server, &pod("x:old"), true);
}

#[test]
fn what_cannot_start_says_why() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = support::folder(&[("bad.yaml", "a: [\n"), ("other.yaml", "a: 1\n")]);
    let run = |arguments: &[&str]| {
        support::wayguard_in(folder.path(), &[&["serve", "--ca-file", "ca.pem"], arguments].concat())
    };
    let ran = run(&["--listen", &address, "--health-listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains(&format!("error: cannot listen on `{address}`: ")), "{}", ran.stderr);
    let ran = run(&["--policies", "bad.yaml"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("error: bad.yaml:2:1: not valid YAML"), "{}", ran.stderr);
    let ran = run(&["--policies", "other.yaml"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("`other.yaml` holds no Policy, Bundle or PolicyException"), "{}", ran.stderr);
    assert_eq!(run(&["--listen", "nowhere"]).code, 3);
}

/// Objects that meet many policies in many ways: every combination of a few fields.
fn objects() -> Vec<Value> {
    let mut objects = Vec::new();
    for image in ["registry.example/a:1.0", "registry.example/a:latest", "a"] {
        for security in [json!(null), json!({"privileged": true}), json!({"allowPrivilegeEscalation": false})]
        {
            for resources in
                [json!(null), json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}})]
            {
                for workload in [false, true] {
                    let mut container = json!({"name": "c", "image": image});
                    if !security.is_null() {
                        container["securityContext"] = security.clone();
                    }
                    if !resources.is_null() {
                        container["resources"] = resources.clone();
                    }
                    let name = format!("o{}", objects.len());
                    let labels =
                        json!({"team": "a", "environment": "development", "managed-by": "x", "app": name});
                    let spec = json!({"containers": [container], "hostNetwork": objects.len() % 5 == 0});
                    let metadata = json!({"name": name, "namespace": "shop", "labels": labels});
                    objects.push(if workload {
                        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {
                            "replicas": 2,
                            "selector": {"matchLabels": {"app": name}},
                            "template": {"metadata": {"labels": labels}, "spec": spec},
                        }})
                    } else {
                        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
                    });
                }
            }
        }
    }
    objects
}

fn applied(object: &Value, response: &Value) -> Value {
    let Some(patch) = response["patch"].as_str() else { return object.clone() };
    let patch: Value = serde_json::from_slice(&from_base64(patch)).unwrap();
    let mut object = object.clone();
    for operation in patch.as_array().unwrap() {
        let (parent, key) = operation["path"].as_str().unwrap().rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        let parent = object.pointer_mut(parent).unwrap();
        parent[key.as_str()] = operation["value"].clone();
    }
    object
}

fn from_base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        bits = (bits << 6) | u32::try_from(alphabet.iter().position(|it| *it == byte).unwrap()).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    bytes
}

/// A denial without what differs from request to request.
fn findings(message: &str) -> String {
    message.split(" (decision ").next().unwrap_or_default().to_owned()
}

#[test]
fn check_and_the_server_decide_alike() {
    let objects = objects();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
    let server = Server::start(&[("list.json", &list)], &[]);
    // What a server without a cluster knows of a namespace.
    let namespace = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"kubernetes.io/metadata.name":"shop"}}}"#;
    std::fs::create_dir(server.folder.path().join("context")).unwrap();
    server.write("context/shop.json", namespace);
    let arguments = ["check", "list.json", "--context", "context", "--format", "json", "--user", "dev"];
    let report = support::wayguard_in(server.folder.path(), &arguments).json();
    let results = report["results"].as_array().unwrap();
    assert_eq!(results.len(), objects.len());
    let mut denied = 0;
    for (object, result) in objects.iter().zip(results) {
        let mutated = applied(object, &server.review("/mutate", object));
        let responses =
            [server.review("/validate/fail", &mutated), server.review("/validate/ignore", &mutated)];
        let allowed = responses.iter().all(|response| response["allowed"] == true);
        let verdict = result["verdict"].as_str().unwrap();
        assert_eq!(allowed, matches!(verdict, "allow" | "warn"), "{object:#}\n{responses:#?}\n{result:#}");
        if !allowed {
            denied += 1;
            let refusals: Vec<_> = responses.iter().filter(|response| response["allowed"] == false).collect();
            let message = findings(refusals[0]["status"]["message"].as_str().unwrap());
            assert_eq!(message, findings(result["message"].as_str().unwrap()), "{object:#}");
        }
    }
    assert!(
        denied > 0 && denied < objects.len(),
        "{denied} of {} denied: the objects prove too little",
        objects.len()
    );
}
