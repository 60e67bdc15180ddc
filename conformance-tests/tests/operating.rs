//! The suite as its operators meet it: policies and exceptions as objects of the cluster, three replicas, drift, the
//! emergency brake, and servers that are away.

use std::fmt::Write as _;
use wayguard_conformance_tests::{Sandbox, eventually};

#[test]
fn a_suite_in_a_cluster() {
    let sandbox = Sandbox::start(&["--replicas", "3"]);
    a_policy_of_the_cluster_is_loaded_by_all_enforced_and_excepted(&sandbox);
    what_cannot_be_loaded_is_refused_with_its_place(&sandbox);
    check_asks_the_cluster(&sandbox);
    explain_tells_of_what_runs(&sandbox);
    raising_a_level_warns_of_running_pods(&sandbox);
    no_replica_skips_a_namespace_that_has_just_been_made(&sandbox);
    drift_is_repaired(&sandbox);
    a_pause_opens_and_leaves_alone(&sandbox);
    // The last one: it ends the servers.
    without_servers_each_group_does_as_designed(&sandbox);
}

#[test]
fn a_gate_that_observes_records_and_refuses_nothing() {
    let sandbox = Sandbox::start(&["--observe", "--policies", "images/latest-tag"]);
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: observed}, spec: {containers: [{name: app, image: 'registry.example.com/app:latest'}]}}";
    let said = sandbox.apply(pod);
    assert!(said.fine && said.err.is_empty(), "what is only recorded disturbs nobody: {}", said.err);
    let recorded = r#"wayguard_policy_findings_total{policy="latest-tag",effect="audit",severity="high"}"#;
    eventually("the finding is recorded", || sandbox.metric(recorded).iter().sum::<f64>() > 0.0);
    let broken = POLICY.replace("contains {", "contains contains {");
    assert!(sandbox.apply(&broken).err.contains("no-team-zero"), "what cannot be loaded is refused even so");
}

const POLICY: &str = r#"---
apiVersion: wayguard.io/v1alpha1
kind: Policy
metadata: {name: no-team-zero}
spec:
  source:
    rego: |
      # METADATA
      # scope: package
      # title: No team zero
      # description: The team zero does not exist.
      # custom: {severity: low, category: demo, remedy: Name the team that owns it.}
      package demo.no_team_zero

      deny contains {"path": "/metadata/labels/team", "found": "zero", "expected": "a team that exists"} if {
      	input.review.object.metadata.labels.team == "zero"
      }
  match:
    resourceRules: [{apiGroups: [""], apiVersions: ["*"], resources: ["configmaps"], operations: [CREATE, UPDATE]}]
"#;

fn config_map(name: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, labels: {{team: zero}}}}}}")
}

fn status(sandbox: &Sandbox, what: &str, name: &str, condition: &str) -> String {
    let path = format!("{{.status.conditions[?(@.type=='{condition}')].status}} {{.status.loadedBy}}");
    let path = format!("jsonpath={path}");
    sandbox
        .kubectl(&["get", what, name, "-n", "wayguard-system", "-o", &path], "")
        .accepted()
        .trim()
        .to_owned()
}

fn a_policy_of_the_cluster_is_loaded_by_all_enforced_and_excepted(sandbox: &Sandbox) {
    sandbox.apply(POLICY).accepted();
    eventually("the policy is enforced", || {
        status(sandbox, "policy", "no-team-zero", "Enforced") == "True 3/3"
    });
    assert_eq!(status(sandbox, "policy", "no-team-zero", "Loaded"), "True 3/3");
    let complaint = sandbox.apply(&config_map("a")).refused();
    assert!(
        complaint.contains("\"validate-fail.wayguard.io\" denied the request: denied by no-team-zero: metadata.labels.team is `zero`; must be a team that exists. Fix: Name the team that owns it"),
        "{complaint}"
    );

    let exception = |namespace: &str, expires: &str| {
        format!(
            "{{apiVersion: wayguard.io/v1alpha1, kind: PolicyException, metadata: {{name: zero, namespace: {namespace}}}, spec: {{policies: [no-team-zero], objects: [{{namespace: default, name: a}}], reason: migration, owner: security@example.com, expiresAt: '{expires}'}}}}"
        )
    };
    let complaint = sandbox.apply(&exception("default", "2099-01-01T00:00:00Z"));
    // Where it does not count it is refused, or has no effect: never silently the latter.
    assert!(complaint.err.contains("wayguard-system"), "{}", complaint.err);
    sandbox.apply(&exception("wayguard-system", "2099-01-01T00:00:00Z")).accepted();
    eventually("the exception is known to every replica", || {
        (0..6).all(|_| sandbox.kubectl(&["apply", "--dry-run=server", "-f", "-"], &config_map("a")).fine)
    });
    eventually("it is active", || status(sandbox, "policyexception", "zero", "Active") == "True");
    sandbox.apply(&config_map("b")).refused();
}

