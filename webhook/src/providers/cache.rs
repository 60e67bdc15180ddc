//! Answers of providers that are good for a while: bounded in number, bytes and age.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wayguard_engine::gatekeeper::external::{Item, Response};

/// Answers in one generation; there are two.
const MOST_ENTRIES: usize = 10_000;
/// And their bytes, by and large.
const MOST_BYTES: usize = 16 << 20;
/// An answer that is larger is not kept.
const LARGEST: usize = MOST_BYTES / 16;
/// What an entry takes besides key and value.
const OVERHEAD: usize = 256;
/// That a key has no value is often a matter of moments: an image that is being signed.
const ERROR_TTL: Duration = Duration::from_secs(10);

/// What a provider said of one key.
#[derive(Debug)]
pub(super) struct Cached {
    pub(super) item: Item,
    pub(super) idempotent: bool,
    pub(super) status: u16,
    until: Instant,
}

/// All answers. Two generations: the older is dropped when the younger is full, and what is asked for moves up.
pub(super) struct Cache {
    ttl: Duration,
    generations: Mutex<Generations>,
}

type Key = [u8; 32];

#[derive(Default)]
struct Generations {
    young: HashMap<Key, Arc<Cached>>,
    old: HashMap<Key, Arc<Cached>>,
    /// Of the younger.
    bytes: usize,
}

impl Cache {
    pub(super) fn new(ttl: Duration) -> Self {
        Self { ttl, generations: Mutex::default() }
    }

    /// What a provider said of a key not too long ago.
    pub(super) fn get(&self, provider: &[u8; 32], key: &str) -> Option<Arc<Cached>> {
        if self.ttl.is_zero() {
            return None;
        }
        let key = place(provider, key);
        let mut generations = self.lock();
        let young = generations.young.get(&key).cloned();
        let found = young.or_else(|| {
            let found = generations.old.remove(&key)?;
            generations.insert(key, Arc::clone(&found));
            Some(found)
        })?;
        (Instant::now() < found.until).then_some(found)
    }

    /// Keeps an answer: one item for each key that was asked for. Where a provider says several things of one key, none
    /// is kept.
    pub(super) fn keep(&self, provider: &[u8; 32], asked: &[String], status: u16, response: &Response) {
        if self.ttl.is_zero() {
            return;
        }
        let now = Instant::now();
        for key in asked {
            let mut own = response.items.iter().filter(|item| item.key == *key);
            let (Some(item), None) = (own.next(), own.next()) else { continue };
            if size(item) > LARGEST {
                continue;
            }
            let ttl = if item.error.is_empty() { self.ttl } else { self.ttl.min(ERROR_TTL) };
            let idempotent = response.idempotent;
            let cached = Cached { item: item.clone(), idempotent, status, until: now + ttl };
            self.lock().insert(place(provider, key), Arc::new(cached));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        // Every state of it is valid.
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn insert(&mut self, key: Key, cached: Arc<Cached>) {
        let size = size(&cached.item);
        if self.young.len() >= MOST_ENTRIES || self.bytes + size > MOST_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += size;
        if let Some(before) = self.young.insert(key, cached) {
            self.bytes = self.bytes.saturating_sub(self::size(&before.item));
        }
    }
}

/// Keys may be long, and are nobody's business: a hash stands for them.
fn place(provider: &[u8; 32], key: &str) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(provider);
    hasher.update(key.as_bytes());
    *hasher.finalize().as_bytes()
}

/// The bytes of an item, by and large.
fn size(item: &Item) -> usize {
    OVERHEAD + item.key.len() + item.error.len() + value_size(&item.value)
}

fn value_size(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    const NODE: usize = 32;
    NODE + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(value_size).sum(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| key.len() + NODE + value_size(value)).sum()
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(key: &str, value: serde_json::Value) -> Item {
        Item { key: key.to_owned(), value, error: String::new() }
    }

    fn response(items: Vec<Item>) -> Response {
        Response { items, idempotent: true, system_error: String::new() }
    }

    #[test]
    fn only_one_answer_to_what_was_asked_is_kept() {
        let cache = Cache::new(Duration::from_mins(1));
        let asked = ["a".to_owned(), "b".to_owned()];
        let items = vec![item("a", json!(1)), item("b", json!(1)), item("b", json!(2)), item("c", json!(3))];
        cache.keep(&[1; 32], &asked, 200, &response(items));
        assert_eq!(cache.get(&[1; 32], "a").unwrap().item.value, json!(1));
        assert!(cache.get(&[1; 32], "b").is_none(), "two things were said of it");
        assert!(cache.get(&[1; 32], "c").is_none(), "nobody asked for it");
        assert!(cache.get(&[2; 32], "a").is_none(), "another provider");
    }

    #[test]
    fn answers_age_and_none_is_kept_without_time() {
        let cache = Cache::new(Duration::from_nanos(1));
        cache.keep(&[1; 32], &["a".to_owned()], 200, &response(vec![item("a", json!(1))]));
        assert!(cache.get(&[1; 32], "a").is_none());
        let never = Cache::new(Duration::ZERO);
        never.keep(&[1; 32], &["a".to_owned()], 200, &response(vec![item("a", json!(1))]));
        assert!(never.get(&[1; 32], "a").is_none());
    }

    #[test]
    fn it_is_bounded_and_what_is_asked_for_stays() {
        let cache = Cache::new(Duration::from_mins(1));
        let keep = |key: &str, value| {
            cache.keep(&[1; 32], &[key.to_owned()], 200, &response(vec![item(key, value)]));
        };
        keep("kept", json!("x"));
        keep("huge", json!("x".repeat(LARGEST)));
        assert!(cache.get(&[1; 32], "huge").is_none());
        for number in 0..25_000 {
            keep(&number.to_string(), json!(number));
            assert!(number % 1_000 != 0 || cache.get(&[1; 32], "kept").is_some());
        }
        for number in 0..1_000 {
            keep(&number.to_string(), json!("x".repeat(LARGEST / 2)));
            let generations = cache.lock();
            let held = |of: &HashMap<Key, Arc<Cached>>| of.values().map(|it| size(&it.item)).sum::<usize>();
            assert!(held(&generations.young) + held(&generations.old) <= 2 * MOST_BYTES);
            assert!(generations.young.len() + generations.old.len() <= 2 * MOST_ENTRIES);
        }
        assert!(cache.get(&[1; 32], "20000").is_none());
    }
}
