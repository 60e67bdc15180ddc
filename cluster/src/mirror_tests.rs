//! The mirror against scripted API servers.

use super::*;
use crate::client::Client;
use crate::fake_api::{client, eventually, failure};
use kube::api::ApiResource;
use kube::core::GroupVersionKind;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

fn namespaces(client: Client) -> Mirror<String> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Namespace"));
    Mirror::start(Api::all_with(client, &kind), Selection::default(), |object| {
        object.metadata.labels?.get("team").cloned()
    })
}

fn namespace(name: &str, team: &str, version: &str) -> serde_json::Value {
    json!({"metadata": {"name": name, "labels": {"team": team}, "resourceVersion": version}})
}

fn list(version: &str, more: &str, items: &[serde_json::Value]) -> (u16, String) {
    let metadata = json!({"resourceVersion": version, "continue": more});
    (
        200,
        json!({"kind": "NamespaceList", "apiVersion": "v1", "metadata": metadata, "items": items})
            .to_string(),
    )
}

fn event(kind: &str, object: &serde_json::Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

fn known(mirror: &Mirror<String>) -> Vec<(String, String)> {
    mirror.all().into_iter().map(|((_, name), team)| (name, team)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, team)| ((*name).to_owned(), (*team).to_owned())).collect()
}

#[tokio::test]
async fn lists_in_pages_then_follows_changes() {
    let (client, log) = client(|line, _| {
        if line.contains("continue=next") {
            return list("5", "", &[namespace("b", "two", "2")]);
        }
        if !line.contains("watch=true") {
            return list("", "next", &[namespace("a", "one", "1")]);
        }
        if !line.contains("resourceVersion=5") {
            return (200, String::new());
        }
        let changed =
            event("MODIFIED", &namespace("a", "uno", "6")) + &event("DELETED", &namespace("b", "two", "7"));
        (200, changed + &event("ADDED", &namespace("c", "three", "8")))
    });
    let mirror = namespaces(client);
    mirror.wait_synced().await;
    eventually("changes arrive", || known(&mirror) == pairs(&[("a", "uno"), ("c", "three")])).await;
    eventually("the watch goes on from the last version", || {
        log.lock().unwrap().iter().any(|line| line.contains("resourceVersion=8"))
    })
    .await;
    assert!(mirror.staleness().unwrap() < Duration::from_secs(5));
    assert_eq!(mirror.get("", "a").as_deref(), Some("uno"));
}

#[tokio::test]
async fn too_old_means_list_again_and_nothing_is_lost_meanwhile() {
    let lists = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lists);
    let (client, _) = client(move |line, _| {
        if line.contains("watch=true") {
            return match counted.load(Ordering::SeqCst) {
                1 => failure(410, "Expired", "too old resource version"),
                2 => (
                    200,
                    event("ERROR", &serde_json::from_str(&failure(410, "Expired", "too old").1).unwrap()),
                ),
                _ => (200, String::new()),
            };
        }
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => list("5", "", &[namespace("a", "one", "1")]),
            1 => list("9", "", &[namespace("a", "one", "1"), namespace("b", "two", "8")]),
            _ => list("12", "", &[namespace("b", "two", "8")]),
        }
    });
    let mirror = namespaces(client);
    let mut seen = mirror.changes();
    let mut states = Vec::new();
    while states.last() != Some(&pairs(&[("b", "two")])) {
        tokio::time::timeout(Duration::from_secs(5), seen.changed()).await.unwrap().unwrap();
        states.push(known(&mirror));
    }
    assert!(states.iter().all(|state| !state.is_empty()), "{states:?}");
    assert_eq!(lists.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_missing_right_is_told_and_does_not_end_the_attempts() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let (client, _) = client(move |line, _| {
        if line.contains("watch=true") {
            return (200, String::new());
        }
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => failure(403, "Forbidden", "namespaces is forbidden: cannot list"),
            _ => list("1", "", &[]),
        }
    });
    let mirror = namespaces(client);
    eventually("the problem shows", || mirror.problem().is_some()).await;
    assert_eq!(mirror.problem(), Some(ApiError::Forbidden("namespaces is forbidden: cannot list".into())));
    assert!(!mirror.synced());
    tokio::time::timeout(Duration::from_secs(5), mirror.wait_synced()).await.unwrap();
    assert_eq!(mirror.problem(), None);
}

#[tokio::test]
async fn what_is_not_kept_is_not_there() {
    let (client, _) = client(|line, _| {
        if line.contains("watch=true") {
            return (200, event("MODIFIED", &json!({"metadata": {"name": "a", "resourceVersion": "6"}})));
        }
        list("5", "", &[namespace("a", "one", "1"), json!({"metadata": {"name": "b"}})])
    });
    let mirror = namespaces(client);
    mirror.wait_synced().await;
    eventually("a is no longer kept", || known(&mirror).is_empty()).await;
    assert!(mirror.revision_in("") >= 2);
    assert_eq!(mirror.in_namespace("").1, []);
}
