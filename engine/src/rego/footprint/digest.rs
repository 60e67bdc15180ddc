//! What is read of a request as a keyed hash: SipHash-1-3 of 128 bits (Aumasson and Bernstein 2012; its key keeps a
//! requester from making two requests collide).
//!
//! Many policies read the same lists of the same object in whole. Each array and object is hashed once for all of them;
//! after that it stands for itself by its hash.

use crate::facts::Fact;
use crate::value::{Number, Value};
use siphasher::sip128::{Hasher128 as _, SipHasher13};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::marker::PhantomData;

/// A hash of what was read. Equal hashes: equal reads, but for a chance of one in 2^64 among 2^32 requests.
pub(crate) type Hash = u128;

/// The secret that hashes hang on.
#[derive(Clone, Copy)]
pub(crate) struct Secret(u64, u64);

impl Secret {
    /// A new one, from the standard library's own source of keys.
    pub(crate) fn random() -> Self {
        let part = |number: u64| {
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u64(number);
            hasher.finish()
        };
        Self(part(0), part(1))
    }
}

/// For keys that are hashes already, or addresses.
#[derive(Default)]
pub(crate) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        // The fractional part of the golden ratio spreads addresses, whose low bits are alike.
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u128(&mut self, number: u128) {
        let bytes = number.to_le_bytes();
        let (halves, _) = bytes.as_chunks::<8>();
        halves.iter().for_each(|half| self.write_u64(u64::from_le_bytes(*half)));
    }
}

/// A table by hashes or addresses.
pub(crate) type Table<K, V> = HashMap<K, V, BuildHasherDefault<Mixed>>;

/// What of one request was hashed so far.
pub(crate) struct Digests<'a> {
    secret: Secret,
    /// Members of arrays and objects, by where they stand; they stay there for `'a`.
    wholes: RefCell<Table<(usize, usize), Hash>>,
    /// Values of exactly this life: a shorter one could end, and its place be taken.
    life: PhantomData<Cell<&'a ()>>,
}

impl<'a> Digests<'a> {
    /// Nothing yet.
    pub(crate) fn new(secret: Secret) -> Self {
        Self { secret, wholes: RefCell::default(), life: PhantomData }
    }

    /// Begins a hash.
    pub(crate) fn digest(&self) -> Digest<'_, 'a> {
        Digest { hasher: SipHasher13::new_with_keys(self.secret.0, self.secret.1), within: self }
    }

    /// The hash of the members of an array or object, which stand at this place.
    fn members<T>(&self, members: &[T], write: impl FnOnce(&mut Digest<'_, 'a>)) -> Hash {
        let place = (members.as_ptr().addr(), members.len());
        if let Some(known) = self.wholes.borrow().get(&place) {
            return *known;
        }
        let mut digest = self.digest();
        write(&mut digest);
        let hash = digest.hash();
        self.wholes.borrow_mut().insert(place, hash);
        hash
    }
}

/// A hash in the making. Whatever is written says how long it is, so that no two sequences run into each other.
pub(crate) struct Digest<'d, 'a> {
    hasher: SipHasher13,
    within: &'d Digests<'a>,
}

