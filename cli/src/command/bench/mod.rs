//! `wayguard policy bench`: what each policy costs on its own samples, and whether it costs more than before.

mod baseline;
mod reference;

use super::test::samples::Samples;
use crate::exit::{ExitStatus, Failure, unwritable};
use crate::output::{BAD, GOOD, Output, QUIET, WARNING, styled};
use crate::policies::{Disk, PolicyFolder, policy_folders};
use crate::whole_file;
use baseline::{Baseline, Change, Cost};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wayguard_engine::policy::compiled;
use wayguard_engine::policy::library::Library;

/// Options of `policy bench`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard policy bench policies/                            what each policy costs
  wayguard policy bench policies/ --baseline bench.json --update
                                                             keep that
  wayguard policy bench policies/ --baseline bench.json      fail if one costs more than it did

Steps are counted, not measured: they are the same on every machine, and one more than in the baseline fails. Times
are compared as multiples of a loop that runs beside them, so that a baseline of one machine serves another; they
fail above the factor that is given.

Exit codes: 0 nothing costs more, 2 something does, 3 a policy or the baseline cannot be read.")]
pub(crate) struct Args {
    /// Policy folders, or folders with policy folders below
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,

    /// A file of what policies cost before
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write what they cost now into that file
    #[arg(long, requires = "baseline")]
    update: bool,

    /// How many times as long as in the baseline a policy may take
    #[arg(long, value_name = "FACTOR", default_value_t = 1.3, value_parser = factor)]
    fail_above: f64,

    /// How often each sample is judged; the fastest counts
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rounds: u32,

    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A number above 1.
fn factor(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 1.0);
    number.ok_or_else(|| "must be a number above 1, such as 1.3".to_owned())
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Human,
    /// For programs
    Json,
}

/// What one policy costs.
struct Measured {
    /// How many samples.
    samples: usize,
    /// For one decision, over all samples.
    time: Duration,
    cost: Cost,
}

/// Runs the command.
///
/// # Errors
/// If a policy, a sample or the baseline cannot be read, or the baseline cannot be written.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let before = match &args.baseline {
        Some(file) if !args.update => Some(Baseline::read(file)?),
        _ => None,
    };
    let measured = measure(args)?;
    let now = Baseline::of(measured.iter().map(|(id, it)| (id.clone(), it.cost)));
    if let (Some(file), true) = (&args.baseline, args.update) {
        whole_file::write(file, now.text()).map_err(|error| unwritable(file, &error))?;
        out.talk(format!("wrote {}", file.display()));
    }
    let changes = before.as_ref().map(|before| before.changes(&now, args.fail_above)).unwrap_or_default();
    match args.format {
        Format::Human => human(&measured, &changes, out),
        Format::Json => json(&measured, &changes, out),
    }
    for change in changes.values().filter(|change| change.is_worse()) {
        out.error(&change.text);
    }
    let worse = changes.values().any(Change::is_worse);
    Ok(if worse { ExitStatus::Denied } else { ExitStatus::Fine })
}

fn measure(args: &Args) -> Result<BTreeMap<String, Measured>, Failure> {
    let embedded = Library::embedded();
    let rounds = usize::try_from(args.rounds).unwrap_or(1);
    let mut measured = BTreeMap::new();
    for folder in &args.folders {
        let folders = policy_folders(folder)?;
        if folders.is_empty() {
            let message = format!("there is no policy (`policy.rego`) below `{}`", folder.display());
            return Err(Failure::Invalid(message));
        }
        for folder in folders {
            if let Some((id, one)) = of_policy(&folder, &embedded, rounds)? {
                measured.insert(id, one);
            }
        }
    }
    Ok(measured)
}

fn of_policy(path: &Path, embedded: &Library, rounds: usize) -> Result<Option<(String, Measured)>, Failure> {
    let folder = PolicyFolder::read(path, embedded, &mut Disk::default())?;
    let samples = Samples::read(&folder)?;
    let program = compiled::compile(samples.modules().to_vec(), false).map_err(|errors| {
        Failure::Invalid(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })?;
    // The loop runs beside each policy, so that a machine that slows down slows both.
    let loop_time = reference::time();
    let all = samples.measure(&program, rounds).map_err(Failure::Invalid)?;
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    if count == 0 {
        return Ok(None);
    }
    let time = all.iter().map(|one| one.time).sum::<Duration>() / count;
    let cost = Cost {
        steps: all.iter().map(|one| one.spent.steps).sum(),
        bytes: all.iter().map(|one| one.spent.bytes).sum(),
        time: time.as_secs_f64() / loop_time.as_secs_f64().max(1e-9),
    };
    Ok(Some((folder.id, Measured { samples: all.len(), time, cost })))
}

fn human(measured: &BTreeMap<String, Measured>, changes: &BTreeMap<String, Change>, out: &mut Output) {
    let width = measured.keys().map(|id| id.chars().count()).max().unwrap_or_default().max("policy".len());
    let head =
        format!("{:width$} {:>7} {:>12} {:>8} {:>10}", "policy", "samples", "µs/decision", "steps", "KiB");
    out.data(styled(QUIET, head));
    for (id, one) in measured {
        let micros = one.time.as_secs_f64() * 1e6;
        let kib = one.cost.bytes.div_ceil(1024);
        let line = format!("{id:width$} {:>7} {micros:>12.1} {:>8} {kib:>10}", one.samples, one.cost.steps);
        match changes.get(id) {
            Some(change) if change.is_worse() => {
                out.data(format_args!("{line}  {}", styled(BAD, change.short())));
            }
            Some(change) if change.is_better() => {
                out.data(format_args!("{line}  {}", styled(GOOD, change.short())));
            }
            Some(change) if change.is_new() => {
                out.data(format_args!("{line}  {}", styled(WARNING, change.short())));
            }
            _ => out.data(line),
        }
    }
    let total: Duration = measured.values().map(|one| one.time).sum();
    out.data(format_args!(
        "{} policies, {:.1} µs for one decision of each",
        measured.len(),
        total.as_secs_f64() * 1e6
    ));
}

fn json(measured: &BTreeMap<String, Measured>, changes: &BTreeMap<String, Change>, out: &mut Output) {
    let policies: Vec<_> = measured
        .iter()
        .map(|(id, one)| {
            json!({
                "policy": id,
                "samples": one.samples,
                "nanoseconds": u64::try_from(one.time.as_nanos()).unwrap_or(u64::MAX),
                "loops": one.cost.time,
                "steps": one.cost.steps,
                "bytes": one.cost.bytes,
                "change": changes.get(id).map(|change| json!({"kind": change.kind(), "message": change.text})),
            })
        })
        .collect();
    out.data(format_args!("{:#}", json!({"policies": policies})));
}
