//! Answers to the engine's questions about the cluster: namespaces, inventory, owners, names of Secrets.
//!
//! Read-only, each within the request's deadline. What our ServiceAccount may not read is an answer too
//! (`Unavailable`), and remembered for the policy's status: see [`ClusterFacts::forbidden`].

mod inventory;
mod lookups;

use crate::client::{ApiError, Client};
use crate::discovery::Kinds;
use crate::namespaces::NamespaceLookup;
use futures::future::join_all;
use inventory::{Inventory, Scope};
use lookups::Lookups;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use wayguard_engine::facts::{AccessQuestion, Fact};
use wayguard_engine::policy::metadata::InventoryScope;
use wayguard_engine::{FactKey, PolicySet};

pub use lookups::MOST_PODS;

/// A kind by group, version and kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// API group, empty for core.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
}

impl Gvk {
    /// Names a kind.
    pub fn new(group: &str, version: &str, kind: &str) -> Self {
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }
}

impl std::fmt::Display for Gvk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.group.as_str() {
            "" => write!(formatter, "{}/{}", self.version, self.kind),
            group => write!(formatter, "{group}/{}/{}", self.version, self.kind),
        }
    }
}

/// The kinds that policies join against: watched, because every request would list them otherwise.
pub fn inventory_kinds(set: &PolicySet) -> Vec<Gvk> {
    let declared = set.policies().flat_map(|policy| &policy.metadata.custom.inventory);
    let kinds = declared.chain(set.gatekeeper().inventory());
    let mut kinds: Vec<Gvk> = kinds
        .filter(|kind| kind.scope == InventoryScope::Cluster)
        .map(|kind| Gvk::new(&kind.group, &kind.version, &kind.kind))
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// Something that policies declare and our ServiceAccount may not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Forbidden {
    /// As a policy declares it: `secretNames`, or a kind such as `v1/Pod`.
    pub fact: String,
    /// What the API server said.
    pub message: String,
    /// The RBAC rule to add, as JSON.
    pub rule: String,
}

/// All look-ups of one replica.
pub struct ClusterFacts {
    namespaces: NamespaceLookup,
    inventory: Inventory,
    lookups: Lookups,
    forbidden: Arc<ForbiddenFacts>,
}

impl ClusterFacts {
    /// Starts the watches: of namespaces, and of `inventory_kinds`, those kinds that policies read often. Inventory
    /// of other kinds is listed live, one namespace at a time.
    pub fn start(client: &Client, inventory_kinds: &[Gvk]) -> Self {
        let kinds = Arc::new(Kinds::new(client.clone()));
        Self {
            namespaces: NamespaceLookup::start(client),
            inventory: Inventory::start(client, Arc::clone(&kinds), inventory_kinds),
            lookups: Lookups::new(client.clone(), kinds),
            forbidden: Arc::default(),
        }
    }

    /// Watches these kinds too: a new policy set reads them.
    pub fn watch(&self, inventory_kinds: &[Gvk]) {
        self.inventory.watch(inventory_kinds);
    }

    /// The namespaces' cache, for readiness and metrics.
    pub fn namespaces(&self) -> &NamespaceLookup {
        &self.namespaces
    }

    /// What may not be read, as far as it was tried.
    pub fn forbidden(&self) -> Vec<Forbidden> {
        self.forbidden.all()
    }

    /// The answer without waiting, if a cache has it.
    pub fn at_hand(&self, key: &FactKey) -> Option<Fact> {
        match key {
            FactKey::Namespace(name) => self.namespaces.at_hand(name),
            FactKey::Inventory { group, version, kind, namespace } => {
                self.inventory.at_hand(&Gvk::new(group, version, kind), &Scope::new(namespace))
            }
            FactKey::Owner { .. } | FactKey::Named { .. } => None,
            FactKey::Image { .. } | FactKey::External { .. } | FactKey::Access(_) => None,
        }
    }

    /// Answers every key, at the same time, by the deadline.
    pub async fn fetch(&self, keys: Vec<FactKey>, deadline: Instant) -> Vec<(FactKey, Fact)> {
        let answers = keys.into_iter().map(|key| async move {
            let fact = self.answer(&key, deadline).await;
            (key, fact)
        });
        join_all(answers).await
    }

