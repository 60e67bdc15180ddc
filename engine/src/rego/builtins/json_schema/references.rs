//! Where `$ref` leads: addresses resolved against those that `$id` gives (RFC 3986 §5), and what is there.

use super::super::uris::Reference;
use crate::value::Value;
use std::collections::HashMap;

/// What can be referred to, and what each `$ref` of the document means.
#[derive(Debug, Default)]
pub(super) struct References<'a> {
    /// Parts of the document by address.
    known: HashMap<String, Value<'a>>,
    /// Absolute addresses by where the members of the object with the `$ref` are in memory.
    meant: HashMap<*const (&'a str, Value<'a>), String>,
}

/// Where an object is in memory; none for the empty one, which refers to nothing.
fn identity(value: Value<'_>) -> Option<*const (&str, Value<'_>)> {
    value.as_object().filter(|object| !object.is_empty()).map(|object| object.members().as_ptr())
}

/// Parts of an address.
struct Address<'t> {
    scheme: Option<&'t str>,
    authority: Option<&'t str>,
    path: &'t str,
    query: Option<&'t str>,
    fragment: Option<&'t str>,
}

impl<'t> Address<'t> {
    fn new(text: &'t str) -> Self {
        let (rest, fragment) = match text.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (text, None),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let is_scheme = |scheme: &&str| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        let (scheme, rest) = match rest.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, rest),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        Self { scheme, authority, path, query, fragment: fragment.filter(|fragment| !fragment.is_empty()) }
    }
}

/// A path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').collect();
    let last = segments.len().saturating_sub(1);
    for (at, segment) in segments.into_iter().enumerate() {
        match segment {
            "." | ".." => {
                if segment == ".." && kept.len() > 1 {
                    kept.pop();
                }
                if at == last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    kept.join("/")
}

/// An address as it is meant at another; the other's fragment does not count.
pub(super) fn resolved(base: &str, reference: &str) -> String {
    let (base, given) = (Address::new(base), Address::new(reference));
    let (scheme, authority, path, query);
    if given.scheme.is_some() || given.authority.is_some() {
        scheme = given.scheme.or(base.scheme);
        authority = given.authority;
        path = if given.scheme.is_some() && given.authority.is_none() {
            given.path.to_owned()
        } else {
            without_dots(given.path)
        };
        query = given.query;
    } else {
        (scheme, authority) = (base.scheme, base.authority);
        if given.path.is_empty() {
            path = base.path.to_owned();
            query = given.query.or(base.query);
        } else {
            let folder = base.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let whole = match given.path.strip_prefix('/') {
                Some(_) => without_dots(given.path),
                None => without_dots(&format!("{folder}/{}", given.path)),
            };
            // Go makes every such path one from the root.
            path = format!("/{}", whole.trim_start_matches('/'));
            query = given.query;
        }
    }
    let mut text = String::new();
    if let Some(scheme) = scheme {
        text.push_str(&scheme.to_ascii_lowercase());
        text.push(':');
    }
    if let Some(authority) = authority {
        text.push_str("//");
        text.push_str(authority);
    }
    text.push_str(&path);
    if let Some(query) = query {
        text.push('?');
        text.push_str(query);
    }
    if let Some(fragment) = given.fragment {
        text.push('#');
        text.push_str(fragment);
    }
    text
}

/// What an address leads to.
pub(super) enum Found<'a> {
    /// This part of the document.
    Here(Value<'a>),
    /// Somewhere else.
    Elsewhere,
    /// Nowhere, in gojsonschema's words.
    Nowhere(String),
}

impl<'a> References<'a> {
    /// All that a document has.
    ///
    /// # Errors
    /// If two parts have one address.
    pub(super) fn of(document: Value<'a>) -> Result<Self, String> {
        let mut references = Self::default();
        references.collect(document, "")?;
        references.known.insert(String::new(), document);
        Ok(references)
    }

    fn collect(&mut self, part: Value<'a>, base: &str) -> Result<(), String> {
        let object = match part {
            Value::Array(items) => return items.iter().try_for_each(|item| self.collect(*item, base)),
            Value::Object(object) => object,
            _ => return Ok(()),
        };
        let id = object.get("id").or_else(|| object.get("$id")).and_then(Value::as_str);
        let own = match id.filter(|id| Reference::parse(id).is_ok()) {
            Some(id) => {
                let own = resolved(base, id);
                if self.known.insert(own.clone(), part).is_some() {
                    return Err(format!("Reference already exists: \"{own}\""));
                }
                own
            }
            None => base.to_owned(),
        };
        if let Some(to) = object.get("$ref").and_then(Value::as_str)
            && Reference::parse(to).is_ok()
            && let Some(identity) = identity(part)
        {
            self.meant.insert(identity, resolved(&own, to));
        }
        for (key, value) in object.iter() {
            match (key, value) {
                // Values, not schemas.
                ("const" | "enum", _) => {}
                // Their keys are names, not keywords.
                ("properties" | "dependencies" | "patternProperties", Value::Object(children)) => {
                    children.iter().try_for_each(|(_, child)| self.collect(child, &own))?;
                }
                ("properties" | "dependencies" | "patternProperties", _) => {}
                _ => self.collect(value, &own)?,
            }
        }
        Ok(())
    }

    /// The address that the `$ref` of an object means; one that is no schema's stays as it is written.
    pub(super) fn meant(&self, part: Value<'a>, written: &str) -> String {
        let known = identity(part).and_then(|identity| self.meant.get(&identity));
        known.cloned().unwrap_or_else(|| resolved("", written))
    }

    /// What is at an address.
    pub(super) fn find(&self, address: &str) -> Found<'a> {
        if let Some(part) = self.known.get(address) {
            return Found::Here(*part);
        }
        let (document, fragment) = address.split_once('#').unwrap_or((address, ""));
        if let Some(part) = self.known.get(document) {
            return match pointed(*part, &decoded(fragment)) {
                Ok(part) => Found::Here(part),
                Err(why) => Found::Nowhere(why),
            };
        }
        let parts = Address::new(address);
        let is_file = parts.scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("file"));
        let has_host = parts.authority.is_some_and(|authority| !authority.is_empty());
        if (is_file && parts.path.starts_with('/')) || (parts.scheme.is_some() && has_host) {
            Found::Elsewhere
        } else {
            Found::Nowhere(format!("Reference {address} must be canonical"))
        }
    }
}

