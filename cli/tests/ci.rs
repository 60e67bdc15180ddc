//! `wayguard check` in CI: charts and Kustomize folders by the tools that deploy them, only what is new, GitLab.

#![allow(clippy::unwrap_used, reason = "test code outside test functions")]

mod support;

use std::path::Path;
use support::{Ran, command, fixtures, folder};

const POD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'x:latest'}]}\n";
const FINE: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: q}\nspec: {containers: [{name: c, image: 'x:1'}]}\n";

/// Runs `check` in a folder, with the policies of the fixtures and only these tools on the PATH.
fn check(place: &Path, tools: &str, arguments: &[&str]) -> Ran {
    let policies = fixtures().join("house/policies.yaml");
    let mut command = command(place);
    command.arg("check").args(arguments).arg("--policies").arg(policies).env("PATH", tools);
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Puts a tool into `bin`, which prints a text and keeps what it was asked.
fn tool(place: &Path, name: &str, prints: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = place.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join(format!("{name}.out")), prints).unwrap();
    let shown = bin.display();
    let script = format!("#!/bin/sh\necho \"$@\" > {shown}/{name}.asked\n/bin/cat {shown}/{name}.out\n");
    let path = bin.join(name);
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn bin(place: &Path) -> String {
    place.join("bin").display().to_string()
}

#[test]
fn a_chart_is_rendered_and_findings_name_its_template() {
    let place = folder(&[
        ("deploy/shop/Chart.yaml", "name: shop\n"),
        ("deploy/shop/templates/pod.yaml", "{{ not: yaml }}\n"),
        ("deploy/plain.yaml", FINE),
        ("prod.yaml", "a: 1\n"),
    ]);
    tool(place.path(), "helm", &format!("---\n# Source: shop/templates/pod.yaml\n{POD}"));
    let arguments = ["deploy", "--values", "prod.yaml", "-n", "web"];
    let ran = check(place.path(), &bin(place.path()), &arguments);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(ran.stdout.contains("deploy/shop/templates/pod.yaml:5 "), "{}", ran.shown());
    assert!(ran.stdout.contains("2 objects: 1 denied"), "{}", ran.shown());
    let asked = std::fs::read_to_string(place.path().join("bin/helm.asked")).unwrap();
    assert_eq!(asked, "template shop deploy/shop --include-crds --namespace web --values prod.yaml\n");
}

#[test]
fn a_kustomize_folder_is_built_by_either_tool() {
    let place = folder(&[("base/kustomization.yaml", "resources: [pod.yaml]\n"), ("base/pod.yaml", FINE)]);
    tool(place.path(), "kubectl", POD);
    let ran = check(place.path(), &bin(place.path()), &["base"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(ran.stdout.contains("base/kustomization.yaml:4 "), "{}", ran.shown());
    let asked = std::fs::read_to_string(place.path().join("bin/kubectl.asked")).unwrap();
    assert_eq!(asked, "kustomize base\n");
    tool(place.path(), "kustomize", FINE);
    assert_eq!(check(place.path(), &bin(place.path()), &["base"]).code, 0);
}

/// The real tools, where this machine has them.
#[test]
fn real_charts_and_kustomizations_are_rendered_by_the_real_tools() {
    let path = std::env::var("PATH").unwrap();
    let has = |tool: &str, argument: &str| {
        let found =
            std::process::Command::new(tool).arg(argument).output().is_ok_and(|said| said.status.success());
        if !found {
            eprintln!("skipped: `{tool}` is not on the PATH");
        }
        found
    };
    let place = folder(&[
        ("base/kustomization.yaml", "resources: [pod.yaml]\nnamePrefix: shop-\n"),
        ("base/pod.yaml", POD),
        ("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("chart/values.yaml", "tag: latest\n"),
        ("chart/templates/pod.yaml", &POD.replace("x:latest", "x:{{ .Values.tag }}")),
        ("pinned.yaml", "tag: '1'\n"),
    ]);
    if has("kustomize", "version") || has("kubectl", "--help") {
        let ran = check(place.path(), &path, &["base"]);
        assert_eq!(ran.code, 2, "{}", ran.shown());
        assert!(ran.stdout.contains("shop-p"), "{}", ran.shown());
    }
    if has("helm", "version") {
        let ran = check(place.path(), &path, &["chart"]);
        assert_eq!(ran.code, 2, "{}", ran.shown());
        assert!(ran.stdout.contains("chart/templates/pod.yaml:"), "{}", ran.shown());
        let ran = check(place.path(), &path, &["chart", "--values", "pinned.yaml"]);
        assert_eq!(ran.code, 0, "{}", ran.shown());
    }
}

#[test]
fn a_tool_that_is_not_there_is_named_with_what_to_do() {
    let place = folder(&[("shop/Chart.yaml", "name: shop\n"), ("base/kustomization.yaml", "")]);
    let ran = check(place.path(), "/nowhere", &["shop"]);
    assert_eq!(ran.code, 3);
    let said = "`shop` is a Helm chart, and `helm` is not on the PATH; install it, or render it yourself: `helm template CHART | wayguard check -`";
    assert!(ran.stderr.contains(said), "{}", ran.shown());
    let ran = check(place.path(), "/nowhere", &["base"]);
    assert!(ran.stderr.contains("neither `kustomize` nor `kubectl` is on the PATH"), "{}", ran.shown());
}

#[test]
fn only_what_is_new_is_told_and_counts() {
    let place = folder(&[("before/pod.yaml", POD), ("after/moved.yaml", &format!("# moved\n{POD}"))]);
    let path = std::env::var("PATH").unwrap();
    let same = check(place.path(), &path, &["after", "--diff-from", "before"]);
    assert_eq!(same.code, 0, "{}", same.shown());
    assert!(same.stderr.contains("there before and are left out"), "{}", same.shown());
    std::fs::write(place.path().join("after/new.yaml"), POD.replace("name: p", "name: other")).unwrap();
    let more = check(place.path(), &path, &["after", "--diff-from", "before"]);
    assert_eq!(more.code, 2, "{}", more.shown());
    assert!(more.stdout.contains("2 objects: 1 denied, 1 allowed"), "{}", more.shown());
}

#[test]
fn a_commit_is_what_was_there_before() {
    let place = folder(&[("deploy/pod.yaml", POD)]);
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let run = std::process::Command::new("git")
            .args(who)
            .args(arguments)
            .current_dir(place.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    };
    git(&["init", "-q", "."]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);
    let path = std::env::var("PATH").unwrap();
    assert_eq!(check(place.path(), &path, &["deploy", "--diff-from", "HEAD"]).code, 0);
    std::fs::write(place.path().join("deploy/new.yaml"), POD.replace("name: p", "name: other")).unwrap();
    assert_eq!(check(place.path(), &path, &["deploy", "--diff-from", "HEAD"]).code, 2);
    let ran = check(place.path(), &path, &["deploy", "--diff-from", "no-such"]);
    assert_eq!(ran.code, 3);
    let said = "`no-such` is no file, no folder, and no commit that git knows here";
    assert!(ran.stderr.contains(said), "{}", ran.shown());
}

#[test]
fn gitlab_gets_issues_whose_fingerprints_outlive_a_moved_line() {
    let place = folder(&[("one/pod.yaml", POD), ("two/pod.yaml", &format!("# moved\n{POD}"))]);
    let issues = |path: &str| check(place.path(), "/nowhere", &[path, "--format", "gitlab"]).json();
    let (one, two) = (issues("one"), issues("two"));
    assert_eq!(one[0]["location"]["path"], "one/pod.yaml");
    assert_eq!(one[0]["location"]["lines"]["begin"], 4);
    assert_eq!(two[0]["location"]["lines"]["begin"], 5);
    assert_eq!(one[0]["fingerprint"], two[0]["fingerprint"]);
    for key in ["description", "check_name", "severity"] {
        assert!(one[0][key].is_string(), "{one}");
    }
}
