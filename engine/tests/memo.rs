//! What is remembered never changes an answer: decisions with and without the memo are equal, whatever changes
//! between two requests.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

use bumpalo::Bump;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;
use wayguard_engine::facts::Fact;
use wayguard_engine::gatekeeper::Given;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::request::{ObjectRequest, Operation};
use wayguard_engine::value::{Document, from_serde};
use wayguard_engine::*;

const REGO: &str = r#"# METADATA
# title: A test
# description: Reads a bit of everything.
# custom:
#   severity: low
#   category: test
#   remedy: none
#   parameters:
#     type: object
#     properties: {label: {type: string}}
#   inventory:
#     - {group: "", version: v1, kind: ConfigMap, scope: cluster}
#   facts: [secretNames]
package test

deny contains {"msg": msg} if {
	some c in input.review.object.spec.containers
	endswith(c.image, ":latest")
	msg := sprintf("%s runs %s", [input.review.object.metadata.name, c.name])
}

deny contains {"msg": "unlabelled"} if not input.review.object.metadata.labels[input.parameters.label]

deny contains {"msg": "no secret of its name"} if {
	not input.review.object.metadata.labels.app in input.facts.secretNames
}

deny contains {"msg": "frozen"} if input.namespace.metadata.labels.frozen == "yes"

deny contains {"msg": "listed"} if {
	some entry in data.inventory.namespace[_]["v1"].ConfigMap[_].data
	entry == input.review.object.metadata.labels.app
}
"#;

/// Asked twice, with other parameters, about the object and about what else runs.
const TEMPLATE: &str = r#"package listed

violation[{"msg": msg}] {
	label := input.parameters.label
	value := input.review.object.metadata.labels[label]
	other := data.inventory.namespace[_]["v1"].ConfigMap[name].data[_]
	other == value
	msg := sprintf("%v: %v is taken by %v", [input.review.object.metadata.name, value, name])
}

violation[{"msg": "wrong namespace"}] {
	input.review.namespaceObject.metadata.labels.frozen == input.parameters.frozen
}
"#;

fn gatekeeper() -> Vec<Json> {
    let constraint = |name: &str, parameters: Json| {
        json!({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Listed", "metadata": {"name": name},
            "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}, "parameters": parameters}})
    };
    vec![
        json!({"apiVersion": "config.gatekeeper.sh/v1alpha1", "kind": "Config",
            "metadata": {"name": "config", "namespace": "gatekeeper-system"},
            "spec": {"sync": {"syncOnly": [{"group": "", "version": "v1", "kind": "ConfigMap"}]}}}),
        json!({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate",
            "metadata": {"name": "listed"},
            "spec": {"crd": {"spec": {"names": {"kind": "Listed"}, "validation": {"openAPIV3Schema":
                    {"type": "object", "properties": {"label": {"type": "string"}, "frozen": {"type": "string"}}}}}},
                "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": TEMPLATE}]}}),
        constraint("by-app", json!({"label": "app", "frozen": "never"})),
        constraint("by-team", json!({"label": "team", "frozen": "yes"})),
    ]
}

fn set() -> PolicySet {
    let library = Library::embedded();
    let mut builder = PolicySetBuilder::new(library.clone(), SetConfig::default());
    for label in ["app", "team"] {
        let spec = json!({
            "source": {"rego": REGO},
            "match": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["*"], "resources": ["pods"],
                "operations": ["CREATE"]}]},
            "parameters": {"label": label},
            "action": "Deny",
        });
        builder.policy(label, serde_json::from_value(spec).unwrap(), "test", None);
    }
    for (name, spec) in library.bundle("pod-security-restricted").unwrap().unwrap() {
        builder.policy(&name, spec, "test", None);
    }
    for object in gatekeeper() {
        builder.gatekeeper(Given { object, from: "test".into(), place: None });
    }
    let set = builder.build();
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    set
}

/// What surrounds one request.
struct Surroundings {
    namespace: Arc<Document>,
    inventory: Arc<Document>,
    secrets: Arc<Document>,
}

fn decided(set: &PolicySet, object: &Json, around: &Surroundings) -> Decision {
    let bump = Bump::new();
    let request = Request::for_object(
        &&bump,
        ObjectRequest {
            origin: Origin::Check,
            object: from_serde(&&bump, object),
            old_object: None,
            operation: Operation::Create,
            resource: "",
            sub_resource: "",
            default_namespace: "team-a",
            user_info: None,
        },
    )
    .unwrap();
    let context =
        Context { stage: Stage::Whole, now: jiff::Timestamp::UNIX_EPOCH, time_limit: Duration::from_mins(1) };
    let mut facts = Facts::new();
    for _ in 0..4 {
        let given = bump.alloc(facts.clone());
        match decide(&bump, &request, set, given, &context) {
            Outcome::Decided(decision) => return *decision,
            Outcome::NeedsFacts(keys) => {
                for key in keys {
                    let fact = match key {
                        FactKey::Namespace(_) => Fact::Known(Arc::clone(&around.namespace)),
                        FactKey::Inventory { .. } => Fact::Known(Arc::clone(&around.inventory)),
                        FactKey::Named { .. } => Fact::Known(Arc::clone(&around.secrets)),
                        _ => Fact::Absent,
                    };
                    facts.insert(key, fact);
                }
            }
        }
    }
    panic!("the engine never had enough facts");
}

