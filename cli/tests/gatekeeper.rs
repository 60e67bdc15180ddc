//! Gatekeeper's objects in files: judged by `check`, broken ones reported beside their neighbours.

mod support;

use support::wayguard;

const POLICIES: [&str; 2] = ["--policies", "gatekeeper/policies.yaml"];

fn check(arguments: &[&str]) -> support::Ran {
    wayguard(&[&["check"], arguments].concat())
}

#[test]
fn constraints_and_mutators_speak_like_native_policies() {
    insta::assert_snapshot!(check(&[&["gatekeeper/app.yaml"], &POLICIES[..]].concat()).shown());
}

#[test]
fn the_verdict_has_gatekeepers_words_and_details() {
    let ran = check(&[&["gatekeeper/app.yaml", "--format", "json"], &POLICIES[..]].concat());
    let result = &ran.json()["results"][0];
    let message = result["message"].as_str().unwrap();
    assert!(message.starts_with("[pods-have-owners] label <owner> is missing (decision "), "{message}");
    let finding = result["findings"].as_array().unwrap().iter().find(|it| it["effect"] == "deny").unwrap();
    assert_eq!(finding["policy"], "requiredowner/pods-have-owners");
    assert_eq!(finding["message"], "label <owner> is missing");
    assert_eq!(finding["constraint"]["details"], serde_json::json!({"label": "owner"}));
}

#[test]
fn what_is_broken_is_reported_with_its_place_and_its_neighbours_live() {
    let ran =
        check(&[&["gatekeeper/app.yaml", "--policies", "gatekeeper/broken.yaml"], &POLICIES[..]].concat());
    assert_eq!(ran.code, 3, "{}", ran.shown());
    assert!(ran.stdout.contains("requiredowner/pods-have-owners"), "{}", ran.shown());
    for told in [
        "error: gatekeeper/broken.yaml:12:",
        "error: gatekeeper/broken.yaml:16:1: Broken `of-a-broken-template`: its ConstraintTemplate could not be loaded",
        "error: gatekeeper/broken.yaml:20:1: Unheard `of-no-template`: there is no ConstraintTemplate for kind `Unheard`",
        "error: gatekeeper/broken.yaml:28:5: RequiredOwner `misspelt`: unknown field `kind`, expected one of",
    ] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}

#[test]
fn an_assumed_namespace_is_said_and_with_strict_an_error() {
    let ran = check(&[&["gatekeeper/app.yaml", "--strict"], &POLICIES[..]].concat());
    assert_eq!(ran.code, 3, "{}", ran.shown());
    assert!(ran.stdout.contains("constraints took it to have no label but its name"), "{}", ran.shown());
}

#[test]
fn imported_policies_decide_as_the_constraints_they_were_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().to_str().unwrap();
    let ran = wayguard(&["policy", "import", "gatekeeper/policies.yaml", "-o", target]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    assert!(ran.stdout.starts_with("2 policies written to "), "{}", ran.shown());
    assert!(
        ran.stdout
            .contains("left out assign/always-pull (gatekeeper/policies.yaml): mutators are no policies"),
        "{}",
        ran.shown()
    );
    assert!(ran.stdout.contains("changed requiredowner/production-has-a-cost-center"), "{}", ran.shown());
    let ran = check(&["gatekeeper/app.yaml", "--policies", target, "--format", "json"]);
    let findings = &ran.json()["results"][0]["findings"];
    let messages: Vec<_> =
        findings.as_array().unwrap().iter().map(|it| it["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["label <owner> is missing"], "{}", ran.shown());
}
