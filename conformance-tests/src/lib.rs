//! The rig of the black-box tests: `wayguard sandbox` as a user runs it, or a [node](node) of the test's own, kubectl,
//! and of our crates only what starts the control plane.
//!
//! Each test file starts one sandbox (a real Kubernetes control plane with `wayguard serve` in front of it) and
//! stops it at its end, also when a test fails. Tests within a file use namespaces of their own.

pub mod load;
pub mod node;
pub mod operators;

use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use wayguard_sandbox::{Binaries, BinariesError, CompileError, Search};

/// A running sandbox.
#[derive(Debug)]
pub struct Sandbox {
    folder: tempfile::TempDir,
    /// The health addresses of its servers.
    health: Vec<String>,
    /// The address of its history, if it was started with one.
    history: Option<String>,
    /// Processes that were started anew.
    anew: Vec<Child>,
}

/// What kubectl said.
#[derive(Debug)]
pub struct Said {
    /// Whether it ended with exit code 0.
    pub fine: bool,
    /// Standard output.
    pub out: String,
    /// Standard error: warnings and refusals.
    pub err: String,
}

impl Said {
    /// The output of a command that must have worked.
    ///
    /// # Panics
    /// If it did not, with what it complained of.
    #[track_caller]
    pub fn accepted(self) -> String {
        assert!(self.fine, "kubectl failed: {}{}", self.err, self.out);
        self.out
    }

    /// The complaint of a command that must have been refused.
    ///
    /// # Panics
    /// If it was not.
    #[track_caller]
    pub fn refused(self) -> String {
        assert!(!self.fine, "was admitted: {}{}", self.out, self.err);
        self.err
    }
}

/// The built binary beside the test's own.
///
/// # Panics
/// If it is not there.
pub fn wayguard() -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    let found = here.ancestors().map(|folder| folder.join("wayguard")).find(|path| path.is_file());
    match found {
        Some(path) => path,
        None => panic!("no `wayguard` binary beside the tests; run `cargo build --bin wayguard` first"),
    }
}

