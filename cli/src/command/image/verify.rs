//! `wayguard image verify`: who signed an image, and which rule passed or failed.

use super::Asked;
use crate::exit::{ExitStatus, Failure};
use crate::output::Output;
use serde_json::Value;

/// Options of `image verify`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  wayguard image verify ghcr.io/acme/app:1.4.0 --key cosign.pub
  wayguard image verify ghcr.io/acme/app:1.4.0 --certificate-oidc-issuer https://token.actions.githubusercontent.com \\
      --certificate-identity https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main
  wayguard image verify ghcr.io/acme/app:1.4.0 --authority authority.yaml

Exit codes: 0 it is signed by who should, 1 the registry cannot be asked, 2 it is not, 3 there is no such image, or an
option cannot be used.")]
pub(crate) struct Args {
    #[command(flatten)]
    asked: Asked,

    /// Print the facts as JSON instead
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// If the image cannot be asked for.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let facts = args.asked.facts()?;
    let satisfied = list(&facts, "authorities").all(|authority| authority["satisfied"] == true);
    if args.json {
        out.data(format!("{facts:#}"));
    } else {
        say(args.asked.image(), &facts, out);
    }
    Ok(if satisfied { ExitStatus::Fine } else { ExitStatus::Denied })
}

fn list<'f>(facts: &'f Value, name: &str) -> impl Iterator<Item = &'f Value> + use<'f> {
    facts.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text<'f>(value: &'f Value, name: &str) -> &'f str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn say(image: &str, facts: &Value, out: &mut Output) {
    out.data(format!("{image} is {}", text(facts, "digest")));
    for authority in list(facts, "authorities") {
        let (signers, required) = (&authority["signers"], &authority["required"]);
        let word = if authority["satisfied"] == true { "ok" } else { "failed" };
        out.data(format!("{word} {}: {signers} of {required} signatures", text(authority, "name")));
    }
    for signature in list(facts, "signatures") {
        out.data(format!("  signed by {}", signer(signature)));
    }
    for (predicate_type, attestations) in facts["attestations"].as_object().into_iter().flatten() {
        for attestation in attestations.as_array().into_iter().flatten() {
            out.data(format!("  attested by {}: {predicate_type}", signer(attestation)));
        }
    }
    for scan in list(facts, "scans") {
        let counts = &scan["counts"];
        let signed = if scan["signed"] == true { "" } else { ", not signed" };
        out.data(format!(
            "  scanned at {} by {}{signed}: {} critical, {} high, {} medium, {} low",
            text(scan, "finishedAt"),
            text(scan, "scanner"),
            counts["critical"],
            counts["high"],
            counts["medium"],
            counts["low"]
        ));
    }
    for rejected in list(facts, "rejected") {
        let what = text(rejected, "what");
        let what = if what.is_empty() { "all of it" } else { what };
        out.data(format!("  does not count: {what}: {}", text(rejected, "message")));
    }
}

fn signer(facts: &Value) -> String {
    let name = format!("{}/{}", text(facts, "imageAuthority"), text(facts, "authority"));
    match facts.get("identity") {
        Some(identity) => format!("{name} ({}, by {})", text(identity, "subject"), text(identity, "issuer")),
        None => format!("{name} (key {})", text(facts, "key")),
    }
}
