//! `/validate/own`: our own kinds, judged when they are applied.

use super::fixture::{LATEST, Rig, parts, policy, review_of, rig_of};
use crate::{Config, Parts, Path};
use serde_json::{Value, json};
use std::sync::Arc;

fn own() -> Rig {
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    rig_of(Parts { clock: Arc::new(move || now), ..parts(Config::default()) })
}

fn object(kind: &str, spec: &Value) -> String {
    json!({"apiVersion": "wayguard.io/v1alpha1", "kind": kind, "metadata": {"name": "web"}, "spec": spec})
        .to_string()
}

fn own_review(kind: &str, operation: &str, namespace: &str, new: &str, old: &str) -> String {
    let resource = if kind == "Policy" { "policies" } else { "policyexceptions" };
    let of = ("wayguard.io", "v1alpha1", kind, resource);
    review_of("u", operation, of, new, old)
        .replace(r#""namespace":"team-a""#, &format!(r#""namespace":"{namespace}""#))
}

/// The message of the denial, or an empty text.
async fn said(rig: &Rig, body: String) -> String {
    let response = rig.post(Path::Own, body).await.review("u");
    let message = response["status"]["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(response["allowed"], message.is_empty(), "{response}");
    message
}

async fn policy_said(rig: &Rig, spec: Value) -> String {
    said(rig, own_review("Policy", "CREATE", "", &object("Policy", &spec), "null")).await
}

async fn exception_said(rig: &Rig, spec: Value) -> String {
    let new = object("PolicyException", &spec);
    said(rig, own_review("PolicyException", "CREATE", "wayguard-system", &new, "null")).await
}

#[tokio::test]
async fn a_policy_that_loads_is_admitted() {
    assert_eq!(policy_said(&own(), policy(LATEST, json!({}))).await, "");
}

#[tokio::test]
async fn bad_rego_is_refused_with_its_place_and_a_caret() {
    let broken = LATEST.replace("endswith(", "endswth(");
    let line = 1 + broken.lines().position(|line| line.contains("endswth(")).unwrap();
    let message = policy_said(&own(), policy(&broken, json!({}))).await;
    assert!(message.starts_with("policy `web` cannot be loaded:\nweb.rego:"), "{message}");
    assert!(message.contains(&format!("web.rego:{line}:")), "{message}");
    assert!(message.contains("endswth") && message.ends_with('^'), "{message}");
    let unparsable = policy_said(&own(), policy(&LATEST.replace(" if {", " if"), json!({}))).await;
    assert!(unparsable.contains("web.rego:") && unparsable.contains('^'), "{unparsable}");
}

#[tokio::test]
async fn bad_parameters_matches_and_fields_are_refused() {
    let rig = own();
    let schema = "#   parameters: {type: object, properties: {labels: {type: array, items: {type: string}}}}\npackage images";
    let labelled = LATEST.replace("package images", schema);
    assert_eq!(policy_said(&rig, policy(&labelled, json!({"parameters": {"labels": ["team"]}}))).await, "");
    for (spec, words) in [
        (policy(LATEST, json!({"parameters": {"labels": ["team"]}})), "the policy takes no parameters"),
        (policy(&labelled, json!({"parameters": {"labels": "team"}})), "labels"),
        (policy(LATEST, json!({"match": {"resourceRules": []}})), "`resourceRules` is empty; name resources"),
        (
            policy(
                LATEST,
                json!({"match": {"resourceRules": [{"apiGroups": [""], "resources": ["pods"], "operations": ["PATCH"]}]}}),
            ),
            "has `PATCH`; must be CREATE, UPDATE, DELETE, CONNECT or *",
        ),
        (policy(LATEST, json!({"action": "Block"})), "unknown variant `Block`"),
        (policy(LATEST, json!({"actoin": "Deny"})), "unknown field `actoin`"),
        (
            policy(LATEST, json!({"source": {"library": "images/none-such"}})),
            "the library has no policy `images/none-such`",
        ),
        (policy(LATEST, json!({"source": {"path": "here"}})), "works in files only"),
        (policy(LATEST, json!({"source": {}})), "needs exactly one of"),
        (Value::Null, "`spec` is missing"),
    ] {
        let message = policy_said(&rig, spec).await;
        assert!(message.contains(words), "{words} in {message}");
        assert!(message.starts_with("policy `web`"), "{message}");
    }
}

fn exception(more: Value) -> Value {
    let mut spec = json!({
        "policies": ["latest"], "reason": "migration", "owner": "team-a", "expiresAt": "2027-01-31T00:00:00Z",
    });
    if let (Some(spec), Value::Object(more)) = (spec.as_object_mut(), more) {
        spec.extend(more);
    }
    spec
}

#[tokio::test]
async fn exceptions_end_and_say_why() {
    let rig = own();
    assert_eq!(exception_said(&rig, exception(json!({}))).await, "");
    let mut endless = exception(json!({}));
    endless.as_object_mut().unwrap().remove("expiresAt");
    for (spec, words) in [
        (endless, "spec.expiresAt is missing"),
        (exception(json!({"expiresAt": null})), "spec.expiresAt is missing"),
        (exception(json!({"expiresAt": "tomorrow"})), "expiresAt is `tomorrow`"),
        (exception(json!({"expiresAt": "2026-11-22T12:00:00Z"})), "must be in the future"),
        (exception(json!({"policies": []})), "`policies` is empty"),
        (exception(json!({"reason": " "})), "`reason` is empty"),
        (exception(json!({"owner": ""})), "`owner` is empty"),
        (exception(json!({"forever": true})), "unknown field `forever`"),
    ] {
        let message = exception_said(&rig, spec).await;
        assert!(message.contains(words), "{words} in {message}");
        assert!(message.starts_with("exception `web`: "), "{message}");
    }
}

#[tokio::test]
async fn exceptions_count_in_our_namespace_only() {
    let rig = own();
    let new = object("PolicyException", &exception(json!({})));
    let message = said(&rig, own_review("PolicyException", "CREATE", "team-a", &new, "null")).await;
    assert!(message.contains("namespace is `team-a`; must be `wayguard-system`"), "{message}");
}

#[tokio::test]
async fn an_exception_to_an_unknown_policy_is_admitted_with_a_warning() {
    let new = object("PolicyException", &exception(json!({"policies": ["latest", "lattest"]})));
    let reply =
        own().post(Path::Own, own_review("PolicyException", "CREATE", "wayguard-system", &new, "null")).await;
    let response = reply.review("u");
    assert_eq!(response["allowed"], true);
    assert!(
        response["warnings"][0].as_str().unwrap().starts_with("no loaded policy is named `lattest`"),
        "{response}"
    );
}

#[tokio::test]
async fn deletion_status_and_edits_beside_the_spec_are_never_refused() {
    let rig = own();
    let broken = object("Policy", &policy("package broken\n", json!({})));
    let expired = object("PolicyException", &exception(json!({"expiresAt": "2020-01-01T00:00:00Z"})));
    for (kind, namespace, old) in [("Policy", "", &broken), ("PolicyException", "team-a", &expired)] {
        assert_eq!(said(&rig, own_review(kind, "DELETE", namespace, "null", old)).await, "");
        let relabelled = old.replace(r#""name":"web""#, r#""labels":{"a":"b"},"name":"web""#);
        assert_eq!(said(&rig, own_review(kind, "UPDATE", namespace, &relabelled, old)).await, "");
        let status = own_review(kind, "UPDATE", namespace, old, old)
            .replace(r#""name":"web","namespace""#, r#""subResource":"status","name":"web","namespace""#);
        assert_eq!(said(&rig, status).await, "");
        let edited = old.replace("spec\":{", "spec\":{\"more\":1,");
        assert!(!said(&rig, own_review(kind, "UPDATE", namespace, &edited, old)).await.is_empty());
    }
}

#[tokio::test]
async fn a_kind_that_this_version_does_not_know_is_refused() {
    let message =
        said(&own(), own_review("FutureKind", "CREATE", "a", &object("FutureKind", &json!({})), "null"))
            .await;
    assert!(
        message.contains("`wayguard.io/v1alpha1` `FutureKind` is not judged by this server"),
        "{message}"
    );
}

#[tokio::test]
async fn our_own_kinds_are_judged_before_policies_are_loaded() {
    let parts = Parts { policies: Arc::default(), ..parts(Config::default()) };
    assert_eq!(policy_said(&rig_of(parts), policy(LATEST, json!({}))).await, "");
}

/// Knows one kind, of which it takes what is called good.
struct Chooser;

impl crate::KindJudge for Chooser {
    fn judge(&self, applied: crate::Applied) -> crate::BoxFuture<'_, Option<Result<(), String>>> {
        Box::pin(async move {
            let said = match applied.spec["is"].as_str() {
                Some("good") => Ok(()),
                _ => Err(format!("{} `{}` is not good", applied.kind, applied.name)),
            };
            (applied.kind == "ImageAuthority").then_some(said)
        })
    }
}

#[tokio::test]
async fn a_kind_that_the_host_knows_is_judged_by_it() {
    let rig = rig_of(Parts { kind_judge: Some(Arc::new(Chooser)), ..parts(Config::default()) });
    let ask = |kind: &'static str, is: &str| {
        said(&rig, own_review(kind, "CREATE", "", &object(kind, &json!({"is": is})), "null"))
    };
    assert_eq!(ask("ImageAuthority", "good").await, "");
    assert_eq!(ask("ImageAuthority", "bad").await, "ImageAuthority `web` is not good");
    assert!(ask("FutureKind", "good").await.contains("is not judged by this server"));
    // What stays as it is may be labelled.
    let bad = object("ImageAuthority", &json!({"is": "bad"}));
    assert_eq!(said(&rig, own_review("ImageAuthority", "UPDATE", "", &bad, &bad)).await, "");
}
