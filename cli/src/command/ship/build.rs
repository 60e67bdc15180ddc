//! `wayguard policy build`: a folder of policies as one file.

use crate::exit::{ExitStatus, Failure, unwritable};
use crate::output::Output;
use crate::policies::{Disk, name_as_on_disk, stray_bundles};
use semver::Version;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wayguard_bundle::archive::{Archive, LARGEST};
use wayguard_bundle::manifest::Manifest;
use wayguard_engine::policy::compiled;
use wayguard_engine::policy::library::Library;

/// Options of `policy build`.
#[derive(Clone, Debug, clap::Args)]
#[command(
    disable_version_flag = true,
    after_help = "\
What goes in: each policy.rego below DIR, the shared Rego that they import (the library's own too), and the Bundle
objects in bundles/. Tests and samples stay behind. The same files give the same bytes, so that two builds can be
compared by their digest. The file is an OPA bundle: `opa run -b FILE` reads it.

Example:
  wayguard policy build policies --name acme-policies --version 1.4.0 -o acme-policies.tar.gz
  wayguard check --policies acme-policies.tar.gz --policies production app.yaml

Exit codes: 0 written, 3 a policy cannot be loaded."
)]
pub(crate) struct Args {
    /// A folder that is laid out as the library is: CATEGORY/NAME/policy.rego, lib/, bundles/
    #[arg(value_name = "DIR")]
    from: PathBuf,

    /// What it is called
    #[arg(long, value_name = "NAME")]
    name: String,

    /// Its version (semver.org); one of a lower version does not take the place of one of a higher
    #[arg(long, value_name = "VERSION")]
    version: Version,

    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// If a policy cannot be loaded, or something cannot be read or written.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let library = self_contained(&Disk::default().library(&args.from, true)?, &args.from)?;
    if let Some(stray) = stray_bundles(&args.from)?.first() {
        let bundles = args.from.join("bundles");
        return Err(Failure::Invalid(format!(
            "`{}` holds a Bundle, which would stay behind: move it to `{}`, as NAME.yaml",
            stray.display(),
            bundles.display()
        )));
    }
    let manifest = Manifest::of(&args.name, &args.version, &library);
    let archive = Archive { manifest, library };
    let bytes = archive.pack().map_err(|error| Failure::Ours(format!("cannot be packed: {error}")))?;
    if bytes.len() > LARGEST {
        let words = format!("is {} bytes, and registries and clusters take {LARGEST}", bytes.len());
        return Err(Failure::Invalid(format!("`{}` {words}; build smaller bundles", args.output.display())));
    }
    std::fs::write(&args.output, &bytes).map_err(|error| unwritable(&args.output, &error))?;
    out.talk(super::summary(&super::about(&archive, &args.name)?));
    out.data(args.output.display());
    Ok(ExitStatus::Fine)
}

/// The policies with all that they import, if all of them load and all bundles can be put together.
fn self_contained(own: &Library, folder: &Path) -> Result<Library, Failure> {
    let embedded = Library::embedded();
    let whole = embedded.overlaid(own);
    let mut files: BTreeMap<String, String> = own.files().clone();
    let mut problems = Vec::new();
    let ids = own.policy_ids();
    if ids.is_empty() {
        let words = "has no policy: they are looked for as CATEGORY/NAME/policy.rego";
        return Err(Failure::Invalid(format!("`{}` {words}", folder.display())));
    }
    for id in &ids {
        let mut modules = whole.with_imports(own.policy(id).into_iter().collect());
        for module in &modules {
            files.entry(module.path.clone()).or_insert_with(|| module.text.clone());
        }
        name_as_on_disk(folder, &mut modules);
        if let Err(errors) = compiled::compile(modules, false) {
            problems.extend(errors.iter().map(ToString::to_string));
        }
    }
    for name in own.bundles() {
        if let Some(Err(problem)) = whole.members(&name) {
            problems.push(problem);
        }
    }
    if problems.is_empty() {
        Ok(Library::from_files(files))
    } else {
        Err(Failure::Invalid(problems.join("\n")))
    }
}
