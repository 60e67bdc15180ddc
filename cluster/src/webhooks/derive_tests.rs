//! Which rules policies ask for, with the discovery of a small cluster.

use super::*;
use crate::webhooks::samples::{cluster, policy};

fn rule(groups: &[&str], resources: &[&str], operations: &[&str]) -> serde_json::Value {
    serde_json::json!([{"apiGroups": groups, "resources": resources, "operations": operations}])
}

/// `group/resource VERB` of all atoms.
fn asked(policy: &Registered) -> Vec<String> {
    let mut names: Vec<_> = policy
        .atoms(&cluster())
        .iter()
        .map(|atom| format!("{}:{} {}", atom.group, atom.resource, atom.verb.as_str()))
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn what_is_named_is_registered_as_named_even_if_it_is_not_served_yet() {
    let named = policy(&rule(&["gone.io"], &["things", "things/scale"], &["CREATE", "DELETE"]));
    assert_eq!(
        asked(&named),
        [
            "gone.io:things CREATE",
            "gone.io:things DELETE",
            "gone.io:things/scale CREATE",
            "gone.io:things/scale DELETE"
        ]
    );
}

#[test]
fn everything_leaves_out_what_keeps_the_cluster_alive() {
    let everything = policy(&rule(&["*"], &["*"], &["CREATE"]));
    assert_eq!(
        asked(&everything),
        [
            ":namespaces CREATE",
            ":pods CREATE",
            ":serviceaccounts CREATE",
            ":services CREATE",
            "apps:deployments CREATE",
            "example.com:widgets CREATE"
        ]
    );
}

#[test]
fn a_star_among_the_verbs_is_all_but_delete() {
    let services = policy(&rule(&[""], &["services"], &["*"]));
    assert_eq!(asked(&services), [":services CREATE", ":services UPDATE"]);
}

#[test]
fn subresources_of_pods_are_those_that_pod_security_judges() {
    assert_eq!(
        asked(&policy(&rule(&[""], &["pods/*"], &["UPDATE"]))),
        [":pods/ephemeralcontainers UPDATE", ":pods/resize UPDATE"]
    );
    assert_eq!(
        asked(&policy(&rule(&["apps", "example.com"], &["*/*"], &["UPDATE"]))),
        [
            "apps:deployments UPDATE",
            "apps:deployments/scale UPDATE",
            "example.com:widgets UPDATE",
            "example.com:widgets/scale UPDATE"
        ]
    );
    assert_eq!(
        asked(&policy(&rule(&["*"], &["*/scale"], &["UPDATE"]))),
        ["apps:deployments/scale UPDATE", "example.com:widgets/scale UPDATE"]
    );
}

#[test]
fn connections_only_if_they_are_named() {
    assert_eq!(asked(&policy(&rule(&[""], &["pods", "pods/*"], &["CONNECT"]))), Vec::<String>::new());
    assert_eq!(
        asked(&policy(&rule(&[""], &["pods/exec", "pods/attach"], &["*"]))),
        [":pods/attach CONNECT", ":pods/exec CONNECT"]
    );
}

#[test]
fn never_our_own_kinds_crds_status_or_eviction() {
    let policy = policy(&serde_json::json!([
        {"apiGroups": ["wayguard.io"], "resources": ["policies"], "operations": ["*"]},
        {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "operations": ["*"]},
        {"apiGroups": [""], "resources": ["pods/status", "pods/eviction"], "operations": ["*"]},
    ]));
    assert_eq!(asked(&policy), Vec::<String>::new());
}

#[test]
fn a_policy_for_pods_that_expands_is_asked_about_workloads_too() {
    let mut pods = policy(&rule(&[""], &["pods", "pods/resize"], &["CREATE", "UPDATE", "DELETE"]));
    pods.expand = true;
    pods.templates = vec![TemplatePath {
        api_group: "argoproj.io".into(),
        resource: "rollouts".into(),
        path: "/spec/template".into(),
    }];
    let asked = asked(&pods);
    for wanted in [
        ":pods DELETE",
        ":pods/resize UPDATE",
        "apps:deployments CREATE",
        "apps:deployments UPDATE",
        "batch:cronjobs UPDATE",
        ":podtemplates CREATE",
        "argoproj.io:rollouts CREATE",
    ] {
        assert!(asked.iter().any(|name| name == wanted), "{wanted}: {asked:?}");
    }
    assert!(
        !asked.iter().any(|name| name.contains("deployments DELETE") || name.contains("deployments/")),
        "{asked:?}"
    );
    // A policy for services that says `expand` has no Pods to expand.
    let mut services = policy(&rule(&[""], &["services"], &["CREATE"]));
    services.expand = true;
    assert_eq!(services.atoms(&cluster()).len(), 1);
}

#[test]
fn an_exclusion_of_a_whole_resource_narrows_and_a_partial_one_does_not() {
    let mut all = policy(&rule(&["apps", "example.com"], &["*"], &["CREATE"]));
    all.matches.exclude_resource_rules =
        serde_json::from_value(serde_json::json!([
            {"apiGroups": ["apps"], "resources": ["deployments"], "operations": ["*"]},
            {"apiGroups": ["example.com"], "resources": ["*"], "operations": ["CREATE"], "resourceNames": ["one"]},
        ]))
        .unwrap();
    assert_eq!(asked(&all), ["example.com:widgets CREATE"]);
}

#[test]
fn each_policy_lands_in_its_group_and_lifelines_never_in_fail() {
    let strict = policy(&serde_json::json!([
        {"apiGroups": [""], "resources": ["pods", "nodes", "events", "serviceaccounts/token"], "operations": ["CREATE"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "operations": ["UPDATE"]},
    ]));
    let mut lenient = policy(&rule(&[""], &["services"], &["CREATE", "DELETE"]));
    lenient.group = Group::Ignore;
    lenient.mutates = true;
    let mut defaults = policy(&rule(&[""], &["pods"], &["CREATE"]));
    (defaults.mutates, defaults.validates) = (true, false);
    let all = [strict, lenient, defaults];
    let of = |groups: &Groups, entry: Entry| -> Vec<String> {
        let rules = groups.get(&entry).cloned().unwrap_or_default();
        rules.iter().map(|atom| format!("{} {}", atom.resource, atom.verb.as_str())).collect()
    };
    let enforced = groups(&all, &cluster(), false);
    assert_eq!(of(&enforced, Entry::ValidateFail), ["pods CREATE"]);
    assert_eq!(
        of(&enforced, Entry::ValidateFailOpen),
        ["events CREATE", "nodes CREATE", "serviceaccounts/token CREATE", "leases UPDATE"]
    );
    assert_eq!(of(&enforced, Entry::ValidateIgnore), ["services CREATE", "services DELETE"]);
    assert_eq!(of(&enforced, Entry::Mutate), ["pods CREATE", "services CREATE"], "no patch on DELETE");
    assert_eq!(
        of(&groups(&all, &cluster(), true), Entry::Mutate),
        Vec::<String>::new(),
        "observing changes nothing"
    );
}
