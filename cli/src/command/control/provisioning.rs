//! `wayguard control --role=provisioning`: what claims and labelled Namespaces ask for.

use super::{Args, identity};
use crate::exit::Failure;
use crate::policies::Disk;
use std::path::Path;
use std::sync::Arc;
use wayguard_engine::policy::library::Library;
use wayguard_provisioning::controller::Options;

/// What the command line says to the controller. `--policies` names folders with packages of classes.
///
/// # Errors
/// If one of them is none, or cannot be read.
pub(super) fn options(args: &Args) -> Result<Options, Failure> {
    let mut library = Library::embedded().as_ref().clone();
    for folder in &args.policies.policies {
        let folder = Path::new(folder);
        if !folder.join("provision").is_dir() {
            return Err(Failure::Invalid(format!(
                "`{}` is no folder with a folder `provision` in it, where the packages of classes lie",
                folder.display()
            )));
        }
        library = library.overlaid(&Disk::default().library_with_samples(folder)?);
    }
    Ok(Options {
        own_namespace: args.suite.own_namespace.clone(),
        identity: args.identity.clone().unwrap_or_else(identity),
        library: Arc::new(library),
    })
}
