//! A bundle out of a registry with who vouches for it, and the words for when nobody does.

use crate::exit::{ExitStatus, Failure};
use crate::output::Output;
use crate::registries::RegistryArgs;
use crate::trust::TrustArgs;
use wayguard_bundle::artifact::{self, Artifact};
pub(super) use wayguard_bundle::vouched::Vouched;
use wayguard_bundle::vouched::vouched;
use wayguard_images::digest::Digest;
use wayguard_images::reference::Reference;
use wayguard_images::registry::Repository;

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
        let vouched = vouched(&authorities, &client, &repository, artifact.digest).await;
        let vouched = vouched.map_err(|error| Failure::Ours(error.to_string()))?;
        Ok((artifact, vouched))
    })
}

/// Says that a bundle is not signed by who should, and why what was found does not count.
pub(super) fn refuse(of: &Reference, digest: Digest, reasons: &[String], out: &mut Output) -> ExitStatus {
    out.error(format!("`{of}` is not signed by who should ({digest}):"));
    reasons.iter().for_each(|reason| out.talk(format!("  {reason}")));
    ExitStatus::Denied
}
