//! Log lines on stderr: for people or, one JSON object each, for programs.

use crate::exit::Failure;
use std::io::IsTerminal as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

/// Options about logs.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LoggingArgs {
    /// How log lines are written
    #[arg(long, value_enum, default_value_t, env = "WAYGUARD_LOG_FORMAT")]
    log_format: LogFormat,

    /// What is logged: error, warn, info, debug or trace; also per module, such as `info,wayguard_webhook=debug`
    #[arg(long, value_name = "FILTER", default_value = "info", env = "WAYGUARD_LOG")]
    log: String,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

/// Starts logging for the process.
///
/// # Errors
/// If the filter cannot be read.
pub(crate) fn start(args: &LoggingArgs) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&args.log)
        .map_err(|error| Failure::Invalid(format!("`{}` is no log filter: {error}", args.log)))?;
    let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(ansi);
    let lines = match args.log_format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        // Fields lie beside the message, and nothing else does: their names are documented.
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_filter(filter)
            .boxed(),
    };
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(lines).try_init();
    Ok(())
}
