//! The reference of the linter's rules, `docs/reference/lint.md`, made from the rules themselves: a test holds the
//! committed page against them.

use std::fmt::Write as _;
use std::path::Path;
use wayguard_engine::lint::rules;

fn page() -> String {
    let mut page = String::from(
        "# What `wayguard policy lint` finds\n\nMade from the rules. An error means that the policy may not do what it says, or breaks the contract; a warning is a\nmatter of speed or of reading, and fails with `--strict` only. A finding is ignored by a comment on its line or the\none above, with a reason:\n\n```rego\n# wayguard:ignore need-undeclared whoever is not known is not exempt\n```\n\n| rule | severity | what it wants |\n|---|---|---|\n",
    );
    for rule in rules() {
        let wants = rule.wants.replace('|', "\\|");
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| [`{id}`](#{id}) | {} | {wants} |", rule.severity.word(), id = rule.id);
    }
    for rule in rules() {
        let _ = write!(page, "\n## {}\n\n{}, {}. {}\n", rule.id, rule.severity.word(), rule.wants, rule.why);
        if let Some([wrong, right]) = rule.example {
            let _ = write!(page, "\n```rego\n# wrong\n{wrong}```\n\n```rego\n# right\n{right}```\n");
        }
    }
    page
}

#[test]
fn the_reference_of_the_rules_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/lint.md");
    let page = page();
    if std::env::var_os("WAYGUARD_UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/reference/lint.md is not what the rules say; run `WAYGUARD_UPDATE=1 cargo test -p wayguard --lib reference`"
    );
}
