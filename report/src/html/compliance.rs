//! Controls of public frameworks, each with what there is to show for it.

use crate::model::{Control, Framework, Report, Status, Test};
use maud::{Markup, html};

pub(super) fn compliance(report: &Report) -> Markup {
    html! {
        section #compliance aria-labelledby="compliance-head" {
            h2 #compliance-head { "Compliance" }
            p.soft {
                "A control counts as kept only if policies that were in force judged every object that they are about and "
                "found nothing. “Not covered” means that nobody looked."
            }
            div.wide { table {
                caption { "Controls by what is known of them" }
                thead { tr { th scope="col" { "Framework" } @for status in STATUSES { th.n scope="col" { (status.words()) } } } }
                tbody { @for framework in &report.compliance { tr {
                    th scope="row" { (framework.name) }
                    @for status in STATUSES { td.n { (framework.controls.iter().filter(|it| it.status == status).count()) } }
                } } }
            } }
            @for framework in &report.compliance { (detail(framework)) }
        }
    }
}

const STATUSES: [Status; 6] = [
    Status::Violated,
    Status::Excepted,
    Status::Incomplete,
    Status::NoViolations,
    Status::NothingJudged,
    Status::NotCovered,
];

fn detail(framework: &Framework) -> Markup {
    html! {
        details {
            summary { strong { (framework.name) } " · " (framework.about) }
            div.wide { table.sort {
                caption { "Controls of " (framework.name) " with the policies that test them" }
                thead { tr { @for head in ["Control", "Asks for", "What is known", "Evidence"] { th scope="col" { (head) } } } }
                tbody { @for control in &framework.controls { (row(control)) } }
            } }
        }
    }
}

fn row(control: &Control) -> Markup {
    let class = match control.status {
        Status::Violated => "bad",
        Status::NoViolations => "good",
        _ => "low",
    };
    html! {
        tr {
            th.keep scope="row" { (control.id) }
            td { (control.title) }
            td { span class=(class) { (control.status.words()) } br; span.soft { (control.reason) } }
            td { @for test in &control.tests { (evidence(test)) } }
        }
    }
}

fn evidence(test: &Test) -> Markup {
    html! {
        div {
            code { (test.policy) } ": " (test.judged) " judged, " (test.violating) " violating"
            @if test.excepted > 0 { ", " (test.excepted) " excepted" }
            @if test.unjudged > 0 { ", " (test.unjudged) " not judged" }
        }
    }
}
