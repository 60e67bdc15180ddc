//! Who and where, exceptions, what was not judged, images.

use super::words::{age, cell_heads, cells, counted, day, object, owner};
use crate::model::{Exception, Gap, Image, Report, Row};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Rows of a group that a page shows at once; the others are folded.
const ROWS: usize = 15;
/// Policies that are named in one line; more are counted.
const NAMED: usize = 8;

pub(super) fn groups(report: &Report) -> Markup {
    let groups = &report.groups;
    let cluster = "(objects of the whole cluster)";
    html! {
        section #groups aria-labelledby="groups-head" {
            h2 #groups-head { "Who and where" }
            (group("Owner", &groups.owners, "(nobody named)"))
            (group("Namespace", &groups.namespaces, cluster))
            @if !groups.violators.is_empty() {
                h3 { "Objects with the most" }
                div.wide { table.sort {
                    caption { "Open findings of single objects" }
                    thead { tr { th scope="col" { "Object" } th scope="col" { "Owner" } (cell_heads()) } }
                    tbody { @for violator in &groups.violators { tr {
                        th scope="row" { (object(&violator.object)) } td { (owner(&violator.owner)) } (cells(&violator.findings))
                    } } }
                } }
            }
            (group("Policy", &groups.policies, ""))
            (group("Control", &groups.controls, ""))
            (group("Severity", &groups.severities, ""))
        }
    }
}

fn group(by: &str, rows: &[Row], nameless: &str) -> Markup {
    let with: Vec<&Row> = rows.iter().filter(|row| row.findings.open() + row.findings.skip > 0).collect();
    let clean = rows.len() - with.len();
    let (shown, folded) = with.split_at(with.len().min(ROWS));
    html! {
        @if !with.is_empty() {
            h3 { "By " (by.to_lowercase()) }
            (table(by, shown, nameless))
            @if !folded.is_empty() {
                details { summary { (folded.len()) " more" } (table(by, folded, nameless)) }
            }
            @if clean > 0 { p.soft { (clean) " more without findings." } }
        }
    }
}

fn table(by: &str, rows: &[&Row], nameless: &str) -> Markup {
    html! {
        div.wide { table.sort {
            caption { "Findings by " (by.to_lowercase()) }
            thead { tr { th scope="col" { (by) } th.n scope="col" { "Objects with open findings" } (cell_heads()) } }
            tbody { @for row in rows { tr {
                th scope="row" { @if row.name.is_empty() { span.soft { (nameless) } } @else { (row.name) } }
                td.n { (row.objects) } (cells(&row.findings))
            } } }
        } }
    }
}

pub(super) fn exceptions(report: &Report) -> Markup {
    let now = report.about.time;
    let state = |it: &Exception| {
        if it.ended {
            format!("ended {} ago, covers nothing", age(it.expires_at, now))
        } else {
            format!("{} left", age(now, it.expires_at))
        }
    };
    html! {
        section #exceptions aria-labelledby="exceptions-head" {
            h2 #exceptions-head { "Exceptions" }
            @if report.exceptions.is_empty() { p.soft { "There are none." } }
            @else {
                div.wide { table.sort {
                    caption { "Exceptions, the next to end first" }
                    thead { tr { @for head in ["Exception", "Policies", "Why", "Answers for it", "Ends", "Findings covered"] { th scope="col" { (head) } } } }
                    tbody { @for exception in &report.exceptions { tr {
                        th scope="row" { (exception.name) }
                        td { (exception.policies.join(", ")) }
                        td { (exception.reason) }
                        td { (exception.owner) }
                        td.keep data-key=(exception.expires_at) {
                            (day(exception.expires_at)) br; span class=(if exception.ended { "bad" } else { "soft" }) { (state(exception)) }
                        }
                        td.n { (exception.findings) }
                    } } }
                } }
            }
        }
    }
}

