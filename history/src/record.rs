//! What is recorded, as plain data: the same structures travel to the service, into the database and out to
//! `explain` and reports.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Findings and changes of one decision that are kept; how many more there were is counted.
pub(crate) const KEPT_PARTS: usize = 100;
/// Characters of one text that are kept.
const LONGEST_TEXT: usize = 4096;

/// One decision: a denial, a warning, or a mutation that changed something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DecisionRecord {
    /// What replies and logs name it by: twelve hexadecimal digits.
    pub id: String,
    /// The request's uid, which tells two decisions with the same id apart.
    pub uid: String,
    /// When it was made.
    pub at: Timestamp,
    /// The cluster's name, as its operator calls it.
    pub cluster: String,
    /// The replica that decided.
    pub replica: String,
    /// `mutate` or `validate`.
    pub stage: String,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`.
    pub operation: String,
    /// The object's API group, empty for core.
    pub group: String,
    /// Its kind, with the subresource if there is one: `Pod/exec`.
    pub kind: String,
    /// Its namespace, empty if it has none.
    pub namespace: String,
    /// Its name, or what it is generated from.
    pub name: String,
    /// The user name of who asked.
    pub user: String,
    /// `allow`, `warn`, `deny` or `error`.
    pub verdict: String,
    /// What the person who was refused was told.
    pub message: String,
    /// The content hash of the policy set.
    pub set_digest: String,
    /// Ids of the policies that were evaluated.
    pub policies: Vec<String>,
    /// What was found.
    pub findings: Vec<FindingRecord>,
    /// What was changed, without values.
    pub changes: Vec<Change>,
    /// Findings and changes beyond those that are kept.
    pub left_out: u64,
}

/// One finding of a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FindingRecord {
    /// The policy's id.
    pub policy: String,
    /// The rule within it.
    pub rule: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// `audit`, `warn`, `deny` or `error`.
    pub effect: String,
    /// The place as people read it: `spec.containers[web].image`.
    pub path: String,
    /// One sentence; values are masked where the denial masks them.
    pub message: String,
    /// How to mend it.
    pub remedy: String,
    /// The exception that covers it, or empty.
    pub exception: String,
}

/// One change of a mutation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// `add`, `replace` or `remove` (RFC 6902).
    pub operation: String,
    /// A JSON Pointer.
    pub path: String,
}

/// A part of what the audit knows at one moment. All parts of a moment have the same time; the last one closes it,
/// and only then findings that were not among them count as fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditPart {
    /// The cluster's name.
    pub cluster: String,
    /// The moment.
    pub at: Timestamp,
    /// Objects that are known; counts in the last part.
    pub objects: u64,
    /// Totals.
    pub counts: Vec<AuditCount>,
    /// Findings that are there.
    pub findings: Vec<AuditFinding>,
    /// Kinds (`Deployment.apps`, `Pod.`) that could not be looked at: their findings stay as they were.
    pub unknown_kinds: BTreeSet<String>,
    /// Whether this part closes the state.
    pub last: bool,
}

/// How many results of one sort there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditCount {
    /// The namespace, empty for objects without one.
    pub namespace: String,
    /// The policy's id.
    pub policy: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// `fail`, `warn`, `pass`, `skip` or `error`, as in PolicyReports.
    pub result: String,
    /// How many.
    pub count: u64,
}

/// One finding in what runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditFinding {
    /// The policy's id.
    pub policy: String,
    /// The rule within it.
    pub rule: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// As in PolicyReports.
    pub result: String,
    /// The object's API group, empty for core.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace, or empty.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The place in it as people read it.
    pub path: String,
    /// One sentence, masked.
    pub message: String,
    /// Who answers for the object.
    pub owner: String,
}

impl AuditFinding {
    /// The same for the same finding, whenever it is seen. Its words may change with the value found and do not count,
    /// unless there is no place to tell findings apart by.
    pub fn identity(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let words = if self.path.is_empty() { self.message.as_str() } else { "" };
        for part in [
            &*self.policy,
            &*self.rule,
            &*self.group,
            &*self.kind,
            &*self.namespace,
            &*self.name,
            &*self.path,
            words,
        ] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        hasher.finalize().to_hex().chars().take(32).collect()
    }
}

impl DecisionRecord {
    /// Fits it to the limits: so many parts, so many characters of each text.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        let over = |count: usize| count.saturating_sub(KEPT_PARTS) as u64;
        self.left_out += over(self.findings.len()) + over(self.changes.len());
        self.findings.truncate(KEPT_PARTS);
        self.changes.truncate(KEPT_PARTS);
        for text in self.texts_mut() {
            fit(text);
        }
        self
    }

    /// The length of all its texts, in bytes.
    pub fn bytes(&self) -> usize {
        let mut bytes = 0;
        self.each_text(|text| bytes += text.len());
        bytes
    }

    fn each_text(&self, mut told: impl FnMut(&str)) {
        for text in [
            &self.id,
            &self.uid,
            &self.cluster,
            &self.replica,
            &self.stage,
            &self.operation,
            &self.group,
            &self.kind,
            &self.namespace,
            &self.name,
            &self.user,
            &self.verdict,
            &self.message,
            &self.set_digest,
        ] {
            told(text);
        }
        self.policies.iter().for_each(|text| told(text));
        for finding in &self.findings {
            for text in [
                &finding.policy,
                &finding.rule,
                &finding.severity,
                &finding.effect,
                &finding.path,
                &finding.message,
                &finding.remedy,
                &finding.exception,
            ] {
                told(text);
            }
        }
        for change in &self.changes {
            told(&change.operation);
            told(&change.path);
        }
    }

    fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let own = [
            &mut self.id,
            &mut self.uid,
            &mut self.cluster,
            &mut self.replica,
            &mut self.kind,
            &mut self.namespace,
            &mut self.name,
            &mut self.user,
            &mut self.message,
        ];
        let findings = self.findings.iter_mut().flat_map(|finding| {
            [
                &mut finding.policy,
                &mut finding.rule,
                &mut finding.path,
                &mut finding.message,
                &mut finding.remedy,
                &mut finding.exception,
            ]
        });
        own.into_iter()
            .chain(&mut self.policies)
            .chain(findings)
            .chain(self.changes.iter_mut().map(|change| &mut change.path))
    }
}

impl AuditPart {
    /// Fits its texts to the limits.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        for finding in &mut self.findings {
            for text in [
                &mut finding.policy,
                &mut finding.rule,
                &mut finding.kind,
                &mut finding.namespace,
                &mut finding.name,
                &mut finding.path,
                &mut finding.message,
                &mut finding.owner,
            ] {
                fit(text);
            }
        }
        self
    }
}

/// PostgreSQL stores no NUL, and no database should store megabytes of one text.
fn fit(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
    if text.len() > LONGEST_TEXT
        && let Some((cut, _)) = text.char_indices().nth(LONGEST_TEXT)
    {
        text.truncate(cut);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_requester_writes_cannot_grow_or_break_a_record() {
        let finding = FindingRecord { message: "ä\0".repeat(5000), ..FindingRecord::default() };
        let record =
            DecisionRecord { findings: vec![finding; 130], message: "x".into(), ..DecisionRecord::default() }
                .trimmed();
        assert_eq!((record.findings.len(), record.left_out), (100, 30));
        let message = &record.findings[0].message;
        assert_eq!(message.chars().count(), LONGEST_TEXT + 1);
        assert!(!message.contains('\0') && message.ends_with('…'));
        assert!(record.bytes() > 100 * LONGEST_TEXT && record.bytes() < 100 * 4 * LONGEST_TEXT);
    }

    #[test]
    fn a_finding_is_the_same_while_its_place_is() {
        let one = AuditFinding { path: "spec.a".into(), message: "is 1".into(), ..AuditFinding::default() };
        let other = AuditFinding { message: "is 2".into(), ..one.clone() };
        assert_eq!(one.identity(), other.identity());
        let nowhere =
            |message: &str| AuditFinding { path: String::new(), message: message.into(), ..one.clone() };
        assert_ne!(nowhere("a").identity(), nowhere("b").identity());
        assert_ne!(AuditFinding { name: "b".into(), ..one.clone() }.identity(), one.identity());
    }
}
