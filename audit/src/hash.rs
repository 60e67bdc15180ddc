//! Hashes by which it is known whether something was judged already. Keyed anew in each process, so that nobody can
//! write an object that hashes like another.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;
use wayguard_engine::value::Value;

/// What of an object's metadata says nothing about it, or changes with everything.
const BOOKKEEPING: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

/// Hashes of one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hashes(RandomState);

impl Hashes {
    /// Of a text; never 0.
    pub(crate) fn text(&self, text: &str) -> u64 {
        self.0.hash_one(text).max(1)
    }

    /// Of what policies can judge of an object.
    pub(crate) fn content(&self, object: Value<'_>, with_status: bool) -> u64 {
        let mut hasher = self.0.build_hasher();
        content(object, with_status, &mut hasher);
        hasher.finish()
    }
}

/// As [`Hashes::content`] without status, alike in one process for all callers.
pub(crate) fn fixed(object: Value<'_>) -> u64 {
    let mut hasher = KEY.build_hasher();
    content(object, false, &mut hasher);
    hasher.finish()
}

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

fn content(object: Value<'_>, with_status: bool, hasher: &mut impl Hasher) {
    let members = object.as_object().unwrap_or_default();
    for (key, value) in members.iter() {
        match key {
            "status" if !with_status => {}
            "metadata" => {
                let metadata = value.as_object().unwrap_or_default();
                for (key, value) in metadata.iter().filter(|(key, _)| !BOOKKEEPING.contains(key)) {
                    key.hash(hasher);
                    write(value, hasher);
                }
            }
            _ => {
                key.hash(hasher);
                write(value, hasher);
            }
        }
    }
}

fn write(value: Value<'_>, hasher: &mut impl Hasher) {
    match value {
        Value::Null => 0_u8.hash(hasher),
        Value::Bool(flag) => (1_u8, flag).hash(hasher),
        Value::String(text) => (2_u8, text).hash(hasher),
        Value::Array(items) => {
            (3_u8, items.len()).hash(hasher);
            items.iter().for_each(|item| write(*item, hasher));
        }
        Value::Object(object) => {
            (4_u8, object.len()).hash(hasher);
            for (key, value) in object.iter() {
                key.hash(hasher);
                write(value, hasher);
            }
        }
        // Numbers by their text; sets and maps are in no JSON.
        other => (5_u8, other.to_string()).hash(hasher),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wayguard_engine::value::Document;

    #[test]
    fn what_nobody_judges_does_not_count() {
        let hashes = Hashes::default();
        let content = |json: &str, status: bool| {
            hashes.content(Document::from_json(json.as_bytes()).unwrap().value(), status)
        };
        let one = r#"{"metadata":{"name":"a","resourceVersion":"1"},"spec":{"n":[1,{}]},"status":{"a":1}}"#;
        let other = r#"{"metadata":{"name":"a","resourceVersion":"2","managedFields":[]},"spec":{"n":[1,{}]},"status":{"a":2}}"#;
        assert_eq!(content(one, false), content(other, false));
        assert_ne!(content(one, true), content(other, true));
        assert_ne!(content(one, false), content(&one.replace("[1,", "[2,"), false));
        assert_ne!(content(one, false), content(&one.replace(r#""a","#, r#""b","#), false));
    }
}