pub(super) fn coverage(report: &Report) -> Markup {
    let coverage = &report.coverage;
    let all = coverage.met_kinds.values().sum();
    let mut policies: BTreeMap<(&str, Option<u64>), Vec<&str>> = BTreeMap::new();
    for gap in &coverage.policies {
        policies.entry((&gap.why, gap.objects)).or_default().push(&gap.what);
    }
    let nothing = coverage.unjudged_kinds.is_empty()
        && coverage.kinds.is_empty()
        && coverage.namespaces.is_empty()
        && coverage.policies.is_empty()
        && coverage.problems.is_empty();
    html! {
        section #coverage aria-labelledby="coverage-head" {
            h2 #coverage-head { "Not judged, and why" }
            p { (counted(all, "object")) " of " (counted(number(coverage.met_kinds.len()), "kind")) " were looked at." }
            details { summary { "Kinds that were looked at" }
                ul { @for (kind, count) in &coverage.met_kinds { li { (kind) ": " (count) } } } }
            @if !coverage.unjudged_kinds.is_empty() {
                p { "No policy of the set is about these: "
                    (coverage.unjudged_kinds.iter().map(|(kind, count)| format!("{kind} ({count})")).collect::<Vec<_>>().join(", ")) "." }
            }
            @if nothing { p { "Nothing that the policies are about was left out." } }
            (gaps("Kinds", &coverage.kinds))
            @if !coverage.namespaces.is_empty() {
                div.wide { table.sort {
                    caption { "Namespaces" }
                    thead { tr { th scope="col" { "Namespace" } th scope="col" { "Why" } th.n scope="col" { "Objects" } } }
                    tbody { @for gap in &coverage.namespaces { tr {
                        th scope="row" { @if gap.namespace.is_empty() { span.soft { "(the cluster's own objects)" } } @else { (gap.namespace) } }
                        td { (gap.why) } td.n { (gap.objects) }
                    } } }
                } }
            }
            @if !policies.is_empty() {
                div.wide { table.sort {
                    caption { "Policies" }
                    thead { tr { th scope="col" { "Why" } th scope="col" { "Policies" } th.n scope="col" { "Objects each" } } }
                    tbody { @for ((why, objects), names) in &policies { tr {
                        th scope="row" { (why) } td { (few(names)) }
                        td.n { @if let Some(count) = objects { (count) } @else { "all" } }
                    } } }
                } }
            }
            (gaps("Objects that could not be judged at all", &coverage.problems))
        }
    }
}

fn few(names: &[&str]) -> Markup {
    let (shown, folded) = names.split_at(names.len().min(NAMED));
    html! {
        (shown.join(", "))
        @if !folded.is_empty() { details { summary { "and " (folded.len()) " more" } (folded.join(", ")) } }
    }
}

fn gaps(caption: &str, gaps: &[Gap]) -> Markup {
    html! {
        @if !gaps.is_empty() {
            div.wide { table.sort {
                caption { (caption) }
                thead { tr { th scope="col" { "What" } th scope="col" { "Why" } } }
                tbody { @for gap in gaps { tr { th scope="row" { (gap.what) } td { (gap.why) } } } }
            } }
        }
    }
}

pub(super) fn images(report: &Report) -> Markup {
    let asked = report.images.iter().any(|image| image.signatures.is_some() || !image.problem.is_empty());
    html! {
        @if !report.images.is_empty() {
            section #images aria-labelledby="images-head" {
                h2 #images-head { "Images" }
                p { (counted(number(report.images.len()), "image")) "."
                    @if !asked {
                        " Signatures and scans are not known: nobody was named who may sign ("
                        code { "--image-authority" } "), and no registry was asked."
                    }
                }
                div.wide { table.sort {
                    caption { "Images that objects name" }
                    thead { tr { @for head in ["Image", "Digest", "Objects", "Namespaces", "Signed by", "Scans"] { th scope="col" { (head) } } } }
                    tbody { @for image in &report.images { (row(image)) } }
                } }
            }
        }
    }
}

fn row(image: &Image) -> Markup {
    let known = |told: &Option<Vec<String>>, none: &str| {
        html! {
            @match told {
                None => span.soft { @if image.problem.is_empty() { "not asked" } @else { (image.problem) } },
                Some(lines) if lines.is_empty() => span.bad { (none) },
                Some(lines) => { @for line in lines { div { (line) } } },
            }
        }
    };
    html! {
        tr {
            th scope="row" { code { (image.reference) } }
            td {
                @if image.digests.is_empty() { span.soft { "not known" } }
                @for digest in &image.digests { div { code { (short(digest)) } } }
            }
            td.n { (image.objects) }
            td { (image.namespaces.join(", ")) }
            td { (known(&image.signatures, "nobody who may")) }
            td { (known(&image.scans, "none known")) }
        }
    }
}

/// A digest as people compare it; the whole of it is in the JSON report.
fn short(digest: &str) -> String {
    let cut: String = digest.chars().take(19).collect();
    if cut.len() < digest.len() { format!("{cut}…") } else { cut }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
