//! `/mutate/own`: who asked for a claim, or agreed to one, is written by us and by nobody else.

use super::fixture::{Rig, parts, review_of, rig_of};
use crate::{Applied, BoxFuture, Config, KindJudge, Parts, Path};
use serde_json::{Value, json};
use std::sync::Arc;

const ADA: &str = r#"{"groups":["system:authenticated"],"user":"ada"}"#;
const DORA: &str = r#"{"groups":[],"user":"dora"}"#;

/// Takes everything that gets as far as this.
struct Everything;

impl KindJudge for Everything {
    fn judge(&self, _: Applied) -> BoxFuture<'_, Option<Result<(), String>>> {
        Box::pin(std::future::ready(Some(Ok(()))))
    }
}

fn rig() -> Rig {
    rig_of(Parts { kind_judge: Some(Arc::new(Everything)), ..parts(Config::default()) })
}

fn claim(annotations: &Value, size: &str) -> Value {
    json!({
        "apiVersion": "wayguard.io/v1alpha1", "kind": "PlatformClaim",
        "metadata": {"name": "web", "annotations": annotations}, "spec": {"size": size},
    })
}

fn review(operation: &str, kind: &str, new: &Value, old: &Value) -> String {
    let resource = format!("{}s", kind.to_lowercase());
    review_of(
        "u",
        operation,
        ("wayguard.io", "v1alpha1", kind, &resource),
        &new.to_string(),
        &old.to_string(),
    )
}

/// The operations of the patch.
async fn patched(operation: &str, kind: &str, new: &Value, old: &Value) -> Vec<Value> {
    let response = rig().post(Path::Stamp, review(operation, kind, new, old)).await.review("u");
    assert_eq!(response["allowed"], true, "{response}");
    let Some(patch) = response["patch"].as_str() else { return Vec::new() };
    assert_eq!(response["patchType"], "JSONPatch");
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, patch).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// What validation says of it.
async fn said(operation: &str, new: &Value, old: &Value) -> String {
    let response = rig().post(Path::Own, review(operation, "PlatformClaim", new, old)).await.review("u");
    response["status"]["message"].as_str().unwrap_or_default().to_owned()
}

fn add(value: &str) -> Value {
    json!({"op": "add", "path": "/metadata/annotations/wayguard.io~1requester", "value": value})
}

#[tokio::test]
async fn who_asks_is_written_down() {
    let bare = json!({"apiVersion": "wayguard.io/v1alpha1", "kind": "PlatformClaim", "metadata": {"name": "web"}, "spec": {}});
    let first = json!({"op": "add", "path": "/metadata/annotations", "value": {}});
    assert_eq!(patched("CREATE", "PlatformClaim", &bare, &Value::Null).await, [first, add(ADA)]);
    let annotated = claim(&json!({"a": "b"}), "small");
    assert_eq!(patched("CREATE", "PlatformClaim", &annotated, &Value::Null).await, [add(ADA)]);
    let forged = claim(&json!({"wayguard.io/requester": DORA}), "small");
    assert_eq!(patched("CREATE", "PlatformClaim", &forged, &Value::Null).await, [add(ADA)]);
    let approval = json!({"metadata": {"annotations": {}}, "spec": {}});
    let [op] = &patched("CREATE", "ClaimApproval", &approval, &Value::Null).await[..] else { panic!("one") };
    assert_eq!(op["path"], "/metadata/annotations/wayguard.io~1approver");
}

#[tokio::test]
async fn a_stamp_is_about_the_spec() {
    let old = claim(&json!({"wayguard.io/requester": DORA}), "small");
    let update = |new: Value| async move {
        patched("UPDATE", "PlatformClaim", &new, &claim(&json!({"wayguard.io/requester": DORA}), "small"))
            .await
    };
    // Labels are anybody's, and whoever replaces the object takes nothing away.
    assert_eq!(update(old.clone()).await, [""; 0]);
    assert_eq!(update(claim(&json!({}), "small")).await, [add(DORA)]);
    assert_eq!(update(claim(&json!({"wayguard.io/requester": ADA}), "small")).await, [add(DORA)]);
    // Another spec is asked for by whoever writes it.
    assert_eq!(update(claim(&json!({"wayguard.io/requester": DORA}), "large")).await, [add(ADA)]);
    // A claim that is older than the webhook has none, and is given none.
    let none = claim(&json!({"wayguard.io/requester": ADA}), "small");
    let remove = json!({"op": "remove", "path": "/metadata/annotations/wayguard.io~1requester"});
    assert_eq!(patched("UPDATE", "PlatformClaim", &none, &claim(&json!({}), "small")).await, [remove]);
}

