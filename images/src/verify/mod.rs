//! Evidence, authorities and a clock in; what is proven out, and why the rest is not.
//!
//! Everything fails closed: what cannot be read, is of a kind that is not known, or is too large counts as not there,
//! with its reason beside it. The library does the cryptography of certificates, logs and timestamps (decision 0013);
//! what it leaves to its callers is in this folder.

mod certificate;
mod item;
mod key;
mod keyless;
mod legacy;
pub mod limits;
mod outcome;
pub mod reason;
mod second_log;
mod shape;
mod statement;
pub mod verified;

pub use limits::Limits;
pub use reason::Reason;
pub use verified::{
    Attestation, Certificate, Format, Rejected, Requirement, Signature, Signer, Verified, What, WhatKind,
};

use crate::authority::{Authority, ImageAuthority, Who};
use crate::evidence::Evidence;
use item::Item;
use jiff::Timestamp;
use std::sync::Arc;

/// Verifies all that was found beside an image.
///
/// `authorities` are those that speak of the image ([`crate::authority::ImageAuthorities::of`]); each of them judges
/// every piece of evidence. `now` is the clock: a time after it is refused as [`Reason::Clock`].
pub fn verify(
    evidence: &Evidence,
    authorities: &[Arc<ImageAuthority>],
    limits: &Limits,
    now: Timestamp,
) -> Verified {
    let mut out = Verified::of(evidence.digest);
    for authority in authorities {
        if let Some(why) = authority.why_sealed() {
            let (name, why) = (authority.name().to_owned(), why.to_owned());
            out.reject(None, None, Reason::Unusable { name, why });
        }
    }
    let found = evidence.bundles.len() + evidence.legacy.len();
    if found > limits.items {
        // Judging only some would let whoever floods a registry choose which.
        out.reject(None, None, Reason::TooMany { found, limit: limits.items });
    } else {
        for (what, read) in read(evidence, limits) {
            match read {
                Ok(item) => weigh(&what, &item, authorities, now, &mut out),
                Err(reason) => out.reject(Some(what), None, reason),
            }
        }
    }
    out.required = authorities.iter().map(|authority| Requirement::of(authority, &out.signatures)).collect();
    out
}

fn read<'e>(
    evidence: &'e Evidence,
    limits: &'e Limits,
) -> impl Iterator<Item = (What, Result<Item, Reason>)> + 'e {
    let bundles = evidence
        .bundles
        .iter()
        .map(|bytes| (What::bundle(bytes), Item::from_bundle(bytes, evidence.digest, limits)));
    let legacy = evidence
        .legacy
        .iter()
        .map(|layer| (What::layer(layer), Item::from_layer(layer, evidence.digest, limits)));
    bundles.chain(legacy)
}

fn weigh(what: &What, item: &Item, authorities: &[Arc<ImageAuthority>], now: Timestamp, out: &mut Verified) {
    for image_authority in authorities {
        for authority in image_authority.authorities() {
            let judged = proven(item, authority, now)
                .and_then(|signer| item.content(authority).map(|content| (signer, content)));
            match judged {
                Ok((proof, content)) => {
                    let signer = Signer::new(image_authority.name(), authority.name(), item.format, proof);
                    out.accept(what.clone(), signer, content, authority.vex());
                }
                Err(reason) => {
                    let name = (image_authority.name().to_owned(), authority.name().to_owned());
                    out.reject(Some(what.clone()), Some(name), reason);
                }
            }
        }
    }
}

/// Whether one of the authority's people signed this, with the evidence that the authority wants.
fn proven(item: &Item, authority: &Authority, now: Timestamp) -> Result<outcome::Proof, Reason> {
    if item.format == Format::Legacy && !authority.legacy {
        return Err(Reason::Legacy);
    }
    let proof = match &authority.who {
        Who::Keys(keys) => key::prove(item, keys, authority, now),
        Who::Keyless(identities) => keyless::prove(item, identities, authority, now),
    }?;
    match proof.times.iter().find(|time| **time > now) {
        Some(time) => Err(Reason::Clock { time: *time, now }),
        None => Ok(proof),
    }
}

#[cfg(test)]
mod accepted_tests;
#[cfg(test)]
mod hostile_layout_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod hostile_world;
#[cfg(test)]
mod tests_world;
