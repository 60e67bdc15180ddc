//! `wayguard policy pull`: a bundle out of a registry, if it is signed by who should and does not go back.

use super::vouched::{Vouched, fetch, refuse};
use crate::exit::{ExitStatus, Failure, unwritable};
use crate::output::Output;
use crate::registries::RegistryArgs;
use crate::trust::TrustArgs;
use std::path::{Path, PathBuf};
use wayguard_bundle::artifact::may_follow;
use wayguard_bundle::manifest::About;

/// Options of `policy pull`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
A file that is there already is only replaced by the same bundle in the same or a newer version.

Example:
  wayguard policy pull ghcr.io/acme/policies:1.4.0 --key key.pub -o acme-policies.tar.gz
  wayguard check --policies acme-policies.tar.gz --policies production app.yaml

Exit codes: 0 written, 1 the registry cannot be asked, 2 it is not signed by who should or goes back, 3 it is no
bundle of policies.")]
pub(crate) struct Args {
    /// The bundle in the registry, by tag or digest
    #[arg(value_name = "REFERENCE")]
    of: String,

    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Let an older version, or another bundle, take the place of the one that is there
    #[arg(long)]
    allow_rollback: bool,

    #[command(flatten)]
    trust: TrustArgs,

    #[command(flatten)]
    registries: RegistryArgs,
}

/// Runs the command.
///
/// # Errors
/// If it cannot be asked for, is no bundle, or cannot be written.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let of = super::reference(&args.of)?;
    let (artifact, vouched) = fetch(&of, &args.trust, &args.registries)?;
    if let Vouched::No(reasons) = vouched {
        return Ok(refuse(&of, artifact.digest, &reasons, out));
    }
    let new = super::about(&artifact.unpack().map_err(super::failed)?, &args.of)?;
    if !args.allow_rollback
        && let Err(problem) = follows(&new, &args.output)
    {
        out.error(format!("{problem}; `--allow-rollback` lets it"));
        return Ok(ExitStatus::Denied);
    }
    write(&args.output, &artifact.archive)?;
    out.talk(super::summary(&new));
    out.data(format!("{}@{}", of.name(), artifact.digest));
    Ok(ExitStatus::Fine)
}

/// Whether a bundle may take the place of what is in a file.
fn follows(new: &About, file: &Path) -> Result<(), String> {
    if !file.exists() {
        return Ok(());
    }
    let shown = file.display();
    // What is no bundle is somebody's file.
    let old = super::read(file).and_then(|(archive, _)| super::about(&archive, &shown.to_string()));
    let old = old.map_err(|problem| problem.to_string())?;
    if old.name != new.name {
        return Err(format!("`{shown}` holds `{}`, and this is `{}`", old.name, new.name));
    }
    may_follow(&new.version, &old.version)
}

/// Writes a file whole: who reads it meanwhile sees the old one or the new.
fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    crate::whole_file::write(file, bytes).map_err(|error| unwritable(file, &error))
}
