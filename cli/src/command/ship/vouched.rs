//! Whether who must have signed a bundle did: the same verification as that of images.

use crate::exit::Failure;
use jiff::Timestamp;
use std::sync::Arc;
use wayguard_images::authority::ImageAuthority;
use wayguard_images::digest::Digest;
use wayguard_images::discover;
use wayguard_images::registry::{Repository, Source};
use wayguard_images::verify::{Limits, verify};

/// Whether who must have signed did.
#[derive(Debug)]
pub(super) enum Vouched {
    /// Yes: by whom.
    By(Vec<String>),
    /// No: why what was found does not count.
    No(Vec<String>),
}

/// Asks for everything beside the bundle, and verifies it by those who speak of it.
///
/// # Errors
/// If it cannot be asked for.
pub(super) async fn vouched(
    authorities: &[Arc<ImageAuthority>],
    source: &dyn Source,
    of: &Repository,
    digest: Digest,
) -> Result<Vouched, Failure> {
    let evidence =
        discover::evidence(source, of, digest).await.map_err(|error| Failure::Ours(error.to_string()))?;
    let verified = verify(&evidence, authorities, &Limits::default(), Timestamp::now());
    if verified.satisfied() {
        let mut names: Vec<String> =
            verified.signatures.iter().map(|signature| signature.signer.to_string()).collect();
        names.sort();
        names.dedup();
        return Ok(Vouched::By(names));
    }
    let mut reasons: Vec<String> = verified.rejected.iter().map(ToString::to_string).collect();
    let lacking = verified.required.iter().filter(|requirement| !requirement.satisfied);
    reasons.extend(lacking.map(|requirement| {
        format!("{}: {} of {} signatures", requirement.name, requirement.signers, requirement.required)
    }));
    Ok(Vouched::No(reasons))
}
