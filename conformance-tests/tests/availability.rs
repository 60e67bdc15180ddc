//! The suite stays up: installed as `wayguard install` installs it, its Pods run by a [node](wayguard_conformance_tests::node)
//! behind a real Service, under load of which each verdict is checked, while Pods are replaced, killed and gone, while
//! certificates are rotated, and while the API server is away.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

mod fleet;

use fleet::{Fleet, OWN};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};
use wayguard_conformance_tests::load::Outcome;
use wayguard_conformance_tests::node::network;
use wayguard_conformance_tests::{eventually, output};

#[test]
fn the_gate_stays_up() {
    if !network::inside("the_gate_stays_up") {
        return;
    }
    let Some(mut fleet) = Fleet::start(&["--enforce"]) else { return };
    a_rolling_update_loses_and_lets_through_nothing(&fleet);
    a_replica_that_is_killed_costs_next_to_nothing(&fleet);
    without_any_control_verdicts_stay_the_same(&fleet);
    what_somebody_changes_in_the_registration_is_put_back(&fleet);
    a_policy_is_enforced_only_once_all_replicas_have_it(&fleet);
    each_decision_is_of_one_generation(&fleet);
    a_replica_that_starts_lets_nothing_through(&fleet);
    a_new_authority_breaks_no_handshake(&fleet);
    without_any_replica_the_cluster_still_comes_up(&fleet);
    taken_out_it_leaves_no_webhook_behind(&fleet);
    // Last: the controller manager takes its time until it works again.
    without_the_api_server_verdicts_go_on(&mut fleet);
}

/// Nothing may fail, and nothing may get through.
#[track_caller]
fn flawless(what: &str, outcome: &Outcome) {
    println!("{what}: {} requests, slowest {:?}", outcome.all(), outcome.slowest);
    assert_eq!((outcome.failures(), outcome.unenforced), (0, 0), "{what}: {outcome:?}");
    assert!(outcome.fine > 50, "{what}: {outcome:?}");
}

/// R1: three replicas are replaced one by one while requests go on.
fn a_rolling_update_loses_and_lets_through_nothing(fleet: &Fleet) {
    let before = fleet.names("wayguard-serve");
    let load = fleet.load();
    fleet.kubectl(&["rollout", "restart", "deployment/wayguard-serve", "-n", OWN], "").accepted();
    fleet.rolled_out("wayguard-serve");
    eventually("the replicas of before have drained", || fleet.names("wayguard-serve").is_disjoint(&before));
    flawless("rolling update", &load.stop(fleet.node.runtime()));
}

/// R2: what is in flight is lost, and nothing once the endpoint is gone; nothing gets through.
fn a_replica_that_is_killed_costs_next_to_nothing(fleet: &Fleet) {
    let load = fleet.load();
    for _ in 0..2 {
        std::thread::sleep(Duration::from_secs(2));
        let (name, place) = fleet.node.running("wayguard-serve").swap_remove(0);
        fleet::kill(place.pid, "KILL");
        let killed = Instant::now();
        eventually("its endpoint is gone", || !fleet.endpoints().contains(&place.address));
        println!("{name} was killed; its endpoint was gone after {:?}", killed.elapsed());
        std::thread::sleep(Duration::from_secs(1));
        let failures = load.so_far().failures();
        // The limit is a share of all requests, with a kill each half a minute; this is more often still.
        std::thread::sleep(Duration::from_secs(16));
        assert_eq!(load.so_far().failures(), failures, "a request failed though the endpoint was gone");
        fleet.rolled_out("wayguard-serve");
    }
    let outcome = load.stop(fleet.node.runtime());
    println!("kill -9: {} of {} requests failed: {:?}", outcome.failures(), outcome.all(), outcome.failed);
    assert_eq!(outcome.unenforced, 0, "{outcome:?}");
    assert!(outcome.failures() * 100 <= outcome.all(), "more than one in a hundred: {outcome:?}");
}

/// R6: no leader, nor anybody who could be, is needed for a verdict.
fn without_any_control_verdicts_stay_the_same(fleet: &Fleet) {
    let load = fleet.load();
    fleet.kubectl(&["scale", "deployment/wayguard-control", "--replicas=0", "-n", OWN], "").accepted();
    eventually("control is gone", || fleet.node.running("wayguard-control").is_empty());
    std::thread::sleep(Duration::from_secs(3));
    flawless("no leader", &load.stop(fleet.node.runtime()));
    fleet.kubectl(&["scale", "deployment/wayguard-control", "--replicas=2", "-n", OWN], "").accepted();
    fleet.rolled_out("wayguard-control");
}

