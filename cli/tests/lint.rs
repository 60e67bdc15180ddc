//! `wayguard policy lint`, run as a person would: what is shown, exit codes, formats, ignored findings.

#![allow(clippy::unwrap_used, reason = "test code outside test functions")]

mod support;

use support::{Ran, wayguard_in};

/// A folder with one policy of the shape that `policy new` makes, with a rule that loses findings.
fn written(body: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = wayguard_in(folder.path(), &["policy", "new", "demo/owner-label"]);
    assert_eq!(made.code, 0, "{}", made.shown());
    let file = folder.path().join("demo/owner-label/policy.rego");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n{body}")).unwrap();
    folder
}

fn lint(folder: &tempfile::TempDir, arguments: &[&str]) -> Ran {
    wayguard_in(folder.path(), &[&["policy", "lint"], arguments].concat())
}

const LOSES: &str = "deny contains finding if {\n\tinput.review.object.spec.hostNetwork != false\n\tfinding := {\"path\": \"/spec/hostNetwork\", \"expected\": \"false\"}\n}\n";

#[test]
fn what_policy_new_makes_has_nothing_to_mend() {
    let ran = lint(&written(""), &["--strict", "demo"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    assert!(ran.stdout.ends_with("0 errors, 0 warnings in 2 files\n"), "{}", ran.shown());
}

#[test]
fn a_person_sees_the_place_what_is_wrong_and_what_mends_it() {
    let ran = lint(&written(LOSES), &["demo"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    for part in [
        "demo/owner-label/policy.rego:",
        "error: where `input.review.object.spec.hostNetwork` is absent this is undefined, not true",
        "[absent-not-equal]",
        "input.review.object.spec.hostNetwork != false\n",
        "  fix: write what must hold as a rule of its own",
        "1 error, 0 warnings in 2 files\n",
    ] {
        assert!(ran.stdout.contains(part), "`{part}` is not in\n{}", ran.shown());
    }
}

#[test]
fn a_rule_is_disabled_by_its_id_and_an_id_that_is_none_is_said() {
    let folder = written(LOSES);
    assert_eq!(lint(&folder, &["demo", "--disable", "absent-not-equal"]).code, 0);
    let ran = lint(&folder, &["demo", "--disable", "absent"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("there is no rule `absent`"), "{}", ran.shown());
}

#[test]
fn what_is_ignored_is_counted_with_its_reason() {
    let body = LOSES.replace("\tinput", "\t# wayguard:ignore absent-not-equal the server sets it\n\tinput");
    let ran = lint(&written(&body), &["demo", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    let json = ran.json();
    assert_eq!(json["ignored"][0]["reason"], "the server sets it");
    assert_eq!(json["summary"]["ignored"], 1);
}

#[test]
fn programs_get_lines_and_columns() {
    let folder = written(LOSES);
    let json = lint(&folder, &["demo", "--format", "json"]).json();
    let finding = &json["findings"][0];
    assert_eq!((&finding["rule"], &finding["severity"]), (&"absent-not-equal".into(), &"error".into()));
    assert_eq!(finding["column"], 2);
    let sarif = lint(&folder, &["demo", "--format", "sarif"]).json();
    let result = &sarif["runs"][0]["results"][0];
    let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"][rule]["id"], "absent-not-equal");
    let line = &result["locations"][0]["physicalLocation"]["region"]["startLine"];
    assert_eq!(*line, finding["line"]);
    let github = lint(&folder, &["demo", "--format", "github"]).stdout;
    assert!(
        github.starts_with(&format!("::error file=demo/owner-label/policy.rego,line={line},")),
        "{github}"
    );
}

#[test]
fn what_cannot_be_read_and_what_is_no_rego_are_told_apart() {
    let folder = written("deny contains {\n");
    let ran = lint(&folder, &["demo"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(ran.stdout.contains("[syntax]"), "{}", ran.shown());
    let empty = tempfile::tempdir().unwrap();
    let ran = lint(&empty, &["."]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("there is no Rego"), "{}", ran.shown());
}
