//! A kind's objects, kept as a map by a watch.
//!
//! List, then watch from there; on "too old" (410) list again, and swap the map only when the new list is whole, so
//! that what is served is never less than what was. The loop is our own instead of `kube::runtime`'s because it
//! must tell when the API server was last heard of, bookmarks and reconnections included: that is the staleness
//! that operators alarm on.

use crate::client::{ApiError, REQUEST_LIMIT, from_status, within};
use futures::StreamExt;
use futures::stream::BoxStream;
use kube::api::{Api, DynamicObject, ListParams, WatchEvent, WatchParams};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tracing::{debug, warn};

/// The API server ends each watch after this time, in seconds; a connection that died in silence is noticed
/// [`SILENCE`] after that. Short, because a dead watch of namespaces means old labels.
const WATCH_SECONDS: u32 = 60;
const SILENCE: Duration = Duration::from_secs(5);
/// Objects asked for at once.
const PAGE: u32 = 500;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Namespace (empty for cluster-scoped kinds) and name.
pub(crate) type Key = (String, String);

/// Which objects of a kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) fields: Option<String>,
    pub(crate) labels: Option<String>,
    /// How many are asked for at once; 500, unless they are large.
    pub(crate) page: Option<u32>,
}

/// How far a mirror has come; changes are announced by a new `revision`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The first list is whole.
    pub(crate) synced: bool,
    /// Counts changes.
    pub(crate) revision: u64,
}

/// A task that ends with whoever holds it.
#[derive(Debug)]
pub(crate) struct Task(pub(crate) JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells `to` of every change, for as long as the task is held.
pub(crate) fn forward<T: Send + Sync + 'static>(mut changes: watch::Receiver<T>, to: &Arc<Notify>) -> Task {
    let to = Arc::clone(to);
    Task(tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            to.notify_one();
        }
    }))
}

/// The map and the watch that keeps it.
#[derive(Debug)]
pub(crate) struct Mirror<V> {
    store: Arc<Store<V>>,
    _task: Task,
}

#[derive(Debug)]
struct Store<V> {
    objects: RwLock<Objects<V>>,
    progress: watch::Sender<Progress>,
    contact: Mutex<Contact>,
}

#[derive(Debug)]
struct Objects<V> {
    by_key: BTreeMap<Key, V>,
    /// Per namespace, the revision of its last change.
    touched: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Contact {
    last: Option<Instant>,
    problem: Option<ApiError>,
}

impl<V: Clone + Send + Sync + 'static> Mirror<V> {
    /// Starts to mirror what `api` lists. `keep` makes of each object what is kept of it; objects of which it makes
    /// nothing are as if they were not there.
    pub(crate) fn start(
        api: Api<DynamicObject>,
        selection: Selection,
        keep: impl Fn(DynamicObject) -> Option<V> + Send + Sync + 'static,
    ) -> Self {
        let store = Arc::new(Store {
            objects: RwLock::new(Objects { by_key: BTreeMap::new(), touched: BTreeMap::new() }),
            progress: watch::Sender::new(Progress::default()),
            contact: Mutex::default(),
        });
        let follower = Follower { api, selection, keep, store: Arc::clone(&store) };
        Self { store, _task: Task(tokio::spawn(follower.run())) }
    }

    /// One object.
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<V> {
        let key = (namespace.to_owned(), name.to_owned());
        self.store.objects.read().unwrap_or_else(PoisonError::into_inner).by_key.get(&key).cloned()
    }

    /// All objects, by namespace and name.
    pub(crate) fn all(&self) -> BTreeMap<Key, V> {
        self.store.objects.read().unwrap_or_else(PoisonError::into_inner).by_key.clone()
    }

    /// The objects of one namespace, by name, and the revision of the last change among them.
    pub(crate) fn in_namespace(&self, namespace: &str) -> (u64, Vec<(String, V)>) {
        let objects = self.store.objects.read().unwrap_or_else(PoisonError::into_inner);
        let from = (namespace.to_owned(), String::new());
        let own = objects.by_key.range(from..).take_while(|((other, _), _)| other == namespace);
        let own = own.map(|((_, name), object)| (name.clone(), object.clone())).collect();
        (objects.touched.get(namespace).copied().unwrap_or_default(), own)
    }

    /// The revision of the last change in one namespace.
    pub(crate) fn revision_in(&self, namespace: &str) -> u64 {
        let objects = self.store.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.touched.get(namespace).copied().unwrap_or_default()
    }

