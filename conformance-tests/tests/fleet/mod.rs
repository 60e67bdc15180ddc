//! The suite installed in a cluster of its own, with its Pods running behind its Service.

use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;
use wayguard_conformance_tests::load::{Expected, Load, Shot};
use wayguard_conformance_tests::node::{self, Node};
use wayguard_conformance_tests::{Said, eventually, output, wayguard};
use wayguard_sandbox::{Binaries, BinariesError, CompileError, Lifetime, Options, Sandbox, Search};

/// The suite's own namespace.
pub(crate) const OWN: &str = "wayguard-system";

pub(crate) struct Fleet {
    // Dropped first: its processes use the sandbox.
    pub(crate) node: Node,
    pub(crate) client: kube::Client,
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: tempfile::TempDir,
}

impl Fleet {
    /// A cluster with the suite in it, all Pods ready and all webhooks registered; `None`, with a word, if there is
    /// nothing to start. Must be called inside of a network.
    pub(crate) fn start(install: &[&str]) -> Option<Self> {
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
        options.disabled_admission_plugins = vec!["PodSecurity".into()];
        // The network is the test's own; Pods reach it by the address of its Service.
        options.api_server_args = vec!["--bind-address=0.0.0.0".into()];
        let sandbox = Sandbox::start(&options, &binaries, &mut |_| {}).unwrap();
        let pods = folder.path().join("pods");
        std::fs::create_dir(&pods).unwrap();
        let node = Node::join(&sandbox, OWN, &pods);
        let client = node.runtime().block_on(node::client(&sandbox.kubeconfig()));
        let fleet = Self { node, client, sandbox, folder };
        let installed =
            fleet.wayguard(&[&["install", "--image", "registry.example/wayguard:test"], install].concat());
        assert!(installed.fine, "{}{}", installed.out, installed.err);
        for component in ["wayguard-serve", "wayguard-control", "wayguard-audit"] {
            fleet.rolled_out(component);
        }
        eventually("the webhooks are registered", || {
            fleet.get("validatingwebhookconfiguration/wayguard", "")["webhooks"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        });
        let labels = json!({"team": "alpha", "environment": "development", "managed-by": "idp"});
        fleet.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "alpha", "labels": labels}})).accepted();
        eventually("the default service account", || {
            fleet.kubectl(&["get", "serviceaccount", "default", "-n", "alpha"], "").fine
        });
        Some(fleet)
    }

    pub(crate) fn kubectl(&self, arguments: &[&str], input: &str) -> Said {
        output(self.sandbox.kubectl().args(arguments), input)
    }

    pub(crate) fn wayguard(&self, arguments: &[&str]) -> Said {
        output(Command::new(wayguard()).args(arguments).env("KUBECONFIG", self.sandbox.kubeconfig()), "")
    }

    pub(crate) fn apply(&self, object: &Value) -> Said {
        self.kubectl(&["apply", "-f", "-"], &format!("---\n{object}"))
    }

    /// One object by `kind/name`; `null` if it is not there.
    pub(crate) fn get(&self, what: &str, namespace: &str) -> Value {
        let mut arguments = vec!["get", what, "-o", "json"];
        if !namespace.is_empty() {
            arguments.extend(["-n", namespace]);
        }
        serde_json::from_str(&self.kubectl(&arguments, "").out).unwrap_or_default()
    }

    /// Waits until a Deployment has what it wants.
    #[track_caller]
    pub(crate) fn rolled_out(&self, name: &str) {
        let arguments = ["rollout", "status", &format!("deployment/{name}"), "-n", OWN, "--timeout=180s"];
        let said = self.kubectl(&arguments, "");
        assert!(said.fine, "{}{}\n{}", said.err, said.out, self.node.logs(name));
    }

    /// Requests of which every second is to be refused, with the verdict of each checked.
    pub(crate) fn load(&self) -> Load {
        let rate = std::env::var("WAYGUARD_LOAD").ok().and_then(|rate| rate.parse().ok()).unwrap_or(40);
        Load::start(self.node.runtime(), &self.client, &shots(), rate, 8)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.node.logs("");
            let from = logs.len().saturating_sub(6000);
            println!("{}", logs.get(from..).unwrap_or(&logs));
        }
    }
}

/// One Pod that is admitted and changed, one that is refused.
pub(crate) fn shots() -> Vec<Shot> {
    let pod = |context: Value| {
        json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"generateName": "shot-", "namespace": "alpha"},
        "spec": {"containers": [{
            "name": "web", "image": "registry.example/web:1.0", "securityContext": context,
        }]}})
    };
    vec![
        Shot {
            object: pod(json!({})),
            expected: Expected::Admitted("/metadata/labels/team", json!("alpha")),
        },
        Shot {
            object: pod(json!({"privileged": true})),
            expected: Expected::Refused("denied the request: "),
        },
    ]
}

/// How long a wait for something that takes its time may last.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
