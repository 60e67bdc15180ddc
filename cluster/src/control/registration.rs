//! The webhook configurations on the API server: read, compared, written.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::webhooks::{Entry, Live};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};
use tracing::{info, warn};

/// Under this name our fields are ours.
pub(crate) const FIELD_MANAGER: &str = "wayguard-control";

const GROUP: &str = "admissionregistration.k8s.io";
const MUTATING: &str = "MutatingWebhookConfiguration";
const VALIDATING: &str = "ValidatingWebhookConfiguration";

/// The two kinds, for watches.
pub(super) fn kinds() -> [ApiResource; 2] {
    [MUTATING, VALIDATING].map(|kind| ApiResource::from_gvk(&GroupVersionKind::gvk(GROUP, "v1", kind)))
}

/// Both objects as they are now.
pub(super) async fn read(client: &Client, name: &str) -> Result<Live, ApiError> {
    let mut found = Vec::new();
    for kind in kinds() {
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
        found.push(within(REQUEST_LIMIT, api.get_opt(name)).await?.map(object));
    }
    let validating = found.pop().flatten();
    Ok(Live { validating, mutating: found.pop().flatten() })
}

fn object(found: DynamicObject) -> Value {
    // An object that was read from JSON can be written as JSON.
    serde_json::to_value(found).unwrap_or_default()
}

/// Whether the object says what it should, nothing else of ours, and nothing foreign in our entries.
pub(super) fn in_order(wanted: &Value, live: Option<&Value>) -> bool {
    let Some(live) = live else { return false };
    let owners = |object: &Value| object.pointer("/metadata/ownerReferences").cloned().unwrap_or(Value::Null);
    let labels = |object: &Value| object.pointer("/metadata/labels").cloned().unwrap_or_default();
    let webhooks = |object: &Value| -> Vec<Value> {
        let list = object.get("webhooks").and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let labelled = labels(wanted)
        .as_object()
        .into_iter()
        .flatten()
        .all(|(key, value)| labels(live).get(key) == Some(value));
    labelled && owners(wanted) == owners(live) && webhooks(wanted) == webhooks(live)
}

/// Writes one object if it is not in order; whether it was written.
///
/// Server-side apply first: it creates, and it leaves others' metadata alone. What others have put into our webhooks
/// (a selector, a condition, a whole entry) stays after an apply, because it is theirs; it is taken out by a patch
/// of the whole list that is guarded by the resource version.
pub(super) async fn apply(client: &Client, wanted: &Value, live: Option<&Value>) -> Result<bool, ApiError> {
    if in_order(wanted, live) {
        return Ok(false);
    }
    let text = |pointer: &str| wanted.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (kind, name) = (text("/kind"), text("/metadata/name"));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(GROUP, "v1", kind));
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let applied = object(within(REQUEST_LIMIT, api.patch(name, &params, &Patch::Apply(wanted))).await?);
    info!(kind, name, "registered");
    if !in_order(wanted, Some(&applied)) {
        warn!(kind, name, "somebody else has changed our webhooks; their changes are taken out");
        let version = applied.pointer("/metadata/resourceVersion");
        let list = json!({
            "metadata": {"resourceVersion": version, "ownerReferences": wanted.pointer("/metadata/ownerReferences")},
            "webhooks": wanted.get("webhooks"),
        });
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        within(REQUEST_LIMIT, api.patch(name, &params, &Patch::Merge(list))).await?;
    }
    Ok(true)
}

/// Lets nothing of ours fail closed, and changes nothing else: what an operator has narrowed or deleted stays so.
pub(super) async fn hold(client: &Client, live: &Live) -> Result<(), ApiError> {
    for (kind, found) in kinds().iter().zip([&live.mutating, &live.validating]) {
        let Some(found) = found else { continue };
        let mut webhooks = found.get("webhooks").cloned().unwrap_or_default();
        let mut closed = 0;
        for webhook in webhooks.as_array_mut().into_iter().flatten() {
            let ours = webhook.get("name").and_then(Value::as_str).and_then(Entry::parse).is_some();
            if let (true, Some(policy)) = (ours, webhook.get_mut("failurePolicy"))
                && *policy == "Fail"
            {
                *policy = "Ignore".into();
                closed += 1;
            }
        }
        if closed == 0 {
            continue;
        }
        warn!(kind = kind.kind, webhooks = closed, "the suite is paused: nothing fails closed any more");
        let api: Api<DynamicObject> = Api::all_with(client.clone(), kind);
        let name = found.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let patch = json!({
            "metadata": {"resourceVersion": found.pointer("/metadata/resourceVersion")},
            "webhooks": webhooks,
        });
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        within(REQUEST_LIMIT, api.patch(name, &params, &Patch::Merge(patch))).await?;
    }
    Ok(())
}

/// The object whose deletion takes the configurations with it; cluster-scoped, as its dependents are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// API group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
}