/// S9: within ten seconds, and narrowed rules are no more accepted than widened ones.
fn what_somebody_changes_in_the_registration_is_put_back(fleet: &Fleet) {
    let what = "validatingwebhookconfiguration/wayguard";
    let webhooks = || fleet.get(what, "")["webhooks"].clone();
    let wanted = webhooks();
    let edits = [
        json!([{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]),
        json!([{"op": "replace", "path": "/webhooks/0/rules", "value": []}]),
        json!([{"op": "add", "path": "/webhooks/0/objectSelector", "value": {"matchLabels": {"judge": "me"}}}]),
        json!([{"op": "add", "path": "/webhooks/0/matchConditions", "value": [{"name": "never", "expression": "false"}]}]),
    ];
    for edit in edits {
        fleet.kubectl(&["patch", what, "--type=json", "-p", &edit.to_string()], "").accepted();
        let changed = Instant::now();
        eventually("the change is taken out", || webhooks() == wanted);
        println!("put back after {:?}: {edit}", changed.elapsed());
        assert!(changed.elapsed() < Duration::from_secs(10), "{edit}");
    }
}

/// Q4: Kyverno once called a policy ready as soon as one replica had it.
fn a_policy_is_enforced_only_once_all_replicas_have_it(fleet: &Fleet) {
    let enforced = || fleet.is_enforced("late");
    let (_, place) = fleet.node.running("wayguard-serve").swap_remove(0);
    fleet::kill(place.pid, "STOP");
    let rules = "deny contains \"never\" if input.review.object.data.late";
    let policy = wayguard_conformance_tests::policy("late", "", "configmaps", "CREATE", rules);
    fleet.kubectl(&["apply", "-f", "-"], &policy).accepted();
    // As long as its endpoint is ready; kubelet's probes fail, and then it is no replica of the gate any more.
    while fleet.endpoints().contains(&place.address) {
        assert!(!enforced(), "enforced, though a ready replica does not have it");
        std::thread::sleep(Duration::from_millis(200));
    }
    fleet::kill(place.pid, "CONT");
    eventually("all have it", enforced);
    fleet.kubectl(&["delete", "policy", "late"], "").accepted();
    fleet.rolled_out("wayguard-serve");
}

/// Q3: a policy is changed again and again while it judges; each of its rules names the generation, and no answer names
/// two.
fn each_decision_is_of_one_generation(fleet: &Fleet) {
    let rules = |number: u32| {
        let rule = |rule| {
            format!(
                "deny contains \"rule {rule} of generation {number}\" if input.review.object.data.probe\n"
            )
        };
        (0..8).map(rule).collect::<String>()
    };
    let policy = |number: u32| {
        wayguard_conformance_tests::policy("generation", "", "configmaps", "CREATE", rules(number).trim_end())
    };
    fleet.kubectl(&["apply", "-f", "-"], &policy(0)).accepted();
    let rego = fleet.get("policy/generation", "")["spec"]["source"]["rego"].as_str().unwrap().to_owned();
    let probe = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"generateName": "probe-", "namespace": "alpha"}, "data": {"probe": "yes"}});
    eventually("all replicas have it", || fleet.is_enforced("generation"));
    let load = fleet.load();
    let changes = fleet::long_count(80, 500);
    let changing = fleet.keep_changing("generation", changes, Duration::from_millis(120), move |number| {
        let rego = rego.replace("of generation 0", &format!("of generation {number}"));
        json!({"spec": {"source": {"rego": rego}}})
    });
    let (mut seen, mut asked) = (BTreeSet::new(), 0);
    while !changing.is_finished() {
        let refused = fleet.create(&probe).expect_err("not enforced while its policy is changed");
        let named = refused.split("of generation ").skip(1);
        let named: BTreeSet<&str> =
            named.filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()).collect();
        assert_eq!(named.len(), 1, "{refused}");
        seen.extend(named.into_iter().map(str::to_owned));
        asked += 1;
    }
    let made = fleet.node.runtime().block_on(changing).unwrap();
    println!("{made} of {changes} generations were written, {} seen by {asked} probes", seen.len());
    // Each replica compiles at its own pace, and skips what is old by then.
    assert!(seen.len() > 2, "{seen:?}");
    flawless("while policies change", &load.stop(fleet.node.runtime()));
    fleet.kubectl(&["delete", "policy", "generation"], "").accepted();
}

