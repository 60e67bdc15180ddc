//! The first screen: the verdict, the oldest of the worst with its owner and remedy, what to do first; then how things
//! have changed.

use super::fragment;
use super::words::{
    age, counted, day, duration, object, owner, prose, remedy, result, severity, since, verdict,
};
use crate::model::{Finding, Point, Report};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Lines of what to do first.
const FIRST: usize = 10;
/// Findings listed as fixed, or as no longer judged; more are counted.
const GONE: usize = 100;

pub(super) fn start(report: &Report) -> Markup {
    let mut open = report.findings.iter().filter(|finding| finding.is_open());
    html! {
        section #start aria-labelledby="start-head" {
            h2 #start-head hidden { "Start here" }
            p.verdict { (verdict(report)) }
            @if let Some(worst) = open.next() { (first(report, worst)) }
            (numbers(report))
            (to_do(report))
        }
    }
}

/// The one finding that a reader is to take away.
fn first(report: &Report, finding: &Finding) -> Markup {
    let now = report.about.time;
    html! {
        div.first {
            h2 { "The longest-standing " (finding.severity.as_str()) " finding" }
            p { strong { (finding.title) } ": " (prose(&finding.message)) }
            dl {
                dt { "Object" } dd { (object(&finding.object)) }
                dt { "Owner" } dd {
                    @if finding.owner.is_empty() {
                        "nobody named: neither the object nor its namespace has the label " code { (report.about.owner_label) }
                    } @else { strong { (finding.owner) } }
                }
                dt { "Since" } dd {
                    @if finding.first_seen < now { (day(finding.first_seen)) ", " (age(finding.first_seen, now)) " ago, in reports" }
                    @else if let Some(created) = finding.object_created {
                        "first reported today; the object is of " (day(created)) ", " (age(created, now)) " ago"
                    } @else { "first reported " (day(finding.first_seen)) }
                }
                dt { "How to fix" } dd { (remedy(finding)) }
                dt { "Policy" } dd { a href=(format!("#{}", rule_id(finding))) { (finding.policy) } " · " (result(finding)) }
            }
        }
    }
}

fn numbers(report: &Report) -> Markup {
    let (totals, counts) = (&report.totals, &report.totals.findings);
    let numbers = [
        (totals.refused, "objects would be refused"),
        (counts.critical, "critical findings open"),
        (counts.high, "high"),
        (counts.medium, "medium"),
        (counts.low, "low"),
        (counts.skip, "covered by exceptions"),
        (totals.unjudged, "objects not judged"),
    ];
    html! { ul.numbers { @for (count, what) in numbers { li { strong { (count) } (what) } } } }
}

/// The id of the part that lists the findings of a rule.
pub(super) fn rule_id(finding: &Finding) -> String {
    fragment("rule", &format!("{}/{}/{}", finding.policy, finding.rule, result(finding)))
}

struct Task<'r> {
    first: &'r Finding,
    count: u64,
}

/// One line for each rule and owner, by the worst and oldest of them: that is what one person can act on.
fn to_do(report: &Report) -> Markup {
    let mut tasks: Vec<Task<'_>> = Vec::new();
    let mut known: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| finding.is_open()) {
        let key = (finding.policy.as_str(), finding.rule.as_str(), finding.owner.as_str());
        if let Some(task) = known.get(&key).and_then(|at| tasks.get_mut(*at)) {
            task.count += 1;
        } else {
            known.insert(key, tasks.len());
            tasks.push(Task { first: finding, count: 1 });
        }
    }
    let all = tasks.len();
    html! {
        @if !tasks.is_empty() {
            div.wide { table {
                caption { "What to do first: worst, then oldest" @if all > FIRST { "; " (FIRST) " of " (all) } }
                thead { tr {
                    @for head in ["Severity", "What is wrong", "Owner", "Since", "How to fix"] { th scope="col" { (head) } }
                } }
                tbody { @for task in tasks.iter().take(FIRST) { tr {
                    td.keep { (severity(task.first)) }
                    td {
                        a href=(format!("#{}", rule_id(task.first))) { (heading(task.first)) } br;
                        (object(&task.first.object))
                        @if task.count > 1 { span.soft { " and " (counted(task.count - 1, "more finding")) } }
                    }
                    td { (owner(&task.first.owner)) }
                    td.keep { (since(task.first, report)) }
                    td.fix { (remedy(task.first)) }
                } } }
            } }
        }
    }
}

