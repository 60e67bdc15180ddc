//! An in-toto statement: which images it is about and what kind of thing it says, before anything is believed.

use crate::digest::Digest;
use crate::verify::{Limits, Reason, shape};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;

/// The payload type of an envelope that holds a statement.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
/// What `cosign sign` attests since version 3: nothing but that it was signed.
const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

/// A statement that is about the image.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) predicate_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    #[serde(default, rename = "predicate")]
    _predicate: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    predicate: Value,
}

impl Statement {
    /// Reads all but the predicate. One subject of several is enough, as it is for cosign.
    pub(super) fn read(payload: &[u8], image: Digest, limits: &Limits) -> Result<Self, Reason> {
        shape::check(payload, limits.memory, limits.depth)?;
        let header: Header =
            serde_json::from_slice(payload).map_err(|error| Reason::Statement(error.to_string()))?;
        if !TYPES.contains(&header.kind.as_str()) {
            return Err(Reason::Statement(format!("it is of type `{}`", header.kind)));
        }
        let digests: Vec<Digest> = header
            .subject
            .iter()
            .filter_map(|subject| format!("sha256:{}", subject.digest.get("sha256")?).parse().ok())
            .collect();
        if !digests.contains(&image) {
            return Err(Reason::other_digest(digests));
        }
        Ok(Self { predicate_type: header.predicate_type })
    }

    /// Whether it says nothing but that the image was signed.
    pub(super) fn is_signature(&self) -> bool {
        self.predicate_type == SIGNED
    }

    /// What it says; only read once it is verified.
    pub(super) fn predicate(payload: &[u8]) -> Result<Value, Reason> {
        let body: Body =
            serde_json::from_slice(payload).map_err(|error| Reason::Statement(error.to_string()))?;
        Ok(body.predicate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &str) -> Result<Statement, Reason> {
        Statement::read(payload.as_bytes(), Digest::of(b"image"), &Limits::default())
    }

    fn subject(digests: &str) -> String {
        format!(r#"{{"_type":"{}","subject":[{digests}],"predicateType":"p","predicate":{{}}}}"#, TYPES[0])
    }

    #[test]
    fn one_subject_of_several_is_enough() {
        let image = Digest::of(b"image").hex();
        let text = subject(&format!(
            r#"{{"name":"a","digest":{{"sha512":"00"}}}},{{"digest":{{"sha256":"{image}"}}}}"#
        ));
        assert_eq!(read(&text).unwrap().predicate_type, "p");
    }

    #[test]
    fn a_statement_about_something_else_is_refused() {
        let other = Digest::of(b"other");
        let text = subject(&format!(r#"{{"digest":{{"sha256":"{}"}}}}"#, other.hex()));
        assert_eq!(read(&text).unwrap_err(), Reason::OtherDigest(vec![other.to_string()]));
        let image = Digest::of(b"image").hex();
        for text in [
            subject(""),
            subject(&format!(r#"{{"digest":{{"sha512":"{image}"}}}}"#)),
            subject(&format!(r#"{{"digest":{{"sha256":"{}"}}}}"#, image.to_uppercase())),
            subject(&format!(r#"{{"digest":{{"sha256":" {image}"}}}}"#)),
        ] {
            assert_eq!(read(&text).unwrap_err(), Reason::OtherDigest(Vec::new()), "{text}");
        }
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        for text in ["", "{}", "[]", r#"{"_type":"x","subject":[],"predicateType":"p"}"#, r#"{"_type":1}"#] {
            assert!(matches!(read(text), Err(Reason::Statement(_))), "{text}");
        }
        let image = Digest::of(b"image").hex();
        let twice = subject(&format!(r#"{{"digest":{{"sha256":"{image}"}}}}"#))
            .replace(r#""predicateType":"p""#, r#""predicateType":"p","predicateType":"q""#);
        assert!(matches!(read(&twice), Err(Reason::Statement(_))), "two types in one statement");
    }
}
