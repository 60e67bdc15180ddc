//! Whether who must have signed a bundle did: the same verification as that of images.

use jiff::Timestamp;
use std::sync::Arc;
use wayguard_images::authority::ImageAuthority;
use wayguard_images::digest::Digest;
use wayguard_images::discover;
use wayguard_images::registry::{RegistryError, Repository, Source};
use wayguard_images::verify::{Limits, verify};

/// Whether who must have signed did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vouched {
    /// Yes: by whom, each once, in order.
    By(Vec<String>),
    /// No: why what was found does not count, and what is lacking.
    No(Vec<String>),
}

/// Asks for everything that lies beside a bundle, and verifies it by `authorities`, those who speak of its repository:
/// each must be satisfied. Of none it is vouched for by nobody.
///
/// # Errors
/// If the registry does not answer.
pub async fn vouched(
    authorities: &[Arc<ImageAuthority>],
    source: &dyn Source,
    of: &Repository,
    digest: Digest,
) -> Result<Vouched, RegistryError> {
    let evidence = discover::evidence(source, of, digest).await?;
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
