//! A signature by a key that a certificate binds to one of an authority's identities.

use crate::authority::{Authority, Identity, spec::Wanted};
use crate::verify::Reason;
use crate::verify::certificate;
use crate::verify::item::Item;
use crate::verify::outcome::{Proof, logs, reason, wanted};
use jiff::Timestamp;
use sigstore_verify::VerificationPolicy;

pub(super) fn prove(
    item: &Item,
    identities: &[Identity],
    authority: &Authority,
    now: Timestamp,
) -> Result<Proof, Reason> {
    let der = item.bundle.signing_certificate().ok_or(Reason::NotByCertificate)?;
    // Whom it names is compared before anything is proven, because that is cheap; nothing counts before both are done.
    let named = certificate::read(der)?;
    expected(&named.subject, &named.issuer, identities)?;
    let root = authority.root.as_ref().ok_or(Reason::NotByCertificate)?;
    let bundle = wanted(item, authority)?;
    let mut policy = VerificationPolicy::any_identity();
    if bundle.verification_material.tlog_entries.is_empty() {
        policy = policy.skip_tlog_unsafe();
    }
    let has_sct = certificate::has_sct(der);
    if authority.sct == Wanted::Off || (authority.sct == Wanted::Optional && !has_sct) {
        policy = policy.skip_sct();
    }
    let verified = root
        .verifier()
        .verify(item.artifact(), &bundle, &policy)
        .map_err(|error| reason(error, &bundle, root, now))?;
    // The library says what it did; without this, a switch of its own would be enough to prove nothing.
    if !verified.certificate_verified() || verified.verified_timestamps().is_empty() {
        return Err(Reason::Untrusted("the library did not verify its chain at a time".to_owned()));
    }
    Ok(Proof {
        key: None,
        certificate: Some(named),
        logs: logs(&bundle, root, now),
        times: verified.verified_timestamps().to_vec(),
    })
}

fn expected(subject: &str, issuer: &str, identities: &[Identity]) -> Result<(), Reason> {
    if identities.iter().any(|identity| identity.issued_by(issuer) && identity.names(subject)) {
        return Ok(());
    }
    Err(if !identities.iter().any(|identity| identity.issued_by(issuer)) {
        Reason::Issuer(issuer.to_owned())
    } else if !identities.iter().any(|identity| identity.names(subject)) {
        Reason::Subject(subject.to_owned())
    } else {
        Reason::Pair { subject: subject.to_owned(), issuer: issuer.to_owned() }
    })
}
