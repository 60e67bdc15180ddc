//! A CRD's structural schema as the JSON Schema that [`crate::policy::schema`] checks: what the API server refuses
//! or prunes is refused, what it takes for granted is said.

use serde_json::{Map, Value as Json, json};

/// Keywords that mean the same in both.
const KEPT: [&str; 22] = [
    "type",
    "enum",
    "required",
    "default",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "anyOf",
    "allOf",
    "oneOf",
    "not",
    "title",
];

/// The JSON Schema of a structural schema.
pub(crate) fn closed(schema: &Json) -> Json {
    let Json::Object(given) = schema else { return json!(true) };
    let mut out: Map<String, Json> = Map::new();
    for keyword in KEPT {
        if let Some(value) = given.get(keyword) {
            out.insert(keyword.into(), value.clone());
        }
    }
    let flag = |name: &str| given.get(name).and_then(Json::as_bool).unwrap_or(false);
    if flag("x-kubernetes-int-or-string") {
        out.insert("type".into(), json!(["integer", "string"]));
        // Only restates the type, by a rule of structural schemas.
        out.remove("anyOf");
    }
    if flag("nullable") {
        let mut types = match out.remove("type") {
            Some(Json::Array(types)) => types,
            Some(single) => vec![single],
            None => Vec::new(),
        };
        if !types.is_empty() {
            types.push("null".into());
            out.insert("type".into(), Json::Array(types));
        }
    }
    if let Some(Json::Object(properties)) = given.get("properties") {
        let inner = properties.iter().map(|(name, inner)| (name.clone(), closed(inner))).collect();
        out.insert("properties".into(), Json::Object(inner));
    }
    if let Some(items) = given.get("items") {
        out.insert("items".into(), closed(items));
    }
    match given.get("additionalProperties") {
        Some(Json::Bool(allowed)) => {
            out.insert("additionalProperties".into(), json!(allowed));
        }
        Some(inner) => {
            out.insert("additionalProperties".into(), closed(inner));
        }
        None if is_object(given) && !flag("x-kubernetes-preserve-unknown-fields") => {
            out.insert("additionalProperties".into(), json!(false));
        }
        None => {}
    }
    Json::Object(out)
}

fn is_object(schema: &Map<String, Json>) -> bool {
    schema.get("type").is_some_and(|name| name == "object") || schema.contains_key("properties")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::schema::complete;

    fn check(schema: &Json, parameters: Json) -> Result<Json, Vec<String>> {
        let Json::Object(parameters) = parameters else { panic!("an object") };
        complete(Some(&closed(schema)), &parameters)
    }

    #[test]
    fn unknown_members_are_refused_unless_kept() {
        let schema = json!({"type": "object", "properties": {"labels": {"type": "array", "items": {
            "type": "object", "properties": {"key": {"type": "string"}}}}}});
        assert!(check(&schema, json!({"labels": [{"key": "a"}]})).is_ok());
        assert_eq!(
            check(&schema, json!({"labels": [{"key": 1}], "more": 1})).unwrap_err(),
            [
                "parameters has no parameter `more`; it has `labels`",
                "parameters.labels[0].key is 1; must be string"
            ]
        );
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        assert!(check(&open, json!({"more": 1})).is_ok());
    }

    #[test]
    fn defaults_reach_into_lists_and_maps() {
        let schema = json!({"type": "object", "properties": {
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}},
            "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"b": {"type": "string", "default": "x"}}}}}});
        assert_eq!(
            check(&schema, json!({"list": [{}], "map": {"k": {}}})).unwrap(),
            json!({"list": [{"a": 1}], "map": {"k": {"b": "x"}}})
        );
    }

    #[test]
    fn numbers_or_text_and_null() {
        let schema = json!({"type": "object", "properties": {
            "port": {"x-kubernetes-int-or-string": true},
            "note": {"type": "string", "nullable": true}}});
        assert!(check(&schema, json!({"port": "http", "note": null})).is_ok());
        assert!(check(&schema, json!({"port": true})).is_err());
    }
}
