//! `wayguard audit`: what the policies say about everything that runs, or lies in a folder, at one time.
//!
//! ```text
//! cluster: discovery ─► kinds that policies judge ─► pages ─┐
//! folder: manifests ────────────────────────────────────────┴► auditor ─► groups, coverage ─► format
//! ```

mod cluster;
pub(super) mod coverage;
mod folder;
pub(super) mod gathering;
pub(super) mod human;
pub(super) mod machine;

use crate::exit::{ExitStatus, Failure};
use crate::output::Output;
pub(in crate::command) use coverage::counted;
use gathering::{Audit, GatherArgs, gather};
use std::time::Instant;
use wayguard_audit::{Totals, totals};
use wayguard_cluster::reports::Flavour;

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
    #[command(flatten)]
    gather: GatherArgs,

    /// How to print the result
    #[arg(long, value_enum, default_value_t, env = "WAYGUARD_FORMAT")]
    format: Format,

    /// Findings of each group that are listed, for people
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    examples: usize,
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

/// Runs the command.
///
/// # Errors
/// If files, policies or the cluster cannot be read at all.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let started = Instant::now();
    let audit = gather(&args.gather, jiff::Timestamp::now(), None, out)?;
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
