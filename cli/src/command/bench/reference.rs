//! The loop that times are compared with: work of a fixed size, so that what is told is the policy's and not the
//! machine's.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How often it runs; the fastest counts.
const ROUNDS: usize = 30;
/// Keys of its table: enough to leave the first cache, as policies do.
const KEYS: u64 = 2_000;

/// How long the loop takes here and now.
pub(super) fn time() -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        black_box(work(black_box(KEYS)));
        best = best.min(started.elapsed());
    }
    best.max(Duration::from_nanos(1))
}

/// What evaluation is made of: small texts, a tree of keys, comparisons.
fn work(keys: u64) -> usize {
    let mut table = std::collections::BTreeMap::new();
    for key in 0..keys {
        table.insert(format!("key-{}", key.wrapping_mul(2_654_435_761) % keys), key);
    }
    table.iter().filter(|(key, value)| key.len() % 2 == usize::try_from(**value % 2).unwrap_or(0)).count()
}
