//! Applying an installation: server-side, in order, waiting where later objects need earlier ones.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Under this name the fields of an installation are ours.
const FIELD_MANAGER: &str = "wayguard-install";
/// An API server serves a new kind within a second or two.
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(30);

/// Why an installation stopped.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The API server refused one object, or could not be asked.
    #[error("`{kind}` `{name}` was not applied: {problem}")]
    Apply {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Why.
        problem: ApiError,
    },
    /// A kind of ours is not served in time.
    #[error("the kind `{name}` is not served after {} s; `kubectl describe crd {name}` says why", ESTABLISHED_WITHIN.as_secs())]
    NotServed {
        /// The name of the `CustomResourceDefinition`.
        name: String,
    },
}

/// One object that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its kind.
    pub kind: String,
    /// Its namespace, or empty.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Whether it was made now.
    pub created: bool,
}

/// Applies all objects; `told` hears of each one.
///
/// # Errors
/// At the first object that is not accepted; those before it stay.
pub async fn apply(
    client: &Client,
    objects: &[Value],
    told: &mut (dyn FnMut(&Applied) + Send),
) -> Result<(), InstallError> {
    for object in objects {
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kind, name, namespace) = (text("/kind"), text("/metadata/name"), text("/metadata/namespace"));
        let (group, version) = text("/apiVersion").split_once('/').map_or_else(
            || (String::new(), text("/apiVersion")),
            |(group, version)| (group.to_owned(), version.to_owned()),
        );
        let resource = ApiResource::from_gvk(&GroupVersionKind { group, version, kind: kind.clone() });
        let api: Api<DynamicObject> = if namespace.is_empty() {
            Api::all_with(client.clone(), &resource)
        } else {
            Api::namespaced_with(client.clone(), &namespace, &resource)
        };
        let failed = |problem| InstallError::Apply { kind: kind.clone(), name: name.clone(), problem };
        let before = within(REQUEST_LIMIT, api.get_metadata_opt(&name)).await.map_err(failed)?;
        // Gatekeeper's own kinds stay as Gatekeeper has left them, and what the platform offers as the platform has.
        let gatekeepers = kind == "CustomResourceDefinition" && name.ends_with(".gatekeeper.sh");
        if before.is_some() && (gatekeepers || kind == "ClaimClass") {
            told(&Applied { kind, namespace, name, created: false });
            continue;
        }
        let params = PatchParams::apply(FIELD_MANAGER).force();
        within(REQUEST_LIMIT, api.patch(&name, &params, &Patch::Apply(object))).await.map_err(failed)?;
        if kind == "CustomResourceDefinition" {
            served(&api, &name).await?;
        }
        told(&Applied { kind, namespace, name, created: before.is_none() });
    }
    Ok(())
}

/// Waits until the API server serves a new kind.
async fn served(api: &Api<DynamicObject>, name: &str) -> Result<(), InstallError> {
    let limit = Instant::now() + ESTABLISHED_WITHIN;
    while Instant::now() < limit {
        if let Ok(definition) = within(REQUEST_LIMIT, api.get(name)).await {
            let conditions = definition.data.pointer("/status/conditions").and_then(Value::as_array);
            let established = |it: &Value| it["type"] == "Established" && it["status"] == "True";
            if conditions.into_iter().flatten().any(established) {
                return Ok(());
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(InstallError::NotServed { name: name.to_owned() })
}
