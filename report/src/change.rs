//! What earlier reports know: since when a finding is there, what is new, what is fixed, and how long that took. A history
//! in a database is read into the same form.

use crate::model::{About, Baseline, Change, Coverage, Finding, Gap, Point, Repairs, Report, SCHEMA};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use wayguard_audit::Outcome;

/// What a history tells, in the words of reports.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// What is asked for: what is new and fixed since then.
    pub since: Timestamp,
    /// Since when each finding is there, by id.
    pub first_seen: BTreeMap<String, Timestamp>,
    /// Findings that went since then.
    pub fixed: Vec<Finding>,
    /// How things stood, oldest first.
    pub trend: Vec<Point>,
    /// How long everything that was fixed took.
    pub repairs: Repairs,
}

/// What came before.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// What a history tells in the place of a report to compare with.
    told: Option<(Timestamp, Vec<Finding>)>,
    /// The report to compare with.
    baseline: Option<Then>,
    /// Since when each finding is there, without a break until the baseline.
    first_seen: BTreeMap<String, Timestamp>,
    /// How things stood, oldest first.
    trend: Vec<Point>,
    /// What had been fixed by then.
    repairs: Repairs,
}

#[derive(Clone, Debug)]
struct Then {
    about: About,
    findings: Vec<Finding>,
    open: BTreeSet<String>,
    coverage: Coverage,
}

/// Why a file is no report to compare with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PastProblem {
    /// Another kind of file.
    #[error(
        "it is no report in JSON ({0}); `wayguard report --format json -o FILE` writes one that can be compared with"
    )]
    NoReport(String),
    /// A report of another form.
    #[error("it says that it is `{0}`; this version reads `{SCHEMA}`")]
    Schema(String),
    /// A report about something else.
    #[error(
        "it is about the cluster with the uid `{theirs}`, and this report about `{ours}`: they cannot be compared"
    )]
    OtherCluster {
        /// uid of theirs.
        theirs: String,
        /// uid of ours.
        ours: String,
    },
    /// A report of a later time.
    #[error("it is of {theirs}, which is not before {ours}, the time of this report")]
    NotBefore {
        /// Its time.
        theirs: Timestamp,
        /// Ours.
        ours: Timestamp,
    },
}

/// Reads a report that was written as JSON.
///
/// # Errors
/// If it is none.
pub(crate) fn read(text: &str) -> Result<Report, PastProblem> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| PastProblem::NoReport(error.to_string()))?;
    match value.get("schema").and_then(serde_json::Value::as_str) {
        Some(SCHEMA) => {}
        Some(other) => return Err(PastProblem::Schema(other.to_owned())),
        None => return Err(PastProblem::NoReport("it has no field `schema`".to_owned())),
    }
    serde_json::from_value(value).map_err(|error| PastProblem::NoReport(error.to_string()))
}

impl Report {
    /// Reads a report that was written as JSON.
    ///
    /// # Errors
    /// If it is none, or of another form.
    pub fn from_json(text: &str) -> Result<Self, PastProblem> {
        read(text)
    }
}

impl Past {
    /// What earlier reports know, in any order; the newest is what is compared with.
    ///
    /// # Errors
    /// If one is about another cluster, or is not earlier than `about`.
    pub fn of_reports(mut reports: Vec<Report>, about: &About) -> Result<Self, PastProblem> {
        for report in &reports {
            let (theirs, ours) = (&report.about.cluster.uid, &about.cluster.uid);
            if !theirs.is_empty() && !ours.is_empty() && theirs != ours {
                return Err(PastProblem::OtherCluster { theirs: theirs.clone(), ours: ours.clone() });
            }
            if report.about.time >= about.time {
                return Err(PastProblem::NotBefore { theirs: report.about.time, ours: about.time });
            }
        }
        reports.sort_by_key(|report| report.about.time);
        let mut past = Self::default();
        let mut trend: BTreeMap<Timestamp, Point> = BTreeMap::new();
        let mut known: BTreeMap<String, Timestamp> = BTreeMap::new();
        for report in &reports {
            trend.extend(report.trend.iter().map(|point| (point.time, point.clone())));
            let seen = |finding: &Finding| {
                let before = known.get(&finding.id).copied().unwrap_or(finding.first_seen);
                (finding.id.clone(), before.min(finding.first_seen))
            };
            known = report.findings.iter().map(seen).collect();
        }
        past.trend = trend.into_values().collect();
        past.first_seen = known;
        if let Some(report) = reports.pop() {
            past.repairs = report.repairs;
            let Report { about, findings, coverage, .. } = report;
            let open = findings.iter().filter(|finding| finding.is_open()).map(|finding| finding.id.clone());
            past.baseline = Some(Then { about, open: open.collect(), findings, coverage });
        }
        Ok(past)
    }

