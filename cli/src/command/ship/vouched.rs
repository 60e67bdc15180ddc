//! Whether who must have signed a bundle did: the same verification as that of images.

use crate::exit::{ExitStatus, Failure};
use crate::output::Output;
use crate::registries::RegistryArgs;
use crate::trust::TrustArgs;
use jiff::Timestamp;
use std::sync::Arc;
use wayguard_bundle::artifact::{self, Artifact};
use wayguard_images::authority::ImageAuthority;
use wayguard_images::digest::Digest;
use wayguard_images::discover;
use wayguard_images::reference::Reference;
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

/// A bundle out of a registry, and whether who must have signed it did.
///
/// # Errors
/// If it cannot be asked for, or is no bundle.
pub(super) fn fetch(
    of: &Reference,
    trust: &TrustArgs,
    registries: &RegistryArgs,
) -> Result<(Artifact, Vouched), Failure> {
    let authorities = trust.authorities(of)?.of(of);
    let (client, repository) = (registries.client(of)?, Repository::of(of));
    super::wait(async {
        let artifact = artifact::pull(&client, &repository, &of.asked()).await.map_err(super::failed)?;
        let vouched = vouched(&authorities, &client, &repository, artifact.digest).await?;
        Ok((artifact, vouched))
    })
}

/// Says that a bundle is not signed by who should, and why what was found does not count.
pub(super) fn refuse(of: &Reference, digest: Digest, reasons: &[String], out: &mut Output) -> ExitStatus {
    out.error(format!("`{of}` is not signed by who should ({digest}):"));
    reasons.iter().for_each(|reason| out.talk(format!("  {reason}")));
    ExitStatus::Denied
}

/// Asks for everything beside the bundle, and verifies it by those who speak of it.
async fn vouched(
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
