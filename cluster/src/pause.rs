//! The emergency brake: a ConfigMap `wayguard-pause` in the suite's own namespace (design §2).
//!
//! While it is there nothing fails closed and `control` repairs nothing: what an operator deletes stays deleted.
//! Taking it away ends the pause, and everything is registered again as the policies say.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use serde_json::json;

/// The ConfigMap's name.
pub const PAUSE_CONFIG_MAP: &str = "wayguard-pause";

/// Whether the suite is paused, and why if somebody said so.
///
/// # Errors
/// When the API server does not tell: then nothing may be changed either.
pub async fn paused(client: &Client, namespace: &str) -> Result<Option<String>, ApiError> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let found = within(REQUEST_LIMIT, api.get_opt(PAUSE_CONFIG_MAP)).await?;
    Ok(found.map(|map| map.data.unwrap_or_default().remove("reason").unwrap_or_default()))
}

/// Pauses the suite; repeating it changes the reason.
///
/// # Errors
/// When the API server refuses.
pub async fn pause(client: &Client, namespace: &str, reason: &str) -> Result<(), ApiError> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": PAUSE_CONFIG_MAP,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/name": "wayguard", "app.kubernetes.io/part-of": "wayguard"},
        },
        "data": {"reason": reason},
    });
    let params = PatchParams::apply("wayguard-cli").force();
    within(REQUEST_LIMIT, api.patch(PAUSE_CONFIG_MAP, &params, &Patch::Apply(map))).await.map(drop)
}

/// Ends the pause; fine if there is none.
///
/// # Errors
/// When the API server refuses.
pub async fn resume(client: &Client, namespace: &str) -> Result<(), ApiError> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    match within(REQUEST_LIMIT, api.delete(PAUSE_CONFIG_MAP, &DeleteParams::default())).await {
        Ok(_) | Err(ApiError::NotFound(_)) => Ok(()),
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::{client, failure};

    #[tokio::test]
    async fn paused_is_that_the_config_map_is_there() {
        let (there, _) = client(|line, _| {
            assert!(line.starts_with("GET /api/v1/namespaces/own/configmaps/wayguard-pause"), "{line}");
            (
                200,
                json!({"metadata": {"name": "wayguard-pause"}, "data": {"reason": "node pool is stuck"}})
                    .to_string(),
            )
        });
        assert_eq!(paused(&there, "own").await, Ok(Some("node pool is stuck".to_owned())));
        let (gone, _) = client(|_, _| failure(404, "NotFound", "not found"));
        assert_eq!(paused(&gone, "own").await, Ok(None));
        assert_eq!(resume(&gone, "own").await, Ok(()));
        let (silent, _) = client(|_, _| failure(500, "InternalError", "etcd is away"));
        assert_eq!(paused(&silent, "own").await, Err(ApiError::Unavailable("etcd is away".into())));
    }
}
