//! Parts of a document: a tree of keys, with how much of each is read.

use super::digest::{Digest, kind};
use crate::value::Value;

/// A key on the way into a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Name(Box<str>),
    /// Every member.
    Any,
}

/// How much is read at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// Whether it is there, its type, and a boolean's value.
    Presence,
    /// How many members it has.
    Length,
    /// Which keys it has.
    Keys,
    /// Everything.
    Whole,
}

/// The parts of a document that are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Parts {
    extent: Option<Extent>,
    named: Vec<(Box<str>, Parts)>,
    any: Option<Box<Parts>>,
}

impl Parts {
    /// Adds what is read at a path.
    pub(crate) fn read(&mut self, path: &[Key], extent: Extent) {
        if self.extent == Some(Extent::Whole) {
            return;
        }
        let Some((key, rest)) = path.split_first() else {
            self.extent = self.extent.max(Some(extent));
            if self.extent == Some(Extent::Whole) {
                self.named.clear();
                self.any = None;
            }
            return;
        };
        match key {
            Key::Any => self.any.get_or_insert_default().read(rest, extent),
            Key::Name(name) => {
                let at = match self.named.binary_search_by(|(known, _)| known.cmp(name)) {
                    Ok(at) => at,
                    Err(at) => {
                        self.named.insert(at, (name.clone(), Parts::default()));
                        at
                    }
                };
                if let Some((_, parts)) = self.named.get_mut(at) {
                    parts.read(rest, extent);
                }
            }
        }
    }

    /// Whether everything at a path is read.
    pub(crate) fn is_whole_at(&self, path: &[&str]) -> bool {
        self.extent == Some(Extent::Whole)
            || path.split_first().is_some_and(|(key, rest)| {
                self.named.iter().any(|(name, parts)| **name == **key && parts.is_whole_at(rest))
            })
    }

    /// Adds all parts of another.
    pub(crate) fn add(&mut self, other: &Parts) {
        if let Some(extent) = other.extent {
            self.read(&[], extent);
        }
        if self.extent == Some(Extent::Whole) {
            return;
        }
        for (name, parts) in &other.named {
            match self.named.binary_search_by(|(known, _)| known.cmp(name)) {
                Ok(at) => {
                    if let Some((_, known)) = self.named.get_mut(at) {
                        known.add(parts);
                    }
                }
                Err(at) => self.named.insert(at, (name.clone(), parts.clone())),
            }
        }
        if let Some(parts) = &other.any {
            self.any.get_or_insert_default().add(parts);
        }
    }

    /// Whether anything at or below a path is read.
    pub(crate) fn reads(&self, path: &[&str]) -> bool {
        if self.extent == Some(Extent::Whole) {
            return true;
        }
        let Some((key, rest)) = path.split_first() else {
            return self.extent.is_some() || !self.named.is_empty() || self.any.is_some();
        };
        self.named.iter().any(|(name, parts)| **name == **key && parts.reads(rest))
            || self.any.as_ref().is_some_and(|parts| parts.reads(rest))
    }

    /// Hashes what is read of a value, so that any two values that differ in it are told apart.
    pub(crate) fn write<'a>(&self, value: Option<Value<'a>>, out: &mut Digest<'_, 'a>) {
        let Some(value) = value else { return out.mark(b'-', 0) };
        if self.extent == Some(Extent::Whole) {
            return out.whole(value);
        }
        match (self.extent, value) {
            (_, Value::Bool(_) | Value::Set(_) | Value::Map(_))
            | (Some(Extent::Keys | Extent::Length), Value::Number(_) | Value::String(_)) => {
                return out.whole(value);
            }
            (Some(Extent::Keys), Value::Object(object)) => {
                out.mark(kind(value), object.len());
                object.members().iter().for_each(|(name, _)| out.text(b'k', name));
            }
            (Some(Extent::Keys | Extent::Length), Value::Array(items)) => out.mark(kind(value), items.len()),
            (Some(Extent::Length), Value::Object(object)) => out.mark(kind(value), object.len()),
            _ => out.mark(kind(value), 0),
        }
        if let Value::Object(object) = value {
            self.named.iter().for_each(|(name, parts)| parts.write(object.get(name), out));
        }
        if let Some(parts) = &self.any {
            match value {
                Value::Array(items) => {
                    out.mark(b'*', items.len());
                    items.iter().for_each(|item| parts.write(Some(*item), out));
                }
                Value::Object(object) => {
                    out.mark(b'*', object.len());
                    object.members().iter().for_each(|(_, item)| parts.write(Some(*item), out));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::digest::{Digests, Hash, Secret};
    use super::*;
    use crate::value::Document;

    fn written(secret: Secret, parts: &Parts, json: &str) -> Hash {
        let document = Document::from_json(json.as_bytes()).unwrap();
        let digests = Digests::new(secret);
        let mut out = digests.digest();
        parts.write(Some(document.value()), &mut out);
        out.hash()
    }

    #[test]
    fn values_that_differ_in_what_is_read_are_told_apart() {
        let name = |name: &str| Key::Name(name.into());
        let mut parts = Parts::default();
        parts.read(&[name("a"), Key::Any, name("b")], Extent::Whole);
        parts.read(&[name("c")], Extent::Presence);
        parts.read(&[name("d")], Extent::Keys);
        let secret = Secret::random();
        let base = written(secret, &parts, r#"{"a":[{"b":1,"x":1}],"c":"s","d":{"k":1}}"#);
        for same in
            [r#"{"a":[{"b":1,"x":2}],"c":"t","d":{"k":2}}"#, r#"{"a":[{"b":1}],"c":"","d":{"k":[]},"e":1}"#]
        {
            assert_eq!(written(secret, &parts, same), base, "{same}");
        }
        for other in [
            r#"{"a":[{"b":2}],"c":"s","d":{"k":1}}"#,
            r#"{"a":[{}],"c":"s","d":{"k":1}}"#,
            r#"{"a":[{"b":1},{"b":1}],"c":"s","d":{"k":1}}"#,
            r#"{"a":[{"b":1}],"c":1,"d":{"k":1}}"#,
            r#"{"a":[{"b":1}],"d":{"k":1}}"#,
            r#"{"a":[{"b":1}],"c":"s","d":{"l":1}}"#,
            r#"{"a":{"0":{"b":1}},"c":"s","d":{"k":1}}"#,
        ] {
            assert_ne!(written(secret, &parts, other), base, "{other}");
        }
        assert!(parts.reads(&["a", "anything", "b"]) && !parts.reads(&["a", "anything", "c"]));
    }
}
