//! A real API server with the accounts of an installation, and a replica as `control` sees it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "each test binary uses a part of this, and says by a panic, or in its output, what is wrong"
)]

use serde_json::Value;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wayguard_certs::ServingCertificate;
use wayguard_cluster::policies::LoadReport;
use wayguard_cluster::{Client, Connection, PolicyWatch, connect};
use wayguard_sandbox::{Binaries, BinariesError, CompileError, Lifetime, Options, Sandbox, Search, User};

pub(crate) const OWN: &str = "wayguard-system";
pub(crate) const SERVE: &str = "system:serviceaccount:wayguard-system:wayguard-serve";
pub(crate) const CONTROL: &str = "system:serviceaccount:wayguard-system:wayguard-control";

/// A started control plane with an installation in it; `None` if there is nothing to start.
pub(crate) struct Cluster {
    pub(crate) sandbox: Sandbox,
    _folder: tempfile::TempDir,
}

impl Cluster {
    pub(crate) fn start() -> Option<Self> {
        let binaries = match Binaries::find_or_build(&Search::from_env(), &mut |_| {}) {
            Ok(binaries) => binaries,
            Err(error @ BinariesError::Compile(CompileError::NoGo)) if std::env::var_os("CI").is_none() => {
                println!("skipped: {error}");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path().join("state"));
        options.lifetime = Lifetime::Foreground;
        let groups = ["system:serviceaccounts", "system:serviceaccounts:wayguard-system"];
        options.users = [SERVE, CONTROL].map(|name| User::new(name, groups)).to_vec();
        let sandbox = Sandbox::start(&options, &binaries, &mut |_| {}).unwrap();
        Some(Self { sandbox, _folder: folder })
    }

    pub(crate) async fn client(&self, user: Option<&str>) -> Client {
        let path = match user {
            Some(user) => self.sandbox.kubeconfig_of(user).unwrap(),
            None => self.sandbox.kubeconfig(),
        };
        connect(&Connection::Kubeconfig { path: Some(path), context: None }).await.unwrap()
    }

    /// Runs kubectl with this input; its output, or what it complained of.
    pub(crate) fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = self.sandbox.kubectl();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    pub(crate) fn get(&self, what: &[&str]) -> Option<Value> {
        let text = self.kubectl(&[&["get", "-o", "json"], what].concat(), "").ok()?;
        serde_json::from_str(&text).ok()
    }

    pub(crate) fn apply(&self, object: &Value) -> Result<String, String> {
        self.kubectl(&["apply", "-f", "-"], &object.to_string())
    }
}

/// Asks until it holds, off the threads that must go on meanwhile.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_mins(1);
    while !tokio::task::block_in_place(&mut holds) {
        assert!(Instant::now() < limit, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A replica as `control` sees it: it answers with what the server's own watch has loaded.
pub(crate) async fn replica(watch: Arc<PolicyWatch>, serving: Arc<ServingCertificate>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let authority = serving.current().and_then(|leaf| leaf.authority()).map(|it| it.to_string());
            let report =
                watch.loaded().map(|loaded| LoadReport::new(&loaded, Vec::new(), authority).to_json());
            let (status, body) = report.map_or(("503 Not Ready", Vec::new()), |body| ("200 OK", body));
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.into_bytes(), body].concat()).await;
        }
    });
    address
}
