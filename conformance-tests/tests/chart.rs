//! The chart on a real API server: strict validation and our own bundles for every values set; installed, its Pods run as
//! real processes with what their specs say; upgraded; uninstalled with nothing left behind, and no request refused meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use wayguard_conformance_tests::node::{Node, network};
use wayguard_conformance_tests::{Said, control_plane, eventually, here, operators, output, wayguard};
use wayguard_sandbox::{Lifetime, Options, Sandbox};

/// The suite's own namespace.
const OWN: &str = "wayguard-system";

/// What is deleted is logged, in the order in which it was.
const DELETIONS: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [delete]
- level: None
";

struct Cluster {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// A control plane and the suite's namespace, held to the strictest level; `None`, with a word, where something is missing.
    fn start() -> Option<Self> {
        let skipped = |why: &dyn std::fmt::Display| {
            assert!(std::env::var_os("CI").is_none(), "{why}");
            println!("skipped: {why}");
            None
        };
        if Command::new("helm").arg("version").output().is_err() {
            return skipped(&"no helm; `scripts/install-helm FOLDER-OF-THE-PATH` makes it");
        }
        let binaries = control_plane()?;
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path().join("state"));
        options.lifetime = Lifetime::Foreground;
        options.audit_policy = Some(DELETIONS.to_owned());
        options.api_server_args = vec!["--bind-address=0.0.0.0".into()];
        let sandbox = Sandbox::start(&options, &binaries, &mut |_| {}).unwrap();
        let cluster = Self { sandbox, folder };
        cluster.namespace(
            OWN,
            json!({"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}),
        );
        Some(cluster)
    }

    fn namespace(&self, name: &str, labels: Value) {
        let object =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        self.kubectl(&["apply", "-f", "-"], &format!("---\n{object}")).accepted();
        eventually("the default service account", || {
            self.kubectl(&["get", "serviceaccount", "default", "-n", name], "").fine
        });
    }

    fn kubectl(&self, arguments: &[&str], input: &str) -> Said {
        output(self.sandbox.kubectl().args(arguments), input)
    }

    /// Helm, with files of its own for this test.
    fn helm(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new("helm");
        for (variable, folder) in
            [("HELM_CACHE_HOME", "cache"), ("HELM_CONFIG_HOME", "config"), ("HELM_DATA_HOME", "data")]
        {
            command.env(variable, self.folder.path().join("helm").join(folder));
        }
        output(command.env("KUBECONFIG", self.sandbox.kubeconfig()).args(arguments).args(["-n", OWN]), "")
    }

    /// One object by `kind/name`; `null` if it is not there.
    fn get(&self, what: &str, namespace: &str) -> Value {
        let said = self.kubectl(&["get", what, "-n", namespace, "-o", "json"], "");
        serde_json::from_str(&said.out).unwrap_or_default()
    }

    /// `kind/name` of what there is of some kinds.
    fn names(&self, kinds: &str, more: &[&str]) -> Vec<String> {
        let said = self.kubectl(&[&["get", kinds, "-o", "name"], more].concat(), "").accepted();
        said.lines().map(ToOwned::to_owned).collect()
    }

    /// What was deleted by the administrator so far, as `resource/name`.
    fn deleted(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.sandbox.audit_log()).unwrap_or_default();
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let events = events.filter(|event| {
            event["user"]["username"].as_str().is_some_and(|user| !user.starts_with("system:"))
                && event["responseStatus"]["code"] == 200
        });
        events
            .map(|event| {
                let text = |key: &str| event["objectRef"][key].as_str().unwrap_or_default().to_owned();
                format!("{}/{}", text("resource"), text("name"))
            })
            .collect()
    }
}

fn chart() -> PathBuf {
    here().join("../charts/wayguard")
}