fn what_cannot_be_loaded_is_refused_with_its_place(sandbox: &Sandbox) {
    let broken = POLICY.replace("no-team-zero}", "broken}").replace("== \"zero\"", "== zero_team");
    let complaint = sandbox.apply(&broken).refused();
    assert!(complaint.contains("policy `broken` cannot be loaded"), "{complaint}");
    assert!(complaint.contains("broken.rego:9:"), "file and line: {complaint}");
    assert!(complaint.contains("zero_team") && complaint.contains('^'), "the line and a caret: {complaint}");
}

fn check_asks_the_cluster(sandbox: &Sandbox) {
    let said = sandbox.wayguard(&["check", "--cluster", "-"], &config_map("a"));
    assert!(said.fine && said.out.contains("excepted by `zero`"), "{}{}", said.out, said.err);
    let said = sandbox.wayguard(&["check", "--cluster", "-"], &config_map("b"));
    assert!(!said.fine && said.out.contains("no-team-zero"), "{}{}", said.out, said.err);
}

fn explain_tells_of_what_runs(sandbox: &Sandbox) {
    sandbox.apply(&config_map("a")).accepted();
    let said = sandbox.wayguard(&["explain", "--cluster", "cm/a", "-n", "default"], "");
    assert!(said.fine, "{}{}", said.out, said.err);
    assert!(said.out.contains("ConfigMap default/a"), "{}", said.out);
    assert!(said.out.contains("exception `zero` covers metadata.labels.team"), "{}", said.out);
    assert!(said.out.contains("input.review.object.metadata.labels.team == \"zero\""), "{}", said.out);
    let said = sandbox.wayguard(&["explain", "--cluster", "cm/nowhere", "-n", "default"], "");
    assert!(said.err.contains("there is no ConfigMap `nowhere` in namespace `default`"), "{}", said.err);
}

fn raising_a_level_warns_of_running_pods(sandbox: &Sandbox) {
    sandbox.namespace("raised", "development");
    let root = "{apiVersion: v1, kind: Pod, metadata: {name: NAME, namespace: raised}, spec: {securityContext: {runAsNonRoot: false}, containers: [{name: a, image: 'registry.example/agent:1'}]}}";
    for name in ["agent-2", "agent-1"] {
        sandbox.apply(&root.replace("NAME", name)).accepted();
    }
    sandbox.apply(&root.replace("NAME", "fine").replace("false", "true")).accepted();
    let label = "pod-security.kubernetes.io/enforce=restricted";
    let said = sandbox.kubectl(&["label", "--overwrite", "namespace", "raised", label], "");
    for expected in [
        "existing pods in namespace \"raised\" violate the new PodSecurity enforce level \"restricted:latest\"",
        "agent-1 (and 1 other pod): runAsNonRoot != true",
    ] {
        let expected = format!("Warning: pod-security/namespace-labels: {expected}\n");
        assert!(said.err.contains(&expected), "{}", said.err);
    }
    said.accepted();
}

/// A namespace and what is in it come in one file: a server that has not heard of the namespace yet looks it up.
fn no_replica_skips_a_namespace_that_has_just_been_made(sandbox: &Sandbox) {
    let judged_before = sandbox.metric("wayguard_admission_request_duration_seconds_count");
    let file = |number: usize| {
        let mut text = format!(
            "---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: team-{number}, labels: {{team: alpha, environment: development, managed-by: idp}}}}}}\n"
        );
        for (name, tag) in [("floating", "latest"), ("fixed", "1.4.2")] {
            let _ = writeln!(
                text,
                "---\n{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: team-{number}}}, spec: {{selector: {{matchLabels: {{app: {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: app, image: 'registry.example/shop:{tag}'}}]}}}}}}}}"
            );
        }
        text
    };
    std::thread::scope(|scope| {
        for part in 0..5 {
            scope.spawn(move || {
                for number in (part * 10)..(part * 10 + 10) {
                    let complaint = sandbox.apply(&file(number)).refused();
                    assert!(complaint.contains("denied by images/latest-tag"), "{number}: {complaint}");
                    assert_eq!(complaint.matches("denied by").count(), 1, "only the tag: {complaint}");
                    let namespace = format!("team-{number}");
                    let labels = sandbox.get("deployment", "fixed", &namespace)["metadata"]["labels"].clone();
                    assert_eq!(labels["team"], "alpha", "the namespace's labels were known: {labels}");
                }
            });
        }
    });
    let judged = sandbox.metric("wayguard_admission_request_duration_seconds_count");
    assert_eq!(judged.len(), 3);
    // Which replica gets a connection is the kernel's choice, and the API server keeps the few that it has.
    println!("judged by each replica: {judged_before:?} → {judged:?}");
    let (before, after): (f64, f64) = (judged_before.iter().sum(), judged.iter().sum());
    assert!(after - before > 150.0, "every namespace and Deployment was asked about: {before} → {after}");
}

