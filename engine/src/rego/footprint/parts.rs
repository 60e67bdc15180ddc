//! Parts of a document: a tree of keys, with how much of each is read.

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
    #[cfg(test)]
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

    /// Appends what is read of a value, in a form that tells any two values apart that differ in it.
    pub(crate) fn write(&self, value: Option<Value<'_>>, out: &mut Vec<u8>) {
        let Some(value) = value else {
            out.push(b'-');
            return;
        };
        if self.extent == Some(Extent::Whole) {
            return write_whole(value, out);
        }
        out.push(tag(value));
        if let Value::Bool(value) = value {
            out.push(u8::from(value));
        }
        match (self.extent, value) {
            (Some(Extent::Keys), Value::Object(object)) => {
                length(object.len(), out);
                object.members().iter().for_each(|(name, _)| text(name, out));
            }
            (Some(Extent::Keys | Extent::Length), Value::Array(items)) => length(items.len(), out),
            (Some(Extent::Length), Value::Object(object)) => length(object.len(), out),
            (Some(Extent::Keys | Extent::Length), Value::Number(_) | Value::String(_)) => {
                write_whole(value, out);
            }
            (_, Value::Set(_) | Value::Map(_)) => return write_whole(value, out),
            _ => {}
        }
        if !self.named.is_empty() {
            match value {
                Value::Object(object) => {
                    for (name, parts) in &self.named {
                        parts.write(object.get(name), out);
                    }
                }
                _ => out.push(b'.'),
            }
        }
        if let Some(parts) = &self.any {
            match value {
                Value::Array(items) => {
                    length(items.len(), out);
                    items.iter().for_each(|item| parts.write(Some(*item), out));
                }
                Value::Object(object) => {
                    length(object.len(), out);
                    object.members().iter().for_each(|(_, item)| parts.write(Some(*item), out));
                }
                _ => {}
            }
        }
    }
}

fn tag(value: Value<'_>) -> u8 {
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

fn length(length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn text(text: &str, out: &mut Vec<u8>) {
    length(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

fn write_whole(value: Value<'_>, out: &mut Vec<u8>) {
    out.push(tag(value));
    match value {
        Value::Null => {}
        Value::Bool(value) => out.push(u8::from(value)),
        Value::Number(crate::value::Number::Int(value)) => {
            out.push(b'i');
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::Number(crate::value::Number::Text(digits)) => {
            out.push(b't');
            text(digits, out);
        }
        Value::String(string) => text(string, out),
        Value::Array(items) => {
            length(items.len(), out);
            items.iter().for_each(|item| write_whole(*item, out));
        }
        Value::Set(set) => {
            length(set.len(), out);
            set.items().iter().for_each(|item| write_whole(*item, out));
        }
        Value::Object(object) => {
            length(object.len(), out);
            for (name, item) in object.members() {
                text(name, out);
                write_whole(*item, out);
            }
        }
        Value::Map(map) => {
            length(map.len(), out);
            for (name, item) in map.pairs() {
                write_whole(*name, out);
                write_whole(*item, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Document;

    fn written(parts: &Parts, json: &str) -> Vec<u8> {
        let document = Document::from_json(json.as_bytes()).unwrap();
        let mut out = Vec::new();
        parts.write(Some(document.value()), &mut out);
        out
    }

    #[test]
    fn values_that_differ_in_what_is_read_are_told_apart() {
        let name = |name: &str| Key::Name(name.into());
        let mut parts = Parts::default();
        parts.read(&[name("a"), Key::Any, name("b")], Extent::Whole);
        parts.read(&[name("c")], Extent::Presence);
        parts.read(&[name("d")], Extent::Keys);
        let base = written(&parts, r#"{"a":[{"b":1,"x":1}],"c":"s","d":{"k":1}}"#);
        for same in
            [r#"{"a":[{"b":1,"x":2}],"c":"t","d":{"k":2}}"#, r#"{"a":[{"b":1}],"c":"","d":{"k":[]},"e":1}"#]
        {
            assert_eq!(written(&parts, same), base, "{same}");
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
            assert_ne!(written(&parts, other), base, "{other}");
        }
        assert!(parts.reads(&["a", "anything", "b"]) && !parts.reads(&["a", "anything", "c"]));
    }
}