#[tokio::test]
async fn who_breaks_the_glass_is_written_down_with_the_reason() {
    let glass =
        |by: &str| claim(&json!({"wayguard.io/requester": by, "wayguard.io/break-glass": "fire"}), "small");
    let ada = r#"{"breakGlass":"fire","groups":["system:authenticated"],"user":"ada"}"#;
    // It is asked for anew, though the spec stays as it is; and so is what takes it back.
    let old = claim(&json!({"wayguard.io/requester": DORA}), "small");
    assert_eq!(patched("UPDATE", "PlatformClaim", &glass(DORA), &old).await, [add(ada)]);
    assert_eq!(patched("UPDATE", "PlatformClaim", &glass(ada), &glass(ada)).await, [""; 0]);
    assert_eq!(patched("UPDATE", "PlatformClaim", &old, &glass(ada)).await, [add(ADA)]);
    let refused = Parts { kind_judge: Some(Arc::new(Nothing)), ..parts(Config::default()) };
    let response =
        rig_of(refused).post(Path::Own, review("UPDATE", "PlatformClaim", &glass(ada), &old)).await;
    assert_eq!(response.review("u")["status"]["message"], "no", "who may do so is asked");
}

/// Takes nothing.
struct Nothing;

impl KindJudge for Nothing {
    fn judge(&self, _: Applied) -> BoxFuture<'_, Option<Result<(), String>>> {
        Box::pin(std::future::ready(Some(Err("no".to_owned()))))
    }
}

#[tokio::test]
async fn other_kinds_deletions_and_statuses_are_left_alone() {
    let plain = claim(&json!({}), "small");
    assert_eq!(patched("CREATE", "TeamBudget", &plain, &Value::Null).await, [""; 0]);
    assert_eq!(patched("DELETE", "PlatformClaim", &Value::Null, &plain).await, [""; 0]);
    let status = review("UPDATE", "PlatformClaim", &plain, &plain)
        .replace(r#""name":"web","namespace""#, r#""subResource":"status","name":"web","namespace""#);
    assert_eq!(rig().post(Path::Stamp, status).await.review("u").get("patch"), None);
    let foreign = review_of(
        "u",
        "CREATE",
        ("other.example", "v1", "PlatformClaim", "platformclaims"),
        &plain.to_string(),
        "null",
    );
    assert_eq!(rig().post(Path::Stamp, foreign).await.review("u").get("patch"), None);
}

#[tokio::test]
async fn what_came_past_the_mutation_is_refused() {
    let message = said("CREATE", &claim(&json!({}), "small"), &Value::Null).await;
    assert!(
        message.starts_with(
            "PlatformClaim `web`: metadata.annotations[wayguard.io/requester] is missing; must be `{"
        ),
        "{message}"
    );
    let forged = said("CREATE", &claim(&json!({"wayguard.io/requester": DORA}), "small"), &Value::Null).await;
    assert!(forged.contains("is `{\"groups\":[],\"user\":\"dora\"}`; must be"), "{forged}");
    assert_eq!(
        said("CREATE", &claim(&json!({"wayguard.io/requester": ADA}), "small"), &Value::Null).await,
        ""
    );
    // Also where the spec stays as it is.
    let old = claim(&json!({"wayguard.io/requester": DORA}), "small");
    let taken = said("UPDATE", &claim(&json!({"wayguard.io/requester": ADA}), "small"), &old).await;
    assert!(taken.contains("must be `{\"groups\":[],\"user\":\"dora\"}`"), "{taken}");
}
