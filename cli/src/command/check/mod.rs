//! `wayguard check`: what admission would say, before there is a cluster to ask.
//!
//! ```text
//! files ─► objects ─► Namespaces first, as they will be after mutation ─► each object judged ─► report ─► format
//! ```

mod fix;
mod human;
mod judge;
mod machine;
mod report;
mod since;

use crate::cluster::ClusterArgs;
use crate::exit::{ExitStatus, Failure};
use crate::images::ImageArgs;
use crate::input::{Rendering, TextFile, collect_rendered};
use crate::live::Live;
use crate::output::Output;
use crate::policies::{PolicyArgs, Sources, gather};
use crate::suite::SuiteArgs;
use judge::{Judge, Judged};
pub(crate) use report::rule_id;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use wayguard_engine::request::Operation;

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
    /// Manifests (YAML or JSON), folders of them, Helm charts, Kustomize folders, or `-` for stdin
    #[arg(value_name = "FILE|DIR|-", required = true)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    policies: PolicyArgs,

    /// A folder or file of objects that exist already: Namespaces with their labels, what policies look up, and what
    /// Gatekeeper's providers would say (`externalData`)
    #[arg(long, value_name = "DIR", env = "WAYGUARD_CONTEXT", value_delimiter = ',')]
    context: Vec<PathBuf>,

    /// A file of values for Helm charts; repeatable
    #[arg(long, value_name = "FILE", env = "WAYGUARD_VALUES", value_delimiter = ',')]
    values: Vec<PathBuf>,

    /// Tell only what is new: what was found in this file or folder, or in this commit of git, does not count
    #[arg(long, value_name = "FILE|DIR|COMMIT", env = "WAYGUARD_DIFF_FROM", conflicts_with = "fix")]
    diff_from: Option<String>,

    /// Ask the cluster that kubectl talks to: its policies and exceptions, its namespaces, and what policies look up
    #[arg(long, env = "WAYGUARD_CLUSTER")]
    cluster: bool,

    /// The kubeconfig of that cluster. [default: as kubectl finds it]
    #[arg(long, value_name = "FILE", env = "WAYGUARD_KUBECONFIG", requires = "cluster")]
    kubeconfig: Option<PathBuf>,

    /// Ask it for Gatekeeper's objects too
    #[arg(long, env = "WAYGUARD_GATEKEEPER", requires = "cluster")]
    gatekeeper: bool,

    /// The suite's own namespace in that cluster; only there exceptions count
    #[arg(long, value_name = "NAME", env = "WAYGUARD_OWN_NAMESPACE", default_value = "wayguard-system")]
    own_namespace: String,

    /// The namespace of objects that name none
    #[arg(long, short = 'n', value_name = "NAME", default_value = "default", env = "WAYGUARD_NAMESPACE")]
    namespace: String,

    /// How to print the result
    #[arg(long, value_enum, default_value_t, env = "WAYGUARD_FORMAT")]
    format: Format,

    /// Write defaults and enforced values into the files, comments and layout kept; workloads get them in their
    /// template
    #[arg(long)]
    fix: bool,

    /// An unknown namespace, or anything else that a policy needs and that is not known here, is an error
    #[arg(long, env = "WAYGUARD_STRICT")]
    strict: bool,

    /// Who would apply the files; policies that ask for it are skipped otherwise
    #[arg(long, value_name = "NAME", env = "WAYGUARD_USER")]
    user: Option<String>,

    /// A group of that user; repeatable
    #[arg(long, value_name = "NAME", requires = "user", env = "WAYGUARD_GROUPS", value_delimiter = ',')]
    group: Vec<String>,

    /// What is done with the objects; the object before an UPDATE is taken from `--context`
    #[arg(long, value_enum, default_value_t, ignore_case = true)]
    operation: Verb,

    #[command(flatten)]
    images: ImageArgs,
}

impl Args {
    fn cluster(&self) -> ClusterArgs {
        ClusterArgs { kubeconfig: self.kubeconfig.clone(), ..ClusterArgs::default() }
    }

    fn rendering(&self) -> Rendering {
        Rendering { values: self.values.clone(), namespace: self.namespace.clone() }
    }

    fn suite(&self) -> SuiteArgs {
        SuiteArgs {
            own_namespace: self.own_namespace.clone(),
            gatekeeper: self.gatekeeper,
            ..SuiteArgs::default()
        }
    }
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

/// The verbs that files can stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Verb {
    /// The objects are new
    #[default]
    Create,
    /// They exist and are changed
    Update,
    /// They are removed
    Delete,
}

impl From<Verb> for Operation {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Create => Self::Create,
            Verb::Update => Self::Update,
            Verb::Delete => Self::Delete,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// If files or policies cannot be read at all.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    if args.fix && args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::Invalid(
            "`--fix` writes into files; stdin is none, name the files instead".to_owned(),
        ));
    }
    let sources = Sources::new(args.policies.clone())?;
    let gathered = gather(&sources)?;
    let (live, set) = if args.cluster {
        let (live, set) = Live::open(&args.cluster(), &sources, &args.suite())?;
        (Some(Arc::new(live)), set)
    } else {
        (None, Arc::new(gathered.compile()))
    };
    for failure in set.failures() {
        failure.errors.iter().for_each(|error| out.error(error));
    }
    let judge = Judge::new(args, set, &gathered, live)?;
    let rendering = args.rendering();
    let mut files = collect_rendered(&args.paths, &rendering)?;
    let mut judged = judge.all(&files);
    if args.fix && fix::write(&judged, &files, out)? {
        files = collect_rendered(&args.paths, &rendering)?;
        judged = judge.all(&files);
    }
    if let Some(from) = &args.diff_from {
        let before = since::Before::find(from, &args.paths)?.report(&judge, &rendering)?;
        let known = since::only_new(&mut judged.report, &before);
        if known > 0 {
            let findings = if known == 1 { "1 finding was" } else { &format!("{known} findings were") };
            out.note(format_args!("{findings} there before and are left out"));
        }
    }
    Ok(finish(args, judged, &files, out))
}

fn finish(args: &Args, judged: Judged, files: &[TextFile], out: &mut Output) -> ExitStatus {
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
    match args.format {
        Format::Human => human::write(&report, out),
        Format::Json => machine::json(&report, out),
        Format::Sarif => machine::sarif(&report, out),
        Format::Junit => machine::junit(&report, out),
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
