//! Policies that cannot be loaded: they answer as their `onError` says, for what they would have judged, and leave their
//! neighbours alone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

mod asking;

use asking::{WHOLE, creation, decide_at, decide_yaml};
use bumpalo::Bump;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::policy::spec::PolicySpec;
use wayguard_engine::*;

const GOOD: &str = r#"# METADATA
# scope: package
# title: No team zero
# description: The team zero does not exist.
# custom:
#   severity: low
#   category: demo
#   remedy: Name the team that owns it.
package demo.no_team_zero

deny contains "there is no team zero" if input.review.object.metadata.labels.team == "zero"
"#;

/// A policy on Pods from this Rego, with further fields of its spec.
fn spec(rego: &str, more: serde_json::Value) -> PolicySpec {
    let mut spec = serde_json::json!({
        "source": {"rego": rego},
        "match": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["*"], "resources": ["pods"], "operations": ["CREATE"]}]},
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn set(policies: &[(&str, PolicySpec)]) -> PolicySet {
    let mut builder = PolicySetBuilder::new(Library::embedded(), SetConfig::default());
    for (name, spec) in policies {
        builder.policy(name, spec.clone(), "test", None);
    }
    builder.build()
}

const BROKEN: &str = "package demo.broken\n\ndeny contains x if { y }\n";
const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a}, spec: {}}";
const DEPLOYMENT: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: a}, spec: {template: {spec: {}}}}";
const CONFIG_MAP: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: a}}";

#[test]
fn a_broken_policy_denies_what_it_would_have_judged_and_nothing_else() {
    let set = set(&[
        ("broken", spec(BROKEN, serde_json::json!({"expand": true}))),
        ("good", spec(GOOD, serde_json::json!({}))),
    ]);
    assert_eq!(set.failures().len(), 1, "{:?}", set.failures());
    for yaml in [POD, DEPLOYMENT] {
        let decision = decide_yaml(&set, yaml);
        assert_eq!(decision.verdict, Verdict::Error, "{yaml}");
        let line = "denied by broken: the policy could not be evaluated: it could not be loaded: ";
        assert!(decision.message.starts_with(line), "{}", decision.message);
        assert!(decision.message.contains("(`broken.rego` line 3)"), "{}", decision.message);
    }
    assert_eq!(decide_yaml(&set, CONFIG_MAP).verdict, Verdict::Allow);

    let zero = POD.replace("namespace: a", "namespace: a, labels: {team: zero}");
    let decision = decide_yaml(&set, &zero);
    assert_eq!(decision.verdict, Verdict::Deny, "a neighbour's denial is a clear answer");
    assert!(decision.findings.iter().any(|it| it.policy == "good" && it.effect == decision::Effect::Deny));
}

#[test]
fn with_on_error_allow_a_broken_policy_warns_in_the_group_that_fails_open() {
    for more in [serde_json::json!({"onError": "Allow"}), serde_json::json!({"action": "Warn"})] {
        let set = set(&[("broken", spec(BROKEN, more))]);
        let at = |stage| decide_at(&set, POD, &Context { stage, ..WHOLE });
        let decision = at(Stage::ValidateIgnore);
        assert_eq!(decision.verdict, Verdict::Warn);
        assert!(
            decision.warnings[0]
                .starts_with("broken: the policy could not be evaluated: it could not be loaded"),
            "{:?}",
            decision.warnings
        );
        assert_eq!(at(Stage::ValidateFail).findings, []);
        assert_eq!(at(Stage::Mutate).findings, [], "it is validation that says so");
    }
    let set = set(&[("broken", spec(BROKEN, serde_json::json!({})))]);
    let at = |stage| decide_at(&set, POD, &Context { stage, ..WHOLE });
    assert_eq!(at(Stage::ValidateIgnore).findings, []);
    assert_eq!(at(Stage::ValidateFail).verdict, Verdict::Error);
}

#[test]
fn where_the_namespace_is_out_of_reach_a_broken_policy_that_selects_by_it_is_skipped() {
    let selecting = serde_json::json!({"match": {
        "resourceRules": [{"apiGroups": [""], "apiVersions": ["*"], "resources": ["pods"], "operations": ["CREATE"]}],
        "namespaceSelector": {"matchLabels": {"team": "alpha"}},
    }});
    let set = set(&[("broken", spec(BROKEN, selecting))]);
    let bump = Bump::new();
    let request = creation(&bump, POD, "a");
    let mut facts = Facts::new();
    facts.insert(
        facts::FactKey::Namespace("a".into()),
        facts::Fact::OutOfReach("no file has the namespace".into()),
    );
    let Outcome::Decided(decision) = decide(&bump, &request, &set, &facts, &WHOLE) else {
        panic!("facts are given")
    };
    assert_eq!(decision.skipped[0].reason, "no file has the namespace");
    assert_eq!(decision.verdict, Verdict::Allow);
}
