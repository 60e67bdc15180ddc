//! The embedded library as a whole: every policy loads, and what a team applies first is answered as the
//! README says.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

mod asking;

use asking::{NAMESPACE, WHOLE, bundles, creation, decide_yaml};
use bumpalo::Bump;
use std::sync::Arc;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::policy::library::Library;
use wayguard_engine::value::Document;
use wayguard_engine::*;

#[test]
fn every_bundle_loads_whole() {
    let library = Library::embedded();
    for bundle in library.bundles() {
        let set = bundles(&[&bundle]);
        let failures: Vec<String> = set
            .failures()
            .iter()
            .flat_map(|failure| failure.errors.iter().map(|e| format!("{}: {e}", failure.policy)))
            .collect();
        assert!(failures.is_empty(), "bundle {bundle}:\n{}", failures.join("\n"));
        assert!(set.policies().len() > 0, "bundle {bundle} is empty");
    }
}

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: my-app, namespace: developer-team-alpha}
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: app
          image: my-registry/my-app:TAG
          resources: {requests: {memory: 256Mi, cpu: 250m}}
";

#[test]
fn a_floating_tag_is_refused_with_field_and_remedy() {
    let set = bundles(&["golden-path", "pod-security"]);
    let decision = decide_yaml(&set, &DEPLOYMENT.replace("TAG", "latest"));
    let denied: Vec<&Finding> =
        decision.findings.iter().filter(|finding| finding.effect >= decision::Effect::Deny).collect();
    assert_eq!(decision.verdict, Verdict::Deny, "{decision:#?}");
    assert_eq!(denied.len(), 1, "{denied:#?}");
    assert_eq!(denied[0].policy, "images/latest-tag");
    assert_eq!(denied[0].path, "/spec/template/spec/containers/0/image");
    assert_eq!(denied[0].field, "spec.template.spec.containers[app].image");
    assert!(decision.message.contains("denied by images/latest-tag: spec.template.spec.containers[app].image is `my-registry/my-app:latest`; must be"), "{}", decision.message);
    assert!(decision.message.contains(". Fix: "), "{}", decision.message);
}

#[test]
fn with_a_pinned_tag_it_is_admitted_and_filled_in() {
    let set = bundles(&["golden-path", "pod-security"]);
    let decision = decide_yaml(&set, &DEPLOYMENT.replace("TAG", "1.4.2"));
    assert!(decision.verdict.admits(), "{}", decision.message);
    let paths: Vec<&str> = decision.patch.iter().map(value::PatchOperation::path).collect();
    assert_eq!(paths, ["/metadata/labels", "/spec/selector", "/spec/template/metadata"]);
}

#[test]
fn a_pod_gets_the_defaults_and_then_passes() {
    let set = bundles(&["golden-path", "pod-security-restricted"]);
    let pod = "
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: developer-team-alpha}
spec: {containers: [{name: app, image: 'my-registry/my-app:1.4.2'}]}
";
    let decision = decide_yaml(&set, pod);
    assert!(decision.verdict.admits(), "{}", decision.message);
    let patch = serde_json::to_string(&decision.patch).unwrap();
    assert!(patch.contains("allowPrivilegeEscalation") && patch.contains("256Mi"), "{patch}");
}

#[test]
fn what_follows_namespace_labels_is_skipped_where_they_are_unknown() {
    let set = bundles(&["pod-security"]);
    let bump = Bump::new();
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {hostNetwork: true, containers: [{name: a, image: 'r/a:1'}]}}";
    let request = creation(&bump, pod, "somewhere");
    let mut facts = Facts::new();
    facts.insert(FactKey::Namespace("somewhere".into()), Fact::OutOfReach("no file has it".into()));
    let Outcome::Decided(decision) = decide(&bump, &request, &set, &facts, &WHOLE) else {
        panic!("facts are given")
    };
    assert_eq!(decision.verdict, Verdict::Allow, "{}", decision.message);
    let skipped = decision.skipped.iter().find(|skipped| skipped.policy == "pod-security/host-namespaces");
    assert_eq!(skipped.map(|it| it.reason.as_str()), Some("needs the namespace's labels: no file has it"));
}

const RUNNING: &str = r#""spec":{"containers":[{"name":"app","image":"r/a:latest"}]}"#;

/// An UPDATE of a Pod from one JSON form to another.
fn update(set: &PolicySet, old: &str, new: &str) -> Decision {
    let bump = Bump::new();
    let review = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","operation":"UPDATE",
        "kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},
        "name":"p","namespace":"developer-team-alpha","userInfo":{{"username":"jane","groups":["system:authenticated"]}},
        "object":{new},"oldObject":{old}}}}}"#
    );
    let request = Request::from_review(&&bump, bump.alloc_slice_copy(review.as_bytes())).unwrap();
    let mut facts = Facts::new();
    let namespace = Arc::new(Document::from_json(NAMESPACE.as_bytes()).unwrap());
    facts.insert(FactKey::Namespace("developer-team-alpha".into()), Fact::Known(namespace));
    let policies = FactKey::Inventory {
        group: "networking.k8s.io".into(),
        version: "v1".into(),
        kind: "NetworkPolicy".into(),
        namespace: "developer-team-alpha".into(),
    };
    facts.insert(policies, Fact::Absent);
    match decide(&bump, &request, set, &facts, &WHOLE) {
        Outcome::Decided(decision) => *decision,
        Outcome::NeedsFacts(keys) => panic!("{keys:?}"),
    }
}

#[test]
fn what_the_old_object_had_already_only_warns() {
    let set = bundles(&["golden-path", "pod-security"]);
    let pod = |labels: &str, rest: &str| {
        format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p","labels":{labels}}},{rest}}}"#)
    };
    let owned = r#"{"team":"alpha","environment":"development","managed-by":"idp"}"#;
    let more = r#"{"team":"alpha","environment":"development","managed-by":"idp","tier":"web"}"#;
    let decision = update(&set, &pod(owned, RUNNING), &pod(more, RUNNING));
    assert_eq!(decision.verdict, Verdict::Warn, "{}", decision.message);
    let old: Vec<&str> =
        decision.findings.iter().filter(|it| it.existing).map(|it| it.policy.as_str()).collect();
    assert!(old.contains(&"images/latest-tag"), "{old:?}");
    assert!(decision.patch.is_empty(), "a running Pod's spec is not touched: {:?}", decision.patch);

    let other = RUNNING.replace("r/a:latest", "r/b:latest");
    let decision = update(&set, &pod(owned, RUNNING), &pod(owned, &other));
    assert_eq!(decision.verdict, Verdict::Deny, "another floating tag is new");
}

#[test]
fn housekeeping_is_never_judged() {
    let set = bundles(&["golden-path", "pod-security-restricted"]);
    let pod = |metadata: &str| {
        format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"{metadata}}},{RUNNING}}}"#)
    };
    let decision = update(&set, &pod(r#","finalizers":["a/b"]"#), &pod(""));
    assert_eq!(decision.skipped[0].reason, "only finalizers, owner references or managed fields change");
    assert_eq!(decision.verdict, Verdict::Allow);
}
