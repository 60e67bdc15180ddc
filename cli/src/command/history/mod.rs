//! `wayguard history`: what was decided, from the database or the service that keeps it.

pub(crate) mod page;

use crate::cluster::{ClusterArgs, block_on};
use crate::exit::{ExitStatus, Failure};
use crate::history::{Asked, HistoryArgs};
use crate::output::Output;
use crate::suite::SuiteArgs;
use jiff::{SignedDuration, Timestamp};
use wayguard_cluster::authority::{AUTHORITY_SECRET, SecretPlace};
use wayguard_history::DecisionFilter;

/// The parts of `history`.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List decisions, newest first: denials, warnings, mutations that changed something
    List(Box<ListArgs>),
}

/// Options of `history list`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard history list --history history.db --since 24h --verdict deny
  wayguard history list --history https://127.0.0.1:8443 --kubeconfig admin.conf -n shop
  wayguard history list --database-url-file db.url --policy images/latest-tag --format json

`wayguard explain ID` tells one of them whole.")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    at: HistoryArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    #[command(flatten)]
    suite: SuiteArgs,

    /// Not before: a time (2026-11-23T12:00:00Z), or how long ago (30m, 24h, 7d)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,

    /// Before
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,

    /// Of this namespace
    #[arg(long, short = 'n', value_name = "NAME", default_value = "", hide_default_value = true)]
    namespace: String,

    /// Of this kind, as Pod or Pod/exec
    #[arg(long, value_name = "KIND", default_value = "", hide_default_value = true)]
    kind: String,

    /// Of the object of this name
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    name: String,

    /// Asked by this user
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    user: String,

    /// allow (a mutation), warn, deny or error
    #[arg(long, value_name = "VERDICT", value_parser = ["allow", "warn", "deny", "error"])]
    verdict: Option<String>,

    /// With a finding of this policy
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    policy: String,

    /// Of the cluster of this name
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    cluster_name: String,

    /// The newest so many
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,

    /// How to print them
    #[arg(long, value_enum, default_value_t, env = "WAYGUARD_FORMAT")]
    format: Format,
}

/// How decisions are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line each
    #[default]
    Human,
    /// For programs: each whole
    Json,
}

/// A time, or a time ago.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let wrong =
        || "expected a time such as `2026-11-23T12:00:00Z`, or how long ago: `30m`, `24h`, `7d`".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i64 = text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let ago = number.checked_mul(seconds).filter(|ago| *ago >= 0).ok_or_else(wrong)?;
    Timestamp::now().checked_sub(SignedDuration::from_secs(ago)).map_err(|_| wrong())
}

/// Runs the command.
///
/// # Errors
/// If no history is named, or it cannot be asked.
pub(crate) fn run(command: Command, out: &mut Output) -> Result<ExitStatus, Failure> {
    let Command::List(args) = command;
    let kept = args.at.kept()?.ok_or_else(unnamed)?;
    let place = SecretPlace {
        namespace: args.suite.own_namespace.clone(),
        name: args.suite.authority_secret.clone().unwrap_or_else(|| AUTHORITY_SECRET.to_owned()),
    };
    let filter = DecisionFilter {
        since: args.since,
        until: args.until,
        cluster: args.cluster_name,
        namespace: args.namespace,
        kind: args.kind,
        name: args.name,
        user: args.user,
        verdict: args.verdict.unwrap_or_default(),
        policy: args.policy,
        limit: args.limit,
    };
    let found = block_on(async {
        let asked = Asked::open(kept, args.cluster.connect_like_kubectl(), place).await?;
        asked.chosen(&filter).await
    })?;
    match args.format {
        Format::Json => page::json(&found, out),
        Format::Human => {
            found.iter().for_each(|decision| page::line(decision, out));
            if found.is_empty() {
                out.talk("no decision that is stored is like that");
            }
        }
    }
    Ok(ExitStatus::Fine)
}

/// What to say where no history is named.
pub(crate) fn unnamed() -> Failure {
    Failure::Invalid(
        "which history? Name its file or its service by `--history`, or PostgreSQL by `--database-url-file`"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(moment("1970-01-01T00:00:00Z"), Ok(Timestamp::UNIX_EPOCH));
        let before = Timestamp::now();
        let day = before.duration_since(moment("24h").unwrap()).as_secs();
        assert!((86_000..=86_400).contains(&day), "{day}");
        for wrong in ["", "h", "yesterday", "-1h", "9223372036854775807d"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
