//! Texts in ConfigMaps and Secrets of the suite's own namespace: public keys, trust roots. Each object is followed by
//! its name, so that a role need not grant more than the names.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::mirror::{Mirror, Selection, Task, forward};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{Api, ApiResource, DynamicObject};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use wayguard_images::trust::{TextReference, Texts};

/// A kind of object that holds texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    ConfigMap,
    Secret,
}

/// An object that holds texts, by kind and name.
pub(super) type Place = (Holder, String);

/// What such an object holds, by key.
type Data = BTreeMap<String, String>;

/// What each object holds; or why that is not known; `None`: there is no such object.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    pub(super) namespace: String,
    pub(super) found: BTreeMap<Place, Result<Option<Arc<Data>>, ApiError>>,
}

/// Where a text is, if it is in an object.
pub(super) fn place(reference: &TextReference) -> Option<Place> {
    match reference {
        TextReference::ConfigMap(at) => Some((Holder::ConfigMap, at.name.clone())),
        TextReference::Secret(at) => Some((Holder::Secret, at.name.clone())),
        TextReference::File(_) => None,
    }
}

impl Texts for Read {
    fn text(&self, reference: &TextReference) -> Result<String, String> {
        let (TextReference::ConfigMap(at) | TextReference::Secret(at)) = reference else {
            return Err("files are read on the command line alone; name a `configMap` here".to_owned());
        };
        let found = place(reference).and_then(|place| self.found.get(&place));
        match found {
            Some(Ok(Some(data))) => data.get(&at.key).cloned().ok_or_else(|| {
                let keys: Vec<String> = data.keys().map(|key| format!("`{key}`")).collect();
                match keys.as_slice() {
                    [] => "it is empty".to_owned(),
                    keys => format!("it has no such key; it has {}", keys.join(", ")),
                }
            }),
            Some(Ok(None)) => Err(format!("there is none in the namespace `{}`", self.namespace)),
            Some(Err(ApiError::Forbidden(message))) if matches!(reference, TextReference::Secret(_)) => {
                let name = &at.name;
                Err(format!(
                    "the server may not read it, which `wayguard install --secret {name}` grants: {message}"
                ))
            }
            Some(Err(problem)) => Err(problem.to_string()),
            None => Err("it was not asked for".to_owned()),
        }
    }
}

fn data(holder: Holder, object: DynamicObject) -> Option<Arc<Data>> {
    Some(Arc::new(match holder {
        Holder::ConfigMap => object.try_parse::<ConfigMap>().ok()?.data.unwrap_or_default(),
        Holder::Secret => {
            let held = object.try_parse::<Secret>().ok()?.data.unwrap_or_default();
            held.into_iter()
                .filter_map(|(key, value)| Some((key, String::from_utf8(value.0).ok()?)))
                .collect()
        }
    }))
}

fn api(client: &Client, namespace: &str, holder: Holder) -> Api<DynamicObject> {
    let kind = match holder {
        Holder::ConfigMap => ApiResource::erase::<ConfigMap>(&()),
        Holder::Secret => ApiResource::erase::<Secret>(&()),
    };
    Api::namespaced_with(client.clone(), namespace, &kind)
}

/// Asks for these objects once.
pub(super) async fn ask(client: &Client, namespace: &str, wanted: BTreeSet<TextReference>) -> Read {
    let places: BTreeSet<Place> = wanted.iter().filter_map(place).collect();
    let asked = places.into_iter().map(|(holder, name)| async move {
        let answer = within(REQUEST_LIMIT, api(client, namespace, holder).get_opt(&name)).await;
        ((holder, name), answer.map(|object| object.and_then(|object| data(holder, object))))
    });
    let found = futures::future::join_all(asked).await.into_iter().collect();
    Read { namespace: namespace.to_owned(), found }
}

/// Objects that are followed.
pub(super) struct OwnTexts {
    client: Client,
    namespace: String,
    changed: Arc<Notify>,
    followed: BTreeMap<Place, (Mirror<Arc<Data>>, Task)>,
}

impl OwnTexts {
    /// `changed` hears of every change.
    pub(super) fn new(client: &Client, namespace: &str, changed: &Arc<Notify>) -> Self {
        let (namespace, changed) = (namespace.to_owned(), Arc::clone(changed));
        Self { client: client.clone(), namespace, changed, followed: BTreeMap::new() }
    }

    /// Follows these, and others no longer.
    pub(super) fn follow(&mut self, wanted: BTreeSet<TextReference>) {
        let places: BTreeSet<Place> = wanted.iter().filter_map(place).collect();
        self.followed.retain(|place, _| places.contains(place));
        for place in places {
            if self.followed.contains_key(&place) {
                continue;
            }
            let (holder, name) = &place;
            let holder = *holder;
            let selection =
                Selection { fields: Some(format!("metadata.name={name}")), labels: None, page: None };
            let mirror =
                Mirror::start(api(&self.client, &self.namespace, holder), selection, move |object| {
                    data(holder, object)
                });
            let forward = forward(mirror.changes(), &self.changed);
            self.followed.insert(place, (mirror, forward));
        }
    }

    /// Waits until each is known, or it is known why it is not.
    pub(super) async fn wait(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        for (mirror, _) in self.followed.values() {
            while !mirror.synced() && mirror.problem().is_none() && Instant::now() < deadline {
                // A problem announces itself by no change.
                let _ = tokio::time::timeout(Duration::from_millis(20), mirror.changes().changed()).await;
            }
        }
    }

    /// What they hold now. An API server that is away leaves what was known.
    pub(super) fn read(&self) -> Read {
        let found = self.followed.iter().map(|((holder, name), (mirror, _))| {
            let answer = match (mirror.synced(), mirror.problem()) {
                (true, _) => Ok(mirror.get(&self.namespace, name)),
                (false, Some(problem)) => Err(problem),
                (false, None) => Err(ApiError::too_slow(TOLD_WITHIN)),
            };
            ((*holder, name.clone()), answer)
        });
        Read { namespace: self.namespace.clone(), found: found.collect() }
    }
}

/// For the words about an object that has not come.
const TOLD_WITHIN: Duration = super::TEXTS_WITHIN;
