//! Whether a report's totals say what its own findings say: for tests, and for auditors who were handed one.

use crate::model::{Counts, Finding, Report, Row};
use std::collections::BTreeSet;

/// A number that is not what was counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is told as {told}, and counted from its findings as {counted}")]
pub struct Difference {
    /// Which number.
    pub what: String,
    /// As the report tells it.
    pub told: u64,
    /// As it was counted.
    pub counted: u64,
}

/// Counts all findings anew, one by one, and compares with every number that the report tells about them.
pub fn recount(report: &Report) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut same = |what: String, told: u64, counted: u64| {
        if told != counted {
            differences.push(Difference { what, told, counted });
        }
    };
    let totals = &report.totals;
    compare("totals", &totals.findings, &report.findings, &|_| true, &mut same);
    let parts = totals.refused + totals.warned + totals.excepted + totals.clean + totals.unjudged;
    same("the number of objects".to_owned(), totals.objects, parts);
    let groups = &report.groups;
    group("namespace", &groups.namespaces, report, &|it, name| it.object.namespace == name, &mut same);
    group("owner", &groups.owners, report, &|it, name| it.owner == name, &mut same);
    group("policy", &groups.policies, report, &|it, name| it.policy == name, &mut same);
    group("severity", &groups.severities, report, &|it, name| it.severity.as_str() == name, &mut same);
    group(
        "control",
        &groups.controls,
        report,
        &|it, name| it.controls.iter().any(|id| id == name),
        &mut same,
    );
    for policy in &report.policies {
        let of = |finding: &Finding| finding.policy == policy.id;
        compare(&format!("policy {}", policy.id), &policy.findings, &report.findings, &of, &mut same);
    }
    for violator in &report.groups.violators {
        let of = |finding: &Finding| finding.object == violator.object;
        compare(&violator.object.to_string(), &violator.findings, &report.findings, &of, &mut same);
    }
    for exception in &report.exceptions {
        let covered =
            report.findings.iter().filter(|it| it.exception.as_ref() == Some(&exception.name)).count();
        same(format!("findings of exception {}", exception.name), exception.findings, number(covered));
    }
    if let Some(change) = &report.change {
        let new = report.findings.iter().filter(|finding| finding.new).count();
        same("new findings".to_owned(), change.new, number(new));
    }
    differences
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn group(
    by: &str,
    rows: &[Row],
    report: &Report,
    belongs: &dyn Fn(&Finding, &str) -> bool,
    same: &mut dyn FnMut(String, u64, u64),
) {
    let mut covered = 0;
    for row in rows {
        let own = |finding: &Finding| belongs(finding, &row.name);
        let what = format!("{by} `{}`", row.name);
        compare(&what, &row.findings, &report.findings, &own, same);
        let open = report.findings.iter().filter(|it| own(it) && it.is_open());
        let objects: BTreeSet<_> = open.map(|finding| &finding.object).collect();
        same(format!("objects of {what}"), row.objects, number(objects.len()));
        covered += number(report.findings.iter().filter(|finding| own(finding)).count());
    }
    // A row that is missing would else go unnoticed.
    if by != "control" {
        same(format!("findings by {by}"), covered, number(report.findings.len()));
    }
}

fn compare(
    what: &str,
    told: &Counts,
    findings: &[Finding],
    of: &dyn Fn(&Finding) -> bool,
    same: &mut dyn FnMut(String, u64, u64),
) {
    let count = |wanted: &dyn Fn(&Finding) -> bool| {
        number(findings.iter().filter(|finding| of(finding) && wanted(finding)).count())
    };
    for (name, told) in [("error", told.error), ("fail", told.fail), ("warn", told.warn), ("skip", told.skip)]
    {
        same(format!("{what}, {name}"), told, count(&|finding| finding.result.as_str() == name));
    }
    let severities =
        [("critical", told.critical), ("high", told.high), ("medium", told.medium), ("low", told.low)];
    for (name, told) in severities {
        let open = |finding: &Finding| finding.is_open() && finding.severity.as_str() == name;
        same(format!("{what}, open and {name}"), told, count(&open));
    }
}
