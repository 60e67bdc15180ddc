//! `data.inventory`: all objects of a kind, from a watch for the kinds that the configuration names, else listed
//! live for one namespace.

use super::Gvk;
use super::lookups::{LiveList, list_live};
use crate::client::{ApiError, Client};
use crate::discovery::{Kinds, ResourceKind};
use crate::mirror::{Mirror, Selection, Task};
use crate::namespaces::whole;
use kube::api::Api;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tracing::warn;
use wayguard_engine::facts::Fact;
use wayguard_engine::value::Document;

/// Objects listed live for one answer; a namespace with more needs the kind to be watched.
const MOST_LISTED: u32 = 3000;
/// Between attempts to find a kind that the API server does not have (yet).
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Whose objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Namespace(String),
    Cluster,
}

impl Scope {
    /// An empty namespace means the whole cluster, as in fact keys.
    pub(super) fn new(namespace: &str) -> Self {
        if namespace.is_empty() { Self::Cluster } else { Self::Namespace(namespace.to_owned()) }
    }
}

pub(super) struct Inventory {
    client: Client,
    kinds: Arc<Kinds>,
    watched: RwLock<BTreeMap<Gvk, Arc<Watched>>>,
    /// Plurals of kinds that were asked for, for the words about missing rights.
    plurals: Mutex<BTreeMap<Gvk, String>>,
    starters: Mutex<Vec<Task>>,
}

/// Whether the API server has a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Discovered {
    /// It has not answered.
    NotYet,
    /// It has none, and is asked again.
    NotServed,
    /// It has, and the watch has begun.
    Served,
}

/// One watched kind; the watch begins when discovery knows the kind.
struct Watched {
    mirror: OnceLock<(ResourceKind, Mirror<Arc<str>>)>,
    discovered: tokio::sync::watch::Sender<Discovered>,
    /// Per scope, the revision and what was made of it.
    made: Mutex<BTreeMap<Scope, (u64, Arc<Document>)>>,
}

impl Inventory {
    pub(super) fn start(client: &Client, kinds: Arc<Kinds>, watched: &[Gvk]) -> Self {
        let inventory = Self {
            client: client.clone(),
            kinds,
            watched: RwLock::default(),
            plurals: Mutex::default(),
            starters: Mutex::default(),
        };
        inventory.watch(watched);
        inventory
    }

    /// Watches these kinds too. A kind that is no longer read goes on being watched: policies come back.
    pub(super) fn watch(&self, kinds: &[Gvk]) {
        let mut watched = self.watched.write().unwrap_or_else(PoisonError::into_inner);
        for kind in kinds.iter().filter(|kind| !is_secret(kind)) {
            if watched.contains_key(kind) {
                continue;
            }
            let entry = Arc::new(Watched {
                mirror: OnceLock::new(),
                discovered: tokio::sync::watch::Sender::new(Discovered::NotYet),
                made: Mutex::default(),
            });
            let start = Arc::clone(&entry).start(self.client.clone(), Arc::clone(&self.kinds), kind.clone());
            let mut starters = self.starters.lock().unwrap_or_else(PoisonError::into_inner);
            starters.push(Task(tokio::spawn(start)));
            watched.insert(kind.clone(), entry);
        }
    }

    fn watched(&self, kind: &Gvk) -> Option<Arc<Watched>> {
        self.watched.read().unwrap_or_else(PoisonError::into_inner).get(kind).cloned()
    }

    /// From a watch that is synced; anything else has to be fetched.
    pub(super) fn at_hand(&self, kind: &Gvk, scope: &Scope) -> Option<Fact> {
        self.watched(kind)?.answer(scope)
    }

