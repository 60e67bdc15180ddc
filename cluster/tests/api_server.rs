//! Against a real API server: the kinds are accepted, watches follow, and the leader registers what the policies ask
//! for, all with exactly the rights that an installation gives.
//!
//! The control plane is found, or built once, by `wayguard-sandbox`. Without one, and without Go to build it, the test
//! says so and passes, unless CI is set: there nothing may be left out silently.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says by a panic, or in its output, what is wrong"
)]

mod rig;

use rig::{CONTROL, Cluster, OWN, SERVE, eventually, replica};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use wayguard_certs::{CaBundle, ServingCertificate, ServingNames};
use wayguard_cluster::authority::{AUTHORITY_SECRET, AuthorityFollower, SecretPlace};
use wayguard_cluster::control::{Anchor, ControlOptions, ControlState, Replicas, Trust, control};
use wayguard_cluster::facts::Gvk;
use wayguard_cluster::install::{self, ANCHOR, InstallOptions};
use wayguard_cluster::pause::{pause, resume};
use wayguard_cluster::policies::PolicyWatchOptions;
use wayguard_cluster::webhooks::{EXEMPT_NAMESPACES, Endpoint};
use wayguard_cluster::{Client, ClusterFacts, PolicyWatch};
use wayguard_engine::PolicySetBuilder;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_images::registry::credentials::Keyring;
use wayguard_images::registry::options::RegistryOptions;

const VALIDATING: &str = "validatingwebhookconfiguration/wayguard";

fn policy(name: &str, resource: &str, extra: &Value) -> Value {
    let rego = "# METADATA\n# scope: package\n# title: T\n# description: D\n# custom:\n#   severity: low\n#   category: tests\n#   remedy: R\npackage tests.one\n\ndeny contains {\"msg\": \"no\"} if input.review.object.metadata.name == \"bad\"\n";
    let rules = json!([{"apiGroups": [""], "resources": [resource], "operations": ["CREATE"]}]);
    let mut object = json!({
        "apiVersion": "wayguard.io/v1alpha1", "kind": "Policy", "metadata": {"name": name},
        "spec": {"source": {"rego": rego}, "match": {"resourceRules": rules}},
    });
    for (key, value) in extra.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    object
}

fn exception(expires: &str) -> Value {
    json!({
        "apiVersion": "wayguard.io/v1alpha1", "kind": "PolicyException",
        "metadata": {"name": "legacy", "namespace": OWN},
        "spec": {"policies": ["config"], "reason": "r", "owner": "o", "expiresAt": expires},
    })
}

fn watch_options() -> PolicyWatchOptions {
    PolicyWatchOptions {
        own_namespace: OWN.into(),
        base: Arc::new(|| Ok(PolicySetBuilder::new(Library::embedded(), SetConfig::default()))),
        observe: false,
        gatekeeper: false,
    }
}

/// The rules of one webhook: `resource VERB,VERB`.
fn rules(cluster: &Cluster, kind: &str, webhook: &str) -> Option<Vec<String>> {
    let object = cluster.get(&[kind])?;
    let found = object["webhooks"].as_array()?.iter().find(|it| it["name"] == webhook)?.clone();
    let list = |rule: &Value, key: &str| -> String {
        rule[key].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect::<Vec<_>>().join(",")
    };
    let rules = found["rules"].as_array()?;
    Some(
        rules
            .iter()
            .map(|rule| format!("{} {}", list(rule, "resources"), list(rule, "operations")))
            .collect(),
    )
}

fn condition(cluster: &Cluster, what: &[&str], kind: &str) -> Option<String> {
    let object = cluster.get(what)?;
    let found = object["status"]["conditions"].as_array()?.iter().find(|it| it["type"] == kind)?.clone();
    Some(format!("{} {}", found["status"].as_str()?, found["reason"].as_str()?))
}

