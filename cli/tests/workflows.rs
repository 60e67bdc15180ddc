//! The workflow files of `docs/ci/` are true: what they run is run here by a shell, in a repository as they expect it, for
//! a change that is fine and for one that is not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code outside test functions")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Ran, command, wayguard_in};
use tempfile::TempDir;

const BAD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: old}\nspec:\n  containers:\n    - {name: c, image: 'x:latest'}\n";

fn workflow(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ci").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The commands of a workflow that run our binary, in order.
fn commands(text: &str) -> Vec<String> {
    let bare = |line: &str| line.trim().trim_start_matches("- ").trim_start_matches("run: ").to_owned();
    text.lines().map(bare).filter(|line| line.starts_with("wayguard ")).collect()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    let mut git = Command::new("git");
    let output = git
        .args(who)
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with manifests of long ago, policies with a baseline, and a branch `main` of its origin.
fn repository() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    std::fs::create_dir(folder.join("deploy")).unwrap();
    std::fs::write(folder.join("deploy/old.yaml"), BAD).unwrap();
    let made = wayguard_in(folder, &["policy", "new", "acme/owner", "--in", "policies"]);
    assert_eq!(made.code, 0, "{}", made.shown());
    let saved = wayguard_in(
        folder,
        &["policy", "bench", "policies/", "--baseline", "bench.json", "--update", "--rounds", "3"],
    );
    assert_eq!(saved.code, 0, "{}", saved.shown());
    git(folder, &["init", "-q", "."]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "-q", "-m", "first"]);
    git(folder, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    place
}

/// What a runner does: the line, with the runner's own variables, by a shell that has the binary on its PATH.
fn run(folder: &Path, line: &str) -> Ran {
    let program = command(folder).get_program().to_owned();
    let binary = PathBuf::from(program);
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let line = line.replace("${{ github.base_ref }}", "main");
    let output = Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", &line])
        .current_dir(folder)
        .env("PATH", path)
        .env("CI_MERGE_REQUEST_DIFF_BASE_SHA", git(folder, &["rev-parse", "origin/main"]))
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn all_pass(name: &str) -> TempDir {
    let place = repository();
    let all = commands(&workflow(name));
    assert!(all.len() > 3, "{all:?}");
    for line in &all {
        // How long things take beside other tests says nothing.
        let line = if line.contains("policy bench") { &format!("{line} --fail-above 1000") } else { line };
        let ran = run(place.path(), line);
        assert_eq!(ran.code, 0, "`{line}`: {}", ran.shown());
    }
    place
}

/// A change of manifests that the gate would refuse.
fn worsen(place: &TempDir) {
    std::fs::write(place.path().join("deploy/new.yaml"), BAD.replace("name: old", "name: new")).unwrap();
}

#[test]
fn the_workflow_of_github_passes_what_is_fine_and_marks_what_is_not() {
    let place = all_pass("github-actions.yaml");
    worsen(&place);
    let all = commands(&workflow("github-actions.yaml"));
    let ran = run(place.path(), &all[0]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(ran.stdout.contains("::error file=deploy/new.yaml,line="), "{}", ran.shown());
    assert!(!ran.stdout.contains("deploy/old.yaml"), "{}", ran.shown());
    // What is uploaded is there whatever was found.
    let ran = run(place.path(), &all[1]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    let sarif = std::fs::read_to_string(place.path().join("wayguard.sarif")).unwrap();
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    assert!(!sarif["runs"][0]["results"].as_array().unwrap().is_empty());
}

#[test]
fn the_workflow_of_gitlab_passes_what_is_fine_and_reports_what_is_not() {
    let place = all_pass("gitlab-ci.yaml");
    assert!(std::fs::read_to_string(place.path().join("junit.xml")).unwrap().contains("<testsuite"));
    worsen(&place);
    let ran = run(place.path(), &commands(&workflow("gitlab-ci.yaml"))[0]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    let report = std::fs::read_to_string(place.path().join("wayguard.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report[0]["location"]["path"], "deploy/new.yaml");
}

#[test]
fn a_policy_that_nobody_tested_fails_its_job() {
    let place = repository();
    let policy = place.path().join("policies/acme/owner/policy.rego");
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(
        &policy,
        format!("{text}\n\nwarn contains \"never come to\" if input.review.object.kind == \"Nothing\"\n"),
    )
    .unwrap();
    let all = commands(&workflow("github-actions.yaml"));
    let covered = all.iter().find(|line| line.contains("--coverage")).unwrap();
    let ran = run(place.path(), covered);
    assert_eq!(ran.code, 2, "{}", ran.shown());
}
