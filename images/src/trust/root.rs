//! A trust root: certificate authorities, transparency logs, timestamp authorities, in sigstore's `trusted_root.json`.

use crate::digest::Digest;
use crate::trust::text::{ObjectKey, TextReference, Texts};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sigstore_verify::Verifier;
use sigstore_verify::crypto::VerificationKey;
use sigstore_verify::trust_root::{SigstoreInstance, TrustedRoot};
use sigstore_verify::types::{Checkpoint, LogKeyId, TimeRange};
use std::fmt;

/// What one TrustRoot object says: exactly one of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustRootSpec {
    /// The text of a `trusted_root.json`, as `cosign trusted-root create` writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_root: Option<String>,
    /// A ConfigMap that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map: Option<ObjectKey>,
    /// A file that holds it; on the command line alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// One that is built in, under a name of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Instance>,
}

impl TrustRootSpec {
    /// The text that holds it, other than in place.
    pub fn text(&self) -> Option<TextReference> {
        let map = self.config_map.clone().map(TextReference::ConfigMap);
        map.or_else(|| self.file.clone().map(TextReference::File))
    }
}

/// Trust roots that are built in. They are as new as this binary: sigstore rotates its logs about once a year, and a
/// root that is kept up to date by hand is given as a TrustRoot of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Instance {
    /// sigstore.dev.
    PublicGood,
    /// sigstage.dev.
    Staging,
    /// GitHub's own, which signs attestations of private repositories and has no transparency log.
    Github,
}

impl Instance {
    /// By the name under which it can be used without a TrustRoot object.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "public-good" => Some(Self::PublicGood),
            "staging" => Some(Self::Staging),
            "github" => Some(Self::Github),
            _ => None,
        }
    }

    fn json(self) -> &'static str {
        match self {
            Self::PublicGood => SigstoreInstance::PublicGood,
            Self::Staging => SigstoreInstance::Staging,
            Self::Github => SigstoreInstance::GitHub,
        }
        .embedded_trusted_root_json()
    }
}

/// Why a trust root cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootProblem {
    /// None or several of the fields.
    #[error(
        "one of `trustedRoot`, `configMap`, `file` and `instance` says what it holds, and {0} of them are there"
    )]
    Sources(usize),
    /// The text is not to be had.
    #[error("{reference} cannot be read: {cause}")]
    Text {
        /// Where it should be.
        reference: String,
        /// Why it is not.
        cause: String,
    },
    /// The text is no trusted root.
    #[error("it is no `trusted_root.json`: {0}")]
    Malformed(String),
    /// Its keys or certificates cannot be used.
    #[error("its content cannot be used: {0}")]
    Content(String),
    /// Nothing is in it.
    #[error(
        "it names no certificate authority, log or timestamp authority, so that nothing could be verified by it"
    )]
    Empty,
}

/// A trust root, parsed and checked once.
pub struct TrustRoot {
    name: String,
    verifier: Verifier,
    logs: Vec<Log>,
    has: Parts,
    content: Digest,
}

/// Which kinds of authorities a trust root has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Certificate authorities, needed for keyless signatures.
    pub certificates: bool,
    /// Transparency logs.
    pub logs: bool,
    /// Logs of certificates, needed for signed certificate timestamps.
    pub certificate_logs: bool,
    /// Timestamp authorities.
    pub timestamps: bool,
}

/// A transparency log that a trust root knows.
struct Log {
    name: String,
    id: LogKeyId,
    key: VerificationKey,
    valid_for: Option<TimeRange>,
}

