//! What is known of every object that was judged: a hash of what it was, by which policies it was judged, what they
//! found. Some 200 bytes an object and 8 a finding; texts are shared.

use crate::edition::{Edition, Stamps, changed};
use crate::note::{Note, Rule};
use crate::shared::Shared;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wayguard_engine::Decision;
use wayguard_engine::decision::Skipped;

/// A kind of objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindName {
    /// API group, empty for core.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
}

impl KindName {
    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// An object that was judged.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    /// Its kind.
    pub kind: &'s KindName,
    /// Namespace, empty for cluster-scoped kinds.
    pub namespace: &'s str,
    /// Name.
    pub name: &'s str,
    /// uid, empty if it is none of a cluster.
    pub uid: &'s str,
    /// Who answers for it, as a label of it or of its namespace says; else empty.
    pub owner: &'s str,
}

/// A finding and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Found<'s> {
    /// The object.
    pub subject: Subject<'s>,
    /// The finding.
    pub note: &'s Note,
}

type Names = BTreeMap<(u16, Box<str>), Record>;

/// All results.
#[derive(Debug, Default)]
pub(crate) struct Store {
    kinds: Vec<KindName>,
    objects: BTreeMap<Arc<str>, Names>,
    count: usize,
    notes: Shared<Note>,
    rules: Shared<Rule>,
    skips: Shared<Skipped>,
    lists: Shared<[Arc<str>]>,
    texts: Shared<str>,
    /// Namespaces whose results changed since this was last asked.
    dirty: BTreeSet<Arc<str>>,
}

/// What is known of one object.
#[derive(Debug)]
pub(crate) struct Record {
    /// Hash of its resource version.
    pub(crate) version: u64,
    /// Hash of what was judged.
    pub(crate) content: u64,
    /// Hash of its namespace as it was then.
    pub(crate) namespace: u64,
    /// What the findings hang on.
    pub(crate) stamps: Arc<Stamps>,
    /// The pass that met it last.
    pub(crate) pass: u32,
    uid: Box<str>,
    owner: Arc<str>,
    /// The ids of policies that were evaluated.
    judged: Arc<[Arc<str>]>,
    notes: Box<[Arc<Note>]>,
    skipped: Box<[Arc<Skipped>]>,
    /// Why it could not be judged at all.
    problem: Option<Box<str>>,
}

/// Names an object of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) kind: u16,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Box<str>,
}

/// What is written down of an object that was judged.
pub(crate) struct Entry<'e> {
    pub(crate) key: Key,
    pub(crate) version: u64,
    pub(crate) content: u64,
    pub(crate) namespace: u64,
    pub(crate) edition: &'e Edition,
    pub(crate) pass: u32,
    pub(crate) uid: &'e str,
    pub(crate) owner: &'e str,
    pub(crate) decision: Result<Decision, String>,
    /// Only the policies with these ids were asked; what the others said before stays.
    pub(crate) only: Option<BTreeSet<Arc<str>>>,
}

impl Record {
    /// Whether what a policy found is what it would find now.
    fn is_current(&self, policy_object: &str, stamps: &Arc<Stamps>) -> bool {
        Arc::ptr_eq(&self.stamps, stamps)
            || self.stamps.get(policy_object).is_some_and(|stamp| stamps.get(policy_object) == Some(stamp))
    }

    /// The policies by which it must be judged again.
    pub(crate) fn outdated<'s>(&self, stamps: &'s Arc<Stamps>) -> Vec<&'s Arc<str>> {
        if Arc::ptr_eq(&self.stamps, stamps) { Vec::new() } else { changed(&self.stamps, stamps) }
    }
}

