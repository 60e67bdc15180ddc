//! Sentences and small pieces that several parts of the page have.

use crate::model::{Counts, Finding, ObjectName, Report};
use jiff::Timestamp;
use maud::{Markup, html};
use wayguard_audit::Outcome;

/// `1 object`, `12 objects`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The day of a time, the whole of it for machines and under the pointer.
pub(super) fn day(time: Timestamp) -> Markup {
    let whole = time.to_string();
    html! { time datetime=(whole) title=(whole) { (whole.chars().take(10).collect::<String>()) } }
}

/// How long before the report, in words.
pub(super) fn age(time: Timestamp, now: Timestamp) -> String {
    duration(u64::try_from(now.as_second() - time.as_second()).unwrap_or_default())
}

/// Seconds in words: the largest unit that fits.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        0..=59 => "less than a minute".to_owned(),
        60..=3_599 => counted(seconds / 60, "minute"),
        3_600..=86_399 => counted(seconds / 3_600, "hour"),
        _ => counted(seconds / 86_400, "day"),
    }
}

/// Of what, when, by what.
pub(super) fn about(report: &Report) -> String {
    let about = &report.about;
    let of = match about.cluster.uid.as_str() {
        "" => String::new(),
        uid => format!(" · cluster {uid}"),
    };
    let digest: String = about.policy_set_digest.chars().take(12).collect();
    let policies = match report.policies.len() {
        1 => "1 policy".to_owned(),
        count => format!("{count} policies"),
    };
    format!("{}{of} · {policies}, set {digest}", about.time)
}

/// The verdict in one sentence, and what limits it in another.
pub(super) fn verdict(report: &Report) -> String {
    let (totals, counts) = (&report.totals, &report.totals.findings);
    let objects = counted(totals.objects, "object");
    let mut sentence = match (totals.refused, totals.warned) {
        _ if totals.objects == 0 => "Nothing was judged: there was no object to look at.".to_owned(),
        (0, 0) if totals.unjudged == totals.objects => {
            format!("Nothing was judged: no policy is about any of {objects}.")
        }
        (0, 0) => format!("No open findings on {objects}."),
        (0, warned) => format!("Nothing would be refused; {warned} of {objects} have warnings."),
        (refused, _) => format!("{refused} of {objects} would be refused today."),
    };
    let worst = [("critical", counts.critical), ("high", counts.high)];
    let worst: Vec<String> =
        worst.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
    if !worst.is_empty() {
        sentence.push_str(&format!(" {} findings are open.", worst.join(" and ")));
    }
    if report.coverage.incomplete {
        sentence.push_str(" Part of the cluster could not be read, so there may be more.");
    } else if totals.unjudged > 0 && totals.unjudged < totals.objects {
        let (count, verb) = if totals.unjudged == 1 { (1, "was") } else { (totals.unjudged, "were") };
        sentence.push_str(&format!(" {count} {verb} not judged."));
    }
    sentence
}

/// A severity as a word in its colour.
pub(super) fn severity(finding: &Finding) -> Markup {
    let name = finding.severity.as_str();
    html! { span class=(name) { (name) } }
}

/// What becomes of a finding, for people.
pub(super) fn result(finding: &Finding) -> &'static str {
    match finding.result {
        Outcome::Skip => "excepted",
        Outcome::Warn => "warns",
        Outcome::Fail => "would be refused",
        Outcome::Error => "policy failed",
    }
}

/// An object: what it is, where it is.
pub(super) fn object(object: &ObjectName) -> Markup {
    html! { (object.kind) " " code { @if !object.namespace.is_empty() { (object.namespace) "/" } (object.name) } }
}

/// Who answers for something.
pub(super) fn owner(owner: &str) -> Markup {
    html! { @if owner.is_empty() { span.soft { "nobody named" } } @else { (owner) } }
}

/// Since when: the first report that had it, or the object's own age where no earlier report is known.
pub(super) fn since(finding: &Finding, report: &Report) -> Markup {
    let now = report.about.time;
    html! {
        @if finding.first_seen < now {
            (day(finding.first_seen)) br; span.soft { (age(finding.first_seen, now)) }
        } @else if let Some(created) = finding.object_created {
            span.soft { "object of " } (day(created)) br; span.soft { (age(created, now)) }
        } @else {
            (day(finding.first_seen))
        }
        @if finding.new { " " span.new { "new" } }
    }
}

/// Cells with counts by severity, and what is excepted.
pub(super) fn cells(counts: &Counts) -> Markup {
    html! {
        @for (count, class) in [(counts.critical, "critical"), (counts.high, "high"), (counts.medium, "medium"), (counts.low, "low")] {
            td.n { @if count > 0 { span class=(class) { (count) } } @else { "0" } }
        }
        td.n { (counts.skip) }
    }
}

/// The heads of these cells.
pub(super) fn cell_heads() -> Markup {
    html! { @for head in ["Critical", "High", "Medium", "Low", "Excepted"] { th.n scope="col" { (head) } } }
}

/// A remedy, with where to read more: only addresses that a browser fetches become links.
pub(super) fn remedy(finding: &Finding) -> Markup {
    html! {
        @if finding.remedy.is_empty() { span.soft { "The policy does not say; ask who wrote " code { (finding.policy) } "." } }
        @else { (prose(&finding.remedy)) }
        (link(&finding.docs))
    }
}

/// A link to more, if it is one.
pub(super) fn link(docs: &str) -> Markup {
    let is_web = docs.starts_with("https://") || docs.starts_with("http://");
    html! { @if is_web { " " a href=(docs) rel="noreferrer" { "More" } } @else if !docs.is_empty() { " " span.soft { (docs) } } }
}

/// A text in which what stands between backticks is code.
pub(super) fn prose(text: &str) -> Markup {
    // An odd backtick is one.
    if text.matches('`').count() % 2 == 1 {
        return html! { (text) };
    }
    html! { @for (at, part) in text.split('`').enumerate() { @if at % 2 == 1 { code { (part) } } @else { (part) } } }
}
