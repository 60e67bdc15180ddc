//! The command line: which command, and what all commands share.

use crate::command::{
    audit, bench, check, completions, control, doc, eval, explain, format, history, image, import, install,
    lint, new, pause, provision, report, sandbox, serve, ship, test, version,
};
use crate::exit::{ExitStatus, Failure};
use crate::output::{Color, Output};
use clap::Parser as _;
use std::ffi::OsString;

/// Admission control for a platform's golden path: fills in what a team left out, refuses what is unsafe and
/// says how to mend it. The same policies decide on a laptop, in CI and in the cluster.
#[derive(Debug, clap::Parser)]
#[command(
    name = "wayguard",
    version,
    propagate_version = true,
    max_term_width = 110,
    after_help = "\
Start here:
  wayguard check app.yaml          would my manifests be admitted?
  wayguard explain app.yaml        why, or why not?
  wayguard test policies/          do my policies do what they should?
  wayguard help check              all options of a command, with examples"
)]
pub(crate) struct Cli {
    /// When to colour the output; NO_COLOR is honoured
    #[arg(long, global = true, value_enum, default_value_t, env = "WAYGUARD_COLOR", hide_env = true)]
    color: Color,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run the admission server
    Serve(Box<serve::Args>),
    /// Tell what admission would say about manifests, before they reach a cluster
    Check(Box<check::Args>),
    /// Tell how a verdict comes about: which policies matched, what each rule saw, where it failed
    Explain(Box<explain::Args>),
    /// Tell what was decided, from where decisions are kept
    #[command(subcommand)]
    History(history::Command),
    /// Tell what the policies say about everything that runs, and what nobody judged
    Audit(Box<audit::Args>),
    /// Write what an audit finds as a report for people and auditors: one page, a table, or for programs
    Report(Box<report::Args>),
    /// Tell what a claim or a labelled Namespace would get: objects, outputs, approvals, cost
    Provision(Box<provision::Args>),
    /// Run the unit tests and samples of policies
    Test(test::Args),
    /// Start a real API server on this machine with the gate in front of it
    Sandbox(Box<sandbox::Args>),
    /// Install the suite into a cluster, without Helm
    Install(Box<install::Args>),
    /// The emergency brake: nothing fails closed, nothing is repaired, until it is released
    Pause(Box<pause::Args>),
    /// Keep webhook configurations, certificates and statuses in order; runs in the cluster
    Control(Box<control::Args>),
    /// Tools for authors of policies
    #[command(subcommand)]
    Policy(Policy),
    /// Tell what is known of an image, and whether who should has signed it
    #[command(subcommand)]
    Image(image::Command),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the version, and which policies are built in
    Version,
}

#[derive(Debug, clap::Subcommand)]
enum Policy {
    /// Make the start of a policy that works, with its test and samples
    New(new::Args),
    /// Lay out Rego, as `opa fmt` does
    Fmt(format::Args),
    /// Measure what policies cost, and compare with a baseline
    Bench(bench::Args),
    /// Find what is wrong with policies that still load, and what would mend it
    Lint(lint::Args),
    /// Evaluate a Rego query, as `opa eval` does
    Eval(eval::Args),
    /// Turn Gatekeeper's templates and constraints into native policies
    Import(import::Args),
    /// Make pages about policies from what they say of themselves
    Doc(doc::Args),
    /// Pack a folder of policies into one file
    Build(ship::build::Args),
    /// Put such a file into a registry, signed
    Push(ship::push::Args),
    /// Get it out of a registry, if it is signed by who should
    Pull(ship::pull::Args),
    /// Tell who vouches for what is in a registry
    Verify(ship::verify::Args),
}

/// Runs the program with these arguments (the first is its own name).
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitStatus {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let asked_for = !error.use_stderr();
            // Nobody can be told that the terminal is gone.
            let _ = error.print();
            return if asked_for { ExitStatus::Fine } else { ExitStatus::Invalid };
        }
    };
    let mut out = Output::of_process(cli.color);
    let status = run(cli.command, &mut out).unwrap_or_else(|failure| {
        out.error(&failure);
        failure.status()
    });
    match out.finish() {
        Ok(()) => status,
        Err(_) => ExitStatus::OurFailure,
    }
}

fn run(command: Command, out: &mut Output) -> Result<ExitStatus, Failure> {
    match command {
        Command::Serve(args) => serve::run(*args, out),
        Command::Check(args) => check::run(&args, out),
        Command::Explain(args) => explain::run(&args, out),
        Command::History(command) => history::run(command, out),
        Command::Audit(args) => audit::run(&args, out),
        Command::Report(args) => report::run(&args, out),
        Command::Provision(args) => provision::run(&args, out),
        Command::Test(args) => test::run(&args, out),
        Command::Sandbox(args) => sandbox::run(&args, out),
        Command::Install(args) => install::run(&args, out),
        Command::Pause(args) => pause::run(&args, out),
        Command::Control(args) => control::run(*args, out),
        Command::Policy(Policy::New(args)) => new::run(&args, out),
        Command::Policy(Policy::Fmt(args)) => format::run(&args, out),
        Command::Policy(Policy::Bench(args)) => bench::run(&args, out),
        Command::Policy(Policy::Lint(args)) => lint::run(&args, out),
        Command::Policy(Policy::Eval(args)) => eval::run(&args, out),
        Command::Policy(Policy::Import(args)) => import::run(&args, out),
        Command::Policy(Policy::Doc(args)) => doc::run(&args, out),
        Command::Policy(Policy::Build(args)) => ship::build::run(&args, out),
        Command::Policy(Policy::Push(args)) => ship::push::run(&args, out),
        Command::Policy(Policy::Pull(args)) => ship::pull::run(&args, out),
        Command::Policy(Policy::Verify(args)) => ship::verify::run(&args, out),
        Command::Image(command) => image::run(&command, out),
        Command::Completions(args) => Ok(completions::run(&args, out)),
        Command::Version => Ok(version::run(out)),
    }
}
