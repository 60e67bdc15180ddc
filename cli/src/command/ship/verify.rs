//! `wayguard policy verify`: who vouches for a bundle in a registry.

use super::vouched::{Vouched, fetch, refuse};
use crate::exit::{ExitStatus, Failure};
use crate::output::Output;
use crate::registries::RegistryArgs;
use crate::trust::TrustArgs;

/// Options of `policy verify`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  wayguard policy verify ghcr.io/acme/policies:1.4.0 --key key.pub
  wayguard policy verify ghcr.io/acme/policies@sha256:… --authority authority.yaml

Exit codes: 0 it is signed by who should, 1 the registry cannot be asked, 2 it is not, 3 it is no bundle of policies.")]
pub(crate) struct Args {
    /// The bundle in the registry, by tag or digest
    #[arg(value_name = "REFERENCE")]
    of: String,

    #[command(flatten)]
    trust: TrustArgs,

    #[command(flatten)]
    registries: RegistryArgs,
}

/// Runs the command.
///
/// # Errors
/// If it cannot be asked for, or is no bundle.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let of = super::reference(&args.of)?;
    let (artifact, vouched) = fetch(&of, &args.trust, &args.registries)?;
    let about = super::about(&artifact.unpack().map_err(super::failed)?, &args.of)?;
    match vouched {
        Vouched::By(names) => {
            out.talk(super::summary(&about));
            names.iter().for_each(|name| out.talk(format!("signed by {name}")));
            out.data(format!("{}@{}", of.name(), artifact.digest));
            Ok(ExitStatus::Fine)
        }
        Vouched::No(reasons) => Ok(refuse(&of, artifact.digest, &reasons, out)),
    }
}