fn failure_policies(cluster: &Cluster) -> Vec<String> {
    let object = cluster.get(&[VALIDATING]).unwrap_or_default();
    let webhooks = object["webhooks"].as_array().into_iter().flatten();
    webhooks.map(|it| it["failurePolicy"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_installation_works_with_exactly_its_rights() {
    let Some(cluster) = Cluster::start() else { return };
    let admin = cluster.client(None).await;
    let objects = install::objects(&InstallOptions::new("registry.example/wayguard:1"));
    let mut applied = Vec::new();
    install::apply(&admin, &objects, &mut |it| applied.push(it.clone())).await.unwrap();
    assert_eq!(applied.len(), objects.len());
    assert!(applied.iter().all(|it| it.created), "{applied:?}");
    install::apply(&admin, &objects, &mut |it| assert!(!it.created, "{it:?}")).await.unwrap();

    the_kinds_refuse_what_makes_no_sense(&cluster);
    the_pods_pass_the_strictest_level(&cluster);

    // The server's side, as its ServiceAccount.
    let serve = cluster.client(Some(SERVE)).await;
    let facts = ClusterFacts::start(&serve, &[Gvk::new("networking.k8s.io", "v1", "NetworkPolicy")]);
    let watch = Arc::new(PolicyWatch::start(&serve, watch_options()));
    let serving = ServingCertificate::empty();
    let place = SecretPlace { namespace: OWN.into(), name: AUTHORITY_SECRET.into() };
    let names = ServingNames::for_service("wayguard", OWN).unwrap();
    let follower = AuthorityFollower::start(&serve, &place, names, Arc::clone(&serving));
    eventually("the server has loaded", || watch.loaded().is_some()).await;
    facts.namespaces().wait_synced().await;
    assert_eq!((watch.problem(), follower.problem(), facts.namespaces().problem()), (None, None, None));
    facts_are_found_or_told_to_be_forbidden(&cluster, &facts).await;

    // And control, as its own.
    let controller = cluster.client(Some(CONTROL)).await;
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
    let state = Arc::new(ControlState::default());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (for_control, control_state) = (controller.clone(), Arc::clone(&state));
    let running = tokio::spawn(async move {
        control(&for_control, options, control_state, async {
            let _ = stopped.await;
        })
        .await;
    });

    what_policies_ask_for_is_registered(&cluster, &serving).await;
    tampering_is_undone(&cluster).await;
    a_pause_is_respected(&cluster, &admin).await;
    exceptions_have_a_status(&cluster, &admin).await;

    // Removing the anchor removes the suite, and nothing brings it back.
    cluster.kubectl(&["delete", "clusterrole", ANCHOR], "").unwrap();
    eventually("the configurations are collected", || cluster.get(&[VALIDATING]).is_none()).await;
    let rounds = state.rounds.load(std::sync::atomic::Ordering::Relaxed);
    cluster.apply(&policy("late", "services", &json!({}))).unwrap();
    eventually("another round", || state.rounds.load(std::sync::atomic::Ordering::Relaxed) > rounds + 1)
        .await;
    assert_eq!(cluster.get(&[VALIDATING]), None);

    stop.send(()).unwrap();
    running.await.unwrap();
    let lease = cluster.get(&["lease", "-n", OWN, "wayguard-control-webhooks"]).unwrap();
    assert_eq!(lease["spec"]["holderIdentity"], "", "given back");
    assert_eq!(state.failures.load(std::sync::atomic::Ordering::Relaxed), 0);
    cluster.sandbox.stop().unwrap();
}

fn the_kinds_refuse_what_makes_no_sense(cluster: &Cluster) {
    for definition in ["policies.wayguard.io", "policyexceptions.wayguard.io"] {
        let conditions = cluster.get(&["crd", definition]).unwrap()["status"]["conditions"].clone();
        let of = |kind: &str| conditions.as_array().unwrap().iter().find(|it| it["type"] == kind).cloned();
        assert_eq!(of("NonStructuralSchema"), None, "{conditions}");
        assert_eq!(of("Established").unwrap()["status"], "True");
    }
    let expression = |values: &Value| {
        json!({"match": {
            "resourceRules": [{"apiGroups": [""], "resources": ["pods"], "operations": ["CREATE"]}],
            "namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": values}]},
        }})
    };
    for (extra, expected) in [
        (json!({"source": {}}), "exactly one of `library` and `rego` must be given"),
        (
            json!({"source": {"library": "a/b", "rego": "package a"}}),
            "exactly one of `library` and `rego` must be given",
        ),
        (json!({"source": {"path": "./a"}}), "unknown field \"spec.source.path\""),
        (
            json!({"templates": [{"apiGroup": "a", "resource": "b", "path": "/c"}]}),
            "`templates` has no effect without `expand: true`",
        ),
        (json!({"action": "Maybe"}), "supported values: \"Audit\", \"Warn\", \"Deny\""),
        (json!({"match": {"resourceRules": []}}), "should have at least 1 items"),
        (expression(&json!([])), "`values` goes with the operators In and NotIn"),
        (json!({"nonsense": 1}), "unknown field \"spec.nonsense\""),
    ] {
        let error = cluster.apply(&policy("odd", "pods", &extra)).unwrap_err();
        assert!(error.contains(expected), "{extra}: {error}");
    }
    let error = cluster.apply(&exception("soon")).unwrap_err();
    assert!(error.contains("spec.expiresAt") && error.contains("date-time"), "{error}");
    let mut endless = exception("2099-01-01T00:00:00Z");
    endless["spec"].as_object_mut().unwrap().remove("expiresAt");
    assert!(cluster.apply(&endless).unwrap_err().contains("spec.expiresAt: Required value"));
    cluster.apply(&policy("shown", "pods", &json!({"parameters": {"any": {"thing": [1]}}}))).unwrap();
    let shown = cluster.get(&["policy", "shown"]).unwrap();
    assert_eq!(shown["spec"]["action"], "Deny", "a default is shown");
    assert_eq!(shown["spec"]["expand"], Value::Null, "what METADATA says holds");
    assert_eq!(shown["spec"]["parameters"], json!({"any": {"thing": [1]}}));
    let table = cluster.kubectl(&["get", "policies"], "").unwrap();
    assert!(table.starts_with("NAME    ACTION   SOURCE   LOADED   ENFORCED   REPLICAS   AGE"), "{table}");
    cluster.kubectl(&["delete", "policy", "shown"], "").unwrap();
}