/// R5: two hundred policies; from its first answer on a replica denies what is to be denied.
fn a_replica_that_starts_lets_nothing_through(fleet: &Fleet) {
    let policies: String = (0..200)
        .map(|number| {
            let rules = format!(
                "deny contains \"number {number}\" if input.review.object.data.number == \"{number}\""
            );
            wayguard_conformance_tests::policy(&format!("many-{number}"), "", "configmaps", "CREATE", &rules)
        })
        .collect();
    fleet.kubectl(&["apply", "-f", "-"], &policies).accepted();
    fleet.trust();
    let before = fleet.names("wayguard-serve");
    fleet.kubectl(&["rollout", "restart", "deployment/wayguard-serve", "-n", OWN], "").accepted();
    let mut new = None;
    eventually("a new replica", || {
        new = fleet.node.running("wayguard-serve").into_iter().find(|(name, _)| !before.contains(name));
        new.is_some()
    });
    let (name, place) = new.unwrap();
    let started = Instant::now();
    let review = config_map_review(&json!({"number": "199"}));
    let mut answers: Vec<(Duration, Value)> = Vec::new();
    let mut refused = 0;
    while answers.len() < 50 && started.elapsed() < Duration::from_mins(1) {
        match fleet.ask_directly(&place.address, &review) {
            Ok(answer) => answers.push((started.elapsed(), answer)),
            Err(_) => refused += 1,
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let Some((first, _)) = answers.first() else { panic!("`{name}` never answered") };
    println!("{name}: {refused} connections without an answer, first answer after {first:?}");
    let early: Vec<_> = answers.iter().filter(|(_, answer)| answer["response"]["allowed"] != false).collect();
    assert!(early.is_empty(), "let through: {early:?}");
    let last = &answers.last().unwrap().1;
    assert!(last["response"]["status"]["message"].as_str().unwrap().contains("number 199"), "{last}");
    fleet.rolled_out("wayguard-serve");
    let names: Vec<String> = (0..200).map(|number| format!("many-{number}")).collect();
    let arguments: Vec<&str> =
        ["delete", "policy"].into_iter().chain(names.iter().map(String::as_str)).collect();
    fleet.kubectl(&arguments, "").accepted();
}

/// T5: the next authority is published, seen, signs; all while requests go on.
fn a_new_authority_breaks_no_handshake(fleet: &Fleet) {
    let authority = || fleet.get("secret/wayguard-ca", OWN)["data"]["ca.crt"].clone();
    let failures = handshake_failures(fleet);
    let load = fleet.load();
    let rounds = if fleet::is_long() { 100 } else { 1 };
    for _ in 0..rounds {
        let before = authority();
        let patch = json!({"stringData": {"rotate-now": "by a test"}}).to_string();
        fleet.kubectl(&["patch", "secret", "wayguard-ca", "-n", OWN, "-p", &patch], "").accepted();
        let asked = Instant::now();
        // A minute and a half at most: noticed, published, settled.
        while authority() == before {
            assert!(asked.elapsed() < Duration::from_mins(3), "no new authority");
            std::thread::sleep(Duration::from_millis(500));
        }
        println!("a new authority signs after {:?}", asked.elapsed());
        // All replicas renew their leaves and all old connections go on; new ones are made against the new leaf.
        std::thread::sleep(Duration::from_secs(3));
    }
    flawless("rotation", &load.stop(fleet.node.runtime()));
    assert_eq!(handshake_failures(fleet), failures, "handshakes failed");
}

/// Of each replica; what comes before it has a certificate is among them.
fn handshake_failures(fleet: &Fleet) -> Vec<(String, Option<f64>)> {
    let of = |address: &str| metric(&fleet::metrics(address), "wayguard_tls_handshake_failures_total");
    fleet.node.running("wayguard-serve").into_iter().map(|(name, place)| (name, of(&place.address))).collect()
}

/// R3, R4: asked by hand, as another API server of the cluster would ask; then it is back, and all is well again.
fn without_the_api_server_verdicts_go_on(fleet: &mut Fleet) {
    let review = pod_review(true);
    let places = fleet.node.running("wayguard-serve");
    let stale = || {
        places
            .iter()
            .all(|(_, place)| metric(&fleet::metrics(&place.address), "wayguard_cluster_stale") == Some(1.0))
    };
    let program = fleet.stop_api_server();
    let stopped = Instant::now();
    let mut asked = 0;
    let limit = fleet::long(Duration::from_secs(90), Duration::from_mins(10));
    while stopped.elapsed() < limit && (fleet::is_long() || !stale()) {
        for (name, place) in &places {
            let answer =
                fleet.ask_directly(&place.address, &review).unwrap_or_else(|why| panic!("{name}: {why}"));
            assert_eq!(answer["response"]["allowed"], false, "{answer}");
            asked += 1;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    println!("{asked} verdicts in {:?} without an API server", stopped.elapsed());
    assert!(stale(), "the metric does not say that answers rest on an old state");
    for (_, place) in &places {
        let answer = fleet.ask_directly(&place.address, &review).unwrap();
        let warnings = answer["response"]["warnings"].to_string();
        assert!(warnings.contains("no contact to the API server"), "{answer}");
    }
    fleet.start_api_server(&program);
    eventually("requests are judged again", || {
        let said = fleet.kubectl(&["create", "--dry-run=server", "-f", "-"], &pod_object(true).to_string());
        said.err.contains("denied the request: ")
    });
    eventually("nothing is stale any more", || {
        fleet
            .node
            .running("wayguard-serve")
            .iter()
            .all(|(_, place)| metric(&fleet::metrics(&place.address), "wayguard_cluster_stale") == Some(0.0))
    });
    let load = fleet.load();
    std::thread::sleep(Duration::from_secs(3));
    flawless("after the API server's return", &load.stop(fleet.node.runtime()));
}

/// R7, R10: no replica is left, and what fails closed is registered; what a cluster needs to come up is written all the
/// same, and so is what brings the suite back.
fn without_any_replica_the_cluster_still_comes_up(fleet: &Fleet) {
    fleet.kubectl(&["delete", "deployment", "wayguard-serve", "wayguard-control", "-n", OWN], "").accepted();
    eventually("nobody is left", || fleet.node.running("wayguard-").len() == 1);
    let closed = fleet.kubectl(&["create", "--dry-run=server", "-f", "-"], &pod_object(false).to_string());
    assert!(closed.refused().contains("failed calling webhook"), "without a gate nothing may get in");
    let meta = |name: &str, namespace: &str| json!({"name": name, "namespace": namespace});
    for object in [
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta("dns", "kube-system"),
            "spec": {"hostNetwork": true, "containers": [{"name": "dns", "image": "registry.example/dns:1", "securityContext": {"privileged": true}}]}}),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-2"}}),
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta("leader", "alpha"), "spec": {"holderIdentity": "a"}}),
        json!({"apiVersion": "v1", "kind": "Event", "metadata": meta("happened", "alpha"), "reason": "Test", "message": "it happened",
            "involvedObject": {"kind": "Pod", "namespace": "alpha", "name": "a"}, "type": "Normal"}),
    ] {
        fleet.apply(&object).accepted();
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let request =
        rcgen::CertificateParams::new(Vec::new()).unwrap().serialize_request(&key).unwrap().pem().unwrap();
    let csr = json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "node-2"},
        "spec": {"request": base64(&request), "signerName": "example.com/nodes", "usages": ["client auth"]}});
    fleet.apply(&csr).accepted();

    fleet.install();
    fleet.rolled_out("wayguard-serve");
    let load = fleet.load();
    std::thread::sleep(Duration::from_secs(3));
    flawless("installed again", &load.stop(fleet.node.runtime()));
}