    pub(super) async fn fetch(&self, kind: &Gvk, scope: &Scope, deadline: Instant) -> Result<Fact, ApiError> {
        if is_secret(kind) {
            return Ok(Fact::Unavailable(
                "Secrets are never given to policies; names are, by the fact `secretNames`".into(),
            ));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let limited = tokio::time::timeout(left, async {
            match self.watched(kind) {
                Some(watched) => watched.wait(kind, scope).await,
                None => self.live(kind, scope, left).await,
            }
        });
        limited.await.unwrap_or_else(|_| Err(ApiError::too_slow(left)))
    }

    async fn live(&self, kind: &Gvk, scope: &Scope, left: Duration) -> Result<Fact, ApiError> {
        let Some(resource) = self.kinds.find(&kind.group, &kind.version, &kind.kind).await? else {
            // No such kind: no such objects.
            return Ok(Fact::Absent);
        };
        self.plurals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(kind.clone(), resource.plural.clone());
        let api_resource = resource.api_resource(&kind.version);
        let api = match scope {
            Scope::Namespace(namespace) => {
                Api::namespaced_with(self.client.clone(), namespace, &api_resource)
            }
            Scope::Cluster => {
                return Ok(Fact::Unavailable(format!(
                    "the cluster-wide inventory of `{kind}` is not kept; add it to the server's inventory kinds"
                )));
            }
        };
        let list = LiveList {
            api_version: api_resource.api_version.clone(),
            kind: kind.kind.clone(),
            most: MOST_LISTED,
        };
        list_live(&api, &list, left).await
    }

    /// Group and plural of a kind, for an RBAC rule.
    pub(super) fn rule_names(&self, kind: &Gvk) -> (String, String) {
        let known = self.plurals.lock().unwrap_or_else(PoisonError::into_inner).get(kind).cloned();
        let watched = || Some(self.watched(kind)?.mirror.get()?.0.plural.clone());
        let plural = known.or_else(watched).unwrap_or_else(|| wayguard_engine::expansion::plural(&kind.kind));
        (kind.group.clone(), plural)
    }
}

impl Watched {
    async fn start(self: Arc<Self>, client: Client, kinds: Arc<Kinds>, kind: Gvk) {
        loop {
            match kinds.find(&kind.group, &kind.version, &kind.kind).await {
                Ok(Some(resource)) => {
                    let api_resource = resource.api_resource(&kind.version);
                    let api_version = api_resource.api_version.clone();
                    let api = Api::all_with(client, &api_resource);
                    let name = kind.kind;
                    let mirror = Mirror::start(api, Selection::default(), move |object| {
                        Some(whole(object, &api_version, &name).to_string().into())
                    });
                    // Nobody else sets it: this task is the only one of its kind.
                    let _ = self.mirror.set((resource, mirror));
                    self.discovered.send_replace(Discovered::Served);
                    return;
                }
                Ok(None) => {
                    // Said once: the Gateway API, say, is not for every cluster.
                    if self.discovered.send_replace(Discovered::NotServed) != Discovered::NotServed {
                        warn!(%kind, "the API server does not have this inventory kind; it is taken as empty");
                    }
                }
                Err(problem) => warn!(%kind, %problem, "cannot find out about this inventory kind"),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn wait(&self, kind: &Gvk, scope: &Scope) -> Result<Fact, ApiError> {
        // Fails only if the sender is gone, and we hold it.
        let _ = self.discovered.subscribe().wait_for(|state| *state != Discovered::NotYet).await;
        let Some((_, mirror)) = self.mirror.get() else {
            let unwatched = || ApiError::Unavailable(format!("`{kind}` is not watched yet"));
            return self.answer(scope).ok_or_else(unwatched);
        };
        let mut changes = mirror.changes();
        while !changes.borrow_and_update().synced {
            if let Some(problem @ ApiError::Forbidden(_)) = mirror.problem() {
                return Err(problem);
            }
            // A problem changes nothing in the mirror, so it is looked for now and then.
            let _ = tokio::time::timeout(Duration::from_millis(50), changes.changed()).await;
        }
        self.answer(scope).ok_or_else(|| ApiError::Unavailable(format!("`{kind}` is not watched yet")))
    }

    fn answer(&self, scope: &Scope) -> Option<Fact> {
        if *self.discovered.borrow() == Discovered::NotServed {
            // No such kind: no such objects.
            return Some(Fact::Absent);
        }
        let (resource, mirror) = self.mirror.get().filter(|(_, mirror)| mirror.synced())?;
        let revision = match scope {
            Scope::Namespace(namespace) => mirror.revision_in(namespace),
            Scope::Cluster => mirror.changes().borrow().revision,
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, document)) = made.get(scope)
            && *at == revision
        {
            return Some(Fact::Known(Arc::clone(document)));
        }
        let (revision, text) = match scope {
            Scope::Namespace(namespace) => {
                let (revision, objects) = mirror.in_namespace(namespace);
                (revision, by_name(objects.iter().map(|(name, object)| (name.as_str(), &**object))))
            }
            Scope::Cluster => (revision, cluster_wide(mirror, resource.namespaced)),
        };
        let document = Arc::new(Document::from_json(text.as_bytes()).ok()?);
        made.insert(scope.clone(), (revision, Arc::clone(&document)));
        Some(Fact::Known(document))
    }
}

fn cluster_wide(mirror: &Mirror<Arc<str>>, namespaced: bool) -> String {
    let all = mirror.all();
    if !namespaced {
        return by_name(all.iter().map(|((_, name), object)| (name.as_str(), &**object)));
    }
    let mut grouped: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for ((namespace, name), object) in &all {
        grouped.entry(namespace).or_default().push((name, object));
    }
    let inner: Vec<_> =
        grouped.into_iter().map(|(name, objects)| (name, by_name(objects.into_iter()))).collect();
    by_name(inner.iter().map(|(name, objects)| (*name, objects.as_str())))
}

/// A JSON object of values that are JSON text already.
fn by_name<'t>(members: impl Iterator<Item = (&'t str, &'t str)>) -> String {
    let members: Vec<String> =
        members.map(|(name, json)| format!("{}:{json}", serde_json::Value::from(name))).collect();
    format!("{{{}}}", members.join(","))
}

/// Their data is nobody's fact.
fn is_secret(kind: &Gvk) -> bool {
    kind.group.is_empty() && kind.kind == "Secret"
}
