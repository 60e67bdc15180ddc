//! `wayguard provision`: what a claim or a labelled Namespace would get, before it is asked for.
//!
//! ```text
//! files ─► claims, Namespaces, classes ─► plan (the controller's own function) ─► with a cluster: a dry run of each apply
//!                                                                              ─► report ─► format
//! ```

mod gather;
mod live;
mod orphans;
mod report;

use crate::cluster::ClusterArgs;
use crate::exit::{ExitStatus, Failure};
use crate::output::Output;
use gather::{Gathered, Wanted};
use report::{Outcome, Planned, Report};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use wayguard_provisioning::{Asked, Catalog, PlanError, plan};

/// Options of `provision`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard provision claim.yaml --namespace namespace.yaml     what would be made, and what it costs
  wayguard provision namespace.yaml                            what a labelled Namespace gets
  wayguard provision claim.yaml --namespace namespace.yaml --format yaml
                                                               the objects, as they would be applied
  wayguard provision claim.yaml --cluster                      by the classes of a running cluster, with the difference
  wayguard provision --orphans                                 what a cluster has that nobody owns any more
  wayguard provision claim.yaml --namespace namespace.yaml --policies ./policies
                                                               by classes of your own

Files may hold PlatformClaims, Namespaces with `managed-by: idp`, and ClaimClasses, which count beside those that are
built in. Nothing is ever written.

Exit codes: 0 it would be made (perhaps after somebody agreed), 2 something is denied, 3 invalid input or class, 1 a
failure of wayguard.")]
pub(crate) struct Args {
    /// Files and folders with claims, Namespaces and classes; `-` for stdin
    #[arg(value_name = "FILE|DIR", required_unless_present = "orphans")]
    files: Vec<PathBuf>,

    /// The Namespace that the claims are in, where it is not among the files; repeatable
    #[arg(long, value_name = "FILE")]
    namespace: Vec<PathBuf>,

    /// Ask for another class than the claims name
    #[arg(long, value_name = "NAME")]
    class: Option<String>,

    /// A folder with packages and classes of your own, laid out as `policies/` is: provision/NAME/class.rego and class.yaml
    #[arg(long, value_name = "DIR")]
    policies: Vec<PathBuf>,

    /// Objects that are there already, as their controllers have left them: readiness is told by them
    #[arg(long, value_name = "DIR|FILE")]
    observed: Vec<PathBuf>,

    /// Ask the cluster that kubectl would talk to: its classes and namespaces, and what would change there
    #[arg(long)]
    cluster: bool,

    /// List what was made for claims and namespaces of a cluster that are gone
    #[arg(long, conflicts_with = "files")]
    orphans: bool,

    #[command(flatten)]
    connection: ClusterArgs,

    /// The suite's own namespace, where the classes' accounts are
    #[arg(long, value_name = "NAME", env = "WAYGUARD_OWN_NAMESPACE", default_value = "wayguard-system")]
    own_namespace: String,

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
    /// The objects alone
    Yaml,
}

/// Runs the command.
///
/// # Errors
/// If files cannot be read, a class is not valid, or the cluster does not answer.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    if args.orphans {
        return orphans::run(args, out);
    }
    let mut gathered = Gathered::read(args, out)?;
    let asks_cluster = args.cluster || args.connection.kubeconfig.is_some() || args.connection.in_cluster;
    let report = if asks_cluster {
        crate::cluster::block_on(async {
            let client = args.connection.connect_like_kubectl().await?;
            live::report(&client, &mut gathered, args).await
        })?
    } else {
        let catalog = catalog(&gathered)?;
        let mut report = Report::default();
        for wanted in &gathered.wanted {
            report.results.push(offline(&catalog, wanted, &gathered)?);
        }
        report
    };
    for note in &report.notes {
        out.note(note);
    }
    match args.format {
        Format::Human => report.human(out),
        Format::Json => report.json(out),
        Format::Yaml => report.yaml(out),
    }
    Ok(report.status())
}

/// The classes that were gathered; one that is wrong ends the command, for it may be the one that is meant.
fn catalog(gathered: &Gathered) -> Result<Catalog, Failure> {
    let classes = gathered.classes.iter().map(|(name, spec)| (name.clone(), spec.clone()));
    let catalog = Catalog::load(classes, &gathered.library);
    if catalog.problems().is_empty() {
        return Ok(catalog);
    }
    let problems = catalog.problems().iter();
    let lines: Vec<_> =
        problems.map(|it| format!("class `{}`: {}", it.class, it.problems.join("; "))).collect();
    Err(Failure::Invalid(lines.join("\n")))
}

/// Without a cluster: everything is new, and every kind is there.
fn offline(catalog: &Catalog, wanted: &Wanted, gathered: &Gathered) -> Result<Outcome, Failure> {
    let namespace = gathered.namespace_of(wanted)?;
    let mut planned = ask(catalog, wanted, namespace, &BTreeMap::new(), None);
    let observed = match &planned {
        Ok(plan) => gathered.observed_of(plan),
        Err(_) => BTreeMap::new(),
    };
    if !observed.is_empty() {
        planned = ask(catalog, wanted, namespace, &observed, None);
    }
    let changes = |plan: &wayguard_provisioning::Plan| {
        plan.objects
            .iter()
            .map(|it| Planned { id: it.id.clone(), object: it.object.clone(), change: None })
            .collect()
    };
    Ok(Outcome::new(wanted, planned, changes))
}

/// The controller's own question.
fn ask(
    catalog: &Catalog,
    wanted: &Wanted,
    namespace: &Value,
    observed: &BTreeMap<String, Arc<Value>>,
    capabilities: Option<&std::collections::BTreeSet<String>>,
) -> Result<wayguard_provisioning::Plan, PlanError> {
    plan(catalog, &Asked { trigger: wanted.trigger(), namespace, observed, capabilities })
}