/// A policy's title, or its id where it has none.
pub(super) fn heading(finding: &Finding) -> &str {
    if finding.title.is_empty() { &finding.policy } else { &finding.title }
}

pub(super) fn change(report: &Report) -> Markup {
    html! {
        section #change aria-labelledby="change-head" {
            h2 #change-head { "Trend" }
            @if let Some(change) = &report.change {
                p {
                    "Since " (day(change.since.time)) ": " strong { (change.new) " new" } ", " strong { (change.fixed.len()) " fixed" }
                    @if change.excepted > 0 { ", " (change.excepted) " excepted since" }
                    @if !change.no_longer_judged.is_empty() {
                        ", " (change.no_longer_judged.len()) " no longer judged, which is not the same as fixed"
                    }
                    "."
                    @if change.since.same_policies == Some(false) {
                        " The policies have changed since then: some of the difference may be theirs."
                    }
                }
                (gone("Fixed", &change.fixed))
                (gone("No longer judged", &change.no_longer_judged))
            } @else {
                p.soft { "There is no earlier report to compare with. " code { "wayguard report --since EARLIER.json" }
                    " tells what is new and what was fixed." }
            }
            @if let Some(mean) = report.repairs.mean_seconds() {
                p { "Mean time to fix: " strong { (duration(mean)) } ", over " (counted(report.repairs.count, "finding")) " known to be fixed." }
            }
            @if report.trend.len() > 1 { (chart(&report.trend)) }
        }
    }
}

fn gone(what: &str, findings: &[Finding]) -> Markup {
    html! {
        @if !findings.is_empty() {
            details {
                summary { (what) ": " (findings.len()) }
                ul { @for finding in findings.iter().take(GONE) {
                    li { (severity(finding)) " " (heading(finding)) ": " (object(&finding.object)) " (" (owner(&finding.owner)) ")" }
                } }
                @if findings.len() > GONE { p.soft { "and " (findings.len() - GONE) " more, in the JSON report" } }
            }
        }
    }
}

/// Open findings over time, as a table and as bars that say the same.
fn chart(trend: &[Point]) -> Markup {
    /// Reports that are shown: the last ones.
    const SHOWN: usize = 24;
    let shown = trend.get(trend.len().saturating_sub(SHOWN)..).unwrap_or_default();
    let most = shown.iter().map(|point| point.findings.open()).max().unwrap_or_default().max(1);
    let known = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), |count| count.to_string());
    let bar = |at: usize, count: u64, bad: bool| {
        let height = count * 90 / most;
        html! { rect.bad[bad] x=(at * 30 + 4) y=(100 - height) width="22" height=(height) {} }
    };
    html! {
        svg width=(shown.len() * 30 + 10) height="104" viewBox=(format!("0 0 {} 104", shown.len() * 30 + 10)) role="img"
            aria-label="Open findings in each report, critical and high ones darker; the table below has the numbers" {
            @for (at, point) in shown.iter().enumerate() {
                (bar(at, point.findings.open(), false))
                (bar(at, point.findings.critical + point.findings.high, true))
            }
        }
        div.wide { table {
            caption { "Open findings over time" }
            thead { tr { th scope="col" { "Report of" } @for head in ["Objects", "Would be refused", "Open", "Critical", "High"] { th.n scope="col" { (head) } } } }
            tbody { @for point in shown.iter().rev() { tr {
                td { (day(point.time)) } td.n { (known(point.objects)) } td.n { (known(point.refused)) } td.n { (point.findings.open()) }
                td.n { (point.findings.critical) } td.n { (point.findings.high) }
            } } }
        } }
    }
}
