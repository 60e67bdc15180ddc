//! Texts, times and lists out of JSON that somebody else laid out: absent where they are not what is expected.

use jiff::Timestamp;
use serde_json::Value;

/// The text at a JSON pointer, if it is one and not empty.
pub(crate) fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The time at a JSON pointer, RFC 3339.
pub(crate) fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    value.pointer(pointer)?.as_str()?.parse().ok()
}

/// The items of the list at a JSON pointer; none where there is no list.
pub(crate) fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}
