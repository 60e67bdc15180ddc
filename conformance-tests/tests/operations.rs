//! One request of each operation and subresource, through kubectl: what is judged, what never is, and that changes land
//! only where they may.

use std::io::Write as _;
use wayguard_conformance_tests::{Sandbox, eventually, here, policy};

/// Denies what carries the label `refuse`, and says by which operation and subresource it came.
const REFUSE: &str = r#"deny contains {"path": "/metadata/labels/refuse", "found": "yes", "expected": "no", "msg": msg} if {
	subject := [it | some it in [input.review.object, input.review.oldObject]; is_object(it)][0]
	subject.metadata.labels.refuse == "yes"
	sub := object.get(input.review, "subResource", "")
	msg := sprintf("%v of %v/%v", [input.review.operation, input.review.resource.resource, sub])
}"#;

fn policies() -> String {
    [
        policy("labelled", "", "configmaps", "CREATE, UPDATE, DELETE", REFUSE),
        policy("exec", "", "pods/exec, pods/attach, pods/portforward, pods/proxy", "CONNECT", "deny contains sprintf(\"%v of pods/%v as %v: %v\", [input.review.operation, input.review.subResource, input.review.userInfo.username, input.review.object.kind])"),
        policy("scale", "apps", "deployments/scale", "UPDATE", "deny contains sprintf(\"%v replicas\", [input.review.object.spec.replicas]) if input.review.object.spec.replicas > 3"),
        policy("resize", "", "pods/resize", "UPDATE", "deny contains \"no resizing\" if input.review.subResource == \"resize\""),
        policy("never", "", "pods/status, pods/eviction", "CREATE, UPDATE", "deny contains \"this must never be asked\""),
        policy("dry", "", "services", "CREATE", "deny contains sprintf(\"dryRun is %v\", [input.review.dryRun])"),
        policy("generated", "", "serviceaccounts", "CREATE", "deny contains sprintf(\"name `%v`, generateName `%v`\", [object.get(input.review, \"name\", \"\"), input.review.object.metadata.generateName]) if startswith(input.review.object.metadata.generateName, \"refused-\")\n\ndefaults contains {\"path\": \"/metadata/labels/robot\", \"value\": \"yes\"}"),
    ]
    .concat()
    // Whatever a Pod's resources were before, changing them is what is refused.
    .replace("[pods/resize], operations: [UPDATE]}]\n", "[pods/resize], operations: [UPDATE]}]\n  existing: Deny\n")
}

const NAMESPACE: &str = "operations";

#[test]
fn every_operation_and_subresource() {
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    file.write_all(policies().as_bytes()).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let sandbox =
        Sandbox::start(&["--policies", "golden-path", "--policies", "pod-security", "--policies", &path]);
    sandbox.namespace(NAMESPACE, "development");
    create_update_delete(&sandbox);
    connections(&sandbox);
    scaling(&sandbox);
    pods_subresources(&sandbox);
    status_and_eviction_are_never_judged(&sandbox);
    dry_run(&sandbox);
    generated_names(&sandbox);
    namespaces(&sandbox);
}

fn labelled(name: &str, refuse: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: {NAMESPACE}, labels: {{refuse: '{refuse}'}}}}}}"
    )
}

fn create_update_delete(sandbox: &Sandbox) {
    let complaint = sandbox.apply(&labelled("a", "yes")).refused();
    assert!(
        complaint.contains(
            "denied by labelled: metadata.labels.refuse is `yes`; must be no (CREATE of configmaps/)"
        ),
        "{complaint}"
    );
    sandbox.apply(&labelled("a", "no")).accepted();
    for verb in [
        &["apply", "-f", "-"][..],
        &["replace", "-f", "-"],
        &["apply", "--server-side", "--force-conflicts", "-f", "-"],
    ] {
        let complaint = sandbox.kubectl(verb, &labelled("a", "yes")).refused();
        assert!(complaint.contains("must be no (UPDATE of configmaps/). Fix: "), "{verb:?}: {complaint}");
    }
    sandbox.kubectl(&["delete", "configmap", "a", "-n", NAMESPACE], "").accepted();

    // What is there before a policy names deletions can still be updated where nothing new is wrong, not deleted.
    let pause = ["pause", "--reason", "an object that is refused now"];
    sandbox.wayguard(&pause, "").accepted();
    eventually("it is there", || {
        sandbox
            .kubectl(&["delete", "validatingwebhookconfiguration", "wayguard", "--ignore-not-found"], "")
            .accepted();
        sandbox.apply(&labelled("old", "yes")).fine
    });
    sandbox.wayguard(&["pause", "--end"], "").accepted();
    eventually("the gate is back", || {
        !sandbox.kubectl(&["apply", "--dry-run=server", "-f", "-"], &labelled("b", "yes")).fine
    });
    let said = sandbox.kubectl(&["annotate", "configmap", "old", "a=b", "-n", NAMESPACE], "");
    assert!(said.err.contains("(UPDATE of configmaps/) (the object had this before)"), "{}", said.err);
    said.accepted();
    for what in [&["delete", "configmap", "old"][..], &["delete", "configmaps", "-l", "refuse=yes"]] {
        let complaint = sandbox.kubectl(&[what, &["-n", NAMESPACE]].concat(), "").refused();
        assert!(complaint.contains("must be no (DELETE of configmaps/)"), "{what:?}: {complaint}");
    }
    let finalizers = r#"{"metadata":{"finalizers":["example.com/later"]}}"#;
    let said = sandbox
        .kubectl(&["patch", "configmap", "old", "-n", NAMESPACE, "--type=merge", "-p", finalizers], "");
    assert!(!said.err.contains("Warning"), "bookkeeping is not judged: {}", said.err);
    said.accepted();
}

