//! Hashes: of specs, for people who agree to them, and of objects, for us.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;
use std::fmt::Write as _;

/// Names a claim's spec, in the words of `ClaimApproval.spec.specHash`: `sha256:` and 64 hexadecimal digits of its
/// canonical JSON.
pub fn spec_hash(spec: &Value) -> String {
    let mut text = String::from("sha256:");
    for byte in digest(&SHA256, canonical(spec).as_bytes()).as_ref() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Names a JSON value.
pub(crate) fn short(value: &Value) -> String {
    let hash = blake3::hash(canonical(value).as_bytes());
    hash.to_hex().chars().take(32).collect()
}

/// Names what of a live object is for people and controllers to decide: not its status, nor what the API server keeps
/// for itself.
pub(crate) fn fingerprint(live: &Value) -> String {
    let mut object = live.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove("status");
        if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
            for kept in ["resourceVersion", "managedFields", "generation", "creationTimestamp", "selfLink"] {
                metadata.remove(kept);
            }
        }
    }
    short(&object)
}

/// A value as an API server gives it back: `12.0` is stored as `12`.
pub(crate) fn as_stored(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let whole = number.as_f64().filter(|_| number.is_f64());
            let whole = whole.filter(|it| it.fract() == 0.0 && it.abs() < 1e15).map(|it| format!("{it:.0}"));
            whole.and_then(|text| text.parse::<i64>().ok()).map_or(Value::Number(number), Value::from)
        }
        Value::Array(items) => items.into_iter().map(as_stored).collect(),
        Value::Object(members) => members.into_iter().map(|(key, value)| (key, as_stored(value))).collect(),
        other => other,
    }
}

/// JSON with the members of objects in order, whatever the map type keeps.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            let members: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_hash_is_of_what_is_said_not_of_how() {
        let hash = spec_hash(&json!({"type": "postgresql", "size": "small"}));
        assert_eq!(hash, spec_hash(&json!({"size": "small", "type": "postgresql"})));
        assert_ne!(hash, spec_hash(&json!({"type": "postgresql", "size": "large"})));
        assert_eq!(hash.len(), 71);
    }

    #[test]
    fn numbers_are_compared_as_they_are_stored() {
        assert_eq!(as_stored(json!({"a": [12.0, 0.5, 7]})), json!({"a": [12, 0.5, 7]}));
    }

    #[test]
    fn a_status_does_not_change_a_fingerprint_and_a_label_does() {
        let live = |status: &str, label: &str| {
            fingerprint(&json!({
                "kind": "Cluster", "spec": {"a": 1}, "status": {"phase": status},
                "metadata": {"name": "a", "resourceVersion": status, "labels": {"x": label}},
            }))
        };
        assert_eq!(live("1", "a"), live("2", "a"));
        assert_ne!(live("1", "a"), live("1", "b"));
    }
}
