//! `PolicyBundle`: policies out of a registry, signed, in force in the cluster.
//!
//! ```text
//! registry ─► keeper (the leader: who signed? newer? does it load?) ─► ConfigMaps of our own namespace
//! PolicyBundle, ConfigMaps ─watch─► BundleWatch (every replica) ─► what is in force, by digest
//! ```
//! No replica asks a registry: with the registry gone and all replicas started anew they have what they had.
//!
//! INVARIANT: what was stored stays in force until something else is stored in its place, or its object is deleted. A
//! bundle that is not signed, goes back, or does not load is never stored.

pub(crate) mod enforce;
mod keeper;
mod store;

pub use keeper::Registries;
pub(crate) use keeper::{Keeper, Note, Notes};

use crate::client::{ApiError, Client};
use crate::images::check::typed;
use crate::kinds::PolicyBundle;
use crate::mirror::{Key, Mirror, Selection, Task, forward};
use crate::policies::object::Object;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ApiResource};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Kept, LABEL};
use wayguard_bundle::manifest::About;
use wayguard_bundle::spec::PolicyBundleSpec;
use wayguard_engine::policy::library::Library;
use wayguard_images::digest::Digest;

/// Whether a `PolicyBundle` that is being applied says what can be done: its words alone are looked at, since registries
/// and ImageAuthorities may come after it. `None`: it is another kind.
pub fn check(kind: &str, name: &str, spec: &serde_json::Value) -> Option<Result<(), String>> {
    if kind != "PolicyBundle" {
        return None;
    }
    let read = typed::<PolicyBundleSpec>(kind, name, spec.clone());
    let of = |problem| format!("PolicyBundle `{name}`: {problem}");
    Some(read.and_then(|spec| spec.artifact().map(drop).map_err(of)))
}

/// Parts are large: few are asked for at once.
const PAGE: u32 = 10;

/// A bundle whose bytes are those of its digest, read.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// Of the artifact.
    pub(crate) digest: Digest,
    /// What it says of itself.
    pub(crate) about: About,
    /// What it holds.
    pub(crate) library: Library,
}

impl Stored {
    /// Reads an artifact.
    ///
    /// # Errors
    /// In words, if it is no bundle, or does not say its name and version.
    pub(super) fn of(artifact: &wayguard_bundle::artifact::Artifact) -> Result<Self, String> {
        let archive = artifact.unpack().map_err(|problem| problem.to_string())?;
        let about = archive.manifest.metadata.wayguard.ok_or_else(|| {
            "it says neither its name nor its version: `wayguard policy build` makes bundles that do"
                .to_owned()
        })?;
        Ok(Self { digest: artifact.digest, about, library: archive.library })
    }
}

/// A `PolicyBundle` with what is in force of it.
#[derive(Clone, Debug)]
pub(crate) struct Bundled {
    /// Of the object.
    pub(crate) name: String,
    /// Of the object as it is now.
    pub(crate) generation: i64,
    /// What it says; if it cannot be read, what it said before.
    pub(crate) spec: Option<PolicyBundleSpec>,
    /// What is stored and whole; if what is stored cannot be used, what was before.
    pub(crate) stored: Option<Arc<Stored>>,
    /// What is wrong with either.
    pub(crate) problem: Option<String>,
}

impl Bundled {
    /// Whether what is stored is what the object names.
    pub(crate) fn is_current(&self) -> bool {
        let named = self.spec.as_ref().and_then(|spec| Some(spec.artifact().ok()?.1));
        self.problem.is_none() && named.is_some() && named == self.stored.as_ref().map(|stored| stored.digest)
    }
}

/// What was good last, of one object.
#[derive(Clone, Debug, Default)]
struct Good {
    spec: Option<PolicyBundleSpec>,
    stored: Option<Arc<Stored>>,
}

/// The objects and what is stored, watched.
pub(crate) struct BundleWatch {
    namespace: String,
    objects: Mirror<Arc<Object<PolicyBundleSpec>>>,
    kept: Mirror<Arc<Kept>>,
    good: Mutex<BTreeMap<String, Good>>,
}

