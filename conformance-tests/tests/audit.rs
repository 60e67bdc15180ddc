//! The audit on a real API server, with the kinds of reports as their projects define them: what is reported is what is
//! so, also after policies are edited, objects deleted, and the process killed in the middle.

#![allow(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wayguard_conformance_tests::{Sandbox, eventually, policy, wayguard};

const NAMESPACES: [&str; 4] = ["one", "two", "three", "four"];
/// In each namespace.
const OBJECTS: usize = 500;
/// Every so many is bad.
const EVERY: usize = 5;
/// What the audit promises; a debug build, of which three processes compile the policies at the same time, takes longer.
const SOON: Duration = Duration::from_secs(if cfg!(debug_assertions) { 40 } else { 10 });

/// The kinds of wgpolicyk8s.io/v1alpha2, or of openreports.io/v1alpha1, with their published fields.
fn definitions(group: &str, version: &str, kinds: [(&str, &str, bool); 2]) -> String {
    let text = json!({"type": "string"});
    let reference = json!({"type": "object", "properties": {
        "apiVersion": text, "kind": text, "namespace": text, "name": text, "uid": text, "fieldPath": text, "resourceVersion": text}});
    let outcomes = ["pass", "fail", "warn", "error", "skip"];
    let severities = ["critical", "high", "low", "medium", "info"];
    let counts: serde_json::Map<String, Value> =
        outcomes.iter().map(|outcome| ((*outcome).to_owned(), json!({"type": "integer"}))).collect();
    let result = json!({"type": "object", "required": ["policy"], "properties": {
        "source": text, "policy": text, "rule": text, "category": text, "message": text,
        "severity": {"type": "string", "enum": severities},
        "result": {"type": "string", "enum": outcomes},
        "scored": {"type": "boolean"},
        "resources": {"type": "array", "items": reference},
        "properties": {"type": "object", "additionalProperties": text},
        "timestamp": {"type": "object", "required": ["nanos", "seconds"], "properties": {
            "nanos": {"type": "integer", "format": "int32"}, "seconds": {"type": "integer", "format": "int64"}}},
    }});
    let schema = json!({"type": "object", "properties": {
        "apiVersion": text, "kind": text, "metadata": {"type": "object"}, "source": text, "scope": reference,
        "summary": {"type": "object", "properties": counts},
        "results": {"type": "array", "items": result},
    }});
    let all = kinds.map(|(kind, plural, namespaced)| {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{group}"), "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}},
            "spec": {"group": group, "scope": if namespaced { "Namespaced" } else { "Cluster" },
                "names": {"kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase()},
                "versions": [{"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}})
    });
    all.map(|object| format!("---\n{object}\n")).concat()
}

fn marked(words: &str) -> String {
    let rules = format!(
        "deny contains {{\"path\": \"/data/bad\", \"msg\": msg}} if {{\n\tinput.review.object.data.bad == \"yes\"\n\tmsg := sprintf(\"%s {words}\", [input.review.object.metadata.name])\n}}"
    );
    format!("{}  action: Audit\n", policy("marked", "", "configmaps", "CREATE, UPDATE", &rules))
}

/// All results: namespace and name of the subject, policy, result, message.
fn results(sandbox: &Sandbox, plural: &str) -> Vec<(String, String, String)> {
    let said = sandbox.kubectl(&["get", plural, "-A", "-o", "json"], "");
    let list: Value = serde_json::from_str(&said.out).unwrap_or_default();
    let mut found = Vec::new();
    for report in list["items"].as_array().into_iter().flatten() {
        let results = report["results"].as_array().cloned().unwrap_or_default();
        assert!(results.len() <= 1000, "a report of {} results", results.len());
        let count = |outcome: &str| results.iter().filter(|result| result["result"] == outcome).count();
        for outcome in ["fail", "warn", "error", "skip"] {
            assert_eq!(report["summary"][outcome], json!(count(outcome)), "{}", report["metadata"]);
        }
        for result in results {
            let subject = &result["resources"][0];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            assert_eq!(subject["namespace"], report["metadata"]["namespace"]);
            assert!(!text(&subject["uid"]).is_empty(), "{subject}");
            let place = format!("{}/{}", text(&subject["namespace"]), text(&subject["name"]));
            found.push((place, text(&result["result"]), text(&result["message"])));
        }
    }
    found.sort();
    found
}

/// How long it took until something held of the results.
fn until(sandbox: &Sandbox, what: &str, holds: impl Fn(&[(String, String, String)]) -> bool) -> Duration {
    let started = Instant::now();
    loop {
        let found = results(sandbox, "policyreports.wgpolicyk8s.io");
        if holds(&found) {
            return started.elapsed();
        }
        assert!(
            started.elapsed() < Duration::from_mins(2),
            "still not: {what}; {} results, such as {:?}\n{}",
            found.len(),
            found.first(),
            sandbox.log("audit")
        );
        std::thread::sleep(Duration::from_millis(250));
    }
}

fn fill(sandbox: &Sandbox, namespace: &str) {
    let map = |at: usize| {
        let bad = if at.is_multiple_of(EVERY) { "yes" } else { "no" };
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("map-{at}"), "namespace": namespace},
            "data": {"bad": bad}})
    };
    let items: Vec<Value> = (0..OBJECTS).map(map).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    sandbox.kubectl(&["create", "-f", "-"], &list.to_string()).accepted();
}

