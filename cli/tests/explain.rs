//! `wayguard explain`, run as a person would: who is told what of a verdict.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code outside test functions"
)]

mod support;

use serde_json::Value;
use support::{Ran, wayguard, wayguard_with_stdin};

fn explain(pod: &str, arguments: &[&str]) -> Ran {
    wayguard_with_stdin(&[&["explain", "-"], arguments].concat(), pod)
}

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  containers:
    - {name: web, image: 'registry.example/shop:latest', env: [{name: TOKEN, value: s3cr3t-value}]}
    - {name: log, image: 'registry.example/log:1.2.3'}
";

const TAG: [&str; 2] = ["--policies", "images/latest-tag"];

/// What is told of one policy.
fn policy<'r>(result: &'r Value, id: &str) -> &'r Value {
    let policies = result["results"][0]["policies"].as_array().expect("policies");
    policies
        .iter()
        .find(|policy| policy["policy"] == id)
        .unwrap_or_else(|| panic!("no `{id}` in {policies:?}"))
}

#[test]
fn a_denied_file_is_told_with_the_expressions_and_what_they_saw() {
    let ran = explain(POD, &TAG);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    for line in [
        "Pod shop/web  <stdin>:1",
        "CREATE: denied",
        "some entry in pod_images.all",
        "✓ not fixed(entry)",
        "image_reference.parse(entry.image).digest != \"\" is",
        "deny <stdin>:6 images/latest-tag",
    ] {
        assert!(ran.stdout.contains(line), "no `{line}` in {}", ran.shown());
    }
    assert!(ran.stdout.contains("does not hold"), "the other container is told too: {}", ran.shown());
    assert!(!ran.stdout.contains("s3cr3t"), "{}", ran.shown());
    let long: Vec<_> = ran.stdout.lines().filter(|line| line.chars().count() > 140).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn an_allowed_file_says_who_was_content_and_who_is_about_something_else() {
    let pod = POD.replace(":latest", ":7");
    let ran = explain(&pod, &["--policies", "images/latest-tag,network/service-types"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    assert!(ran.stdout.contains("content (1): images/latest-tag\n"), "{}", ran.shown());
    let other = "not about this object (1): it is about other kinds: network/service-types";
    assert!(ran.stdout.contains(other), "{}", ran.shown());
    let whole = explain(&pod, &["--policies", "images/latest-tag", "--policy", "images/latest-tag"]);
    assert!(
        whole.stdout.contains("is content") && whole.stdout.contains("not looked at"),
        "{}",
        whole.shown()
    );
}

const NARROW: &str = "\
apiVersion: wayguard.io/v1alpha1
kind: Policy
metadata: {name: narrow}
spec:
  source: {library: images/latest-tag}
  match:
    resourceRules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]
    NARROWED
";

/// The condition that does not hold, and how it is told.
fn unmatched(narrowed: &str, arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policies.yaml");
    std::fs::write(&file, NARROW.replace("NARROWED", narrowed)).unwrap();
    let file = file.to_string_lossy().into_owned();
    let context = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {env: dev}}\n";
    std::fs::write(folder.path().join("context.yaml"), context).unwrap();
    let known = folder.path().join("context.yaml").to_string_lossy().into_owned();
    let ran =
        explain(POD, &[&["--policies", &file, "--context", &known, "--format", "json"], arguments].concat());
    let result = ran.json();
    let told = policy(&result, "images/latest-tag");
    assert_eq!(told["standing"], "unmatched", "{told}");
    (told["condition"].as_str().unwrap().to_owned(), told["reason"].as_str().unwrap().to_owned())
}

#[test]
fn a_policy_that_does_not_match_says_which_condition_is_the_first_that_does_not_hold() {
    for (narrowed, arguments, condition) in [
        ("excludeNamespaces: [shop]", &[][..], "excludeNamespaces"),
        ("namespaces: [other]", &[], "namespaces"),
        ("objectSelector: {matchLabels: {app: other}}", &[], "objectSelector"),
        ("namespaceSelector: {matchLabels: {env: prod}}", &[], "namespaceSelector"),
        ("subjects: {groups: [ops]}", &["--as", "jane", "--as-group", "dev"], "subjects"),
        ("", &["--operation", "delete"], "operations"),
    ] {
        assert_eq!(unmatched(narrowed, arguments).0, condition, "{narrowed}");
    }
    let (_, reason) = unmatched("excludeNamespaces: [shop]", &[]);
    assert_eq!(reason, "the namespace is among its `excludeNamespaces`");
}

#[test]
fn exceptions_are_told_with_the_reason_why_they_do_not_cover() {
    let folder = tempfile::tempdir().unwrap();
    let exception = |name: &str, more: &str, until: &str| {
        format!(
            "---\napiVersion: wayguard.io/v1alpha1\nkind: PolicyException\nmetadata: {{name: {name}}}\nspec: {{policies: [images/latest-tag], reason: r, owner: o, expiresAt: '{until}-01-01T00:00:00Z'{more}}}\n"
        )
    };
    let text = [
        NARROW.replace("    NARROWED\n", ""),
        exception("over", "", "2020"),
        exception("other-object", ", objects: [{name: db}]", "2099"),
    ]
    .concat();
    let file = folder.path().join("policies.yaml");
    std::fs::write(&file, &text).unwrap();
    let named = file.to_string_lossy().into_owned();
    let ran = explain(POD, &["--policies", &named]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(ran.stdout.contains("exception `over` does not cover"), "{}", ran.shown());
    assert!(ran.stdout.contains("it ended at 2020-01-01T00:00:00Z"), "{}", ran.shown());
    assert!(ran.stdout.contains("it is about other objects"), "{}", ran.shown());
    std::fs::write(&file, text + &exception("good", ", objects: [{name: web}]", "2099")).unwrap();
    let ran = explain(POD, &["--policies", &named]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    assert!(ran.stdout.contains("exception `good` covers spec.containers[web].image"), "{}", ran.shown());
}

#[test]
fn a_question_is_answered_for_the_one_who_asks() {
    let ran =
        explain(POD, &[&TAG[..], &["--as", "jane", "--as-group", "ops", "--operation", "DELETE"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.shown());
    assert!(ran.stdout.contains("DELETE by jane of ops: allowed"), "{}", ran.shown());
    assert!(ran.stdout.contains("it is about other operations: images/latest-tag"), "{}", ran.shown());
}

#[test]
fn changes_are_told_with_their_reason() {
    let ran = explain(POD, &["--policies", "golden-path", "--format", "json"]);
    let result = ran.json();
    let policies = result["results"][0]["policies"].as_array().unwrap();
    let edits: Vec<&Value> = policies.iter().filter_map(|it| it["edits"].as_array()).flatten().collect();
    assert!(edits.iter().any(|edit| edit["written"] == true), "{edits:#?}");
}

#[test]
fn the_verdict_and_the_findings_are_those_of_check() {
    let arguments = ["apps", "--policies", "house/policies.yaml", "--format", "json"];
    let checked = wayguard(&[&["check"], &arguments[..]].concat()).json();
    let explained = wayguard(&[&["explain"], &arguments[..]].concat());
    let mut told = explained.json();
    for result in told["results"].as_array_mut().unwrap() {
        let policies = result.as_object_mut().unwrap().remove("policies").unwrap();
        assert!(!policies.as_array().unwrap().is_empty());
    }
    assert_eq!(told, checked);
    let again = wayguard(&[&["explain"], &arguments[..]].concat());
    assert_eq!(explained.stdout, again.stdout, "the same question has the same story");
}

#[test]
fn what_cannot_be_told_is_refused_with_a_way_on() {
    let ran = explain(POD, &[&TAG[..], &["--policy", "images/lastest-tag"]].concat());
    assert_eq!(ran.code, 3);
    assert!(
        ran.stderr.contains("none of the policies that judge here is called `images/lastest-tag`"),
        "{}",
        ran.shown()
    );
    let ran = wayguard(&["explain", "deployment/web", "--policies", "images/latest-tag"]);
    assert_eq!(ran.code, 3, "without --cluster it is a file: {}", ran.shown());
}
