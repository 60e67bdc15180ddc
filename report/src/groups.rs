//! The same findings, counted by what somebody answers for.

use crate::model::{Counts, Finding, Groups, ObjectName, Row, Violator};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use wayguard_engine::decision::Severity;

/// Objects that are told as those with the most findings.
const VIOLATORS: usize = 20;

#[derive(Default)]
struct Tally<'f> {
    objects: BTreeSet<&'f ObjectName>,
    findings: Counts,
}

/// Counts findings; `policies`: all ids, so that those that found nothing have a row as well.
pub(crate) fn groups(findings: &[Finding], policies: &[&str]) -> Groups {
    let policy_rows = policies.iter().map(|id| (*id, Tally::default())).collect();
    let severities = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
    let mut by_severity = rows(BTreeMap::new(), findings, |finding| vec![finding.severity.as_str()]);
    let rank = |row: &Row| severities.iter().position(|severity| severity.as_str() == row.name);
    by_severity.sort_by_key(rank);
    Groups {
        namespaces: worst_first(rows(BTreeMap::new(), findings, |it| vec![it.object.namespace.as_str()])),
        owners: worst_first(rows(BTreeMap::new(), findings, |it| vec![it.owner.as_str()])),
        policies: worst_first(rows(policy_rows, findings, |it| vec![it.policy.as_str()])),
        severities: by_severity,
        controls: worst_first(rows(BTreeMap::new(), findings, |it| {
            it.controls.iter().map(String::as_str).collect()
        })),
        violators: violators(findings),
    }
}

fn rows<'f>(
    mut tallies: BTreeMap<&'f str, Tally<'f>>,
    findings: &'f [Finding],
    names: impl Fn(&'f Finding) -> Vec<&'f str>,
) -> Vec<Row> {
    for finding in findings {
        for name in names(finding) {
            let tally = tallies.entry(name).or_default();
            tally.findings.add(finding.result, finding.severity);
            if finding.is_open() {
                tally.objects.insert(&finding.object);
            }
        }
    }
    let row = |(name, tally): (&str, Tally<'_>)| Row {
        name: name.to_owned(),
        objects: u64::try_from(tally.objects.len()).unwrap_or(u64::MAX),
        findings: tally.findings,
    };
    tallies.into_iter().map(row).collect()
}

/// What weighs most stands first: one critical finding before any number of high ones.
fn weight(counts: &Counts) -> (u64, u64, u64, u64, u64) {
    (counts.critical, counts.high, counts.medium, counts.low, counts.skip)
}

fn worst_first(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by(|one, other| {
        (Reverse(weight(&one.findings)), &one.name).cmp(&(Reverse(weight(&other.findings)), &other.name))
    });
    rows
}

fn violators(findings: &[Finding]) -> Vec<Violator> {
    let mut objects: BTreeMap<&ObjectName, (&str, Counts)> = BTreeMap::new();
    for finding in findings {
        let (_, counts) = objects.entry(&finding.object).or_insert((&finding.owner, Counts::default()));
        counts.add(finding.result, finding.severity);
    }
    let mut objects: Vec<_> = objects.into_iter().filter(|(_, (_, counts))| counts.open() > 0).collect();
    objects.sort_by(|(one, (_, counts)), (other, (_, others))| {
        (Reverse(weight(counts)), one).cmp(&(Reverse(weight(others)), other))
    });
    let violator = |(object, (owner, findings)): (&ObjectName, (&str, Counts))| Violator {
        object: object.clone(),
        owner: owner.to_owned(),
        findings,
    };
    objects.into_iter().take(VIOLATORS).map(violator).collect()
}
