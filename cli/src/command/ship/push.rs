//! `wayguard policy push`: a bundle into a registry, with a signature if a key is given.

use crate::exit::{ExitStatus, Failure};
use crate::output::Output;
use crate::registries::RegistryArgs;
use std::path::PathBuf;
use wayguard_bundle::artifact;
use wayguard_bundle::signing::SigningKey;
use wayguard_images::registry::Repository;

/// Options of `policy push`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem
  openssl pkey -in key.pem -pubout -out key.pub
  wayguard policy push acme-policies.tar.gz ghcr.io/acme/policies:1.4.0 --sign-key key.pem

It prints the reference by digest: that is what a PolicyBundle names, and what `cosign sign` can sign as well.

Exit codes: 0 written, 1 the registry does not take it, 3 the file is no bundle or the key is none.")]
pub(crate) struct Args {
    /// What `policy build` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where to: a repository with a tag; without a tag, the bundle's version is the tag
    #[arg(value_name = "REFERENCE")]
    to: String,

    /// Sign it with this private key: PKCS #8, PEM, on P-256, without a password
    #[arg(long, value_name = "FILE", env = "WAYGUARD_SIGN_KEY")]
    sign_key: Option<PathBuf>,

    #[command(flatten)]
    registries: RegistryArgs,
}

/// Runs the command.
///
/// # Errors
/// If the file is no bundle, the key is none, or the registry does not take it.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let (archive, bytes) = super::read(&args.file)?;
    let about = super::about(&archive, &args.file.display().to_string())?;
    let to = super::reference(&args.to)?;
    if to.digest().is_some() {
        let words = "names a digest, which only the registry can give; name a tag";
        return Err(Failure::Invalid(format!("`{to}` {words}")));
    }
    let key = args.sign_key.as_deref().map(signing_key).transpose()?;
    let (client, repository) = (args.registries.client(&to)?, Repository::of(&to));
    // A `+` is in versions but not in tags.
    let tag = to.tag().map_or_else(|| about.version.to_string().replace('+', "_"), ToOwned::to_owned);
    let ours = |error: wayguard_images::registry::RegistryError| Failure::Ours(error.to_string());
    let digest = super::wait(async {
        let pushed =
            artifact::push(&client, &repository, &tag, &archive, bytes.into()).await.map_err(ours)?;
        if let Some(key) = &key {
            let signature = key.sign(pushed.digest).map_err(|_| Failure::Ours("cannot sign".to_owned()))?;
            artifact::attach(&client, &repository, &pushed, signature).await.map_err(ours)?;
        }
        Ok(pushed.digest)
    })?;
    out.talk(super::summary(&about));
    if key.is_none() {
        out.note(
            "it is not signed, and nobody will take it so; sign it with `--sign-key`, or with `cosign sign`",
        );
    }
    out.data(format!("{}@{digest}", to.name()));
    Ok(ExitStatus::Fine)
}

/// Reads a key to sign with.
///
/// # Errors
/// If it cannot be read, or is none.
pub(in crate::command) fn signing_key(path: &std::path::Path) -> Result<SigningKey, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    SigningKey::from_pem(&text)
        .map_err(|problem| Failure::Invalid(format!("`{}`: {problem}", path.display())))
}
