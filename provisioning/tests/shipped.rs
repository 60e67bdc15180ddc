//! The classes that ship: each loads, and makes of its samples exactly what lies in its `golden` folder.
//!
//! `WAYGUARD_UPDATE=1 cargo test -p wayguard-provisioning` writes the golden files; look at the difference.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test says by a panic what is wrong"
)]

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wayguard_cluster::manifest;
use wayguard_engine::policy::library::Library;
use wayguard_engine::value::parse_yaml;
use wayguard_provisioning::{Asked, Catalog, Plan, PlanError, Trigger, plan, shipped};

fn catalog() -> Catalog {
    let library = Library::embedded();
    let classes = shipped(&library).unwrap().into_iter().map(|(name, spec, _)| (name, spec));
    Catalog::load(classes, &library)
}

fn read(text: &str) -> Vec<Value> {
    let arena = bumpalo::Bump::new();
    parse_yaml(&&arena, text).unwrap().into_iter().map(|document| document.value.to_serde()).collect()
}

fn of_kind<'o>(objects: &'o [Value], kind: &str) -> Option<&'o Value> {
    objects.iter().find(|object| object["kind"] == kind)
}

fn planned(
    catalog: &Catalog,
    objects: &[Value],
    observed: &BTreeMap<String, Arc<Value>>,
) -> Result<Plan, PlanError> {
    let namespace = of_kind(objects, "Namespace").expect("a sample has its Namespace");
    let trigger = of_kind(objects, "PlatformClaim").map_or(Trigger::Namespace(namespace), Trigger::Claim);
    plan(catalog, &Asked { trigger, namespace, observed, capabilities: None })
}

#[test]
fn every_class_loads() {
    let catalog = catalog();
    assert_eq!(catalog.problems(), [], "classes that cannot be used");
    let types: BTreeSet<&str> =
        catalog.classes().iter().map(|class| class.spec.claim_type.as_str()).collect();
    let all = ["cluster", "namespace", "network", "postgresql", "rabbitmq", "terraform", "volume"];
    assert_eq!(types, BTreeSet::from(all));
    let accounts: BTreeSet<&str> =
        catalog.classes().iter().map(|class| class.spec.service_account.as_str()).collect();
    assert_eq!(accounts.len(), all.len(), "each class has an account of its own");
}

#[test]
fn samples_become_what_is_committed() {
    let catalog = catalog();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/provision");
    let mut samples: Vec<PathBuf> = Vec::new();
    for class in std::fs::read_dir(folder).unwrap() {
        let found: Vec<_> = std::fs::read_dir(class.unwrap().path().join("samples")).unwrap().collect();
        samples.extend(found.into_iter().map(|entry| entry.unwrap().path()));
    }
    assert!(samples.len() >= 7);
    for sample in samples {
        let objects = read(&std::fs::read_to_string(&sample).unwrap());
        let shown = match planned(&catalog, &objects, &BTreeMap::new()) {
            Err(error) => manifest::yaml(&json!({"refused": error.to_string()})),
            Ok(plan) => {
                let head = json!({
                    "class": plan.class.name, "monthlyEUR": plan.cost, "outputs": plan.outputs,
                    "denials": plan.denials, "approvals": plan.approvals,
                });
                let objects = plan.objects.iter().map(|planned| &planned.object);
                format!("{}{}", manifest::yaml(&head), manifest::stream(objects))
            }
        };
        let golden = sample.parent().unwrap().with_file_name("golden").join(sample.file_name().unwrap());
        if std::env::var_os("WAYGUARD_UPDATE").is_some() {
            std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
            std::fs::write(&golden, &shown).unwrap();
        }
        let committed = std::fs::read_to_string(&golden).unwrap_or_default();
        assert!(committed == shown, "{} is not what is planned now:\n{shown}", golden.display());
    }
}