fn path(path: PathBuf) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_values_set_is_valid_and_passes_our_own_bundles() {
    let Some(cluster) = Cluster::start() else { return };
    // Kinds of others that the chart makes objects of, and our own: a trial run needs them to be there.
    let prometheus = operators::definitions(
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "example/prometheus-operator-crd",
    );
    match &prometheus {
        Ok(folder) => drop(cluster.kubectl(&["apply", "--server-side", "-f", folder], "").accepted()),
        Err(why) => println!("without the kinds of Prometheus' operator: {why}"),
    }
    let certificates = operators::definitions(
        "github.com/cert-manager/cert-manager",
        "v1.19.1",
        "deploy/crds/cert-manager.io_certificates.yaml",
    );
    match &certificates {
        Ok(file) => drop(cluster.kubectl(&["apply", "--server-side", "-f", file], "").accepted()),
        Err(why) => println!("without the kinds of cert-manager: {why}"),
    }
    let kinds = path(here().join("../cluster/crds"));
    cluster.kubectl(&["apply", "--server-side", "-f", &kinds], "").accepted();
    let mut sets: Vec<PathBuf> =
        std::fs::read_dir(chart().join("ci")).unwrap().map(|entry| entry.unwrap().path()).collect();
    sets.sort();
    assert!(sets.len() >= 5);
    for set in sets {
        let name = set.file_name().unwrap().to_string_lossy().into_owned();
        let mut arguments =
            vec!["template".to_owned(), "wayguard".into(), path(chart()), "--values".into(), path(set)];
        if prometheus.is_err() {
            arguments
                .extend(["--set".into(), "monitoring.enabled=false,monitoring.rules.enabled=false".into()]);
        }
        if certificates.is_err() && name == "cert-manager.yaml" {
            println!("skipped: {name}");
            continue;
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let rendered = cluster.helm(&arguments).accepted();

        let trial = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"];
        let said = cluster.kubectl(&trial, &rendered);
        // A Pod that `restricted` would refuse is warned of here, a field that nobody knows is refused.
        assert!(said.fine && said.err.trim().is_empty(), "{name}: {}", said.err);

        let context = format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {OWN}, labels: {{team: platform, environment: development, managed-by: idp}}}}}}"
        );
        let check = [
            "check",
            "--exempt-namespace",
            "nobody",
            "--policies",
            "golden-path",
            "--policies",
            "restricted",
            "-",
        ];
        let judged = output(Command::new(wayguard()).args(check), &format!("---\n{context}\n{rendered}"));
        let denied: Vec<&str> =
            judged.out.lines().filter(|line| line.trim_start().starts_with("deny ")).collect();
        let rules: Vec<&str> = denied.iter().filter_map(|line| line.rsplit(' ').next()).collect();
        // Self-service acts in the name of its classes' accounts, and one of them binds two roles, all by name: that is what a
        // person has to agree to, and what `provisioning.enabled` is off by default for.
        let agreed: &[&str] = if name == "everything.yaml" {
            &["rbac/escalation/bind", "rbac/escalation/impersonate"]
        } else {
            &[]
        };
        assert_eq!(rules, agreed, "{name}: {}", judged.out);
        assert!(
            judged.out.contains("Deployment wayguard-system/wayguard-serve: allowed"),
            "{name}: {}",
            judged.out
        );
    }
}

#[test]
fn installed_upgraded_and_uninstalled() {
    if !network::inside("installed_upgraded_and_uninstalled") {
        return;
    }
    let Some(cluster) = Cluster::start() else { return };
    let pods = cluster.folder.path().join("pods");
    std::fs::create_dir(&pods).unwrap();
    let node = Node::join(&cluster.sandbox, OWN, &pods);
    let labels = json!({"team": "alpha", "environment": "development", "managed-by": "idp"});
    cluster.namespace("alpha", labels);

    let settings = ["--set", "image.repository=registry.example/wayguard", "--set", "enforce=true"];
    let settings = [&settings[..], &["--wait", "--timeout", "3m"]].concat();
    let folder = path(chart());
    let said = cluster.helm(&[&["install", "wayguard", &folder], &settings[..]].concat());
    assert!(said.fine, "{}\n{}", said.err, node.logs("wayguard-"));
    processes_are_what_the_specs_say(&cluster, &node);
    eventually("what is bad is refused", || refused(&cluster));
    let authority = cluster.get("secret/wayguard-ca", OWN)["data"].clone();
    assert!(authority.as_object().is_some_and(|data| !data.is_empty()), "`control` has filled it");

    // Our own Pods can be made while nobody answers, or nobody could bring the gate back.
    let scale = |count: &str| ["scale", "deployment/wayguard-serve", "-n", OWN, count].map(ToOwned::to_owned);
    let run = |arguments: [String; 5]| cluster.kubectl(&arguments.each_ref().map(String::as_str), "");
    run(scale("--replicas=0")).accepted();
    eventually("no server is left", || node.running("wayguard-serve").is_empty());
    eventually("what is judged is refused", || !admitted(&cluster).fine);
    let more = [
        "--set",
        "serve.replicas=2",
        "--set",
        "podAnnotations.example\\.com/a=b",
        "--set",
        "policies={pod-security}",
    ];
    let said = cluster
        .helm(&[&["upgrade", "wayguard", &folder, "--force-conflicts"], &settings[..], &more].concat());
    assert!(said.fine, "{}\n{}", said.err, node.logs("wayguard-"));
    eventually("the upgrade has brought the gate back", || admitted(&cluster).fine);
    assert_eq!(cluster.get("deployment/wayguard-serve", OWN)["status"]["readyReplicas"], 2);
    assert_eq!(
        cluster.get("secret/wayguard-ca", OWN)["data"],
        authority,
        "an upgrade leaves the authority alone"
    );

    nothing_is_left(&cluster);
}

fn pod(image: &str) -> String {
    format!(
        "---\n{{apiVersion: v1, kind: Pod, metadata: {{name: app, namespace: alpha}}, spec: {{containers: [{{name: app, image: '{image}'}}]}}}}"
    )
}

fn trial(cluster: &Cluster, object: &str) -> Said {
    cluster.kubectl(&["apply", "--dry-run=server", "-f", "-"], object)
}

fn refused(cluster: &Cluster) -> bool {
    trial(cluster, &pod("registry.example/app:latest")).err.contains("denied by images/latest-tag")
}

