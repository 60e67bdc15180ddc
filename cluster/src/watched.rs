//! All objects of a kind, kept by a watch, for those who work on them outside of this crate.

use crate::client::Client;
use crate::mirror::{Mirror, Selection, Task, forward};
use crate::namespaces::whole;
use crate::objects::resource;
use kube::api::Api;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// Namespace (empty for kinds without) and name.
pub type Place = (String, String);

/// The objects of a kind and the watch that keeps them.
#[derive(Debug)]
pub struct Watched {
    mirror: Mirror<Arc<Value>>,
    _forward: Task,
}

impl Watched {
    /// Starts to watch all objects of a kind that have these labels (a label selector). `changed` is told of every change.
    pub fn start(
        client: &Client,
        api_version: &str,
        kind: &str,
        labels: Option<&str>,
        changed: &Arc<Notify>,
    ) -> Self {
        let api = Api::all_with(client.clone(), &resource(api_version, kind));
        let selection = Selection { fields: None, labels: labels.map(ToOwned::to_owned), page: None };
        let (version, name) = (api_version.to_owned(), kind.to_owned());
        let mirror = Mirror::start(api, selection, move |mut object| {
            let managers = object.metadata.managed_fields.take().unwrap_or_default();
            // Who else writes is worth knowing; which fields, is not worth the memory.
            let others: Vec<Value> = managers
                .into_iter()
                // Who writes a status does what is expected of it.
                .filter(|entry| entry.subresource.as_deref().is_none_or(str::is_empty))
                .map(|entry| serde_json::json!({"manager": entry.manager, "time": entry.time}))
                .collect();
            let mut value = whole(object, &version, &name);
            if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.insert("managedFields".to_owned(), others.into());
            }
            Some(Arc::new(value))
        });
        let forward = forward(mirror.changes(), changed);
        Self { mirror, _forward: forward }
    }

    /// The objects as they are known now. Of `managedFields` only managers and times are kept, without those of statuses.
    pub fn all(&self) -> BTreeMap<Place, Arc<Value>> {
        self.mirror.all()
    }

    /// Whether the first list is whole.
    pub fn synced(&self) -> bool {
        self.mirror.synced()
    }

    /// What keeps the watch from going on, in words.
    pub fn problem(&self) -> Option<String> {
        self.mirror.problem().map(|problem| problem.to_string())
    }
}
