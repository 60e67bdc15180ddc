//! The suite installed in a cluster of its own, with its Pods running behind its Service.

use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;
use tokio::task::JoinHandle;
use wayguard_conformance_tests::load::{Expected, Load, Shot};
use wayguard_conformance_tests::node::{self, Node};
use wayguard_conformance_tests::{Said, control_plane, eventually, output, wayguard};
use wayguard_sandbox::{Lifetime, Options, Program, Sandbox};

/// The suite's own namespace.
pub(crate) const OWN: &str = "wayguard-system";

pub(crate) struct Fleet {
    // Dropped first: its processes use the sandbox.
    pub(crate) node: Node,
    pub(crate) client: kube::Client,
    pub(crate) sandbox: Sandbox,
    install: Vec<String>,
    starts: u32,
    folder: tempfile::TempDir,
}

impl Fleet {
    /// A cluster with the suite in it, all Pods ready and all webhooks registered; `None`, with a word, if there is
    /// nothing to start. Must be called inside of a network.
    pub(crate) fn start(install: &[&str]) -> Option<Self> {
        let binaries = control_plane()?;
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
        let install = install.iter().map(|&argument| argument.to_owned()).collect();
        let fleet = Self { node, client, sandbox, install, starts: 0, folder };
        fleet.install();
        for component in ["wayguard-serve", "wayguard-control", "wayguard-audit"] {
            fleet.rolled_out(component);
        }
        fleet.registered();
        let labels = json!({"team": "alpha", "environment": "development", "managed-by": "idp"});
        fleet.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "alpha", "labels": labels}})).accepted();
        eventually("the default service account", || {
            fleet.kubectl(&["get", "serviceaccount", "default", "-n", "alpha"], "").fine
        });
        Some(fleet)
    }

    /// Waits until the API server asks the gate.
    #[track_caller]
    pub(crate) fn registered(&self) {
        eventually("the webhooks are registered", || {
            self.get("validatingwebhookconfiguration/wayguard", "")["webhooks"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        });
    }

    /// `wayguard install`, as at the start.
    #[track_caller]
    pub(crate) fn install(&self) {
        let arguments = ["install", "--image", "registry.example/wayguard:test"].into_iter();
        let arguments: Vec<&str> = arguments.chain(self.install.iter().map(String::as_str)).collect();
        let said = self.wayguard(&arguments);
        assert!(said.fine, "{}{}", said.out, said.err);
    }

    /// The names of the Pods that run now and begin so.
    pub(crate) fn names(&self, prefix: &str) -> BTreeSet<String> {
        self.node.running(prefix).into_iter().map(|(name, _)| name).collect()
    }

    /// The addresses of the server's ready replicas, as the API server knows them.
    pub(crate) fn endpoints(&self) -> BTreeSet<String> {
        let arguments =
            ["get", "endpointslices", "-n", OWN, "-l", "kubernetes.io/service-name=wayguard", "-o", "json"];
        let slices: Value = serde_json::from_str(&self.kubectl(&arguments, "").out).unwrap_or_default();
        let endpoints = slices["items"].as_array().into_iter().flatten();
        let endpoints = endpoints.flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
        let ready = endpoints.filter(|endpoint| endpoint["conditions"]["ready"] == true);
        let addresses = ready.flat_map(|endpoint| endpoint["addresses"].as_array().into_iter().flatten());
        addresses.filter_map(|address| address.as_str().map(str::to_owned)).collect()
    }

    /// Reads whom the registration trusts, for [`Self::ask_directly`].
    #[track_caller]
    pub(crate) fn trust(&self) {
        let configuration = self.get("validatingwebhookconfiguration/wayguard", "");
        let bundle = configuration["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap_or_default();
        let text = output(Command::new("base64").arg("-d"), bundle).accepted();
        std::fs::write(self.folder.path().join("ca.pem"), text).unwrap();
    }

    /// Asks a replica as an API server does, with the trust that was read last.
    pub(crate) fn ask_directly(&self, address: &str, review: &Value) -> Result<Value, String> {
        let name = format!("wayguard.{OWN}.svc");
        let said = output(
            Command::new("curl")
                .args(["--silent", "--show-error", "--max-time", "5", "--cacert"])
                .arg(self.folder.path().join("ca.pem"))
                .args([
                    "--resolve",
                    &format!("{name}:8443:{address}"),
                    "-H",
                    "content-type: application/json",
                ])
                .args(["--data-binary", "@-", &format!("https://{name}:8443/validate/fail")]),
            &review.to_string(),
        );
        serde_json::from_str(&said.out).map_err(|_| format!("{}{}", said.err, said.out))
    }

    /// Ends the API server; with what it was run.
    pub(crate) fn stop_api_server(&self) -> Vec<String> {
        self.trust();
        let supervisor = self.sandbox.supervisor();
        let running = supervisor.running();
        // The one that was started last; those before it have ended.
        let process = running.iter().rfind(|process| process.name().starts_with("kube-apiserver")).unwrap();
        let line = std::fs::read(format!("/proc/{}/cmdline", process.pid())).unwrap();
        kill(process.pid(), "KILL");
        String::from_utf8(line).unwrap().split_terminator('\0').map(str::to_owned).collect()
    }

    /// Starts it again, and waits until it is ready.
    pub(crate) fn start_api_server(&mut self, line: &[String]) {
        self.starts += 1;
        let program = Program::new(format!("kube-apiserver-{}", self.starts), &line[0]).args(&line[1..]);
        drop(self.sandbox.run(&program).unwrap());
        eventually("the API server is ready", || self.kubectl(&["get", "--raw", "/readyz"], "").fine);
    }

    /// Whether a Policy of the cluster says that it is enforced.
    pub(crate) fn is_enforced(&self, policy: &str) -> bool {
        let policy = self.get(&format!("policy/{policy}"), "");
        let conditions = policy["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|one| one["type"] == "Enforced" && one["status"] == "True")
    }

    /// Creates an object of the core group as a dry run, faster than kubectl; or how it was refused.
    pub(crate) fn create(&self, object: &Value) -> Result<Value, String> {
        let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", text("/kind")));
        let namespace = text("/metadata/namespace");
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &resource);
        let object = serde_json::from_value(object.clone()).unwrap();
        let parameters = PostParams { dry_run: true, ..PostParams::default() };
        match self.node.runtime().block_on(api.create(&parameters, &object)) {
            Ok(created) => Ok(serde_json::to_value(created).unwrap()),
            Err(kube::Error::Api(status)) => Err(status.message.clone()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Changes a Policy so many times, once in each span; how many changes were taken is what the task gives.
    pub(crate) fn keep_changing(
        &self,
        policy: &'static str,
        times: u32,
        every: Duration,
        change: impl Fn(u32) -> Value + Send + 'static,
    ) -> JoinHandle<u32> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("wayguard.io", "v1alpha1", "Policy"));
        let resource = ApiResource { plural: "policies".into(), ..resource };
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        self.node.runtime().spawn(async move {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut taken = 0;
            for number in 1..=times {
                ticks.tick().await;
                let patch = Patch::Merge(change(number));
                taken += u32::from(api.patch(policy, &PatchParams::default(), &patch).await.is_ok());
            }
            taken
        })
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

/// Sends a process a signal, such as `STOP`.
#[track_caller]
pub(crate) fn kill(pid: u32, signal: &str) {
    assert!(pid != 0, "it is just being started anew");
    output(Command::new("kill").args([format!("-{signal}"), pid.to_string()]), "").accepted();
}

/// Whether there is time for the long forms (`just soak`).
pub(crate) fn is_long() -> bool {
    std::env::var_os("WAYGUARD_SOAK").is_some()
}

/// One of two counts.
pub(crate) fn long_count(usual: u32, long: u32) -> u32 {
    if is_long() { long } else { usual }
}

/// One of two lengths.
pub(crate) fn long(usual: Duration, long: Duration) -> Duration {
    if is_long() { long } else { usual }
}

/// The metrics of a Pod.
pub(crate) fn metrics(address: &str) -> String {
    let url = format!("http://{address}:8080/metrics");
    output(Command::new("curl").args(["--silent", "--max-time", "5", &url]), "").out
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Each denied request has a line; what is left tells of the processes.
            let logs = self.node.logs("");
            let lines: Vec<&str> = logs.lines().filter(|line| !line.contains("INFO admission")).collect();
            println!("{}", lines[lines.len().saturating_sub(100)..].join("\n"));
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