/// A fragment without its escapes.
fn decoded(fragment: &str) -> String {
    Reference::parse(&format!("#{fragment}")).map_or_else(|_| fragment.to_owned(), |parsed| parsed.fragment())
}

/// What a JSON Pointer leads to.
fn pointed<'a>(document: Value<'a>, pointer: &str) -> Result<Value<'a>, String> {
    // What is no pointer leads to the whole, as gojsonpointer has it.
    let Some(tokens) = pointer.strip_prefix('/') else { return Ok(document) };
    let mut part = document;
    for token in tokens.split('/') {
        part = match part {
            Value::Object(object) => {
                let key = token.replace("~1", "/").replace("~0", "~");
                object.get(&key).ok_or_else(|| format!("Object has no key '{key}'"))?
            }
            Value::Array(items) => {
                let index: i64 = token.parse().map_err(|_| format!("Invalid array index '{token}'"))?;
                let item = usize::try_from(index).ok().and_then(|index| items.get(index));
                let length = items.len();
                *item.ok_or_else(|| format!("Out of bound array[0,{length}] index '{index}'"))?
            }
            _ => return Err(format!("Invalid token reference '{token}'")),
        };
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::resolved;

    #[test]
    fn addresses_are_resolved() {
        for (base, reference, expected) in [
            ("", "#/a", "#/a"),
            ("", "#", ""),
            ("", "a.json", "/a.json"),
            ("http://a/b/c#d", "#/e", "http://a/b/c#/e"),
            ("http://a/b/c", "d", "http://a/b/d"),
            ("http://a/b/c", "../d", "http://a/d"),
            ("http://a", "d", "http://a/d"),
            ("http://a/b", "/x/./y/..", "http://a/x/"),
            ("http://a/b", "//c/d", "http://c/d"),
            ("http://a/b", "http://c#x", "http://c#x"),
            ("urn:x:y", "#z", "urn:x:y#z"),
        ] {
            assert_eq!(resolved(base, reference), expected, "{base} {reference}");
        }
    }
}