/// The programs of the control plane; `None`, with a word, if there is no Go to build them with.
///
/// # Panics
/// If they cannot be had for another reason, or are not there though `CI` is set.
pub fn control_plane() -> Option<Binaries> {
    match Binaries::find_or_build(&Search::from_env(), &mut |_| {}) {
        Ok(binaries) => Some(binaries),
        Err(error @ BinariesError::Compile(CompileError::NoGo)) if std::env::var_os("CI").is_none() => {
            println!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

impl Sandbox {
    /// Starts one with these extra arguments.
    ///
    /// # Panics
    /// If it does not become ready; the message holds what it said.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// Starts one with these extra arguments and environment variables, which its servers have too.
    ///
    /// # Panics
    /// If it does not become ready; the message holds what it said.
    pub fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = match tempfile::Builder::new().prefix("wayguard-sandbox-").tempdir() {
            Ok(folder) => folder,
            Err(error) => panic!("no temporary folder: {error}"),
        };
        let mut sandbox = Self { folder, health: Vec::new(), history: None, anew: Vec::new() };
        let output = output(
            Command::new(wayguard())
                .arg("sandbox")
                .arg("--state-dir")
                .arg(sandbox.state())
                .args(arguments)
                .envs(environment.iter().copied()),
            "",
        );
        assert!(output.fine, "the sandbox did not start: {}\n{}", output.err, sandbox.logs());
        let health = output.err.lines().filter_map(|line| line.trim().strip_prefix("health"));
        sandbox.health = health.map(|line| line.trim().trim_end_matches("/readyz").to_owned()).collect();
        let history = output.err.lines().find_map(|line| line.trim().strip_prefix("history"));
        sandbox.history = history.map(|line| line.trim().to_owned());
        sandbox
    }

    /// Where its history is served.
    ///
    /// # Panics
    /// If it was started without `--history`.
    #[track_caller]
    pub fn history(&self) -> &str {
        match &self.history {
            Some(address) => address,
            None => panic!("the sandbox was started without `--history`"),
        }
    }

    /// Where everything of it lies.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// For other clients.
    pub fn kubeconfig(&self) -> PathBuf {
        self.state().join("kubeconfig")
    }

    /// The server's log so far.
    pub fn server_log(&self) -> String {
        self.log("serve")
    }

    /// The log of one of the sandbox's processes so far.
    pub fn log(&self, process: &str) -> String {
        std::fs::read_to_string(self.state().join("logs").join(format!("{process}.log"))).unwrap_or_default()
    }

    /// The last lines of all logs, for the message of a test that failed.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        let folder = self.state().join("logs");
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let log = std::fs::read_to_string(entry.path()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.get(lines.len().saturating_sub(15)..).unwrap_or_default();
            text = format!("{text}--- {}\n{}\n", entry.path().display(), tail.join("\n"));
        }
        text
    }

    /// Runs kubectl as the administrator, with `input` on its standard input.
    pub fn kubectl(&self, arguments: &[&str], input: &str) -> Said {
        // kubectl takes what begins with a brace for JSON; a document mark makes it YAML, which JSON is too.
        let input = if input.starts_with('{') { format!("---\n{input}") } else { input.to_owned() };
        output(Command::new("kubectl").arg("--kubeconfig").arg(self.kubeconfig()).args(arguments), &input)
    }

    /// Runs kubectl as somebody else.
    pub fn kubectl_as(&self, user: &str, arguments: &[&str], input: &str) -> Said {
        self.kubectl(&[&["--as", user], arguments].concat(), input)
    }

    /// Runs `wayguard` as the administrator of the cluster.
    pub fn wayguard(&self, arguments: &[&str], input: &str) -> Said {
        output(Command::new(wayguard()).args(arguments).env("KUBECONFIG", self.kubeconfig()), input)
    }

    /// Ends one of the sandbox's processes (`serve`, `serve-2`, `control`) as a crash would.
    ///
    /// # Panics
    /// If it does not run.
    #[track_caller]
    pub fn kill(&self, process: &str) {
        self.signal(process, "KILL");
    }

    /// Sends one of the sandbox's processes a signal, such as `STOP` and `CONT`.
    ///
    /// # Panics
    /// If it does not run.
    #[track_caller]
    pub fn signal(&self, process: &str, signal: &str) {
        output(Command::new("kill").args([&format!("-{signal}"), &self.pid(process)]), "").accepted();
    }

    fn pid(&self, process: &str) -> String {
        let file = self.state().join("run").join(format!("{process}.pid"));
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.split_whitespace().next().unwrap_or_default().to_owned()
    }

    /// Ends one of the sandbox's processes as a crash would, and starts it anew with the arguments that it had.
    ///
    /// # Panics
    /// If it does not run, or cannot be started.
    #[track_caller]
    pub fn restart(&mut self, process: &str) {
        let folder = PathBuf::from("/proc").join(self.pid(process));
        let bytes = std::fs::read(folder.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&bytes).into_owned();
        let mut words = line.split_terminator('\0');
        let program = words.next().unwrap_or_default().to_owned();
        self.kill(process);
        eventually("the process has ended", || {
            // What nobody has asked about yet has an empty line.
            std::fs::read(folder.join("cmdline")).unwrap_or_default().is_empty()
        });
        let log = self.state().join("logs").join(format!("{process}.log"));
        let log = || std::fs::OpenOptions::new().append(true).open(&log).map_or(Stdio::null(), Stdio::from);
        match Command::new(program).args(words).stdin(Stdio::null()).stdout(log()).stderr(log()).spawn() {
            Ok(child) => self.anew.push(child),
            Err(error) => panic!("`{line}` cannot be started anew: {error}"),
        }
    }

    /// Whether all servers say that they are ready. One that is just starting, or was just killed, is not.
    pub fn is_ready(&self) -> bool {
        let ready = |address: &String| ask(&format!("{address}/readyz"));
        self.health.iter().all(|address| ready(address).is_ok_and(|text| text.starts_with("HTTP/1.1 200")))
    }

    /// The value of a metric of each server, summed over its labels.
    ///
    /// # Panics
    /// If a server does not answer.
    #[track_caller]
    pub fn metric(&self, name: &str) -> Vec<f64> {
        self.metrics().iter().map(|text| sum(text, name)).collect()
    }

    /// All metrics of each server, in Prometheus' text form.
    ///
    /// # Panics
    /// If a server does not answer.
    #[track_caller]
    pub fn metrics(&self) -> Vec<String> {
        self.health.iter().map(|address| get(&format!("{address}/metrics"))).collect()
    }

    /// The metrics of one of the sandbox's processes (`serve`, `control`, `audit`, `provisioning`), in Prometheus' text
    /// form.
    ///
    /// # Panics
    /// If it does not run or does not answer.
    #[track_caller]
    pub fn metrics_of(&self, process: &str) -> String {
        let line = std::fs::read(format!("/proc/{}/cmdline", self.pid(process))).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        let mut words = line.split('\0').skip_while(|word| *word != "--health-listen").skip(1);
        match words.next() {
            Some(address) => get(&format!("{address}/metrics")),
            None => panic!("`{process}` does not run, or has no health port: {line:?}"),
        }
    }

    /// `kubectl apply -f -`.
    pub fn apply(&self, manifest: &str) -> Said {
        self.kubectl(&["apply", "-f", "-"], manifest)
    }

    /// One object as JSON.
    ///
    /// # Panics
    /// If it is not there.
    #[track_caller]
    pub fn get(&self, what: &str, name: &str, namespace: &str) -> Value {
        let text = self.kubectl(&["get", what, name, "-n", namespace, "-o", "json"], "").accepted();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A namespace of a team, with the labels of the golden path.
    ///
    /// # Panics
    /// If it cannot be made.
    #[track_caller]
    pub fn namespace(&self, name: &str, environment: &str) {
        self.apply(&format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{team: alpha, environment: {environment}, managed-by: idp}}}}}}"
        ))
        .accepted();
        // The controller manager makes the account that Pods need.
        eventually("the default service account", || {
            self.kubectl(&["get", "serviceaccount", "default", "-n", name], "").fine
        });
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprint_lines(&self.logs());
        }
        for child in &mut self.anew {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ =
            output(Command::new(wayguard()).args(["sandbox", "stop", "--state-dir"]).arg(self.state()), "");
    }
}

