//! The policies as they are at one time: for each a stamp of everything that its findings hang on besides the object.

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wayguard_engine::PolicySet;

/// Stamps by name of the Policy object.
pub(crate) type Stamps = BTreeMap<Arc<str>, u64>;

/// The policies of one time.
#[derive(Clone, Debug)]
pub struct Edition {
    /// What decides.
    pub set: Arc<PolicySet>,
    /// The time that it is the edition of: exceptions that have ended by then do not count.
    pub now: Timestamp,
    pub(crate) stamps: Arc<Stamps>,
    /// The id that people know, by name of the Policy object.
    pub(crate) ids: BTreeMap<Arc<str>, Arc<str>>,
    /// All of these ids.
    pub(crate) live: BTreeSet<Arc<str>>,
    /// Policies whose findings hang on more than the object and its namespace.
    pub(crate) volatile: BTreeSet<Arc<str>>,
    /// Whether a policy can read an object's status.
    pub(crate) reads_status: bool,
}

impl Edition {
    /// The edition of a set at a time.
    pub fn of(set: &Arc<PolicySet>, now: Timestamp) -> Self {
        let mut stamps = Stamps::new();
        let mut volatile = BTreeSet::new();
        let mut ids = BTreeMap::new();
        for policy in set.policies() {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&policy.fingerprint().to_le_bytes());
            hasher.update(&set.ground().to_le_bytes());
            let own = |exception: &&wayguard_engine::policy::exception::Exception| {
                exception.in_force(now) && exception.names(policy)
            };
            for exception in set.exceptions().iter().filter(own) {
                hasher.update(exception.name.as_bytes());
                // Our own type with string keys: serialisation cannot fail.
                hasher.update(&serde_json::to_vec(&exception.spec).unwrap_or_default());
            }
            let name: Arc<str> = policy.name.as_str().into();
            if !policy.is_repeatable() {
                volatile.insert(Arc::clone(&name));
            }
            ids.insert(Arc::clone(&name), policy.id.as_str().into());
            stamps.insert(name, short(&hasher));
        }
        for policy in set.broken() {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&serde_json::to_vec(&policy.spec).unwrap_or_default());
            hasher.update(policy.problem.as_bytes());
            hasher.update(&set.ground().to_le_bytes());
            let name: Arc<str> = policy.name.as_str().into();
            ids.insert(Arc::clone(&name), policy.id.as_str().into());
            stamps.insert(name, short(&hasher));
        }
        let reads_status =
            set.policies().any(wayguard_engine::policy::compiled::CompiledPolicy::reads_status);
        let live = ids.values().cloned().collect();
        Self { set: Arc::clone(set), now, stamps: Arc::new(stamps), ids, live, volatile, reads_status }
    }

    /// Whether findings differ in nothing from those of another edition.
    pub fn is_like(&self, other: &Self) -> bool {
        self.stamps == other.stamps
    }

    /// The policies that are new or not what they were in another edition.
    pub fn changed_since(&self, other: &Self) -> BTreeSet<Arc<str>> {
        changed(&other.stamps, &self.stamps).into_iter().cloned().collect()
    }

    /// The ids of policies whose objects have these names.
    pub(crate) fn ids_of<'n>(&self, names: impl IntoIterator<Item = &'n Arc<str>>) -> BTreeSet<Arc<str>> {
        names.into_iter().filter_map(|name| self.ids.get(name)).cloned().collect()
    }

    /// Whether the policy whose object has this name has one of these ids.
    pub(crate) fn is_among(&self, name: &str, ids: &BTreeSet<Arc<str>>) -> bool {
        self.ids.get(name).is_some_and(|id| ids.contains(id))
    }

    /// When the next exception ends.
    pub fn next_end(&self) -> Option<Timestamp> {
        let ends = self.set.exceptions().iter().filter(|it| it.in_force(self.now));
        ends.map(wayguard_engine::policy::exception::Exception::expires).min()
    }
}

/// Names whose stamp is another, or new.
pub(crate) fn changed<'s>(before: &Stamps, now: &'s Stamps) -> Vec<&'s Arc<str>> {
    now.iter().filter(|(name, stamp)| before.get(*name) != Some(stamp)).map(|(name, _)| name).collect()
}

fn short(hasher: &blake3::Hasher) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(hasher.finalize().as_bytes()).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(bytes)
}
