//! `wayguard policy doc`: pages about policies, from what they say of themselves.

use crate::exit::{ExitStatus, Failure, unwritable};
use crate::handbook::{Form, pages};
use crate::output::Output;
use crate::policies::Disk;
use std::path::PathBuf;
use wayguard_engine::policy::library::Library;

/// Options of `policy doc`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  wayguard policy doc -o pages/ && man pages/wayguard-images-latest-tag.7
  wayguard policy doc policies/ -o docs/policies

Exit codes: 0 written, 3 a policy does not say of itself what it must.")]
pub(crate) struct Args {
    /// A folder that is laid out as the library is; without it the library that is built in
    #[arg(value_name = "DIR")]
    from: Option<PathBuf>,

    /// The folder for the pages; it is made if it is not there
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,

    /// What kind of pages
    #[arg(long, value_name = "FORM", default_value = "markdown")]
    format: Form,
}

/// Runs the command.
///
/// # Errors
/// If something cannot be read or written.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let pages = match &args.from {
        Some(folder) => pages(&Disk::default().library_with_samples(folder)?, args.format),
        None => pages(&Library::embedded(), args.format),
    };
    let pages = pages.map_err(Failure::Invalid)?;
    if pages.is_empty() {
        return Err(Failure::Invalid("there is no policy in what was named".to_owned()));
    }
    for (path, text) in &pages {
        let path = args.output.join(path);
        let unwritable = |error: std::io::Error| unwritable(&path, &error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(unwritable)?;
        }
        std::fs::write(&path, text).map_err(unwritable)?;
    }
    out.talk(format!("{} pages in {}", pages.len(), args.output.display()));
    Ok(ExitStatus::Fine)
}
