//! One object of our kinds as it came from the API server, valid or not: one that cannot be read must not keep its
//! neighbours from being served.

use super::FROM_CLUSTER;
use kube::api::DynamicObject;
use serde::de::DeserializeOwned;
use wayguard_engine::rego::LoadError;

/// What is kept of an object.
#[derive(Clone, Debug)]
pub(crate) struct Object<S> {
    pub(crate) name: String,
    pub(crate) uid: String,
    /// Counts changes of the spec.
    pub(crate) generation: i64,
    pub(crate) spec: Result<S, LoadError>,
    /// As it was seen; only `control` looks at it.
    pub(crate) status: serde_json::Value,
}

impl<S: DeserializeOwned> Object<S> {
    pub(crate) fn read(mut object: DynamicObject) -> Self {
        let part = |data: &mut serde_json::Value, key: &str| {
            data.get_mut(key).map(serde_json::Value::take).unwrap_or_default()
        };
        let spec = part(&mut object.data, "spec");
        Self {
            name: object.metadata.name.unwrap_or_default(),
            uid: object.metadata.uid.unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            status: part(&mut object.data, "status"),
            // The API server checks the schema, but objects outlive schemas.
            spec: serde_json::from_value(spec)
                .map_err(|error| LoadError::whole(FROM_CLUSTER, format!("spec: {error}"))),
        }
    }
}
