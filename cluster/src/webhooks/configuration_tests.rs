//! The configurations as committed files.

use super::*;
use crate::manifest;
use crate::manifest::golden;
use crate::webhooks::samples::{cluster, policy};
use crate::webhooks::{EXEMPT_NAMESPACES, groups};
use wayguard_engine::policy::compiled::Group;

fn settings() -> Settings {
    Settings {
        name: "wayguard".into(),
        endpoint: Endpoint::Service {
            namespace: "wayguard-system".into(),
            name: "wayguard".into(),
            port: 443,
        },
        ca_bundle: b"-- a CA --".to_vec(),
        exempt_namespaces: EXEMPT_NAMESPACES.map(str::to_owned).to_vec(),
        owner: Some(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "name": "wayguard-anchor", "uid": "0000",
        })),
        paused: false,
    }
}

/// A policy of each sort: pods with expansion, connections, lifelines, warnings, defaults.
fn sample() -> Groups {
    let mut pods = policy(
        &json!([{"apiGroups": [""], "resources": ["pods", "pods/*"], "operations": ["CREATE", "UPDATE"]}]),
    );
    pods.expand = true;
    let exec = policy(&json!([{"apiGroups": [""], "resources": ["pods/exec"], "operations": ["CONNECT"]}]));
    let nodes = policy(&json!([{"apiGroups": [""], "resources": ["nodes"], "operations": ["UPDATE"]}]));
    let mut services = policy(
        &json!([{"apiGroups": [""], "resources": ["services", "namespaces"], "operations": ["CREATE", "DELETE"]}]),
    );
    services.group = Group::Ignore;
    let mut defaults = policy(&json!([{"apiGroups": [""], "resources": ["pods"], "operations": ["CREATE"]}]));
    defaults.mutates = true;
    groups(&[pods, exec, nodes, services, defaults], &cluster(), false)
}

#[test]
fn enforcing_by_a_service() {
    golden::check("golden/webhooks-service.yaml", &manifest::stream(&configurations(&sample(), &settings())));
}

#[test]
fn a_server_outside_of_the_cluster_is_called_by_its_address() {
    let settings =
        Settings { endpoint: Endpoint::Url("https://127.0.0.1:8443/".into()), owner: None, ..settings() };
    golden::check("golden/webhooks-url.yaml", &manifest::stream(&configurations(&sample(), &settings)));
}

#[test]
fn paused_nothing_fails_closed_and_all_else_is_equal() {
    let paused = configurations(&sample(), &Settings { paused: true, ..settings() });
    let text = manifest::stream(&paused);
    assert!(!text.contains("failurePolicy: Fail"));
    let running = manifest::stream(&configurations(&sample(), &settings()));
    assert_eq!(text, running.replace("failurePolicy: Fail", "failurePolicy: Ignore"));
}

#[test]
fn only_what_the_design_names_fails_closed() {
    let [mutating, validating] = configurations(&sample(), &settings());
    let policy_of = |object: &Value| -> Vec<(String, String)> {
        let text = |webhook: &Value, key: &str| webhook[key].as_str().unwrap().to_owned();
        object["webhooks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (text(it, "name"), text(it, "failurePolicy")))
            .collect()
    };
    let pair = |name: &str, policy: &str| (name.to_owned(), policy.to_owned());
    assert_eq!(
        policy_of(&mutating),
        [pair("mutate.wayguard.io", "Ignore"), pair("stamps.wayguard.io", "Ignore")]
    );
    assert_eq!(
        policy_of(&validating),
        [
            pair("claims.wayguard.io", "Fail"),
            pair("exceptions.wayguard.io", "Fail"),
            pair("policies.wayguard.io", "Ignore"),
            pair("validate-fail.wayguard.io", "Fail"),
            pair("validate-fail-open.wayguard.io", "Ignore"),
            pair("validate-ignore.wayguard.io", "Ignore"),
        ]
    );
}

#[test]
fn without_policies_only_our_own_kinds_are_left() {
    let [mutating, validating] = configurations(&Groups::new(), &settings());
    assert_eq!(mutating["webhooks"].as_array().unwrap().len(), 1);
    assert_eq!(validating["webhooks"].as_array().unwrap().len(), 3);
}

#[test]
fn what_is_written_is_read_back_as_the_same_rules() {
    let [mutating, validating] = configurations(&sample(), &settings());
    let live = crate::webhooks::Live { mutating: Some(mutating), validating: Some(validating) };
    assert_eq!(crate::webhooks::live_rules(&live), sample());
}
