//! Parameters against the JSON Schema that a policy declares for them, and its defaults filled in.
//!
//! The subset of JSON Schema (2020-12) that parameters need: type, enum, const, properties, required,
//! additionalProperties, items, limits of lists, objects, texts and numbers, uniqueItems, pattern, anyOf, allOf,
//! oneOf, not, default and the annotations title, description, examples. A keyword outside it is an error in the
//! policy: a constraint that is not checked would be a constraint that silently does nothing.

use serde_json::{Map, Value};

const ANNOTATIONS: [&str; 5] = ["title", "description", "examples", "default", "$comment"];

/// Fills in defaults, then checks. Returns the parameters as the policy sees them.
///
/// # Errors
/// One sentence per problem, each naming the place (`parameters.labels[0]`).
pub fn complete(schema: Option<&Value>, given: &Map<String, Value>) -> Result<Value, Vec<String>> {
    let mut value = Value::Object(given.clone());
    let Some(schema) = schema else {
        return if given.is_empty() { Ok(value) } else { Err(vec!["the policy takes no parameters".into()]) };
    };
    fill(schema, &mut value);
    let mut problems = Vec::new();
    check(schema, &value, "parameters", &mut problems);
    if problems.is_empty() { Ok(value) } else { Err(problems) }
}

fn fill(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(members) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                match (members.get_mut(name), property.get("default")) {
                    (Some(member), _) => fill(property, member),
                    (None, Some(default)) => {
                        let mut default = default.clone();
                        fill(property, &mut default);
                        members.insert(name.clone(), default);
                    }
                    (None, None) => {}
                }
            }
            if let Some(others) = schema.get("additionalProperties").filter(|others| others.is_object()) {
                let known = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
                for (_, member) in members.iter_mut().filter(|(name, _)| !known(name)) {
                    fill(others, member);
                }
            }
        }
        Value::Array(items) => {
            if let Some(each) = schema.get("items") {
                items.iter_mut().for_each(|item| fill(each, item));
            }
        }
        _ => {}
    }
}

fn check(schema: &Value, value: &Value, place: &str, problems: &mut Vec<String>) {
    let keywords = match schema {
        Value::Object(keywords) => keywords,
        Value::Bool(true) => return,
        _ => return problems.push(format!("{place} is not allowed")),
    };
    for (keyword, rule) in keywords {
        let known = keyword_holds(keyword, rule, value, place, keywords, problems);
        if let Some(problem) = known
            .unwrap_or_else(|UnknownKeyword| Some(format!("the schema keyword `{keyword}` is not supported")))
        {
            problems.push(if problem.starts_with("the schema") {
                problem
            } else {
                format!("{place} {problem}")
            });
        }
    }
}

/// A keyword that this subset of JSON Schema does not have.
struct UnknownKeyword;

/// `Err`: an unknown keyword. `Ok(None)`: it holds. `Ok(Some(…))`: what is wrong.
fn keyword_holds(
    keyword: &str,
    rule: &Value,
    value: &Value,
    place: &str,
    schema: &Map<String, Value>,
    problems: &mut Vec<String>,
) -> Result<Option<String>, UnknownKeyword> {
    let fails = |holds: bool, problem: String| if holds { None } else { Some(problem) };
    let limit = rule.as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or_default();
    Ok(match keyword {
        "type" => {
            let names: Vec<&str> = rule.as_array().map_or_else(
                || rule.as_str().into_iter().collect(),
                |many| many.iter().filter_map(Value::as_str).collect(),
            );
            fails(
                names.iter().any(|name| has_type(name, value)),
                format!("is {}; must be {}", shown(value), names.join(" or ")),
            )
        }
        "enum" => {
            let allowed = rule.as_array().map(Vec::as_slice).unwrap_or_default();
            let list: Vec<String> = allowed.iter().map(shown).collect();
            fails(allowed.contains(value), format!("is {}; must be one of {}", shown(value), list.join(", ")))
        }
        "const" => fails(rule == value, format!("must be {}", shown(rule))),
        "properties" => {
            for (name, property) in rule.as_object().into_iter().flatten() {
                if let Some(member) = value.get(name) {
                    check(property, member, &format!("{place}.{name}"), problems);
                }
            }
            None
        }
        "required" => {
            let missing = rule.as_array().into_iter().flatten().filter_map(Value::as_str);
            let mut missing = missing.filter(|name| value.is_object() && value.get(name).is_none());
            missing.next().map(|name| format!("needs `{name}`"))
        }
        "additionalProperties" => {
            let known =
                |name: &str| schema.get("properties").and_then(|properties| properties.get(name)).is_some();
            for (name, member) in value.as_object().into_iter().flatten().filter(|(name, _)| !known(name)) {
                if *rule == Value::Bool(false) {
                    problems.push(format!("{place} has no parameter `{name}`{}", nearest(name, schema)));
                } else {
                    check(rule, member, &format!("{place}.{name}"), problems);
                }
            }
            None
        }
        "items" => {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                check(rule, item, &format!("{place}[{index}]"), problems);
            }
            None
        }
        "minItems" | "maxItems" => bounded(keyword, value.as_array().map(Vec::len), limit, "entries"),
        "minProperties" | "maxProperties" => {
            bounded(keyword, value.as_object().map(Map::len), limit, "members")
        }
        "uniqueItems" => {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            let repeated = items
                .iter()
                .enumerate()
                .any(|(index, item)| items.iter().skip(index + 1).any(|other| other == item));
            fails(rule != &Value::Bool(true) || !repeated, "lists an entry twice".into())
        }
        "minLength" | "maxLength" => {
            bounded(keyword, value.as_str().map(|text| text.chars().count()), limit, "characters")
        }
        // `true` beside `minimum` in OpenAPI, a number of its own in JSON Schema.
        "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum" if !rule.is_boolean() => {
            let strict = |name: &str| keyword == name || schema.get(name) == Some(&Value::Bool(true));
            let low = keyword.ends_with("inimum");
            let open = strict(if low { "exclusiveMinimum" } else { "exclusiveMaximum" });
            let holds = number(value).zip(number(rule)).is_none_or(|(value, limit)| match (low, open) {
                (true, false) => value >= limit,
                (true, true) => value > limit,
                (false, false) => value <= limit,
                (false, true) => value < limit,
            });
            let words = match (low, open) {
                (true, false) => "at least",
                (true, true) => "more than",
                (false, false) => "at most",
                (false, true) => "less than",
            };
            fails(holds, format!("is {}; must be {words} {rule}", shown(value)))
        }
        "exclusiveMinimum" | "exclusiveMaximum" => None,
        "multipleOf" => fails(
            number(value).zip(number(rule)).is_none_or(|(value, unit)| (value / unit).fract() == 0.0),
            format!("is {}; must be a multiple of {rule}", shown(value)),
        ),
        "pattern" => match regex::Regex::new(rule.as_str().unwrap_or_default()) {
            Ok(pattern) => fails(
                value.as_str().is_none_or(|text| pattern.is_match(text)),
                format!("is {}; must match `{}`", shown(value), pattern.as_str()),
            ),
            Err(error) => Some(format!("the schema pattern is no regular expression: {error}")),
        },
        "anyOf" | "oneOf" | "allOf" | "not" => combined(keyword, rule, value, place, problems),
        _ if ANNOTATIONS.contains(&keyword) => None,
        _ => return Err(UnknownKeyword),
    })
}

