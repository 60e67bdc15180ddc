//! Upstream's own Pod Security suite against our webhook, with the built-in plugin switched off.

use std::process::Command;
use wayguard_conformance_tests::{Sandbox, here, output};

#[test]
fn upstreams_suite_passes_without_the_built_in_plugin() {
    let sandbox =
        Sandbox::start(&["--policies", "pod-security", "--disable-admission-plugin", "PodSecurity"]);
    let said = output(
        Command::new("go")
            .args(["test", "-trimpath", "-count=1", "-timeout", "9m"])
            .current_dir(here().join("pod-security"))
            .env("KUBECONFIG", sandbox.kubeconfig())
            .env("CGO_ENABLED", "0"),
        "",
    );
    let tail: Vec<&str> = said.out.lines().rev().take(40).collect();
    assert!(said.fine, "upstream's suite failed: {}\n{tail:#?}", said.err);
    assert!(
        said.out.lines().any(|line| line.ends_with(" passed, 0 failed") && !line.starts_with("0 ")),
        "{tail:#?}"
    );
}
