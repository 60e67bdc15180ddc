//! What a class's Rego answered, read into what we act on.
//!
//! | rule | meaning |
//! |---|---|
//! | `deny contains d` | the claim is refused; a text, or `{"msg", "path", "found", "expected", "remedy"}` |
//! | `approval contains {"group", "reason"}` | somebody has to agree first |
//! | `cost` | euro a month |
//! | `objects[id] := object` | what shall be there |
//! | `outputs[name] := {"secret", "key"}` | where the values are that the claim hands back |
//! | `ready` | true when it can be used |
//! | `progress` | what it waits for, in words |

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use wayguard_cluster::kinds::provisioning::claim::{NeededApproval, Output};

/// Most outputs of a claim.
const MOST_OUTPUTS: usize = 32;
/// Most reasons that are told.
const MOST_DENIALS: usize = 32;

/// Why a claim is refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Denial {
    /// In one sentence.
    pub message: String,
    /// JSON Pointer into the claim; empty if it is about the whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

/// All that was answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) denials: Vec<Denial>,
    pub(crate) approvals: Vec<NeededApproval>,
    pub(crate) cost: Option<f64>,
    pub(crate) objects: BTreeMap<String, Value>,
    pub(crate) outputs: BTreeMap<String, Output>,
    pub(crate) ready: bool,
    pub(crate) progress: Option<String>,
}

impl std::fmt::Display for Denial {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.message)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(out, ". Fix: {}", self.remedy) }
    }
}

impl Answer {
    /// Reads one rule's value into the rest; `None`: undefined.
    ///
    /// # Errors
    /// What the class's author has to mend.
    pub(crate) fn read(&mut self, rule: &str, value: Option<&Value>) -> Result<(), String> {
        let Some(value) = value else { return Ok(()) };
        let wrong = |what: &str| Err(format!("`{rule}` must be {what}, not {}", kind_of(value)));
        match (rule, value) {
            ("deny", Value::Array(items)) => {
                for item in items.iter().take(MOST_DENIALS) {
                    self.denials.push(denial(item)?);
                }
            }
            ("deny", _) => return wrong("a set"),
            ("approval", Value::Array(items)) => {
                for item in items {
                    let text = |key: &str| item.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
                    let (Some(group), Some(reason)) = (text("group"), text("reason")) else {
                        return Err(format!(
                            "`approval` must have members {{\"group\", \"reason\"}}, not {item}"
                        ));
                    };
                    self.approvals
                        .push(NeededApproval { group: group.to_owned(), reason: reason.to_owned() });
                }
                self.approvals.sort();
            }
            ("approval", _) => return wrong("a set"),
            ("cost", Value::Number(number)) => {
                self.cost = number.as_f64().filter(|cost| cost.is_finite() && *cost >= 0.0);
                if self.cost.is_none() {
                    return Err(format!("`cost` must be euro a month, not {number}"));
                }
            }
            ("cost", _) => return wrong("a number: euro a month"),
            ("objects", Value::Object(objects)) => {
                self.objects = objects.iter().map(|(id, object)| (id.clone(), object.clone())).collect();
            }
            ("objects", _) => return wrong("an object: `objects[id] := …`"),
            ("outputs", Value::Object(outputs)) => self.outputs = read_outputs(outputs)?,
            ("outputs", _) => return wrong("an object: `outputs[name] := {\"secret\", \"key\"}`"),
            ("ready", Value::Bool(ready)) => self.ready = *ready,
            ("ready", _) => return wrong("true or undefined"),
            ("progress", Value::String(text)) => self.progress = Some(text.clone()),
            ("progress", _) => return wrong("a text"),
            _ => {}
        }
        Ok(())
    }
}

/// A member of `deny`.
fn denial(item: &Value) -> Result<Denial, String> {
    if let Some(message) = item.as_str() {
        return Ok(Denial { message: message.to_owned(), path: String::new(), remedy: String::new() });
    }
    let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (path, expected) = (text("path"), text("expected"));
    let mut message = text("msg");
    if message.is_empty() && !path.is_empty() && !expected.is_empty() {
        let field = path.trim_start_matches('/').replace('/', ".");
        message = match item.get("found") {
            Some(Value::String(found)) => format!("{field} is `{found}`; must be {expected}"),
            Some(Value::Null) | None => format!("{field} is absent; must be {expected}"),
            Some(found) => format!("{field} is {found}; must be {expected}"),
        };
    }
    if message.is_empty() {
        return Err(format!(
            "`deny` must have texts, or {{\"msg\"}}, or {{\"path\", \"expected\"}}, not {item}"
        ));
    }
    Ok(Denial { message, path, remedy: text("remedy") })
}

