//! A namespace's Pod Security level is raised: who raises it is warned of Pods that would be refused, in upstream's words.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

mod asking;

use asking::{WHOLE, bundles};
use bumpalo::Bump;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::value::Document;
use wayguard_engine::*;

fn namespace(enforce: &str) -> Json {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": enforce}}})
}

fn pod(security: &Json, owner: &str) -> Json {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"ownerReferences": [{"controller": true, "uid": owner}]},
        "spec": {"hostNetwork": security["hostNetwork"], "containers": [{"name": "a", "image": "r/a:1", "securityContext": security["context"]}]},
    })
}

/// The warnings for a change of the level, with these Pods; the facts that were asked for besides the namespace.
fn warnings(from: &str, to: &str, pods: Fact) -> Vec<String> {
    let set = bundles(&["pod-security"]);
    let bump = Bump::new();
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "operation": "UPDATE", "name": "shop", "namespace": "shop",
        "kind": {"group": "", "version": "v1", "kind": "Namespace"},
        "resource": {"group": "", "version": "v1", "resource": "namespaces"},
        "userInfo": {"username": "jane"}, "object": namespace(to), "oldObject": namespace(from),
    }});
    let request = Request::from_review(&&bump, bump.alloc_slice_copy(review.to_string().as_bytes())).unwrap();
    let mut facts = Facts::new();
    facts.insert(FactKey::Named { name: "pods".into(), namespace: "shop".into() }, pods);
    match decide(&bump, &request, &set, &facts, &WHOLE) {
        Outcome::Decided(decision) => {
            assert!(decision.verdict.admits(), "{}", decision.message);
            decision.warnings
        }
        Outcome::NeedsFacts(keys) => panic!("{keys:?}"),
    }
}

fn known(pods: &Json) -> Fact {
    Fact::Known(Arc::new(Document::from_serde(pods)))
}

#[test]
fn pods_that_would_be_refused_are_named_once_for_each_kind_of_trouble() {
    let sound = json!({
        "allowPrivilegeEscalation": false, "runAsNonRoot": true,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    });
    let bare = json!({"hostNetwork": false, "context": {}});
    let pods = json!({
        "fine": pod(&json!({"hostNetwork": false, "context": sound}), "1"),
        "web-2": pod(&bare, "2"),
        "web-1": pod(&bare, "2"),
        "web-3": pod(&bare, "2"),
        "agent": pod(&json!({"hostNetwork": true, "context": sound}), "3"),
    });
    let policy = "pod-security/namespace-labels";
    assert_eq!(
        warnings("privileged", "restricted", known(&pods)),
        [
            format!(
                "{policy}: existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"restricted:latest\""
            ),
            format!("{policy}: agent: host namespaces"),
            format!(
                "{policy}: web-1 (and 2 other pods): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile"
            ),
        ]
    );
    assert_eq!(
        warnings("privileged", "baseline", known(&pods)),
        [
            format!(
                "{policy}: existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"baseline:latest\""
            ),
            format!("{policy}: agent: host namespaces"),
        ]
    );
    assert_eq!(warnings("restricted", "baseline", known(&pods)), [""; 0], "nothing new is asked for");
}

#[test]
fn pods_that_cannot_be_listed_are_said_to_be_unchecked_and_the_change_goes_on() {
    let away = Fact::Unavailable("the API server is busy".into());
    assert_eq!(
        warnings("privileged", "baseline", away),
        [
            "pod-security/namespace-labels: the Pods in the namespace were not checked against `baseline:latest`: the API server is busy"
        ]
    );
    assert_eq!(warnings("privileged", "baseline", Fact::OutOfReach("no cluster".into())), [""; 0]);
}
