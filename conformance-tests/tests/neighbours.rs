//! Another mutating webhook runs after ours. What it adds is judged and filled in; what it undoes is done again, or the
//! request is refused: nothing slips through behind our back.
//!
//! The neighbour is a second `wayguard serve` of its own, with policies that meddle.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use wayguard_conformance_tests::{Sandbox, eventually, policy, wayguard};

const ENFORCED: &str = r#"overrides contains {"path": "/data/tier", "value": "web"}"#;
const MEDDLED: &str = r#"overrides contains {"path": "/data/tier", "value": "rogue"}"#;
const SIDECAR: &str = r#"names contains container.name if some container in input.review.object.spec.containers

sidecar := {"name": "sidecar", "image": sprintf("registry.example/sidecar:%v", [input.review.object.metadata.annotations.sidecar])}

overrides contains {"path": "/spec/containers", "value": array.concat(input.review.object.spec.containers, [sidecar])} if not "sidecar" in names"#;

/// A server beside the sandbox, stopped when dropped.
struct Neighbour {
    child: Child,
    url: String,
    ca: String,
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Neighbour {
    fn start(folder: &Path) -> Self {
        let policies = folder.join("meddling.yaml");
        let text = policy("meddled", "", "configmaps", "CREATE, UPDATE", MEDDLED)
            + &policy("sidecar", "", "pods", "CREATE, UPDATE", SIDECAR);
        std::fs::write(&policies, text).unwrap();
        let ca_file = folder.join("neighbour-ca.pem");
        let mut child = Command::new(wayguard())
            .args(["serve", "--listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0", "--ca-file"])
            .arg(&ca_file)
            .arg("--policies")
            .arg(&policies)
            .env("NO_COLOR", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            Some(line.split_once("serving admission=")?.1.split_whitespace().next()?.to_owned())
        });
        // It writes on; nobody may keep it from doing so.
        std::thread::spawn(move || lines.for_each(drop));
        let url = format!("https://{}", address.expect("the neighbour says where it listens"));
        Self { child, url, ca: std::fs::read_to_string(ca_file).unwrap() }
    }

    /// Its registration: behind ours, because configurations are asked in the order of their names.
    fn registration(&self, reinvocation: &str) -> String {
        let ca = base64(self.ca.as_bytes());
        format!(
            "{{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {{name: zz-neighbour}}, webhooks: [{{name: meddle.neighbour.example, clientConfig: {{url: '{}/mutate', caBundle: {ca}}}, rules: [{{apiGroups: [''], apiVersions: ['*'], resources: [pods, configmaps], operations: [CREATE, UPDATE]}}], admissionReviewVersions: [v1], sideEffects: None, failurePolicy: Fail, reinvocationPolicy: {reinvocation}, namespaceSelector: {{matchLabels: {{neighbour: 'yes'}}}}}}]}}",
            self.url
        )
    }
}

fn base64(bytes: &[u8]) -> String {
    let mut child =
        Command::new("base64").arg("-w0").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

const NAMESPACE: &str = "neighbourhood";

fn config_map(name: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: {NAMESPACE}}}, data: {{a: b}}}}"
    )
}

fn pod(name: &str, sidecar: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {NAMESPACE}, annotations: {{sidecar: '{sidecar}'}}}}, spec: {{containers: [{{name: app, image: 'registry.example/app:1'}}]}}}}"
    )
}

#[test]
fn a_neighbour_that_writes_after_us() {
    let folder = tempfile::tempdir().unwrap();
    let ours = folder.path().join("enforced.yaml");
    std::fs::write(&ours, policy("enforced", "", "configmaps", "CREATE, UPDATE", ENFORCED)).unwrap();
    let ours = ours.to_str().unwrap();
    let sandbox =
        Sandbox::start(&["--policies", "golden-path", "--policies", "pod-security", "--policies", ours]);
    sandbox.namespace(NAMESPACE, "development");
    sandbox.kubectl(&["label", "namespace", NAMESPACE, "neighbour=yes"], "").accepted();
    let neighbour = Neighbour::start(folder.path());
    sandbox.apply(&neighbour.registration("Never")).accepted();
    eventually("the neighbour is asked", || {
        let said =
            sandbox.kubectl(&["apply", "--dry-run=server", "-o", "name", "-f", "-"], &pod("probe", "latest"));
        said.err.contains("containers[sidecar]")
    });
    what_it_undoes_once_is_done_again(&sandbox);
    what_it_adds_is_judged_and_filled_in(&sandbox);

    sandbox.apply(&neighbour.registration("IfNeeded")).accepted();
    eventually("what it has undone at the end is refused", || {
        let said = sandbox.kubectl(&["apply", "--dry-run=server", "-f", "-"], &config_map("undone"));
        !said.fine
            && said.err.contains("denied by enforced: data.tier has a value that is not shown; must be \"web\" (the platform enforces this value, but its mutation was skipped or undone by another webhook)")
    });
}

fn what_it_undoes_once_is_done_again(sandbox: &Sandbox) {
    sandbox.apply(&config_map("redone")).accepted();
    assert_eq!(sandbox.get("configmap", "redone", NAMESPACE)["data"]["tier"], "web");
}

fn what_it_adds_is_judged_and_filled_in(sandbox: &Sandbox) {
    let complaint = sandbox.apply(&pod("floating", "latest")).refused();
    assert!(
        complaint.contains(
            "denied by images/latest-tag: spec.containers[sidecar].image is `registry.example/sidecar:latest`"
        ),
        "{complaint}"
    );
    sandbox.apply(&pod("fixed", "2")).accepted();
    let pod = sandbox.get("pod", "fixed", NAMESPACE);
    let sidecar = &pod["spec"]["containers"][1];
    assert_eq!(sidecar["name"], "sidecar", "{pod}");
    assert_eq!(
        sidecar["securityContext"]["allowPrivilegeEscalation"], false,
        "our defaults reach it: {sidecar}"
    );
    assert_eq!(sidecar["resources"]["requests"]["memory"], "256Mi", "{sidecar}");
}
