//! The suite stays up: installed as `wayguard install` installs it, its Pods run by a [node](wayguard_conformance_tests::node)
//! behind a real Service, under load of which each verdict is checked, while Pods are replaced, killed, and gone.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

mod fleet;

use fleet::Fleet;
use serde_json::json;
use std::time::Duration;
use wayguard_conformance_tests::node::network;

#[test]
fn the_gate_stays_up() {
    if !network::inside("the_gate_stays_up") {
        return;
    }
    let Some(fleet) = Fleet::start(&["--enforce"]) else { return };
    a_rolling_update_loses_and_lets_through_nothing(&fleet);
}

/// R1: three replicas are replaced one by one while requests go on.
fn a_rolling_update_loses_and_lets_through_nothing(fleet: &Fleet) {
    let load = fleet.load();
    std::thread::sleep(Duration::from_secs(2));
    fleet
        .kubectl(&["rollout", "restart", "deployment/wayguard-serve", "-n", "wayguard-system"], "")
        .accepted();
    fleet.rolled_out("wayguard-serve");
    std::thread::sleep(Duration::from_secs(2));
    let outcome = load.stop(fleet.node.runtime());
    println!(
        "rolling update: {} requests, slowest {:?}, {:?}",
        outcome.all(),
        outcome.slowest,
        outcome.failed
    );
    assert_eq!((outcome.failures(), outcome.unenforced), (0, 0), "{outcome:?}");
    assert!(outcome.fine > 100, "{outcome:?}");
    let _ = json!({});
}
