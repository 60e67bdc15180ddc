//! Judging what there is: the engine's answer about each object, asked for only where it can have changed.

use crate::edition::Edition;
use crate::hash::Hashes;
use crate::store::{Entry, Key, KindName, Store};
use bumpalo::Bump;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{available_parallelism, scope};
use std::time::Duration;
use wayguard_engine::request::{ObjectRequest, Operation, Origin};
use wayguard_engine::value::{Arena, Document, Object, Value};
use wayguard_engine::{Context, FactKey, Facts, Stage, decide_at_once};

/// For all Rego of one object; nobody waits for it.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Objects that a thread takes at once.
const SHARE: usize = 8;

/// What is known beyond the objects.
pub trait Host: Send + Sync {
    /// Answers the engine's questions; may block.
    fn answer(&self, keys: Vec<FactKey>, facts: &mut Facts);

    /// The Namespace of that name, if it is known: what its objects are judged with, and who answers for them.
    fn namespace(&self, name: &str) -> Option<Arc<Document>>;

    /// Told of every object that is met, as it is: for what results do not hold. Nothing by default.
    fn met(&self, _kind: &KindName, _object: Value<'_>) {}
}

/// What was done about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    /// Nothing: it is what it was, and so are the policies.
    Same,
    /// Only policies that are new or changed were asked.
    Partly,
    /// All policies were asked.
    Wholly,
}

/// All results, and how to come by them.
pub struct Auditor {
    edition: RwLock<Arc<Edition>>,
    store: Mutex<Store>,
    hashes: Hashes,
    pass: AtomicU32,
    /// The label that says who answers for an object.
    owner_label: String,
}

/// How an object is to be judged.
enum Plan {
    Same,
    Partly(BTreeSet<Arc<str>>),
    Wholly,
}

/// What of a namespace counts for its objects.
#[derive(Clone, Debug, Default)]
struct Surroundings {
    print: u64,
    owner: String,
}

