//! The main job, as a team meets it: `kubectl apply` of a namespace and of applications is filled in, warned about
//! or refused, on a real API server with real controllers.

use serde_json::{Value, json};
use std::path::PathBuf;
use wayguard_conformance_tests::{Sandbox, eventually, here};

/// The test manifests, and the seed of the platform where it is at hand.
fn manifests(name: &str) -> Vec<String> {
    let own = here().join("manifests").join(name);
    let seed_name = match name {
        "deployment-without-selector.yaml" => "deployment-as-printed.yaml",
        other => other,
    };
    let seed: PathBuf = here().join("../../shared/fixtures/seed").join(seed_name);
    let mut found = vec![std::fs::read_to_string(own).unwrap()];
    match std::fs::read_to_string(&seed) {
        Ok(text) => found.push(text),
        Err(_) => println!("skipped: the platform's seed is not beside this checkout"),
    }
    found
}

fn name_of(manifest: &str) -> &'static str {
    match manifest {
        text if text.contains("name: shop-two") => "shop-two",
        text if text.contains("name: shop") => "shop",
        _ => "my-app",
    }
}

const NAMESPACE: &str = "developer-team-alpha";

#[test]
fn the_golden_path() {
    let sandbox = Sandbox::start(&[]);
    for manifest in manifests("namespace.yaml") {
        sandbox.apply(&manifest).accepted();
    }
    let labels = sandbox.get("namespace", NAMESPACE, "")["metadata"]["labels"].clone();
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "baseline", "{labels}");
    assert_eq!(labels["team"], "alpha");

    for file in ["deployment.yaml", "deployment-without-selector.yaml"] {
        for manifest in manifests(file) {
            refused_for_its_tag(&sandbox, &manifest);
            admitted_with_a_fixed_tag(&sandbox, &manifest);
            if name_of(&manifest) == "my-app" {
                // Both seeds have this name, and a selector cannot be taken from a Deployment that has one.
                sandbox.kubectl(&["delete", "deployment", "my-app", "-n", NAMESPACE], "").accepted();
            }
        }
    }
    what_is_older_than_the_policies_can_be_labelled(&sandbox);
    deletions_status_and_exempt_namespaces(&sandbox);
}

const OLD: &str = "older-than-the-policies";

/// Objects that would be refused today, made while nobody was asked.
fn old_objects() -> String {
    let pod = "{restartPolicy: Never, hostNetwork: true, containers: [{name: app, image: 'registry.example/old:latest'}]}";
    format!(
        "---
{{apiVersion: v1, kind: Namespace, metadata: {{name: {OLD}, labels: {{team: alpha, environment: development, managed-by: idp}}}}}}
---
{{apiVersion: v1, kind: Pod, metadata: {{name: pod, namespace: {OLD}}}, spec: {pod}}}
---
{{apiVersion: batch/v1, kind: Job, metadata: {{name: job, namespace: {OLD}}}, spec: {{template: {{spec: {pod}}}}}}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: deployment, namespace: {OLD}}}, spec: {{selector: {{matchLabels: {{app: old}}}}, template: {{metadata: {{labels: {{app: old}}}}, spec: {}}}}}}}",
        pod.replace("restartPolicy: Never, ", "")
    )
}

fn what_is_older_than_the_policies_can_be_labelled(sandbox: &Sandbox) {
    sandbox.wayguard(&["pause", "--reason", "objects older than the policies"], "").accepted();
    let kinds = "validatingwebhookconfiguration,mutatingwebhookconfiguration";
    // `control` may write once more before it sees the pause; what is deleted after that stays deleted.
    eventually("the API server asks nobody", || {
        sandbox.kubectl(&["delete", kinds, "wayguard", "--ignore-not-found"], "").accepted();
        sandbox.apply(&old_objects()).fine
    });
    sandbox.wayguard(&["pause", "--end"], "").accepted();
    let fresh = "{apiVersion: v1, kind: Pod, metadata: {name: fresh, namespace: developer-team-alpha}, spec: {containers: [{name: app, image: 'registry.example/new:latest'}]}}";
    eventually("the API server asks again", || {
        sandbox
            .kubectl(&["apply", "--dry-run=server", "-f", "-"], fresh)
            .err
            .contains("denied by images/latest-tag")
    });

    for (kind, template) in [("pod", "/spec"), ("job", "/spec/template"), ("deployment", "/spec/template")] {
        let before = sandbox.get(kind, kind, OLD);
        sandbox.kubectl(&["label", kind, kind, "-n", OLD, "tier=web"], "").accepted();
        let after = sandbox.get(kind, kind, OLD);
        assert_eq!(after["metadata"]["labels"]["tier"], "web");
        assert_eq!(before.pointer(template), after.pointer(template), "{kind}: its Pods are left alone");
        assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"], "{kind}: no rollout");
    }
    let other = r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"registry.example/other:latest"}]}}}}"#;
    let complaint =
        sandbox.kubectl(&["patch", "deployment", "deployment", "-n", OLD, "-p", other], "").refused();
    assert!(complaint.contains("denied by images/latest-tag"), "what is new is judged: {complaint}");
}

