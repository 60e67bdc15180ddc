//! A signature by one of an authority's keys.
//!
//! The signature is checked here, also where no log and no timestamp vouches for it, which the library does not offer
//! (and which is what `cosign sign --key` writes where there is no network); logs and timestamps are the library's.

use crate::authority::{Authority, spec::Wanted};
use crate::trust::PublicKey;
use crate::verify::Reason;
use crate::verify::item::{Item, Signed};
use crate::verify::outcome::{Proof, logs, reason, wanted};
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
    let signed = |key: &&PublicKey| match &item.signed {
        Signed::Digest(digest) => key.signed_digest(*digest, &item.signature),
        Signed::Message(message) => key.signed(message, &item.signature),
    };
    let key = keys.iter().find(signed).ok_or(Reason::WrongKey)?;
    let mut proof = Proof { key: Some(key.fingerprint()), ..Proof::default() };
    let bundle = wanted(item, authority)?;
    let material = &bundle.verification_material;
    let has_log = !material.tlog_entries.is_empty();
    let has_time = !material.timestamp_verification_data.rfc3161_timestamps.is_empty();
    let Some(root) = authority.root.as_ref().filter(|_| has_log || has_time) else { return Ok(proof) };
    let mut policy = PublicKeyVerificationPolicy::new(key.der());
    // What has no proof has passed `wanted`: it is the layout before bundles, whose promise is checked all the same.
    if !has_log || authority.log == Wanted::Off {
        policy = policy.skip_tlog_unsafe();
    }
    let verified = root
        .verifier()
        .verify(item.artifact(), &bundle, &policy)
        .map_err(|error| reason(error, &bundle, root, now))?;
    proof.times = verified.verified_timestamps().to_vec();
    proof.logs = logs(&bundle, root);
    Ok(proof)
}
