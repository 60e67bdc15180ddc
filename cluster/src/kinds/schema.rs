//! From the JSON Schema that `schemars` derives to the structural schema that a CRD needs.
//!
//! A structural schema (KEP-1002) has one type at every node, no references, no `null`, and no
//! `additionalProperties` beside `properties`: unknown fields are pruned, and reported to clients that ask for
//! strict validation, as kubectl does.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The structural schema of a type.
pub(super) fn structural<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    rewrite(&mut schema);
    schema
}

fn rewrite(schema: &mut Value) {
    let Value::Object(node) = schema else { return };
    for key in ["$schema", "title", "default"] {
        node.remove(key);
    }
    take_optional(node);
    take_enum(node);
    // API servers know no unsigned numbers; `minimum` says the same.
    if node.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        node.remove("format");
    }
    if let Some(description) = node.get_mut("description") {
        // One paragraph: line breaks in the source mean nothing.
        *description = description.as_str().unwrap_or_default().replace('\n', " ").into();
    }
    if node.contains_key("properties") {
        node.remove("additionalProperties");
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = node.get_mut(key) {
            rewrite(inner);
        }
    }
    if let Some(Value::Object(properties)) = node.get_mut("properties") {
        properties.values_mut().for_each(rewrite);
    }
}

/// `Option<T>`: an absent field, never `null`.
fn take_optional(node: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = node.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            node.insert("type".into(), only);
        }
    }
    let Some(Value::Array(mut branches)) = node.remove("anyOf") else { return };
    branches.retain(|branch| branch.get("type") != Some(&json!("null")));
    if let Some(Value::Object(only)) = branches.pop() {
        for (key, value) in only {
            // The field's own description says more than its type's.
            node.entry(key).or_insert(value);
        }
    }
}

/// An enum whose variants have descriptions becomes a list of strings, and the descriptions one text.
fn take_enum(node: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = node.remove("oneOf") else { return };
    let mut names = Vec::new();
    let mut described = node.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    for variant in &variants {
        let single = variant.get("const").into_iter().cloned();
        let listed = variant.get("enum").and_then(Value::as_array).into_iter().flatten().cloned();
        let own: Vec<Value> = single.chain(listed).collect();
        if let (Some(text), [Value::String(name)]) =
            (variant.get("description").and_then(Value::as_str), own.as_slice())
        {
            for part in [" `", name, "`: ", text] {
                described.push_str(part);
            }
        }
        names.extend(own);
    }
    node.insert("type".into(), "string".into());
    node.insert("enum".into(), names.into());
    node.insert("description".into(), described.trim().into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;

    /// A colour.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    enum Colour {
        /// Like blood.
        Red,
        /// Like grass.
        Green,
    }

    #[derive(JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Car {
        /// What it
        /// looks like.
        colour: Option<Colour>,
        wheels: Option<Vec<String>>,
    }

    #[test]
    fn every_node_has_one_type_and_nothing_that_crds_refuse() {
        assert_eq!(
            structural::<Car>(),
            json!({
                "type": "object",
                "properties": {
                    "colour": {
                        "type": "string",
                        "description": "What it looks like. `Red`: Like blood. `Green`: Like grass.",
                        "enum": ["Red", "Green"],
                    },
                    "wheels": {"type": "array", "items": {"type": "string"}},
                },
            })
        );
    }
}
