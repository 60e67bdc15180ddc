//! `wayguard test`: what passes, what fails and how it is told.

mod support;

use support::{folder, wayguard_in};

const POLICY: &str = r#"# METADATA
# scope: package
# title: No host network
# description: The node's network is the node's.
# custom:
#   severity: high
#   category: house
#   match: {resourceRules: [{apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}]}
#   expand: true
#   remedy: Remove `hostNetwork`.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       allowed: {type: boolean, default: false, description: Whether it is allowed.}
package house.host_network

import data.lib.flags

deny contains finding if {
	not input.parameters.allowed
	flags.on(input.review.object.spec.hostNetwork)
	finding := {"rule": "host-network", "path": "/spec/hostNetwork", "found": true, "expected": "false or unset"}
}
"#;

const TESTS: &str = r#"package house.host_network_test

import data.house.host_network

test_an_absent_field_passes if {
	found := host_network.deny with input as {"parameters": {}, "review": {"object": {"spec": {}}}}
	found == set()
}

test_a_set_field_is_found if {
	found := host_network.deny with input as {"parameters": {}, "review": {"object": {"spec": {"hostNetwork": true}}}}
	count(found) == 1
}
"#;

const FLAGS: &str = "package lib.flags\n\non(value) if value == true\n";
const DENIED: &str = "# It asks for the node's network.\n# test:\n#   expect:\n#     - {rule: host-network, path: /spec/hostNetwork}\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: true, containers: []}\n";
const ALLOWED: &str = "# The owner may have it.\n# test:\n#   parameters: {allowed: true}\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: true, containers: []}\n";

fn library(changes: &[(&str, &str)]) -> tempfile::TempDir {
    let mut files = std::collections::BTreeMap::from([
        ("house/host-network/policy.rego", POLICY),
        ("house/host-network/policy_test.rego", TESTS),
        ("house/host-network/samples/denied/host.yaml", DENIED),
        ("house/host-network/samples/allowed/owner.yaml", ALLOWED),
        ("lib/flags.rego", FLAGS),
        (
            "lib/flags_test.rego",
            "package lib.flags_test\n\nimport data.lib.flags\n\ntest_true_is_on if flags.on(true)\n",
        ),
    ]);
    files.extend(changes.iter().copied());
    folder(&files.into_iter().filter(|(_, text)| !text.is_empty()).collect::<Vec<_>>())
}