fn read_outputs(outputs: &Map<String, Value>) -> Result<BTreeMap<String, Output>, String> {
    if outputs.len() > MOST_OUTPUTS {
        return Err(format!(
            "`outputs` has {} members; at most {MOST_OUTPUTS} are handed back",
            outputs.len()
        ));
    }
    let mut read = BTreeMap::new();
    for (name, value) in outputs {
        let fits = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.len() <= 63
            && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_');
        if !fits {
            return Err(format!("the output `{name}` must be named in lower-case letters, digits and `_`"));
        }
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (secret, key) = (text("secret"), text("key"));
        let is_key = |text: &str| {
            (1..=253).contains(&text.len())
                && text.chars().all(|it| it.is_ascii_alphanumeric() || "-._".contains(it))
        };
        // A value instead of a name would be a secret in a status.
        if !crate::limits::is_name(&secret)
            || !is_key(&key)
            || value.as_object().is_none_or(|it| it.len() != 2)
        {
            return Err(format!(
                "the output `{name}` must be {{\"secret\": a Secret's name, \"key\": a key in it}} and nothing else"
            ));
        }
        read.insert(name.clone(), Output { secret, key });
    }
    Ok(read)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(rule: &str, value: Value) -> Result<Answer, String> {
        let mut answer = Answer::default();
        answer.read(rule, Some(&value)).map(|()| answer)
    }

    #[test]
    fn denials_say_what_was_found_and_what_would_do() {
        let answer = read(
            "deny",
            json!([
                "not today",
                {"path": "/spec/version", "found": "9", "expected": "one of 15, 16", "remedy": "upgrade"},
                {"path": "/spec/size", "expected": "given"},
            ]),
        )
        .unwrap();
        let shown: Vec<_> = answer.denials.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "not today",
                "spec.version is `9`; must be one of 15, 16. Fix: upgrade",
                "spec.size is absent; must be given"
            ]
        );
        assert!(read("deny", json!([{"found": 1}])).unwrap_err().contains("`deny` must have texts"));
    }

    #[test]
    fn outputs_are_names_and_never_values() {
        let fine = read("outputs", json!({"host": {"secret": "db-app", "key": "host"}})).unwrap();
        assert_eq!(fine.outputs["host"], Output { secret: "db-app".into(), key: "host".into() });
        for bad in [
            json!({"host": "10.0.0.1"}),
            json!({"host": {"secret": "db-app", "key": "host", "value": "x"}}),
            json!({"host": {"secret": "team-b/db", "key": "host"}}),
            json!({"Host": {"secret": "db", "key": "host"}}),
            json!({"host": {"secret": "db", "key": "a/b"}}),
        ] {
            assert!(read("outputs", bad.clone()).is_err(), "{bad}");
        }
        let many: Map<String, Value> =
            (0..40).map(|it| (format!("o{it}"), json!({"secret": "a", "key": "b"}))).collect();
        assert!(read("outputs", many.into()).unwrap_err().contains("at most 32"));
    }

    #[test]
    fn what_has_another_form_is_an_error_of_the_class() {
        for (rule, value, said) in [
            ("deny", json!({"a": 1}), "`deny` must be a set, not an object"),
            ("cost", json!("12"), "`cost` must be a number: euro a month, not a text"),
            ("cost", json!(-1), "`cost` must be euro a month, not -1"),
            ("objects", json!([]), "`objects` must be an object: `objects[id] := …`, not a list"),
            ("ready", json!("yes"), "`ready` must be true or undefined, not a text"),
            (
                "approval",
                json!([{"group": "dba"}]),
                "`approval` must have members {\"group\", \"reason\"}, not {\"group\":\"dba\"}",
            ),
        ] {
            assert_eq!(read(rule, value).unwrap_err(), said);
        }
    }
}
