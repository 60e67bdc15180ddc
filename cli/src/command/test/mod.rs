//! `wayguard test`: a policy folder's unit tests and samples, the tests of shared Rego, and Gatekeeper's suites.

mod coverage;
mod head;
mod pairing;
mod report;
mod samples;
mod subject;
mod suites;
mod units;

use crate::exit::{ExitStatus, Failure, unwritable};
use crate::input::walk;
use crate::output::Output;
use crate::parallel::on_all_cores;
use crate::policies::policy_folders;
use crate::whole_file;
use coverage::Coverage;
use report::{Covered, Report};
use std::path::{Path, PathBuf};
use subject::Subject;
use wayguard_engine::policy::library::Library;

/// Options of `test`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard test policies/                     every policy below a folder
  wayguard test policies/images/latest-tag    one policy
  wayguard test policies/ --format junit > report.xml
  wayguard test policies/ --coverage --threshold 100 --html coverage.html
                                              which lines of the policies no test comes to

A policy folder has policy.rego, unit tests (policy_test.rego: rules named test_…) and samples: Kubernetes
objects in samples/allowed and samples/denied, whose first comment says what is to be found in them. A folder
without tests or without samples fails. Files of Gatekeeper's kind Suite are run as `gator verify` runs them.

Coverage counts lines on which a rule's head, an else, or an expression begins; a line is covered if tests came
to all that begins on it.

Exit codes: 0 all passed, 1 below the threshold, 2 something failed, 3 a folder has no policies.")]
pub(crate) struct Args {
    /// Policy folders, or folders with policy folders or Gatekeeper's suites below; or a suite's file
    #[arg(value_name = "DIR|FILE", required = true)]
    folders: Vec<PathBuf>,

    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Say which lines of policies and shared modules the unit tests and samples came to
    #[arg(long)]
    coverage: bool,

    /// Fail if fewer of the lines are covered
    #[arg(long, value_name = "PERCENT", requires = "coverage", value_parser = percent)]
    threshold: Option<f64>,

    /// Write what is covered to this file, as one page of HTML
    #[arg(long, value_name = "FILE", requires = "coverage")]
    html: Option<PathBuf>,
}

/// A number from 0 to 100.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>().ok();
    number
        .filter(|number| (0.0..=100.0).contains(number))
        .ok_or_else(|| "must be a number from 0 to 100".to_owned())
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Human,
    /// For programs
    Json,
    /// For continuous-integration services (JUnit XML)
    Junit,
}

/// Runs the command.
///
/// # Errors
/// If a folder cannot be read, or has nothing to test.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let embedded = Library::embedded();
    let mut suites = Vec::new();
    for folder in &args.folders {
        let found = suites_below(folder)?;
        if found.is_empty() {
            return Err(Failure::Invalid(format!(
                "`{}` has no policies: no `policy.rego`, no `*_test.rego` and no Suite of Gatekeeper's below it",
                folder.display()
            )));
        }
        suites.extend(found);
    }
    let mut seen = std::collections::BTreeSet::new();
    suites.retain(|suite| seen.insert(suite.path().to_owned()));
    let (mut report, mut coverage) = run_all(&suites, &embedded, args.coverage)?;
    if args.coverage {
        coverage.settle(&args.folders)?;
        if let Some(file) = &args.html {
            whole_file::write(file, &coverage.html()).map_err(|error| unwritable(file, &error))?;
        }
        report.coverage = Some(Covered { coverage, threshold: args.threshold });
    }
    match args.format {
        Format::Human => report.human(out),
        Format::Json => report.json(out),
        Format::Junit => report.junit(out),
    }
    if let Some(problem) = report.coverage.as_ref().and_then(Covered::problem) {
        out.error(problem);
    }
    Ok(report.status())
}

/// Runs the suites on all cores; the report is in their order.
fn run_all(suites: &[Suite], embedded: &Library, watched: bool) -> Result<(Report, Coverage), Failure> {
    let done = on_all_cores("testing", suites, Suite::name, |suite| {
        let mut coverage = Coverage::default();
        let watch = watched.then_some(&mut coverage);
        let cases = match suite {
            Suite::Policy(path) => Subject::policy(path, embedded)?.run(watch),
            Suite::Shared(path) => Subject::shared(path, embedded)?.run(watch),
            Suite::Gatekeeper(path) => suites::run(path)?,
        };
        Ok::<_, Failure>((cases, coverage))
    });
    let (mut report, mut all) = (Report::default(), Coverage::default());
    for one in done {
        let (cases, coverage) = one?;
        report.cases.extend(cases);
        all.merge(coverage);
    }
    Ok((report, all))
}

/// Something that has tests.
enum Suite {
    /// A folder with a `policy.rego`.
    Policy(PathBuf),
    /// A `*_test.rego` elsewhere, beside the module it tests.
    Shared(PathBuf),
    /// A file with a `Suite`.
    Gatekeeper(PathBuf),
}

impl Suite {
    fn path(&self) -> &Path {
        match self {
            Self::Policy(path) | Self::Shared(path) | Self::Gatekeeper(path) => path,
        }
    }

    fn name(&self) -> &str {
        self.path().file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default()
    }
}

fn suites_below(folder: &Path) -> Result<Vec<Suite>, Failure> {
    if folder.is_file() && suites::is_suite(folder) {
        return Ok(vec![Suite::Gatekeeper(folder.to_owned())]);
    }
    if !folder.is_dir() {
        return Err(Failure::Invalid(format!("`{}` is no folder and no Suite", folder.display())));
    }
    let policies = policy_folders(folder)?;
    let is_test =
        |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("_test.rego"));
    let shared = walk(folder, &is_test)?
        .into_iter()
        .filter(|path| !policies.iter().any(|policy| path.starts_with(policy)));
    let shared: Vec<_> = shared.map(Suite::Shared).collect();
    let gatekeeper = suites::below(folder)?.into_iter().map(Suite::Gatekeeper);
    Ok(policies.into_iter().map(Suite::Policy).chain(shared).chain(gatekeeper).collect())
}