impl Store {
    pub(crate) fn kind(&mut self, kind: &KindName) -> u16 {
        let same = |known: &KindName| known.group == kind.group && known.kind == kind.kind;
        let at = self.kinds.iter().position(same).unwrap_or_else(|| {
            self.kinds.push(kind.clone());
            self.kinds.len() - 1
        });
        // A cluster has some hundred kinds.
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    pub(crate) fn text(&mut self, text: &str) -> Arc<str> {
        self.texts.text(text)
    }

    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut Record> {
        self.objects.get_mut(&key.namespace)?.get_mut(&(key.kind, key.name.clone()))
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Namespaces whose results changed since this was last asked.
    pub(crate) fn take_dirty(&mut self) -> BTreeSet<Arc<str>> {
        std::mem::take(&mut self.dirty)
    }

    /// Everything counts as changed.
    pub(crate) fn touch(&mut self) {
        self.dirty.extend(self.objects.keys().cloned());
    }

    /// Writes down what came of judging an object.
    pub(crate) fn put(&mut self, entry: Entry<'_>) {
        let Entry { key, version, content, namespace, edition, pass, uid, owner, decision, only } = entry;
        let old = self
            .objects
            .get_mut(&key.namespace)
            .and_then(|names| names.remove(&(key.kind, key.name.clone())));
        let is_new = old.is_none();
        let (mut notes, mut judged, mut skipped, mut problem) = (Vec::new(), Vec::new(), Vec::new(), None);
        if let (Some(only), Some(old)) = (&only, &old) {
            // Of the others, what is not about policies that are gone stays.
            let stays = |id: &str| edition.live.contains(id) && !only.contains(id);
            notes.extend(old.notes.iter().filter(|note| stays(&note.rule.policy)).cloned());
            judged.extend(old.judged.iter().filter(|id| stays(id)).cloned());
            skipped.extend(old.skipped.iter().filter(|skip| stays(&skip.policy)).cloned());
        }
        match decision {
            Ok(decision) => {
                for finding in &decision.findings {
                    let rule = Rule::of(finding);
                    let rule = self.rules.of(&rule, || Arc::new(rule.clone()));
                    let note = Note::of(finding, rule, &key.name);
                    notes.push(self.notes.of(&note, || Arc::new(note.clone())));
                }
                judged.extend(decision.policies.iter().map(|name| self.texts.text(name)));
                skipped.extend(
                    decision.skipped.iter().map(|skip| self.skips.of(skip, || Arc::new(skip.clone()))),
                );
            }
            Err(text) => problem = Some(text.into()),
        }
        // As the engine orders them, whoever was asked when.
        notes.sort_by(|one, other| one.order().cmp(&other.order()));
        judged.sort();
        judged.dedup();
        skipped.sort();
        skipped.dedup();
        let judged = self.lists.of(judged.as_slice(), || judged.as_slice().into());
        let owner = self.texts.text(owner);
        let record = Record {
            version,
            content,
            namespace,
            stamps: Arc::clone(&edition.stamps),
            pass,
            uid: uid.into(),
            owner,
            judged,
            notes: notes.into(),
            skipped: skipped.into(),
            problem,
        };
        // What was found before and is found again changes no report; that it was judged by others does.
        let is_other = old.is_none_or(|old| {
            old.notes != record.notes
                || old.judged != record.judged
                || old.uid != record.uid
                || old.owner != record.owner
                || !Arc::ptr_eq(&old.stamps, &record.stamps)
        });
        if is_other {
            self.dirty.insert(Arc::clone(&key.namespace));
        }
        self.objects.entry(key.namespace).or_default().insert((key.kind, key.name), record);
        self.count += usize::from(is_new);
    }

    /// Forgets an object.
    pub(crate) fn remove(&mut self, key: &Key) {
        let Some(names) = self.objects.get_mut(&key.namespace) else { return };
        if names.remove(&(key.kind, key.name.clone())).is_some() {
            self.count -= 1;
            self.dirty.insert(Arc::clone(&key.namespace));
        }
        if names.is_empty() {
            self.objects.remove(&key.namespace);
        }
    }

    /// Forgets the objects of a kind that a pass has not met; `namespace`: only there.
    pub(crate) fn sweep(&mut self, kind: u16, namespace: Option<&str>, pass: u32) {
        let mut gone = 0;
        for (name, names) in &mut self.objects {
            if namespace.is_some_and(|only| only != &**name) {
                continue;
            }
            let before = names.len();
            names.retain(|(other, _), record| *other != kind || record.pass == pass);
            if names.len() < before {
                self.dirty.insert(Arc::clone(name));
                gone += before - names.len();
            }
        }
        self.objects.retain(|_, names| !names.is_empty());
        self.count -= gone;
    }

    /// Forgets all objects of a kind.
    pub(crate) fn forget_kind(&mut self, kind: u16) {
        self.sweep(kind, None, u32::MAX);
    }

    /// Every object of a namespace, or of all, that was judged, by kind and name.
    pub(crate) fn objects<'s>(&'s self, namespace: Option<&'s str>) -> impl Iterator<Item = Object<'s>> {
        let spaces =
            self.objects.iter().filter(move |(name, _)| namespace.is_none_or(|only| only == &***name));
        spaces.flat_map(move |(namespace, names)| {
            names.iter().filter_map(move |((kind, name), record)| {
                let kind = self.kinds.get(usize::from(*kind))?;
                let subject = Subject { kind, namespace, name, uid: &record.uid, owner: &record.owner };
                Some(Object { subject, record })
            })
        })
    }
}

/// An object and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'s> {
    pub(crate) subject: Subject<'s>,
    record: &'s Record,
}

impl<'s> Object<'s> {
    /// What was found, as far as it is what would be found now.
    pub(crate) fn found(self, stamps: &'s Arc<Stamps>) -> impl Iterator<Item = Found<'s>> {
        let current = move |note: &&Arc<Note>| self.record.is_current(&note.rule.policy_object, stamps);
        self.record.notes.iter().filter(current).map(move |note| Found { subject: self.subject, note })
    }

    /// The ids of policies that judged it.
    pub(crate) fn judged(self) -> &'s [Arc<str>] {
        &self.record.judged
    }

    /// The policies that could not judge it, and why.
    pub(crate) fn skipped(self) -> impl Iterator<Item = &'s Skipped> {
        self.record.skipped.iter().map(AsRef::as_ref)
    }

    /// Why it could not be judged at all.
    pub(crate) fn problem(self) -> Option<&'s str> {
        self.record.problem.as_deref()
    }
}
