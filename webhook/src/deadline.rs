//! How long a request may take: the API server's `?timeout=`, less a margin for the way back.

use std::time::{Duration, Instant};

/// The API server allows 30 s at most; we answer before.
const CAP: Duration = Duration::from_secs(29);

/// The margin is a tenth of the time-out, but at least this.
const LEAST_MARGIN: Duration = Duration::from_millis(100);

/// When a request must be answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    /// When its head had arrived.
    pub(crate) started: Instant,
    /// When its answer leaves at the latest.
    pub(crate) at: Instant,
}

impl Deadline {
    /// Of a request whose head has just arrived; `query` is the URL's, without `?`.
    pub(crate) fn from_query(query: Option<&str>, default: Duration) -> Self {
        let asked = query.and_then(timeout_in).unwrap_or(default);
        let started = Instant::now();
        Self { started, at: started + answer_within(asked) }
    }

    /// What is left.
    pub(crate) fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// How long the request may take in all.
    pub(crate) fn whole(&self) -> Duration {
        self.at - self.started
    }

    /// For all Rego: what is left less a reserve, so that a policy that runs out of time is answered by its own
    /// `onError`, which is more precise than our answer for the whole request.
    pub(crate) fn for_evaluation(&self, limit: Duration) -> Duration {
        let left = self.left();
        limit.min(left.saturating_sub((left / 10).max(Duration::from_millis(10))))
    }

    /// When facts that have not arrived count as unavailable: a quarter of the rest is left for judging.
    pub(crate) fn for_facts(&self) -> Instant {
        Instant::now() + self.left() * 3 / 4
    }
}

fn answer_within(asked: Duration) -> Duration {
    let margin = (asked / 10).max(LEAST_MARGIN);
    asked.saturating_sub(margin).max(asked / 2).min(CAP)
}

/// The value of `timeout` in a query: a whole number of seconds or milliseconds, as Go prints short durations.
/// Anything else, and zero, counts as not given.
fn timeout_in(query: &str) -> Option<Duration> {
    let text = query.split('&').find_map(|pair| pair.strip_prefix("timeout="))?;
    let duration = match text.strip_suffix("ms") {
        Some(milliseconds) => Duration::from_millis(u64::from(milliseconds.parse::<u32>().ok()?)),
        None => Duration::from_secs(u64::from(text.strip_suffix('s')?.parse::<u32>().ok()?)),
    };
    (!duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_leaves_before_the_api_server_gives_up() {
        for (asked, within) in [(200, 100), (1_000, 900), (5_000, 4_500), (30_000, 27_000), (60_000, 29_000)]
        {
            let within = Duration::from_millis(within);
            assert_eq!(answer_within(Duration::from_millis(asked)), within, "{asked} ms");
        }
    }

    #[test]
    fn timeouts_are_read_as_the_api_server_writes_them() {
        assert_eq!(timeout_in("timeout=5s"), Some(Duration::from_secs(5)));
        assert_eq!(timeout_in("a=b&timeout=1500ms"), Some(Duration::from_millis(1500)));
        for strange in
            ["", "timeout=", "timeout=0s", "timeout=-1s", "timeout=5", "timeout=1e9s", "xtimeout=5s"]
        {
            assert_eq!(timeout_in(strange), None, "{strange}");
        }
    }

    #[test]
    fn evaluation_ends_before_the_deadline() {
        let deadline = Deadline::from_query(Some("timeout=10s"), Duration::from_secs(1));
        assert!(deadline.for_evaluation(Duration::from_mins(1)) < Duration::from_millis(8_101));
        assert_eq!(deadline.for_evaluation(Duration::from_secs(2)), Duration::from_secs(2));
    }
}
