//! Whose logins answer for which namespace, of scripted API servers.

use super::*;
use crate::fake_api::{client, failure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::Mutex;
use wayguard_images::registry::credentials::Credential;

const REGISTRY: &str = "registry.example.com";

fn secret(namespace: &str, name: &str, kind: &str, user: &str) -> Value {
    let text = json!({"auths": {REGISTRY: {"username": user, "password": "p"}}}).to_string();
    json!({"metadata": {"namespace": namespace, "name": name, "resourceVersion": "1"}, "type": kind,
        "data": {KEY: STANDARD.encode(text)}})
}

fn rule(names: &Value) -> Value {
    let mut rule = json!({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]});
    if !names.is_null() {
        rule["resourceNames"] = names.clone();
    }
    rule
}

/// `team-a` grants `pull` and `other`, `team-b` all Secrets without names, others nothing.
fn world(ours: &Arc<Mutex<Value>>) -> (Client, crate::fake_api::Log) {
    let ours = Arc::clone(ours);
    client(move |line, body| {
        if line.contains("selfsubjectrulesreviews") {
            let asked: Value = serde_json::from_str(body).unwrap();
            let rules = match asked["spec"]["namespace"].as_str().unwrap() {
                "team-a" => json!([rule(&json!(["pull", "tls", "gone"])),
                    {"verbs": ["list"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["listed"]}]),
                "team-b" => json!([rule(&Value::Null)]),
                _ => json!([]),
            };
            let status = json!({"resourceRules": rules, "nonResourceRules": [], "incomplete": false});
            return (201, json!({"spec": asked["spec"], "status": status}).to_string());
        }
        match line {
            line if line.contains("watch=true") => failure(410, "Expired", "too old"),
            line if line.contains("wayguard-system/secrets") => {
                let items = ours.lock().unwrap().clone();
                (200, json!({"metadata": {"resourceVersion": "1"}, "items": items}).to_string())
            }
            line if line.ends_with("team-a/secrets/pull") => {
                (200, secret("team-a", "pull", KIND, "tenant").to_string())
            }
            line if line.ends_with("team-a/secrets/tls") => {
                (200, secret("team-a", "tls", "kubernetes.io/tls", "stolen").to_string())
            }
            _ => failure(404, "NotFound", "not found"),
        }
    })
}

fn users(keyring: &Arc<Keyring>) -> Vec<Credential> {
    keyring.matching(REGISTRY, "team/app").cloned().collect()
}

fn named(user: &str) -> Credential {
    Credential::new(user, "p")
}

#[tokio::test]
async fn a_tenants_secret_is_used_where_its_namespace_grants_its_name() {
    let (client, log) = world(&Arc::default());
    let logins = Logins::start(&client, "wayguard-system", Vec::new(), Keyring::new());
    assert!(logins.at_hand("team-a").is_none());
    assert_eq!(users(&logins.of("team-a").await), [named("tenant")]);
    assert_eq!(users(&logins.at_hand("team-a").unwrap()), [named("tenant")]);
    for other in ["team-b", "team-c", "", "wayguard-system"] {
        assert_eq!(users(&logins.of(other).await), [], "{other}");
    }
    let asked = log.lock().unwrap().clone();
    assert!(
        !asked.iter().any(|line| line.contains("listed") || line.contains("team-b/secrets")),
        "{asked:?}"
    );
    assert!(!asked.iter().any(|line| line.contains("wayguard-system")), "{asked:?}");
    // And it is not asked each time.
    logins.of("team-a").await;
    assert_eq!(log.lock().unwrap().len(), asked.len());
}

#[tokio::test]
async fn our_own_logins_are_for_whom_the_operator_says_and_follow_their_secret() {
    let ours = Arc::new(Mutex::new(json!([secret("wayguard-system", "harbor", KIND, "ours")])));
    let (client, _) = world(&ours);
    let mut file = Keyring::new();
    file.insert(REGISTRY, named("file"));
    let secrets = vec!["harbor=team-a,shop-*".parse().unwrap()];
    let logins = Logins::start(&client, "wayguard-system", secrets, file);
    let (_, mirror) = &logins.own[0];
    mirror.wait_synced().await;
    assert_eq!(users(&logins.of("team-a").await), [named("tenant"), named("ours"), named("file")]);
    assert_eq!(users(&logins.of("shop-7").await), [named("ours"), named("file")]);
    assert_eq!(users(&logins.of("team-b").await), [named("file")]);
    *ours.lock().unwrap() = json!([secret("wayguard-system", "harbor", KIND, "rotated")]);
    let rotated = async {
        while !users(&logins.of("shop-7").await).contains(&named("rotated")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), rotated).await.unwrap();
}

#[tokio::test]
async fn an_api_server_that_does_not_answer_leaves_tenants_out_and_is_asked_again_soon() {
    let (client, _) = client(|_, _| failure(500, "InternalError", "no"));
    let mut file = Keyring::new();
    file.insert(REGISTRY, named("file"));
    let logins = Logins::start(&client, "wayguard-system", Vec::new(), file);
    assert_eq!(users(&logins.of("team-a").await), [named("file")]);
    assert!(!logins.make("team-a").await.whole);
}

#[test]
fn a_secret_is_named_with_the_namespaces_that_it_is_for() {
    let read = |text: &str| text.parse::<LoginSecret>();
    assert!(read("harbor").unwrap().is_for("anything"));
    let some = read("harbor=team-a, shop-*").unwrap();
    assert!(some.is_for("team-a") && some.is_for("shop-1") && !some.is_for("team-ab") && !some.is_for(""));
    for bad in ["", "=team-a", "harbor=", "harbor=a,,b", "harbor=*-a", "harbor=a**"] {
        assert!(read(bad).unwrap_err().starts_with("expected NAME"), "{bad}");
    }
}
