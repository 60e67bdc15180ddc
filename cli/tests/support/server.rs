//! `wayguard serve` as a process on loopback, asked as the API server asks.

#![allow(clippy::indexing_slicing, reason = "this is test code outside test functions")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A server that is stopped when the test ends, however it ends.
pub(crate) struct Server {
    child: Child,
    pub(crate) admission: SocketAddr,
    pub(crate) health: SocketAddr,
    logs: Receiver<Value>,
    pub(crate) folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start(files: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = super::folder(files);
        let mut command = super::command(folder.path());
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

    pub(crate) fn wait_for_log(&self, part: &str) -> Value {
        self.wait_for(|line| line["message"].as_str().is_some_and(|message| message.contains(part)))
    }

    pub(crate) fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
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

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Posts a review of an object that is created, and gives the response.
    pub(crate) fn review(&self, path: &str, object: &Value) -> Value {
        let body = review(object).to_string();
        let answer = https(&self.folder.path().join("ca.pem"), self.admission, path, &body);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        let answer: Value = serde_json::from_str(body).unwrap();
        assert_eq!(answer["response"]["uid"], "1-2-3");
        answer["response"].clone()
    }

    pub(crate) fn stop(mut self) -> i32 {
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

pub(crate) fn review(object: &Value) -> Value {
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

pub(crate) fn https(ca: &Path, address: SocketAddr, path: &str, body: &str) -> String {
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

pub(crate) fn http(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
