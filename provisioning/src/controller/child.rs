//! What is remembered of one object that was made, and whether it has to be applied again.
//!
//! Live objects are known by a watch, which is behind for a moment after each write of ours; and they change for reasons
//! that are none of our business, such as their status. So it is remembered what the API server answered last.

use crate::digest::fingerprint;
use serde_json::Value;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A watch is not behind for longer than this.
const BEHIND: Duration = Duration::from_secs(2);
/// Within this time corrections of one object are counted …
const WINDOW: Duration = Duration::from_mins(1);
/// … and after so many of them it is left alone for a while.
const MOST_CORRECTIONS: usize = 5;
/// How long at first; twice as long each time.
const FIRST_REST: Duration = Duration::from_mins(1);
const LONGEST_REST: Duration = Duration::from_mins(10);

/// Why an object is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// We do not know yet what became of it.
    First,
    /// Something else is wanted.
    Wanted,
    /// It is gone.
    Gone,
    /// Somebody else has changed it.
    Changed,
}

/// What to do about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It is as it should be.
    Nothing,
    /// The watch is behind; look again soon.
    Look,
    /// Apply it.
    Apply(Cause),
    /// Others change it as fast as we do: it is left alone for so long.
    Rest(Duration),
}

/// What is remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Child {
    wanted: String,
    /// Of what the API server answered.
    fingerprint: String,
    version: String,
    /// The version that the watch showed when it was applied.
    before: Option<String>,
    at: Option<Instant>,
    corrections: VecDeque<Instant>,
    rests: u32,
    resting: Option<Instant>,
    /// Who changed it last: after it was put right, nothing in the object tells any more.
    pub(super) rival: Option<String>,
}

impl Child {
    /// What has to be done about it, now that `live` is what the watch shows.
    pub(super) fn need(&mut self, wanted: &str, live: Option<&Value>, now: Instant) -> Need {
        if let Some(until) = self.resting {
            if now < until {
                return Need::Rest(until - now);
            }
            self.resting = None;
        }
        let Some(at) = self.at else { return Need::Apply(Cause::First) };
        if self.wanted != wanted {
            return Need::Apply(Cause::Wanted);
        }
        let behind = now.saturating_duration_since(at) < BEHIND;
        let version = live.map(version_of);
        if version.as_deref() == Some(self.version.as_str()) {
            // Seen: from now on everything else is news.
            self.before = version;
            return Need::Nothing;
        }
        if version == self.before && behind {
            return Need::Look;
        }
        let Some(live) = live else { return Need::Apply(Cause::Gone) };
        if fingerprint(live) == self.fingerprint {
            self.version = version_of(live);
            self.before = Some(self.version.clone());
            return Need::Nothing;
        }
        Need::Apply(Cause::Changed)
    }

    /// It was applied. Whether that changed something that somebody else had done.
    pub(super) fn applied(
        &mut self,
        wanted: &str,
        cause: Cause,
        live: Option<&Value>,
        answer: &Value,
        now: Instant,
    ) -> bool {
        let fingerprint = fingerprint(answer);
        let corrected = matches!(cause, Cause::Gone | Cause::Changed)
            && live.map(crate::digest::fingerprint).as_ref() != Some(&fingerprint);
        wanted.clone_into(&mut self.wanted);
        self.fingerprint = fingerprint;
        self.version = version_of(answer);
        self.before = live.map(version_of);
        self.at = Some(now);
        if corrected {
            self.corrections.push_back(now);
        }
        while self.corrections.front().is_some_and(|first| now.saturating_duration_since(*first) > WINDOW) {
            self.corrections.pop_front();
        }
        if self.corrections.len() > MOST_CORRECTIONS {
            let rest = FIRST_REST.saturating_mul(1 << self.rests.min(6)).min(LONGEST_REST);
            self.resting = Some(now + rest);
            self.rests += 1;
            self.corrections.clear();
        }
        corrected
    }

    /// Whether it is left alone because others change it as fast.
    pub(super) fn is_resting(&self) -> bool {
        self.resting.is_some()
    }
}