    async fn answer(&self, key: &FactKey, deadline: Instant) -> Fact {
        match key {
            FactKey::Namespace(name) => self.namespaces.namespace(name, deadline).await,
            FactKey::Inventory { group, version, kind, namespace } => {
                self.inventory(&Gvk::new(group, version, kind), namespace, deadline).await
            }
            FactKey::Owner { api_version, kind, namespace, name, uid } => {
                self.owner(api_version, kind, namespace, name, uid, deadline).await
            }
            FactKey::Named { name, namespace } if name == "secretNames" => {
                self.secret_names(namespace, deadline).await
            }
            FactKey::Named { name, namespace } if name == "pods" => {
                // One more than is looked at, so that it is known that there are more.
                self.pods(namespace, MOST_PODS + 1, deadline).await
            }
            FactKey::Named { name, .. } => {
                Fact::OutOfReach(format!("this server does not gather the fact `{name}`"))
            }
            FactKey::Image { reference, .. } => {
                Fact::Unavailable(format!("the cluster does not know what the image `{reference}` is"))
            }
            FactKey::External { provider, .. } => {
                Fact::Unavailable(format!("the cluster does not know what the provider `{provider}` says"))
            }
            FactKey::Access(question) => self.access(question, deadline).await,
        }
    }

    /// All objects of a kind: of one namespace by name, or (`namespace` empty) of the cluster, namespaced kinds by
    /// namespace and name. Secrets are never given.
    pub async fn inventory(&self, kind: &Gvk, namespace: &str, deadline: Instant) -> Fact {
        let scope = Scope::new(namespace);
        if let Some(known) = self.inventory.at_hand(kind, &scope) {
            return known;
        }
        let answer = self.inventory.fetch(kind, &scope, deadline).await;
        self.noted(&kind.to_string(), &["get", "list", "watch"], || self.inventory.rule_names(kind), answer)
    }

    /// The live object that an ownerReference names, if it has this uid.
    pub async fn owner(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
        uid: &str,
        deadline: Instant,
    ) -> Fact {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = Gvk::new(group, version, kind);
        let answer = self.lookups.owner(&kind, namespace, name, uid, deadline).await;
        self.noted(&format!("owner {kind}"), &["get"], || self.inventory.rule_names(&kind), answer)
    }

    /// The names of a namespace's Secrets, as an array; nothing else of them is read. RBAC has no right to names
    /// only, so our default role does not have it: policies that want it say so in their status.
    pub async fn secret_names(&self, namespace: &str, deadline: Instant) -> Fact {
        let answer = self.lookups.secret_names(namespace, deadline).await;
        self.noted("secretNames", &["list"], || (String::new(), "secrets".to_owned()), answer)
    }

    /// Whether somebody may do something, as RBAC (or whoever else authorizes) says now.
    pub async fn access(&self, question: &AccessQuestion, deadline: Instant) -> Fact {
        let answer = self.lookups.access(question, deadline).await;
        let rule = || ("authorization.k8s.io".to_owned(), "subjectaccessreviews".to_owned());
        self.noted("access", &["create"], rule, answer)
    }

    /// A namespace's Pods by name, at most `limit` of them.
    pub async fn pods(&self, namespace: &str, limit: u32, deadline: Instant) -> Fact {
        let answer = self.lookups.pods(namespace, limit, deadline).await;
        self.noted("v1/Pod", &["list"], || (String::new(), "pods".to_owned()), answer)
    }

    /// Remembers a missing right, or that it is missing no longer, and words the answer.
    fn noted(
        &self,
        fact: &str,
        verbs: &[&str],
        group_and_plural: impl FnOnce() -> (String, String),
        answer: Result<Fact, ApiError>,
    ) -> Fact {
        match answer {
            Ok(known) => {
                self.forbidden.clear(fact);
                known
            }
            Err(ApiError::Forbidden(message)) => {
                let (group, plural) = group_and_plural();
                let rule = serde_json::json!({"apiGroups": [group], "resources": [plural], "verbs": verbs});
                let text = format!("the server may not read it: {message}");
                self.forbidden.note(Forbidden { fact: fact.to_owned(), message, rule: rule.to_string() });
                Fact::Unavailable(text)
            }
            Err(ApiError::NotFound(_)) => Fact::Absent,
            Err(error) => Fact::Unavailable(error.to_string()),
        }
    }
}

/// Missing rights by fact; few, so a map under a lock is enough.
#[derive(Debug, Default)]
struct ForbiddenFacts(Mutex<BTreeMap<String, Forbidden>>);

impl ForbiddenFacts {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Forbidden>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> Vec<Forbidden> {
        self.lock().values().cloned().collect()
    }

    fn note(&self, forbidden: Forbidden) {
        self.lock().insert(forbidden.fact.clone(), forbidden);
    }

    fn clear(&self, fact: &str) {
        let mut all = self.lock();
        if all.contains_key(fact) {
            all.remove(fact);
        }
    }
}

#[cfg(test)]
#[path = "../facts_tests.rs"]
mod tests;