impl Auditor {
    /// An auditor that has seen nothing yet. `owner_label` is the label, of objects or their namespaces, that says who
    /// answers for them; `team` in the golden path.
    pub fn new(edition: Edition, owner_label: &str) -> Self {
        Self {
            edition: RwLock::new(Arc::new(edition)),
            store: Mutex::default(),
            hashes: Hashes::default(),
            pass: AtomicU32::new(0),
            owner_label: owner_label.to_owned(),
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The policies by which is judged now.
    pub fn edition(&self) -> Arc<Edition> {
        Arc::clone(&self.edition.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Namespaces whose results changed since this was last asked; the empty one is the cluster's.
    pub fn take_changed(&self) -> BTreeSet<Arc<str>> {
        self.store().take_dirty()
    }

    /// Judges by other policies from now on. Findings of policies that are gone or changed are told no more, at once;
    /// what the new ones find is known when the objects have been met again.
    pub fn adopt(&self, edition: Edition) {
        *self.edition.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(edition);
        self.store().touch();
    }

    /// Has all namespaces count as changed.
    pub fn touch(&self) {
        self.store().touch();
    }

    /// How many objects are known.
    pub fn len(&self) -> usize {
        self.store().len()
    }

    /// Whether no object is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins a pass over all objects of a kind, or of a kind in a namespace.
    pub fn begin(&self) -> u32 {
        self.pass.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Ends a pass: what it has not met is gone.
    pub fn end(&self, kind: &KindName, namespace: Option<&str>, pass: u32) {
        let mut store = self.store();
        let kind = store.kind(kind);
        store.sweep(kind, namespace, pass);
    }

    /// Forgets an object that is gone.
    pub fn remove(&self, kind: &KindName, namespace: &str, name: &str) {
        let mut store = self.store();
        let (kind, namespace) = (store.kind(kind), store.text(namespace));
        store.remove(&Key { kind, namespace, name: name.into() });
    }

    /// Forgets a kind that no policy judges any more.
    pub fn forget_kind(&self, kind: &KindName) {
        let mut store = self.store();
        let kind = store.kind(kind);
        store.forget_kind(kind);
    }

    /// Judges objects on all cores. `kind`: what they are, where they do not say so themselves. `plural`: of their
    /// resource; empty: derived. `refresh`: policies that look at more than the object are asked again, too.
    pub fn judge(
        &self,
        kind: &KindName,
        plural: &str,
        objects: &[Value<'_>],
        host: &dyn Host,
        pass: u32,
        refresh: bool,
    ) -> Counts {
        let edition = self.edition();
        let surroundings = self.surroundings(objects, host);
        let bench = Bench { auditor: self, edition: &edition, kind, plural, host, pass, refresh };
        let (next, counts) = (AtomicUsize::new(0), Mutex::new(Counts::default()));
        let work = || {
            let mut own = Counts::default();
            loop {
                let from = next.fetch_add(SHARE, Ordering::Relaxed);
                let Some(share) = objects.get(from..objects.len().min(from + SHARE)) else { break };
                if share.is_empty() {
                    break;
                }
                for object in share {
                    host.met(kind, *object);
                    own.add(bench.object(*object, &surroundings));
                }
            }
            counts.lock().unwrap_or_else(PoisonError::into_inner).join(own);
        };
        let workers = available_parallelism().map_or(1, NonZeroUsize::get).min(objects.len().div_ceil(SHARE));
        if workers < 2 {
            work();
        } else {
            scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
        }
        counts.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn surroundings(&self, objects: &[Value<'_>], host: &dyn Host) -> BTreeMap<String, Surroundings> {
        let names: BTreeSet<&str> =
            objects.iter().map(|object| metadata(*object).str_or_empty("namespace")).collect();
        let known = |name: &str| {
            let namespace = host.namespace(name)?;
            let print = self.hashes.content(namespace.value(), false).max(1);
            Some(Surroundings { print, owner: self.label(namespace.value()).to_owned() })
        };
        let named = names.into_iter().filter(|name| !name.is_empty());
        named.map(|name| (name.to_owned(), known(name).unwrap_or_default())).collect()
    }

    fn label<'v>(&self, object: Value<'v>) -> &'v str {
        metadata(object).get("labels").unwrap_or_default().str_or_empty(&self.owner_label)
    }
}

/// How many objects were judged how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not judged, because nothing has changed.
    pub same: u64,
    /// Judged by what changed among the policies.
    pub partly: u64,
    /// Judged by all.
    pub wholly: u64,
}

impl Counts {
    fn add(&mut self, judged: Judged) {
        match judged {
            Judged::Same => self.same += 1,
            Judged::Partly => self.partly += 1,
            Judged::Wholly => self.wholly += 1,
        }
    }

    /// Adds what another counted.
    pub fn join(&mut self, other: Self) {
        self.same += other.same;
        self.partly += other.partly;
        self.wholly += other.wholly;
    }

    /// All objects that were met.
    pub fn all(self) -> u64 {
        self.same + self.partly + self.wholly
    }
}

struct Bench<'b> {
    auditor: &'b Auditor,
    edition: &'b Edition,
    kind: &'b KindName,
    plural: &'b str,
    host: &'b dyn Host,
    pass: u32,
    refresh: bool,
}

impl Bench<'_> {
    fn object(&self, object: Value<'_>, surroundings: &BTreeMap<String, Surroundings>) -> Judged {
        let metadata = metadata(object);
        let (namespace, name) = (metadata.str_or_empty("namespace"), metadata.str_or_empty("name"));
        let hashes = &self.auditor.hashes;
        let version = match metadata.str_or_empty("resourceVersion") {
            "" => 0,
            version => hashes.text(version),
        };
        let around = surroundings.get(namespace);
        let print = around.map_or(0, |around| around.print);
        let key = {
            let mut store = self.auditor.store();
            let key =
                Key { kind: store.kind(self.kind), namespace: store.text(namespace), name: name.into() };
            if let Some(plan) = self.by_version(&mut store, &key, version, print) {
                drop(store);
                return self.follow(plan, object, key, version, None, around);
            }
            key
        };
        let content = hashes.content(object, self.edition.reads_status);
        let plan = {
            let mut store = self.auditor.store();
            match store.get_mut(&key).filter(|it| it.content == content && it.namespace == print) {
                Some(record) => {
                    record.version = version;
                    record.pass = self.pass;
                    self.by_policies(record)
                }
                None => Plan::Wholly,
            }
        };
        self.follow(plan, object, key, version, Some(content), around)
    }

    /// What is to be done if the API server says that the object is what it was.
    fn by_version(&self, store: &mut Store, key: &Key, version: u64, print: u64) -> Option<Plan> {
        let record = store.get_mut(key)?;
        if version == 0 || record.version != version || record.namespace != print {
            return None;
        }
        record.pass = self.pass;
        Some(self.by_policies(record))
    }

    /// What is to be done about an object that is what it was.
    fn by_policies(&self, record: &mut crate::store::Record) -> Plan {
        let outdated = record.outdated(&self.edition.stamps);
        let volatile = self.edition.volatile.iter().filter(|_| self.refresh);
        let ids = self.edition.ids_of(outdated.iter().copied().chain(volatile));
        if ids.is_empty() && Arc::ptr_eq(&record.stamps, &self.edition.stamps) {
            return Plan::Same;
        }
        Plan::Partly(ids)
    }

    fn follow(
        &self,
        plan: Plan,
        object: Value<'_>,
        key: Key,
        version: u64,
        content: Option<u64>,
        around: Option<&Surroundings>,
    ) -> Judged {
        let (only, judged) = match plan {
            Plan::Same => return Judged::Same,
            Plan::Partly(ids) => (Some(ids), Judged::Partly),
            Plan::Wholly => (None, Judged::Wholly),
        };
        let hashes = &self.auditor.hashes;
        let content = content.unwrap_or_else(|| hashes.content(object, self.edition.reads_status));
        let decision = self.decide(object, only.as_ref());
        let owner = match (self.auditor.label(object), around) {
            ("", Some(around)) => around.owner.as_str(),
            (own, _) => own,
        };
        self.auditor.store().put(Entry {
            key,
            version,
            content,
            namespace: around.map_or(0, |around| around.print),
            edition: self.edition,
            pass: self.pass,
            uid: metadata(object).str_or_empty("uid"),
            owner,
            decision,
            only,
        });
        judged
    }

    fn decide(
        &self,
        object: Value<'_>,
        only: Option<&BTreeSet<Arc<str>>>,
    ) -> Result<wayguard_engine::Decision, String> {
        let bump = Bump::new();
        let arena = &&bump;
        let object = match object.as_object() {
            // Lists leave out what all of their objects are.
            Some(members) if members.get("kind").is_none() => {
                let text = |text: &str| Value::String(arena.text(text));
                let mut all: Vec<_> = members.iter().collect();
                all.extend([("apiVersion", text(&self.kind.api_version())), ("kind", text(&self.kind.kind))]);
                Value::Object(Object::new(arena, all))
            }
            _ => object,
        };
        // What has a uid was admitted, and is judged as it is. A manifest is judged as it will be.
        let stage =
            if metadata(object).str_or_empty("uid").is_empty() { Stage::Whole } else { Stage::Validate };
        let request = ObjectRequest {
            origin: Origin::Audit,
            object,
            old_object: None,
            operation: Operation::Create,
            resource: self.plural,
            sub_resource: "",
            default_namespace: "",
            user_info: None,
        };
        let context = Context { stage, now: self.edition.now, time_limit: TIME_LIMIT };
        let among = |name: &str| only.is_none_or(|ids| self.edition.is_among(name, ids));
        decide_at_once(
            request,
            &self.edition.set,
            &context,
            only.is_some().then_some(&among as &dyn Fn(&str) -> bool),
            &|keys, facts| self.host.answer(keys, facts),
        )
    }
}

fn metadata(object: Value<'_>) -> Value<'_> {
    object.get("metadata").unwrap_or_default()
}

#[cfg(test)]
#[path = "auditor_tests.rs"]
mod tests;
