//! `wayguard test` on suites in Gatekeeper's form: our own, which are always there, and Gatekeeper's library where it
//! is at hand.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use wayguard_conformance_tests::{here, output, wayguard};

/// The outcome of all suites below a folder: how many passed, and what failed.
fn suites(folder: &Path) -> (u64, Vec<String>) {
    let said = output(Command::new(wayguard()).args(["test", "--format", "json"]).arg(folder), "");
    let report: Value =
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.err));
    let cases = report["cases"].as_array().unwrap().iter();
    let failed = cases.filter(|case| case["outcome"] == "failed").map(|case| {
        format!("{} {}: {}", case["suite"], case["name"], case["message"].as_str().unwrap_or_default())
    });
    (report["passed"].as_u64().unwrap_or_default(), failed.collect())
}

#[test]
fn our_own_suites_pass() {
    let (passed, failed) = suites(&here().join("gatekeeper"));
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(passed, 16);
}

/// Gatekeeper's library, if it lies where `WAYGUARD_GATEKEEPER_LIBRARY` says, or beside the repository.
fn library() -> Option<PathBuf> {
    let named = std::env::var_os("WAYGUARD_GATEKEEPER_LIBRARY").map(PathBuf::from);
    let beside = here().parent().map(|root| root.join("../shared/fixtures/gatekeeper-library"));
    named.or(beside).filter(|path| path.is_dir())
}

#[test]
fn gatekeepers_library_passes() {
    let Some(library) = library() else {
        println!(
            "skipped: Gatekeeper's library is not at hand; WAYGUARD_GATEKEEPER_LIBRARY names its folder"
        );
        return;
    };
    let (passed, failed) = suites(&library);
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(passed > 0, "no suites below {}", library.display());
}