impl<'a> Digest<'_, 'a> {
    /// The hash of all that was written.
    pub(crate) fn hash(&self) -> Hash {
        self.hasher.finish128().as_u128()
    }

    /// A number of fixed length.
    pub(crate) fn number(&mut self, number: u64) {
        self.hasher.write_u64(number);
    }

    /// Another hash.
    pub(crate) fn part(&mut self, hash: Hash) {
        self.hasher.write_u128(hash);
    }

    /// A mark with a number.
    pub(crate) fn mark(&mut self, mark: u8, number: usize) {
        self.hasher.write_u64((number as u64) << 8 | u64::from(mark));
    }

    /// A string.
    pub(crate) fn text(&mut self, mark: u8, text: &str) {
        self.mark(mark, text.len());
        self.hasher.write(text.as_bytes());
    }

    /// What the host knows of a fact, by the document that has it and never changes; `None`: it does not know.
    pub(crate) fn fact(&mut self, fact: &Fact) -> Option<()> {
        match fact {
            Fact::Known(document) => self.number(document.id()),
            Fact::Absent => self.number(0),
            Fact::Unavailable(_) | Fact::OutOfReach(_) => return None,
        }
        Some(())
    }

    /// A value with everything in it.
    pub(crate) fn whole(&mut self, value: Value<'a>) {
        match value {
            Value::Null => self.mark(kind(value), 0),
            Value::Bool(truth) => self.mark(kind(value), usize::from(truth)),
            Value::Number(Number::Int(number)) => {
                self.mark(kind(value), 0);
                self.hasher.write_i64(number);
            }
            Value::Number(Number::Text(digits)) => self.text(b't', digits),
            Value::String(text) => self.text(kind(value), text),
            Value::Array(items) => self.list(kind(value), items),
            Value::Set(set) => self.list(kind(value), set.items()),
            Value::Object(object) => {
                let members = object.members();
                let hash = self.within.members(members, |digest| {
                    for (name, item) in members {
                        digest.text(b'k', name);
                        digest.whole(*item);
                    }
                });
                self.mark(kind(value), members.len());
                self.part(hash);
            }
            Value::Map(map) => {
                let pairs = map.pairs();
                let hash = self.within.members(pairs, |digest| {
                    for (name, item) in pairs {
                        digest.whole(*name);
                        digest.whole(*item);
                    }
                });
                self.mark(kind(value), pairs.len());
                self.part(hash);
            }
        }
    }

    fn list(&mut self, mark: u8, items: &'a [Value<'a>]) {
        let hash = self.within.members(items, |digest| items.iter().for_each(|item| digest.whole(*item)));
        self.mark(mark, items.len());
        self.part(hash);
    }
}

/// What kind of value it is.
pub(super) fn kind(value: Value<'_>) -> u8 {
    match value {
        Value::Null => b'n',
        Value::Bool(_) => b'b',
        Value::Number(_) => b'#',
        Value::String(_) => b's',
        Value::Array(_) => b'[',
        Value::Object(_) => b'{',
        Value::Map(_) => b'<',
        Value::Set(_) => b'(',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Document;

    #[test]
    fn values_are_told_apart_and_found_again() {
        let secret = Secret::random();
        let texts = [
            "null",
            "true",
            "false",
            "0",
            "1",
            "1.0",
            "\"\"",
            "\"1\"",
            "[]",
            "{}",
            "[[]]",
            "[{}]",
            "[\"a\",\"b\"]",
            "[\"ab\"]",
            "{\"a\":1}",
            "{\"a\":[1]}",
            "{\"a\":1,\"b\":1}",
            "[[1],[2]]",
            "[[1,2]]",
            "[[1],2]",
        ];
        let document = Document::from_json(format!("[{}]", texts.join(",")).as_bytes()).unwrap();
        let digests = Digests::new(secret);
        let hash = |value| {
            let mut digest = digests.digest();
            digest.whole(value);
            digest.hash()
        };
        let items = document.value().as_array().unwrap();
        let hashes: Vec<Hash> = items.iter().map(|item| hash(*item)).collect();
        for (at, one) in hashes.iter().enumerate() {
            assert_eq!(hashes.iter().position(|other| other == one), Some(at), "{}", texts[at]);
            let again = Document::from_json(texts[at].as_bytes()).unwrap();
            let others = Digests::new(secret);
            let mut digest = others.digest();
            digest.whole(again.value());
            assert_eq!(digest.hash(), *one, "{}", texts[at]);
            assert_eq!(hash(items[at]), *one, "what was hashed before is taken from there: {}", texts[at]);
        }
        let other = Digests::new(Secret::random());
        assert_ne!(other.digest().hash(), digests.digest().hash(), "each secret has hashes of its own");
    }
}
