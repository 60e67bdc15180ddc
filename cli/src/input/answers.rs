//! What providers of Gatekeeper's would say, from files: nobody is asked from a laptop or in CI.
//!
//! ```yaml
//! externalData:
//!   image-signatures:                      # the Provider's name
//!     values: {"registry.example/a:1": signed}
//!     errors: {"registry.example/b:1": no signature}
//!   inventory-service: {systemError: it is away}
//! ```

use super::TextFile;
use crate::excerpt;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;
use wayguard_engine::facts::Fact;
use wayguard_engine::gatekeeper::external::{Answer, Item};
use wayguard_engine::rego::LoadError;
use wayguard_engine::value::{Value, parse_yaml};

/// The member that such a document has instead of `apiVersion` and `kind`.
const MEMBER: &str = "externalData";
/// Keys that a message names.
const SHOWN: usize = 5;

/// What providers would say, by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers(BTreeMap<String, Said>);

/// What one provider would say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Said {
    #[serde(default)]
    values: BTreeMap<String, Json>,
    #[serde(default)]
    errors: BTreeMap<String, String>,
    #[serde(default)]
    system_error: String,
}

/// Whether a document holds answers rather than an object.
pub(super) fn is_answers(value: Value<'_>) -> bool {
    value.get(MEMBER).is_some() && value.get("apiVersion").is_none() && value.get("kind").is_none()
}

impl Answers {
    /// Reads the answers among the documents of files; what else is in them is passed over.
    ///
    /// # Errors
    /// If an answer is not as above, with its file and line.
    pub(crate) fn read(files: &[TextFile]) -> Result<Self, LoadError> {
        let mut answers = Self::default();
        for file in files.iter().filter(|file| file.text.contains(MEMBER)) {
            let bump = bumpalo::Bump::new();
            // What is no YAML is said by whoever reads the objects.
            let Ok(documents) = parse_yaml(&&bump, &file.text) else { continue };
            for document in documents.iter().filter(|document| is_answers(document.value)) {
                let json = document.value.get(MEMBER).map(Value::to_serde).unwrap_or_default();
                let said: BTreeMap<String, Said> = serde_json::from_value(json).map_err(|error| {
                    let line = document.lines.get(&format!("/{MEMBER}")).copied().unwrap_or(document.line);
                    let what = format!(
                        "`{MEMBER}` must be `PROVIDER: {{values: {{KEY: VALUE}}, errors: {{KEY: TEXT}}, systemError: TEXT}}`: {error}"
                    );
                    excerpt::problem(&file.name, &file.text, line, 1, &what)
                })?;
                answers.add(Self(said));
            }
        }
        Ok(answers)
    }

    /// Adds others; they stand above those that are there.
    pub(crate) fn add(&mut self, others: Self) {
        for (provider, said) in others.0 {
            let own = self.0.entry(provider).or_default();
            for key in said.values.keys() {
                own.errors.remove(key);
            }
            for key in said.errors.keys() {
                own.values.remove(key);
            }
            own.values.extend(said.values);
            own.errors.extend(said.errors);
            if !said.system_error.is_empty() {
                own.system_error = said.system_error;
            }
        }
    }

    /// What a provider would say of keys.
    pub(crate) fn of(&self, provider: &str, keys: &[String]) -> Fact {
        let nothing = Said::default();
        let said = self.0.get(provider).unwrap_or(&nothing);
        if !said.system_error.is_empty() {
            return known(&Answer::failed(Answer::NOT_REACHED, &said.system_error));
        }
        let mut missing: Vec<&String> = Vec::new();
        let mut items = Vec::with_capacity(keys.len());
        for key in keys {
            let item = |value: Json, error: String| Item { key: key.clone(), value, error };
            match (said.values.get(key), said.errors.get(key)) {
                (Some(value), _) => items.push(item(value.clone(), String::new())),
                (None, Some(error)) => items.push(item(Json::Null, error.clone())),
                (None, None) if missing.contains(&key) => {}
                (None, None) => missing.push(key),
            }
        }
        if missing.is_empty() {
            return known(&Answer { items: Some(items), status: 200, ..Answer::nothing() });
        }
        let shown: Vec<String> = missing.iter().take(SHOWN).map(|key| format!("`{key}`")).collect();
        let more = missing.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Fact::OutOfReach(format!(
            "what the provider `{provider}` says of {}{more} is not known here; say it in a file of the context (`--context`, or a Suite's `inventory`): `{MEMBER}: {{{provider}: {{values: {{KEY: VALUE}}, errors: {{KEY: TEXT}}}}}}`",
            shown.join(", ")
        ))
    }
}

fn known(answer: &Answer) -> Fact {
    Fact::Known(Arc::new(answer.document()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Given;

    fn read(text: &str) -> Result<Answers, String> {
        let file = TextFile { name: "c.yaml".into(), path: None, text: text.into(), given: Given::Named };
        Answers::read(&[file]).map_err(|error| error.to_string())
    }

    fn shown(answers: &Answers, provider: &str, keys: &[&str]) -> String {
        match answers.of(provider, &keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()) {
            Fact::Known(document) => document.value().get("answer").unwrap().to_string(),
            Fact::OutOfReach(reason) => reason,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn values_errors_and_failures_are_told() {
        let answers = read(
            "externalData:\n  p: {values: {a: 1}, errors: {b: unsigned}}\n---\napiVersion: v1\nkind: Namespace\n---\nexternalData: {q: {systemError: away}, p: {values: {b: [x]}}}\n",
        )
        .unwrap();
        assert_eq!(
            shown(&answers, "p", &["b", "a"]),
            r#"{"errors":[],"responses":[["b",["x"]],["a",1]],"status_code":200,"system_error":""}"#
        );
        assert_eq!(
            shown(&answers, "q", &["a"]),
            r#"{"errors":null,"responses":null,"status_code":500,"system_error":"away"}"#
        );
        assert_eq!(
            shown(&answers, "p", &["c", "a", "c"]),
            "what the provider `p` says of `c` is not known here; say it in a file of the context (`--context`, or a Suite's `inventory`): `externalData: {p: {values: {KEY: VALUE}, errors: {KEY: TEXT}}}`"
        );
        assert!(
            shown(&answers, "r", &["1", "2", "3", "4", "5", "6"]).contains("`5` and 1 more is not known")
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let problem = read("\nexternalData:\n  p: {value: {a: 1}}\n").unwrap_err();
        assert!(
            problem.starts_with("c.yaml:2:1: `externalData` must be `PROVIDER: {values: ")
                && problem.contains("unknown field `value`"),
            "{problem}"
        );
    }
}
