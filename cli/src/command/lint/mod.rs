//! `wayguard policy lint`: what is wrong with policies that still load, and what would mend it.

mod gather;
#[cfg(test)]
mod page;
mod report;

use crate::exit::{ExitStatus, Failure};
use crate::output::Output;
use report::Linted;
use std::path::PathBuf;
use wayguard_engine::lint::{lint, rule};

/// Options of `policy lint`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard policy lint policies/                 every policy, shared module and test below a folder
  wayguard policy lint policies/images/digest    one policy
  wayguard policy lint policies/ --strict        warnings count too
  wayguard policy lint policies/ --disable line-length,snake-case
  wayguard policy lint policies/ --format sarif > lint.sarif

What may stand is ignored where it stands, on its line or the one above, with a reason:
  # wayguard:ignore need-undeclared whoever is not known is not exempt
All rules, each with what it wants and why: docs/reference/lint.md.

Exit codes: 0 nothing is wrong, 2 something is, 3 what was named cannot be read, or holds no Rego.")]
pub(crate) struct Args {
    /// Files of Rego, policy folders, or folders of them
    #[arg(value_name = "FILE|DIR", required = true)]
    paths: Vec<PathBuf>,

    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// A rule that is not asked, by its id; repeatable
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    disable: Vec<String>,

    /// Fail on warnings too
    #[arg(long)]
    strict: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Human,
    /// For programs
    Json,
    /// For code-scanning services (SARIF 2.1.0)
    Sarif,
    /// Annotations in a GitHub pull request
    Github,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read, there is none, or a rule that is disabled does not exist.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    if let Some(unknown) = args.disable.iter().find(|id| rule(id).is_none()) {
        return Err(Failure::Invalid(format!(
            "there is no rule `{unknown}`; all rules are in docs/reference/lint.md"
        )));
    }
    let disabled: Vec<&str> = args.disable.iter().map(String::as_str).collect();
    let mut linted = Linted::default();
    for path in &args.paths {
        let gathered = gather::gather(path)?;
        if gathered.asked.is_empty() {
            return Err(Failure::Invalid(format!("there is no Rego (`*.rego`) below `{}`", path.display())));
        }
        let report = lint(&gathered.sources, &disabled);
        linted.add(report, &gathered.asked);
    }
    match args.format {
        Format::Human => linted.human(out),
        Format::Json => linted.json(out),
        Format::Sarif => linted.sarif(out),
        Format::Github => linted.github(out),
    }
    Ok(linted.status(args.strict))
}
