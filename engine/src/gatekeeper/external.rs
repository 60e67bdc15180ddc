//! What is said between us and a provider (`externaldata.gatekeeper.sh/v1beta1`): `ProviderRequest` there,
//! `ProviderResponse` back, and what `external_data` makes of it. Nothing is sent from here.

use crate::value::Document;
use serde::Deserialize;
use serde_json::{Value as Json, json};

const API_VERSION: &str = "externaldata.gatekeeper.sh/v1beta1";

/// What a provider said of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The key, as the provider repeats it.
    pub key: String,
    /// The value; `null` where there is none.
    pub value: Json,
    /// Why there is none; empty: there is one.
    pub error: String,
}

/// What came of asking a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it said, in order. `None`: nothing, for the request failed.
    pub items: Option<Vec<Item>>,
    /// Whether asking again gives the same, as mutation demands.
    pub idempotent: bool,
    /// What is wrong as a whole; empty: nothing.
    pub system_error: String,
    /// The HTTP status; 0: nobody had to be asked.
    pub status: u16,
}

/// The body of a `ProviderResponse`, checked for its shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// As in [`Answer`].
    pub items: Vec<Item>,
    /// As in [`Answer`].
    pub idempotent: bool,
    /// As in [`Answer`].
    pub system_error: String,
}

/// The body of a `ProviderRequest`.
pub fn request(keys: &[String]) -> Vec<u8> {
    let body = json!({"apiVersion": API_VERSION, "kind": "ProviderRequest", "request": {"keys": keys}});
    // Strings only: serialisation cannot fail.
    serde_json::to_vec(&body).unwrap_or_default()
}

#[derive(Debug, Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    response: Option<Inner>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inner {
    #[serde(default)]
    idempotent: Option<bool>,
    #[serde(default)]
    items: Option<Vec<InnerItem>>,
    #[serde(default)]
    system_error: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct InnerItem {
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    value: Json,
    #[serde(default)]
    error: Option<String>,
}

impl Response {
    /// Reads a `ProviderResponse`. What is absent or `null` is empty, and `apiVersion` and `kind` are not looked at, as
    /// in Gatekeeper.
    ///
    /// # Errors
    /// If it is no JSON, or a member is of another type; nothing of its content is in the words.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let envelope: Envelope = serde_json::from_slice(body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let what = if error.is_data() { "not as a ProviderResponse is" } else { "no JSON" };
            format!("the provider's answer is {what} (line {line}, column {column})")
        })?;
        let inner = envelope.response.unwrap_or_default();
        let item = |item: InnerItem| Item {
            key: item.key.unwrap_or_default(),
            value: item.value,
            error: item.error.unwrap_or_default(),
        };
        Ok(Self {
            items: inner.items.unwrap_or_default().into_iter().map(item).collect(),
            idempotent: inner.idempotent.unwrap_or_default(),
            system_error: inner.system_error.unwrap_or_default(),
        })
    }
}

impl Answer {
    /// The status of an answer for a provider that is not there.
    pub const UNKNOWN: u16 = 400;
    /// The status of an answer for a provider that did not give one.
    pub const NOT_REACHED: u16 = 500;

    /// The answer where there are no keys.
    pub fn nothing() -> Self {
        Self { items: Some(Vec::new()), idempotent: true, system_error: String::new(), status: 0 }
    }

    /// The answer of a request that failed.
    pub fn failed(status: u16, reason: &str) -> Self {
        Self { items: None, idempotent: false, system_error: reason.to_owned(), status }
    }

    /// As a fact: `answer` is what `external_data` returns, and beside it is what mutation asks.
    pub fn document(&self) -> Document {
        let items = self.items.as_deref();
        let values = items.map(|items| {
            let told = items.iter().filter(|item| item.error.is_empty());
            told.map(|item| json!([item.key, item.value])).collect::<Vec<_>>()
        });
        let errors = items.map(|items| {
            let failed = items.iter().filter(|item| !item.error.is_empty());
            failed.map(|item| json!([item.key, item.error])).collect::<Vec<_>>()
        });
        Document::from_serde(&json!({
            "idempotent": self.idempotent,
            "answer": {
                "responses": values,
                "errors": errors,
                "status_code": self.status,
                "system_error": self.system_error,
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_as_providers_expect_them() {
        let keys = ["a".to_owned(), "b\"".to_owned()];
        assert_eq!(
            String::from_utf8(request(&keys)).unwrap(),
            r#"{"apiVersion":"externaldata.gatekeeper.sh/v1beta1","kind":"ProviderRequest","request":{"keys":["a","b\""]}}"#
        );
    }

    #[test]
    fn answers_become_what_templates_see() {
        let body = br#"{"apiVersion":"x","kind":"y","more":1,"response":{"idempotent":true,"items":[
            {"key":"a","value":{"n":1}},{"key":"b","error":"no"},{"key":"c"},{"value":null,"error":null}]}}"#;
        let Response { items, idempotent, system_error } = Response::parse(body).unwrap();
        let answer = Answer { items: Some(items), idempotent, system_error, status: 200 };
        assert_eq!(
            answer.document().value().to_string(),
            r#"{"answer":{"errors":[["b","no"]],"responses":[["a",{"n":1}],["c",null],["",null]],"status_code":200,"system_error":""},"idempotent":true}"#
        );
        assert_eq!(
            Answer::failed(Answer::NOT_REACHED, "it is away").document().value().to_string(),
            r#"{"answer":{"errors":null,"responses":null,"status_code":500,"system_error":"it is away"},"idempotent":false}"#
        );
        assert_eq!(
            Answer::nothing().document().value().get("answer").unwrap().to_string(),
            r#"{"errors":[],"responses":[],"status_code":0,"system_error":""}"#
        );
    }

    #[test]
    fn what_is_no_answer_is_said_without_its_content() {
        let problem = |body: &str| Response::parse(body.as_bytes()).unwrap_err();
        assert_eq!(problem("<html>secret"), "the provider's answer is no JSON (line 1, column 1)");
        for wrong in [
            r#"["secret"]"#,
            r#"{"response":"secret"}"#,
            r#"{"response":{"items":{"secret":1}}}"#,
            r#"{"response":{"items":[{"key":1}]}}"#,
            r#"{"response":{"systemError":["secret"]}}"#,
        ] {
            let problem = problem(wrong);
            assert!(
                problem.starts_with("the provider's answer is not as a ProviderResponse is"),
                "{problem}"
            );
            assert!(!problem.contains("secret"), "{problem}");
        }
        assert_eq!(Response::parse(b"{}"), Ok(Response::default()));
        assert_eq!(Response::parse(br#"{"response":null}"#), Ok(Response::default()));
    }
}
