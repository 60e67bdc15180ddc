//! `wayguard explain`: how a verdict comes about, told from the evaluation that gave it.
//!
//! ```text
//! the id of a decision ─► the history ─► what was stored
//! files, or an object of a cluster ─► judged as `check` judges, by policies that can tell ─► story ─► format
//! ```

mod expressions;
mod human;
mod live;
mod machine;
mod past;
mod text;

use super::check::{SubjectArgs, ordered};
use crate::exit::{ExitStatus, Failure};
use crate::history::HistoryArgs;
use crate::input::{TextFile, collect_rendered};
use crate::output::Output;

/// Options of `explain`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard explain pod.yaml                          why is it refused, or why not?
  wayguard explain pod.yaml --policy images/latest-tag
                                                     one policy, whole
  wayguard explain pod.yaml --as jane --as-group ops --operation delete
                                                     would she be allowed to delete it?
  wayguard explain --cluster deployment/shop -n team-alpha
                                                     what runs, by the cluster's own policies
  wayguard explain pod.yaml --format json            for programs
  wayguard explain 380d62b36025 --history history.db
                                                     a decision that was made, as it was stored

Exit codes: 0 all admitted, 2 something would be refused, 3 invalid input or policy, 1 a failure of wayguard.")]
pub(crate) struct Args {
    #[command(flatten)]
    subject: SubjectArgs,

    /// Tell this policy whole, and no other; repeatable. An id (images/latest-tag), or the name of a Policy object
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    policy: Vec<String>,

    /// Tell all policies whole, those that are not about the object too
    #[arg(long, conflicts_with = "policy")]
    all: bool,

    #[command(flatten)]
    history: HistoryArgs,

    /// How to print the story
    #[arg(long, value_enum, default_value_t, env = "WAYGUARD_FORMAT")]
    format: Format,
}

/// How stories are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Human,
    /// For programs
    Json,
}

/// How much is told.
#[derive(Clone, Copy, Debug)]
struct Extent<'a> {
    /// These policies, if any are named.
    policies: &'a [String],
    /// Each policy whole.
    whole: bool,
}

impl Extent<'_> {
    fn includes(&self, id: &str, object: &str) -> bool {
        self.policies.is_empty() || self.policies.iter().any(|named| named == id || named == object)
    }
}

/// Runs the command.
///
/// # Errors
/// If files, policies or the cluster cannot be read at all, or a policy that is named is not in the set.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    if let Some(id) = past::id(args) {
        return past::tell(id, args, out);
    }
    let (judge, live) = args.subject.open(true, out)?;
    if let Some(unknown) = args.policy.iter().find(|named| !judge.has(named)) {
        return Err(Failure::Invalid(format!(
            "none of the policies that judge here is called `{unknown}`; `wayguard explain --all` names them all, `--policies` chooses others"
        )));
    }
    let (named, paths) = live::among(&args.subject.paths, live.is_some());
    let mut files: Vec<TextFile> = match &live {
        Some(live) => named
            .iter()
            .map(|object| object.fetch(live, &args.subject.namespace))
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    if !paths.is_empty() {
        files.extend(collect_rendered(&paths, &args.subject.rendering())?);
    }
    let report = ordered(judge.all(&files), &files, out);
    let extent = Extent { policies: &args.policy, whole: args.all || !args.policy.is_empty() };
    match args.format {
        Format::Human => human::write(&report, extent, &judge.question(), out),
        Format::Json => machine::write(&report, extent, out),
    }
    Ok(report.status())
}
