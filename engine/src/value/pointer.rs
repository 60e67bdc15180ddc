//! JSON Pointers (RFC 6901) into values, and the dotted form that people read.

use super::Value;
use std::fmt::Write as _;

/// A parsed JSON Pointer: its unescaped segments.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    segments: Vec<String>,
}

impl Pointer {
    /// Parses `/a/b~1c`; the empty string is the whole document. `None` if it does not start with `/`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self { segments: Vec::new() });
        }
        let segments = text.strip_prefix('/')?.split('/');
        Some(Self { segments: segments.map(|raw| raw.replace("~1", "/").replace("~0", "~")).collect() })
    }

    /// The unescaped segments.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The value that this points at.
    pub fn resolve<'a>(&self, root: Value<'a>) -> Option<Value<'a>> {
        self.segments.iter().try_fold(root, |value, segment| step(value, segment))
    }

    /// Whether this points into (or at) what `other` points at.
    pub fn starts_with(&self, other: &Pointer) -> bool {
        self.segments.starts_with(&other.segments)
    }
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.segments.iter().try_for_each(|segment| write!(formatter, "/{}", escape_segment(segment)))
    }
}

/// Escapes one segment for use in a JSON Pointer: `~` → `~0`, `/` → `~1`.
pub fn escape_segment(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// The index that an array segment means; leading zeros and signs are not indexes (RFC 6901 §4).
pub(super) fn array_index(segment: &str) -> Option<usize> {
    let canonical =
        segment == "0" || (!segment.starts_with('0') && segment.bytes().all(|b| b.is_ascii_digit()));
    if canonical { segment.parse().ok() } else { None }
}

fn step<'a>(value: Value<'a>, segment: &str) -> Option<Value<'a>> {
    match value {
        Value::Object(object) => object.get(segment),
        Value::Array(items) => items.get(array_index(segment)?).copied(),
        _ => None,
    }
}

/// A pointer as people read it, list elements by their name where they have one:
/// `/spec/containers/0/image` → `spec.containers[web].image`. Keys that are no identifiers are quoted:
/// `metadata.labels["app.kubernetes.io/name"]`.
pub fn named_path(root: Value<'_>, pointer: &Pointer) -> String {
    let mut text = String::new();
    let mut here = Some(root);
    for segment in pointer.segments() {
        let next = here.and_then(|value| step(value, segment));
        let in_list =
            matches!(here, Some(Value::Array(_))) || (here.is_none() && array_index(segment).is_some());
        if in_list {
            let name = next.map(|value| value.str_or_empty("name")).filter(|name| !name.is_empty());
            // Writing to a String cannot fail.
            let _ = write!(text, "[{}]", name.unwrap_or(segment));
        } else if is_plain(segment) {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(segment);
        } else {
            let _ = write!(text, "[\"{}\"]", segment.escape_debug());
        }
        here = next;
    }
    text
}

fn is_plain(segment: &str) -> bool {
    !segment.is_empty()
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;
    use bumpalo::Bump;

    #[test]
    fn resolves_and_escapes() {
        let bump = Bump::new();
        let root = parse_json(&&bump, br#"{"a/b":{"m~n":[10,20]}}"#).unwrap();
        let pointer = Pointer::parse("/a~1b/m~0n/1").unwrap();
        assert_eq!(pointer.resolve(root).and_then(Value::as_int), Some(20));
        assert_eq!(pointer.to_string(), "/a~1b/m~0n/1");
        assert_eq!(Pointer::parse("/a~1b/m~0n/01").unwrap().resolve(root), None);
        assert_eq!(Pointer::parse("a"), None);
        assert_eq!(Pointer::parse("").unwrap().resolve(root), Some(root));
    }

    #[test]
    fn names_list_elements() {
        let bump = Bump::new();
        let root = parse_json(
            &&bump,
            br#"{"metadata":{"labels":{"a.b/c":"d"}},"spec":{"containers":[{"name":"web","args":["x"]}]}}"#,
        )
        .unwrap();
        let shown = |text: &str| named_path(root, &Pointer::parse(text).unwrap());
        assert_eq!(shown("/spec/containers/0/image"), "spec.containers[web].image");
        assert_eq!(shown("/spec/containers/0/args/0"), "spec.containers[web].args[0]");
        assert_eq!(shown("/metadata/labels/a.b~1c"), "metadata.labels[\"a.b/c\"]");
        assert_eq!(shown("/spec/volumes/3/name"), "spec.volumes[3].name");
    }
}
