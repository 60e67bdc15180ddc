//! `wayguard audit`, run as a person would on files: groups, owners, what was not judged, formats, exit codes.

mod support;

use support::{folder, wayguard, wayguard_in, wayguard_with_stdin};

const HOUSE: [&str; 2] = ["--policies", "house/policies.yaml"];

fn audit(arguments: &[&str]) -> support::Ran {
    wayguard(&[&["audit"], arguments, &HOUSE].concat())
}

/// A Pod as a cluster has it: with a uid.
const RUNNING: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web-1, namespace: shop, uid: 6f1c, labels: {team: retail}}\nspec: {containers: [{name: c, image: 'x:latest'}]}\n";

#[test]
fn findings_come_in_groups_with_a_remedy_and_who_answers_for_them() {
    let ran = audit(&["apps"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    for line in [
        "deny pinned-images/moving-tag high: 1 object\n",
        "  fix: Name a version instead of `latest`.\n",
        "  owners: retail 1\n",
        "    Deployment shop/web: spec.template.spec.containers[web].image is `registry.example/shop/web:latest`; must be an image with a version\n",
        "warn replicas low: 1 object\n",
        "Not judged\n",
        "  team on 1 object: needs the namespace's labels: namespace `elsewhere` is not known here; add manifests to the files, or say that they are all there is (`--complete`)\n",
        "1 would be refused",
    ] {
        assert!(ran.stdout.contains(line), "without {line:?}: {}", ran.shown());
    }
    let (deny, warn) = (ran.stdout.find("deny pinned").unwrap(), ran.stdout.find("warn replicas").unwrap());
    assert!(deny < warn, "worst first: {}", ran.shown());
}

#[test]
fn nothing_found_is_exit_code_zero_and_says_so() {
    let ran = audit(&["apps/other.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    assert!(ran.stdout.contains("nothing found"), "{}", ran.shown());
}

#[test]
fn what_runs_is_judged_as_it_is_and_a_manifest_as_it_will_be() {
    // The house gives a memory request to Pods that ask for none; one that runs without it is not as it should be.
    let policy = "apiVersion: wayguard.io/v1alpha1\nkind: Policy\nmetadata: {name: marked}\nspec:\n  source:\n    rego: |\n      # METADATA\n      # title: Marked\n      # custom: {remedy: Mark it.}\n      package marked\n\n      defaults contains {\"path\": \"/metadata/labels/mark\", \"value\": \"yes\"}\n\n      deny contains {\"path\": \"/metadata/labels/mark\", \"expected\": \"set\"} if not input.review.object.metadata.labels.mark\n  match:\n    resourceRules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]\n";
    let files = folder(&[
        ("policy.yaml", policy),
        ("running.yaml", RUNNING),
        ("new.yaml", &RUNNING.replace("uid: 6f1c, ", "")),
    ]);
    let audit = |file: &str| wayguard_in(files.path(), &["audit", file, "--policies", "policy.yaml"]);
    assert!(
        audit("running.yaml").stdout.contains("metadata.labels.mark is missing; must be set"),
        "{}",
        audit("running.yaml").shown()
    );
    assert_eq!(audit("new.yaml").code, 0, "{}", audit("new.yaml").shown());
}

#[test]
fn an_exception_is_told_with_its_end_and_one_that_has_ended_too() {
    let exception = |name: &str, ends: &str| {
        format!(
            "---\napiVersion: wayguard.io/v1alpha1\nkind: PolicyException\nmetadata: {{name: {name}}}\nspec: {{policies: [pinned-images], reason: until we move, owner: jane, expiresAt: '{ends}'}}\n"
        )
    };
    let house = std::fs::read_to_string(support::fixtures().join("house/policies.yaml")).unwrap();
    let policies = format!(
        "{house}{}{}",
        exception("lasting", "2100-01-01T00:00:00Z"),
        exception("ended", "2020-01-01T00:00:00Z")
    );
    let files = folder(&[("policies.yaml", &policies), ("pod.yaml", RUNNING)]);
    let ran = wayguard_in(files.path(), &["audit", "pod.yaml", "--policies", "policies.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    for line in [
        "excepted pinned-images/moving-tag high: 1 object\n",
        "excepted by `lasting` until 2100-01-01T00:00:00Z, jane answers for it: until we move",
        "exception `ended` of jane ended at 2020-01-01T00:00:00Z and covers nothing any more (pinned-images)",
        "1 finding excepted",
    ] {
        assert!(ran.stdout.contains(line), "without {line:?}: {}", ran.shown());
    }
}

#[test]
fn json_has_findings_counts_and_gaps() {
    let ran = audit(&["apps", "--format", "json"]);
    assert_eq!(ran.code, 2);
    let told = ran.json();
    let finding = &told["results"][0]["findings"][0];
    assert_eq!(told["results"][0]["object"]["name"], "web", "{told}");
    assert_eq!(told["results"][0]["owner"], "retail");
    assert_eq!(
        (&finding["policy"], &finding["result"], &finding["severity"]),
        (&"pinned-images".into(), &"fail".into(), &"high".into())
    );
    assert_eq!(told["summary"]["objects"], 4);
    assert_eq!(told["summary"]["policies"]["pinned-images"]["judged"], 3);
    assert!(ran.stderr.contains("note: not judged: team on 1 object"), "{}", ran.shown());
}

#[test]
fn machines_read_places_in_files_and_reports() {
    let sarif = audit(&["apps/shop.yaml", "--format", "sarif"]).json();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "apps/shop.yaml", "{sarif}");
    assert!(place["region"]["startLine"].as_u64().unwrap() > 10, "{place}");
    let junit = audit(&["apps/shop.yaml", "--format", "junit"]).stdout;
    assert!(junit.contains("<testsuites name=\"wayguard audit\""), "{junit}");
    let report = audit(&["apps/shop.yaml", "--format", "policyreport"]).stdout;
    for line in
        ["kind: PolicyReport\n", "  name: wayguard-pinned-images\n", "  namespace: shop\n", "  fail: 1\n"]
    {
        assert!(report.contains(line), "without {line:?}: {report}");
    }
}

#[test]
fn stdin_is_a_dump_like_others() {
    let ran =
        wayguard_with_stdin(&["audit", "-", "--complete", "--policies", "house/policies.yaml"], RUNNING);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    assert!(ran.stdout.contains("Pod shop/web-1: spec.containers[c].image is `x:latest`"), "{}", ran.shown());
}

#[test]
fn a_context_and_files_contradict_each_other() {
    let ran = audit(&["apps", "--context", "production"]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    assert!(
        ran.stderr.contains("`--context` names a cluster, and the paths name files: give one of them"),
        "{}",
        ran.shown()
    );
}
