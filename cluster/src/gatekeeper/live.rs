//! Whether Gatekeeper itself works in the cluster: two judges of the same constraints would contradict each other.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::GroupVersionKind;

/// Something that only a working Gatekeeper has, as `kind/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveGatekeeper(pub String);

impl std::fmt::Display for LiveGatekeeper {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "Gatekeeper works in this cluster (there is `{}`), and two must not judge by the same constraints; remove it first, or start without `--gatekeeper`",
            self.0
        )
    }
}

/// Group, version, kind, namespace (empty: none) and name.
pub(crate) const SIGNS: [(&str, &str, &str, &str, &str); 4] = [
    (
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "",
        "gatekeeper-validating-webhook-configuration",
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        "MutatingWebhookConfiguration",
        "",
        "gatekeeper-mutating-webhook-configuration",
    ),
    ("apps", "v1", "Deployment", "gatekeeper-system", "gatekeeper-controller-manager"),
    ("apps", "v1", "Deployment", "gatekeeper-system", "gatekeeper-audit"),
];

/// Looks for Gatekeeper.
///
/// # Errors
/// If the API server does not answer, or does not let us look.
pub async fn look_for(client: &Client) -> Result<Option<LiveGatekeeper>, ApiError> {
    for (group, version, kind, namespace, name) in SIGNS {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> = if namespace.is_empty() {
            Api::all_with(client.clone(), &resource)
        } else {
            Api::namespaced_with(client.clone(), namespace, &resource)
        };
        if within(REQUEST_LIMIT, api.get_metadata_opt(name)).await?.is_some() {
            return Ok(Some(LiveGatekeeper(format!("{}/{name}", kind.to_ascii_lowercase()))));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::{client, failure};
    use serde_json::json;

    #[tokio::test]
    async fn a_webhook_configuration_of_gatekeepers_gives_it_away() {
        let (with, _) = client(|line, _| {
            if line.contains("gatekeeper-mutating-webhook-configuration") {
                (200, json!({"metadata": {"name": "gatekeeper-mutating-webhook-configuration"}}).to_string())
            } else {
                failure(404, "NotFound", "not found")
            }
        });
        let found = look_for(&with).await.unwrap().unwrap();
        assert_eq!(found.0, "mutatingwebhookconfiguration/gatekeeper-mutating-webhook-configuration");
        assert!(found.to_string().contains("remove it first, or start without `--gatekeeper`"));
        let (without, log) = client(|_, _| failure(404, "NotFound", "not found"));
        assert_eq!(look_for(&without).await, Ok(None));
        assert_eq!(log.lock().unwrap().len(), SIGNS.len());
    }

    #[tokio::test]
    async fn not_being_allowed_to_look_is_no_answer() {
        let (blind, _) = client(|_, _| failure(403, "Forbidden", "cannot get"));
        assert!(matches!(look_for(&blind).await, Err(ApiError::Forbidden(_))));
    }
}
