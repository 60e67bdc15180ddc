//! `wayguard check`: what admission would say, before there is a cluster to ask.
//!
//! ```text
//! files ─► objects ─► Namespaces first, as they will be after mutation ─► each object judged ─► report ─► format
//! ```

mod fix;
pub(super) mod human;
mod judge;
pub(super) mod machine;
mod report;
mod since;
mod subject;

use crate::exit::{ExitStatus, Failure};
use crate::input::{TextFile, collect_rendered};
use crate::output::Output;
use judge::Judged;
pub(crate) use report::rule_id;
pub(super) use report::{Checked, ObjectId, Place, Report, id_of};
use std::collections::BTreeMap;
pub(super) use subject::SubjectArgs;

/// Options of `check`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard check deploy/                        every manifest below a folder
  wayguard check deploy/ --context cluster/     with Namespaces and other objects that exist already
  wayguard check deploy/ --cluster              by the policies and namespaces of a running cluster
  wayguard check chart/ --values prod.yaml      a Helm chart, as `helm template` renders it
  kustomize build . | wayguard check -          what another tool prints
  wayguard check deploy/ --diff-from origin/main
                                                only what a pull request adds
  wayguard check app.yaml --fix                 write defaults into the file
  wayguard check deploy/ --format sarif > out.sarif

Exit codes: 0 all admitted, 2 something would be refused, 3 invalid input or policy, 1 a failure of wayguard.")]
pub(crate) struct Args {
    #[command(flatten)]
    subject: SubjectArgs,

    /// Tell only what is new: what was found in this file or folder, or in this commit of git, does not count
    #[arg(long, value_name = "FILE|DIR|COMMIT", env = "WAYGUARD_DIFF_FROM", conflicts_with = "fix")]
    diff_from: Option<String>,

    /// How to print the result
    #[arg(long, value_enum, default_value_t, env = "WAYGUARD_FORMAT")]
    format: Format,

    /// Write defaults and enforced values into the files, comments and layout kept; workloads get them in their
    /// template
    #[arg(long)]
    fix: bool,
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
    /// For continuous-integration services (JUnit XML)
    Junit,
    /// Annotations in a GitHub pull request
    Github,
    /// Code Quality in a GitLab merge request
    Gitlab,
}

/// Runs the command.
///
/// # Errors
/// If files or policies cannot be read at all.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    if args.fix && args.subject.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::Invalid(
            "`--fix` writes into files; stdin is none, name the files instead".to_owned(),
        ));
    }
    let (judge, _) = args.subject.open(false, out)?;
    let rendering = args.subject.rendering();
    let mut files = collect_rendered(&args.subject.paths, &rendering)?;
    let mut judged = judge.all(&files);
    if args.fix && fix::write(&judged, &files, out)? {
        files = collect_rendered(&args.subject.paths, &rendering)?;
        judged = judge.all(&files);
    }
    if let Some(from) = &args.diff_from {
        let before = since::Before::find(from, &args.subject.paths)?.report(&judge, &rendering)?;
        let known = since::only_new(&mut judged.report, &before);
        if known > 0 {
            let findings = if known == 1 { "1 finding was" } else { &format!("{known} findings were") };
            out.note(format_args!("{findings} there before and are left out"));
        }
    }
    Ok(finish(args, judged, &files, out))
}

fn finish(args: &Args, judged: Judged, files: &[TextFile], out: &mut Output) -> ExitStatus {
    let report = ordered(judged, files, out);
    match args.format {
        Format::Human => human::write(&report, out),
        Format::Json => machine::json(&report, out),
        Format::Sarif => machine::sarif(&report, out),
        Format::Junit => machine::junit(&report, "wayguard check", out),
        Format::Github => machine::github(&report, out),
        Format::Gitlab => machine::gitlab(&report, out),
    }
    if args.format == Format::Human
        && !args.fix
        && report.results.iter().any(|checked| !checked.fills.is_empty())
    {
        out.talk("admission fills in the fields marked `+`; `--fix` writes them into the files");
    }
    report.status()
}

/// Says what could not be read, and gives the results in the order of the files.
pub(super) fn ordered(judged: Judged, files: &[TextFile], out: &mut Output) -> Report {
    for problem in &judged.problems {
        if problem.fatal {
            out.error(&problem.error);
        } else {
            out.note(format_args!(
                "passed over {}",
                problem.error.to_string().lines().next().unwrap_or_default()
            ));
        }
    }
    if files.is_empty() {
        out.note("there are no manifests (*.yaml, *.yml, *.json) below what was named");
    }
    let mut report = judged.report;
    let order: BTreeMap<&str, usize> =
        files.iter().enumerate().map(|(at, file)| (file.name.as_str(), at)).collect();
    report.results.sort_by_key(|checked| order.get(checked.source.file.as_str()).copied());
    report
}
