//! The chart's values file, read with its comments: what a reader is told, and that the schema knows the same.

use super::{documents, folder};
use serde_json::Value;

/// One value of the chart.
pub(super) struct Entry {
    /// Such as `serve.replicas`.
    pub(super) path: String,
    /// As written; empty if it has members of its own.
    pub(super) default: String,
    /// The comment above it.
    pub(super) comment: String,
}

pub(super) fn file() -> String {
    std::fs::read_to_string(folder().join("values.yaml")).unwrap()
}

/// All values in the file's order. Members of maps that are written in one line belong to their default.
pub(super) fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut place: Vec<(usize, String)> = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if let Some(said) = line.strip_prefix("# ") {
            comment.push(said);
        } else if let Some(item) = line.strip_prefix("- ") {
            let list = entries.last_mut().unwrap();
            let more = if list.default.is_empty() { String::new() } else { format!("{}, ", list.default) };
            list.default = format!("{more}{item}");
        } else if let Some((key, default)) = line.split_once(':') {
            place.retain(|(depth, _)| *depth < indent);
            place.push((indent, key.to_owned()));
            let path: Vec<&str> = place.iter().map(|(_, key)| key.as_str()).collect();
            // What is in `resources` is told there.
            let within_resources = path.iter().rev().skip(1).any(|key| *key == "resources");
            let entry = Entry {
                path: path.join("."),
                default: default.trim().to_owned(),
                comment: std::mem::take(&mut comment).join(" "),
            };
            if within_resources {
                let whole = entries.last_mut().unwrap();
                let more =
                    if whole.default.is_empty() { String::new() } else { format!("{}, ", whole.default) };
                whole.default = format!("{more}{key}: {}", entry.default);
            } else {
                entries.push(entry);
            }
        }
    }
    entries
}

#[test]
fn every_value_has_a_comment() {
    let silent: Vec<String> = entries(&file())
        .into_iter()
        .filter(|entry| entry.comment.is_empty())
        .map(|entry| entry.path)
        .collect();
    assert!(silent.is_empty(), "no comment above {silent:?}");
}

/// Adds the paths of all members of maps that the schema lists by name.
fn paths(schema: &Value, place: &str, found: &mut Vec<String>) {
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
        found.push(path.clone());
        if !path.ends_with("resources") {
            paths(inner, &path, found);
        }
    }
}

/// Places where the schema lets unknown keys pass.
fn open(schema: &Value, place: &str, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if members.contains_key("properties")
                && members.get("additionalProperties") != Some(&Value::Bool(false))
            {
                found.push(place.to_owned());
            }
            members.iter().for_each(|(key, inner)| open(inner, &format!("{place}/{key}"), found));
        }
        Value::Array(items) => items.iter().for_each(|inner| open(inner, place, found)),
        _ => {}
    }
}

#[test]
fn the_schema_knows_the_same_values_and_no_others() {
    let text = std::fs::read_to_string(folder().join("values.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let mut known = Vec::new();
    paths(&schema, "", &mut known);
    // What parent charts share; Helm itself adds it.
    known.retain(|path| path != "global");
    known.sort();
    let mut written: Vec<String> = entries(&file()).into_iter().map(|entry| entry.path).collect();
    written.sort();
    assert_eq!(written, known);
    let mut leaks = Vec::new();
    open(&schema, "", &mut leaks);
    assert!(leaks.is_empty(), "unknown keys pass at {leaks:?}");
}

#[test]
fn exempt_namespaces_are_the_programs_own() {
    let values = documents(&file()).remove(0);
    assert_eq!(values["exemptNamespaces"], serde_json::json!(wayguard_cluster::webhooks::EXEMPT_NAMESPACES));
}
