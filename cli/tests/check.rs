//! `wayguard check`, run as a person would: what is shown, exit codes, formats, context, `--fix`.

mod support;

use support::{folder, wayguard, wayguard_in, wayguard_with_stdin};

const HOUSE: [&str; 2] = ["--policies", "house/policies.yaml"];

fn check(arguments: &[&str]) -> support::Ran {
    wayguard(&[&["check"], arguments, &HOUSE].concat())
}

#[test]
fn a_person_sees_every_finding_with_its_place_and_remedy() {
    insta::assert_snapshot!(check(&["apps"]).shown());
}

#[test]
fn nothing_to_say_is_exit_code_zero() {
    let ran = check(&["apps/other.yaml", "--context", "apps/shop.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    assert!(ran.stdout.ends_with("1 object: 1 allowed\n"), "{}", ran.shown());
}

#[test]
fn json_has_the_designed_shape() {
    let ran = check(&["apps/shop.yaml", "--format", "json"]);
    assert_eq!(ran.code, 2);
    insta::assert_json_snapshot!(ran.json());
}

#[test]
fn sarif_names_rules_levels_and_lines() {
    let mut sarif = check(&["apps/shop.yaml", "--format", "sarif"]).json();
    sarif["runs"][0]["tool"]["driver"]["version"] = "[version]".into();
    insta::assert_json_snapshot!(sarif);
}

#[test]
fn junit_and_github_are_for_machines() {
    insta::assert_snapshot!("junit", check(&["apps", "--format", "junit"]).stdout);
    insta::assert_snapshot!("github", check(&["apps", "--format", "github"]).stdout);
}

#[test]
fn stdin_is_a_file_like_others() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'x:latest'}]}\n";
    let ran = wayguard_with_stdin(&["check", "-", "--policies", "house/policies.yaml"], pod);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stdout.contains("<stdin>:4 house/pinned-images/moving-tag")
            || ran.stdout.contains("<stdin>:4 pinned-images/moving-tag"),
        "{}",
        ran.shown()
    );
}

#[test]
fn an_unknown_namespace_skips_and_with_strict_is_an_error() {
    let lenient = check(&["apps/other.yaml"]);
    assert_eq!(lenient.code, 0, "{}", lenient.shown());
    assert!(
        lenient
            .stdout
            .contains("skipped team: needs the namespace's labels: namespace `elsewhere` is not known here"),
        "{}",
        lenient.shown()
    );
    let strict = check(&["apps/other.yaml", "--strict"]);
    assert_eq!(strict.code, 3, "{}", strict.shown());
    assert!(strict.stdout.contains("1 object: 1 error"), "{}", strict.shown());
}

#[test]
fn bad_yaml_has_file_line_and_caret_and_leaves_the_rest_judged() {
    let files = folder(&[
        ("bad.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  name: b\n"),
        ("good.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"),
        ("values.yaml", "replicas: 3\n"),
    ]);
    let policies = support::fixtures().join("house/policies.yaml");
    let ran = wayguard_in(files.path(), &["check", ".", "--policies", policies.to_str().unwrap()]);
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!(ran.shown());
}

#[test]
fn a_policy_that_cannot_load_is_invalid_and_its_neighbours_judge() {
    let broken = "apiVersion: wayguard.io/v1alpha1\nkind: Policy\nmetadata: {name: broken}\nspec:\n  source:\n    rego: |\n      # METADATA\n      # title: t\n      # custom: {remedy: r}\n      package broken\n      deny contains msg if {\n        msg := nosuch(input)\n      }\n  match:\n    resourceRules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]\n";
    let files = folder(&[("broken.yaml", broken)]);
    let path = files.path().join("broken.yaml");
    let ran = check(&["apps/shop.yaml", "--policies", path.to_str().unwrap()]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    assert!(ran.stderr.contains("undefined function nosuch"), "{}", ran.shown());
    assert!(ran.stderr.contains("\n 6 |   msg := nosuch(input)\n"), "{}", ran.shown());
    assert!(ran.stdout.contains("moving-tag"), "{}", ran.shown());
}

#[test]
fn usage_mistakes_are_exit_code_three_and_say_what_would_work() {
    let ran = wayguard(&["check", "apps", "--policies", "nosuch"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.starts_with("error: `nosuch` is no bundle, no policy of the library, and no file or folder; the bundles are `baseline`, `cis`"), "{}", ran.stderr);
    assert_eq!(wayguard(&["check"]).code, 3);
    assert_eq!(wayguard(&["check", "nosuch.yaml"]).code, 3);
    assert_eq!(wayguard(&["check", "-", "--fix"]).code, 3);
    assert_eq!(wayguard(&["check", "--help"]).code, 0);
}

#[test]
fn fix_writes_what_admission_fills_in_and_keeps_the_comments() {
    let shop = std::fs::read_to_string(support::fixtures().join("apps/shop.yaml")).unwrap();
    let files = folder(&[("shop.yaml", &shop)]);
    let policies = support::fixtures().join("house/policies.yaml");
    let arguments = ["check", "shop.yaml", "--policies", policies.to_str().unwrap()];
    let ran = wayguard_in(files.path(), &[&arguments[..], &["--fix"]].concat());
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(ran.stderr.contains("shop.yaml: 3 changes written"), "{}", ran.shown());
    let fixed = std::fs::read_to_string(files.path().join("shop.yaml")).unwrap();
    insta::assert_snapshot!(fixed);
    let again = wayguard_in(files.path(), &arguments).stdout;
    assert!(!again.contains(" + "), "nothing is left to fill in: {again}");
    assert_eq!(wayguard_in(files.path(), &[&arguments[..], &["--fix"]].concat()).stderr, "");
}

#[test]
fn what_cannot_be_fixed_safely_is_shown_as_a_patch() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - &one\n      name: a\n      image: x:1\n    - *one\n";
    let files = folder(&[("pod.yaml", text)]);
    let policies = support::fixtures().join("house/policies.yaml");
    let ran =
        wayguard_in(files.path(), &["check", "pod.yaml", "--fix", "--policies", policies.to_str().unwrap()]);
    assert!(ran.stderr.contains("note: pod.yaml: left as it is, because"), "{}", ran.shown());
    assert!(ran.stderr.contains("\"path\": \"/spec/containers/1/resources\""), "{}", ran.shown());
    assert_eq!(std::fs::read_to_string(files.path().join("pod.yaml")).unwrap(), text);
}

#[test]
fn colours_only_where_they_are_wanted() {
    assert!(!check(&["apps"]).stdout.contains('\u{1b}'));
    assert!(check(&["apps", "--color", "always"]).stdout.contains('\u{1b}'));
}
