//! Texts, times and lists out of JSON that somebody else laid out: absent where they are not what is expected.

use jiff::Timestamp;
use serde_json::Value;

/// What is at a JSON pointer, whose names have no `~`: nothing is unescaped, and so nothing copied.
pub(crate) fn at<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    pointer.split('/').skip(1).try_fold(value, |value, name| match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The text at a JSON pointer, if it is one and not empty.
pub(crate) fn text(value: &Value, pointer: &str) -> Option<String> {
    at(value, pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The time at a JSON pointer, RFC 3339.
pub(crate) fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    at(value, pointer)?.as_str()?.parse().ok().filter(said)
}

/// Whether a time was said at all: programs in Go write the year 1 where they know none, and builds that can be
/// repeated write 1970. Neither is a time, and the first is before all that Rego can count.
pub(crate) fn said(time: &Timestamp) -> bool {
    *time > Timestamp::UNIX_EPOCH
}

/// The items of the list at a JSON pointer; none where there is no list.
pub(crate) fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    at(value, pointer).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pointers_lead_where_they_do_elsewhere() {
        let value = json!({"a": [{"b": 1}, "text"], "": {"c": 2}});
        for pointer in ["", "/", "/a", "/a/0/b", "/a/1", "/a/2", "/a/x", "/a/0/b/c", "//c", "/b"] {
            assert_eq!(at(&value, pointer), value.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn a_time_that_nobody_knows_is_none() {
        for text in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "soon", ""] {
            assert_eq!(time(&json!({"at": text}), "/at"), None, "{text}");
        }
        assert!(time(&json!({"at": "2026-11-22T12:00:00+01:00"}), "/at").is_some());
    }
}