/// The API server's own plugin judges our Pods, since our policies exempt them: the real controllers must be able to
/// make them.
fn the_pods_pass_the_strictest_level(cluster: &Cluster) {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let pods = cluster.get(&["pods", "-n", OWN]).unwrap();
        if pods["items"].as_array().unwrap().len() == 6 {
            return;
        }
        let events = cluster.kubectl(&["get", "events", "-n", OWN], "").unwrap();
        assert!(Instant::now() < limit, "three replicas, two of control, one of the audit: {events}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

async fn facts_are_found_or_told_to_be_forbidden(cluster: &Cluster, facts: &ClusterFacts) {
    let soon = || Instant::now() + Duration::from_secs(5);
    for round in 0..20 {
        let name = format!("team-{round}");
        cluster.kubectl(&["create", "namespace", &name], "").unwrap();
        let Fact::Known(namespace) = facts.namespaces().namespace(&name, soon()).await else {
            panic!("{name}")
        };
        assert_eq!(
            namespace.value().at(&["metadata", "name"]).and_then(wayguard_engine::value::Value::as_str),
            Some(name.as_str())
        );
    }
    let absent = facts.namespaces().namespace("nowhere", soon()).await;
    assert!(matches!(absent, Fact::Absent), "{absent:?}");

    let deployment = cluster.get(&["deployment", "-n", OWN, "wayguard-serve"]).unwrap();
    let uid = deployment["metadata"]["uid"].as_str().unwrap();
    let owner = facts.owner("apps/v1", "Deployment", OWN, "wayguard-serve", uid, soon()).await;
    assert!(
        matches!(&owner, Fact::Known(it) if it.value().at(&["kind"]).and_then(wayguard_engine::value::Value::as_str) == Some("Deployment")),
        "{owner:?}"
    );
    let other = facts.owner("apps/v1", "Deployment", OWN, "wayguard-serve", "other", soon()).await;
    assert!(matches!(other, Fact::Absent), "{other:?}");

    let network = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: none, namespace: team-1}, spec: {podSelector: {}}}";
    cluster.kubectl(&["apply", "-f", "-"], network).unwrap();
    let key = FactKey::Inventory {
        group: "networking.k8s.io".into(),
        version: "v1".into(),
        kind: "NetworkPolicy".into(),
        namespace: "team-1".into(),
    };
    eventually(
        "the inventory follows",
        || matches!(facts.at_hand(&key), Some(Fact::Known(it)) if it.value().at(&["none", "spec"]).is_some()),
    )
    .await;

    // What the role does not have is said together with the rule that would give it.
    let secrets = facts.secret_names("team-1", soon()).await;
    assert!(
        matches!(&secrets, Fact::Unavailable(why) if why.contains("secrets is forbidden")),
        "{secrets:?}"
    );
    let inventory = facts.inventory(&Gvk::new("", "v1", "ConfigMap"), "team-1", soon()).await;
    assert!(
        matches!(&inventory, Fact::Unavailable(why) if why.contains("configmaps is forbidden")),
        "{inventory:?}"
    );
    let forbidden: Vec<_> = facts.forbidden().into_iter().map(|it| it.rule).collect();
    assert_eq!(
        forbidden,
        [
            r#"{"apiGroups":[""],"resources":["secrets"],"verbs":["list"]}"#,
            r#"{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","list","watch"]}"#,
        ]
    );
}

