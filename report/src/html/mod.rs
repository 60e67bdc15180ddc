//! The report as one file for a browser: nothing is loaded from elsewhere, and it can be read without its script.
//! Every text goes through the template's escaping; the policy of the page lets no other script run even so.

mod compliance;
mod findings;
mod groups;
mod start;
mod words;

use crate::model::{Report, Scope};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Findings that a page lists at most: a browser has to hold them. All are counted, and JSON and CSV list all.
pub const LISTED: usize = 20_000;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The whole page.
pub fn html(report: &Report) -> String {
    let title = title(report);
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content=(format!("wayguard {}", report.about.version));
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "To the findings" }
                header {
                    h1 { (title) }
                    p.about { (words::about(report)) }
                    (navigation(report))
                }
                main #main {
                    (start::start(report))
                    (compliance::compliance(report))
                    (start::change(report))
                    (groups::groups(report))
                    (groups::exceptions(report))
                    (groups::coverage(report))
                    (groups::images(report))
                    (findings::findings(report))
                }
                (evidence(report))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    text
}

fn title(report: &Report) -> String {
    let of = match (report.about.scope, report.about.cluster.name.as_str()) {
        (Scope::Files, "") => "manifests".to_owned(),
        (Scope::Cluster, "") => "the cluster".to_owned(),
        (_, name) => name.to_owned(),
    };
    format!("Policy report: {of}")
}

fn navigation(report: &Report) -> Markup {
    let parts = [
        ("start", "Start here"),
        ("compliance", "Compliance"),
        ("change", "Trend"),
        ("groups", "Who and where"),
        ("exceptions", "Exceptions"),
        ("coverage", "Not judged"),
        ("images", "Images"),
        ("findings", "All findings"),
        ("evidence", "Evidence"),
    ];
    let shown = |id: &str| id != "images" || !report.images.is_empty();
    html! {
        nav aria-label="Parts of the report" {
            ul { @for (id, name) in parts.iter().filter(|(id, _)| shown(id)) { li { a href=(format!("#{id}")) { (name) } } } }
        }
    }
}

/// What an auditor copies into a file.
fn evidence(report: &Report) -> Markup {
    let (about, totals) = (&report.about, &report.totals);
    let unknown = |text: &str| if text.is_empty() { "not known".to_owned() } else { text.to_owned() };
    html! {
        footer #evidence {
            h2 { "Evidence" }
            dl {
                dt { "Time" } dd { (about.time) }
                dt { "Cluster" } dd { (unknown(&about.cluster.name)) ", uid of kube-system " code { (unknown(&about.cluster.uid)) } }
                dt { "Policy set" } dd { (report.policies.len()) " policies, digest " code { (about.policy_set_digest) } }
                dt { "Objects" } dd {
                    (totals.objects) " met: " (totals.refused) " would be refused, " (totals.warned) " with warnings only, "
                    (totals.excepted) " with excepted findings only, " (totals.clean) " with no finding, "
                    (totals.unjudged) " not judged"
                }
                dt { "Findings" } dd {
                    (totals.findings.open()) " open, " (totals.findings.skip) " covered by exceptions"
                }
                dt { "Made by" } dd { "wayguard " (about.version) "; owners by the label " code { (about.owner_label) } }
                dt { "Checked by" } dd {
                    "the file's signature, if there is one beside it: " code { "wayguard report verify FILE --key KEY.pub" }
                }
            }
        }
    }
}

/// As a content security policy names a text that may run.
fn hash(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    format!("sha256-{}", STANDARD.encode(digest.as_ref()))
}

/// An id for a fragment: only what needs no escaping in one, told apart by a hash where something was left out.
fn fragment(prefix: &str, name: &str) -> String {
    let plain: String =
        name.chars().map(|it| if it.is_ascii_alphanumeric() || it == '-' { it } else { '_' }).collect();
    if plain == name.replace('/', "_") && !name.contains('_') {
        return format!("{prefix}-{plain}");
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    format!("{prefix}-{}", hash.chars().take(12).collect::<String>())
}
