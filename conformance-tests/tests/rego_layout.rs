//! Our formatter beside OPA's, over all modules that OPA's own tests hold: the same bytes, wherever what OPA writes
//! reads as what it read, and stays as it is.

mod rego;

use rego::oracle;
use serde_json::Value;
use wayguard_engine::rego::format::format;
use wayguard_engine::rego::syntax::tree::Version;

/// Names that OPA's compiler makes up, which its formatter lays out as no person's.
const GENERATED: &str = "__local";

/// What is known to differ, by what the text holds, and why.
const KNOWN: [(&str, &str); 3] = [
    ("35e-1", "one number in many notations: OPA keeps one"),
    ("$\"{", "constants in template strings, which OPA writes into the text"),
    ("$`{", "constants in template strings, which OPA writes into the text"),
];

/// Layouts that no person writes (imports of keywords beside `rego.v1`, `in` without its import) and that differ still.
const RARE: usize = 8;

#[test]
fn the_formatter_writes_what_opa_writes() {
    let Some(lines) = oracle::lines("layouts") else { return };
    let (mut same, mut known, mut unstable) = (0, 0, 0);
    let mut differences = Vec::new();
    for line in lines {
        let layout: Value = serde_json::from_str(&line).unwrap();
        let (text, theirs) = (layout["text"].as_str().unwrap(), layout["formatted"].as_str().unwrap());
        let version = if layout["v0"] == true { Version::V0 } else { Version::V1 };
        if layout["stable"] == false {
            unstable += 1;
            continue;
        }
        match format(text, version) {
            Ok(ours) if ours == theirs => same += 1,
            _ if text.contains(GENERATED) || KNOWN.iter().any(|(part, _)| text.contains(part)) => known += 1,
            other => {
                let source = &layout["source"];
                let ours = other.unwrap_or_else(|error| error.to_string());
                differences
                    .push(format!("--- {source}, {version:?}\n{text}\n--- OPA\n{theirs}\n--- we\n{ours}\n"));
            }
        }
    }
    println!(
        "{same} alike, {known} known to differ, {unstable} that OPA changes, {} different",
        differences.len()
    );
    if let Ok(file) = std::env::var("REGO_DIFFERENCES") {
        std::fs::write(file, differences.join("\n")).unwrap();
    }
    assert!(same > 9_000, "only {same} modules were laid out; is this OPA's test suite?");
    assert!(differences.len() <= RARE, "{}", differences.iter().take(5).cloned().collect::<String>());
}