/// The audit as a process of this test's own, with the rights of its account.
struct Audit(Child);

impl Audit {
    fn start(sandbox: &Sandbox) -> Self {
        let users = sandbox.state().join("users");
        let own = std::fs::read_dir(&users).unwrap().flatten().map(|entry| entry.path());
        let kubeconfig =
            own.into_iter().find(|path| path.to_string_lossy().contains("wayguard-audit")).unwrap();
        let child = Command::new(wayguard())
            .args([
                "control",
                "--role",
                "audit",
                "--health-listen",
                "127.0.0.1:0",
                "--policies",
                "pod-security",
            ])
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn reports_say_what_is_so() {
    let sandbox = Sandbox::start(&["--audit", "--policies", "pod-security"]);
    for namespace in NAMESPACES {
        sandbox.namespace(namespace, "development");
        fill(&sandbox, namespace);
    }
    let bad = NAMESPACES.len() * OBJECTS / EVERY;
    let kinds =
        [("PolicyReport", "policyreports", true), ("ClusterPolicyReport", "clusterpolicyreports", false)];
    sandbox.apply(&definitions("wgpolicyk8s.io", "v1alpha2", kinds)).accepted();
    sandbox.apply(&marked("is bad")).accepted();
    let is_bad =
        |(_, result, message): &(String, String, String)| result == "warn" && message.ends_with(" is bad");
    until(&sandbox, "every bad object is reported", |found| {
        found.iter().filter(|it| is_bad(it)).count() == bad
    });
    let found = results(&sandbox, "policyreports.wgpolicyk8s.io");
    let mut by_namespace: BTreeMap<String, usize> = BTreeMap::new();
    for (place, ..) in found.iter().filter(|it| is_bad(it)) {
        *by_namespace.entry(place.split('/').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    assert_eq!(by_namespace, NAMESPACES.map(|name| (name.to_owned(), OBJECTS / EVERY)).into());

    // A policy is edited: what it said before is not said any more, and what it says now is.
    sandbox.apply(&marked("is not good")).accepted();
    let took = until(&sandbox, "nothing is said that the policy does not say", |found| {
        !found.iter().any(is_bad)
            && found.iter().filter(|(.., message)| message.ends_with(" is not good")).count() == bad
    });
    assert!(took < SOON, "stale results for {took:?}");

    // An object goes, another is mended, a third goes bad.
    sandbox.kubectl(&["delete", "configmap", "map-0", "-n", "one"], "").accepted();
    sandbox
        .apply(
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: map-5, namespace: two}, data: {bad: 'no'}}",
        )
        .accepted();
    sandbox
        .apply(
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: map-1, namespace: two}, data: {bad: 'yes'}}",
        )
        .accepted();
    let took = until(&sandbox, "the reports follow the objects", |found| {
        let has = |place: &str| found.iter().any(|(other, ..)| other == place);
        !has("one/map-0") && !has("two/map-5") && has("two/map-1") && found.len() == bad - 1
    });
    assert!(took < SOON, "stale results for {took:?}");

    // Killed, and started again when something else has changed.
    sandbox.kill("audit");
    sandbox.kubectl(&["delete", "configmap", "map-0", "-n", "three"], "").accepted();
    let before = results(&sandbox, "policyreports.wgpolicyk8s.io").len();
    let audit = Audit::start(&sandbox);
    until(&sandbox, "the reports are as they were, but for what has gone", |found| {
        assert!(found.len() >= before - 1, "a restart made reports less than they were: {}", found.len());
        !found.iter().any(|(place, ..)| place == "three/map-0") && found.len() == bad - 2
    });

    // The command says the same.
    let said = sandbox.wayguard(&["audit", "--policies", "pod-security", "--format", "json"], "");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        told["summary"]["policies"]["marked"]["findings"]["warn"],
        json!(bad - 2),
        "{}",
        told["summary"]
    );
    let left_out = told["notJudged"]["kinds"].to_string();
    assert!(!left_out.contains("may not be listed"), "{left_out}");

    // A policy goes, and with it its reports.
    sandbox.kubectl(&["delete", "policies.wayguard.io", "marked"], "").accepted();
    let took = until(&sandbox, "no report of a policy that is gone", <[_]>::is_empty);
    assert!(took < SOON, "stale results for {took:?}");

    // The newer kinds come, and are written instead.
    sandbox.apply(&marked("is bad")).accepted();
    let kinds = [("Report", "reports", true), ("ClusterReport", "clusterreports", false)];
    sandbox.apply(&definitions("openreports.io", "v1alpha1", kinds)).accepted();
    eventually("every bad object is in the newer reports", || {
        results(&sandbox, "reports.openreports.io").len() == bad - 2
    });
    drop(audit);
}
