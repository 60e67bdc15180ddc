//! A signature by one of an authority's keys.
//!
//! The signature is checked here, also where no log and no timestamp vouches for it, which the library does not offer
//! (and which is what `cosign sign --key` writes where there is no network); logs and timestamps are the library's.

use crate::authority::Authority;
use crate::trust::PublicKey;
use crate::verify::item::{Item, Signed};
use crate::verify::outcome::{Proof, logs, reason, wanted};
use crate::verify::{Reason, second_log};
use jiff::Timestamp;
use sigstore_verify::PublicKeyVerificationPolicy;
use sigstore_verify::types::bundle::VerificationMaterialContent;

pub(super) fn prove(
    item: &Item,
    keys: &[PublicKey],
    authority: &Authority,
    now: Timestamp,
) -> Result<Proof, Reason> {
    if !matches!(item.bundle.verification_material.content, VerificationMaterialContent::PublicKey(_)) {
        return Err(Reason::NotByKey);
    }
    let message = item.message();
    let signed = |key: &&PublicKey| match (&item.signed, &message) {
        (Signed::Digest(digest), _) => key.signed_digest(*digest, &item.signature),
        (_, Some(message)) => key.signed(message, &item.signature),
        (_, None) => false,
    };
    let key = keys.iter().find(signed).ok_or(Reason::WrongKey)?;
    let mut proof = Proof { key: Some(key.fingerprint()), ..Proof::default() };
    let mut bundle = wanted(item, authority)?;
    let Some(root) = &authority.root else { return Ok(proof) };
    // What the library does not read is proven here and taken out, so that the library sees the rest.
    for entry in &bundle.verification_material.tlog_entries {
        if second_log::is_one(entry, key) {
            proof.logs.push(second_log::prove(entry, item, key, root, now)?);
        }
    }
    if !proof.logs.is_empty() {
        bundle.to_mut().verification_material.tlog_entries.retain(|entry| !second_log::is_one(entry, key));
    }
    let material = &bundle.verification_material;
    let has_log = !material.tlog_entries.is_empty();
    if has_log || !material.timestamp_verification_data.rfc3161_timestamps.is_empty() {
        let mut policy = PublicKeyVerificationPolicy::new(key.der());
        if !has_log {
            policy = policy.skip_tlog_unsafe();
        }
        let verified = root
            .verifier()
            .verify(item.artifact(), &bundle, &policy)
            .map_err(|error| reason(error, &bundle, root, now))?;
        proof.times = verified.verified_timestamps().to_vec();
        proof.logs.extend(logs(&bundle, root, now));
    }
    proof.logs.sort();
    proof.logs.dedup();
    Ok(proof)
}
