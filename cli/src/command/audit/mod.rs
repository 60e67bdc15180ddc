//! `wayguard audit`: what the policies say about everything that runs, or lies in a folder, at one time.
//!
//! ```text
//! cluster: discovery ─► kinds that policies judge ─► pages ─┐
//! folder: manifests ────────────────────────────────────────┴► auditor ─► groups, coverage ─► format
//! ```

mod cluster;
mod coverage;
mod folder;
mod human;
mod machine;

use crate::exit::{ExitStatus, Failure};
use crate::images::ImageArgs;
use crate::output::Output;
use crate::policies::{PolicyArgs, Sources};
use crate::suite::SuiteArgs;
use coverage::Coverage;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use wayguard_audit::{Auditor, Host, Totals, totals};
use wayguard_cluster::reports::Flavour;
use wayguard_engine::PolicySet;
use wayguard_engine::facts::{Fact, FactKey, Facts};
use wayguard_engine::value::Document;

/// Options of `audit`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard audit                                everything that runs in the cluster that kubectl talks to
  wayguard audit --context production           … in another cluster of the kubeconfig
  wayguard audit --examples 1000 | less         list the objects, not only the first of each group
  wayguard audit --policies cis                 would a bundle that is not enforced yet find anything?
  kubectl get all,netpol,ns -A -o yaml | wayguard audit --complete -
                                                what somebody else has read, without touching the cluster
  wayguard audit dump/ --format sarif > out.sarif

Only what may be listed is judged; what is not, and why, is said at the end. Secrets are never listed.

Exit codes: 0 nothing would be refused, 2 something would be, 3 invalid input or policy, 1 a failure of wayguard or
a part of the cluster that could not be read.")]
pub(crate) struct Args {
    /// Manifests to look at instead of a cluster: files, folders of them, or `-` for stdin
    #[arg(value_name = "FILE|DIR|-")]
    paths: Vec<PathBuf>,

    /// The kubeconfig of the cluster. [default: as kubectl finds it]
    #[arg(long, value_name = "FILE", env = "WAYGUARD_KUBECONFIG", conflicts_with = "in_cluster")]
    kubeconfig: Option<PathBuf>,

    /// The context of the kubeconfig. [default: its current one]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// The cluster that this process runs in, by its ServiceAccount
    #[arg(long, env = "WAYGUARD_IN_CLUSTER", conflicts_with = "paths")]
    in_cluster: bool,

    #[command(flatten)]
    policies: PolicyArgs,

    /// How to print the result
    #[arg(long, value_enum, default_value_t, env = "WAYGUARD_FORMAT")]
    format: Format,

    /// Findings of each group that are listed, for people
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    examples: usize,

    /// The label, of objects or their namespaces, that says who answers for them
    #[arg(long, value_name = "LABEL", default_value = "team")]
    owner_label: String,

    /// Requests a second that the API server is asked at most
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_second: u32,

    /// The files are all that a cluster has: what is not among them does not exist
    #[arg(long, requires = "paths")]
    complete: bool,

    /// The namespace of objects in files that name none
    #[arg(long, short = 'n', value_name = "NAME", default_value = "default", env = "WAYGUARD_NAMESPACE")]
    namespace: String,

    /// Read Gatekeeper's objects of the cluster too
    #[arg(long, env = "WAYGUARD_GATEKEEPER")]
    gatekeeper: bool,

    /// The suite's own namespace in the cluster; only there exceptions count
    #[arg(long, value_name = "NAME", env = "WAYGUARD_OWN_NAMESPACE", default_value = "wayguard-system")]
    own_namespace: String,

    #[command(flatten)]
    images: ImageArgs,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people: groups, worst first
    #[default]
    Human,
    /// For programs: every object with findings, and all counts
    Json,
    /// For code-scanning services (SARIF 2.1.0)
    Sarif,
    /// For continuous-integration services (JUnit XML)
    Junit,
    /// Reports as other tools read them (wgpolicyk8s.io/v1alpha2), as YAML
    Policyreport,
    /// The same in the newer form (openreports.io/v1alpha1)
    Openreports,
}

/// What was looked at, and what came of it.
struct Audit {
    auditor: Arc<Auditor>,
    coverage: Coverage,
    /// File and line of each object, where it is in one: by kind, namespace and name.
    places: BTreeMap<(String, String, String), (String, usize)>,
    /// The objects of a file, to find the line of a finding.
    found: Vec<crate::input::FoundObject>,
    /// Some input was not valid.
    invalid: bool,
    /// Some of the cluster could not be read.
    incomplete: bool,
}

/// Runs the command.
///
/// # Errors
/// If files, policies or the cluster cannot be read at all.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let started = Instant::now();
    // The environment may name a kubeconfig for other commands; a context is always meant.
    if !args.paths.is_empty() && args.context.is_some() {
        return Err(Failure::Invalid(
            "`--context` names a cluster, and the paths name files: give one of them".to_owned(),
        ));
    }
    let sources = Sources::new(args.policies.clone())?;
    let audit = if args.paths.is_empty() {
        cluster::audit(args, &sources, out)?
    } else {
        folder::audit(args, &sources, out)?
    };
    let totals = totals(&audit.auditor);
    match args.format {
        Format::Human => human::write(&audit, &totals, args.examples, started.elapsed(), out),
        Format::Json => machine::json(&audit, &totals, out),
        Format::Sarif => crate::command::check::machine::sarif(&machine::checked(&audit), out),
        Format::Junit => {
            crate::command::check::machine::junit(&machine::checked(&audit), "wayguard audit", out);
        }
        Format::Policyreport => machine::reports(&audit, Flavour::PolicyReport, out),
        Format::Openreports => machine::reports(&audit, Flavour::OpenReports, out),
    }
    if args.format != Format::Human {
        human::gaps(&audit, &totals, out);
    }
    Ok(status(&audit, &totals))
}

/// What was refused comes before what could not be read: it is certain.
fn status(audit: &Audit, totals: &Totals) -> ExitStatus {
    match totals.denied {
        _ if audit.invalid => ExitStatus::Invalid,
        0 if audit.incomplete || !totals.problems.is_empty() => ExitStatus::OurFailure,
        0 => ExitStatus::Fine,
        _ => ExitStatus::Denied,
    }
}

/// Says what of the policies could not be loaded.
fn tell_failures(set: &PolicySet, out: &mut Output) -> bool {
    for failure in set.failures() {
        failure.errors.iter().for_each(|error| out.error(error));
    }
    !set.failures().is_empty()
}

impl Args {
    fn suite(&self) -> SuiteArgs {
        SuiteArgs {
            own_namespace: self.own_namespace.clone(),
            gatekeeper: self.gatekeeper,
            ..SuiteArgs::default()
        }
    }
}

/// What is known beside the objects, as `check` knows it.
struct Known(crate::knowledge::Knowledge);

impl Host for Known {
    fn answer(&self, keys: Vec<FactKey>, facts: &mut Facts) {
        self.0.answer(keys, facts);
    }

    fn namespace(&self, name: &str) -> Option<Arc<Document>> {
        let mut facts = Facts::new();
        let key = FactKey::Namespace(name.to_owned());
        self.0.answer(vec![key.clone()], &mut facts);
        match facts.get(&key) {
            Some(Fact::Known(namespace)) => Some(Arc::clone(namespace)),
            _ => None,
        }
    }
}