fn admitted(cluster: &Cluster) -> Said {
    trial(cluster, &pod("registry.example/app:1"))
}

/// Who runs, with which arguments, and what they may do to the file system.
fn processes_are_what_the_specs_say(cluster: &Cluster, node: &Node) {
    for (deployment, count) in [("wayguard-serve", 3), ("wayguard-control", 2), ("wayguard-audit", 1)] {
        let running = node.running(deployment);
        assert_eq!(running.len(), count, "{deployment}: {running:?}");
        let object = cluster.get(&format!("deployment/{deployment}"), OWN);
        let container = &object["spec"]["template"]["spec"]["containers"][0];
        let wanted: Vec<&str> =
            container["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap()).collect();
        for (name, place) in running {
            let of = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", place.pid)).unwrap();
            let line = of("cmdline");
            let arguments: Vec<&str> = line.split_terminator('\0').skip(1).collect();
            assert_eq!(arguments, wanted, "{name}");
            let status = of("status");
            let field = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
                line.split_whitespace().next().unwrap_or_default().to_owned()
            };
            assert_eq!((field("Uid:"), field("Gid:")), ("65532".into(), "65532".into()), "{name}");
            assert_eq!(
                (field("CapEff:"), field("NoNewPrivs:")),
                ("0000000000000000".into(), "1".into()),
                "{name}"
            );
            let mounts = of("mountinfo");
            let root = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/")).unwrap_or_default();
            assert!(
                root.split(' ').nth(5).is_some_and(|options| options.starts_with("ro")),
                "{name}: {root}"
            );
        }
        // Ready is what the probes of the spec said.
        assert_eq!(object["status"]["readyReplicas"], count, "{deployment}");
    }
}

/// Uninstalls while requests go on.
fn nothing_is_left(cluster: &Cluster) {
    let policy = "{apiVersion: wayguard.io/v1alpha1, kind: Policy, metadata: {name: mine}, spec: {source: {library: images/latest-tag}}}";
    cluster.kubectl(&["apply", "-f", "-"], &format!("---\n{policy}")).accepted();
    cluster.kubectl(&["annotate", "namespace", OWN, "kept=yes"], "").accepted();
    let before = cluster.deleted().len();
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let complaints = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut complaints = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let said = admitted(cluster);
                asked.fetch_add(1, Ordering::Relaxed);
                if !said.fine {
                    complaints.push(said.err);
                }
            }
            complaints
        });
        let uninstalled = cluster.helm(&["uninstall", "wayguard", "--wait", "--timeout", "2m"]);
        std::thread::sleep(std::time::Duration::from_secs(1));
        stop.store(true, Ordering::Relaxed);
        let complaints = asking.join().unwrap();
        uninstalled.accepted();
        complaints
    });
    let asked = asked.load(Ordering::Relaxed);
    println!("{asked} requests during the uninstall, {} failed", complaints.len());
    assert!(asked > 5 && complaints.is_empty(), "{asked}: {complaints:?}");

    let deleted = cluster.deleted().split_off(before);
    let at = |what: &str| {
        deleted
            .iter()
            .position(|name| name == what)
            .unwrap_or_else(|| panic!("{what} was not deleted: {deleted:?}"))
    };
    let right = at("clusterrolebindings/wayguard-control");
    let webhooks =
        ["mutating", "validating"].map(|kind| at(&format!("{kind}webhookconfigurations/wayguard")));
    let servers = at("services/wayguard").min(at("deployments/wayguard-serve"));
    assert!(
        webhooks.iter().all(|&at| right < at && at < servers),
        "control's right, then the webhooks, then the servers: {deleted:?}"
    );

    // Whatever was in flight is over once the Pods are gone.
    eventually("all Pods are gone", || cluster.names("pods", &["-n", OWN]).is_empty());
    let kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations,clusterroles,clusterrolebindings,\
        validatingadmissionpolicies,validatingadmissionpolicybindings";
    let ours =
        |names: Vec<String>| names.into_iter().filter(|name| name.contains("wayguard")).collect::<Vec<_>>();
    assert_eq!(ours(cluster.names(kinds, &[])), Vec::<String>::new());
    let kinds = "deployments,replicasets,services,secrets,configmaps,serviceaccounts,roles,rolebindings,leases,\
        poddisruptionbudgets,networkpolicies,persistentvolumeclaims";
    eventually("the namespace is empty", || ours(cluster.names(kinds, &["-n", OWN])).is_empty());
    // What is the user's stays, as `crds.keep` says.
    assert_eq!(cluster.get("policy/mine", "")["metadata"]["name"], "mine");
    assert_eq!(cluster.get(&format!("namespace/{OWN}"), "")["metadata"]["annotations"]["kept"], "yes");
    let again = ["install", "again", &path(chart()), "--set", "image.repository=registry.example/wayguard"];
    let said = cluster.helm(&again);
    assert!(said.err.contains("cannot be imported into the current release"), "{}", said.err);
    let again = ["install", "wayguard", again[2], "--set", "image.repository=registry.example/wayguard"];
    cluster.helm(&again).accepted();
}