impl Anchor {
    /// The `ClusterRole` that `wayguard install` and the chart make for this purpose; it grants nothing.
    pub fn cluster_role(name: &str) -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            group: text("rbac.authorization.k8s.io"),
            version: text("v1"),
            kind: text("ClusterRole"),
            name: text(name),
        }
    }

    /// An ownerReference to it; `None` if it is not there: the suite is being removed.
    pub(super) async fn reference(&self, client: &Client) -> Result<Option<Value>, ApiError> {
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(&self.group, &self.version, &self.kind));
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
        let found = within(REQUEST_LIMIT, api.get_metadata_opt(&self.name)).await?;
        let living = found.filter(|object| object.metadata.deletion_timestamp.is_none());
        Ok(living.map(|object| {
            json!({
                "apiVersion": kind.api_version,
                "kind": self.kind,
                "name": self.name,
                "uid": object.metadata.uid,
            })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::client;

    fn wanted() -> Value {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": VALIDATING,
            "metadata": {"name": "wayguard", "labels": {"a": "b"}, "ownerReferences": [{"uid": "u"}]},
            "webhooks": [{"name": "x.wayguard.io", "objectSelector": {}}],
        })
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut changed = wanted();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    }

    #[test]
    fn what_others_change_in_our_webhooks_is_seen_and_their_own_metadata_is_theirs() {
        assert!(in_order(&wanted(), Some(&wanted())));
        assert!(in_order(&wanted(), Some(&with("/metadata/labels", json!({"a": "b", "theirs": "x"})))));
        assert!(!in_order(&wanted(), None));
        assert!(!in_order(&wanted(), Some(&with("/metadata/ownerReferences", json!([])))));
        assert!(!in_order(
            &wanted(),
            Some(&with("/webhooks/0/objectSelector", json!({"matchLabels": {"skip": "me"}})))
        ));
        assert!(!in_order(&wanted(), Some(&with("/webhooks", json!([])))));
    }

    #[tokio::test]
    async fn a_pause_opens_what_fails_closed_and_touches_nothing_else() {
        let (client, log) = client(|_, body| {
            let sent: Value = serde_json::from_str(body).unwrap();
            let webhook =
                |name: &str, policy: &str| json!({"name": name, "failurePolicy": policy, "rules": []});
            assert_eq!(
                sent,
                json!({"metadata": {"resourceVersion": "4"}, "webhooks": [
                    webhook("validate-fail.wayguard.io", "Ignore"),
                    webhook("validate-ignore.wayguard.io", "Ignore"),
                    webhook("theirs.example.com", "Fail"),
                ]})
            );
            (200, json!({"metadata": {"name": "wayguard"}}).to_string())
        });
        let webhook = |name: &str, policy: &str| json!({"name": name, "failurePolicy": policy, "rules": []});
        let validating = json!({"metadata": {"name": "wayguard", "resourceVersion": "4"}, "webhooks": [
            webhook("validate-fail.wayguard.io", "Fail"),
            webhook("validate-ignore.wayguard.io", "Ignore"),
            webhook("theirs.example.com", "Fail"),
        ]});
        let live = Live {
            mutating: Some(json!({"webhooks": [webhook("mutate.wayguard.io", "Ignore")]})),
            validating: Some(validating),
        };
        assert_eq!(hold(&client, &live).await, Ok(()));
        assert_eq!(log.lock().unwrap().len(), 1);
        assert_eq!(hold(&client, &Live::default()).await, Ok(()), "what is deleted stays deleted");
    }

    #[tokio::test]
    async fn nothing_is_written_when_all_is_in_order() {
        let (client, log) = client(|line, _| panic!("{line}"));
        assert_eq!(apply(&client, &wanted(), Some(&wanted())).await, Ok(false));
        assert!(log.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_an_apply_leaves_is_patched_away_under_the_resource_version() {
        let tampered = with(
            "/webhooks/0",
            json!({"name": "x.wayguard.io", "objectSelector": {}, "matchConditions": [{"name": "off"}]}),
        );
        let answer = tampered.clone();
        let (client, log) = client(move |_, body| {
            let mut sent: Value = serde_json::from_str(body).unwrap();
            if sent.get("apiVersion").is_none() {
                assert_eq!(sent["metadata"]["resourceVersion"], "9");
                assert_eq!(sent["webhooks"], wanted()["webhooks"]);
                sent = wanted();
            } else {
                sent = answer.clone();
            }
            sent["metadata"]["resourceVersion"] = json!("9");
            (200, sent.to_string())
        });
        assert_eq!(apply(&client, &wanted(), Some(&tampered)).await, Ok(true));
        let log = log.lock().unwrap();
        assert_eq!(log.len(), 2);
        assert!(
            log[0].starts_with(
                "PATCH /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/wayguard?"
            ),
            "{log:?}"
        );
    }
}
