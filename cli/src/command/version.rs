//! `wayguard version`: this program, and the policies that are built into it.

use crate::exit::ExitStatus;
use crate::output::Output;
use wayguard_engine::policy::library::Library;

/// Runs the command.
pub(crate) fn run(out: &mut Output) -> ExitStatus {
    let library = Library::embedded();
    out.data(format_args!("wayguard {}", env!("CARGO_PKG_VERSION")));
    out.data(format_args!("policies: {}", library.policy_ids().len()));
    out.data(format_args!("bundles: {}", library.bundles().join(", ")));
    ExitStatus::Fine
}