impl BundleWatch {
    /// Starts watching; ConfigMaps in `own_namespace` alone.
    pub(crate) fn start(client: &Client, own_namespace: &str) -> Self {
        let objects = Api::all_with(client.clone(), &ApiResource::erase::<PolicyBundle>(&()));
        let maps = Api::namespaced_with(client.clone(), own_namespace, &ApiResource::erase::<ConfigMap>(&()));
        let labelled = Selection { labels: Some(LABEL.to_owned()), page: Some(PAGE), ..Selection::default() };
        Self {
            namespace: own_namespace.to_owned(),
            objects: Mirror::start(objects, Selection::default(), |object| {
                Some(Arc::new(Object::read(object)))
            }),
            kept: Mirror::start(maps, labelled, |object| Kept::read(object).map(Arc::new)),
            good: Mutex::default(),
        }
    }

    /// Both, as they are and as far as they can be used. Archives that are new are unpacked: not for the threads that
    /// answer requests.
    pub(crate) fn current(&self) -> Vec<Bundled> {
        let (objects, kept) = (self.objects.all(), self.kept.all());
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.retain(|name, _| objects.values().any(|object| object.name == *name));
        let mut read = |object: &Arc<Object<_>>| {
            read(&self.namespace, object, &kept, good.entry(object.name.clone()).or_default())
        };
        objects.values().map(&mut read).collect()
    }

    /// Whether what is stored of a bundle is whole, and of this digest.
    fn holds(&self, name: &str, digest: Digest) -> bool {
        self.current_digest(name) == Some(digest)
    }

    /// The digest that the index of a bundle says, if what it names is whole: what may be removed hangs on it.
    fn current_digest(&self, name: &str) -> Option<Digest> {
        let assembled = store::assemble(name, &self.kept.all(), &self.namespace)?;
        assembled.ok().map(|artifact| artifact.digest)
    }

    /// The objects, with name and uid: for `control`.
    pub(crate) fn objects(&self) -> Vec<Arc<Object<PolicyBundleSpec>>> {
        self.objects.all().into_values().collect()
    }

    fn kept(&self) -> Vec<Arc<Kept>> {
        self.kept.all().into_values().collect()
    }

    /// Waits for both first lists.
    pub(crate) async fn wait_synced(&self) {
        self.objects.wait_synced().await;
        self.kept.wait_synced().await;
    }

    /// Whether both have been listed.
    pub(crate) fn synced(&self) -> bool {
        self.objects.synced() && self.kept.synced()
    }

    /// As of the slower of both watches.
    pub(crate) fn staleness(&self) -> Option<Duration> {
        self.objects.staleness().zip(self.kept.staleness()).map(|(one, other)| one.max(other))
    }

    /// What keeps a watch from going on.
    pub(crate) fn problem(&self) -> Option<ApiError> {
        self.objects.problem().or_else(|| self.kept.problem())
    }

    /// Tells of every change.
    pub(crate) fn forward(&self, to: &Arc<tokio::sync::Notify>) -> [Task; 2] {
        [forward(self.objects.changes(), to), forward(self.kept.changes(), to)]
    }
}

/// What is in force of an object, as far as it and what is stored can be used; else as before.
fn read(
    namespace: &str,
    object: &Object<PolicyBundleSpec>,
    kept: &BTreeMap<Key, Arc<Kept>>,
    good: &mut Good,
) -> Bundled {
    let mut problem = None;
    match &object.spec {
        Ok(spec) => good.spec = Some(spec.clone()),
        Err(error) => problem = Some(error.to_string()),
    }
    let index = kept.get(&(namespace.to_owned(), store::index_name(&object.name)));
    let known = good.stored.as_ref().map(|stored| stored.digest.to_string());
    let is_known = known.is_some() && known.as_deref() == index.and_then(|index| index.digest());
    if !is_known {
        match store::assemble(&object.name, kept, namespace).map(|read| read.and_then(|it| Stored::of(&it))) {
            None => {}
            Some(Ok(stored)) => good.stored = Some(Arc::new(stored)),
            Some(Err(error)) => problem = Some(error),
        }
    }
    Bundled {
        name: object.name.clone(),
        generation: object.generation,
        spec: good.spec.clone(),
        stored: good.stored.clone(),
        problem,
    }
}

#[cfg(test)]
mod tests;
