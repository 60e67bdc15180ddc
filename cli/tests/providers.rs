//! What providers of Gatekeeper's would say, in `check` and in Suites: told by files, asked of nobody.

mod support;

use support::{wayguard, wayguard_in};

const POLICIES: &str = "../../../conformance-tests/gatekeeper/signed-images";

fn check(context: &[&str]) -> support::Ran {
    let objects = format!("{POLICIES}/objects.yaml");
    let arguments = ["check", &objects, "--policies", POLICIES];
    let context: Vec<String> = context.iter().map(|name| format!("--context={POLICIES}/{name}")).collect();
    wayguard(&[&arguments[..], &context.iter().map(String::as_str).collect::<Vec<_>>()].concat())
}

#[test]
fn the_context_answers_for_a_provider() {
    let ran = check(&["answers.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(ran.stdout.contains("signedimages/signed\n      bad:1: no signature\n"), "{}", ran.shown());
    let ran = check(&["away.yaml"]);
    assert!(ran.stdout.contains("signatures cannot be looked up (500): nobody is there"), "{}", ran.shown());
}

#[test]
fn what_nobody_says_is_named() {
    let ran = check(&[]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    assert!(
        ran.shown().contains("what the provider `signatures` says of `bad:1`, `good:1` is not known here"),
        "{}",
        ran.shown()
    );
}

#[test]
fn answers_that_are_misspelt_are_told_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.yaml"), "externalData:\n  p: {value: {a: b}}\n").unwrap();
    std::fs::write(folder.path().join("a.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
        .unwrap();
    let ran = wayguard_in(folder.path(), &["check", "a.yaml", "--context", "c.yaml"]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    assert!(ran.stderr.contains("c.yaml:1:1: `externalData` must be `PROVIDER: "), "{}", ran.shown());
}

#[test]
fn a_provider_that_cannot_be_asked_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let provider = "apiVersion: externaldata.gatekeeper.sh/v1beta1\nkind: Provider\nmetadata: {name: p}\nspec:\n  url: http://p.system/\n";
    std::fs::write(folder.path().join("p.yaml"), provider).unwrap();
    std::fs::write(folder.path().join("a.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
        .unwrap();
    let ran = wayguard_in(folder.path(), &["check", "a.yaml", "--policies", "p.yaml"]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    assert!(
        ran.stderr.contains("p.yaml:5:3: Provider `p`: `url` begins with `http://`; only https is asked"),
        "{}",
        ran.shown()
    );
}
