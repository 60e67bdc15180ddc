//! Decisions on their way into the history, if one is named.

use super::certificates::Certificates;
use crate::exit::Failure;
use crate::history::{HistoryArgs, sink};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wayguard_history::{Recorder, RecorderOptions};
use wayguard_webhook::Recording;

/// At the end: what waits has this long to be stored.
const FLUSH_WITHIN: Duration = Duration::from_secs(5);

/// The queue, and a task that empties it; `None` if nothing is recorded.
///
/// # Errors
/// If what names the history cannot be used.
pub(super) fn open(
    args: &HistoryArgs,
    cluster: &str,
    certificates: &Certificates,
) -> Result<Option<Arc<Recording>>, Failure> {
    let Some(kept) = args.kept()? else { return Ok(None) };
    let sink = sink(kept, certificates.mutual())?;
    // It ends with the last recorder.
    let (recorder, _writing) = Recorder::start(sink, RecorderOptions::default());
    let replica =
        ["POD_NAME", "HOSTNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
    Ok(Some(Arc::new(Recording { recorder, cluster: cluster.to_owned(), replica })))
}

/// Waits until what is queued is stored; nothing is added to the queue any more.
pub(super) async fn finish(recording: Option<Arc<Recording>>) {
    let Some(recording) = recording else { return };
    let deadline = Instant::now() + FLUSH_WITHIN;
    let waiting = || recording.recorder.counts().waiting();
    while waiting() > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if waiting() > 0 {
        tracing::warn!(decisions = waiting(), "not stored before the end");
    }
}