/// A plain HTTP answer, its head included.
///
/// # Panics
/// If there is none.
#[track_caller]
fn get(url: &str) -> String {
    match ask(url) {
        Ok(answer) => answer,
        Err(error) => panic!("no answer from {url}: {error}"),
    }
}

fn ask(url: &str) -> std::io::Result<String> {
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap_or((url, ""));
    let mut stream = TcpStream::connect(host)?;
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    stream.write_all(request.as_bytes())?;
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The sum of all series of a metric in Prometheus' text form.
fn sum(text: &str, name: &str) -> f64 {
    let of_metric = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{') || rest.starts_with(' '))
    };
    text.lines().filter(of_metric).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// A Policy object with Rego rules (one a line or several), for the resources and operations that lists in YAML name.
/// Its package is `test.<name>`, with `_` for `-`.
pub fn policy(name: &str, group: &str, resources: &str, operations: &str, rules: &str) -> String {
    let rules = rules.lines().map(|line| format!("      {line}\n")).collect::<String>();
    let package = name.replace('-', "_");
    format!(
        "---
apiVersion: wayguard.io/v1alpha1
kind: Policy
metadata: {{name: {name}}}
spec:
  source:
    rego: |
      # METADATA
      # scope: package
      # title: {name}
      # description: For a test.
      # custom: {{severity: low, category: test, remedy: Ask somebody else.}}
      package test.{package}

{rules}
  match:
    resourceRules: [{{apiGroups: ['{group}'], apiVersions: ['*'], resources: [{resources}], operations: [{operations}]}}]
"
    )
}

/// Waits until a condition holds.
///
/// # Panics
/// After a minute.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "after a minute still not: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Runs a command to its end.
///
/// # Panics
/// If it cannot be started.
pub fn output(command: &mut Command, input: &str) -> Said {
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => panic!("cannot run {command:?}: {error}"),
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read its input may close it early.
        let _ = stdin.write_all(input.as_bytes());
    }
    match child.wait_with_output() {
        Ok(Output { status, stdout, stderr }) => Said {
            fine: status.success(),
            out: String::from_utf8_lossy(&stdout).into_owned(),
            err: String::from_utf8_lossy(&stderr).into_owned(),
        },
        Err(error) => panic!("{command:?} was lost: {error}"),
    }
}

/// The folder of this crate, where manifests and the Go suites are.
pub fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn eprint_lines(text: &str) {
    eprintln!("{text}");
}
