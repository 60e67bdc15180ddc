//! Gatekeeper's objects in a real API server: the kinds that templates define are made at once, constraints judge and
//! are registered, statuses are as Gatekeeper's users know them; all with exactly the rights of an installation.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says by a panic, or in its output, what is wrong"
)]

mod rig;

use rig::{CONTROL, Cluster, OWN, SERVE, eventually, replica};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use wayguard_certs::{ServingCertificate, ServingNames};
use wayguard_cluster::PolicyWatch;
use wayguard_cluster::authority::{AUTHORITY_SECRET, AuthorityFollower, SecretPlace};
use wayguard_cluster::control::Replicas;
use wayguard_cluster::control::{Anchor, ControlOptions, ControlState, Trust, control};
use wayguard_cluster::gatekeeper::look_for;
use wayguard_cluster::install::{self, ANCHOR, InstallOptions};
use wayguard_cluster::policies::PolicyWatchOptions;
use wayguard_cluster::webhooks::{EXEMPT_NAMESPACES, Endpoint};
use wayguard_engine::PolicySetBuilder;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_images::registry::credentials::Keyring;
use wayguard_images::registry::options::RegistryOptions;

fn watch_options() -> PolicyWatchOptions {
    PolicyWatchOptions {
        own_namespace: OWN.into(),
        base: Arc::new(|| Ok(PolicySetBuilder::new(Library::embedded(), SetConfig::default()))),
        observe: false,
        gatekeeper: true,
    }
}

