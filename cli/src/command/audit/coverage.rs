//! What was not judged, and why: a report that is silent about it would be taken for a clean one.

use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use wayguard_audit::Totals;
use wayguard_engine::PolicySet;

/// What was not judged.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::command) struct Coverage {
    /// Kinds that policies judge and whose objects were not looked at.
    pub(in crate::command) kinds: Vec<Gap>,
    /// Policies that judged nothing.
    pub(in crate::command) policies: Vec<Gap>,
    /// Exceptions that have ended, and so cover nothing.
    pub(in crate::command) ended_exceptions: Vec<Ended>,
}

/// Something that was not judged.
#[derive(Clone, Debug, Serialize)]
pub(in crate::command) struct Gap {
    /// What.
    pub(in crate::command) what: String,
    /// The kind, where it is about one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::command) kind: String,
    /// Why.
    pub(in crate::command) why: String,
}

/// An exception that has ended.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::command) struct Ended {
    /// Its name.
    pub(in crate::command) name: String,
    /// Who answers for it.
    pub(in crate::command) owner: String,
    /// When it ended.
    pub(in crate::command) expired_at: String,
    /// The policies that it was about.
    pub(in crate::command) policies: Vec<String>,
}

impl Coverage {
    /// What is known of the policies alone.
    pub(in crate::command) fn of(set: &PolicySet, now: Timestamp) -> Self {
        let ended = set.exceptions().iter().filter(|exception| !exception.in_force(now));
        let ended = ended.map(|exception| Ended {
            name: exception.name.clone(),
            owner: exception.spec.owner.clone(),
            expired_at: exception.expires().to_string(),
            policies: exception.spec.policies.clone(),
        });
        Self { ended_exceptions: ended.collect(), ..Self::default() }
    }

    pub(in crate::command) fn kind(&mut self, what: &str, why: &str) {
        self.kind_of(what, "", why);
    }

    pub(in crate::command) fn kind_of(&mut self, what: &str, kind: &str, why: &str) {
        self.kinds.push(Gap { what: what.to_owned(), kind: kind.to_owned(), why: why.to_owned() });
    }

    pub(in crate::command) fn policy(&mut self, what: &str, why: &str) {
        self.policies.push(Gap { what: what.to_owned(), kind: String::new(), why: why.to_owned() });
    }

    /// All gaps in words, one line each.
    pub(in crate::command) fn lines(&self, totals: &Totals) -> Vec<String> {
        let mut lines: Vec<String> =
            self.kinds.iter().map(|gap| format!("{}: {}", gap.what, gap.why)).collect();
        lines.extend(
            totals.untouched.iter().map(|(why, count)| format!("{}: {why}", counted(*count, "object"))),
        );
        let mut by_reason: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
        for (policy, counts) in &totals.policies {
            for (reason, count) in &counts.skipped {
                by_reason.entry(reason).or_default().push((policy, *count));
            }
        }
        for (reason, policies) in by_reason {
            let most = policies.iter().map(|(_, count)| *count).max().unwrap_or_default();
            let names = names(&policies.iter().map(|(name, _)| *name).collect::<Vec<_>>());
            lines.push(format!("{names} on {}: {reason}", counted(most, "object")));
        }
        let mut idle: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for gap in &self.policies {
            idle.entry(&gap.why).or_default().push(&gap.what);
        }
        lines.extend(idle.into_iter().map(|(why, policies)| format!("{}: {why}", names(&policies))));
        lines.extend(self.ended_exceptions.iter().map(|ended| {
            format!(
                "exception `{}` of {} ended at {} and covers nothing any more ({})",
                ended.name,
                ended.owner,
                ended.expired_at,
                ended.policies.join(", ")
            )
        }));
        lines
    }
}

fn names(policies: &[&str]) -> String {
    match policies {
        [first, second, third, _, ..] => {
            format!("{} policies ({first}, {second}, {third}, …)", policies.len())
        }
        few => few.join(", "),
    }
}

/// `1 object`, `12 objects`.
pub(in crate::command) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
