//! `wayguard image facts`: what policies read of an image.

use super::Asked;
use crate::exit::{ExitStatus, Failure};
use crate::output::Output;

/// Options of `image facts`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  wayguard image facts ghcr.io/acme/app:1.4.0 --authority authority.yaml
  wayguard image facts ghcr.io/acme/app:1.4.0 --key cosign.pub | jq .scans

Exit codes: 0 printed, 1 the registry cannot be asked, 3 there is no such image, or an option cannot be used.")]
pub(crate) struct Args {
    #[command(flatten)]
    asked: Asked,
}

/// Runs the command.
///
/// # Errors
/// If the image cannot be asked for.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let facts = args.asked.facts()?;
    out.data(format!("{facts:#}"));
    Ok(ExitStatus::Fine)
}