const CLAIM: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: dev, labels: {team: alpha, environment: development, managed-by: idp}}
---
apiVersion: wayguard.io/v1alpha1
kind: PlatformClaim
metadata: {name: database, namespace: dev, uid: u-1}
spec: {type: postgresql, version: '15', size: small, backup: enabled}
";

#[test]
fn the_same_claim_gives_the_same_plan_and_needs_no_clock() {
    let (catalog, objects) = (catalog(), read(CLAIM));
    let plan = planned(&catalog, &objects, &BTreeMap::new()).unwrap();
    let again = planned(&catalog, &objects, &BTreeMap::new()).unwrap();
    assert_eq!((plan.objects, plan.spec_hash.clone()), (again.objects, again.spec_hash));
    let explicit = read(&CLAIM.replace("size: small", "size: small, class: default"));
    assert_eq!(planned(&catalog, &explicit, &BTreeMap::new()).unwrap().spec_hash, plan.spec_hash);
    let other = read(&CLAIM.replace("size: small", "size: medium"));
    assert_ne!(planned(&catalog, &other, &BTreeMap::new()).unwrap().spec_hash, plan.spec_hash);
}

#[test]
fn what_the_operator_says_makes_it_ready_and_secrets_are_never_seen() {
    let (catalog, objects) = (catalog(), read(CLAIM));
    let status = json!({"conditions": [{"type": "Ready", "status": "True"}]});
    let cluster = json!({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "status": status});
    let plan = planned(&catalog, &objects, &[("cluster".to_owned(), Arc::new(cluster))].into()).unwrap();
    assert!(plan.ready);
    assert_eq!(plan.binding(), Some("database-app"));
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "status": status});
    let plan = planned(&catalog, &objects, &[("cluster".to_owned(), Arc::new(secret))].into()).unwrap();
    assert!(!plan.ready, "a Secret is not part of the input");
}

#[test]
fn what_is_not_offered_is_told_with_what_is() {
    let catalog = catalog();
    for (from, to, said) in [
        (
            "type: postgresql",
            "type: oracle",
            "the type `oracle` is not offered; offered are `cluster`, `network`, `postgresql`, `rabbitmq`, `terraform`, `volume`",
        ),
        (
            "size: small",
            "class: gold, size: small",
            "the class `gold` of type `postgresql` is not offered in namespace `dev`; offered are `default`",
        ),
        (
            "size: small",
            "size: small, parameters: {a: 1}",
            "the class `postgresql-default` takes no parameters",
        ),
        ("size: small", "sise: small", "the claim cannot be read: spec: unknown field `sise`"),
    ] {
        let error = planned(&catalog, &read(&CLAIM.replace(from, to)), &BTreeMap::new()).unwrap_err();
        assert!(matches!(error, PlanError::Claim(_)) && error.to_string().contains(said), "{error}");
    }
}

fn own_class(
    name: &str,
    more: &str,
    rules: &str,
) -> (String, wayguard_cluster::kinds::provisioning::ClaimClassSpec) {
    let rego = format!(
        "# METADATA\n# scope: package\n# title: T\n# description: D\n# custom:\n#   remedy: R\npackage provision.own\n\n{rules}\n"
    );
    let text = format!(
        "{{type: thing, allowedKinds: [networking.k8s.io/NetworkPolicy], serviceAccount: own{more}}}"
    );
    let mut spec = read(&text).remove(0);
    spec["rego"] = rego.into();
    (name.to_owned(), serde_json::from_value(spec).unwrap())
}

const POLICY: &str =
    r#"{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"}}"#;

fn thing() -> Vec<Value> {
    read(&CLAIM.replace("type: postgresql, version: '15', size: small, backup: enabled", "type: thing"))
}

