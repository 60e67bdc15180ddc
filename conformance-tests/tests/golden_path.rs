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
        }
    }
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
    assert!(said.err.contains("Warning: workload/probes"), "the team is told what is still missing: {}", said.err);
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
    for side in [&["diff", "-f", "-"][..], &["diff", "--server-side", "-f", "-"]] {
        let diff = sandbox.kubectl(side, &fixed);
        assert!(diff.fine && diff.out.is_empty(), "{side:?} shows a difference: {}{}", diff.out, diff.err);
    }
}

fn pods(sandbox: &Sandbox, name: &str) -> Vec<Value> {
    let selector = format!("app={name}");
    let text = sandbox.kubectl(&["get", "pods", "-n", NAMESPACE, "-l", &selector, "-o", "json"], "").accepted();
    let list: Value = serde_json::from_str(&text).unwrap();
    list["items"].as_array().cloned().unwrap_or_default()
}