    /// What a history knows.
    pub fn of_history(told: Told) -> Self {
        let Told { since, first_seen, fixed, trend, repairs } = told;
        Self { told: Some((since, fixed)), baseline: None, first_seen, trend, repairs }
    }

    /// Since when a finding is there, if it was there before.
    pub(crate) fn first_seen(&self, id: &str) -> Option<Timestamp> {
        self.first_seen.get(id).copied()
    }

    /// Whether a finding was not there before; without anything to compare with nothing is new.
    pub(crate) fn is_new(&self, finding: &Finding) -> bool {
        if let Some((since, _)) = &self.told {
            return finding.is_open() && finding.first_seen > *since;
        }
        finding.is_open() && self.baseline.as_ref().is_some_and(|then| !then.open.contains(&finding.id))
    }

    /// How things stood before, and now.
    pub(crate) fn trend_with(&self, now: Point) -> Vec<Point> {
        let mut trend: Vec<Point> =
            self.trend.iter().filter(|point| point.time < now.time).cloned().collect();
        trend.push(now);
        trend
    }

    /// What changed, and what had been repaired by now.
    pub(crate) fn change(
        &self,
        about: &About,
        findings: &[Finding],
        policies: &BTreeSet<&str>,
        coverage: &Coverage,
    ) -> (Option<Change>, Repairs) {
        let mut repairs = self.repairs;
        if let Some((since, fixed)) = &self.told {
            let there: BTreeSet<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
            let since = Baseline { time: *since, policy_set_digest: String::new(), same_policies: None };
            let change = Change {
                since,
                new: findings.iter().filter(|finding| finding.new).map(|_| 1).sum(),
                // What came back is not fixed.
                fixed: fixed.iter().filter(|finding| !there.contains(finding.id.as_str())).cloned().collect(),
                excepted: 0,
                no_longer_judged: Vec::new(),
            };
            return (Some(change), repairs);
        }
        let Some(then) = &self.baseline else { return (None, repairs) };
        let now: BTreeMap<&str, Outcome> =
            findings.iter().map(|finding| (finding.id.as_str(), finding.result)).collect();
        let mut change = Change {
            since: Baseline {
                time: then.about.time,
                policy_set_digest: then.about.policy_set_digest.clone(),
                same_policies: Some(then.about.policy_set_digest == about.policy_set_digest),
            },
            new: findings.iter().filter(|finding| finding.new).map(|_| 1).sum(),
            fixed: Vec::new(),
            excepted: 0,
            no_longer_judged: Vec::new(),
        };
        for finding in then.findings.iter().filter(|finding| finding.is_open()) {
            match now.get(finding.id.as_str()) {
                Some(Outcome::Skip) => change.excepted += 1,
                Some(_) => {}
                None => {
                    let mut finding = finding.clone();
                    finding.first_seen = self.first_seen(&finding.id).unwrap_or(finding.first_seen);
                    finding.new = false;
                    if is_judged(&finding, policies, coverage, &then.coverage) {
                        repairs.count += 1;
                        let lasted = about.time.as_second() - finding.first_seen.as_second();
                        repairs.seconds += u64::try_from(lasted).unwrap_or_default();
                        change.fixed.push(finding);
                    } else {
                        change.no_longer_judged.push(finding);
                    }
                }
            }
        }
        (Some(change), repairs)
    }
}

/// Whether a finding that is not there any more would have been found: silence about what nobody looked at is no repair.
fn is_judged(finding: &Finding, policies: &BTreeSet<&str>, now: &Coverage, then: &Coverage) -> bool {
    let object = &finding.object;
    let exempt = now.namespaces.iter().any(|gap| gap.namespace == object.namespace);
    let about_it = |gap: &&Gap| gap.kind.is_empty() || gap.kind == object.kind;
    let unread = now.kinds.iter().filter(about_it).any(|gap| !then.kinds.contains(gap));
    // More objects than before that a policy could not judge: this may be one of them.
    let as_before = |gap: &Gap| {
        let same = |old: &&Gap| (&old.what, &old.why) == (&gap.what, &gap.why);
        then.policies.iter().find(same).is_some_and(|old| gap.objects <= old.objects)
    };
    let lost = now.policies.iter().any(|gap| gap.what == finding.policy && !as_before(gap));
    let failed = now.problems.iter().any(|gap| gap.what == object.to_string());
    policies.contains(finding.policy.as_str()) && !exempt && !unread && !lost && !failed
}
