//! OPA's own conformance cases on our engine: none may come out differently; what we refuse is listed.
//!
//! `REGO_CASES` chooses those whose name holds a text. `REGO_UPDATE_DOCS=1` writes the list of what is refused.

mod rego;

use rego::cases::{self, Outcome};
use rego::ours::Ours;
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn no_conformance_case_comes_out_differently() {
    let Some(cases) = cases::all() else { return };
    let mut ours = Ours::default();
    let (mut equal, mut refused) = (0, 0);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut different: Vec<String> = Vec::new();
    let only = std::env::var("REGO_CASES").unwrap_or_default();
    for case in cases.iter().filter(|case| case.note.contains(&only)) {
        match case.run(&mut ours) {
            Outcome::Equal => equal += 1,
            Outcome::Refused(why) => {
                refused += 1;
                *reasons.entry(reason(&why)).or_default() += 1;
            }
            Outcome::Different(ours) => different.push(format!(
                "--- {}\n{}wanted: {}\nours: {ours}\n",
                case.note,
                case.question,
                case.wanted()
            )),
        }
    }
    println!("{} cases: {equal} equal, {refused} refused, {} different", cases.len(), different.len());
    if let Ok(file) = std::env::var("REGO_DIFFERENCES") {
        std::fs::write(file, different.join("\n")).unwrap();
    }
    assert!(different.is_empty(), "{}", different.iter().take(5).cloned().collect::<String>());
    if only.is_empty() {
        compare_page(&page(&reasons, equal, refused));
    }
}

/// Why a case is refused, without the place.
fn reason(why: &str) -> String {
    let first = why.lines().next().unwrap_or_default();
    first.splitn(4, ':').nth(3).unwrap_or(first).trim().to_owned()
}

/// The page of the book that lists what is refused.
fn page(reasons: &BTreeMap<String, usize>, equal: usize, refused: usize) -> String {
    let mut text = format!(
        "# What of Rego is refused\n\n\
        A policy means here what it means in Open Policy Agent, or it is refused when it is loaded, with file, line \
        and reason. This page is made from OPA's own conformance cases (`just compare-rego-cases`): {equal} of {} \
        answer as OPA does, none answers differently, and {refused} are refused for these reasons.\n\n\
        | reason | cases |\n|---|---|\n",
        equal + refused
    );
    for (reason, count) in reasons {
        text.push_str(&format!("| {} | {count} |\n", reason.replace('|', "\\|")));
    }
    text.push_str(
        "\nBesides, a file may have at most 1 MiB, brackets and chains of operators may nest 160 deep, a number may \
        have an exponent of some 30,000, and `_` is not the name of a rule; nor are `eq` and `assign` where the package \
        has `=` or `:=`.\n",
    );
    text
}

fn compare_page(page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/rego-refusals.md");
    if std::env::var_os("REGO_UPDATE_DOCS").is_some() {
        std::fs::write(&file, page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page,
        "{} is out of date; run `REGO_UPDATE_DOCS=1 just compare-rego-cases`",
        file.display()
    );
}
