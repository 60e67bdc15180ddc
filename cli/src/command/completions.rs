//! `wayguard completions`: scripts that let a shell complete commands and options.

use crate::args::Cli;
use crate::exit::{ExitStatus, Failure};
use crate::output::Output;
use clap::CommandFactory as _;
use clap_complete::Shell;

/// Options of `completions`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard completions bash > /etc/bash_completion.d/wayguard
  wayguard completions zsh > \"${fpath[1]}/_wayguard\"
  wayguard completions fish > ~/.config/fish/completions/wayguard.fish")]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command.
///
/// # Errors
/// None.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wayguard", &mut script);
    out.write(&String::from_utf8_lossy(&script));
    Ok(ExitStatus::Fine)
}