const CONFIGURATION: &str = "validatingwebhookconfiguration";

fn failure_policies(sandbox: &Sandbox) -> String {
    let path = "jsonpath={range .webhooks[*]}{.name}={.failurePolicy} {end}";
    sandbox.kubectl(&["get", CONFIGURATION, "wayguard", "-o", path], "").out
}

fn drift_is_repaired(sandbox: &Sandbox) {
    let narrow = r#"[{"op": "replace", "path": "/webhooks/0/rules", "value": []}, {"op": "add", "path": "/webhooks/0/objectSelector", "value": {"matchLabels": {"skip": "me"}}}]"#;
    let rules = |sandbox: &Sandbox| {
        let path = "jsonpath={.webhooks[*].rules}{.webhooks[*].objectSelector}";
        sandbox.kubectl(&["get", CONFIGURATION, "wayguard", "-o", path], "").accepted()
    };
    let before = rules(sandbox);
    sandbox.kubectl(&["patch", CONFIGURATION, "wayguard", "--type=json", "-p", narrow], "").accepted();
    eventually("the rules are back", || rules(sandbox) == before);
    sandbox.kubectl(&["delete", CONFIGURATION, "wayguard"], "").accepted();
    eventually("the configuration is back", || {
        failure_policies(sandbox).contains("validate-fail.wayguard.io=Fail")
    });
}

fn a_pause_opens_and_leaves_alone(sandbox: &Sandbox) {
    let before = failure_policies(sandbox);
    assert!(before.contains("validate-fail.wayguard.io=Fail"), "{before}");
    sandbox.wayguard(&["pause", "--reason", "incident 7"], "").accepted();
    eventually("nothing fails closed", || !failure_policies(sandbox).contains("=Fail"));
    eventually("the policy says so", || status(sandbox, "policy", "no-team-zero", "Enforced") == "False 3/3");
    sandbox.kubectl(&["delete", CONFIGURATION, "wayguard"], "").accepted();
    sandbox.apply(&POLICY.replace("severity: low", "severity: high")).accepted();
    eventually("a round has passed", || status(sandbox, "policy", "no-team-zero", "Loaded") == "True 3/3");
    assert_eq!(failure_policies(sandbox), "", "what an operator deletes stays deleted");
    sandbox.wayguard(&["pause", "--end"], "").accepted();
    eventually("all is as before", || failure_policies(sandbox) == before);
}

fn without_servers_each_group_does_as_designed(sandbox: &Sandbox) {
    sandbox.namespace("orphan", "development");
    for server in ["serve", "serve-2", "serve-3"] {
        sandbox.kill(server);
    }
    let pod = |namespace: &str, name: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{containers: [{{name: a, image: 'registry.example/a:1'}}]}}}}"
        )
    };
    let complaint = sandbox.apply(&pod("orphan", "app")).refused();
    assert!(
        complaint.contains("failed calling webhook \"validate-fail.wayguard.io\""),
        "the Fail group, and nobody else, stops it: {complaint}"
    );
    // Nobody needs the gate to bring the gate, or the cluster, back.
    sandbox.apply(&pod("kube-system", "dns")).accepted();
    sandbox.apply(&pod("wayguard-system", "wayguard-serve-0")).accepted();
    // ConfigMaps are judged by a policy of the cluster with `onError: Deny`; ServiceAccounts by nobody.
    let complaint = sandbox.apply(&config_map("c")).refused();
    assert!(complaint.contains("failed calling webhook \"validate-fail.wayguard.io\""), "{complaint}");
    sandbox
        .apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot, namespace: orphan}}")
        .accepted();
    // Bad policies are refused only while somebody can tell.
    sandbox
        .apply(&POLICY.replace("no-team-zero}", "later}").replace("== \"zero\"", "== zero_team"))
        .accepted();
    sandbox.kubectl(&["delete", "policy", "later"], "").accepted();
    sandbox.kubectl(&["delete", "namespace", "orphan", "--wait=false"], "").accepted();
}