fn deletions_status_and_exempt_namespaces(sandbox: &Sandbox) {
    sandbox.kubectl(&["delete", "pod", "pod", "-n", OLD, "--grace-period=0", "--force"], "").accepted();
    let status = r#"{"status":{"phase":"Running"}}"#;
    let name = pods(sandbox, "shop").first().cloned().unwrap_or_default();
    let name = name["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    sandbox
        .kubectl(
            &["patch", "pod", &name, "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p", status],
            "",
        )
        .accepted();
    let privileged = "{apiVersion: v1, kind: Pod, metadata: {name: cni, namespace: kube-system}, spec: {hostNetwork: true, containers: [{name: cni, image: 'registry.example/cni:latest', securityContext: {privileged: true}}]}}";
    sandbox.apply(privileged).accepted();
    let elsewhere = privileged.replace("kube-system", NAMESPACE);
    let complaint = sandbox.apply(&elsewhere).refused();
    assert!(complaint.contains("denied by pod-security/privileged"), "{complaint}");
    assert!(complaint.contains("violates PodSecurity \"baseline:latest\""), "{complaint}");
    let debug = r#"{"spec":{"ephemeralContainers":[{"name":"debug","image":"registry.example/debug:1","securityContext":{"privileged":true}}]}}"#;
    let complaint = sandbox
        .kubectl(
            &["patch", "pod", &name, "-n", NAMESPACE, "--subresource=ephemeralcontainers", "-p", debug],
            "",
        )
        .refused();
    assert!(
        complaint.contains("spec.ephemeralContainers[debug].securityContext.privileged is true"),
        "{complaint}"
    );
}

fn refused_for_its_tag(sandbox: &Sandbox, manifest: &str) {
    let complaint = sandbox.apply(manifest).refused();
    assert!(complaint.contains("wayguard"), "who refused: {complaint}");
    assert!(complaint.contains("denied by images/latest-tag"), "{complaint}");
    assert!(complaint.contains("spec.template.spec.containers[app].image is"), "{complaint}");
    assert!(complaint.contains(". Fix: "), "{complaint}");
    assert_eq!(complaint.matches("denied by").count(), 1, "nothing else is refused: {complaint}");
}

fn admitted_with_a_fixed_tag(sandbox: &Sandbox, manifest: &str) {
    let fixed = manifest.replace(":latest", ":1.4.2");
    let name = name_of(&fixed);
    let said = sandbox.apply(&fixed);
    assert!(
        said.err.contains("Warning: workload/probes"),
        "the team is told what is still missing: {}",
        said.err
    );
    said.accepted();

    let deployment = sandbox.get("deployment", name, NAMESPACE);
    assert_eq!(deployment["metadata"]["labels"]["team"], "alpha", "labels come from the namespace");
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], json!({"app": name}));
    assert!(
        deployment.pointer("/spec/template/spec/containers/0/securityContext").is_none(),
        "the template stays as in Git: {deployment}"
    );

    eventually("the controller made three Pods", || pods(sandbox, name).len() == 3);
    for pod in pods(sandbox, name) {
        let container = &pod["spec"]["containers"][0];
        assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false, "{pod}");
        assert_eq!(container["securityContext"]["capabilities"]["drop"], json!(["ALL"]), "{pod}");
        assert_eq!(pod["spec"]["securityContext"]["runAsNonRoot"], true, "{pod}");
        assert_eq!(pod["metadata"]["labels"]["team"], "alpha", "{pod}");
    }
    let diff = sandbox.kubectl(&["diff", "-f", "-"], &fixed);
    assert!(diff.fine && diff.out.is_empty(), "a difference: {}{}", diff.out, diff.err);
    // After a client-side apply, kubectl's own `last-applied-configuration` differs server-side, with or without us.
    sandbox.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &fixed).accepted();
    let diff = sandbox.kubectl(&["diff", "--server-side", "-f", "-"], &fixed);
    assert!(diff.fine && diff.out.is_empty(), "a difference server-side: {}{}", diff.out, diff.err);
}

fn pods(sandbox: &Sandbox, name: &str) -> Vec<Value> {
    let selector = format!("app={name}");
    let text =
        sandbox.kubectl(&["get", "pods", "-n", NAMESPACE, "-l", &selector, "-o", "json"], "").accepted();
    let list: Value = serde_json::from_str(&text).unwrap();
    list["items"].as_array().cloned().unwrap_or_default()
}
