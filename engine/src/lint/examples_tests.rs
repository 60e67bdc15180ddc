//! Every rule complains of its own wrong example and of nothing in the right one.

use super::{Folder, Report, Role, Severity, Source, lint, rules};

const HEAD: &str = "# METADATA
# scope: package
# title: A title
# description: A description.
# custom:
#   severity: low
#   category: demo
#   match: {resourceRules: [{apiGroups: [\"\"], resources: [pods], operations: [CREATE]}]}
#   controls: []
#   remedy: Mend it.
#   parameters: {type: object, properties: {taken: {type: array, description: Names., default: []}}}
#   facts: []
#   needs: []
package demo.named
";

const TESTS: &str = "package demo.named_test

import data.demo.named

test_what_is_absent_is_denied if count(named.deny) >= 0
";

const FIELDS: &str = "package lib.fields

object_at(object, key) := object.get(object, key, {})
";

fn source(path: &str, text: &str, role: Role) -> Source {
    Source { path: path.into(), text: text.into(), role }
}

fn policy(text: &str) -> Vec<Source> {
    let folder = Folder { id: "demo/named".into(), allowed: 1, denied: 1 };
    let text = if text.contains("package ") { text.to_owned() } else { format!("{HEAD}\n{text}") };
    vec![
        source("demo/named/policy.rego", &text, Role::Policy(folder)),
        source("demo/named/policy_test.rego", TESTS, Role::Tests),
        source("lib/fields.rego", FIELDS, Role::Known),
    ]
}

fn ids(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.rule.id).collect()
}

/// The parameter of [`HEAD`] is for one rule only.
const UNREAD: &[&str] = &["parameter-unread"];

