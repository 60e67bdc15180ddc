//! Namespaces: from a cache that a watch keeps, and live where the cache does not know one.
//!
//! A Namespace and a Deployment in one file arrive within milliseconds of each other, at different replicas: a
//! namespace that the cache does not know is fetched, never skipped and never taken as label-less (design §2).

use crate::client::{ApiError, Client, within};
use crate::mirror::{Mirror, Selection};
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use wayguard_engine::facts::Fact;
use wayguard_engine::value::Document;

/// Live look-ups at once; more wait for their turn within their deadline.
const LIVE_AT_ONCE: usize = 32;

/// The cache and its fallback.
#[derive(Debug)]
pub struct NamespaceLookup {
    api: Api<DynamicObject>,
    cached: Mirror<Arc<Document>>,
    live: Semaphore,
}

impl NamespaceLookup {
    /// Starts the watch.
    pub fn start(client: &Client) -> Self {
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Namespace"));
        let api = Api::all_with(client.clone(), &kind);
        let cached =
            Mirror::start(api.clone(), Selection::default(), |object| Some(Arc::new(document(object))));
        Self { api, cached, live: Semaphore::new(LIVE_AT_ONCE) }
    }

    /// The answer without waiting, if the cache has it.
    pub fn at_hand(&self, name: &str) -> Option<Fact> {
        self.cached.get("", name).map(Fact::Known)
    }

    /// The Namespace object: cached, or asked of the API server within the deadline. `Absent` only if the API
    /// server said so.
    pub async fn namespace(&self, name: &str, deadline: Instant) -> Fact {
        if let Some(known) = self.at_hand(name) {
            return known;
        }
        let live = async {
            // The semaphore is never closed.
            let _permit = self.live.acquire().await;
            self.api.get(name).await
        };
        match within(deadline.saturating_duration_since(Instant::now()), live).await {
            Ok(object) => Fact::Known(Arc::new(document(object))),
            Err(ApiError::NotFound(_)) => Fact::Absent,
            Err(error) => Fact::Unavailable(error.to_string()),
        }
    }

    /// All Namespaces of the cache, by name.
    pub fn all(&self) -> Vec<(String, Arc<Document>)> {
        self.cached.all().into_iter().map(|((_, name), namespace)| (name, namespace)).collect()
    }

    /// Waits until the cache has changed since `seen`, which is then what it is now. Start with 0.
    pub async fn changed(&self, seen: &mut u64) {
        let mut changes = self.cached.changes();
        // The sender lives as long as `self`.
        if let Ok(progress) = changes.wait_for(|progress| progress.revision != *seen).await {
            *seen = progress.revision;
        }
    }

    /// Whether the cache has been filled.
    pub fn synced(&self) -> bool {
        self.cached.synced()
    }

    /// Waits until the cache has been filled: a part of being ready.
    pub async fn wait_synced(&self) {
        self.cached.wait_synced().await;
    }

    /// Time since the API server was last heard of by the watch; `None` before its first answer. About a minute at
    /// most while all is well.
    pub fn staleness(&self) -> Option<Duration> {
        self.cached.staleness()
    }

    /// What keeps the watch from going on, in words.
    pub fn problem(&self) -> Option<String> {
        self.cached.problem().map(|problem| problem.to_string())
    }
}

/// The object as `input.namespace` shows it: whole, but for who set which field.
fn document(object: DynamicObject) -> Document {
    Document::from_serde(&whole(object, "v1", "Namespace"))
}

/// An object from a list or a watch, with the type that lists leave out, without `managedFields`.
pub(crate) fn whole(mut object: DynamicObject, api_version: &str, kind: &str) -> serde_json::Value {
    object.metadata.managed_fields = None;
    object.types = Some(kube::api::TypeMeta { api_version: api_version.to_owned(), kind: kind.to_owned() });
    // An object that was read from JSON can be written as JSON.
    serde_json::to_value(object).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::{client, failure};
    use serde_json::json;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(2)
    }

    fn lists(line: &str) -> Option<(u16, String)> {
        if line.contains("watch=true") {
            return Some((200, String::new()));
        }
        let items =
            json!([{"metadata": {"name": "old", "labels": {"a": "b"}, "managedFields": [{"manager": "x"}]}}]);
        line.contains("limit=")
            .then(|| (200, json!({"metadata": {"resourceVersion": "1"}, "items": items}).to_string()))
    }

    #[tokio::test]
    async fn cached_ones_need_no_request_and_look_like_live_ones() {
        let (client, log) = client(|line, _| {
            lists(line).unwrap_or_else(|| {
            (200, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new", "managedFields": []}}).to_string())
        })
        });
        let lookup = NamespaceLookup::start(&client);
        lookup.wait_synced().await;
        let Fact::Known(old) = lookup.namespace("old", soon()).await else { panic!("cached") };
        assert_eq!(
            old.value().to_string(),
            r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"labels":{"a":"b"},"name":"old"}}"#
        );
        assert!(!log.lock().unwrap().iter().any(|line| line.contains("/namespaces/")));
        let Fact::Known(new) = lookup.namespace("new", soon()).await else { panic!("live") };
        assert_eq!(
            new.value().to_string(),
            r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"new"}}"#
        );
    }

    #[tokio::test]
    async fn absent_and_unavailable_are_different_answers() {
        let (client, _) = client(|line, _| {
            lists(line).unwrap_or_else(|| match line {
                line if line.contains("/gone") => failure(404, "NotFound", "namespaces \"gone\" not found"),
                _ => failure(500, "InternalError", "etcd is away"),
            })
        });
        let lookup = NamespaceLookup::start(&client);
        assert!(matches!(lookup.namespace("gone", soon()).await, Fact::Absent));
        let Fact::Unavailable(why) = lookup.namespace("broken", soon()).await else { panic!("unavailable") };
        assert_eq!(why, "etcd is away");
    }
}
