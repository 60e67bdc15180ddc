//! What is remembered of requests: what policies found on what they can read of one.
//!
//! Pods of one ReplicaSet differ in names and uids that no policy reads. One keyed hash of everything that the
//! asked policies can read, from their code, stands for all of it; on a second request with the same hash the
//! policies that found nothing are not run again. Where the whole is new, each policy is looked up by what it reads
//! alone: another image concerns those that read images. What a policy found is remembered by what its words read too,
//! for a controller tries again what was refused, under another name. Errors and time-outs are not remembered, nor what
//! hangs on time or chance. The memo lives in a policy set and dies with it.

use crate::policy::compiled::CompiledPolicy;
use crate::rego::Footprint;
use crate::rego::digest::{Digest, Digests, Hash, Secret, Table};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Requests that are remembered, at least; twice as many at most. A policy each is a bit, a request some 80 bytes.
const REQUESTS: usize = 16 * 1024;
/// Policies that found nothing, likewise; some 20 bytes each.
const QUIET: usize = 64 * 1024;
/// What policies found, likewise; a kilobyte each, more or less.
const ANSWERS: usize = 2 * 1024;
/// Locks, so that threads do not wait for each other.
const SHARDS: usize = 16;
/// Lists of policies whose footprint is kept: one for each kind of object, by and large.
const LISTS: usize = 1024;

/// One bit for each policy of the set, by its ordinal.
pub(crate) type Bits = [u64];

type Shards<V> = Box<[Mutex<Generations<V>>; SHARDS]>;

/// What is remembered.
pub(crate) struct Memo {
    secret: Secret,
    requests: Shards<Arc<Bits>>,
    /// Policies that found nothing on what they read.
    quiet: Shards<()>,
    /// What policies found on what they and their words read.
    answers: Shards<Arc<dyn Any + Send + Sync>>,
    unions: Mutex<HashMap<Box<[u32]>, Arc<Footprint>>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// Two generations: the older is dropped when the younger is full, and what is asked for moves up.
struct Generations<V> {
    young: Table<Hash, V>,
    old: Table<Hash, V>,
}

impl<V> Default for Generations<V> {
    fn default() -> Self {
        Self { young: Table::default(), old: Table::default() }
    }
}

/// How often the memo knew what a policy that was to be asked would find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoCounts {
    /// It did, and the policy was not run.
    pub hits: u64,
    /// It did not.
    pub misses: u64,
}

impl Default for Memo {
    fn default() -> Self {
        Self {
            // A requester must not be able to make hashes collide.
            secret: Secret::random(),
            requests: Box::default(),
            quiet: Box::default(),
            answers: Box::default(),
            unions: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }
}

impl std::fmt::Debug for Memo {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Memo").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// A poisoned lock guards a cache whose every state is valid.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memo {
    pub(crate) fn counts(&self) -> MemoCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MemoCounts { hits: read(&self.hits), misses: read(&self.misses) }
    }

    /// Forgets everything.
    pub(crate) fn forget(&self) {
        self.requests.iter().for_each(|shard| *lock(shard) = Generations::default());
        self.quiet.iter().for_each(|shard| *lock(shard) = Generations::default());
        self.answers.iter().for_each(|shard| *lock(shard) = Generations::default());
    }

    /// What all of these policies together can read.
    pub(crate) fn union(&self, policies: &[&CompiledPolicy]) -> Arc<Footprint> {
        let list: Box<[u32]> = policies.iter().map(|policy| policy.ordinal).collect();
        if let Some(known) = lock(&self.unions).get(&list) {
            return Arc::clone(known);
        }
        let mut union = Footprint::default();
        policies.iter().for_each(|policy| union.add(&policy.footprint));
        let union = Arc::new(union);
        let mut unions = lock(&self.unions);
        if unions.len() >= LISTS {
            unions.clear();
        }
        unions.insert(list, Arc::clone(&union));
        union
    }

