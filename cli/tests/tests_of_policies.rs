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
        ran.stdout.contains("house/host-network/policy.rego:20:")
            && ran.stdout.contains("undefined function data.lib.flags.off\n     20 | \tflags.off("),
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
