//! `json.verify_schema`, `json.match_schema`: JSON Schema as gojsonschema (which OPA uses) has it: drafts 4, 6 and 7,
//! and, where `$schema` names none, all of them at once. Verdicts and words are its; where it takes the members of an
//! object in a random order, they are taken in order here. What is at another address is not fetched.

mod bound;
mod compile;
mod formats;
mod node;
mod references;
mod validate;

use super::json::unmarshalled;
use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::value::{MAX_DEPTH, Object, Value};
use compile::compile;

const TEXT_OR_TREE: Type = Type::OneOf(&[Type::String, Type::OBJECT]);

pub(super) const TABLE: &[Builtin] = &[
    function(
        "json.verify_schema",
        &[TEXT_OR_TREE],
        Type::Array(&[Type::Boolean, Type::OneOf(&[Type::Null, Type::String])], None),
        verify,
    ),
    function(
        "json.match_schema",
        &[TEXT_OR_TREE, TEXT_OR_TREE],
        Type::Array(&[Type::Boolean, Type::Array(&[], Some(&Type::RECORD))], None),
        matches,
    ),
];

/// How deep schemas may nest and refer while something is held against them.
const MAX_SCHEMA_DEPTH: usize = 128;

fn too_deep() -> BuiltinError {
    BuiltinError::Halt("JSON schemas that nest or refer more than 128 deep are not read here".into())
}

/// A document: JSON text, or a value made JSON.
fn loaded<'a>(call: &mut Call<'a, '_>, value: Value<'a>) -> Result<Value<'a>, BuiltinError> {
    match value {
        Value::String(text) => unmarshalled(call, text).map_err(|error| match error {
            BuiltinError::Failed(_) => BuiltinError::failed("invalid JSON string"),
            stopped => stopped,
        }),
        Value::Object(_) | Value::Map(_) | Value::Array(_) => as_json(call, value, 0),
        _ => Err(BuiltinError::failed("wrong type, expected string or object")),
    }
}

/// A value as JSON has it: sets are arrays, keys are strings.
pub(super) fn as_json<'a>(
    call: &mut Call<'a, '_>,
    value: Value<'a>,
    depth: usize,
) -> Result<Value<'a>, BuiltinError> {
    call.spend(1)?;
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let items = |call: &mut Call<'a, '_>, items: &[Value<'a>]| {
        let items: Result<Vec<_>, _> = items.iter().map(|item| as_json(call, *item, depth + 1)).collect();
        items.map(|items| call.array(&items))
    };
    match value {
        Value::Array(all) => items(call, all),
        Value::Set(set) => items(call, set.items()),
        Value::Object(object) => {
            let mut members = Vec::with_capacity(object.len());
            for (key, value) in object.iter() {
                members.push((key, as_json(call, value, depth + 1)?));
            }
            Ok(Value::Object(Object::new(&call.arena, members)))
        }
        Value::Map(map) => {
            let mut members = Vec::with_capacity(map.len());
            for (key, value) in map.iter() {
                let key = match key {
                    Value::String(text) => text,
                    other => {
                        let text = super::json::text(call, other)?;
                        &*call.arena.alloc_str(&text)
                    }
                };
                members.push((key, as_json(call, value, depth + 1)?));
            }
            Ok(Value::Object(Object::new(&call.arena, members)))
        }
        scalar => Ok(scalar),
    }
}

fn verify<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let schema = operand::at(arguments, 1);
    let compiled = loaded(call, schema).and_then(|document| compile(call, document).map(|_| ()));
    let (valid, why) = match compiled {
        Ok(()) => (true, Value::Null),
        Err(BuiltinError::Failed(why)) => (false, call.text(&format!("jsonschema: {why}"))),
        Err(stopped) => return Err(stopped),
    };
    Ok(Some(call.array(&[Value::Bool(valid), why])))
}

fn matches<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let document = loaded(call, operand::at(arguments, 1))?;
    let schema = loaded(call, operand::at(arguments, 2))?;
    let schema = compile(call, schema)?;
    let problems = validate::validate(call, &schema, document)?;
    let mut shown = Vec::with_capacity(problems.len());
    for problem in &problems {
        call.spend(4 + problem.description.len() / 16)?;
        let field = problem.field();
        let members = vec![
            ("desc", call.text(&problem.description)),
            ("error", call.text(&format!("{field}: {}", problem.description))),
            ("field", call.text(field)),
            ("type", Value::String(problem.kind)),
        ];
        shown.push(Value::Object(Object::new(&call.arena, members)));
    }
    let all = call.array(&shown);
    Ok(Some(call.array(&[Value::Bool(problems.is_empty()), all])))
}

#[cfg(test)]
mod tests {
    use crate::rego::builtins::probe::answer;

    fn matched(document: &str, schema: &str) -> String {
        answer("json.match_schema", &format!("[{document}, {schema}]"))
    }

    fn verified(schema: &str) -> String {
        answer("json.verify_schema", &format!("[{schema}]"))
    }

    #[test]
    fn documents_are_held_against_schemas() {
        let schema = r##"{"definitions": {"id": {"type": "integer", "minimum": 1}},
            "properties": {"id": {"$ref": "#/definitions/id"}, "tags": {"items": {"type": "string"}}},
            "required": ["id"], "additionalProperties": false}"##;
        assert_eq!(matched(r#"{"id": 5, "tags": ["a"]}"#, schema), "OK [true, []]");
        let given = matched(r#"{"id": 0, "tags": [1], "x": 2}"#, schema);
        for words in [
            "id: Must be greater than or equal to 1",
            "tags.0: Invalid type. Expected: string, given: integer",
            "(Root): Additional property x is not allowed",
        ] {
            assert!(given.contains(words), "{given}");
        }
        assert!(matched("{}", schema).contains("(Root): id is required"));
    }

    #[test]
    fn schemas_are_verified() {
        assert_eq!(verified(r#"{"type": "boolean"}"#), "OK [true, null]");
        for (schema, words) in [
            (r#"{"type": "x"}"#, "has a primitive type that is NOT VALID -- given: /x/"),
            (r#"{"minLength": -1}"#, "minLength must be greater than or equal to 0"),
            (r#"{"pattern": "("}"#, "pattern must be a valid regex"),
            (r##"{"$ref": "#/nowhere"}"##, "Object has no key 'nowhere'"),
            (r#""nonsense""#, "invalid JSON string"),
        ] {
            let given = verified(schema);
            assert!(given.starts_with("OK [false") && given.contains(words), "{given}");
        }
    }

    #[test]
    fn nothing_is_fetched_and_nothing_is_endless() {
        let fetched = verified(r#"{"$ref": "https://example.com/schema.json"}"#);
        assert!(fetched.starts_with("HALT `$ref` to `https://example.com/schema.json`"), "{fetched}");
        let endless = matched("{}", r##"{"$ref": "#"}"##);
        assert!(endless.starts_with("HALT JSON schemas that nest or refer"), "{endless}");
        let deep = "{\"not\":".repeat(120) + "{}" + &"}".repeat(120);
        assert_eq!(verified(&deep), "OK [true, null]");
        // Each level is held against two, each of which is held against two.
        let doubling = r##"{"anyOf": [{"items": {"$ref": "#"}, "maxItems": 0}, {"items": {"$ref": "#"}, "maxItems": 0}]}"##;
        let nested = "[".repeat(60) + &"]".repeat(60);
        let stopped = matched(&nested, doubling);
        assert!(stopped.starts_with("HALT "), "{stopped}");
    }
}
