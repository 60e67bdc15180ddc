//! What the tables of attacks share: who is attacked, how a bundle is changed, what a refusal is.

use super::tests_world::*;
use super::*;
use crate::fixtures::{Key, Leaf, LogVersion, Making, Sigstore, base64, unbase64};
use serde_json::{Value, json};

/// What everybody who attacks has: the sigstore that is trusted, a foreign one, a key and a certificate that count.
pub(super) struct World {
    pub(super) lab: Sigstore,
    pub(super) foreign: Sigstore,
    pub(super) key: Key,
    pub(super) leaf: Leaf,
}

impl World {
    pub(super) fn new() -> Self {
        let lab = Sigstore::new("lab");
        let leaf = lab.leaf(WHO, now());
        Self { foreign: Sigstore::new("lab"), key: Key::p256(), leaf, lab }
    }

    /// By the certificate, in the log.
    pub(super) fn keyless(&self) -> Making<'_> {
        self.by(&self.leaf)
    }

    pub(super) fn by<'a>(&'a self, leaf: &'a Leaf) -> Making<'a> {
        Making::by_leaf(leaf).logged(&self.lab.log, LogVersion::One, now())
    }

    /// By the certificate, in the second version of the log, with a timestamp.
    pub(super) fn stamped(&self) -> Making<'_> {
        Making::by_leaf(&self.leaf)
            .logged(&self.lab.log, LogVersion::Two, now())
            .stamped(&self.lab.timestamps, now())
    }

    pub(super) fn keyed(&self) -> Making<'_> {
        Making::by_key(&self.key)
    }

    pub(super) fn key_authority(&self) -> Value {
        by_keys(&[&self.key], &json!({}))
    }

    pub(super) fn logged_key_authority(&self) -> Value {
        by_keys(&[&self.key], &json!({"trustRoot": "lab"}))
    }
}

/// The verdict must be one rejection with this code, and nothing that counts.
pub(super) fn refused(name: &str, verified: &Verified, code: &str) {
    assert!(verified.signatures.is_empty() && verified.attestations.is_empty(), "{name}: it counts");
    assert!(!verified.satisfied(), "{name}");
    let [rejected] = verified.rejected.as_slice() else { panic!("{name}: {:?}", verified.rejected) };
    assert_eq!(rejected.reason.code(), code, "{name}: {}", rejected.reason);
}

/// A bundle after a change.
pub(super) fn edited(mut bundle: Value, edit: impl FnOnce(&mut Value)) -> Value {
    let before = bundle.clone();
    edit(&mut bundle);
    assert_ne!(before, bundle, "the case changes nothing");
    bundle
}

pub(super) fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

/// Another byte at the end of something in base64.
pub(super) fn flipped(text: &Value) -> Value {
    let mut bytes = unbase64(text.as_str().unwrap());
    *bytes.last_mut().unwrap() ^= 1;
    json!(base64(&bytes))
}

pub(super) fn payload(bundle: &mut Value, edit: impl FnOnce(String) -> String) {
    let place = &mut bundle["dsseEnvelope"]["payload"];
    let text = String::from_utf8(unbase64(place.as_str().unwrap())).unwrap();
    *place = json!(base64(edit(text).as_bytes()));
}

pub(super) fn body(bundle: &mut Value, edit: impl FnOnce(String) -> String) {
    let place = &mut entry(bundle)["canonicalizedBody"];
    let text = String::from_utf8(unbase64(place.as_str().unwrap())).unwrap();
    *place = json!(base64(edit(text).as_bytes()));
}

pub(super) fn remove(value: &mut Value, field: &str) {
    value.as_object_mut().unwrap().remove(field).unwrap();
}
