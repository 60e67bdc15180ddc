//! `wayguard version`: this program, and the policies that are built into it.

use crate::exit::{ExitStatus, Failure};
use crate::output::Output;
use wayguard_engine::policy::library::Library;

/// Runs the command.
///
/// # Errors
/// None.
pub(crate) fn run(out: &mut Output) -> Result<ExitStatus, Failure> {
    let library = Library::embedded();
    out.data(format_args!("wayguard {}", env!("CARGO_PKG_VERSION")));
    out.data(format_args!("policies: {}", library.policy_ids().len()));
    out.data(format_args!("bundles: {}", library.bundles().join(", ")));
    Ok(ExitStatus::Fine)
}
