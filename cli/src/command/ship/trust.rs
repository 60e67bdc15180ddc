//! Who must have signed a bundle, and whether they did: the same verification as that of images.

use crate::authorities::Authorities;
use crate::exit::Failure;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use wayguard_images::authority::{AuthoritySpec, ImageAuthority, ImageAuthoritySpec, KeySpec};
use wayguard_images::digest::Digest;
use wayguard_images::discover;
use wayguard_images::reference::Reference;
use wayguard_images::registry::{Repository, Source};
use wayguard_images::verify::{Limits, verify};

/// Options that say who must have signed.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(crate) struct TrustArgs {
    /// A public key, PEM; with several, a signature by any of them counts
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,

    /// A file with ImageAuthority objects, and TrustRoots that they name: those that speak of the repository count
    #[arg(long = "authority", value_name = "FILE")]
    authorities: Vec<PathBuf>,
}

/// Who must have signed one bundle.
#[derive(Debug)]
pub(super) struct Trust(Vec<Arc<ImageAuthority>>);

/// Whether who must have signed did.
#[derive(Debug)]
pub(super) enum Vouched {
    /// Yes: by whom.
    By(Vec<String>),
    /// No: why what was found does not count.
    No(Vec<String>),
}

impl TrustArgs {
    /// Reads the files.
    ///
    /// # Errors
    /// If one cannot be read or used, or none speaks of the repository.
    pub(super) fn read(&self, of: &Reference) -> Result<Trust, Failure> {
        let mut all = Authorities::default();
        for path in &self.authorities {
            all.add(path)?;
        }
        if !self.keys.is_empty() {
            let mut keys = Vec::new();
            for path in &self.keys {
                let pem = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
                keys.push(KeySpec { pem: Some(pem), ..KeySpec::default() });
            }
            let authority = AuthoritySpec { name: "key".to_owned(), keys, ..AuthoritySpec::default() };
            let images = vec![format!("{}/{}", of.registry(), of.repository())];
            all.push("--key", ImageAuthoritySpec { images, authorities: vec![authority], require: None });
        }
        let speaking = all.compile()?.of(of);
        if speaking.is_empty() {
            return Err(Failure::Invalid(format!(
                "no ImageAuthority that was named speaks of `{}`",
                of.name()
            )));
        }
        Ok(Trust(speaking))
    }
}

impl Trust {
    /// Asks for everything beside the bundle, and verifies it.
    ///
    /// # Errors
    /// If it cannot be asked for.
    pub(super) async fn vouched(
        &self,
        source: &dyn Source,
        of: &Repository,
        digest: Digest,
    ) -> Result<Vouched, Failure> {
        let evidence =
            discover::evidence(source, of, digest).await.map_err(|error| Failure::Ours(error.to_string()))?;
        let verified = verify(&evidence, &self.0, &Limits::default(), Timestamp::now());
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
}
