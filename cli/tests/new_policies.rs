//! `wayguard policy new`: what it makes loads, passes its own tests and decides.

mod support;

use support::wayguard_in;

#[test]
fn a_new_policy_works_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| wayguard_in(folder.path(), arguments);
    for (id, kind) in [("demo/pod-owner", "v1/Pod"), ("demo/queue-owner", "shop.example.com/v1beta1/Queue")] {
        let made =
            run(&["policy", "new", id, "--kind", kind, "--in", "mine", "--title", "Who: owns \"it\"?"]);
        assert_eq!(made.code, 0, "{}", made.shown());
        assert!(made.stdout.contains(&format!("mine/{id}/policy_test.rego")), "{}", made.shown());
        assert!(made.stderr.contains("next: wayguard test mine"), "{}", made.shown());
    }
    let tested = run(&["test", "mine"]);
    assert_eq!(tested.code, 0, "{}", tested.shown());
    assert!(tested.stdout.contains("ok demo/queue-owner (5 passed)"), "{}", tested.shown());

    let checked = run(&[
        "check",
        "--policies",
        "mine",
        "mine/demo/queue-owner/samples/denied/no-owner.yaml",
        "--format",
        "json",
    ]);
    assert_eq!(checked.code, 2, "{}", checked.shown());
    assert!(checked.stdout.contains("demo/queue-owner") && !checked.stdout.contains("demo/pod-owner"));
    let checked = run(&["check", "--policies", "mine", "mine/demo/pod-owner/samples/allowed/owner.yaml"]);
    assert_eq!(checked.code, 0, "{}", checked.shown());
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let made = wayguard_in(folder.path(), &["policy", "new", "demo/owner"]);
    assert_eq!(made.code, 0, "{}", made.shown());
    std::fs::write(folder.path().join("demo/owner/policy.rego"), "mine").unwrap();
    let again = wayguard_in(folder.path(), &["policy", "new", "demo/owner"]);
    assert_eq!(again.code, 3, "{}", again.shown());
    assert!(again.stderr.contains("is there already"), "{}", again.shown());
    assert_eq!(std::fs::read_to_string(folder.path().join("demo/owner/policy.rego")).unwrap(), "mine");
}

#[test]
fn a_file_that_chooses_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = "apiVersion: wayguard.io/v1alpha1\nkind: Bundle\nmetadata: {name: mine}\nspec: {inherits: [baseline]}\n";
    std::fs::write(folder.path().join("mine.yaml"), bundle).unwrap();
    let made = wayguard_in(folder.path(), &["policy", "new", "demo/owner"]);
    assert_eq!(made.code, 0, "{}", made.shown());
    assert!(made.stderr.contains("mine.yaml` says which policies hold here"), "{}", made.shown());
}
