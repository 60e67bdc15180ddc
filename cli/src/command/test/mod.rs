//! `wayguard test`: a policy folder's unit tests and samples, the tests of shared Rego, and Gatekeeper's suites.

mod coverage;
mod head;
mod mutation;
mod pairing;
mod report;
pub(in crate::command) mod samples;
mod snapshot;
mod subject;
mod suites;
mod units;
mod watch;

use crate::exit::{ExitStatus, Failure, unwritable};
use crate::input::walk;
use crate::output::{BAD, GOOD, Output, PLACE, QUIET, WARNING, styled};
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
  wayguard test policies/ --mutate=images/digest
                                              which changes of a policy no test notices
  wayguard test policies/ --watch             again at every change
  wayguard test policies/images/latest-tag --update
                                              let the samples expect what is found

A policy folder has policy.rego, unit tests (policy_test.rego: rules named test_…) and samples: Kubernetes
objects in samples/allowed and samples/denied, whose first comment says what is to be found in them. A folder
without tests or without samples fails. Files of Gatekeeper's kind Suite are run as `gator verify` runs them.

Coverage counts lines on which a rule's head, an else, or an expression begins; a line is covered if tests came
to all that begins on it.

A mutant is a policy with one thing changed: an expression dropped or negated, a comparison turned, a constant, a
rule, an else or a member of a collection changed or gone. Those that change nothing are declared in the test file:
  # equivalent:
  #   line: count(names) > 0
  #   becomes: count(names) >= 0
  #   because: the next line iterates over them
  #   shownBy: test_no_names_no_finding

Exit codes: 0 all passed, 2 something failed or is below the threshold, 3 a folder has no policies.")]
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

    /// Change the policies in small ways, and say which changes no test notices; `--mutate=ID,…` chooses policies and
    /// shared modules (images/digest,lib/rbac)
    #[arg(
        long,
        value_name = "ID",
        num_args = 0..,
        require_equals = true,
        value_delimiter = ',',
        conflicts_with_all = ["coverage", "html"]
    )]
    mutate: Option<Vec<String>>,

    /// Fail if fewer of the lines are covered, or of the mutants killed
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    threshold: Option<f64>,

    /// Rewrite what samples expect to what is found, and show it; look at the change before you keep it
    #[arg(long, conflicts_with = "mutate")]
    update: bool,

    /// Run again what a change of a file is about, until Ctrl-C
    #[arg(long, conflicts_with_all = ["mutate", "update", "html", "threshold"])]
    watch: bool,

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

impl Format {
    fn show(self, report: &Report, out: &mut Output) {
        match self {
            Self::Human => report.human(out),
            Self::Json => report.json(out),
            Self::Junit => report.junit(out),
        }
    }
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
    if args.threshold.is_some() && !args.coverage && args.mutate.is_none() {
        return Err(Failure::Invalid(
            "`--threshold` is of `--coverage` or `--mutate`; give one of them".to_owned(),
        ));
    }
    if let Some(ids) = &args.mutate {
        return mutate(&suites, ids, &embedded, args, out);
    }
    if args.update {
        update(&suites, &embedded, out)?;
    }
    if args.watch {
        return watch(&suites, &embedded, args, out);
    }
    let (mut report, mut coverage) = run_all(&suites, &embedded, args.coverage)?;
    if args.coverage {
        coverage.settle(&args.folders)?;
        if let Some(file) = &args.html {
            whole_file::write(file, coverage.html()).map_err(|error| unwritable(file, &error))?;
        }
        report.coverage = Some(Covered { coverage, threshold: args.threshold });
    }
    args.format.show(&report, out);
    if let Some(problem) = report.coverage.as_ref().and_then(Covered::problem) {
        out.error(problem);
    }
    Ok(report.status())
}

/// Rewrites the samples of all policies that expect something else than is found; whether each is right is for a
/// person to say.
fn update(suites: &[Suite], embedded: &Library, out: &mut Output) -> Result<(), Failure> {
    for suite in suites {
        let Suite::Policy(path) = suite else { continue };
        for sample in Subject::policy(path, embedded)?.outdated() {
            let file = Path::new(&sample.file);
            whole_file::write(file, &sample.after).map_err(|error| unwritable(file, &error))?;
            out.talk(format_args!("{} {}", styled(WARNING, "updated"), styled(PLACE, &sample.file)));
            let [before, after] = differing(&sample.before, &sample.after);
            for (sign, style, lines) in [("-", BAD, before), ("+", GOOD, after)] {
                for line in lines {
                    out.talk(format_args!("  {}", styled(style, format_args!("{sign} {line}"))));
                }
            }
        }
    }
    Ok(())
}

/// The lines between what two texts begin with and what they end with.
fn differing<'t>(before: &'t str, after: &'t str) -> [Vec<&'t str>; 2] {
    let (mut one, mut other): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    one.drain(..same);
    other.drain(..same);
    while one.last().is_some() && one.last() == other.last() {
        one.pop();
        other.pop();
    }
    [one, other]
}

/// Runs all, then what changes are about.
fn watch(suites: &[Suite], embedded: &Library, args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let folders = watch::folders(&args.folders);
    let mut seen = watch::Seen::now(&folders)?;
    let mut concerned: Vec<Suite> = suites.to_vec();
    loop {
        match run_all(&concerned, embedded, args.coverage) {
            Ok((mut report, mut coverage)) => {
                if args.coverage {
                    coverage.settle(&args.folders)?;
                    report.coverage = Some(Covered { coverage, threshold: None });
                }
                args.format.show(&report, out);
            }
            // A file that is half written is no reason to stop.
            Err(failure) => out.error(failure),
        }
        out.talk(styled(QUIET, "waiting for changes; Ctrl-C ends"));
        concerned.clear();
        while concerned.is_empty() {
            let changed = seen.changes(&folders)?;
            let mut all = Vec::new();
            for folder in &args.folders {
                all.extend(suites_below(folder)?);
            }
            concerned = all.into_iter().filter(|suite| watch::concerns(suite, &changed)).collect();
        }
    }
}

/// Mutation testing of those that are named, or all. Their tests must pass first.
fn mutate(
    suites: &[Suite],
    ids: &[String],
    embedded: &Library,
    args: &Args,
    out: &mut Output,
) -> Result<ExitStatus, Failure> {
    let mut subjects = Vec::new();
    for suite in suites {
        subjects.extend(match suite {
            Suite::Policy(path) => Some(Subject::policy(path, embedded)?),
            Suite::Shared(path) => Some(Subject::shared(path, embedded)?),
            Suite::Gatekeeper(_) => None,
        });
    }
    if let Some(unknown) = ids.iter().find(|id| !subjects.iter().any(|subject| subject.id == **id)) {
        return Err(Failure::Invalid(format!(
            "no policy or shared module `{unknown}` with tests is there; ids are like `images/digest` and `lib/rbac`"
        )));
    }
    subjects.retain(|subject| ids.is_empty() || ids.contains(&subject.id));
    let cases = on_all_cores("testing", &subjects, |subject| &subject.id, |subject| subject.run(None));
    let report = Report { cases: cases.concat(), coverage: None };
    if report.status() != ExitStatus::Fine {
        args.format.show(&report, out);
        out.error("mutants are judged by tests that pass; these do not");
        return Ok(report.status());
    }
    let outcome = mutation::run(&subjects, args.threshold);
    match args.format {
        Format::Human => outcome.human(out),
        Format::Json => outcome.json(out),
        Format::Junit => outcome.junit(out),
    }
    if let Some(problem) = outcome.problem() {
        out.error(problem);
    }
    Ok(outcome.status())
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
#[derive(Clone)]
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
