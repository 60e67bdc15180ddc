//! What one admission costs: decoding a review, and deciding on it with 1, 10, 100 and 500 policies, for an object
//! never seen and for one of which only name and uid are new.

use bumpalo::Bump;
use divan::{Bencher, black_box};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::value::{Document, parse_json};
use wayguard_engine::{Context, Facts, Outcome, PolicySet, PolicySetBuilder, Request, Stage, decide};

fn main() {
    divan::main();
}

/// The validating policies of the library, over and over, each time under another name.
fn set(policies: usize) -> PolicySet {
    let library = Library::embedded();
    let mut builder = PolicySetBuilder::new(library.clone(), SetConfig::default());
    let restricted = library.bundle("pod-security-restricted").and_then(Result::ok).unwrap_or_default();
    let names = restricted.iter().cycle().take(policies).enumerate();
    for (number, (name, spec)) in names {
        builder.policy(&format!("{number:03}-{name}"), spec.clone(), "bench", None);
    }
    builder.build()
}

/// A review of a Pod with three containers, as an API server sends it.
fn review(number: u64) -> Vec<u8> {
    let container = |name: &str| {
        json!({"name": name, "image": format!("registry.example.com/team/{name}:1.4.2"),
            "args": ["--port=8080", "--log-format=json", "--config=/etc/app/config.yaml"],
            "env": (0..8).map(|at| json!({"name": format!("SETTING_{at}"), "value": "some value"})).collect::<Vec<_>>(),
            "ports": [{"containerPort": 8080, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "runAsNonRoot": true,
                "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 10},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/app", "readOnly": true}]})
    };
    let object = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("app-7d9c-{number:05}"), "generateName": "app-7d9c-", "namespace": "team-a",
            "uid": format!("{number:032x}"), "labels": {"app.kubernetes.io/name": "app", "team": "a"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "app-7d9c", "uid": "x",
                "controller": true}]},
        "spec": {"containers": [container("app"), container("proxy"), container("metrics")],
            "volumes": [{"name": "config", "configMap": {"name": "app"}}],
            "serviceAccountName": "app", "nodeSelector": {"kubernetes.io/os": "linux"},
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}]}});
    let request = json!({"uid": format!("{number:032x}"), "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"}, "namespace": "team-a",
        "operation": "CREATE", "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller"},
        "object": object, "oldObject": null, "dryRun": false});
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
        .to_string()
        .into_bytes()
}

fn facts() -> Facts {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "team-a", "labels": {"team": "a", "environment": "production"}}});
    let mut facts = Facts::new();
    let namespace = Arc::new(Document::from_serde(&namespace));
    facts.insert(FactKey::Namespace("team-a".into()), Fact::Known(namespace));
    facts
}

fn decided(set: &PolicySet, facts: &Facts, bytes: &[u8]) -> bool {
    let bump = Bump::new();
    let context = Context {
        stage: Stage::ValidateFail,
        now: jiff::Timestamp::UNIX_EPOCH,
        time_limit: Duration::from_secs(5),
    };
    let arena = &&bump;
    let Ok(request) = Request::from_review(arena, bytes) else { return false };
    matches!(decide(&bump, &request, set, facts, &context), Outcome::Decided(_))
}

#[divan::bench]
fn decode(bencher: Bencher) {
    let bytes = review(1);
    bencher.bench_local(|| {
        let bump = Bump::new();
        black_box(parse_json(&&bump, black_box(&bytes)).is_ok())
    });
}

#[divan::bench(args = [1, 10, 100, 500])]
fn decide_on_an_object_never_seen(bencher: Bencher, policies: usize) {
    let (set, facts, bytes) = (set(policies), facts(), review(1));
    bencher.bench_local(|| {
        set.forget();
        decided(&set, &facts, black_box(&bytes))
    });
}

#[divan::bench(args = [1, 10, 100, 500])]
fn decide_on_a_repeated_pod(bencher: Bencher, policies: usize) {
    let (set, facts) = (set(policies), facts());
    let reviews: Vec<Vec<u8>> = (0..64).map(review).collect();
    let mut next = reviews.iter().cycle();
    bencher.bench_local(|| next.next().is_some_and(|bytes| decided(&set, &facts, black_box(bytes))));
}
