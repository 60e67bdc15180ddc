//! Every finding, by rule: what is wrong and how to mend it once, then where it is.

use super::LISTED;
use super::start::{heading, rule_id};
use super::words::{counted, link, object, owner, prose, result, severity, since};
use crate::model::{Finding, Report};
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

/// With no more findings than this, nothing is folded.
const FEW: usize = 100;

pub(super) fn findings(report: &Report) -> Markup {
    let listed = report.findings.get(..report.findings.len().min(LISTED)).unwrap_or_default();
    let mut rules: Vec<Vec<&Finding>> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for finding in listed {
        let id = rule_id(finding);
        if let Some(rule) = known.get(&id).and_then(|at| rules.get_mut(*at)) {
            rule.push(finding);
        } else {
            known.insert(id, rules.len());
            rules.push(vec![finding]);
        }
    }
    let owners: BTreeSet<&str> = listed.iter().map(|finding| finding.owner.as_str()).collect();
    html! {
        section #findings aria-labelledby="findings-head" {
            h2 #findings-head { "All findings" }
            @if listed.is_empty() { p { "There are none." } }
            @if listed.len() < report.findings.len() {
                p { strong { "The first " (listed.len()) " of " (report.findings.len()) } ", worst and oldest first. All numbers above are of all; "
                    code { "--format csv" } " and " code { "--format json" } " list all." }
            }
            @if !listed.is_empty() { (tools(&owners)) }
            @for rule in &rules { @if let Some(first) = rule.first() { (part(report, first, rule, listed.len() <= FEW)) } }
        }
    }
}

fn tools(owners: &BTreeSet<&str>) -> Markup {
    html! {
        div.tools role="search" {
            label { "Search" input #filter-text type="search" placeholder="name, namespace, policy …"; }
            label { "Severity" select #filter-severity {
                option value="" { "all" }
                @for name in ["critical", "high", "medium", "low"] { option value=(name) { (name) } }
            } }
            label { "Owner" select #filter-owner {
                option value="*" { "all" }
                @for name in owners { option value=(name) { @if name.is_empty() { "nobody named" } @else { (name) } } }
            } }
            label { "Only new" input #filter-new type="checkbox"; }
            span #filter-told role="status" {}
        }
    }
}

fn part(report: &Report, first: &Finding, findings: &[&Finding], open: bool) -> Markup {
    html! {
        details.rule #(rule_id(first)) data-severity=(first.severity.as_str()) open[open] {
            summary {
                (severity(first)) " " strong { (heading(first)) } " · " (result(first)) " · "
                (counted(u64::try_from(findings.len()).unwrap_or(u64::MAX), "finding"))
                " · " code { (first.policy) @if first.rule != "deny" && first.rule != "warn" { "/" (first.rule) } }
            }
            @if !first.remedy.is_empty() || !first.docs.is_empty() { p { "Fix: " (prose(&first.remedy)) (link(&first.docs)) } }
            @if !first.controls.is_empty() { p.soft { "Controls: " (first.controls.join(", ")) } }
            div.wide { table.sort {
                caption { "Objects with this finding" }
                thead { tr { @for head in ["Object", "Owner", "Since", "What is wrong"] { th scope="col" { (head) } } } }
                tbody { @for finding in findings { tr data-owner=(finding.owner) data-new=[finding.new.then_some("1")] {
                    th scope="row" { (object(&finding.object)) }
                    td { (owner(&finding.owner)) }
                    td.keep data-key=(finding.first_seen) { (since(finding, report)) }
                    td { (prose(&finding.message)) @if let Some(name) = &finding.exception { span.soft { " Excepted by " code { (name) } "." } } }
                } } }
            } }
        }
    }
}