/// `anyOf`, `oneOf`, `allOf`, `not`: what is wrong, if the answer is not among `problems` by then.
fn combined(
    keyword: &str,
    rule: &Value,
    value: &Value,
    place: &str,
    problems: &mut Vec<String>,
) -> Option<String> {
    let options = rule.as_array().map(Vec::as_slice).unwrap_or_default();
    match keyword {
        "allOf" => {
            options.iter().for_each(|part| check(part, value, place, problems));
            None
        }
        "not" => fits(rule, value, place).then(|| format!("is {}; has a forbidden form", shown(value))),
        _ => match options.iter().filter(|option| fits(option, value, place)).count() {
            0 => Some(format!("is {}; fits none of the allowed forms", shown(value))),
            1 => None,
            _ if keyword == "anyOf" => None,
            _ => Some(format!("is {}; fits more than one of the allowed forms", shown(value))),
        },
    }
}

fn fits(schema: &Value, value: &Value, place: &str) -> bool {
    let mut problems = Vec::new();
    check(schema, value, place, &mut problems);
    problems.is_empty()
}

/// `min…` and `max…` of something that is counted.
fn bounded(keyword: &str, count: Option<usize>, limit: usize, what: &str) -> Option<String> {
    let count = count?;
    match keyword.starts_with("min") {
        true if count < limit => Some(format!("needs at least {limit} {what}")),
        false if count > limit => Some(format!("has {count} {what}; at most {limit} are allowed")),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

fn has_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}

/// `; did you mean …` where a declared name differs only in case, separators or a letter or two.
fn nearest(name: &str, schema: &Map<String, Value>) -> String {
    let plain = |text: &str| text.replace(['-', '_'], "").to_ascii_lowercase();
    let names =
        schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name);
    let close = |known: &&String| {
        let (left, right) = (plain(known), plain(name));
        left == right || left.starts_with(&right) || right.starts_with(&left)
    };
    let all: Vec<&String> = names.collect();
    match all.iter().copied().find(close) {
        Some(known) => format!("; did you mean `{known}`?"),
        None if all.is_empty() => String::new(),
        None => {
            format!("; it has {}", all.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(schema: &Value, given: &Value) -> Result<Value, Vec<String>> {
        complete(Some(schema), given.as_object().unwrap())
    }

    #[test]
    fn defaults_are_filled_in() {
        let schema = json!({"type": "object", "additionalProperties": false, "properties": {
            "labels": {"type": "array", "items": {"type": "string"}, "default": ["team"]},
            "limits": {"type": "object", "properties": {"cpu": {"type": "string", "default": "1"}}, "default": {}},
        }});
        assert_eq!(run(&schema, &json!({})), Ok(json!({"labels": ["team"], "limits": {"cpu": "1"}})));
        assert_eq!(run(&schema, &json!({"labels": []})), Ok(json!({"labels": [], "limits": {"cpu": "1"}})));
    }

    #[test]
    fn problems_name_place_and_remedy() {
        let schema = json!({"type": "object", "additionalProperties": false, "required": ["level"], "properties": {
            "level": {"enum": ["baseline", "restricted"]},
            "labels": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        }});
        assert_eq!(
            run(&schema, &json!({"level": "x", "labels": [1], "Label": []})).unwrap_err(),
            [
                "parameters has no parameter `Label`; did you mean `labels`?",
                "parameters.labels[0] is 1; must be string",
                "parameters.level is \"x\"; must be one of \"baseline\", \"restricted\"",
            ]
        );
        assert_eq!(run(&schema, &json!({})).unwrap_err(), ["parameters needs `level`"]);
        assert_eq!(
            complete(None, json!({"a": 1}).as_object().unwrap()).unwrap_err(),
            ["the policy takes no parameters"]
        );
    }

    #[test]
    fn a_keyword_that_would_do_nothing_is_an_error() {
        assert_eq!(
            run(&json!({"type": "object", "contains": {}}), &json!({})).unwrap_err(),
            ["the schema keyword `contains` is not supported"]
        );
    }
}
