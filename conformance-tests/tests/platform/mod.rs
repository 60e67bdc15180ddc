//! A control plane with self-service installed, the operators' CRDs, and the controller as a process of its own.

use serde_json::{Value, json};
use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wayguard_conformance_tests::{Said, control_plane, operators, output, wayguard};
use wayguard_sandbox::{Lifetime, Options, Process, Program, Sandbox, User};

const ACCOUNT: &str = "system:serviceaccount:wayguard-system:wayguard-provisioning";

/// The operators' CRDs: Go module, version, file or folder in it.
const DEFINITIONS: [(&str, &str, &str); 5] = [
    operators::CLOUD_NATIVE_PG,
    ("github.com/rabbitmq/cluster-operator/v2", "v2.9.0", "config/crd/bases"),
    ("sigs.k8s.io/gateway-api", "v1.4.1", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"),
    ("sigs.k8s.io/cluster-api", "v1.13.6", "config/crd/bases/cluster.x-k8s.io_clusters.yaml"),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
    ),
];

/// Everything that writes is logged, with who it was.
const AUDIT: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  resources: [{group: coordination.k8s.io}]
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
";

pub(crate) struct Platform {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    controller: Option<Process>,
    runs: u32,
    /// Prometheus' operator's kinds are there.
    pub(crate) monitors: bool,
}