fn version_of(object: &Value) -> String {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The managers of a live object's fields but for us, the last one first.
pub(super) fn other_managers(live: &Value, ours: &str) -> Vec<String> {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let text =
        |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut others: Vec<(String, String)> = entries
        .into_iter()
        .flatten()
        .map(|entry| (text(entry, "time"), text(entry, "manager")))
        .filter(|(_, manager)| manager != ours && !manager.is_empty())
        .collect();
    others.sort();
    others.reverse();
    let mut names: Vec<String> = Vec::new();
    for (_, name) in others {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn live(version: u32, size: &str) -> Value {
        json!({"spec": {"size": size}, "status": {"seen": version}, "metadata": {"name": "a", "resourceVersion": version.to_string()}})
    }

    #[test]
    fn what_is_as_it_was_answered_is_not_applied_again() {
        let (mut child, now) = (Child::default(), Instant::now());
        assert_eq!(child.need("w", None, now), Need::Apply(Cause::First));
        assert!(!child.applied("w", Cause::First, None, &live(5, "10Gi"), now));
        assert_eq!(child.need("w", None, now), Need::Look, "the watch is behind");
        assert_eq!(child.need("w", Some(&live(5, "10Gi")), now), Need::Nothing);
        assert_eq!(child.need("w", Some(&live(9, "10Gi")), now), Need::Nothing, "only its status is another");
        assert_eq!(child.need("w", None, now), Need::Apply(Cause::Gone), "it was seen before");
        assert_eq!(child.need("v", Some(&live(9, "10Gi")), now), Need::Apply(Cause::Wanted));
    }

    #[test]
    fn what_never_comes_is_applied_again() {
        let (mut child, now) = (Child::default(), Instant::now());
        child.applied("w", Cause::First, None, &live(5, "10Gi"), now);
        assert_eq!(child.need("w", None, now + BEHIND), Need::Apply(Cause::Gone));
    }

    #[test]
    fn drift_is_corrected_and_an_old_view_is_not_drift() {
        let (mut child, now) = (Child::default(), Instant::now());
        child.applied("w", Cause::First, None, &live(5, "10Gi"), now);
        assert_eq!(child.need("w", Some(&live(5, "10Gi")), now), Need::Nothing);
        let other = live(6, "20Gi");
        assert_eq!(child.need("w", Some(&other), now), Need::Apply(Cause::Changed));
        assert!(child.applied("w", Cause::Changed, Some(&other), &live(7, "10Gi"), now));
        assert_eq!(child.need("w", Some(&other), now), Need::Look, "the watch still shows the drift");
        assert_eq!(child.need("w", Some(&live(7, "10Gi")), now), Need::Nothing);
        let annotated = json!({"spec": {"size": "10Gi"}, "metadata": {"name": "a", "resourceVersion": "8", "annotations": {"a": "b"}}});
        assert_eq!(child.need("w", Some(&annotated), now), Need::Apply(Cause::Changed));
        assert!(
            !child.applied("w", Cause::Changed, Some(&annotated), &annotated, now),
            "what is not ours stays"
        );
        assert_eq!(child.need("w", Some(&annotated), now), Need::Nothing);
    }

    #[test]
    fn a_rival_is_reported_and_not_fought() {
        let (mut child, now) = (Child::default(), Instant::now());
        child.applied("w", Cause::First, None, &live(1, "10Gi"), now);
        for round in 0..6_u32 {
            let theirs = live(10 + 2 * round, "20Gi");
            assert_eq!(child.need("w", Some(&theirs), now), Need::Apply(Cause::Changed), "{round}");
            assert!(child.applied("w", Cause::Changed, Some(&theirs), &live(11 + 2 * round, "10Gi"), now));
        }
        let theirs = live(99, "20Gi");
        assert_eq!(child.need("w", Some(&theirs), now), Need::Rest(FIRST_REST));
        assert!(child.is_resting());
        assert_eq!(child.need("w", Some(&theirs), now + FIRST_REST), Need::Apply(Cause::Changed));
    }

    #[test]
    fn the_rival_is_named() {
        let object = json!({"metadata": {"managedFields": [
            {"manager": "us", "time": "2026-01-03T00:00:00Z"}, {"manager": "old", "time": "2026-01-01T00:00:00Z"},
            {"manager": "rival", "time": "2026-01-02T00:00:00Z"}, {"manager": "rival", "time": "2026-01-01T00:00:00Z"},
        ]}});
        assert_eq!(other_managers(&object, "us"), ["rival", "old"]);
    }
}
