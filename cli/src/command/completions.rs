//! `wayguard completions`: scripts that let a shell complete commands and options.

use crate::args::Cli;
use crate::exit::ExitStatus;
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
pub(crate) fn run(args: &Args, out: &mut Output) -> ExitStatus {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wayguard", &mut script);
    out.write(&String::from_utf8_lossy(&script));
    ExitStatus::Fine
}
