//! Conditions as `meta/v1` has them (KEP-1623): a few named truths about an object, each with a reason.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest message that `meta/v1` allows, in bytes.
const LONGEST_MESSAGE: usize = 32_768;

/// One truth about an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about, such as `Loaded`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 316))]
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// The generation of the object that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When `status` last changed, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub last_transition_time: String,
    /// One word for machines.
    #[schemars(length(min = 1, max = 1024))]
    pub reason: String,
    /// For people.
    #[schemars(length(max = 32768))]
    pub message: String,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It could not be found out.
    Unknown,
}

/// Sets one condition among others. The time of the last transition stays unless the status changes.
pub fn set(conditions: &mut Vec<Condition>, mut new: Condition) {
    if new.message.len() > LONGEST_MESSAGE {
        let end = (0..=LONGEST_MESSAGE).rev().find(|at| new.message.is_char_boundary(*at)).unwrap_or(0);
        new.message.truncate(end);
    }
    match conditions.iter_mut().find(|old| old.kind == new.kind) {
        Some(old) => {
            if old.status == new.status {
                new.last_transition_time.clone_from(&old.last_transition_time);
            }
            *old = new;
        }
        None => conditions.push(new),
    }
}

/// Takes a condition away, if it is there.
pub fn remove(conditions: &mut Vec<Condition>, kind: &str) {
    conditions.retain(|condition| condition.kind != kind);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(status: ConditionStatus, at: &str, message: &str) -> Condition {
        Condition {
            kind: "Loaded".into(),
            status,
            observed_generation: Some(1),
            last_transition_time: at.into(),
            reason: "Compiled".into(),
            message: message.into(),
        }
    }

    #[test]
    fn the_transition_time_changes_with_the_status_only() {
        let mut all = Vec::new();
        set(&mut all, condition(ConditionStatus::True, "t1", "a"));
        set(&mut all, condition(ConditionStatus::True, "t2", "b"));
        assert_eq!((all[0].last_transition_time.as_str(), all[0].message.as_str()), ("t1", "b"));
        set(&mut all, condition(ConditionStatus::False, "t3", "c"));
        assert_eq!((all.len(), all[0].last_transition_time.as_str()), (1, "t3"));
        remove(&mut all, "Loaded");
        assert!(all.is_empty());
    }

    #[test]
    fn a_message_is_cut_to_what_the_api_server_takes() {
        let mut all = Vec::new();
        set(&mut all, condition(ConditionStatus::True, "t", &"ä".repeat(20_000)));
        assert_eq!(all[0].message.len(), LONGEST_MESSAGE);
    }
}