    /// Remembers what a policy found.
    pub(crate) fn keep<T: Clone + Send + Sync + 'static>(&self, hash: Hash, found: &[T]) {
        if let Some(mut shard) = shard(&self.answers, hash) {
            shard.insert(hash, Arc::new(found.to_vec()), ANSWERS);
        }
    }

    /// The policies that found nothing when the hash was met.
    fn recall(&self, hash: Hash) -> Option<Arc<Bits>> {
        shard(&self.requests, hash)?.get(hash, REQUESTS)
    }

    /// Remembers the policies that found nothing.
    fn remember(&self, hash: Hash, quiet: Arc<Bits>) {
        if let Some(mut shard) = shard(&self.requests, hash) {
            shard.insert(hash, quiet, REQUESTS);
        }
    }
}

fn shard<V>(shards: &Shards<V>, hash: Hash) -> Option<MutexGuard<'_, Generations<V>>> {
    let [first, ..] = hash.to_le_bytes();
    shards.get(usize::from(first) % SHARDS).map(lock)
}

impl<V: Clone> Generations<V> {
    fn get(&mut self, hash: Hash, capacity: usize) -> Option<V> {
        if let Some(found) = self.young.get(&hash) {
            return Some(found.clone());
        }
        let found = self.old.remove(&hash)?;
        self.insert(hash, found.clone(), capacity);
        Some(found)
    }

    fn insert(&mut self, hash: Hash, value: V, capacity: usize) {
        if self.young.len() >= capacity / SHARDS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, value);
    }
}

/// What is known of one object under review before policies are asked, and what is learnt meanwhile.
pub(crate) struct Recall<'a> {
    /// What of the object was hashed.
    digests: Digests<'a>,
    hash: Option<Hash>,
    /// The request as a whole was met before.
    is_known: bool,
    /// Policies that are known to find nothing.
    quiet: RefCell<Vec<u64>>,
    /// For policies of which that is not known, the hash of what each reads.
    open: Vec<(u32, Hash)>,
    asked: Tally,
}

/// How often a policy was known to find nothing, and how often it was not.
#[derive(Default)]
struct Tally {
    hits: Cell<u64>,
    misses: Cell<u64>,
}

fn set_bit(bits: &mut Vec<u64>, ordinal: u32) {
    let at = ordinal as usize / 64;
    if bits.len() <= at {
        bits.resize(at + 1, 0);
    }
    if let Some(word) = bits.get_mut(at) {
        *word |= 1 << (ordinal % 64);
    }
}

/// What of a request decides the answers of policies.
pub(crate) trait Read<'a> {
    /// Hashes what all of these policies together read; `None`: it is not known.
    fn together(&self, policies: &[&CompiledPolicy], out: &mut Digest<'_, 'a>) -> Option<()>;

    /// Hashes what one policy reads as far as the footprint, one of its own, has it; `None`: it is not known.
    fn alone(&self, policy: &CompiledPolicy, footprint: &Footprint, out: &mut Digest<'_, 'a>) -> Option<()>;
}

/// What is known of the findings of one policy.
pub(crate) enum Known<T> {
    Nothing,
    /// They will be known if they are kept under this hash.
    New(Hash),
    These(Arc<Vec<T>>),
}

impl<'a> Recall<'a> {
    /// Looks up what these policies read.
    pub(crate) fn of(memo: &Memo, policies: &[&CompiledPolicy], read: &impl Read<'a>) -> Self {
        let digests = Digests::new(memo.secret);
        let mut digest = digests.digest();
        let hash = read.together(policies, &mut digest).map(|()| digest.hash());
        let known = hash.and_then(|hash| memo.recall(hash));
        let is_known = known.is_some();
        let mut quiet = known.map(|known| known.to_vec()).unwrap_or_default();
        let mut open = Vec::new();
        if !is_known {
            for policy in policies.iter().filter(|policy| policy.footprint.is_repeatable()) {
                let Some(hash) = alone(&digests, policy, &policy.footprint, read) else { continue };
                match shard(&memo.quiet, hash).and_then(|mut shard| shard.get(hash, QUIET)) {
                    Some(()) => set_bit(&mut quiet, policy.ordinal),
                    None => open.push((policy.ordinal, hash)),
                }
            }
            open.sort_unstable();
        }
        Self { digests, hash, is_known, quiet: RefCell::new(quiet), open, asked: Tally::default() }
    }

