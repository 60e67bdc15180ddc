//! Servers under load: started for one row, stopped after it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Something that answers AdmissionReviews.
pub trait Server: Sync {
    /// `host:port`.
    fn address(&self) -> String;
    /// Where reviews go.
    fn path(&self) -> &str;
    /// The CA to trust, PEM.
    fn ca(&self) -> &[u8];
    /// Resident memory now.
    fn megabytes(&self) -> f64;
    /// What it must say of the review, so that all sides are known to do the work.
    fn denies(&self) -> bool;
}

/// `wayguard serve`, release build.
pub struct Ours {
    child: Child,
    address: String,
    ca: Vec<u8>,
    denies: bool,
    _folder: tempfile::TempDir,
}

impl Ours {
    /// With Gatekeeper's templates and constraints, as they are.
    pub fn with_policies(folder: &Path) -> Self {
        let policies = [folder.join("templates"), folder.join("constraints.json")];
        Self::start(&policies.each_ref().map(|path| path.as_os_str()), true)
    }

    /// The limit: everything but judging, since its one policy concerns none of the objects.
    pub fn without_policies() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("elsewhere.yaml");
        std::fs::write(&path, ELSEWHERE).unwrap();
        Self::start(&[path.as_os_str()], false)
    }

    fn start(policies: &[&std::ffi::OsStr], denies: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca_file = folder.path().join("ca.pem");
        let mut command = Command::new(program());
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--health-listen",
                "127.0.0.1:0",
                "--log",
                "info,wayguard_webhook=warn",
            ])
            .arg("--ca-file")
            .arg(&ca_file);
        for policy in policies {
            command.arg("--policies").arg(policy);
        }
        let mut child =
            command.env("NO_COLOR", "1").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            Some(line.split_once("serving admission=")?.1.split_whitespace().next()?.to_owned())
        });
        std::thread::spawn(move || lines.for_each(drop));
        let ca = std::fs::read(ca_file).unwrap();
        Self {
            child,
            address: address.expect("the server says where it listens"),
            ca,
            denies,
            _folder: folder,
        }
    }
}

/// A policy of objects that nobody sends.
const ELSEWHERE: &str = "{apiVersion: wayguard.io/v1alpha1, kind: Policy, metadata: {name: elsewhere}, \
    spec: {source: {library: images/latest-tag}, match: {resourceRules: \
    [{apiGroups: [elsewhere.example], apiVersions: ['*'], resources: ['*'], operations: [CREATE]}]}}}";

fn program() -> std::path::PathBuf {
    wayguard_conformance_tests::wayguard()
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server for Ours {
    fn address(&self) -> String {
        self.address.clone()
    }
    fn path(&self) -> &'static str {
        "/validate/fail?timeout=5s"
    }
    fn ca(&self) -> &[u8] {
        &self.ca
    }
    fn megabytes(&self) -> f64 {
        resident(self.child.id())
    }
    fn denies(&self) -> bool {
        self.denies
    }
}

/// Resident memory of a process, from the kernel's own account.
pub fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}