impl Platform {
    /// Everything but the controller; `None`, with a word, if there is nothing to start.
    pub(crate) fn start() -> Option<Self> {
        let skipped = |why: &dyn std::fmt::Display| {
            assert!(std::env::var_os("CI").is_none(), "{why}");
            println!("skipped: {why}");
            None
        };
        let binaries = control_plane()?;
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path().join("state"));
        options.lifetime = Lifetime::Foreground;
        options.audit_policy = Some(AUDIT.to_owned());
        options.users =
            vec![User::new(ACCOUNT, ["system:serviceaccounts", "system:serviceaccounts:wayguard-system"])];
        let sandbox = Sandbox::start(&options, &binaries, &mut |_| {}).unwrap();
        let mut platform = Self { sandbox, folder, controller: None, runs: 0, monitors: false };
        for (module, version, path) in DEFINITIONS {
            let applied = operators::definitions(module, version, path)
                .and_then(|path| platform.kubectl(&["apply", "--server-side", "-f", &path], ""));
            match applied {
                Ok(_) if module.contains("prometheus") => platform.monitors = true,
                Ok(_) => {}
                // Without these there is nothing to see.
                Err(why) if module.contains("cloudnative-pg") || module.contains("rabbitmq") => {
                    return skipped(&format!("the CRDs of {module} cannot be had: {why}"));
                }
                Err(why) => println!("without {module}: {why}"),
            }
        }
        let kubeconfig = platform.kubeconfig();
        let said = platform.wayguard(&[
            "install",
            "--image",
            "registry.example/wayguard:test",
            "--provisioning",
            "--kubeconfig",
            &kubeconfig,
        ]);
        assert!(said.fine, "{}{}", said.out, said.err);
        platform.wait_for_quotas();
        Some(platform)
    }

    /// Waits until the quota controller has heard of our kinds, which it asks for every half a minute: a quota that is
    /// older than that is not looked at for minutes, and no claim is taken beside it.
    fn wait_for_quotas(&self) {
        let mut round = 0;
        eventually("quotas know claims", || {
            round += 1;
            let name = format!("probe-{round}");
            let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "probe", "namespace": name}, "spec": {"hard": {"count/platformclaims.wayguard.io": "1"}}});
            self.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
                .unwrap();
            self.apply(&quota).unwrap();
            std::thread::sleep(Duration::from_secs(2));
            self.get("resourcequota/probe", &name)["status"]["used"].is_object()
        });
    }

    /// Starts the controller, with the rights of its account.
    pub(crate) fn control(&mut self) {
        self.runs += 1;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let kubeconfig = self.sandbox.kubeconfig_of(ACCOUNT).unwrap();
        let arguments = [
            "control",
            "--role=provisioning",
            "--kubeconfig",
            kubeconfig.to_str().unwrap(),
            "--health-listen",
            &port.to_string(),
        ];
        let program = Program::new(format!("provisioning-{}", self.runs), wayguard()).args(arguments);
        self.controller = Some(self.sandbox.run(&program).unwrap());
    }

    /// Ends the controller as a crash would, and lets its Lease run out at once.
    pub(crate) fn kill(&mut self) {
        let mut process = self.controller.take().expect("it runs");
        output(Command::new("kill").args(["-KILL", &process.pid().to_string()]), "").accepted();
        assert!(process.wait(Duration::from_secs(10)));
        let _ =
            self.kubectl(&["delete", "lease", "wayguard-control-provisioning", "-n", "wayguard-system"], "");
    }

    pub(crate) fn kubeconfig(&self) -> String {
        self.sandbox.kubeconfig().display().to_string()
    }

    /// Writes a file for commands.
    pub(crate) fn file(&self, name: &str, object: &Value) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, object.to_string()).unwrap();
        path.display().to_string()
    }

    /// Runs `wayguard` in the folder of its files.
    pub(crate) fn wayguard(&self, arguments: &[&str]) -> Said {
        output(Command::new(wayguard()).args(arguments).current_dir(self.folder.path()), "")
    }

    /// kubectl's output, or what it complained of.
    pub(crate) fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = self.sandbox.kubectl();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read its input may close it early.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(format!("{}{}", text(&output.stderr), text(&output.stdout)))
        }
    }

    pub(crate) fn apply(&self, object: &Value) -> Result<String, String> {
        self.kubectl(&["apply", "-f", "-"], &format!("---\n{object}"))
    }

    pub(crate) fn namespace(&self, name: &str, team: &str, environment: &str) {
        let labels = json!({"team": team, "environment": environment, "managed-by": "idp"});
        self.apply(
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}),
        )
        .unwrap();
    }

    /// One object by `kind/name`; `null` if it is not there.
    pub(crate) fn get(&self, what: &str, namespace: &str) -> Value {
        let mut arguments = vec!["get", what, "-o", "json"];
        if !namespace.is_empty() {
            arguments.extend(["-n", namespace]);
        }
        let text = self.kubectl(&arguments, "").unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) fn exists(&self, what: &str, namespace: &str) -> bool {
        !self.get(what, namespace).is_null()
    }

    pub(crate) fn uid(&self, what: &str, namespace: &str) -> String {
        self.get(what, namespace)["metadata"]["uid"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn phase(&self, claim: &str, namespace: &str) -> String {
        let claim = self.get(&format!("platformclaim/{claim}"), namespace);
        if claim["status"]["observedGeneration"] != claim["metadata"]["generation"] {
            return String::new();
        }
        claim["status"]["phase"].as_str().unwrap_or_default().to_owned()
    }

    /// The message of a claim's condition; empty if it has none such.
    pub(crate) fn condition(&self, claim: &str, namespace: &str, kind: &str) -> String {
        let claim = self.get(&format!("platformclaim/{claim}"), namespace);
        condition_of(&claim, kind)["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Plays the operator.
    pub(crate) fn patch_status(&self, what: &str, namespace: &str, status: Value) {
        let patch = json!({"status": status}).to_string();
        self.kubectl(
            &["patch", what, "-n", namespace, "--subresource=status", "--type=merge", "-p", &patch],
            "",
        )
        .unwrap();
    }

    /// What the controller and the classes' accounts have written so far, but for their Lease.
    pub(crate) fn writes(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.sandbox.audit_log()).unwrap_or_default();
        log.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|event| {
                event["user"]["username"] == ACCOUNT
                    && !event["requestURI"].as_str().unwrap_or_default().contains("dryRun")
            })
            .map(|event| {
                format!(
                    "{} {}",
                    event["verb"].as_str().unwrap_or_default(),
                    event["requestURI"].as_str().unwrap_or_default()
                )
            })
            .collect()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(process) = &self.controller
        {
            println!("--- the controller's log\n{}", process.log_tail(60));
        }
    }
}

/// A claim.
pub(crate) fn claim(name: &str, namespace: &str, spec: Value) -> Value {
    json!({"apiVersion": "wayguard.io/v1alpha1", "kind": "PlatformClaim", "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

/// A condition of an object; `null` if it has none such.
pub(crate) fn condition_of(object: &Value, kind: &str) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|condition| condition["type"] == kind).cloned().unwrap_or_default()
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn within(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !holds() {
        assert!(Instant::now() < end, "in vain after {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl FnMut() -> bool) {
    within(Duration::from_mins(1), what, holds);
}
