//! What an audit asks of the engine: some policies of a set, objects as they are, stamps of what findings hang on, and
//! exceptions of live owners.

use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::request::{ObjectRequest, Operation, Origin};
use wayguard_engine::value::Document;
use wayguard_engine::{Context, Decision, Facts, PolicySet, PolicySetBuilder, Stage, decide_at_once};

fn rego(package: &str, rules: &str) -> String {
    format!(
        "# METADATA\n# custom:\n#   remedy: Mend it.\n#   match: {{resourceRules: [{{apiGroups: [''], resources: [pods], operations: [CREATE]}}]}}\npackage {package}\n\n{rules}\n"
    )
}

const UNMARKED: &str =
    "deny contains {\"path\": \"/metadata/labels/mark\"} if not input.review.object.metadata.labels.mark";
const MARKS: &str = "defaults contains {\"path\": \"/metadata/labels/mark\", \"value\": \"yes\"}";

fn set(policies: &[(&str, &str)], exceptions: &[Json]) -> PolicySet {
    let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
    for (name, rules) in policies {
        let spec = json!({"source": {"rego": rego(name, rules)}});
        builder.policy(name, serde_json::from_value(spec).unwrap(), "test", None);
    }
    for exception in exceptions {
        builder.exception("e", serde_json::from_value(exception.clone()).unwrap(), "test");
    }
    let set = builder.build();
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    set
}

/// The answers of a cluster with one ReplicaSet, `web` of uid `r`.
fn answer(keys: Vec<FactKey>, facts: &mut Facts) {
    for key in keys {
        let fact = match &key {
            FactKey::Namespace(name) => known(json!({"metadata": {"name": name}})),
            FactKey::Owner { uid, .. } if uid == "r" => known(
                json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web", "namespace": "shop", "uid": "r"}}),
            ),
            _ => Fact::Absent,
        };
        facts.insert(key, fact);
    }
}

fn known(object: Json) -> Fact {
    Fact::Known(Arc::new(Document::from_serde(&object)))
}

fn judge(set: &PolicySet, origin: Origin, stage: Stage, owner: &str, only: Option<&str>) -> Decision {
    let pod = Document::from_serde(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": "web-1", "namespace": "shop",
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": owner, "controller": true}],
    }}));
    let request = ObjectRequest {
        origin,
        object: pod.value(),
        old_object: None,
        operation: Operation::Create,
        resource: "pods",
        sub_resource: "",
        default_namespace: "",
        user_info: None,
    };
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let context = Context { stage, now, time_limit: Duration::from_secs(5) };
    let among = |name: &str| only.is_none_or(|only| only == name);
    let chosen = only.is_some().then_some(&among as &dyn Fn(&str) -> bool);
    decide_at_once(request, set, &context, chosen, &answer).unwrap()
}

fn found(decision: &Decision) -> Vec<&str> {
    decision.findings.iter().map(|finding| finding.policy.as_str()).collect()
}

#[test]
fn some_policies_find_what_they_find_among_all() {
    let set = set(&[("one", UNMARKED), ("other", "warn contains \"w\"")], &[]);
    let judge = |only| judge(&set, Origin::Audit, Stage::Validate, "r", only);
    let whole = judge(None);
    assert_eq!(found(&whole), ["one", "other"]);
    for (number, name) in ["one", "other"].into_iter().enumerate() {
        let part = judge(Some(name));
        assert_eq!(part.findings, whole.findings[number..=number]);
        assert_eq!(part.policies.iter().map(|id| &**id).collect::<Vec<_>>(), [name]);
    }
    assert_eq!(judge(Some("nobody")).findings, []);
}

#[test]
fn what_runs_is_not_mutated_before_it_is_judged() {
    let set = set(&[("marks", MARKS), ("one", UNMARKED)], &[]);
    let found_at = |stage| found(&judge(&set, Origin::Audit, stage, "r", None)).len();
    assert_eq!((found_at(Stage::Validate), found_at(Stage::Whole)), (1, 0));
}

#[test]
fn a_stamp_changes_with_what_its_policy_is_and_only_with_that() {
    let stamps = |set: &PolicySet| -> Vec<u128> { set.policies().map(|it| it.fingerprint()).collect() };
    let before = set(&[("one", UNMARKED), ("other", "warn contains \"w\"")], &[]);
    let edited = set(&[("one", UNMARKED), ("other", "warn contains \"x\"")], &[]);
    assert_eq!(stamps(&before)[0], stamps(&edited)[0]);
    assert_ne!(stamps(&before)[1], stamps(&edited)[1]);
    assert_eq!(before.ground(), edited.ground());
    let mutating = set(&[("marks", MARKS), ("one", UNMARKED), ("other", "warn contains \"w\"")], &[]);
    assert_ne!(before.ground(), mutating.ground(), "what mutates decides what others see");
}

#[test]
fn in_an_audit_a_pod_inherits_the_exception_of_its_live_owner() {
    let exception = json!({"policies": ["one"], "objects": [{"kind": "ReplicaSet", "name": "web"}], "reason": "r", "owner": "o", "expiresAt": "2030-01-01T00:00:00Z"});
    let set = set(&[("one", UNMARKED)], &[exception]);
    let exception_of = |origin, owner| {
        judge(&set, origin, Stage::Validate, owner, None).findings.first().and_then(|it| it.exception.clone())
    };
    assert_eq!(exception_of(Origin::Audit, "r"), Some("e".to_owned()));
    assert_eq!(exception_of(Origin::Audit, "forged"), None, "an object of another uid is another object");
    assert_eq!(exception_of(Origin::Check, "r"), None, "who asks is no controller");
}
