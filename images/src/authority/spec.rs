//! `ImageAuthority` as it is written: the spec of a cluster kind, and plain YAML for the command line.

use crate::trust::text::{ObjectKey, TextReference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Who may sign the images of some repositories, and how many of them must.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageAuthoritySpec {
    /// Repositories, by whole components: `ghcr.io/team`, `*.example.com`, `docker.io/library/nginx`.
    pub images: Vec<String>,
    /// Who may sign; any of them counts.
    pub authorities: Vec<AuthoritySpec>,
    /// How many signatures there must be; one, if this is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<RequireSpec>,
}

impl ImageAuthoritySpec {
    /// The texts that its keys are in, other than in place.
    pub fn texts(&self) -> impl Iterator<Item = TextReference> + '_ {
        self.authorities.iter().flat_map(|authority| &authority.keys).flat_map(KeySpec::texts)
    }

    /// The trust roots that it names, each once.
    pub fn roots(&self) -> BTreeSet<&str> {
        let with_keys = self.authorities.iter().filter_map(|authority| authority.trust_root.as_deref());
        let keyless = self.authorities.iter().filter_map(|authority| authority.keyless.as_ref());
        with_keys.chain(keyless.map(|keyless| keyless.trust_root.as_str())).collect()
    }
}

/// One who may sign: the owner of one of some keys, or somebody with one of some identities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthoritySpec {
    /// The name under which policies and messages speak of it.
    pub name: String,
    /// Public keys; a signature by any of them counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeySpec>,
    /// Or identities that a certificate authority vouched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyless: Option<KeylessSpec>,
    /// With `keys`: the trust root whose logs and timestamp authorities are believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_root: Option<String>,
    /// Whether the signature must be in a transparency log. Default: `required` where there is a trust root (keyless
    /// always has one), else `off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transparency_log: Option<Wanted>,
    /// Whether a timestamp authority must have signed a time (RFC 3161). Default: `optional` where there is a trust
    /// root, else `off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamps: Option<Wanted>,
    /// Whether the certificate must be in a log of certificates (RFC 6962). Default: `required` with `keyless`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sct: Option<Wanted>,
    /// Whether the layout before bundles (tags that end in `.sig` and `.att`) counts as well.
    #[serde(default)]
    pub legacy: bool,
    /// Attestations of which predicate types are believed; empty: of any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predicate_types: Vec<String>,
    /// Whether what it says with OpenVEX is believed: that a vulnerability does not matter here.
    #[serde(default)]
    pub vex: bool,
}

/// A public key: exactly one of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeySpec {
    /// In place, as `cosign public-key` prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pem: Option<String>,
    /// In a ConfigMap of the suite's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map: Option<ObjectKey>,
    /// In a Secret of the suite's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<ObjectKey>,
    /// In a file; on the command line alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl KeySpec {
    /// Where it says that the key is, other than in place.
    pub(crate) fn texts(&self) -> impl Iterator<Item = TextReference> + use<> {
        let references = [
            self.config_map.clone().map(TextReference::ConfigMap),
            self.secret.clone().map(TextReference::Secret),
            self.file.clone().map(TextReference::File),
        ];
        references.into_iter().flatten()
    }
}

/// Identities, and who vouches for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeylessSpec {
    /// A TrustRoot's name, or `public-good`, `github`, `staging`.
    pub trust_root: String,
    /// Whose signatures count; any of them.
    pub identities: Vec<IdentitySpec>,
}

/// One identity: an issuer and a subject, each exactly or by a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdentitySpec {
    /// Who issued the token, such as `https://token.actions.githubusercontent.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Or a regular expression that the whole issuer matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_regex: Option<String>,
    /// To whom: a mail address, or a URI such as a workflow's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Or a regular expression that the whole subject matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_regex: Option<String>,
}

/// What is done about a kind of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Wanted {
    /// Without it the signature does not count.
    Required,
    /// It may be missing; where it is there, it must be good.
    Optional,
    /// It is not looked at.
    Off,
}

/// How many must have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequireSpec {
    /// So many different keys or identities; two signatures by one key are one.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 32))]
    pub count: u32,
    /// Their signatures must be in so many different transparency logs as well.
    #[serde(default)]
    pub distinct_logs: bool,
}

impl Default for RequireSpec {
    fn default() -> Self {
        Self { count: one(), distinct_logs: false }
    }
}

fn one() -> u32 {
    1
}
