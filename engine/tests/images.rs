//! Facts of images: each image of the object is asked for once, and seen by the policy under its name.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

mod asking;

use asking::WHOLE;
use bumpalo::Bump;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::policy::spec::PolicySpec;
use wayguard_engine::value::Document;
use wayguard_engine::*;

const REGO: &str = r#"# METADATA
# title: Signed
# description: Says what is known of each image.
# custom:
#   severity: high
#   category: demo
#   remedy: Sign it.
#   facts: [images]
package demo.signed

deny contains {"msg": sprintf("%s: %s", [image, state(fact)]), "path": "/spec"} if {
	some image, fact in input.facts.images
	not fact.signed
}

state(fact) := "absent" if fact.absent
state(fact) := sprintf("unavailable, %s", [fact.unavailable]) if fact.unavailable
state(fact) := "unsigned" if fact.digest
"#;

fn set(on_error: &str) -> PolicySet {
    let spec: PolicySpec = serde_json::from_value(json!({
        "source": {"rego": REGO}, "expand": true, "onError": on_error,
        "match": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["*"], "resources": ["pods"], "operations": ["*"]}]},
    }))
    .unwrap();
    let mut builder = PolicySetBuilder::new(Library::embedded(), SetConfig::default());
    builder.policy("signed", spec, "test", None);
    let set = builder.build();
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    set
}

fn pod(images: &[&str]) -> Json {
    let containers: Vec<_> = images.iter().map(|image| json!({"name": "c", "image": image})).collect();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": {"containers": containers}})
}

/// What is decided, and which images were asked for.
fn judged(
    on_error: &str,
    (kind, resource, group): (&str, &str, &str),
    object: &Json,
    old: Option<&Json>,
    of: &dyn Fn(&str) -> Fact,
) -> (Decision, BTreeSet<String>) {
    let set = set(on_error);
    let bump = Bump::new();
    let operation = if old.is_some() { "UPDATE" } else { "CREATE" };
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "operation": operation, "name": "p", "namespace": "shop",
        "kind": {"group": group, "version": "v1", "kind": kind},
        "resource": {"group": group, "version": "v1", "resource": resource},
        "userInfo": {"username": "jane"}, "object": object, "oldObject": old,
    }});
    let request = Request::from_review(&&bump, bump.alloc_slice_copy(review.to_string().as_bytes())).unwrap();
    let (mut facts, mut asked) = (Facts::new(), BTreeSet::new());
    for _ in 0..4 {
        match decide(&bump, &request, &set, bump.alloc(facts.clone()), &WHOLE) {
            Outcome::Decided(decision) => return (*decision, asked),
            Outcome::NeedsFacts(keys) => {
                for key in keys {
                    let fact = match &key {
                        FactKey::Image { reference, namespace } => {
                            assert_eq!(namespace, "shop");
                            assert!(asked.insert(reference.clone()), "{reference} was asked for twice");
                            of(reference)
                        }
                        _ => known(&json!({"metadata": {"name": "shop"}})),
                    };
                    facts.insert(key, fact);
                }
            }
        }
    }
    panic!("the engine never had enough facts");
}

fn known(value: &Json) -> Fact {
    Fact::Known(Arc::new(Document::from_serde(value)))
}

fn registry(image: &str) -> Fact {
    match image {
        "signed" => known(&json!({"ref": "signed", "digest": "sha256:1", "signed": true})),
        "unsigned" => known(&json!({"ref": "unsigned", "digest": "sha256:2", "signed": false})),
        "gone" => Fact::Absent,
        _ => Fact::Unavailable("the registry is away".to_owned()),
    }
}

const POD: (&str, &str, &str) = ("Pod", "pods", "");

#[test]
fn each_image_is_asked_for_once_and_seen_under_its_name() {
    let object = pod(&["signed", "unsigned", "signed", "gone"]);
    let (decision, asked) = judged("Deny", POD, &object, None, &registry);
    assert_eq!(asked.into_iter().collect::<Vec<_>>(), ["gone", "signed", "unsigned"]);
    let found: BTreeSet<String> = decision.findings.iter().map(|finding| finding.message.clone()).collect();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["gone: absent", "unsigned: unsigned"]);
    assert!(judged("Deny", POD, &pod(&["signed"]), None, &registry).0.verdict.admits());
}

#[test]
fn images_of_templates_are_asked_for_too() {
    let template = pod(&["unsigned"]);
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"template": {"spec": template["spec"]}}});
    let (decision, asked) = judged("Deny", ("Deployment", "deployments", "apps"), &object, None, &registry);
    assert_eq!(asked.len(), 1);
    assert!(!decision.verdict.admits());
}

#[test]
fn a_registry_that_is_away_is_answered_by_the_policy() {
    let away = pod(&["signed", "elsewhere"]);
    let (denied, _) = judged("Deny", POD, &away, None, &registry);
    assert!(!denied.verdict.admits());
    assert!(denied.message.contains("the registry is away"), "{}", denied.message);
    let (allowed, _) = judged("Allow", POD, &away, None, &registry);
    assert!(allowed.verdict.admits(), "{}", allowed.message);
}

/// Nobody's labels wait for a registry: what the object had before is not what the request brings.
#[test]
fn an_image_that_was_there_before_is_no_reason_to_fail() {
    let old = pod(&["elsewhere"]);
    let (decision, _) = judged("Deny", POD, &old, Some(&old), &registry);
    assert!(decision.verdict.admits(), "{}", decision.message);
    assert!(
        decision.warnings.iter().any(|warning| warning.contains("the registry is away")),
        "{:?}",
        decision.warnings
    );
    let (decision, _) = judged("Deny", POD, &pod(&["elsewhere", "another"]), Some(&old), &registry);
    assert!(!decision.verdict.admits());
}

#[test]
fn nothing_is_asked_for_where_there_is_no_image() {
    let (decision, asked) = judged("Deny", POD, &pod(&[]), None, &registry);
    assert!(decision.verdict.admits() && asked.is_empty());
}