/// A small generator: which of several, never the same twice in a row by design of its user.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % count
    }
}

fn document(json: &Json) -> Arc<Document> {
    Arc::new(Document::from_serde(json))
}

#[test]
fn decisions_with_and_without_the_memo_are_equal() {
    let (with, without) = (set(), set());
    let namespaces = ["yes", "no"].map(|frozen| {
        document(&json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "team-a", "labels": {"frozen": frozen}}}))
    });
    let inventories = [
        json!({}),
        json!({"x": {"settings": {"data": {"k": "shop"}}}}),
        json!({"x": {"settings": {"data": {"k": "till"}}}}),
    ]
    .map(|maps| document(&maps));
    let secrets = [json!(["shop"]), json!(["shop", "till"])].map(|names| document(&names));
    let mut dice = Dice(7);
    let mut admitted = 0;
    for round in 0..1_500 {
        let privileged = [json!(null), json!(false), json!(true)][dice.below(3)].clone();
        let labels = [
            json!({"app": "shop", "team": "a"}),
            json!({"app": "till", "team": "b"}),
            json!({"app": "shop"}),
            // As many, under other names.
            json!({"app": "shop", "owner": "a"}),
        ][dice.below(4)]
        .clone();
        let image = ["registry/app:1", "registry/app:2", "registry/app:latest"][dice.below(3)];
        let mut context = json!({"allowPrivilegeEscalation": false, "runAsNonRoot": true,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}});
        if !privileged.is_null() {
            context["privileged"] = privileged;
        }
        let object = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("pod-{round}"), "uid": format!("uid-{round}"), "labels": labels},
            "spec": {"containers": [{"name": "app", "image": image, "securityContext": context}]}});
        let around = Surroundings {
            namespace: Arc::clone(&namespaces[dice.below(2)]),
            inventory: Arc::clone(&inventories[dice.below(3)]),
            secrets: Arc::clone(&secrets[dice.below(2)]),
        };
        without.forget();
        let expected = decided(&without, &object, &around);
        let found = decided(&with, &object, &around);
        let shown = |decision: &Decision| {
            format!("{:?} {:?} {:?}", decision.verdict, decision.findings, decision.patch)
        };
        assert_eq!(shown(&found), shown(&expected), "round {round}: {object}");
        admitted += usize::from(found.verdict.admits());
    }
    let counts = with.memo_counts();
    assert!(counts.hits > 4 * counts.misses, "names and uids are read by nobody: {counts:?}");
    assert!(admitted > 20, "some pods must be admitted: {admitted}");
}

/// A controller tries again what was refused, under another name.
#[test]
fn findings_are_remembered_with_their_words() {
    let set = set();
    let around = Surroundings {
        namespace: document(
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}}),
        ),
        inventory: document(&json!({})),
        secrets: document(&json!(["shop"])),
    };
    let pod = |name: &str, container: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "shop", "team": "a"}},
            "spec": {"containers": [{"name": container, "image": "registry/app:1"}]}})
    };
    let mut before = set.memo_counts();
    let mut asked = |name: &str, container: &str| {
        let decision = decided(&set, &pod(name, container), &around);
        assert!(!decision.verdict.admits());
        let expected = format!("container \"{container}\"");
        assert!(decision.findings.iter().any(|it| it.message.contains(&expected)), "{:?}", decision.findings);
        let counts = set.memo_counts();
        let more = counts.misses - before.misses;
        before = counts;
        more
    };
    let first = asked("a", "web");
    let waiting = asked("a", "web");
    assert!(waiting < first, "{waiting} of {first}");
    assert_eq!(asked("b", "web"), waiting, "no policy's words name the Pod");
    assert!(asked("b", "api") > waiting, "the words name the container");
}

#[test]
fn another_label_concerns_those_that_read_its_value() {
    let set = set();
    let around = Surroundings {
        namespace: document(
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}}),
        ),
        inventory: document(&json!({})),
        secrets: document(&json!(["shop"])),
    };
    let mut before = set.memo_counts();
    let mut asked = |note: &str| {
        let object = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "pod", "labels": {"app": "shop", "team": "a", "note": note}},
            "spec": {"containers": [{"name": "app", "image": "registry/app:1", "securityContext":
                {"allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]},
                    "seccompProfile": {"type": "RuntimeDefault"}}}]}});
        decided(&set, &object, &around);
        let counts = set.memo_counts();
        let more = (counts.hits - before.hits, counts.misses - before.misses);
        before = counts;
        more
    };
    let (_, misses) = asked("1");
    assert!(misses > 10, "nothing is known yet: {misses}");
    // Two wait for facts in a first round, which is no answer to remember.
    let (hits, waiting) = asked("1");
    assert!(hits > 10 && waiting == 2, "everything is known: {hits}, {waiting}");
    let (hits, misses) = asked("2");
    assert!(hits > 10, "{hits}");
    assert_eq!(
        misses - waiting,
        2,
        "the constraints, which compare a label's value, are run again, and only these"
    );
}
