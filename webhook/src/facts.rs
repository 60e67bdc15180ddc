//! Where the server gets what a decision depends on beyond the request (design §2, "facts").

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wayguard_engine::FactKey;
use wayguard_engine::facts::Fact;
use wayguard_engine::value::Document;

/// A boxed future, as `futures::future::BoxFuture`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A watch is begun anew each minute; one that has not been for longer has lost its API server.
pub(crate) const STALE_AFTER: Duration = Duration::from_secs(75);

/// What answers the engine's questions: caches and look-ups of a cluster, or [`NoCluster`].
pub trait FactSource: Send + Sync + 'static {
    /// An answer that needs no waiting, such as from a synced cache. It is asked first, on the thread that
    /// judges: it must not block. `None` means "fetch it".
    fn at_hand(&self, key: &FactKey) -> Option<Fact> {
        let _ = key;
        None
    }

    /// Time since the API server was last heard of, by the watch that has waited longest; `None` without a cluster
    /// and before the first answer. About a minute at most while all is well: each watch lasts as long.
    fn last_heard(&self) -> Option<Duration> {
        None
    }

    /// The same, once it is longer than all is well can be: policies, namespaces and objects are then used as they
    /// were, and answers say so.
    fn stale(&self) -> Option<Duration> {
        self.last_heard().filter(|age| *age > STALE_AFTER)
    }

    /// Answers what was not at hand. Must answer by `deadline`; keys that are not in the answer, and all keys
    /// if the deadline passes, count as [`Fact::Unavailable`], and the policies that need them answer by their
    /// `onError`. An object that a cache does not know is fetched live: absence is only ever [`Fact::Absent`]
    /// if the API server said so.
    fn fetch(&self, keys: Vec<FactKey>, deadline: Instant) -> BoxFuture<'_, Vec<(FactKey, Fact)>>;
}

/// The facts of a server without a cluster.
///
/// A namespace is known by its name alone: it exists (the API server checks that) and carries the one label
/// that every Namespace has, `kubernetes.io/metadata.name` (KEP-2161). Its other labels are unknown, so
/// selectors on them do not match, and policies that read them see them absent; operators who select by labels
/// must give the server a cluster. The alternative, "out of reach", would skip every policy that looks at its
/// namespace, even those that only want the name. Everything else is out of reach.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCluster;

impl FactSource for NoCluster {
    fn at_hand(&self, key: &FactKey) -> Option<Fact> {
        Some(match key {
            FactKey::Namespace(name) => Fact::Known(Arc::new(Document::from_serde(&serde_json::json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            })))),
            FactKey::External { .. } => Fact::Unavailable("a source of facts asks no providers".to_owned()),
            _ => Fact::OutOfReach("this server has no cluster to ask".to_owned()),
        })
    }

    fn fetch(&self, keys: Vec<FactKey>, _: Instant) -> BoxFuture<'_, Vec<(FactKey, Fact)>> {
        let answers = keys.into_iter().filter_map(|key| self.at_hand(&key).map(|fact| (key, fact))).collect();
        Box::pin(std::future::ready(answers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_cluster_a_namespace_is_known_by_name_only() {
        let Some(Fact::Known(document)) = NoCluster.at_hand(&FactKey::Namespace("team-a".into())) else {
            panic!("the namespace must be known");
        };
        assert_eq!(
            document.value().to_string(),
            r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"labels":{"kubernetes.io/metadata.name":"team-a"},"name":"team-a"}}"#
        );
        let named = FactKey::Named { name: "secretNames".into(), namespace: "team-a".into() };
        assert!(matches!(NoCluster.at_hand(&named), Some(Fact::OutOfReach(_))));
    }
}