#[test]
fn a_class_that_fails_or_wants_nothing_touches_nothing() {
    let library = Library::embedded();
    for (rules, said) in [
        (
            "objects[id] := 1 if some id in input.nothing",
            "`objects` is empty or undefined, and nothing is denied; nothing is touched",
        ),
        ("objects.a := to_number(\"x\")", "to_number"),
        (
            "objects.a := {\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"x\"}}",
            "is a `/Secret`",
        ),
        (
            &format!("objects.a := {POLICY}\nobjects.b := {POLICY}"),
            "`objects[\"b\"]` and `objects[\"a\"]` are the same object",
        ),
        (
            "objects[sprintf(\"o%d\", [n])] := 1 if some n in numbers.range(1, 60)",
            "`objects` has 60 members; at most 50 are made",
        ),
        (
            &format!(
                "objects.a := {POLICY}\noutputs.host := {{\"secret\": \"a\", \"key\": \"b\", \"value\": \"hunter2\"}}"
            ),
            "and nothing else",
        ),
        (
            &format!(
                "objects.a := {POLICY}\ndeny contains \"x\" if 1 / input.namespace.zero == 1\ncost := \"free\""
            ),
            "`cost` must be a number",
        ),
        ("objects.a := x if { some i in numbers.range(1, 100000000); i == 99999999; x := i }", ""),
    ] {
        let catalog = Catalog::load([own_class("own", "", rules)], &library);
        assert_eq!(catalog.problems(), [], "{rules}");
        let error = planned(&catalog, &thing(), &BTreeMap::new()).unwrap_err();
        assert!(matches!(error, PlanError::Class { .. }), "{error}");
        assert!(error.to_string().contains(said), "{rules}: {error}");
    }
}

#[test]
fn a_class_that_cannot_be_right_is_refused_at_load() {
    let library = Library::embedded();
    let fine = format!("objects.a := {POLICY}");
    for (more, rules, said) in [
        ("", "deny contains \"x\"", "the package `provision.own` has no rule `objects`"),
        ("", "objects.a := http.send({})", "http.send"),
        (", settings: {a: 1}", fine.as_str(), "the policy takes no parameters"),
        (
            ", retainKinds: [/PersistentVolumeClaim]",
            fine.as_str(),
            "`retainKinds` has `/PersistentVolumeClaim`, which is not among `allowedKinds`",
        ),
        (
            ", package: provision.postgresql",
            fine.as_str(),
            "exactly one of `package` and `rego` must be given",
        ),
    ] {
        let catalog = Catalog::load([own_class("own", more, rules)], &library);
        let problems =
            catalog.problems().first().unwrap_or_else(|| panic!("{rules} loads")).problems.join("; ");
        assert!(problems.contains(said), "{problems}");
    }
    let (name, mut spec) = own_class("own", "", &fine);
    spec.allowed_kinds = vec!["/Secret".to_owned(), "wayguard.io/ClaimApproval".to_owned()];
    let catalog = Catalog::load([(name, spec)], &library);
    assert_eq!(catalog.problems()[0].problems.len(), 2, "{:?}", catalog.problems());
}

#[test]
fn the_most_specific_class_wins_and_a_tie_is_nobodys() {
    let library = Library::embedded();
    let rules = format!("objects.a := {POLICY}");
    let class = |name: &str, more: &str| own_class(name, more, &rules);
    let catalog = Catalog::load(
        [
            class("all", ""),
            class("dev", ", match: {environments: [development]}"),
            class("alpha", ", match: {teams: [alpha, beta]}"),
            class("gold", ", class: gold"),
        ],
        &library,
    );
    assert_eq!(catalog.problems(), []);
    assert_eq!(planned(&catalog, &thing(), &BTreeMap::new()).unwrap().class.name, "alpha");
    let catalog = Catalog::load(
        [
            class("one", ", match: {teams: [alpha]}"),
            class("two", ", match: {teams: [alpha, beta]}"),
            class("all", ""),
        ],
        &library,
    );
    let tied: Vec<_> = catalog.problems().iter().map(|problem| problem.class.as_str()).collect();
    assert_eq!(tied, ["one", "two"]);
    assert!(catalog.problems()[0].problems[0].starts_with("`two` is offered for the same type `thing`"));
    assert_eq!(planned(&catalog, &thing(), &BTreeMap::new()).unwrap().class.name, "all");
}