    /// Whether a policy that is to be asked is known to find nothing.
    pub(crate) fn is_quiet(&self, policy: &CompiledPolicy) -> bool {
        let word = self.quiet.borrow().get(policy.ordinal as usize / 64).copied().unwrap_or_default();
        let is_quiet = word >> (policy.ordinal % 64) & 1 == 1;
        if is_quiet {
            self.asked.hits.set(self.asked.hits.get() + 1);
        }
        is_quiet
    }

    /// What a policy that is not quiet found before on all that it reads.
    pub(crate) fn known<T: Send + Sync + 'static>(
        &self,
        memo: &Memo,
        policy: &CompiledPolicy,
        read: &impl Read<'a>,
    ) -> Known<T> {
        let known = self.look_up(memo, policy, read);
        let count = if matches!(known, Known::These(_)) { &self.asked.hits } else { &self.asked.misses };
        count.set(count.get() + 1);
        known
    }

    fn look_up<T: Send + Sync + 'static>(
        &self,
        memo: &Memo,
        policy: &CompiledPolicy,
        read: &impl Read<'a>,
    ) -> Known<T> {
        let footprint = &policy.whole_footprint;
        let is_sensitive = policy.metadata.custom.sensitive;
        if !footprint.is_repeatable() || footprint.is_everything() || is_sensitive {
            return Known::Nothing;
        }
        let Some(hash) = alone(&self.digests, policy, footprint, read) else { return Known::Nothing };
        let found = shard(&memo.answers, hash).and_then(|mut shard| shard.get(hash, ANSWERS));
        found.and_then(|found| found.downcast().ok()).map_or(Known::New(hash), Known::These)
    }

    /// Notes what came of asking a policy.
    pub(crate) fn note(&self, memo: &Memo, policy: &CompiledPolicy, quiet: bool) {
        if self.is_known || !quiet || !policy.footprint.is_repeatable() {
            return;
        }
        set_bit(&mut self.quiet.borrow_mut(), policy.ordinal);
        let open = self.open.binary_search_by_key(&policy.ordinal, |(ordinal, _)| *ordinal).ok();
        if let Some((_, hash)) = open.and_then(|at| self.open.get(at))
            && let Some(mut shard) = shard(&memo.quiet, *hash)
        {
            shard.insert(*hash, (), QUIET);
        }
    }

    /// Remembers what was noted.
    pub(crate) fn keep(&self, memo: &Memo) {
        memo.hits.fetch_add(self.asked.hits.take(), Ordering::Relaxed);
        memo.misses.fetch_add(self.asked.misses.take(), Ordering::Relaxed);
        if let (Some(hash), false) = (self.hash, self.is_known) {
            memo.remember(hash, self.quiet.borrow().as_slice().into());
        }
    }
}

/// The hash of what one policy reads as far as the footprint has it.
fn alone<'a>(
    digests: &Digests<'a>,
    policy: &CompiledPolicy,
    footprint: &Footprint,
    read: &impl Read<'a>,
) -> Option<Hash> {
    let mut digest = digests.digest();
    digest.number(u64::from(policy.ordinal));
    read.alone(policy, footprint, &mut digest)?;
    Some(digest.hash())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let memo = Memo::default();
        let hash = |number: u64| {
            let digests = Digests::new(memo.secret);
            let mut digest = digests.digest();
            digest.number(number);
            digest.hash()
        };
        let kept = hash(0);
        memo.remember(kept, [1].as_slice().into());
        for number in 1..80_000 {
            memo.remember(hash(number), [0].as_slice().into());
            if number % 1_000 == 0 {
                assert_eq!(memo.recall(kept).as_deref(), Some([1].as_slice()));
            }
        }
        let held: usize = memo
            .requests
            .iter()
            .map(|shard| {
                let shard = lock(shard);
                shard.young.len() + shard.old.len()
            })
            .sum();
        assert!(held <= 2 * REQUESTS, "{held}");
        assert_eq!(memo.recall(hash(1)), None);
    }
}
