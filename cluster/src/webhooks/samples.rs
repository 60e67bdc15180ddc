//! A small cluster's discovery, and policies with given rules, for tests.

use super::Registered;
use crate::discovery::{ResourceKind, Resources};
use std::collections::BTreeSet;
use wayguard_engine::policy::compiled::Group;

fn kind(group: &str, plural: &str, namespaced: bool, verbs: &[&str], subs: &[&str]) -> ResourceKind {
    let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<BTreeSet<_>>();
    ResourceKind {
        group: group.to_owned(),
        versions: vec!["v1".to_owned()],
        plural: plural.to_owned(),
        kind: plural.to_owned(),
        namespaced,
        verbs: owned(verbs),
        subresources: owned(subs),
    }
}

/// What a cluster has, in short.
pub(crate) fn cluster() -> Resources {
    let all = &["create", "delete", "get", "list", "patch", "update", "watch"][..];
    let pod_subs = &[
        "attach",
        "binding",
        "ephemeralcontainers",
        "eviction",
        "exec",
        "log",
        "portforward",
        "proxy",
        "resize",
        "status",
    ];
    Resources {
        kinds: vec![
            kind("", "pods", true, all, pod_subs),
            kind("", "nodes", false, all, &["proxy", "status"]),
            kind("", "events", true, all, &[]),
            kind("", "endpoints", true, all, &[]),
            kind("", "namespaces", false, all, &["finalize", "status"]),
            kind("", "serviceaccounts", true, all, &["token"]),
            kind("", "services", true, all, &["proxy", "status"]),
            kind("apps", "deployments", true, all, &["scale", "status"]),
            kind("coordination.k8s.io", "leases", true, all, &[]),
            kind("authentication.k8s.io", "tokenreviews", false, &["create"], &[]),
            kind("certificates.k8s.io", "certificatesigningrequests", false, all, &["approval", "status"]),
            kind("apiextensions.k8s.io", "customresourcedefinitions", false, all, &["status"]),
            kind("admissionregistration.k8s.io", "validatingwebhookconfigurations", false, all, &[]),
            kind("metrics.k8s.io", "pods", true, &["get", "list"], &[]),
            kind("wayguard.io", "policies", false, all, &["status"]),
            kind("example.com", "widgets", true, all, &["scale", "status"]),
        ],
        stale_groups: BTreeSet::new(),
    }
}

pub(crate) fn policy(rules: &serde_json::Value) -> Registered {
    Registered {
        name: "p".to_owned(),
        matches: serde_json::from_value(serde_json::json!({"resourceRules": rules})).unwrap(),
        kinds: Vec::new(),
        expand: false,
        templates: Vec::new(),
        mutates: false,
        validates: true,
        group: Group::Fail,
    }
}
