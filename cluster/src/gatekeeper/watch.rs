//! Watches of Gatekeeper's kinds, those of constraints coming and going with their templates.

use super::{BASES, CONSTRAINTS, TEMPLATES, constraint_resource};
use crate::client::{ApiError, Client};
use crate::mirror::{Mirror, Selection, Task, forward};
use crate::policies::FROM_CLUSTER;
use kube::api::{Api, ApiResource, DynamicObject};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;
use wayguard_engine::gatekeeper::Given;

/// A mirror of whole objects.
type Objects = Mirror<Arc<Value>>;

/// All watches.
pub(crate) struct GatekeeperWatch {
    bases: Vec<Arc<Objects>>,
    templates: Arc<Objects>,
    /// By kind.
    constraints: Arc<RwLock<BTreeMap<String, Arc<Objects>>>>,
    _tasks: Vec<Task>,
}

impl GatekeeperWatch {
    /// Starts watching; `changed` hears of every change.
    pub(crate) fn start(client: &Client, changed: &Arc<Notify>) -> Self {
        let bases: Vec<_> = BASES.iter().map(|base| Arc::new(mirror(client, &base.resource()))).collect();
        let mut tasks: Vec<_> = bases.iter().map(|it| forward(it.changes(), changed)).collect();
        // The first of them.
        let templates =
            bases.first().cloned().unwrap_or_else(|| Arc::new(mirror(client, &TEMPLATES.resource())));
        let constraints = Arc::new(RwLock::new(BTreeMap::new()));
        let follower = Follower {
            client: client.clone(),
            templates: Arc::clone(&templates),
            constraints: Arc::clone(&constraints),
            changed: Arc::clone(changed),
        };
        tasks.push(Task(tokio::spawn(follower.run())));
        Self { bases, templates, constraints, _tasks: tasks }
    }

    /// Waits until every kind has been listed, or is known not to be there.
    pub(crate) async fn wait_synced(&self) {
        loop {
            let wanted = kinds_of(&self.templates);
            let constraints = self.constraint_mirrors();
            let all_followed = wanted.iter().all(|kind| constraints.contains_key(kind));
            if all_followed && self.bases.iter().chain(constraints.values()).all(|it| is_known(it)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What keeps a watch from going on, if it is more than that a kind is not installed.
    pub(crate) fn problem(&self) -> Option<ApiError> {
        let constraints = self.constraint_mirrors();
        let problems = self.bases.iter().chain(constraints.values()).filter_map(|it| it.problem());
        problems.into_iter().find(|problem| !matches!(problem, ApiError::NotFound(_)))
    }

    /// Tells at once of every change of a template.
    pub(crate) fn forward_templates(&self, to: &Arc<Notify>) -> Task {
        forward(self.templates.changes(), to)
    }

    /// All objects.
    pub(crate) fn objects(&self) -> Vec<Given> {
        let constraints = self.constraint_mirrors();
        let all = self.bases.iter().chain(constraints.values()).flat_map(|it| it.all().into_values());
        all.map(|object| Given { object: (*object).clone(), from: FROM_CLUSTER.to_owned(), place: None })
            .collect()
    }

    /// The templates.
    pub(crate) fn templates(&self) -> Vec<Arc<Value>> {
        self.templates.all().into_values().collect()
    }

    /// The constraints of all kinds.
    pub(crate) fn constraints(&self) -> Vec<Arc<Value>> {
        self.constraint_mirrors().values().flat_map(|it| it.all().into_values()).collect()
    }

    fn constraint_mirrors(&self) -> BTreeMap<String, Arc<Objects>> {
        self.constraints.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Listed, or not there to be listed.
fn is_known(mirror: &Objects) -> bool {
    mirror.synced() || matches!(mirror.problem(), Some(ApiError::NotFound(_)))
}

/// Keeps a watch for the kind of each template.
struct Follower {
    client: Client,
    templates: Arc<Objects>,
    constraints: Arc<RwLock<BTreeMap<String, Arc<Objects>>>>,
    changed: Arc<Notify>,
}

impl Follower {
    async fn run(self) {
        let mut changes = self.templates.changes();
        let mut forwards: BTreeMap<String, Task> = BTreeMap::new();
        loop {
            let wanted = kinds_of(&self.templates);
            forwards.retain(|kind, _| wanted.contains(kind));
            {
                let mut constraints = self.constraints.write().unwrap_or_else(PoisonError::into_inner);
                constraints.retain(|kind, _| wanted.contains(kind));
                for kind in &wanted {
                    if !constraints.contains_key(kind) {
                        let started = Arc::new(mirror(&self.client, &constraint_resource(kind)));
                        forwards.insert(kind.clone(), forward(started.changes(), &self.changed));
                        constraints.insert(kind.clone(), started);
                    }
                }
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

fn kinds_of(templates: &Objects) -> Vec<String> {
    let kind = |object: &Arc<Value>| Some(object.pointer("/spec/crd/spec/names/kind")?.as_str()?.to_owned());
    let mut kinds: Vec<_> = templates.all().values().filter_map(kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

fn mirror(client: &Client, resource: &ApiResource) -> Objects {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), resource);
    let (api_version, kind) = (resource.api_version.clone(), resource.kind.clone());
    // A list's items come without their kind.
    Mirror::start(api, Selection::default(), move |object| Some(Arc::new(whole(object, &api_version, &kind))))
}

/// The object as a file would have it, with the metadata and status that `control` looks at.
fn whole(object: DynamicObject, api_version: &str, kind: &str) -> Value {
    let metadata = &object.metadata;
    let mut data = object.data;
    let mut part = |key: &str| data.get_mut(key).map(Value::take).unwrap_or_default();
    json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": metadata.name,
            "uid": metadata.uid,
            "generation": metadata.generation,
            "labels": metadata.labels,
            "annotations": metadata.annotations,
        },
        "spec": part("spec"),
        "status": part("status"),
    })
}

/// Whether an `apiVersion` is that of constraints.
pub(crate) fn is_constraint(api_version: &str) -> bool {
    api_version.starts_with(CONSTRAINTS)
}
