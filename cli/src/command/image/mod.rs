//! `wayguard image`: what is known of an image, and whether who should has signed it.

mod facts;
mod verify;

use crate::exit::{ExitStatus, Failure};
use crate::images::service;
use crate::output::Output;
use std::sync::Arc;
use wayguard_images::reference::Reference;
use wayguard_images::registry::credentials::Keyring;
use wayguard_images::registry::options::Bounds;
use wayguard_images::service::{Answer, Settings};
use wayguard_images::verify::Limits;

use crate::registries::RegistryArgs;
use crate::trust::TrustArgs;
use serde_json::Value;
use std::path::PathBuf;

/// The commands.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Tell who signed an image, what was attested of it, and what does not count and why
    Verify(verify::Args),
    /// Print what policies read of an image as `input.facts.images[ref]`
    Facts(facts::Args),
}

/// Runs one of them.
///
/// # Errors
/// If the image cannot be asked for, or the options cannot be used.
pub(crate) fn run(command: &Command, out: &mut Output) -> Result<ExitStatus, Failure> {
    match command {
        Command::Verify(args) => verify::run(args, out),
        Command::Facts(args) => facts::run(args, out),
    }
}

/// Options of both.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Asked {
    /// The image, as an object would name it
    #[arg(value_name = "IMAGE")]
    image: String,

    /// An OCI image layout that is asked in the place of the registry
    #[arg(long, value_name = "DIR")]
    offline: Option<PathBuf>,

    #[command(flatten)]
    trust: TrustArgs,

    #[command(flatten)]
    registries: RegistryArgs,
}

impl Asked {
    /// As it was named.
    fn image(&self) -> &str {
        &self.image
    }

    /// What is known of the image, as JSON.
    ///
    /// # Errors
    /// If it cannot be asked for, does not exist, or is named wrongly.
    fn facts(&self) -> Result<Arc<Value>, Failure> {
        let reference: Reference =
            self.image.parse().map_err(|problem| Failure::Invalid(format!("{problem}")))?;
        let settings = Settings {
            authorities: self.trust.authorities(&reference)?,
            allowed: vec![pattern(&reference)?],
            registries: self.registries.options(&[reference.registry()])?,
            bounds: Bounds::default(),
            limits: Limits::default(),
        };
        let service = service(settings, self.offline.as_deref(), Value::clone)?;
        let keyring = if self.offline.is_some() { Keyring::new() } else { self.registries.keyring()? };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Ours(format!("cannot start: {error}")))?;
        match runtime.block_on(service.ask(&self.image, &keyring)) {
            Answer::Known(facts) => Ok(facts),
            Answer::Absent => Err(Failure::Invalid(format!("`{}` does not exist", self.image))),
            Answer::Unavailable(reason) => Err(Failure::Ours(reason)),
        }
    }
}

/// This repository alone.
fn pattern(reference: &Reference) -> Result<wayguard_images::reference::RepositoryPattern, Failure> {
    let text = format!("{}/{}", reference.registry(), reference.repository());
    text.parse().map_err(|problem| Failure::Invalid(format!("{problem}")))
}
