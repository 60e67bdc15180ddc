//! The image, the clock and the authorities that tests of verification share.

use super::*;
use crate::authority::{ImageAuthoritySpec, Roots};
use crate::digest::Digest;
use crate::evidence::LegacyLayer;
use crate::fixtures::{Key, SIGNED, Sigstore, Who, statement};
use crate::trust::{NoTexts, TrustRoot};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The image's manifest; what it says does not matter here.
pub(super) const MANIFEST: &[u8] = br#"{"schemaVersion":2}"#;
/// Who signs by identity.
pub(super) const WHO: Who<'_> = Who {
    subject: "https://github.com/team/app/.github/workflows/release.yml@refs/heads/main",
    issuer: "https://token.actions.githubusercontent.com",
};

/// One moment for a whole test run, a minute ago, so that no clock is ahead of it.
pub(super) fn now() -> Timestamp {
    static NOW: LazyLock<Timestamp> = LazyLock::new(|| Timestamp::now() - std::time::Duration::from_mins(1));
    *NOW
}

/// As logs and timestamps have it.
pub(super) fn now_in_seconds() -> Timestamp {
    Timestamp::from_second(now().as_second()).unwrap()
}

pub(super) fn image() -> Digest {
    Digest::of(MANIFEST)
}

/// What `cosign sign` says of the image.
pub(super) fn signed() -> Vec<u8> {
    statement(image(), SIGNED, &json!({}))
}

pub(super) fn evidence(bundles: &[Value], legacy: Vec<LegacyLayer>) -> Evidence {
    let bundles = bundles.iter().map(|bundle| Bytes::from(bundle.to_string())).collect();
    Evidence { digest: image(), bundles, legacy, documents: Vec::new() }
}

/// An ImageAuthority whose one authority has these keys; `more` is added to it.
pub(super) fn by_keys(keys: &[&Key], more: &Value) -> Value {
    let keys: Vec<_> = keys.iter().map(|key| json!({"pem": key.public_pem()})).collect();
    spec(&json!({"name": "team", "keys": keys}), more)
}

/// One whose one authority has the identity [`WHO`].
pub(super) fn by_identity(more: &Value) -> Value {
    let identity = json!({"issuer": WHO.issuer, "subject": WHO.subject});
    spec(&json!({"name": "team", "keyless": {"trustRoot": "lab", "identities": [identity]}}), more)
}

fn spec(authority: &Value, more: &Value) -> Value {
    let mut authority = authority.clone();
    authority.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"images": ["registry.example"], "authorities": [authority]})
}

pub(super) fn judge(bundles: &[Value], authority: &Value) -> Verified {
    judge_by(bundles, authority, &Sigstore::new("lab"))
}

pub(super) fn judge_by(bundles: &[Value], authority: &Value, sigstore: &Sigstore) -> Verified {
    verified_by(evidence(bundles, Vec::new()), authority, sigstore)
}

/// The verdict a minute after everything happened.
pub(super) fn verified_by(evidence: Evidence, authority: &Value, sigstore: &Sigstore) -> Verified {
    verified_by_root(&evidence, authority, &sigstore.trusted_root())
}

pub(super) fn verified_by_root(evidence: &Evidence, authority: &Value, root: &str) -> Verified {
    let mut roots = Roots::default();
    roots.put("lab", TrustRoot::from_json("lab", root));
    let spec: ImageAuthoritySpec = serde_json::from_value(authority.clone()).unwrap();
    let compiled = ImageAuthority::compile("images", &spec, &roots, &NoTexts);
    let compiled = compiled.unwrap_or_else(|problem| panic!("{problem}"));
    verify(evidence, &[Arc::new(compiled)], &Limits::default(), Timestamp::now())
}
