//! What is remembered of requests: which policies found nothing on what they can read of one.
//!
//! Pods of one ReplicaSet differ in names and uids that no policy reads. One keyed hash of everything that the
//! asked policies can read, from their code, stands for all of it; on a second request with the same hash the
//! policies that found nothing are not run again. A finding is always made anew: its words may name what differs.
//! Errors and time-outs are not remembered, nor what hangs on time or chance. The memo lives in a policy set and
//! dies with it.

use crate::policy::compiled::CompiledPolicy;
use crate::rego::Footprint;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Requests that are remembered, at least; twice as many at most. A policy each is a bit, a request some 100 bytes.
const CAPACITY: usize = 32 * 1024;
/// Locks, so that threads do not wait for each other.
const SHARDS: usize = 16;
/// Lists of policies whose footprint is kept: one for each kind of object, by and large.
const LISTS: usize = 1024;

/// One bit for each policy of the set, by its ordinal.
pub(crate) type Bits = Box<[u64]>;

/// What is remembered.
pub(crate) struct Memo {
    key: [u8; 32],
    shards: [Mutex<Shard>; SHARDS],
    unions: Mutex<HashMap<Box<[u32]>, Arc<Footprint>>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// Two generations: the older is dropped when the younger is full, and what is asked for moves up.
#[derive(Default)]
struct Shard {
    young: HashMap<[u8; 16], Arc<Bits>>,
    old: HashMap<[u8; 16], Arc<Bits>>,
}

/// How often the memo knew a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoCounts {
    /// It did.
    pub hits: u64,
    /// It did not.
    pub misses: u64,
}

impl Default for Memo {
    fn default() -> Self {
        let mut key = [0; 32];
        for (part, chunk) in (0_u64..).zip(key.chunks_exact_mut(8)) {
            // The standard library's own source of keys; a requester must not be able to make hashes collide.
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u64(part);
            chunk.copy_from_slice(&hasher.finish().to_le_bytes());
        }
        Self {
            key,
            shards: Default::default(),
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
        self.shards.iter().for_each(|shard| *lock(shard) = Shard::default());
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

    /// The hash of what was read.
    pub(crate) fn hash(&self, read: &[u8]) -> [u8; 16] {
        let mut hash = [0; 16];
        let whole = blake3::keyed_hash(&self.key, read);
        hash.iter_mut().zip(whole.as_bytes()).for_each(|(byte, from)| *byte = *from);
        hash
    }

    fn shard(&self, hash: [u8; 16]) -> Option<MutexGuard<'_, Shard>> {
        self.shards.get(usize::from(hash[0]) % SHARDS).map(lock)
    }

    /// The policies that found nothing when the hash was met.
    pub(crate) fn recall(&self, hash: [u8; 16]) -> Option<Arc<Bits>> {
        let found = self.shard(hash).and_then(|mut shard| shard.get(hash));
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Remembers the policies that found nothing.
    pub(crate) fn remember(&self, hash: [u8; 16], quiet: Bits) {
        if let Some(mut shard) = self.shard(hash) {
            shard.insert(hash, Arc::new(quiet));
        }
    }
}

impl Shard {
    fn get(&mut self, hash: [u8; 16]) -> Option<Arc<Bits>> {
        if let Some(found) = self.young.get(&hash) {
            return Some(Arc::clone(found));
        }
        let found = self.old.remove(&hash)?;
        self.insert(hash, Arc::clone(&found));
        Some(found)
    }

    fn insert(&mut self, hash: [u8; 16], quiet: Arc<Bits>) {
        if self.young.len() >= CAPACITY / SHARDS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, quiet);
    }
}

/// What is known of one object under review before policies are asked, and what is learnt meanwhile.
#[derive(Default)]
pub(crate) struct Recall {
    hash: Option<[u8; 16]>,
    known: Option<Arc<Bits>>,
    /// Policies that were asked in full, and those that found something.
    asked: std::cell::RefCell<Vec<u64>>,
    noisy: std::cell::RefCell<Vec<u64>>,
}

fn set_bit(bits: &std::cell::RefCell<Vec<u64>>, ordinal: u32) {
    let mut bits = bits.borrow_mut();
    let at = ordinal as usize / 64;
    if bits.len() <= at {
        bits.resize(at + 1, 0);
    }
    if let Some(word) = bits.get_mut(at) {
        *word |= 1 << (ordinal % 64);
    }
}

impl Recall {
    /// Looks up what was read; `None`: nothing can be remembered of this request.
    pub(crate) fn of(memo: &Memo, read: Option<&[u8]>) -> Self {
        let hash = read.map(|read| memo.hash(read));
        Self { known: hash.and_then(|hash| memo.recall(hash)), hash, ..Self::default() }
    }

    /// Whether a policy is known to find nothing.
    pub(crate) fn is_quiet(&self, policy: &CompiledPolicy) -> bool {
        self.known.as_ref().is_some_and(|bits| {
            bits.get(policy.ordinal as usize / 64).is_some_and(|word| word >> (policy.ordinal % 64) & 1 == 1)
        })
    }

    /// Notes what came of asking a policy.
    pub(crate) fn note(&self, policy: &CompiledPolicy, quiet: bool) {
        if self.hash.is_none() || self.known.is_some() {
            return;
        }
        set_bit(&self.asked, policy.ordinal);
        if !quiet || !policy.footprint.is_repeatable() {
            set_bit(&self.noisy, policy.ordinal);
        }
    }

    /// Remembers what was noted.
    pub(crate) fn keep(&self, memo: &Memo) {
        if let (Some(hash), None) = (self.hash, &self.known) {
            let noisy = self.noisy.borrow();
            let asked = self.asked.borrow();
            let quiet =
                asked.iter().enumerate().map(|(at, bits)| bits & !noisy.get(at).copied().unwrap_or(0));
            memo.remember(hash, quiet.collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let memo = Memo::default();
        let hash = |number: u32| memo.hash(&number.to_le_bytes());
        let kept = hash(0);
        memo.remember(kept, Box::new([1]));
        for number in 1..80_000 {
            memo.remember(hash(number), Box::new([0]));
            if number % 1_000 == 0 {
                assert_eq!(memo.recall(kept).as_deref().map(AsRef::as_ref), Some([1].as_slice()));
            }
        }
        let held: usize = memo
            .shards
            .iter()
            .map(|shard| {
                let shard = lock(shard);
                shard.young.len() + shard.old.len()
            })
            .sum();
        assert!(held <= 2 * CAPACITY, "{held}");
        assert_eq!(memo.recall(hash(1)), None);
        assert_ne!(Memo::default().hash(b"x"), memo.hash(b"x"), "each set has a key of its own");
    }
}