async fn what_policies_ask_for_is_registered(cluster: &Cluster, serving: &ServingCertificate) {
    eventually("our own kinds are registered first", || {
        rules(cluster, VALIDATING, "policies.wayguard.io").is_some()
    })
    .await;
    // Nobody answers at the Service yet, which only Policies, in the group Ignore, may pass.
    cluster.apply(&policy("config", "configmaps", &json!({}))).unwrap();
    cluster.apply(&policy("pods", "pods", &json!({"expand": true, "onError": "Allow"}))).unwrap();
    eventually("configmaps fail closed", || {
        rules(cluster, VALIDATING, "validate-fail.wayguard.io").as_deref()
            == Some(&["configmaps CREATE".to_owned()])
    })
    .await;
    // Each policy is registered when it is seen, not both at once.
    let workloads = [
        "pods,podtemplates,replicationcontrollers CREATE",
        "daemonsets,deployments,replicasets,statefulsets CREATE",
        "cronjobs,jobs CREATE",
    ]
    .map(ToOwned::to_owned);
    eventually("pods and workloads fail open", || {
        rules(cluster, VALIDATING, "validate-ignore.wayguard.io").as_deref() == Some(&workloads)
    })
    .await;
    eventually("the policy is enforced", || {
        condition(cluster, &["policy", "config"], "Enforced").as_deref() == Some("True Enforced")
    })
    .await;
    let status = cluster.get(&["policy", "config"]).unwrap()["status"].clone();
    assert_eq!(status["loadedBy"], "1/1", "{status}");

    // The server's leaf is signed by what the API server trusts.
    eventually("a leaf is served", || serving.current().is_some()).await;
    let object = cluster.get(&[VALIDATING]).unwrap();
    let bundle = object["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap();
    let bundle: k8s_openapi::ByteString = serde_json::from_value(bundle.into()).unwrap();
    let leaf = serving.current().unwrap();
    CaBundle::from_pem(&bundle.0)
        .unwrap()
        .check(&leaf, "wayguard.wayguard-system.svc", SystemTime::now())
        .unwrap();
    assert_eq!(object["metadata"]["ownerReferences"][0]["name"], ANCHOR);

    // A namespace that is not exempt meets the wall that is there; an exempt one does not.
    let error = cluster.kubectl(&["create", "configmap", "a", "-n", "team-1"], "").unwrap_err();
    assert!(error.contains("failed calling webhook \"validate-fail.wayguard.io\""), "{error}");
    cluster.kubectl(&["create", "configmap", "a", "-n", "kube-system"], "").unwrap();

    // A policy that goes takes its rules with it.
    cluster.kubectl(&["delete", "policy", "pods"], "").unwrap();
    eventually("rules narrow", || rules(cluster, VALIDATING, "validate-ignore.wayguard.io").is_none()).await;
}

async fn tampering_is_undone(cluster: &Cluster) {
    let patch = json!([
        {"op": "add", "path": "/webhooks/3/objectSelector/matchLabels", "value": {"skip": "me"}},
        {"op": "add", "path": "/webhooks/3/matchConditions", "value": [{"name": "never", "expression": "false"}]},
    ]);
    cluster.kubectl(&["patch", VALIDATING, "--type=json", "-p", &patch.to_string()], "").unwrap();
    eventually("a selector and a condition are taken out", || {
        let object = cluster.get(&[VALIDATING]).unwrap();
        let webhook = &object["webhooks"][3];
        webhook["objectSelector"] == json!({}) && webhook.get("matchConditions").is_none()
    })
    .await;
    cluster.kubectl(&["delete", VALIDATING], "").unwrap();
    eventually("a deletion is undone", || rules(cluster, VALIDATING, "validate-fail.wayguard.io").is_some())
        .await;
}

async fn a_pause_is_respected(cluster: &Cluster, admin: &Client) {
    pause(admin, OWN, "nodes are stuck").await.unwrap();
    eventually("nothing fails closed", || failure_policies(cluster) == ["Ignore"; 4]).await;
    cluster.kubectl(&["create", "configmap", "b", "-n", "team-1"], "").unwrap();
    eventually("the status says so", || {
        condition(cluster, &["policy", "config"], "Enforced").as_deref() == Some("False Paused")
    })
    .await;
    cluster.kubectl(&["delete", VALIDATING], "").unwrap();
    // A round that would repair has passed when it has dealt with this policy.
    cluster.apply(&policy("paused", "services", &json!({}))).unwrap();
    eventually("a later round", || {
        condition(cluster, &["policy", "paused"], "Enforced").as_deref() == Some("False Paused")
    })
    .await;
    assert_eq!(cluster.get(&[VALIDATING]), None, "what an operator deletes stays deleted");
    resume(admin, OWN).await.unwrap();
    eventually("all is registered again", || {
        rules(cluster, VALIDATING, "validate-fail.wayguard.io").as_deref()
            == Some(&["configmaps,services CREATE".to_owned()])
    })
    .await;
    assert!(failure_policies(cluster).contains(&"Fail".to_owned()));
}

async fn exceptions_have_a_status(cluster: &Cluster, admin: &Client) {
    // Exceptions fail closed, and nobody answers here.
    let error = cluster.apply(&exception("2099-01-01T00:00:00Z")).unwrap_err();
    assert!(error.contains("failed calling webhook \"exceptions.wayguard.io\""), "{error}");
    pause(admin, OWN, "to make an exception").await.unwrap();
    eventually("it can be made", || cluster.apply(&exception("2099-01-01T00:00:00Z")).is_ok()).await;
    eventually("it is in force", || {
        condition(cluster, &["policyexception", "-n", OWN, "legacy"], "Active").as_deref()
            == Some("True InForce")
    })
    .await;
    resume(admin, OWN).await.unwrap();
    eventually("all is closed again", || failure_policies(cluster).contains(&"Fail".to_owned())).await;
}
