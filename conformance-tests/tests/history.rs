//! The history on a real API server: what a denial at apply says leads back to what was found, also when the process
//! that owns the database was killed in between; strangers are not let in; the audit tells its state.

#![allow(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use serde_json::{Value, json};
use std::process::Command;
use wayguard_conformance_tests::{Sandbox, eventually};

/// A Pod whose image moves.
fn pod(name: &str) -> String {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "alpha"},
        "spec": {"containers": [{"name": "web", "image": "registry.example/web:latest"}]}})
    .to_string()
}

/// The decision's id in a denial.
fn id(denial: &str) -> String {
    let (_, rest) = denial.rsplit_once("(decision ").unwrap();
    rest.split(')').next().unwrap().to_owned()
}

/// What the history says of a decision, by whichever way.
fn explained(sandbox: &Sandbox, id: &str, history: &str) -> Option<Value> {
    let said = sandbox.wayguard(&["explain", id, "--history", history, "--format", "json"], "");
    said.fine.then(|| serde_json::from_str(&said.out).unwrap())
}

#[test]
fn a_denial_leads_back_to_what_was_found_also_after_a_crash_of_the_store() {
    let mut sandbox = Sandbox::start(&["--history", "--audit"]);
    let file = sandbox.state().join("history.db");
    let (file, service) = (file.to_str().unwrap().to_owned(), sandbox.history().to_owned());
    sandbox.namespace("alpha", "development");

    let denial = sandbox.apply(&pod("first")).refused();
    let first = id(&denial);
    eventually("the decision is stored", || explained(&sandbox, &first, &service).is_some());
    for history in [&service, &file] {
        let told = explained(&sandbox, &first, history).unwrap();
        let decision = &told["decisions"][0];
        assert_eq!(decision["verdict"], "deny", "{decision}");
        assert_eq!(decision["name"], "first");
        assert_eq!(decision["user"], "sandbox-admin", "{decision}");
        assert!(denial.contains(decision["message"].as_str().unwrap().lines().next().unwrap()));
        let findings = decision["findings"].as_array().unwrap();
        assert!(findings.iter().any(|finding| finding["policy"] == "images/latest-tag"), "{decision}");
    }
    let human = sandbox.wayguard(&["explain", &first[..6], "--history", &service], "").accepted();
    assert!(human.contains(&format!("decision {first}: denied")), "{human}");
    assert!(human.contains("CREATE Pod alpha/first, asked by "), "{human}");

    // What a dry run asked is never stored; the next denial shows that the queue is past it.
    let dry = sandbox.kubectl(&["apply", "--dry-run=server", "-f", "-"], &pod("dry")).refused();

    // Ten denials, the store dies, ten more: all are told in the end.
    let mut ids: Vec<String> =
        (0..10).map(|number| id(&sandbox.apply(&pod(&format!("a-{number}"))).refused())).collect();
    sandbox.restart("history");
    ids.extend((0..10).map(|number| id(&sandbox.apply(&pod(&format!("b-{number}"))).refused())));
    for one in &ids {
        eventually("each decision is stored", || explained(&sandbox, one, &service).is_some());
    }
    assert_eq!(sandbox.metric("wayguard_history_dropped_total"), [0.0]);
    let unknown = sandbox.wayguard(&["explain", &id(&dry), "--history", &service], "").refused();
    assert!(unknown.contains("is stored. Dry runs"), "{unknown}");

    let list =
        ["history", "list", "--history", &service, "--verdict", "deny", "-n", "alpha", "--format", "json"];
    let listed: Value = serde_json::from_str(&sandbox.wayguard(&list, "").accepted()).unwrap();
    assert_eq!(listed["decisions"].as_array().unwrap().len(), 21);

    strangers(&service);
    states(&sandbox, &file);
}

/// Without a certificate of the suite's authority nobody gets as far as a request.
fn strangers(service: &str) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--insecure", "--max-time", "10"]);
    let Ok(said) = curl.arg(format!("{service}/v1/decisions")).output() else {
        return println!("skipped: curl is not installed");
    };
    assert!(!said.status.success() && said.stdout.is_empty(), "{said:?}");
    assert!(String::from_utf8_lossy(&said.stderr).to_lowercase().contains("certificate"), "{said:?}");
}

/// The audit has told what it knows: nothing here is bad, and so the totals have no failure.
fn states(sandbox: &Sandbox, file: &str) {
    let count = || {
        let query = "SELECT count(*) FROM audit_states WHERE objects > 0";
        let said = Command::new("sqlite3").args([file, query]).output().ok()?;
        String::from_utf8_lossy(&said.stdout).trim().parse::<u32>().ok()
    };
    if Command::new("sqlite3").arg("--version").output().is_err() {
        return println!("skipped: sqlite3 is not installed");
    }
    eventually("the audit tells its state", || count().is_some_and(|count| count > 0));
    assert!(
        !sandbox.log("audit").contains("the history has not taken the state"),
        "{}",
        sandbox.log("audit")
    );
}