#[test]
fn every_rule_finds_what_its_example_shows() {
    let mut problems = Vec::new();
    for rule in rules() {
        let Some([wrong, right]) = rule.example else { continue };
        let found = lint(&policy(wrong), UNREAD);
        if !ids(&found).contains(&rule.id) {
            problems.push(format!("{} is not found in\n{wrong}\nbut {:?}", rule.id, ids(&found)));
        }
        let found = lint(&policy(right), UNREAD);
        if !found.findings.is_empty() {
            let told: Vec<_> =
                found.findings.iter().map(|it| format!("{}: {}", it.rule.id, it.error)).collect();
            problems.push(format!("{} is right in\n{right}\nbut {}", rule.id, told.join("\n")));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
fn ids_are_unique_and_what_a_rule_says_is_a_sentence() {
    let mut seen = std::collections::BTreeSet::new();
    for rule in rules() {
        assert!(seen.insert(rule.id), "{} is there twice", rule.id);
        assert!(rule.why.ends_with('.'), "{}", rule.id);
        assert!(!rule.wants.ends_with('.'), "{}", rule.id);
    }
}

const GOOD: &str = "deny contains {\"path\": \"\", \"expected\": \"x\"} if not input.review.object.fine\n";

/// A policy with something of its METADATA in other words.
fn with_head(from: &str, to: &str, body: &str) -> Vec<Source> {
    let head = HEAD.replace(from, to);
    assert_ne!(head, HEAD);
    policy(&format!("{head}\n{body}"))
}

#[test]
fn what_is_declared_and_what_is_read_are_compared() {
    let cases = [
        (with_head("facts: []", "facts: [images]", GOOD), "fact-unread"),
        (with_head("needs: []", "needs: [user]", GOOD), "need-unread"),
        (with_head("needs: []", "inventory: [{version: v1, kind: Service}]", GOOD), "inventory-unread"),
        (policy(&GOOD.replace("review.object.fine", "facts.images")), "fact-undeclared"),
        (policy(&GOOD.replace("input.review", "data.inventory.cluster.v1.Node")), "inventory-undeclared"),
        (policy(&GOOD.replace("review.object.fine", "namespace.metadata")), "need-undeclared"),
        (
            policy(
                &GOOD
                    .replace("input.review.object.fine", "object.get(input, [\"review\", \"oldObject\"], 1)"),
            ),
            "need-undeclared",
        ),
        (with_head("description: Names., ", "", GOOD), "metadata-parameters"),
        (with_head("category: demo", "category: other", GOOD), "metadata-category"),
    ];
    for (sources, id) in cases {
        let found = lint(&sources, UNREAD);
        assert_eq!(ids(&found), [id], "{:?}", found.findings);
    }
    assert_eq!(ids(&lint(&policy(GOOD), &[])), ["parameter-unread"]);
}

#[test]
fn a_folder_has_tests_and_samples_and_the_name_of_its_package() {
    let mut sources = policy(GOOD);
    sources[0].role = Role::Policy(Folder { id: "demo/other".into(), allowed: 0, denied: 0 });
    sources.remove(1);
    let mut found = ids(&lint(&sources, UNREAD));
    found.sort_unstable();
    assert_eq!(found, ["package-name", "sample-allowed", "sample-denied", "tests-missing"]);

    let mut sources = policy(GOOD);
    sources[1].text =
        "package demo.named_test\n\ntest_a if true == data.x\n\ntest_a if data.demo.named\n".into();
    let mut found = ids(&lint(&sources, UNREAD));
    found.sort_unstable();
    assert_eq!(found, ["test-absent", "test-twice"]);
}

#[test]
fn a_reason_sets_a_finding_aside_on_its_line_and_on_the_next() {
    let text = "deny contains {\"path\": \"\", \"expected\": \"x\"} if not isFine\n\n# wayguard:ignore snake-case we like it\nisFine if input.review.object.fine\n";
    let found = lint(&policy(text), UNREAD);
    assert_eq!(ids(&found), [""; 0]);
    assert_eq!(found.ignored.len(), 1);
    assert_eq!(found.ignored[0].1, "we like it");
    let text = text
        .replace("# wayguard:ignore snake-case we like it\n", "")
        .replace(".fine", ".fine # wayguard:ignore snake-case so it is");
    let found = lint(&policy(&text), UNREAD);
    assert_eq!(found.ignored.len(), 1, "{:?}", found.findings);
    let text = text.replace("snake-case so", "snake-cas so");
    assert_eq!(ids(&lint(&policy(&text), UNREAD)), ["snake-case", "ignore-reason"]);
}

#[test]
fn what_is_absent_is_found_only_where_it_loses_a_finding() {
    // The same comparison in a rule that allows: absent is then not allowed, as it should be.
    let allowed = "deny contains {\"path\": \"\", \"expected\": \"x\"} if not fine\n\nfine if input.review.object.spec.a != 1\n";
    assert_eq!(ids(&lint(&policy(allowed), UNREAD)), [""; 0]);
    let refused = "deny contains {\"path\": \"\", \"expected\": \"x\"} if bad\n\nbad if input.review.object.spec.a != 1\n";
    assert_eq!(ids(&lint(&policy(refused), UNREAD)), ["absent-not-equal"]);
    let through_a_local = "deny contains {\"path\": \"\", \"expected\": \"x\"} if {\n\tsome container in input.review.object.spec.containers\n\tnot container.image in {\"a\"}\n}\n";
    assert_eq!(ids(&lint(&policy(through_a_local), UNREAD)), ["absent-operand"]);
    let undefined_rule = "deny contains {\"path\": \"\", \"expected\": \"x\"} if not name in {\"a\"}\n\nname := input.review.object.metadata.name\n";
    assert_eq!(ids(&lint(&policy(undefined_rule), UNREAD)), ["absent-operand"]);
}

#[test]
fn the_built_in_library_has_no_errors() {
    let report = lint(&library(), &["load"]);
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|it| format!("{} {}: {}", it.rule.severity.word(), it.rule.id, it.error))
        .collect();
    assert!(report.findings.iter().all(|it| it.rule.severity < Severity::Warning), "{}", told.join("\n"));
}

/// All policies and shared modules that are built in; their tests and samples are judged where the folder is at hand.
fn library() -> Vec<Source> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let below = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rego") {
                let samples = |verdict: &str| {
                    let folder = path.parent().unwrap().join("samples").join(verdict);
                    std::fs::read_dir(folder).map_or(0, Iterator::count)
                };
                let role = if below.ends_with("_test.rego") {
                    Role::Tests
                } else if let Some(id) = below.strip_suffix("/policy.rego") {
                    Role::Policy(Folder {
                        id: id.into(),
                        allowed: samples("allowed"),
                        denied: samples("denied"),
                    })
                } else {
                    Role::Shared
                };
                sources.push(source(&below, &std::fs::read_to_string(&path).unwrap(), role));
            }
        }
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    sources
}