impl TrustRoot {
    /// From the text of a `trusted_root.json`; `name` is how people refer to it.
    pub fn from_json(name: &str, json: &str) -> Result<Self, RootProblem> {
        let root = TrustedRoot::from_json(json).map_err(|error| RootProblem::Malformed(error.to_string()))?;
        let has = Parts {
            certificates: !root.certificate_authorities.is_empty(),
            logs: !root.tlogs.is_empty(),
            certificate_logs: !root.ctlogs.is_empty(),
            timestamps: !root.timestamp_authorities.is_empty(),
        };
        if !(has.certificates || has.logs || has.timestamps) {
            return Err(RootProblem::Empty);
        }
        let content = |error: &dyn fmt::Display| RootProblem::Content(error.to_string());
        let verifier = Verifier::new(&root).map_err(|error| content(&error))?;
        let logs = root
            .tlogs
            .iter()
            .map(|log| {
                Ok(Log {
                    name: log.base_url.clone(),
                    id: log.log_id.key_id.clone(),
                    key: VerificationKey::from_spki(&log.public_key.raw_bytes)
                        .map_err(|error| content(&error))?,
                    valid_for: log.public_key.valid_for,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), verifier, logs, has, content: Digest::of(json.as_bytes()) })
    }

    /// One that is built in.
    pub fn built_in(name: &str, instance: Instance) -> Result<Self, RootProblem> {
        Self::from_json(name, instance.json())
    }

    /// As a TrustRoot object says.
    pub fn from_spec(name: &str, spec: &TrustRootSpec, texts: &dyn Texts) -> Result<Self, RootProblem> {
        let reference = spec.text();
        let sources = usize::from(spec.trusted_root.is_some())
            + usize::from(spec.config_map.is_some())
            + usize::from(spec.file.is_some())
            + usize::from(spec.instance.is_some());
        match (&spec.trusted_root, reference, spec.instance) {
            _ if sources != 1 => Err(RootProblem::Sources(sources)),
            (Some(text), ..) => Self::from_json(name, text),
            (_, Some(reference), _) => {
                let text = texts
                    .text(&reference)
                    .map_err(|cause| RootProblem::Text { reference: reference.to_string(), cause })?;
                Self::from_json(name, &text)
            }
            (.., Some(instance)) => Self::built_in(name, instance),
            (None, None, None) => Err(RootProblem::Sources(0)),
        }
    }

    /// How people refer to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which kinds of authorities it has.
    pub fn has(&self) -> Parts {
        self.has
    }

    /// The digest of all that it holds.
    pub fn content(&self) -> Digest {
        self.content
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The log whose key signed this checkpoint. An entry's own word for its log is not signed, so that two
    /// entries of one log could pose as two logs. A log whose time has not begun is not trusted yet; one whose time
    /// is over was, when it signed.
    pub(crate) fn log_of_checkpoint(&self, checkpoint: &Checkpoint, now: Timestamp) -> Option<&str> {
        let signed_by = |log: &&Log| {
            checkpoint
                .signatures()
                .iter()
                .any(|signature| log.key.verify(checkpoint.signed_data(), &signature.signature).is_ok())
        };
        let begun = |log: &&Log| log.valid_for.is_none_or(|range| range.has_started_by(now));
        self.logs.iter().filter(begun).find(signed_by).map(|log| log.name.as_str())
    }

    /// The log by the identifier under which it signs promises; the promise binds the identifier.
    pub(crate) fn log_of_identifier(&self, id: &LogKeyId) -> Option<&str> {
        self.logs.iter().find(|log| log.id == *id).map(|log| log.name.as_str())
    }
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "trust root `{}` {}", self.name, self.content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::Sigstore;
    use crate::trust::text::NoTexts;

    #[test]
    fn what_is_built_in_can_be_used() {
        for name in ["public-good", "staging", "github"] {
            let root = TrustRoot::built_in(name, Instance::named(name).unwrap()).unwrap();
            assert!(root.has().certificates, "{name}");
        }
        assert!(Instance::named("publicgood").is_none());
    }

    #[test]
    fn a_root_of_ones_own_says_what_it_has() {
        let root = TrustRoot::from_json("lab", &Sigstore::new("lab").trusted_root()).unwrap();
        assert_eq!(
            root.has(),
            Parts { certificates: true, logs: true, certificate_logs: true, timestamps: true }
        );
        let other = TrustRoot::from_json("lab", &Sigstore::new("lab").trusted_root()).unwrap();
        assert_ne!(root.content(), other.content());
    }

    #[test]
    fn what_is_no_trust_root_is_refused_with_its_reason() {
        let spec =
            |text: &str| TrustRootSpec { trusted_root: Some(text.to_owned()), ..TrustRootSpec::default() };
        let made = |spec: &TrustRootSpec| TrustRoot::from_spec("x", spec, &NoTexts).unwrap_err();
        assert!(matches!(made(&spec("{")), RootProblem::Malformed(_)));
        assert!(matches!(made(&spec(r#"{"mediaType":"x"}"#)), RootProblem::Empty));
        assert!(matches!(made(&TrustRootSpec::default()), RootProblem::Sources(0)));
        let both = TrustRootSpec { instance: Some(Instance::Github), ..spec("{}") };
        assert!(matches!(made(&both), RootProblem::Sources(2)));
        let file = TrustRootSpec { file: Some("root.json".to_owned()), ..TrustRootSpec::default() };
        assert_eq!(
            made(&file).to_string(),
            "file `root.json` cannot be read: only what is written in place can be read here"
        );
        let mut root: serde_json::Value = serde_json::from_str(&Sigstore::new("lab").trusted_root()).unwrap();
        root["certificateAuthorities"][0]["certChain"]["certificates"] = serde_json::json!([]);
        assert!(matches!(made(&spec(&root.to_string())), RootProblem::Content(_)));
    }
}
