//! `wayguard test`: a policy folder's unit tests and samples, the tests of shared Rego, and Gatekeeper's suites.

mod head;
mod pairing;
mod report;
mod samples;
mod suites;
mod units;

use crate::exit::{ExitStatus, Failure};
use crate::input::walk;
use crate::output::Output;
use crate::parallel::on_all_cores;
use crate::policies::{Disk, PolicyFolder, policy_folders};
use report::{Case, Outcome, Report};
use std::path::{Path, PathBuf};
use wayguard_engine::policy::library::Library;

/// Options of `test`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard test policies/                     every policy below a folder
  wayguard test policies/images/latest-tag    one policy
  wayguard test policies/ --format junit > report.xml

A policy folder has policy.rego, unit tests (policy_test.rego: rules named test_…) and samples: Kubernetes
objects in samples/allowed and samples/denied, whose first comment says what is to be found in them. A folder
without tests or without samples fails. Files of Gatekeeper's kind Suite are run as `gator verify` runs them.

Exit codes: 0 all passed, 2 something failed, 3 a folder has no policies.")]
pub(crate) struct Args {
    /// Policy folders, or folders with policy folders or Gatekeeper's suites below; or a suite's file
    #[arg(value_name = "DIR|FILE", required = true)]
    folders: Vec<PathBuf>,

    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
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
    let report = run_all(&suites, &embedded)?;
    match args.format {
        Format::Human => report.human(out),
        Format::Json => report.json(out),
        Format::Junit => report.junit(out),
    }
    Ok(report.status())
}

/// Runs the suites on all cores; the report is in their order.
fn run_all(suites: &[Suite], embedded: &Library) -> Result<Report, Failure> {
    let done = on_all_cores("testing", suites, Suite::name, |suite| match suite {
        Suite::Policy(path) => policy(path, embedded),
        Suite::Shared(path) => shared(path, embedded),
        Suite::Gatekeeper(path) => suites::run(path),
    });
    let mut report = Report::default();
    for cases in done {
        report.cases.extend(cases?);
    }
    Ok(report)
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

fn policy(path: &Path, embedded: &Library) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    let folder = PolicyFolder::read(path, embedded, &mut Disk::default())?;
    let tests = path.join("policy_test.rego");
    if tests.is_file() {
        cases.extend(units::run(&folder.id, &tests, folder.files().modules, &folder.library)?);
    } else {
        cases.push(missing(&folder.id, "policy_test.rego", "the policy has no unit tests"));
    }
    let samples = samples::run(&folder)?;
    if samples.is_empty() {
        cases.push(missing(
            &folder.id,
            "samples",
            "the policy has no samples in `samples/allowed` or `samples/denied`",
        ));
    }
    cases.extend(samples);
    Ok(cases)
}

fn missing(suite: &str, name: &str, message: &str) -> Case {
    Case {
        suite: suite.to_owned(),
        name: name.to_owned(),
        outcome: Outcome::Failed,
        message: message.to_owned(),
        place: None,
    }
}

/// Tests of shared Rego: with the module of the same name beside them, and what either imports.
fn shared(tests: &Path, embedded: &Library) -> Result<Vec<Case>, Failure> {
    let folder = tests.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = folder.canonicalize().map_err(|error| Failure::unreadable(folder, &error))?;
    let category = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = tests.file_name().unwrap_or_default().to_string_lossy().replace("_test.rego", "");
    let root = root.parent().unwrap_or(&root);
    let library = embedded.overlaid(&Disk::default().library(root, false)?);
    let own = folder.join(format!("{stem}.rego"));
    let mut modules = Vec::new();
    if own.is_file() {
        modules.push(units::module(&own)?);
    }
    units::run(&format!("{category}/{stem}"), tests, modules, &library)
}