/// R11: the anchor takes the configurations with it, and `control`, which would write them again, cannot.
fn taken_out_it_leaves_no_webhook_behind(fleet: &Fleet) {
    fleet.kubectl(&["delete", "clusterrole", "wayguard-anchor"], "").accepted();
    let left = || {
        let kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations";
        fleet.kubectl(&["get", kinds, "-o", "name"], "").accepted()
    };
    eventually("the configurations are gone", || left().is_empty());
    // Longer than any look of control's.
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(left(), "");
    fleet.kubectl(&["create", "--dry-run=server", "-f", "-"], &pod_object(true).to_string()).accepted();
    fleet.install();
    fleet.registered();
}

fn pod_object(privileged: bool) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "by-hand-", "namespace": "alpha"},
        "spec": {"containers": [{"name": "web", "image": "registry.example/web:1.0", "securityContext": {"privileged": privileged}}]}})
}

fn pod_review(privileged: bool) -> Value {
    review("Pod", "pods", pod_object(privileged))
}

fn config_map_review(data: &Value) -> Value {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "by-hand", "namespace": "alpha"}, "data": data});
    review("ConfigMap", "configmaps", object)
}

fn review(kind: &str, resource: &str, object: Value) -> Value {
    let (kind, resource) = (
        json!({"group": "", "version": "v1", "kind": kind}),
        json!({"group": "", "version": "v1", "resource": resource}),
    );
    json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "by-hand", "kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource,
        "namespace": "alpha", "operation": "CREATE", "userInfo": {"username": "somebody"}, "object": object,
        "oldObject": null, "dryRun": true, "options": null}})
}

fn metric(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.parse().ok()
}

fn base64(text: &str) -> String {
    output(Command::new("base64").arg("-w0"), text).accepted()
}
