//! Starts the real thing: keys, etcd, API server, controller manager, kubectl.
//!
//! The first run on a machine builds the control plane, which takes minutes.
//! Without Go the tests say so and pass, unless CI is set: there nothing may be
//! left out silently.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says by a panic, or in its output, what is wrong"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wayguard_sandbox::{
    Binaries, BinariesError, CompileError, Ended, Lifetime, Options, Program, Sandbox, SandboxError, Search,
    User,
};

const DEPLOYMENT: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: 'registry.example/web:1.0'}]
";

/// The programs; `None` if there is no Go to build them with.
fn binaries() -> Option<Binaries> {
    match Binaries::find_or_build(&Search::from_env(), &mut |_| {}) {
        Ok(binaries) => Some(binaries),
        Err(error @ BinariesError::Compile(CompileError::NoGo)) if std::env::var_os("CI").is_none() => {
            println!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Runs kubectl to its end; its output, or what it complained of.
fn run(mut kubectl: Command, args: &[&str]) -> Result<String, String> {
    let output = kubectl.args(args).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// Asks until the answer is the expected one.
fn eventually(what: &str, expected: &str, mut ask: impl FnMut() -> Result<String, String>) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let answer = ask();
        if answer.as_deref() == Ok(expected) {
            return;
        }
        assert!(Instant::now() < deadline, "{what}: expected `{expected}`, last answer: {answer:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_deployment_becomes_pods_and_everything_stops_on_request() {
    let Some(binaries) = binaries() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path().join("state"));
    options.lifetime = Lifetime::Foreground;
    options.users = vec![User::new("alice", ["developers"])];
    options.audit_policy =
        Some("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n".to_owned());
    let sandbox = Sandbox::start(&options, &binaries, &mut |_| {}).unwrap();
    if !sandbox.has_controllers() {
        println!("skipped: the assets hold no kube-controller-manager");
        return;
    }

    let mode = std::fs::metadata(sandbox.kubeconfig()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "the kubeconfig holds a token");
    let version = run(sandbox.kubectl(), &["version", "-o", "json"]).unwrap();
    assert!(version.contains(r#""gitVersion": "v1."#), "clients cannot parse the version: {version}");

    let file = write(folder.path(), "deployment.yaml", DEPLOYMENT);
    run(sandbox.kubectl(), &["apply", "-f", &file]).unwrap();
    eventually("Pods by the ReplicaSet controller", "Pending Pending", || {
        run(sandbox.kubectl(), &["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.phase}"])
    });
    let maker = [
        "get",
        "replicasets",
        "-l",
        "app=web",
        "-o",
        "jsonpath={.items[*].metadata.ownerReferences[*].kind}",
    ];
    assert_eq!(run(sandbox.kubectl(), &maker).as_deref(), Ok("Deployment"));

    // RBAC is on: an ordinary user may do nothing until told otherwise.
    let refusal = run(sandbox.kubectl_as("alice").unwrap(), &["get", "pods"]).unwrap_err();
    assert!(refusal.contains(r#"User "alice" cannot list resource "pods""#), "{refusal}");
    let grant = ["create", "clusterrolebinding", "dev", "--clusterrole=view", "--group=developers"];
    run(sandbox.kubectl(), &grant).unwrap();
    eventually("alice sees the Pods by her group", "2", || {
        let list = run(sandbox.kubectl_as("alice").unwrap(), &["get", "pods", "-o", "name"])?;
        Ok(list.lines().count().to_string())
    });
    let audit = std::fs::read_to_string(sandbox.audit_log()).unwrap();
    assert!(audit.contains("system:serviceaccount:kube-system:replicaset-controller"), "who made the Pods");
    assert!(matches!(sandbox.kubeconfig_of("bob"), Err(SandboxError::NoUser(name)) if name == "bob"));

    // Namespaces go, which takes the namespace controller.
    run(sandbox.kubectl(), &["create", "namespace", "short-lived"]).unwrap();
    run(sandbox.kubectl(), &["delete", "namespace", "short-lived", "--timeout=60s"]).unwrap();

    let mut api_server = sandbox.supervisor().find("kube-apiserver").unwrap();
    let stopped = sandbox.stop().unwrap();
    let names: Vec<_> = stopped.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["kube-controller-manager", "kube-apiserver", "etcd"]);
    assert!(stopped.iter().all(|(_, how)| *how == Ended::Asked), "{stopped:?}");
    assert!(!api_server.is_running());
}

#[test]
fn a_detached_sandbox_is_found_again_with_what_runs_beside_it() {
    let Some(binaries) = binaries() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.controllers = false;
    options.disabled_admission_plugins = vec!["PodSecurity".to_owned()];
    drop(Sandbox::start(&options, &binaries, &mut |_| {}).unwrap());

    let error = Sandbox::start(&options, &binaries, &mut |_| {}).unwrap_err();
    assert!(matches!(error, SandboxError::AlreadyRunning { .. }), "{error}");
    let sandbox = Sandbox::attach(folder.path()).unwrap();
    drop(sandbox.run(&Program::new("companion", "sleep").args(["600"])).unwrap());
    // The plugin is off: a privileged Pod passes in a namespace that forbids it.
    let namespace = r"
apiVersion: v1
kind: Namespace
metadata: {name: strict, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: strict}
---
apiVersion: v1
kind: Pod
metadata: {name: root, namespace: strict}
spec: {containers: [{name: c, image: 'i:1', securityContext: {privileged: true}}]}
";
    let file = write(folder.path(), "strict.yaml", namespace);
    run(sandbox.kubectl(), &["apply", "-f", &file]).unwrap();
    drop(sandbox);

    let stopped = Sandbox::stop_at(folder.path()).unwrap();
    let names: Vec<_> = stopped.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["companion", "kube-apiserver", "etcd"]);
    assert!(matches!(Sandbox::stop_at(folder.path()), Err(SandboxError::NotRunning { .. })));
    assert!(matches!(Sandbox::attach(folder.path()), Err(SandboxError::NotRunning { .. })));
}

#[test]
fn a_start_that_fails_shows_the_log_and_leaves_nothing_running() {
    let Some(binaries) = binaries() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.api_server_args = vec!["--no-such-flag".to_owned()];
    let error = Sandbox::start(&options, &binaries, &mut |_| {}).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("kube-apiserver ended (exit status: 1)"), "{text}");
    assert!(text.contains("unknown flag: --no-such-flag"), "{text}");
    assert!(matches!(Sandbox::stop_at(folder.path()), Err(SandboxError::NotRunning { .. })));
}