    /// Announces changes.
    pub(crate) fn changes(&self) -> watch::Receiver<Progress> {
        self.store.progress.subscribe()
    }

    /// Whether the first list is whole.
    pub(crate) fn synced(&self) -> bool {
        self.store.progress.borrow().synced
    }

    /// Waits for the first whole list.
    pub(crate) async fn wait_synced(&self) {
        // The sender lives as long as `self`, so this never fails.
        let _ = self.changes().wait_for(|progress| progress.synced).await;
    }

    /// Time since the API server was last heard of; `None` before the first answer.
    pub(crate) fn staleness(&self) -> Option<Duration> {
        self.store.contact().last.map(|last| last.elapsed())
    }

    /// What keeps the watch from going on, if something does.
    pub(crate) fn problem(&self) -> Option<ApiError> {
        self.store.contact().problem.clone()
    }
}

impl<V> Store<V> {
    fn contact(&self) -> std::sync::MutexGuard<'_, Contact> {
        self.contact.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self) {
        *self.contact() = Contact { last: Some(Instant::now()), problem: None };
    }

    fn failed(&self, problem: ApiError) {
        self.contact().problem = Some(problem);
    }

    fn announce(&self, synced: bool) {
        self.progress.send_modify(|progress| {
            progress.synced |= synced;
            progress.revision += 1;
        });
    }

    /// The revision that the change being made will have.
    fn next_revision(&self) -> u64 {
        self.progress.borrow().revision + 1
    }

    fn replace_all(&self, by_key: BTreeMap<Key, V>) {
        let revision = self.next_revision();
        {
            let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
            let old = std::mem::replace(&mut objects.by_key, by_key);
            let namespaces: Vec<_> = old
                .into_keys()
                .chain(objects.by_key.keys().cloned())
                .map(|(namespace, _)| namespace)
                .collect();
            objects.touched.extend(namespaces.into_iter().map(|namespace| (namespace, revision)));
        }
        self.announce(true);
    }

    fn set(&self, key: Key, value: Option<V>) {
        let revision = self.next_revision();
        {
            let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
            objects.touched.insert(key.0.clone(), revision);
            match value {
                Some(value) => objects.by_key.insert(key, value),
                None => objects.by_key.remove(&key),
            };
        }
        self.announce(false);
    }
}

struct Follower<V, F> {
    api: Api<DynamicObject>,
    selection: Selection,
    keep: F,
    store: Arc<Store<V>>,
}

impl<V, F: Fn(DynamicObject) -> Option<V>> Follower<V, F> {
    async fn run(self) {
        let mut pause = Pause::default();
        // `None`: what is known is too old to go on from, or nothing is known yet.
        let mut version = None;
        loop {
            let started = Instant::now();
            let watching = version.is_some();
            let outcome = match version.take() {
                None => self.list().await.map(Some),
                Some(from) => self.watch(from).await,
            };
            if watching && started.elapsed() > LONGEST_PAUSE {
                pause.reset();
            }
            match outcome {
                Ok(next) => {
                    version = next;
                    // An API server that ends every watch at once must not be asked in a tight loop.
                    if watching && started.elapsed() < FIRST_PAUSE {
                        pause.wait().await;
                    }
                }
                Err((problem, resume)) => {
                    let resource = self.api.resource_url();
                    if matches!(problem, ApiError::Forbidden(_)) {
                        warn!(resource, %problem, "cannot watch");
                    } else {
                        debug!(resource, %problem, "watch interrupted");
                    }
                    self.store.failed(problem);
                    version = resume;
                    pause.wait().await;
                }
            }
        }
    }