fn pod(name: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {NAMESPACE}}}, spec: {{containers: [{{name: app, image: 'registry.example/app:1', resources: {{limits: {{memory: 1Gi, cpu: '1'}}, requests: {{memory: 1Gi, cpu: '1'}}}}}}]}}}}"
    )
}

fn connections(sandbox: &Sandbox) {
    sandbox.apply(&pod("shell")).accepted();
    let complaint = sandbox.kubectl(&["exec", "shell", "-n", NAMESPACE, "--", "sh"], "").refused();
    assert!(
        complaint.contains("denied by exec: CONNECT of pods/exec as sandbox-admin: PodExecOptions"),
        "{complaint}"
    );
    let complaint = sandbox.kubectl(&["attach", "shell", "-n", NAMESPACE], "").refused();
    assert!(complaint.contains("denied by exec: CONNECT of pods/attach"), "{complaint}");
    let proxy = format!("/api/v1/namespaces/{NAMESPACE}/pods/shell/proxy/");
    let complaint = sandbox.kubectl(&["get", "--raw", &proxy], "").refused();
    assert!(complaint.contains("denied by exec: CONNECT of pods/proxy"), "{complaint}");
}

fn scaling(sandbox: &Sandbox) {
    let manifest = std::fs::read_to_string(here().join("manifests/deployment.yaml")).unwrap();
    let manifest = manifest.replace("developer-team-alpha", NAMESPACE).replace(":latest", ":1.4.2");
    sandbox.apply(&manifest).accepted();
    let scale = |replicas: &str| {
        sandbox
            .kubectl(&["scale", "deployment", "shop", "-n", NAMESPACE, &format!("--replicas={replicas}")], "")
    };
    let complaint = scale("5").refused();
    assert!(complaint.contains("denied by scale: 5 replicas"), "{complaint}");
    scale("1").accepted();
    scale("3").accepted();
}

fn pods_subresources(sandbox: &Sandbox) {
    let debug =
        r#"{"spec":{"ephemeralContainers":[{"name":"debug","image":"registry.example/debug:latest"}]}}"#;
    let patch = |sub: &str, patch: &str| {
        let sub = format!("--subresource={sub}");
        sandbox.kubectl(&["patch", "pod", "shell", "-n", NAMESPACE, &sub, "-p", patch], "")
    };
    let complaint = patch("ephemeralcontainers", debug).refused();
    assert!(
        complaint.contains("denied by images/latest-tag: spec.ephemeralContainers[debug].image is"),
        "{complaint}"
    );
    patch("ephemeralcontainers", &debug.replace(":latest", ":1")).accepted();
    let resize = r#"{"spec":{"containers":[{"name":"app","resources":{"requests":{"cpu":"500m"},"limits":{"cpu":"500m"}}}]}}"#;
    let complaint = patch("resize", resize).refused();
    assert!(complaint.contains("denied by resize: no resizing"), "{complaint}");
}

fn status_and_eviction_are_never_judged(sandbox: &Sandbox) {
    let status = r#"{"status":{"phase":"Running"}}"#;
    sandbox
        .kubectl(
            &["patch", "pod", "shell", "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p", status],
            "",
        )
        .accepted();
    let eviction = format!(
        "{{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{{\"name\":\"shell\",\"namespace\":\"{NAMESPACE}\"}}}}"
    );
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(eviction.as_bytes()).unwrap();
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/shell/eviction");
    sandbox.kubectl(&["create", "--raw", &path, "-f", file.path().to_str().unwrap()], "").accepted();
}

fn dry_run(sandbox: &Sandbox) {
    let service = format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: s, namespace: {NAMESPACE}}}, spec: {{ports: [{{port: 80}}]}}}}"
    );
    let complaint = sandbox.kubectl(&["apply", "--dry-run=server", "-f", "-"], &service).refused();
    assert!(complaint.contains("denied by dry: dryRun is true"), "{complaint}");
    let complaint = sandbox.apply(&service).refused();
    assert!(complaint.contains("denied by dry: dryRun is false"), "{complaint}");
}

fn generated_names(sandbox: &Sandbox) {
    let account = |prefix: &str| {
        format!(
            "{{apiVersion: v1, kind: ServiceAccount, metadata: {{generateName: {prefix}, namespace: {NAMESPACE}}}}}"
        )
    };
    let complaint = sandbox.kubectl(&["create", "-f", "-"], &account("refused-")).refused();
    assert!(complaint.contains("denied by generated: name `"), "{complaint}");
    assert!(complaint.contains("generateName `refused-`"), "{complaint}");
    sandbox.kubectl(&["create", "-f", "-"], &account("robot-")).accepted();
    let made = sandbox
        .kubectl(&["get", "serviceaccounts", "-n", NAMESPACE, "-l", "robot=yes", "-o", "name"], "")
        .accepted();
    assert!(made.contains("serviceaccount/robot-"), "the default was written: {made}");
}

fn namespaces(sandbox: &Sandbox) {
    let complaint = sandbox
        .apply("{apiVersion: v1, kind: Namespace, metadata: {name: nobodys, labels: {team: alpha, environment: development, managed-by: idp, pod-security.kubernetes.io/enforce: bogus}}}")
        .refused();
    assert!(complaint.contains("denied by pod-security/namespace-labels"), "{complaint}");
    assert!(
        complaint.contains("Invalid value: \"bogus\": must be one of privileged, baseline, restricted"),
        "{complaint}"
    );
    sandbox.kubectl(&["delete", "namespace", NAMESPACE, "--wait=false"], "").accepted();
    eventually("it goes, with all that is in it but what has a finalizer", || {
        let pods = sandbox.kubectl(&["get", "pods", "-n", NAMESPACE, "-o", "name"], "");
        pods.fine && pods.out.is_empty()
    });
}
