//! The reference of our kinds, `docs/reference/kinds.md`, made from their definitions: a test holds the committed page
//! against them.

use super::definitions;
use serde_json::Value;
use std::fmt::Write as _;

fn page() -> String {
    let mut page = String::from(
        "# The kinds of `wayguard.io`\n\nMade from the definitions that `wayguard install` applies; `kubectl explain policy.spec` says the same.\n",
    );
    for definition in definitions() {
        let object = &definition.object;
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let schema = object.pointer("/spec/versions/0/schema/openAPIV3Schema").unwrap_or(&Value::Null);
        // Writing to a String cannot fail.
        let _ = write!(
            page,
            "\n## {} (`{}/{}`, {})\n\n{}\n\n| field | type | meaning |\n|---|---|---|\n",
            text("/spec/names/kind"),
            text("/spec/group"),
            text("/spec/versions/0/name"),
            text("/spec/scope").to_lowercase(),
            line(schema.get("description")),
        );
        for part in ["spec", "status"] {
            if let Some(fields) = schema.pointer(&format!("/properties/{part}")) {
                rows(&mut page, part, fields);
            }
        }
    }
    page
}

fn rows(page: &mut String, path: &str, schema: &Value) {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = format!("{path}.{name}");
        let must = if required.contains(&name.as_str()) { ", required" } else { "" };
        let _ =
            writeln!(page, "| `{path}` | {}{must} | {} |", type_of(field), line(field.get("description")));
        rows(page, &path, field);
        if let Some(items) = field.get("items") {
            rows(page, &format!("{path}[]"), items);
        }
        if let Some(values) = field.get("additionalProperties").filter(|values| values.is_object()) {
            rows(page, &format!("{path}.*"), values);
        }
    }
}

fn type_of(field: &Value) -> String {
    let name = field.get("type").and_then(Value::as_str).unwrap_or("any");
    let choices = field.get("enum").and_then(Value::as_array);
    if let Some(choices) = choices {
        let shown: Vec<String> =
            choices.iter().filter_map(Value::as_str).map(|it| format!("`{it}`")).collect();
        return shown.join(" or ");
    }
    match field.get("items") {
        Some(items) => format!("list of {}", type_of(items)),
        None => name.to_owned(),
    }
}

fn line(text: Option<&Value>) -> String {
    let text = text.and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[test]
fn the_reference_of_the_kinds_is_current() {
    crate::manifest::golden::check("../docs/reference/kinds.md", &page());
}