    /// Lists everything and swaps the map; the version to watch from.
    async fn list(&self) -> Result<String, (ApiError, Option<String>)> {
        let mut by_key = BTreeMap::new();
        let mut params =
            ListParams { limit: Some(self.selection.page.unwrap_or(PAGE)), ..ListParams::default() };
        params.field_selector.clone_from(&self.selection.fields);
        params.label_selector.clone_from(&self.selection.labels);
        loop {
            let page = within(REQUEST_LIMIT, self.api.list(&params)).await.map_err(|error| (error, None))?;
            for object in page.items {
                let key = key(&object);
                by_key.extend((self.keep)(object).map(|value| (key, value)));
            }
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                self.store.heard();
                self.store.replace_all(by_key);
                return Ok(page.metadata.resource_version.unwrap_or_default());
            }
        }
    }

    /// Follows changes until the watch ends; the version to go on from, `None` if everything must be listed again.
    async fn watch(&self, mut version: String) -> Result<Option<String>, (ApiError, Option<String>)> {
        let mut following = match Following::open(&self.api, &self.selection, &version).await {
            Ok(following) => following,
            Err(ApiError::Expired(_)) => return Ok(None),
            Err(error) => return Err((error, Some(version))),
        };
        self.store.heard();
        loop {
            match following.next().await {
                Ok(Heard::Set(object)) => {
                    version = version_of(&object, version);
                    self.store.set(key(&object), (self.keep)(*object));
                }
                Ok(Heard::Gone(object)) => {
                    version = version_of(&object, version);
                    self.store.set(key(&object), None);
                }
                Ok(Heard::Mark(mark)) => version = mark,
                Err(Ended::InTime) => return Ok(Some(version)),
                Err(Ended::TooOld) => return Ok(None),
                Err(Ended::Failed(error)) => return Err((error, Some(version))),
            }
            self.store.heard();
        }
    }
}

/// A watch that is open.
pub(crate) struct Following(BoxStream<'static, Result<WatchEvent<DynamicObject>, kube::Error>>);

/// What a watch tells.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An object is new or changed.
    Set(Box<DynamicObject>),
    /// An object is gone.
    Gone(Box<DynamicObject>),
    /// Everything up to this version was told.
    Mark(String),
}

/// Why a watch is over.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The API server ends each after a while; it goes on from the last version.
    InTime,
    /// The version is too old to go on from.
    TooOld,
    /// Anything else.
    Failed(ApiError),
}

impl Following {
    /// Opens a watch from a version on.
    pub(crate) async fn open(
        api: &Api<DynamicObject>,
        selection: &Selection,
        version: &str,
    ) -> Result<Self, ApiError> {
        let mut params = WatchParams { timeout: Some(WATCH_SECONDS), ..WatchParams::default() };
        params.field_selector.clone_from(&selection.fields);
        params.label_selector.clone_from(&selection.labels);
        Ok(Self(within(REQUEST_LIMIT, api.watch(&params, version)).await?.boxed()))
    }

    /// What comes next.
    pub(crate) async fn next(&mut self) -> Result<Heard, Ended> {
        let silence = Duration::from_secs(WATCH_SECONDS.into()) + SILENCE;
        let event = match tokio::time::timeout(silence, self.0.next()).await {
            Err(_) => return Err(Ended::Failed(ApiError::too_slow(silence))),
            Ok(None) => return Err(Ended::InTime),
            Ok(Some(Err(error))) => return Err(Ended::Failed(error.into())),
            Ok(Some(Ok(event))) => event,
        };
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => Ok(Heard::Set(Box::new(object))),
            WatchEvent::Deleted(object) => Ok(Heard::Gone(Box::new(object))),
            WatchEvent::Bookmark(mark) => Ok(Heard::Mark(mark.metadata.resource_version)),
            WatchEvent::Error(status) => Err(match from_status(&status) {
                ApiError::Expired(_) => Ended::TooOld,
                error => Ended::Failed(error),
            }),
        }
    }
}

fn key(object: &DynamicObject) -> Key {
    let meta = &object.metadata;
    (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default())
}

fn version_of(object: &DynamicObject, before: String) -> String {
    object.metadata.resource_version.clone().unwrap_or(before)
}

/// Pauses between attempts: doubling, with up to half as much again at random, so that replicas that lost the same
/// API server do not come back in step.
#[derive(Debug, Default)]
pub struct Pause {
    failures: u32,
}

impl Pause {
    /// Waits before the next attempt.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.length()).await;
    }

    /// How long to wait before the next attempt.
    pub fn length(&mut self) -> Duration {
        let base = FIRST_PAUSE.saturating_mul(1 << self.failures.min(6)).min(LONGEST_PAUSE);
        self.failures += 1;
        // The standard library's hasher is seeded at random; its low bits are all that is needed here.
        let random = RandomState::new().hash_one(0) % 512;
        base + base.mul_f64(f64::from(u32::try_from(random).unwrap_or(0)) / 1024.0)
    }

    /// The last attempt succeeded.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
#[path = "mirror_tests.rs"]
mod tests;
