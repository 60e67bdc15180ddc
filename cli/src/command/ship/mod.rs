//! `wayguard policy build`, `push`, `pull` and `verify`: policies as one file, in a registry, signed.

pub(crate) mod build;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod verify;
mod vouched;

use crate::exit::Failure;
use std::path::Path;
use wayguard_bundle::archive::Archive;
use wayguard_bundle::artifact::ArtifactError;
use wayguard_bundle::manifest::About;
use wayguard_images::reference::Reference;

/// Reads an archive from disk.
///
/// # Errors
/// If it cannot be read, or is none.
pub(crate) fn read(path: &Path) -> Result<(Archive, Vec<u8>), Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::unreadable(path, &error))?;
    let archive = Archive::unpack(&bytes).map_err(|problem| {
        Failure::Invalid(format!("`{}` is no bundle of policies: {problem}", path.display()))
    })?;
    Ok((archive, bytes))
}

/// What an archive says of itself.
fn about(archive: &Archive, shown: &str) -> Result<About, Failure> {
    let none = || {
        let words = "says neither its name nor its version: `wayguard policy build` makes bundles that do";
        Failure::Invalid(format!("`{shown}` {words}"))
    };
    archive.manifest.metadata.wayguard.clone().ok_or_else(none)
}

/// A name, a version and what is in it, for people.
fn summary(about: &About) -> String {
    let count =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let policies = count(about.policies.len(), "policy", "policies");
    format!(
        "{} {}: {policies}, {}",
        about.name,
        about.version,
        count(about.bundles.len(), "bundle", "bundles")
    )
}

/// Reads a place in a registry.
fn reference(text: &str) -> Result<Reference, Failure> {
    text.parse()
        .map_err(|problem| Failure::Invalid(format!("{problem}; `ghcr.io/acme/policies:1.4.0` would be one")))
}

/// An error of a registry is ours, but what it has may be the user's.
fn failed(error: ArtifactError) -> Failure {
    match &error {
        ArtifactError::Registry(_) => Failure::Ours(error.to_string()),
        _ => Failure::Invalid(error.to_string()),
    }
}

/// Runs something that waits for a network.
fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Ours(format!("cannot start: {error}")))?.block_on(work)
}
