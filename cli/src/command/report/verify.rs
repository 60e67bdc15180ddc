//! `wayguard report verify`: is this the report that somebody signed, and do its numbers add up?

use crate::exit::{ExitStatus, Failure};
use crate::output::Output;
use std::path::{Path, PathBuf};
use wayguard_bundle::signing::verify_blob;
use wayguard_images::digest::Digest;
use wayguard_images::trust::PublicKey;
use wayguard_report::{Report, recount};

/// Options of `report verify`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  wayguard report verify report.html --key key.pub
  cosign verify-blob report.html --key key.pub --bundle report.html.sigstore.json --insecure-ignore-tlog

Of a report in JSON every number is counted anew from its findings.

Exit codes: 0 it is signed by one of the keys, 2 it is not, or its numbers are not those of its findings, 3 a file
cannot be read or a key is none.")]
pub(super) struct Args {
    /// The report
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// A public key, PEM; with several, a signature by any of them counts
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<PathBuf>,

    /// The signature. [default: FILE.sigstore.json]
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

/// Where the signature of a file is written.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sigstore.json");
    PathBuf::from(name)
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read, or a key is none.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| Failure::unreadable(path, &error));
    let key = |path: &PathBuf| {
        let text = String::from_utf8_lossy(&read(path)?).into_owned();
        PublicKey::from_pem(&text)
            .map_err(|problem| Failure::Invalid(format!("`{}`: {problem}", path.display())))
    };
    let keys = args.keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    let blob = read(&args.file)?;
    let beside = args.bundle.clone().unwrap_or_else(|| beside(&args.file));
    let bundle = read(&beside)?;
    let by = match verify_blob(&bundle, &blob, &keys) {
        Ok(key) => key.fingerprint(),
        Err(problem) => {
            out.error(format!(
                "`{}` does not vouch for `{}`: {problem}",
                beside.display(),
                args.file.display()
            ));
            return Ok(ExitStatus::Denied);
        }
    };
    out.talk(format!("signed by the key {by}"));
    let text = String::from_utf8_lossy(&blob);
    if let Ok(report) = Report::from_json(&text) {
        let differences = recount(&report);
        if !differences.is_empty() {
            out.error("its numbers are not those of its findings:");
            differences.iter().for_each(|difference| out.talk(format!("  {difference}")));
            return Ok(ExitStatus::Denied);
        }
        let (about, totals) = (&report.about, &report.totals);
        out.talk(format!(
            "of {}, cluster uid `{}`, policy set {}: {} objects, {} open findings, counted anew",
            about.time,
            about.cluster.uid,
            about.policy_set_digest,
            totals.objects,
            totals.findings.open()
        ));
    }
    out.data(format!("{} {}", args.file.display(), Digest::of(&blob)));
    Ok(ExitStatus::Fine)
}
