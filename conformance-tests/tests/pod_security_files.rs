//! `wayguard check --policies pod-security` on every file of upstream's testdata: the verdict of its folder, and the
//! check id of its file name.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use wayguard_conformance_tests::{here, output, wayguard};

/// The folder of upstream's files, from Go's module cache.
fn testdata() -> PathBuf {
    let said = output(
        Command::new("go")
            .args(["list", "-m", "-f", "{{.Dir}}", "k8s.io/pod-security-admission"])
            .current_dir(here().join("pod-security")),
        "",
    );
    let folder = said.accepted();
    if folder.trim().is_empty() {
        output(Command::new("go").args(["mod", "download"]).current_dir(here().join("pod-security")), "")
            .accepted();
        return testdata();
    }
    Path::new(folder.trim()).join("test").join("testdata")
}

/// The findings of a whole folder, by file name: the rules that refuse.
fn refusals(folder: &Path, level: &str, version: &str) -> BTreeMap<String, Vec<String>> {
    let context = tempfile::tempdir().unwrap();
    let label = |name: &str| format!("pod-security.kubernetes.io/{name}");
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default",
        "labels": {label("enforce"): level, label("enforce-version"): version}}});
    std::fs::write(context.path().join("namespace.json"), namespace.to_string()).unwrap();
    let said = output(
        Command::new(wayguard())
            .args(["check", "--policies", "pod-security", "--format", "json", "--context"])
            .arg(context.path())
            .arg(folder),
        "",
    );
    let report: Value =
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.err));
    let results = report["results"].as_array().unwrap().iter();
    results
        .map(|result| {
            let file = result["source"]["file"].as_str().unwrap();
            let file = Path::new(file).file_stem().unwrap().to_string_lossy().into_owned();
            let findings = result["findings"].as_array().unwrap().iter();
            let refusing = findings.filter(|finding| finding["effect"] == "deny");
            let rules: Vec<String> =
                refusing.map(|finding| finding["rule"].as_str().unwrap().to_lowercase()).collect();
            assert_eq!(
                result["verdict"],
                if rules.is_empty() { "allow" } else { "deny" },
                "{file}: {result}"
            );
            (file, rules)
        })
        .collect()
}

/// At the level restricted, upstream lets the stricter check of a field stand for the baseline one.
fn stands_for(rule: &str, wanted: &str) -> bool {
    rule == wanted
        || matches!(
            (rule, wanted),
            ("capabilities_restricted", "capabilities_baseline")
                | ("seccompprofile_restricted", "seccompprofile_baseline")
                | ("procmount_restricted", "procmount")
                | ("restrictedvolumes", "hostpathvolumes")
        )
}

#[test]
fn every_file_gets_the_verdict_of_its_folder() {
    let (mut passed, mut refused) = (0, 0);
    for level in ["baseline", "restricted"] {
        let mut versions: Vec<PathBuf> =
            std::fs::read_dir(testdata().join(level)).unwrap().map(|entry| entry.unwrap().path()).collect();
        versions.sort();
        for folder in versions {
            let version = folder.file_name().unwrap().to_string_lossy().into_owned();
            for (file, rules) in refusals(&folder.join("pass"), level, &version) {
                assert!(rules.is_empty(), "{level} {version} pass/{file} is refused by {rules:?}");
                passed += 1;
            }
            for (file, rules) in refusals(&folder.join("fail"), level, &version) {
                let wanted = file.trim_end_matches(|last: char| last.is_ascii_digit());
                assert!(
                    rules.iter().any(|rule| stands_for(rule, wanted)),
                    "{level} {version} fail/{file}: refused by {rules:?}"
                );
                refused += 1;
            }
        }
    }
    println!("{passed} admitted, {refused} refused");
    assert!(passed > 900 && refused > 3000, "{passed} admitted, {refused} refused: files are missing");
}
