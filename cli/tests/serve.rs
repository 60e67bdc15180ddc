//! `wayguard serve`, as a process on loopback: what the API server would get, hot reload, an orderly end.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code outside test functions"
)]

mod support;

use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use support::server::{PATIENCE, Server, http};

fn house() -> PathBuf {
    support::fixtures().join("house/policies.yaml")
}

fn pod(image: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "shop"},
        "spec": {"containers": [{"name": "web", "image": image}]},
    })
}

/// Asks until the answer is as it should be.
fn until(server: &Server, object: &Value, allowed: bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let response = server.review("/validate/fail", object);
        if response["allowed"] == allowed {
            return response;
        }
        assert!(Instant::now() < deadline, "still {response}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn it_serves_with_no_cluster_and_ends_in_order() {
    let server = Server::start(&[], &["--policies", house().to_str().unwrap()]);
    assert!(http(server.health, "/readyz").starts_with("HTTP/1.1 200"));
    let denied = server.review("/validate/fail?timeout=5s", &pod("x:latest"));
    assert_eq!(denied["allowed"], false);
    let message = denied["status"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("denied by pinned-images: spec.containers[web].image is `x:latest`"),
        "{message}"
    );
    assert_eq!(server.review("/validate/fail", &pod("x:1"))["allowed"], true);
    let mutated = server.review("/mutate", &pod("x:1"));
    assert_eq!(mutated["patchType"], "JSONPatch");
    assert_eq!(server.stop(), 0);
}

#[test]
fn the_built_in_bundles_are_served_when_nothing_is_said() {
    let server = Server::start(&[], &[]);
    let loaded = server.review("/validate/fail", &pod("x:latest"));
    assert_eq!(loaded["allowed"], false);
    assert!(loaded["status"]["message"].as_str().unwrap().contains("images/latest-tag"), "{loaded}");
}

#[test]
fn policies_are_reloaded_and_a_bad_file_never_replaces_a_good_one() {
    let good = std::fs::read_to_string(house()).unwrap();
    let server = Server::start(&[("rules/house.yaml", &good)], &["--policies", "rules"]);
    assert_eq!(server.review("/validate/fail", &pod("x:latest"))["allowed"], false);

    server.write(
        "rules/house.yaml",
        &good.replace("endswith(container.image, \":latest\")", "endswith(container.image, \":old\")"),
    );
    until(&server, &pod("x:latest"), true);
    assert_eq!(server.review("/validate/fail", &pod("x:old"))["allowed"], false);

    server.write("rules/house.yaml", "apiVersion: [\n");
    server.wait_for_log("policies cannot be read, those in service stay");
    assert_eq!(server.review("/validate/fail", &pod("x:old"))["allowed"], false);

    server.write(
        "rules/house.yaml",
        &good.replace("endswith(container.image, \":latest\")", "nosuch(container.image)"),
    );
    let log = server.wait_for_log("a policy cannot be loaded, what was in service before stays");
    assert!(log["message"].as_str().unwrap().contains("undefined function nosuch"), "{log}");
    assert_eq!(server.review("/validate/fail", &pod("x:old"))["allowed"], false);

    server.write("rules/house.yaml", &good);
    until(&server, &pod("x:latest"), false);
    until(&server, &pod("x:old"), true);
}

#[test]
fn what_cannot_start_says_why() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = support::folder(&[("bad.yaml", "a: [\n"), ("other.yaml", "a: 1\n")]);
    let run = |arguments: &[&str]| {
        support::wayguard_in(folder.path(), &[&["serve", "--ca-file", "ca.pem"], arguments].concat())
    };
    let ran = run(&["--listen", &address, "--health-listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains(&format!("error: cannot listen on `{address}`: ")), "{}", ran.stderr);
    let ran = run(&["--policies", "bad.yaml"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("error: bad.yaml:2:1: not valid YAML"), "{}", ran.stderr);
    let ran = run(&["--policies", "other.yaml"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("`other.yaml` holds no Policy, Bundle or PolicyException"), "{}", ran.stderr);
    assert_eq!(run(&["--listen", "nowhere"]).code, 3);
}
