//! Rotations against a scripted API server that keeps one Secret.

use super::*;
use crate::fake_api::{client, failure};
use crate::policies::LoadReport;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::time::Duration;
use wayguard_certs::SETTLE;

fn place() -> SecretPlace {
    SecretPlace { namespace: "own".into(), name: "wayguard-ca".into() }
}

/// An API server with this Secret (`None`: not there), and what it holds later.
fn with_secret(secret: Option<Value>) -> (Client, Arc<Mutex<Option<Value>>>) {
    let stored = Arc::new(Mutex::new(secret));
    let kept = Arc::clone(&stored);
    let (client, _) = client(move |line, body| {
        let mut stored = kept.lock().unwrap();
        if line.starts_with("POST") || line.starts_with("PUT") {
            let mut sent: Value = serde_json::from_str(body).unwrap();
            let version = stored
                .as_ref()
                .and_then(|it| it["metadata"]["resourceVersion"].as_str()?.parse().ok())
                .unwrap_or(0);
            if line.starts_with("PUT") && sent["metadata"]["resourceVersion"] != json!(version.to_string()) {
                return failure(409, "Conflict", "the object has been modified");
            }
            sent["metadata"]["resourceVersion"] = json!((version + 1).to_string());
            *stored = Some(sent);
        }
        match &*stored {
            Some(secret) => (200, secret.to_string()),
            None => failure(404, "NotFound", "secrets \"wayguard-ca\" not found"),
        }
    });
    (client, stored)
}

fn empty() -> Value {
    json!({"metadata": {"name": "wayguard-ca", "namespace": "own", "resourceVersion": "1"}})
}

fn live(bundle: &[u8]) -> Live {
    let webhook =
        json!({"name": "policies.wayguard.io", "clientConfig": {"caBundle": ByteString(bundle.to_vec())}});
    Live { mutating: None, validating: Some(json!({"webhooks": [webhook]})) }
}

async fn look(client: &Client, live: &Live, now: SystemTime) -> Trusted {
    Trust::Authority(place()).advance(client, live, &[], now).await.unwrap()
}

fn authorities(pem: &[u8]) -> usize {
    CaBundle::from_pem(pem).unwrap().certificates().len()
}

#[tokio::test]
async fn an_empty_secret_gets_an_authority_and_its_bundle_is_to_be_published() {
    let now = SystemTime::now();
    for secret in [Some(empty()), None] {
        let (client, stored) = with_secret(secret);
        let trusted = look(&client, &Live::default(), now).await;
        assert_eq!(authorities(&trusted.pem), 1);
        let data = stored.lock().unwrap().clone().unwrap()["data"].clone();
        assert!(data.get("ca.crt").is_some() && data.get("ca.key").is_some(), "{data}");
    }
}

#[tokio::test]
async fn a_rotation_publishes_both_before_the_new_one_signs_and_drops_the_old_one_last() {
    let (client, stored) = with_secret(Some(empty()));
    // Whole seconds, as the Secret keeps them.
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    let first = look(&client, &Live::default(), start).await.pem;
    let due = start + Duration::from_hours(250 * 24);
    // Both are trusted, while the old one still signs.
    let both = look(&client, &live(&first), due).await.pem;
    assert_eq!(authorities(&both), 2);
    let signs = || {
        let secret: Secret = serde_json::from_value(stored.lock().unwrap().clone().unwrap()).unwrap();
        AuthoritySecret::from_data(&data(&secret)).unwrap().active.unwrap().fingerprint()
    };
    let old = signs();
    // Seen in every caBundle; a while later the new one signs.
    let seen = look(&client, &live(&both), due).await;
    assert_eq!((signs() == old, seen.check_again_at), (true, Some(due + SETTLE)));
    look(&client, &live(&both), due + SETTLE).await;
    assert!(signs() != old);
    // A day later the old one goes; not while a replica serves a leaf of it.
    let late = due + Duration::from_hours(25);
    let replica = |authority: String| Replica {
        address: ([10, 0, 0, 1], 8080).into(),
        report: Ok(LoadReport { authority: Some(authority), ..LoadReport::default() }),
    };
    let trust = Trust::Authority(place());
    let kept = trust.advance(&client, &live(&both), &[replica(old.to_string())], late).await.unwrap();
    assert_eq!(authorities(&kept.pem), 2);
    let dropped = trust.advance(&client, &live(&both), &[replica(signs().to_string())], late).await.unwrap();
    assert_eq!(authorities(&dropped.pem), 1);
}

#[tokio::test]
async fn anothers_secret_is_left_alone() {
    let mut secret = empty();
    secret["data"] = json!({"tls.crt": "eA=="});
    let (client, stored) = with_secret(Some(secret.clone()));
    let error = Trust::Authority(place())
        .advance(&client, &Live::default(), &[], SystemTime::now())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, TrustError::Refused(SecretError::Foreign { .. })), "{error}");
    assert_eq!(stored.lock().unwrap().clone(), Some(secret));
}

#[tokio::test]
async fn a_missing_secret_that_may_not_be_made_is_told_with_who_makes_it() {
    let (client, _) = client(|line, _| match line {
        line if line.starts_with("GET") => failure(404, "NotFound", "not found"),
        _ => failure(403, "Forbidden", "secrets is forbidden"),
    });
    let error = Trust::Authority(place())
        .advance(&client, &Live::default(), &[], SystemTime::now())
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("`wayguard install` or the chart makes it"), "{error}");
}

#[tokio::test]
async fn anothers_bundle_is_checked_and_never_written() {
    let (client, log) = client(|line, _| panic!("{line}"));
    let (own, _) = with_secret(Some(empty()));
    let pem = look(&own, &Live::default(), SystemTime::now()).await.pem;
    let given = pem.clone();
    let fine = Trust::Bundle(Arc::new(move || Ok(given.clone())));
    assert_eq!(fine.advance(&client, &Live::default(), &[], SystemTime::now()).await.unwrap().pem, pem);
    let odd = Trust::Bundle(Arc::new(|| Ok(b"hello".to_vec())));
    let error = odd.advance(&client, &Live::default(), &[], SystemTime::now()).await.err().unwrap();
    assert!(matches!(error, TrustError::Bundle(_)), "{error}");
    let gone = Trust::Bundle(Arc::new(|| Err("no such file".into())));
    let error = gone.advance(&client, &Live::default(), &[], SystemTime::now()).await.err().unwrap();
    assert_eq!(error.to_string(), "the CA bundle cannot be read: no such file");
    assert!(log.lock().unwrap().is_empty());
}