fn template(rego: &str) -> Value {
    json!({
        "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate",
        "metadata": {"name": "requiredowner"},
        "spec": {
            "crd": {"spec": {"names": {"kind": "RequiredOwner"}, "validation": {"openAPIV3Schema": {
                "type": "object", "properties": {"label": {"type": "string", "default": "owner"}}}}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": rego}],
        },
    })
}

const REGO: &str = "package requiredowner\n\nviolation[{\"msg\": msg}] {\n  not input.review.object.metadata.labels\n  msg := sprintf(\"<%v> is missing\", [input.parameters.label])\n}\n";

fn constraint() -> Value {
    json!({
        "apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "RequiredOwner",
        "metadata": {"name": "owned"},
        "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["ConfigMap"]}]}},
    })
}

/// The one entry of `status.byPod`.
fn by_pod(cluster: &Cluster, what: &[&str]) -> Value {
    cluster.get(what).map(|object| object["status"]["byPod"][0].clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn templates_become_kinds_and_constraints_judge() {
    let Some(cluster) = Cluster::start() else { return };
    let admin = cluster.client(None).await;
    let options = InstallOptions { gatekeeper: true, ..InstallOptions::new("registry.example/wayguard:1") };
    install::apply(&admin, &install::ground(&options), &mut |_| {}).await.unwrap();

    let serve = cluster.client(Some(SERVE)).await;
    assert_eq!(look_for(&serve).await, Ok(None));
    let watch = Arc::new(PolicyWatch::start(&serve, watch_options()));
    let serving = ServingCertificate::empty();
    let place = SecretPlace { namespace: OWN.into(), name: AUTHORITY_SECRET.into() };
    let names = ServingNames::for_service("wayguard", OWN).unwrap();
    let _follower = AuthorityFollower::start(&serve, &place, names, Arc::clone(&serving));
    eventually("the server has loaded", || watch.loaded().is_some()).await;
    assert_eq!(watch.problem(), None);

    let options = ControlOptions {
        name: "wayguard".into(),
        own_namespace: OWN.into(),
        identity: "one".into(),
        policies: watch_options(),
        endpoint: Endpoint::Service { namespace: OWN.into(), name: "wayguard".into(), port: 443 },
        replicas: Replicas::Addresses(vec![replica(Arc::clone(&watch), Arc::clone(&serving)).await]),
        trust: Trust::Authority(place),
        exempt_namespaces: EXEMPT_NAMESPACES.map(str::to_owned).to_vec(),
        registries: Arc::new(|_| Ok(RegistryOptions::default())),
        keyring: Keyring::new(),
        login_secrets: Vec::new(),
        anchor: Some(Anchor::cluster_role(ANCHOR)),
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let controller = cluster.client(Some(CONTROL)).await;
    let state = Arc::new(ControlState::default());
    let leading = Arc::clone(&state);
    let running = tokio::spawn(async move {
        control(&controller, options, state, async {
            let _ = stopped.await;
        })
        .await;
    });
    eventually("control leads", || leading.leading.load(std::sync::atomic::Ordering::Relaxed)).await;

    a_kind_is_made_at_once(&cluster).await;
    a_constraint_is_served_registered_and_told(&cluster, &watch).await;
    a_broken_template_says_what_is_wrong(&cluster, &watch).await;

    // Nobody works beside Gatekeeper.
    let theirs = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "gatekeeper-validating-webhook-configuration"}, "webhooks": [],
    });
    cluster.apply(&theirs).unwrap();
    let found = look_for(&serve).await.unwrap().unwrap();
    assert_eq!(found.0, "validatingwebhookconfiguration/gatekeeper-validating-webhook-configuration");

    cluster.kubectl(&["delete", "constrainttemplate", "requiredowner"], "").unwrap();
    eventually("the kind goes with its template", || {
        cluster.get(&["crd", "requiredowner.constraints.gatekeeper.sh"]).is_none()
    })
    .await;
    eventually("nothing judges any more", || watch.loaded().unwrap().set.policies().len() == 0).await;
    stop.send(()).unwrap();
    running.await.unwrap();
    cluster.sandbox.stop().unwrap();
}

async fn a_kind_is_made_at_once(cluster: &Cluster) {
    let started = Instant::now();
    cluster.apply(&template(REGO)).unwrap();
    let applied = started.elapsed();
    eventually("the kind is established", || {
        let crd = cluster.get(&["crd", "requiredowner.constraints.gatekeeper.sh"]).unwrap_or_default();
        let conditions = crd["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|it| it["type"] == "Established" && it["status"] == "True")
    })
    .await;
    println!("established {:?} after the template", started.elapsed().saturating_sub(applied));
    eventually("the template says so", || {
        cluster.get(&["constrainttemplate", "requiredowner"]).unwrap()["status"]["created"] == true
    })
    .await;
    let entry = by_pod(cluster, &["constrainttemplate", "requiredowner"]);
    assert_eq!((&entry["id"], &entry["observedGeneration"]), (&json!("one"), &json!(1)));
}

async fn a_constraint_is_served_registered_and_told(cluster: &Cluster, watch: &PolicyWatch) {
    let mut wrong = constraint();
    wrong["spec"]["parameters"] = json!({"label": 1});
    let error = cluster.apply(&wrong).unwrap_err();
    assert!(error.contains("spec.parameters.label"), "{error}");
    cluster.apply(&constraint()).unwrap();
    let stored = cluster.get(&["requiredowner", "owned"]).unwrap();
    assert_eq!(stored["spec"]["enforcementAction"], "deny");
    eventually("the constraint is served", || {
        watch.loaded().unwrap().set.policies().any(|policy| policy.id == "requiredowner/owned")
    })
    .await;
    eventually("its kind is registered", || {
        let object = cluster.get(&["validatingwebhookconfiguration", "wayguard"]).unwrap_or_default();
        let webhooks = object["webhooks"].as_array().cloned().unwrap_or_default();
        let closed = webhooks.iter().find(|it| it["name"] == "validate-fail.wayguard.io").cloned();
        closed.is_some_and(|it| it["rules"][0]["resources"] == json!(["configmaps"]))
    })
    .await;
    eventually("its status says that it is enforced", || {
        by_pod(cluster, &["requiredowner", "owned"])["enforced"] == true
    })
    .await;
}

async fn a_broken_template_says_what_is_wrong(cluster: &Cluster, watch: &PolicyWatch) {
    cluster
        .apply(&template("package requiredowner\n\nviolation[{\"msg\": msg}] {\n  msg := nosuch(1)\n}\n"))
        .unwrap();
    eventually("the error is told", || {
        let entry = by_pod(cluster, &["constrainttemplate", "requiredowner"]);
        entry["errors"][0]["message"].as_str().is_some_and(|message| message.contains("nosuch"))
    })
    .await;
    assert_eq!(cluster.get(&["constrainttemplate", "requiredowner"]).unwrap()["status"]["created"], false);
    cluster.apply(&template(REGO)).unwrap();
    eventually("it is good again", || {
        cluster.get(&["constrainttemplate", "requiredowner"]).unwrap()["status"]["created"] == true
            && watch.loaded().unwrap().set.policies().len() == 1
    })
    .await;
}
