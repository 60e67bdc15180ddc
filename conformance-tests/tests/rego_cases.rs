//! OPA's own conformance cases on our engine: none may come out differently; what we refuse is listed.
//!
//! `REGO_CASES` chooses those whose name holds a text.

mod rego;

use rego::cases::{self, Outcome};
use rego::ours::Ours;
use std::collections::BTreeMap;

#[test]
#[ignore = "until the compiled evaluator answers"]
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
                *reasons.entry(why.lines().next().unwrap_or_default().to_owned()).or_default() += 1;
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
        let refusals: Vec<_> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        std::fs::write(file, format!("{}\n=== refused\n{}\n", different.join("\n"), refusals.join("\n")))
            .unwrap();
    }
    assert!(different.is_empty(), "{}", different.iter().take(5).cloned().collect::<String>());
}
