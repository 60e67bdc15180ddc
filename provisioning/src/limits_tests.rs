//! Hostile and careless objects are refused one by one, each with its reason.

use super::*;

fn owner() -> Owner<'static> {
    Owner { namespace: "team-a", claim: Some("database"), uid: "u-1", owns: true }
}

fn allowed() -> BTreeSet<String> {
    ["networking.k8s.io/NetworkPolicy", "/PersistentVolumeClaim"].map(str::to_owned).into()
}

fn policy() -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": {"podSelector": {}}})
}

fn with(pointer: &str, value: Value) -> Value {
    let mut object = policy();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
    object
}

#[test]
fn what_is_let_through_is_marked_as_ours() {
    let made = admitted("policy", &policy(), &allowed(), owner()).unwrap();
    assert_eq!(
        made["metadata"],
        json!({
            "name": "p", "namespace": "team-a",
            "labels": {
                "app.kubernetes.io/managed-by": "wayguard", "wayguard.io/claim": "database",
                "wayguard.io/object": "policy", "wayguard.io/trigger": "u-1",
            },
            "ownerReferences": [{
                "apiVersion": "wayguard.io/v1alpha1", "kind": "PlatformClaim", "name": "database", "uid": "u-1",
                "controller": true, "blockOwnerDeletion": false,
            }],
        })
    );
    let kept = admitted("policy", &policy(), &allowed(), Owner { owns: false, ..owner() }).unwrap();
    assert_eq!(kept["metadata"].get("ownerReferences"), None, "what is retained belongs to nobody");
}

#[test]
fn marks_of_deployment_tools_are_not_copied() {
    let marked = with(
        "/metadata/labels",
        json!({"app.kubernetes.io/instance": "shop", "argocd.argoproj.io/instance": "shop", "team": "alpha"}),
    );
    let made = admitted("policy", &marked, &allowed(), owner()).unwrap();
    let labels = made["metadata"]["labels"].as_object().unwrap();
    assert!(labels.contains_key("team") && labels.len() == 5, "{labels:?}");
    let marked = with("/metadata/annotations", json!({"argocd.argoproj.io/tracking-id": "x"}));
    let made = admitted("policy", &marked, &allowed(), owner()).unwrap();
    assert_eq!(made["metadata"].get("annotations"), None);
}

#[test]
fn what_reaches_too_far_is_refused_with_its_reason() {
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}});
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "s"}});
    let large = with("/metadata/annotations", json!({"x": "y".repeat(70_000)}));
    for (object, why) in [
        (
            secret,
            "is a `/Secret`; the class may make `/PersistentVolumeClaim`, `networking.k8s.io/NetworkPolicy`",
        ),
        (role, "is a `rbac.authorization.k8s.io/ClusterRole`; the class may make"),
        (
            with("/metadata/namespace", json!("kube-system")),
            "is for the namespace \"kube-system\"; it may only be in `team-a`",
        ),
        (with("/metadata/finalizers", json!(["a/b"])), "has `metadata.finalizers`"),
        (with("/metadata/ownerReferences", json!([])), "has `metadata.ownerReferences`"),
        (with("/metadata/managedFields", json!([])), "has `metadata.managedFields`"),
        (with("/metadata/generateName", json!("x-")), "has `metadata.generateName`"),
        (with("/status", json!({})), "has a `status`"),
        (with("/metadata/name", json!("Bad_Name")), "has no valid `metadata.name`"),
        (with("/metadata/labels", json!({"wayguard.io/trigger": "other"})), "which only the engine sets"),
        (with("/metadata/labels", json!({"a": 1})), "whose `a` is no text"),
        (with("/apiVersion", json!("")), "is a `/NetworkPolicy`"),
        (json!("text"), "is no object"),
        (large, "at most 65536 are applied"),
    ] {
        let error = admitted("policy", &object, &allowed(), owner()).unwrap_err();
        assert!(error.starts_with("`objects[\"policy\"]` ") && error.contains(why), "{error}");
    }
    assert!(admitted("Bad Id", &policy(), &allowed(), owner()).unwrap_err().contains("must be named"));
}

#[test]
fn some_kinds_are_never_a_classs_to_make() {
    for kind in [
        "/Secret",
        "/Pod",
        "wayguard.io/ClaimApproval",
        "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
    ] {
        assert!(is_forbidden(kind), "{kind}");
    }
    for kind in
        ["/PersistentVolumeClaim", "rbac.authorization.k8s.io/RoleBinding", "postgresql.cnpg.io/Cluster"]
    {
        assert!(!is_forbidden(kind), "{kind}");
    }
}
