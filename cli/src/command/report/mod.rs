//! `wayguard report`: what an audit finds, as a document that somebody keeps.
//!
//! ```text
//! gathering (as `wayguard audit`) ─► Report ◄─ earlier reports
//!                                      └─► html, json, csv; sarif and junit as `audit` has them ─► file, signature beside it
//! ```

mod inventory;
mod past;
mod verify;

use super::audit::gathering::{Audit, GatherArgs, Witness, gather};
use super::audit::{coverage, human, machine};
use crate::exit::{ExitStatus, Failure, unwritable};
use crate::output::Output;
use inventory::Inventory;
use jiff::Timestamp;
use past::{Before, PastArgs};
use std::path::PathBuf;
use std::sync::Arc;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::metadata;
use wayguard_report::{About, Cluster, Gap, Given, Offered, Report, Scope, assemble, csv, html};

/// Options of `report`.
#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  wayguard report -o report.html                what runs in the cluster that kubectl talks to, as a page
  wayguard report -o today.json --since last.json
                                                … with what is new and what was fixed since another report
  wayguard report -o report.html --history history.db
                                                … as the history of the audit tells it, with a trend
  wayguard report dump/ --policies cis -o cis.csv
  wayguard report -o report.html --sign-key key.pem
  wayguard report verify report.html --key key.pub

The same input, policies and `--at` make the same bytes. A report is not a gate: `wayguard audit` has an exit code for
what would be refused.

Exit codes: 0 written, 3 invalid input or policy, 1 a failure of wayguard or a part of the cluster that could not be
read (the report is written, and says so).")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    gather: GatherArgs,

    /// What to write. [default: what the ending of `--output` says, else html]
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// The file to write. [default: stdout]
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    past: PastArgs,

    /// The time of the report, by which exceptions are judged: RFC 3339. [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,

    /// What the report calls the cluster, and as which a history knows it
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    cluster_name: String,

    /// Sign the file with this private key (PKCS #8, PEM, on P-256, without a password); the signature is written beside it, as
    /// FILE.sigstore.json
    #[arg(long, alias = "sign", value_name = "FILE", env = "WAYGUARD_SIGN_KEY", requires = "output")]
    sign_key: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// Tell whether a report is signed by who should have, and whether its numbers are those of its findings
    Verify(verify::Args),
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One page for a browser, and for printing; it loads nothing
    Html,
    /// Everything, for programs and for `--since`
    Json,
    /// A line for each finding
    Csv,
    /// For code-scanning services (SARIF 2.1.0)
    Sarif,
    /// For continuous-integration services (JUnit XML)
    Junit,
}

/// Runs the command.
///
/// # Errors
/// If files, policies or the cluster cannot be read at all, or the report cannot be written.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    if let Some(Command::Verify(args)) = &args.command {
        return verify::run(args, out);
    }
    let format = args.format()?;
    // Before minutes are spent: what cannot be signed or compared with says so now.
    let key = args.sign_key.as_deref().map(super::ship::push::signing_key).transpose()?;
    let time = args.at.unwrap_or_else(now);
    let before = args.past.read(time, &args.cluster_name)?;
    let inventory = Arc::new(Inventory::default());
    let witness: Arc<dyn Witness> = Arc::<Inventory>::clone(&inventory);
    let audit = gather(&args.gather, time, Some(witness), out)?;
    let text = match format {
        Format::Sarif => super::check::machine::sarif_text(&machine::checked(&audit)),
        Format::Junit => super::check::machine::junit_text(&machine::checked(&audit), "wayguard report"),
        Format::Html | Format::Json | Format::Csv => {
            let report = report(args, &audit, time, before, &inventory)?;
            written(&report, format)?
        }
    };
    match &args.output {
        None => out.write(&text),
        Some(path) => {
            crate::whole_file::write(path, &text).map_err(|error| unwritable(path, &error))?;
            if let Some(key) = &key {
                let bundle = key.sign_blob(text.as_bytes());
                let bundle = bundle.map_err(|_| Failure::Ours("cannot sign: no randomness".to_owned()))?;
                let beside = verify::beside(path);
                crate::whole_file::write(&beside, bundle).map_err(|error| unwritable(&beside, &error))?;
            }
            out.data(path.display());
        }
    }
    // A page and its data say themselves what was not judged.
    if matches!(format, Format::Sarif | Format::Junit | Format::Csv) {
        human::gaps(&audit, &wayguard_audit::totals(&audit.auditor), out);
    }
    Ok(match &audit {
        _ if audit.invalid => ExitStatus::Invalid,
        _ if audit.incomplete => ExitStatus::OurFailure,
        _ => ExitStatus::Fine,
    })
}

fn report(
    args: &Args,
    audit: &Audit,
    time: Timestamp,
    before: Before,
    inventory: &Inventory,
) -> Result<Report, Failure> {
    let about = About {
        scope: if args.gather.paths.is_empty() { Scope::Cluster } else { Scope::Files },
        time,
        cluster: Cluster { name: args.cluster_name.clone(), uid: audit.cluster_uid.clone() },
        policy_set_digest: String::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        owner_label: args.gather.owner_label.clone(),
    };
    let past = before.past(&about)?;
    let gap = |gap: &coverage::Gap| Gap {
        what: gap.what.clone(),
        kind: gap.kind.clone(),
        why: gap.why.clone(),
        objects: None,
    };
    let (created, images) = inventory.take(&*audit.host);
    let given = Given {
        about,
        kinds: audit.coverage.kinds.iter().map(gap).collect(),
        policies: audit.coverage.policies.iter().map(gap).collect(),
        incomplete: audit.incomplete,
        created,
        images,
        offered: offered(),
    };
    Ok(assemble(&audit.auditor, given, &past))
}

fn written(report: &Report, format: Format) -> Result<String, Failure> {
    let ours = |error: &dyn std::fmt::Display| Failure::Ours(format!("cannot write the report: {error}"));
    match format {
        Format::Json => {
            serde_json::to_string_pretty(report).map(|text| text + "\n").map_err(|error| ours(&error))
        }
        Format::Csv => csv(report).map_err(|error| ours(&error)),
        _ => Ok(html(report)),
    }
}

/// Policies of the library, in force or not, with the controls that they test.
fn offered() -> Vec<Offered> {
    let library = Library::embedded();
    let ids = library.policy_ids().into_iter();
    ids.filter_map(|id| {
        let metadata = metadata::read(&library.policy(&id)?).ok()?;
        Some(Offered { id, controls: metadata.custom.controls })
    })
    .collect()
}

/// To the second: nobody reads more.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

impl Args {
    fn format(&self) -> Result<Format, Failure> {
        if let Some(format) = self.format {
            return Ok(format);
        }
        let Some(path) = &self.output else { return Ok(Format::Html) };
        let ending = path.extension().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "html" | "htm" => Ok(Format::Html),
            "json" => Ok(Format::Json),
            "csv" => Ok(Format::Csv),
            "sarif" => Ok(Format::Sarif),
            "xml" => Ok(Format::Junit),
            _ => Err(Failure::Invalid(format!(
                "`{}` does not say by its ending what is to be written; `--format html|json|csv|sarif|junit` does",
                path.display()
            ))),
        }
    }
}
