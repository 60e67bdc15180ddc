//! `wayguard provision` as a user runs it, without a cluster.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use serde_json::Value;
use std::process::{Command, Output};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/provision");

fn provision(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wayguard")).arg("provision").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn sample(name: &str) -> String {
    format!("{SAMPLES}/{name}.yaml")
}

#[test]
fn what_would_be_made_is_told_with_outputs_and_cost() {
    let done = provision(&[&sample("postgresql/samples/usual")]);
    let out = text(&done.stdout);
    assert_eq!(done.status.code(), Some(0), "{out}");
    for expected in [
        "PlatformClaim developer-team-alpha/database: would be provisioned (class postgresql-default, 12 EUR a month)",
        "  + Cluster database\n",
        "→ database.connection_string  Secret database-app, key uri",
        "Namespace developer-team-alpha: would be provisioned (class namespace-default)",
    ] {
        assert!(out.contains(expected), "{expected}: {out}");
    }
}

#[test]
fn a_denial_says_what_would_do_and_ends_with_two() {
    let done = provision(&[&sample("postgresql/samples/refused")]);
    let out = text(&done.stdout);
    assert_eq!(done.status.code(), Some(2), "{out}");
    assert!(out.contains("✗ spec.version is `9`; must be one of `15`, `16`, `17`. Fix: "), "{out}");
}

#[test]
fn an_approval_is_no_denial() {
    let done = provision(&[&sample("postgresql/samples/large"), "--format", "json"]);
    assert_eq!(done.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    let result = &report["results"][0];
    assert_eq!((&result["verdict"], &report["summary"]["pending"]), (&"pending".into(), &1.into()));
    assert_eq!(result["approvals"][0]["group"], "platform-dba");
    assert_eq!(result["cost"]["monthlyEUR"].as_f64(), Some(420.0));
    assert_eq!(result["source"]["line"], 7);
    assert_eq!(result["binding"], "database-app");
}

#[test]
fn what_is_observed_makes_it_ready() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.yaml");
    std::fs::write(
        &file,
        "{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, metadata: {name: database}, status: {conditions: [{type: Ready, status: 'True'}]}}",
    )
    .unwrap();
    let done = provision(&[
        &sample("postgresql/samples/usual"),
        "--observed",
        file.to_str().unwrap(),
        "--format",
        "json",
    ]);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    let claim =
        report["results"].as_array().unwrap().iter().find(|it| it["object"]["kind"] == "PlatformClaim");
    assert_eq!(claim.unwrap()["ready"], true);
}

#[test]
fn without_its_namespace_a_claim_cannot_be_judged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("claim.yaml");
    let claim = "apiVersion: wayguard.io/v1alpha1\nkind: PlatformClaim\nmetadata: {name: files, namespace: dev}\nspec: {type: volume, size: small}\n";
    std::fs::write(&file, claim).unwrap();
    let claim = file.to_str().unwrap();
    let done = provision(&[claim]);
    assert_eq!(done.status.code(), Some(3));
    assert!(
        text(&done.stderr).contains("the Namespace `dev` is not among the files"),
        "{}",
        text(&done.stderr)
    );
    let namespace = folder.path().join("namespace.yaml");
    std::fs::write(&namespace, "{apiVersion: v1, kind: Namespace, metadata: {name: dev}}").unwrap();
    let done = provision(&[claim, "--namespace", namespace.to_str().unwrap(), "--format", "yaml"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(text(&done.stdout).starts_with("---\napiVersion: v1\nkind: PersistentVolumeClaim\n"));
    let done = provision(&[claim, "--namespace", namespace.to_str().unwrap(), "--class", "gold"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stdout).contains(
        "the class `gold` of type `volume` is not offered in namespace `dev`; offered are `default`"
    ));
}

#[test]
fn a_class_of_ones_own_that_cannot_be_loaded_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("class.yaml");
    std::fs::write(
        &class,
        "{apiVersion: wayguard.io/v1alpha1, kind: ClaimClass, metadata: {name: own}, spec: {type: own, package: provision.nothing, allowedKinds: [/ConfigMap], serviceAccount: own}}",
    )
    .unwrap();
    let done = provision(&[&sample("volume/samples/usual"), class.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(3));
    let said = text(&done.stderr);
    assert!(
        said.contains("class `own`: there is no package `provision.nothing`; there are `provision.cluster`"),
        "{said}"
    );
    let done = provision(&[&sample("volume/samples/usual"), "--policies", folder.path().to_str().unwrap()]);
    assert!(text(&done.stderr).contains("has no folder `provision`"));
}
