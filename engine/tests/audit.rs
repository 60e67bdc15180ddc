//! What an audit asks of the engine: objects as they are, and stamps of what findings hang on.

#![allow(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::policy::compiled::CompiledPolicy;
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

const UNMARKED: &str = "deny contains {\"path\": \"/metadata/labels/mark\", \"expected\": \"set\"} if not input.review.object.metadata.labels.mark";
const MARKS: &str = "defaults contains {\"path\": \"/metadata/labels/mark\", \"value\": \"yes\"}";

fn set(policies: &[(&str, &str)]) -> PolicySet {
    let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
    for (name, rules) in policies {
        let spec = json!({"source": {"rego": rego(name, rules)}});
        builder.policy(name, serde_json::from_value(spec).unwrap(), "test", None);
    }
    let set = builder.build();
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    set
}

fn answer(keys: Vec<FactKey>, facts: &mut Facts) {
    for key in keys {
        let fact = match &key {
            FactKey::Namespace(name) => known(json!({"metadata": {"name": name}})),
            _ => Fact::Absent,
        };
        facts.insert(key, fact);
    }
}

fn known(object: Json) -> Fact {
    Fact::Known(Arc::new(Document::from_serde(&object)))
}

fn judge(set: &PolicySet, stage: Stage) -> Decision {
    let pod = Document::from_serde(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": "web-1", "namespace": "shop",
    }}));
    let request = ObjectRequest {
        origin: Origin::Audit,
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
    decide_at_once(request, set, &context, None, &answer).unwrap()
}

fn found(decision: &Decision) -> Vec<&str> {
    decision.findings.iter().map(|finding| finding.policy.as_str()).collect()
}

#[test]
fn what_runs_is_not_mutated_before_it_is_judged() {
    let set = set(&[("marks", MARKS), ("one", UNMARKED)]);
    let found_at = |stage| found(&judge(&set, stage)).len();
    assert_eq!((found_at(Stage::Validate), found_at(Stage::Whole)), (1, 0));
}

#[test]
fn a_stamp_changes_with_what_its_policy_is_and_only_with_that() {
    let stamps = |set: &PolicySet| -> Vec<u128> { set.policies().map(CompiledPolicy::fingerprint).collect() };
    let before = set(&[("one", UNMARKED), ("other", "warn contains \"w\"")]);
    let edited = set(&[("one", UNMARKED), ("other", "warn contains \"x\"")]);
    assert_eq!(stamps(&before)[0], stamps(&edited)[0]);
    assert_ne!(stamps(&before)[1], stamps(&edited)[1]);
    assert_eq!(before.ground(), edited.ground());
    let mutating = set(&[("marks", MARKS), ("one", UNMARKED), ("other", "warn contains \"w\"")]);
    assert_ne!(before.ground(), mutating.ground(), "what mutates decides what others see");
}
