//! Questions to RBAC that a policy asks: about whoever makes the request, and about nobody else.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

mod asking;

use asking::WHOLE;
use bumpalo::Bump;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use wayguard_engine::facts::{AccessQuestion, Fact, FactKey};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::policy::spec::PolicySpec;
use wayguard_engine::value::Document;
use wayguard_engine::*;

const REGO: &str = r#"# METADATA
# title: Production
# description: Is for whom it is for.
# custom:
#   severity: high
#   category: demo
#   remedy: Ask.
#   facts: [access]
package demo.production

access contains {"verb": "use", "group": "wayguard.io", "resource": "environments", "name": env} if {
	env := input.review.object.metadata.labels.environment
}

deny contains {"msg": sprintf("%s may not", [answer.name]), "path": "/metadata"} if {
	some answer in input.facts.access
	answer.allowed == false
}
"#;

fn set(rego: &str) -> PolicySet {
    let spec: PolicySpec = serde_json::from_value(json!({
        "source": {"rego": rego},
        "match": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["*"], "resources": ["namespaces"], "operations": ["*"]}]},
    }))
    .unwrap();
    let mut builder = PolicySetBuilder::new(Library::embedded(), SetConfig::default());
    builder.policy("production", spec, "test", None);
    let set = builder.build();
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    set
}

fn review(labels: Json) -> Json {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "operation": "CREATE", "name": "a", "namespace": "a",
        "kind": {"group": "", "version": "v1", "kind": "Namespace"},
        "resource": {"group": "", "version": "v1", "resource": "namespaces"},
        "userInfo": {"username": "jane", "uid": "7", "groups": ["dev"], "extra": {"scopes": ["few"]}},
        "object": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "labels": labels}},
    }})
}

/// What is decided, and what was asked.
fn judged(set: &PolicySet, labels: Json, answer: &dyn Fn() -> Fact) -> (Decision, Vec<AccessQuestion>) {
    let bump = Bump::new();
    let bytes = bump.alloc_slice_copy(review(labels).to_string().as_bytes());
    let request = Request::from_review(&&bump, bytes).unwrap();
    let (mut facts, mut asked) = (Facts::new(), Vec::new());
    for _ in 0..4 {
        match decide(&bump, &request, set, bump.alloc(facts.clone()), &WHOLE) {
            Outcome::Decided(decision) => return (*decision, asked),
            Outcome::NeedsFacts(keys) => {
                for key in keys {
                    let FactKey::Access(question) = &key else { panic!("{key:?}") };
                    asked.push((**question).clone());
                    facts.insert(key, answer());
                }
            }
        }
    }
    panic!("it never ends")
}

fn known(allowed: bool) -> Fact {
    Fact::Known(Arc::new(Document::from_serde(&json!({"allowed": allowed}))))
}

#[test]
fn the_question_is_about_whoever_makes_the_request() {
    let (decision, asked) = judged(&set(REGO), json!({"environment": "production"}), &|| known(false));
    assert_eq!(decision.verdict, Verdict::Deny);
    assert!(decision.message.contains("production may not"), "{}", decision.message);
    let expected = AccessQuestion {
        user: "jane".into(),
        uid: "7".into(),
        groups: vec!["dev".into()],
        extra: [("scopes".to_owned(), vec!["few".to_owned()])].into(),
        verb: "use".into(),
        group: "wayguard.io".into(),
        resource: "environments".into(),
        name: "production".into(),
        namespace: String::new(),
    };
    assert_eq!(asked, [expected]);
}

#[test]
fn rights_are_asked_for_anew_each_time() {
    let set = set(REGO);
    for allowed in [true, false, true] {
        let (decision, asked) = judged(&set, json!({"environment": "x"}), &|| known(allowed));
        assert_eq!((decision.verdict == Verdict::Allow, asked.len()), (allowed, 1));
    }
}

#[test]
fn nothing_is_asked_without_a_question() {
    let (decision, asked) = judged(&set(REGO), json!({}), &|| known(false));
    assert_eq!((decision.verdict, asked.len()), (Verdict::Allow, 0));
}

#[test]
fn without_an_answer_the_policy_fails_closed() {
    for fact in [Fact::Unavailable("no answer in time".into()), Fact::Absent] {
        let (decision, _) = judged(&set(REGO), json!({"environment": "x"}), &|| fact.clone());
        assert_ne!(decision.verdict, Verdict::Allow, "{decision:?}");
    }
    let far = Fact::OutOfReach("there is no cluster".into());
    let (decision, _) = judged(&set(REGO), json!({"environment": "x"}), &|| far.clone());
    assert_eq!(decision.verdict, Verdict::Allow);
    assert!(
        decision.skipped.iter().any(|it| format!("{it:?}").contains("there is no cluster")),
        "{decision:?}"
    );
}

#[test]
fn a_question_that_is_none_is_the_policys_fault() {
    for (question, words) in [
        (r#""text""#, "it is no object"),
        (r#"{"verb": "use"}"#, "`verb` or `resource` is missing"),
        (r#"{"verb": "use", "resource": "r", "user": "root"}"#, "`user` is unknown or no text"),
        (r#"{"verb": "use", "resource": 1}"#, "`resource` is unknown or no text"),
    ] {
        let start = REGO.find("access contains").unwrap();
        let end = REGO.find("deny contains").unwrap();
        let rego = format!("{}access contains {question}\n\n{}", &REGO[..start], &REGO[end..]);
        let (decision, _) = judged(&set(&rego), json!({}), &|| known(true));
        assert!(decision.message.contains(words), "{}", decision.message);
    }
    let start = REGO.find("access contains").unwrap();
    let end = REGO.find("deny contains").unwrap();
    let many = r#"access contains {"verb": "use", "resource": "r", "name": sprintf("%d", [n])} if some n in numbers.range(1, 17)"#;
    let rego = format!("{}{many}\n\n{}", &REGO[..start], &REGO[end..]);
    let (decision, _) = judged(&set(&rego), json!({}), &|| known(true));
    assert!(decision.message.contains("`access` asks 17 questions; at most 16"), "{}", decision.message);
}
