//! What `check`, `audit` and `report` write for programs, read back by other people's code: the SARIF schema and types of
//! go-sarif, OpenReports' own types, which Policy Reporter reads reports with, and libxml2 for JUnit.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is test code outside test functions"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::{fixtures, wayguard_in};

/// The Go program that reads them, or why it is not there.
fn readers(into: &Path) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance-tests/reports");
    let program = into.join("reports");
    let ran = Command::new("go").args(["build", "-o"]).arg(&program).arg(".").current_dir(&source).output();
    match ran {
        Err(_) => Err("there is no Go on this machine".to_owned()),
        Ok(ran) if ran.status.success() => Ok(program),
        Ok(ran) => {
            let said = String::from_utf8_lossy(&ran.stderr).into_owned();
            // Without a network the modules cannot be had; what does not compile is a failure.
            let away = ["dial tcp", "no such host", "i/o timeout", "module lookup disabled"];
            if away.iter().any(|text| said.contains(text)) {
                Err("Go's modules cannot be fetched".to_owned())
            } else {
                panic!("conformance-tests/reports does not build: {said}")
            }
        }
    }
}

/// What a command writes, in a file.
fn written(folder: &Path, name: &str, arguments: &[&str]) -> PathBuf {
    let ran = wayguard_in(&fixtures(), &[arguments, &["--policies", "house/policies.yaml"]].concat());
    let path = folder.join(name);
    std::fs::write(&path, &ran.stdout).unwrap();
    path
}

fn read(program: &Path, what: &str, files: &[PathBuf]) -> (bool, String) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance-tests/reports");
    let ran = Command::new(program).arg(what).args(files).current_dir(source).output().unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    (ran.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn sarif_is_valid_by_its_schema_and_open_reports_by_their_types() {
    let folder = tempfile::tempdir().unwrap();
    let program = match readers(folder.path()) {
        Ok(program) => program,
        Err(why) => {
            println!("skipped: {why}");
            return;
        }
    };
    let at = folder.path();
    let sarif: Vec<PathBuf> = ["check", "audit", "report"]
        .iter()
        .map(|command| written(at, &format!("{command}.sarif"), &[command, "apps", "--format", "sarif"]))
        .collect();
    let (fine, said) = read(&program, "sarif", &sarif);
    assert!(fine, "{said}");
    assert_eq!(said.matches(": fine (").count(), 3, "{said}");
    assert!(!said.contains("(0 results)"), "a document without results proves little: {said}");
    let reports = written(at, "reports.yaml", &["audit", "apps", "--format", "openreports"]);
    let (fine, said) = read(&program, "openreports", std::slice::from_ref(&reports));
    assert!(fine && said.contains("fine (2 results)"), "{said}");
    // The readers do refuse: a field that the schema has no room for, a count that is not that of the results.
    let text = std::fs::read_to_string(&sarif[0]).unwrap().replacen(
        "\"results\":",
        "\"resultz\": 1, \"results\":",
        1,
    );
    std::fs::write(&sarif[0], text).unwrap();
    let (fine, said) = read(&program, "sarif", &sarif[..1]);
    assert!(!fine && said.contains("resultz"), "{said}");
    let text = std::fs::read_to_string(&reports).unwrap().replacen("fail: 1", "fail: 7", 1);
    std::fs::write(&reports, text).unwrap();
    let (fine, said) = read(&program, "openreports", &[reports]);
    assert!(!fine && said.contains("the summary has 7 fail"), "{said}");
}

#[test]
fn junit_is_well_formed_and_its_counts_are_those_of_its_cases() {
    if Command::new("xmllint").arg("--version").output().is_err() {
        println!("skipped: there is no xmllint on this machine (`apt-get install libxml2-utils`)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for command in ["check", "audit", "report"] {
        let path = written(folder.path(), &format!("{command}.xml"), &[command, "apps", "--format", "junit"]);
        let ask = |question: &str| {
            let ran = Command::new("xmllint").args(["--xpath", question]).arg(&path).output().unwrap();
            assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
            String::from_utf8(ran.stdout).unwrap().trim().to_owned()
        };
        assert_ne!(ask("count(//testcase)"), "0", "{command}");
        for (told, counted) in [
            ("string(/testsuites/@tests)", "count(//testcase)"),
            ("string(/testsuites/@failures)", "count(//testcase/failure)"),
            ("string(/testsuites/@errors)", "count(//testcase/error)"),
            ("string(/testsuites/@skipped)", "count(//testcase/skipped)"),
        ] {
            assert_eq!(ask(told), ask(counted), "{command}: {told}");
        }
    }
}
