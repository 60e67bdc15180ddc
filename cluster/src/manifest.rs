//! Kubernetes objects as YAML text, the same bytes for the same object: for committed files, `--dry-run` and
//! golden tests.
//!
//! `apiVersion`, `kind`, `metadata` and `name` come first, as people write them; other keys are sorted.

use serde_json::{Map, Value};
use std::fmt::Write;

/// One object as a YAML document, ending with a line break.
pub fn yaml(object: &Value) -> String {
    let mut text = String::new();
    write_node(&mut text, object, 0, false);
    text
}

/// Several objects as one YAML stream.
pub fn stream<'v>(objects: impl IntoIterator<Item = &'v Value>) -> String {
    objects.into_iter().flat_map(|object| ["---\n".to_owned(), yaml(object)]).collect()
}

fn write_node(text: &mut String, value: &Value, indent: usize, after_dash: bool) {
    match value {
        Value::Object(members) if !members.is_empty() => write_mapping(text, members, indent, after_dash),
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 || !after_dash {
                    pad(text, indent);
                }
                text.push_str("- ");
                write_node(text, item, indent + 2, true);
            }
        }
        scalar => {
            text.push_str(&written(scalar, indent));
            text.push('\n');
        }
    }
}

fn write_mapping(text: &mut String, members: &Map<String, Value>, indent: usize, after_dash: bool) {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by_key(|(key, _)| (rank(key), key.as_str()));
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        if index > 0 || !after_dash {
            pad(text, indent);
        }
        text.push_str(&plain_or_quoted(key));
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push_str(":\n");
                write_node(text, value, indent + 2, false);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push_str(":\n");
                write_node(text, value, indent, false);
            }
            scalar => {
                text.push_str(": ");
                write_node(text, scalar, indent, false);
            }
        }
    }
}

fn rank(key: &str) -> usize {
    ["apiVersion", "kind", "metadata", "name"].iter().position(|first| *first == key).unwrap_or(usize::MAX)
}

fn pad(text: &mut String, indent: usize) {
    text.extend(std::iter::repeat_n(' ', indent));
}

fn written(scalar: &Value, indent: usize) -> String {
    match scalar {
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        Value::String(string) if fits_block(string) => block(string, indent + 2),
        Value::String(string) => plain_or_quoted(string),
        other => other.to_string(),
    }
}

/// Whether a text can be written as a literal block and read back unchanged.
fn fits_block(string: &str) -> bool {
    string.contains('\n')
        && string
            .lines()
            .all(|line| !line.ends_with(char::is_whitespace) && !line.chars().any(char::is_control))
        && !string.starts_with(char::is_whitespace)
        && !string.ends_with("\n\n")
}

fn block(string: &str, indent: usize) -> String {
    let mut text = String::from(if string.ends_with('\n') { "|" } else { "|-" });
    for line in string.lines() {
        text.push('\n');
        if !line.is_empty() {
            pad(&mut text, indent);
            text.push_str(line);
        }
    }
    text
}

/// A string without quotes where every reader of YAML 1.1 and 1.2 sees that same string, else quoted as JSON is,
/// which YAML reads alike.
fn plain_or_quoted(string: &str) -> String {
    let first_fits =
        string.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/' || first == '.');
    let rest_fits = string
        .chars()
        .all(|char| char.is_ascii_alphanumeric() || "-_./ (),;$'=\"+<>`".contains(char) || char == ':')
        && !string.contains(": ")
        && !string.ends_with([':', ' ']);
    let lower = string.to_ascii_lowercase();
    let keyword = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", ".inf", ".nan"]
        .contains(&lower.as_str());
    let number_like =
        string.starts_with('.') && string.chars().skip(1).all(|char| char.is_ascii_digit() || char == '.');
    if first_fits && rest_fits && !keyword && !number_like {
        return string.to_owned();
    }
    let mut quoted = String::new();
    // Writing to a String cannot fail.
    let _ = write!(quoted, "{}", Value::from(string));
    quoted
}

/// Comparison with committed files.
#[cfg(test)]
pub(crate) mod golden {
    use std::path::Path;

    /// Compares with the file below the crate's folder; with `WAYGUARD_UPDATE=1` writes it.
    pub(crate) fn check(file: &str, text: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        if std::env::var_os("WAYGUARD_UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "{file} is not what the code gives now; run `WAYGUARD_UPDATE=1 cargo test -p wayguard-cluster` and look at the difference\n{text}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Value {
        let bump = bumpalo::Bump::new();
        wayguard_engine::value::parse_yaml(&&bump, text).unwrap()[0].value.to_serde()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let object = json!({
            "kind": "K", "apiVersion": "v1", "metadata": {"name": "a", "labels": {"x/y": "true"}},
            "empty": {}, "none": [], "null": null, "number": 1.5, "flag": false,
            "strings": ["*", "", " a", "a ", "yes", "1", "a: b", "a:", "#x", "- x", "{}", "a #b", "ä", "'", "\t", "~", "&x", "a\n", "a\n\nb", "\na", "a\n\n", "a \nb", "0x1", ".5", "on", "@x", "%x", "|", "a:b", "don't", "2026-01-01"],
            "nested": [[1, [2]], {"b": {"c": []}, "a": "text\nwith lines\n"}, []],
        });
        let text = yaml(&object);
        assert_eq!(read(&text), object, "{text}");
    }

    #[test]
    fn people_find_what_they_look_for_first() {
        let object = json!({"spec": {"b": [{"z": 1, "name": "web"}]}, "metadata": {"name": "x"}, "kind": "K", "apiVersion": "v1"});
        assert_eq!(
            yaml(&object),
            "apiVersion: v1\nkind: K\nmetadata:\n  name: x\nspec:\n  b:\n  - name: web\n    z: 1\n"
        );
        assert_eq!(stream([&json!({"a": 1}), &json!({"b": 2})]), "---\na: 1\n---\nb: 2\n");
    }
}
