//! Our parser beside OPA's, over all the Rego that OPA's own tests hold, sound and unsound: both must accept or
//! refuse the same texts, and read those they accept alike.

mod rego;

use rego::oracle;
use serde_json::Value;
use wayguard_engine::rego::syntax::tree::Version;
use wayguard_engine::rego::syntax::{self, SyntaxError};

/// Holds a set of one number in many notations; OPA's parser keeps one of them, ours leaves that to the compiler.
const NOTATIONS: &str =
    "comparisonexpr/decimals are the same number as a set member, object key and sort position";

/// Our reading of a text, in the canonical form.
fn read(text: &str, kind: &str, version: Version) -> Result<String, Vec<SyntaxError>> {
    match kind {
        "module" => syntax::parse_module(text, version).map(|module| syntax::canonical::module(&module)),
        _ => syntax::parse_query(text, version).map(|body| syntax::canonical::body(&body)),
    }
}

/// What OPA reads and we refuse, knowing that no policy of a person holds it.
fn on_purpose(errors: &[SyntaxError]) -> bool {
    let known = ["`_` cannot be used for rule name", "number too big"];
    errors.iter().all(|error| known.contains(&error.message.as_str()))
}

#[test]
fn the_parser_reads_what_opa_reads() {
    let Some(lines) = oracle::lines("corpus") else { return };
    let (mut accepted, mut refused, mut stricter) = (0, 0, 0);
    let mut differences: Vec<String> = Vec::new();
    for line in lines {
        let piece: Value = serde_json::from_str(&line).unwrap();
        if piece["source"] == NOTATIONS {
            continue;
        }
        let text = piece["text"].as_str().unwrap();
        let kind = piece["kind"].as_str().unwrap();
        let version = if piece["v0"] == true { Version::V0 } else { Version::V1 };
        let ours = read(text, kind, version);
        let theirs = piece["tree"].as_str();
        let difference = match (&ours, theirs) {
            (Ok(ours), Some(theirs)) if ours == theirs => {
                accepted += 1;
                continue;
            }
            (Err(_), None) => {
                refused += 1;
                continue;
            }
            (Err(errors), Some(_)) if on_purpose(errors) => {
                stricter += 1;
                continue;
            }
            (Ok(ours), Some(theirs)) => format!("OPA reads {theirs}\nwe read   {ours}"),
            (Ok(ours), None) => format!("OPA refuses {}\nwe read {ours}", piece["load"]),
            (Err(errors), Some(theirs)) => format!("OPA reads {theirs}\nwe refuse {errors:?}"),
        };
        differences.push(format!("--- {} as {kind}, {version:?}\n{text}\n{difference}\n", piece["source"]));
    }
    println!(
        "{accepted} read alike, {refused} refused by both, {stricter} by us on purpose, {} different",
        differences.len()
    );
    if let Ok(file) = std::env::var("REGO_DIFFERENCES") {
        std::fs::write(file, differences.join("\n")).unwrap();
    }
    assert!(accepted > 10_000, "only {accepted} texts were read; is this OPA's test suite?");
    assert!(differences.is_empty(), "{}", differences.iter().take(5).cloned().collect::<String>());
}
