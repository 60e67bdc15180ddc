//! `wayguard install --dry-run` and the mistakes of `install`, `pause` and `control`; what they do to a cluster is
//! tested against a real API server elsewhere.

mod support;

use support::wayguard;

#[test]
fn a_dry_run_prints_the_objects_and_needs_no_cluster() {
    let ran =
        wayguard(&["install", "--image", "registry.example/wayguard:1", "--dry-run", "--replicas", "2"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    let kinds: Vec<_> = ran.stdout.lines().filter_map(|line| line.strip_prefix("kind: ")).collect();
    for kind in ["Namespace", "CustomResourceDefinition", "Deployment", "Service", "ClusterRole"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    // A first installation observes: the server, its leader and the audit.
    assert_eq!(ran.stdout.matches("--observe").count(), 3, "{}", ran.stdout);
    let enforced = wayguard(&["install", "--image", "i", "--dry-run", "--enforce"]);
    assert!(!enforced.stdout.contains("--observe"), "{}", enforced.stdout);
}

#[test]
fn the_arguments_that_install_gives_are_understood() {
    let manifest = wayguard(&["install", "--image", "i", "--dry-run"]).stdout;
    for command in ["serve", "control"] {
        let start =
            manifest.find(&format!("- {command}\n")).unwrap_or_else(|| panic!("no `{command}`: {manifest}"));
        let arguments: Vec<&str> = manifest[start..]
            .lines()
            .map_while(|line| line.trim().strip_prefix("- "))
            .map(|argument| argument.trim_matches('"'))
            .collect();
        assert!(arguments.len() > 5, "{arguments:?}");
        // There is no ServiceAccount here: that, and no unknown option, is the problem.
        let ran = wayguard(&arguments);
        assert_eq!(ran.code, 3, "{}", ran.shown());
        assert!(ran.stderr.contains("there is no ServiceAccount to connect with"), "{}", ran.shown());
    }
}

#[test]
fn mistakes_say_what_would_work() {
    let ran = wayguard(&["install", "--image", "i", "--policies", "./mine", "--dry-run"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.stderr.contains("policies of your own are Policy objects: `kubectl apply` them"),
        "{}",
        ran.stderr
    );
    let ran = wayguard(&[
        "control",
        "--role",
        "webhooks",
        "--authority-secret-name",
        "x",
        "--health-listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("name it by `--in-cluster` or `--kubeconfig`"), "{}", ran.stderr);
    let ran = wayguard(&["serve", "--authority-secret-name", "x"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("`--authority-secret-name` is a Secret of a cluster"), "{}", ran.stderr);
    let ran = wayguard(&["pause", "--kubeconfig", "no-such-file"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("the kubeconfig cannot be used"), "{}", ran.stderr);
}
