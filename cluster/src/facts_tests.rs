//! Facts against a scripted API server.

use super::*;
use crate::discovery::samples;
use crate::fake_api::{client, failure};
use serde_json::{Value, json};
use std::time::Duration;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

fn list(items: &Value) -> (u16, String) {
    (200, json!({"metadata": {"resourceVersion": "1"}, "items": items}).to_string())
}

/// Discovery, an empty list of namespaces, and silence for watches; everything else is the test's.
fn with(answer: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> (Client, crate::fake_api::Log) {
    client(move |line, _| {
        if let Some(known) = samples::answer(line) {
            return known;
        }
        if line.contains("watch=true") {
            return (200, String::new());
        }
        if line.starts_with("GET /api/v1/namespaces?") {
            return list(&json!([]));
        }
        answer(line)
    })
}

fn known(fact: &Fact) -> String {
    match fact {
        Fact::Known(document) => document.value().to_string(),
        other => panic!("{other:?}"),
    }
}

fn unavailable(fact: &Fact) -> &str {
    match fact {
        Fact::Unavailable(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn owners_are_found_by_kind_and_kept_apart_by_uid() {
    let (client, log) = with(|line| {
        match line {
        line if line.contains("/namespaces/shop/deployments/web") => {
            (200, json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "uid": "u1", "managedFields": []}}).to_string())
        }
        _ => failure(404, "NotFound", "not found"),
    }
    });
    let facts = ClusterFacts::start(&client, &[]);
    let owner = |name: &'static str, uid: &'static str| {
        facts.owner("apps/v1", "Deployment", "shop", name, uid, soon())
    };
    assert_eq!(
        known(&owner("web", "u1").await),
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","uid":"u1"}}"#
    );
    assert!(matches!(owner("web", "u2").await, Fact::Absent));
    assert!(matches!(owner("other", "u1").await, Fact::Absent));
    let before = log.lock().unwrap().len();
    assert!(matches!(facts.owner("x.io/v1", "Sprocket", "shop", "a", "u", soon()).await, Fact::Absent));
    assert_eq!(log.lock().unwrap().len(), before, "an unknown kind is not asked for");
}

#[tokio::test]
async fn watched_inventory_answers_at_hand_and_follows_changes() {
    let (client, _) = client(move |line, _| {
        if let Some(known) = samples::answer(line) {
            return known;
        }
        match line {
            line if line.contains("deployments")
                && line.contains("watch=true")
                && line.contains("resourceVersion=1&")
                || line.ends_with("resourceVersion=1") && line.contains("deployments") =>
            {
                let changed = json!({"type": "ADDED", "object": {"metadata": {"name": "api", "namespace": "shop", "resourceVersion": "2"}}});
                (200, format!("{changed}\n"))
            }
            line if line.contains("watch=true") => (200, String::new()),
            line if line.contains("deployments") => list(&json!([
                {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 1}},
                {"metadata": {"name": "web", "namespace": "bank"}},
            ])),
            _ => list(&json!([])),
        }
    });
    let kind = Gvk::new("apps", "v1", "Deployment");
    let facts = ClusterFacts::start(&client, std::slice::from_ref(&kind));
    assert!(known(&facts.inventory(&kind, "bank", soon()).await).contains(r#""web":{"#));
    let key = FactKey::Inventory {
        group: "apps".into(),
        version: "v1".into(),
        kind: "Deployment".into(),
        namespace: "shop".into(),
    };
    crate::fake_api::eventually("the new one is at hand", || {
        facts.at_hand(&key).is_some_and(|fact| {
            known(&fact).starts_with(r#"{"api":{"apiVersion":"apps/v1","kind":"Deployment""#)
        })
    })
    .await;
    let Some(Fact::Known(first)) = facts.at_hand(&key) else { panic!("at hand") };
    let Some(Fact::Known(second)) = facts.at_hand(&key) else { panic!("at hand") };
    assert!(Arc::ptr_eq(&first, &second), "made once per change");
    let all = known(&facts.inventory(&kind, "", soon()).await);
    assert!(all.starts_with(r#"{"bank":{"web":{"#) && all.contains(r#""shop":{"api":{"#), "{all}");
}

#[tokio::test]
async fn a_watched_kind_that_is_not_served_has_no_objects() {
    let (client, _) = with(|_| failure(404, "NotFound", "not found"));
    let sprocket = Gvk::new("x.io", "v1", "Sprocket");
    let facts = ClusterFacts::start(&client, std::slice::from_ref(&sprocket));
    for namespace in ["", "shop"] {
        assert!(matches!(facts.inventory(&sprocket, namespace, soon()).await, Fact::Absent));
    }
}

#[tokio::test]
async fn other_kinds_are_listed_live_for_one_namespace() {
    let (client, _) = with(|line| {
        assert!(line.starts_with("GET /apis/apps/v1/namespaces/shop/replicasets?"), "{line}");
        list(&json!([{"metadata": {"name": "web-1", "namespace": "shop"}}]))
    });
    let facts = ClusterFacts::start(&client, &[]);
    let kind = Gvk::new("apps", "v1", "ReplicaSet");
    let shop = known(&facts.inventory(&kind, "shop", soon()).await);
    assert_eq!(
        shop,
        r#"{"web-1":{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"web-1","namespace":"shop"}}}"#
    );
    let cluster = facts.inventory(&kind, "", soon()).await;
    assert!(unavailable(&cluster).contains("add it to the server's inventory kinds"));
    assert!(matches!(
        facts.inventory(&Gvk::new("x.io", "v1", "Sprocket"), "shop", soon()).await,
        Fact::Absent
    ));
}

#[tokio::test]
async fn secrets_are_never_inventory_and_their_names_come_as_metadata() {
    let (client, log) = with(|line| {
        assert!(line.contains("/namespaces/shop/secrets"), "{line}");
        list(
            &json!([{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"name": "db"}}]),
        )
    });
    let secret = Gvk::new("", "v1", "Secret");
    let facts = ClusterFacts::start(&client, std::slice::from_ref(&secret));
    let inventory = facts.inventory(&secret, "shop", soon()).await;
    assert!(unavailable(&inventory).starts_with("Secrets are never given to policies"));
    assert_eq!(log.lock().unwrap().iter().filter(|line| line.contains("secrets")).count(), 0);
    assert_eq!(known(&facts.secret_names("shop", soon()).await), r#"["db"]"#);
}

#[tokio::test]
async fn a_missing_right_is_remembered_with_the_rule_to_add_until_it_is_there() {
    let allowed = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let switch = Arc::clone(&allowed);
    let (client, _) = with(move |_| {
        if switch.load(std::sync::atomic::Ordering::SeqCst) {
            return list(&json!([]));
        }
        failure(403, "Forbidden", "secrets is forbidden: User \"serve\" cannot list resource \"secrets\"")
    });
    let facts = ClusterFacts::start(&client, &[]);
    let answer = facts.secret_names("shop", soon()).await;
    assert!(unavailable(&answer).starts_with("the server may not read it: secrets is forbidden"));
    let forbidden = facts.forbidden();
    assert_eq!((forbidden.len(), forbidden[0].fact.as_str()), (1, "secretNames"));
    assert_eq!(forbidden[0].rule, r#"{"apiGroups":[""],"resources":["secrets"],"verbs":["list"]}"#);
    allowed.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(known(&facts.secret_names("shop", soon()).await), "[]");
    assert_eq!(facts.forbidden(), []);
}

#[tokio::test]
async fn pods_come_in_pages_up_to_a_limit() {
    let (client, log) = with(|line| {
        let (name, more) = if line.contains("continue=") { ("b", "") } else { ("a", "next") };
        (200, json!({"metadata": {"continue": more}, "items": [{"metadata": {"name": name}}]}).to_string())
    });
    let facts = ClusterFacts::start(&client, &[]);
    let both = known(&facts.pods("shop", MOST_PODS, soon()).await);
    assert!(both.contains(r#""a":{"#) && both.contains(r#""b":{"#), "{both}");
    let one = known(&facts.pods("shop", 1, soon()).await);
    assert!(one.contains(r#""a":{"#) && !one.contains(r#""b":{"#), "{one}");
    assert!(log.lock().unwrap().iter().any(|line| line.contains("limit=1")));
}

#[tokio::test]
async fn facts_that_nobody_gathers_are_out_of_reach() {
    let (client, _) = with(|line| panic!("{line}"));
    let facts = ClusterFacts::start(&client, &[]);
    let key = FactKey::Named { name: "images".into(), namespace: "shop".into() };
    let answers = facts.fetch(vec![key.clone()], soon()).await;
    assert!(
        matches!(&answers[..], [(asked, Fact::OutOfReach(why))] if *asked == key && why.contains("`images`"))
    );
}
