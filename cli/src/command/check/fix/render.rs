//! JSON values as YAML text: block style under a key, flow style inside a flow collection.

use serde_json::Value;
use std::fmt::Write as _;

/// Spaces per level.
const STEP: usize = 2;

/// `key: value` in block style, indented; ends without a line break.
pub(super) fn block_member(key: &str, value: &Value, indent: usize) -> String {
    let mut text = format!("{}{}:", " ".repeat(indent), scalar(&Value::from(key)));
    match value {
        Value::Object(members) if !members.is_empty() => {
            let _ = write!(text, "\n{}", block(value, indent + STEP));
        }
        Value::Array(items) if !items.is_empty() => {
            let _ = write!(text, "\n{}", block(value, indent + STEP));
        }
        _ => {
            let _ = write!(text, " {}", flow(value));
        }
    }
    text
}

/// A collection in block style; ends without a line break.
pub(super) fn block(value: &Value, indent: usize) -> String {
    let spaces = " ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().map(|(key, value)| block_member(key, value, indent)).collect::<Vec<_>>().join("\n")
        }
        Value::Array(items) if !items.is_empty() => {
            let item = |item: &Value| {
                let inner = block(item, indent + STEP);
                format!("{spaces}- {}", inner.trim_start())
            };
            items.iter().map(item).collect::<Vec<_>>().join("\n")
        }
        _ => format!("{spaces}{}", flow(value)),
    }
}

/// Any value on one line: scalars as people write them, collections as JSON, which is YAML too.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Object(_) | Value::Array(_) => value.to_string(),
        _ => scalar(value),
    }
}

/// A scalar; a text that could be read as something else is quoted.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        _ => value.to_string(),
    }
}

fn is_plain(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let word = starts && text.chars().all(inner) && !reserved.contains(&text.to_ascii_lowercase().as_str());
    word || is_quantity(text)
}

/// `250m`, `128Mi`: what every Kubernetes file writes without quotes. No number has such an end.
fn is_quantity(text: &str) -> bool {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = text.strip_prefix(digits).unwrap_or_default();
    let known = ["m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"].contains(&suffix);
    known && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_as_people_write_them() {
        let value = json!({"a": {"b": [1, {"c": "yes", "d": []}], "e/f": "x y"}, "g": null, "h": "10", "i": "250m", "j": "1e3"});
        assert_eq!(
            block_member("k", &value, 2),
            "  k:\n    a:\n      b:\n        - 1\n        - c: \"yes\"\n          d: []\n      e/f: \"x y\"\n    g: null\n    h: \"10\"\n    i: 250m\n    j: \"1e3\""
        );
    }
}