#[test]
fn a_sound_policy_passes() {
    let files = library(&[]);
    let ran = wayguard_in(files.path(), &["test", "."]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    insta::assert_snapshot!(ran.stdout);
    // One folder alone finds its shared Rego too.
    let ran = wayguard_in(&files.path().join("house/host-network"), &["test", "."]);
    assert!(ran.stdout.ends_with("4 passed, 0 failed\n"), "{}", ran.shown());
}

#[test]
fn what_fails_is_told_with_place_and_difference() {
    let files = library(&[
        (
            "house/host-network/samples/denied/host.yaml",
            &DENIED.replace("/spec/hostNetwork}", "/spec/hostPID}"),
        ),
        (
            "house/host-network/samples/allowed/plain.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: true, containers: []}\n",
        ),
        (
            "house/host-network/samples/allowed/head.yaml",
            "# test:\n#   expcet: []\napiVersion: v1\nkind: Pod\n",
        ),
        (
            "house/host-network/samples/allowed/service.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Service\n",
        ),
        (
            "lib/flags_test.rego",
            "package lib.flags_test\n\nimport data.lib.flags\n\ntest_false_is_on if flags.on(false)\n\ntodo_test_later if false\n",
        ),
    ]);
    let ran = wayguard_in(files.path(), &["test", "."]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn a_folder_without_tests_or_samples_fails() {
    let files = library(&[
        ("house/host-network/policy_test.rego", ""),
        ("house/host-network/samples/denied/host.yaml", ""),
        ("house/host-network/samples/allowed/owner.yaml", ""),
    ]);
    let ran = wayguard_in(files.path(), &["test", "house"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(ran.stdout.contains("the policy has no unit tests"), "{}", ran.shown());
    assert!(ran.stdout.contains("the policy has no samples"), "{}", ran.shown());
    assert!(ran.stdout.ends_with("0 passed, 2 failed\n"), "{}", ran.shown());
}

#[test]
fn rego_that_does_not_compile_is_shown_with_a_caret() {
    let files = library(&[("house/host-network/policy.rego", &POLICY.replace("flags.on(", "flags.off("))]);
    let ran = wayguard_in(files.path(), &["test", "house/host-network"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(
        ran.stdout.contains("house/host-network/policy.rego:22:")
            && ran.stdout.contains("undefined function data.lib.flags.off\n     22 | \tflags.off("),
        "{}",
        ran.shown()
    );
}

#[test]
fn json_and_junit_have_all_cases() {
    let files = library(&[]);
    insta::assert_json_snapshot!(wayguard_in(files.path(), &["test", ".", "--format", "json"]).json());
    let junit = wayguard_in(files.path(), &["test", ".", "--format", "junit"]).stdout;
    assert!(
        junit.contains(
            "<testsuites name=\"wayguard test\" tests=\"5\" failures=\"0\" errors=\"0\" skipped=\"0\">"
        ),
        "{junit}"
    );
}

#[test]
fn nothing_to_test_is_a_mistake() {
    let files = folder(&[("a.txt", "x")]);
    let ran = wayguard_in(files.path(), &["test", "."]);
    assert_eq!(ran.code, 3);
    assert_eq!(
        ran.stderr,
        "error: `.` has no policies: no `policy.rego`, no `*_test.rego` and no Suite of Gatekeeper's below it\n"
    );
}

#[test]
fn lines_that_no_test_comes_to_are_told_and_counted() {
    let files = library(&[("lib/flags.rego", &format!("{FLAGS}\noff(value) if value == false\n"))]);
    let ran =
        wayguard_in(files.path(), &["test", ".", "--coverage", "--threshold", "95", "--html", "c.html"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    insta::assert_snapshot!(ran.stdout);
    assert!(ran.stderr.contains("less than the threshold of 95 %"), "{}", ran.shown());
    let page = std::fs::read_to_string(files.path().join("c.html")).unwrap();
    assert!(page.contains("lib/flags.rego") && page.contains("no test has this rule hold"), "{page}");
    let coverage =
        wayguard_in(files.path(), &["test", ".", "--coverage", "--format", "json"]).json()["coverage"].take();
    insta::assert_json_snapshot!(coverage);
    // Without its own tests a shared module is told too, and another folder's is not.
    let ran = wayguard_in(files.path(), &["test", "house", "--coverage", "--threshold", "100"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    let ran = wayguard_in(files.path(), &["test", "house", "--threshold", "100"]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
}

#[test]
fn changes_that_no_test_notices_are_told() {
    let files = library(&[]);
    let ran = wayguard_in(files.path(), &["test", ".", "--mutate"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    insta::assert_snapshot!(ran.stdout);
    let ran = wayguard_in(files.path(), &["test", ".", "--mutate", "--threshold", "50", "--format", "junit"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    assert!(ran.stdout.contains("no test fails"), "{}", ran.shown());
    let ran = wayguard_in(files.path(), &["test", ".", "--mutate=house/gone"]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
}

#[test]
fn a_mutant_is_equivalent_only_as_long_as_it_is() {
    let declared = |line: &str, becomes: &str, shown_by: &str| {
        let head = "package lib.flags_test\n\nimport data.lib.flags\n\ntest_true_is_on if flags.on(true)\n\n";
        format!(
            "{head}# equivalent:\n#   line: {line}\n#   becomes: {becomes}\n#   because: it was said so\n#   shownBy: {shown_by}\n"
        )
    };
    let mutate = |tests: &str| {
        let files = library(&[("lib/flags_test.rego", tests)]);
        wayguard_in(files.path(), &["test", ".", "--mutate=lib/flags"])
    };
    let line = "on(value) if value == true";
    let ran = mutate(&declared(line, "on(value) if true", "test_true_is_on"));
    assert!(ran.stdout.contains("1 equivalent by declaration"), "{}", ran.shown());
    assert_eq!(ran.code, 0, "{}", ran.shown());
    for (becomes, shown_by, problem) in [
        ("on(value) if value != true", "test_true_is_on", "it is stale: `test_true_is_on` kills it"),
        ("on(value) if value > true", "test_true_is_on", "it is stale: no mutation of"),
        ("on(value) if true", "test_gone", "there is no test `test_gone` that passes"),
    ] {
        let ran = mutate(&declared(line, becomes, shown_by));
        assert_eq!(ran.code, 2, "{}", ran.shown());
        assert!(ran.stdout.contains(problem), "{}", ran.shown());
    }
}

#[test]
fn samples_learn_what_is_found() {
    let old = DENIED.replace(
        "#     - {rule: host-network",
        "#     # once\n#     - {rule: host}\n#     - {rule: host-network",
    );
    let files = library(&[("house/host-network/samples/denied/host.yaml", &old)]);
    let ran = wayguard_in(files.path(), &["test", ".", "--update"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    assert!(ran.stderr.contains("- #     - {rule: host}"), "{}", ran.shown());
    let text =
        std::fs::read_to_string(files.path().join("house/host-network/samples/denied/host.yaml")).unwrap();
    assert_eq!(text, DENIED);
}

#[test]
fn a_sample_says_when_it_is_judged_and_what_the_outcome_is() {
    let timed = POLICY.replace("\tnot input.parameters.allowed\n", "\ttime.now_ns() > 1e18\n");
    let sample = |head: &str| {
        format!(
            "# A sample.\n# test:\n{head}apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{hostNetwork: true, containers: []}}\n"
        )
    };
    let expect = "#   expect: [{found: true, expected: false or unset, severity: high, existing: false}]\n";
    let files = library(&[
        ("house/host-network/policy.rego", &timed),
        (
            "house/host-network/samples/denied/host.yaml",
            &sample(&format!("#   now: 2026-01-01T00:00:00Z\n#   verdict: deny\n{expect}")),
        ),
        (
            "house/host-network/samples/allowed/owner.yaml",
            &sample("#   now: 2000-01-01T00:00:00Z\n#   verdict: allow\n#   patch: []\n"),
        ),
        (
            "house/host-network/samples/allowed/wrong.yaml",
            &sample(
                "#   now: 2000-01-01T00:00:00Z\n#   verdict: warn\n#   patch: [{op: remove, path: /spec/hostNetwork}]\n",
            ),
        ),
        ("house/host-network/policy_test.rego", "package house.host_network_test\n\ntest_nothing if true\n"),
    ]);
    let ran = wayguard_in(files.path(), &["test", "house"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(ran.stdout.contains("the verdict is `allow`, not `warn`"), "{}", ran.shown());
    assert!(ran.stdout.ends_with("3 passed, 1 failed\n"), "{}", ran.shown());
}

/// What the guide shows is what happens: its files are written, its commands run in order.
#[test]
fn the_guide_about_tests_is_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guides/testing-policies.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let files = tempfile::tempdir().unwrap();
    for block in guide.split("\n```").skip(1).step_by(2) {
        let (info, body) = block.split_once('\n').unwrap();
        let body = format!("{body}\n");
        if let Some((_, name)) = info.split_once("file=").or_else(|| info.split_once("append=")) {
            let path = files.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let before = if info.contains("append=") {
                std::fs::read_to_string(&path).unwrap()
            } else {
                String::new()
            };
            std::fs::write(&path, before + &body).unwrap();
        }
        if info != "console" {
            continue;
        }
        for command in body.split("$ wayguard ").skip(1) {
            let (line, shown) = command.split_once('\n').unwrap();
            let ran = wayguard_in(files.path(), &line.split(' ').collect::<Vec<_>>());
            let said = [format!("{}{}", ran.stdout, ran.stderr), format!("{}{}", ran.stderr, ran.stdout)];
            assert!(said.iter().any(|said| said == shown), "`wayguard {line}`: {}", ran.shown());
        }
    }
}
