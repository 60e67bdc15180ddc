//! Templates that ask providers: what is asked, in how many rounds, and that nothing is concluded before it is answered.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

mod asking;

use asking::{WHOLE, creation};
use bumpalo::Bump;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::gatekeeper::Given;
use wayguard_engine::gatekeeper::external::{Answer, Item};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::value::Document;
use wayguard_engine::*;

/// What a provider says of a key.
type Say = fn(&str, &str) -> Result<Json, &'static str>;

fn set_of(rego: &str) -> PolicySet {
    let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
    let template = json!({
        "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate",
        "metadata": {"name": "asks"},
        "spec": {
            "crd": {"spec": {"names": {"kind": "Asks"}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": format!("package asks\n{rego}")}],
        },
    });
    let constraint = json!({
        "apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Asks", "metadata": {"name": "it"},
        "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}},
    });
    for object in [template, constraint] {
        builder.gatekeeper(Given { object, from: "test".into(), place: None });
    }
    builder.build()
}

fn loaded(rego: &str) -> PolicySet {
    let set = set_of(rego);
    assert_eq!(
        set.failures().iter().flat_map(|it| &it.errors).collect::<Vec<_>>(),
        Vec::<&rego::LoadError>::new()
    );
    set
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: good}, {name: b, image: bad}, {name: c, image: good}]}\n";

/// The messages found, and what was asked in each round.
fn judged(set: &PolicySet, say: impl Fn(&str, &[String]) -> Fact) -> (Vec<String>, Vec<String>) {
    let (decision, rounds) = decided(set, say);
    (decision.findings.into_iter().map(|finding| finding.message).collect(), rounds)
}

fn decided(set: &PolicySet, say: impl Fn(&str, &[String]) -> Fact) -> (Decision, Vec<String>) {
    let bump = Bump::new();
    let request = creation(&bump, POD, "default");
    let mut facts = Facts::new();
    let mut rounds = Vec::new();
    for _ in 0..8 {
        match decide(&bump, &request, set, bump.alloc(facts.clone()), &WHOLE) {
            Outcome::Decided(decision) => return (*decision, rounds),
            Outcome::NeedsFacts(keys) => {
                let mut asked = Vec::new();
                for key in keys {
                    let fact = match &key {
                        FactKey::External { provider, keys } => {
                            asked.push(format!("{provider}: {}", keys.join(" ")));
                            say(provider, keys)
                        }
                        _ => Fact::OutOfReach("not known here".into()),
                    };
                    facts.insert(key, fact);
                }
                if !asked.is_empty() {
                    rounds.push(asked.join("; "));
                }
            }
        }
    }
    panic!("the engine never had enough facts; it asked {rounds:?}");
}

/// A provider that has an answer to each key.
fn saying(say: Say) -> impl Fn(&str, &[String]) -> Fact {
    move |provider, keys| {
        let item = |key: &String| match say(provider, key) {
            Ok(value) => Item { key: key.clone(), value, error: String::new() },
            Err(error) => Item { key: key.clone(), value: Json::Null, error: error.to_owned() },
        };
        let items = Some(keys.iter().map(item).collect());
        let answer = Answer { items, idempotent: true, system_error: String::new(), status: 200 };
        Fact::Known(Arc::new(answer.document()))
    }
}

/// `good` is signed, `bad` is not; each key is owned by a team.
fn registry() -> impl Fn(&str, &[String]) -> Fact {
    saying(|provider, key| match (provider, key) {
        ("signed", "good") => Ok(json!("yes")),
        ("signed", _) => Err("no signature"),
        _ => Ok(json!(format!("team of {key}"))),
    })
}

#[test]
fn all_keys_of_a_call_are_asked_at_once() {
    let set = loaded(
        r#"violation[{"msg": msg}] {
  images := [image | image := input.review.object.spec.containers[_].image]
  response := external_data({"provider": "signed", "keys": images})
  [key, error] := response.errors[_]
  msg := sprintf("%v: %v (%v, <%v>)", [key, error, response.status_code, response.system_error])
}"#,
    );
    let (messages, rounds) = judged(&set, registry());
    assert_eq!(messages, ["bad: no signature (200, <>)"]);
    assert_eq!(rounds, ["signed: good bad good"]);
}

#[test]
fn calls_in_a_loop_are_asked_in_one_round() {
    let set = loaded(
        r#"violation[{"msg": msg}] {
  image := input.review.object.spec.containers[_].image
  response := external_data({"provider": "signed", "keys": [image]})
  count(response.errors) > 0
  msg := image
}"#,
    );
    let (messages, rounds) = judged(&set, registry());
    assert_eq!(messages, ["bad"]);
    assert_eq!(rounds, ["signed: bad; signed: good"]);
}

#[test]
fn what_hangs_on_an_answer_is_asked_after_it() {
    let set = loaded(
        r#"violation[{"msg": msg}] {
  image := input.review.object.spec.containers[_].image
  signed := external_data({"provider": "signed", "keys": [image]})
  signed.errors[_][0] == image
  owner := external_data({"provider": "owner", "keys": [signed.errors[_][1]]})
  msg := owner.responses[_][1]
}"#,
    );
    let (messages, rounds) = judged(&set, registry());
    assert_eq!(messages, ["team of no signature"]);
    assert_eq!(rounds, ["signed: bad; signed: good", "owner: no signature"]);
}

/// Whatever counts on something being absent waits until it is known: the second provider would be asked for the wrong
/// thing otherwise.
#[test]
fn absence_is_no_answer() {
    let asks = |condition: &str, more: &str| {
        let rego = format!(
            r#"
signed(image) {{
  response := external_data({{"provider": "signed", "keys": [image]}})
  count(response.responses) == 1
}}
unsigned[image] {{
  image := input.review.object.spec.containers[_].image
  response := external_data({{"provider": "signed", "keys": [image]}})
  count(response.errors) == 1
}}
{more}
violation[{{"msg": msg}}] {{
  {condition}
  response := external_data({{"provider": "owner", "keys": [key]}})
  msg := response.responses[_][1]
}}"#
        );
        judged(&loaded(&rego), registry())
    };
    let both = "signed: bad; signed: good";
    let wrong = [
        ("image := input.review.object.spec.containers[_].image; not signed(image); key := image", ""),
        ("count(unsigned) == 0; key := \"nobody\"", ""),
        ("not unsigned.bad; key := \"nobody\"", ""),
        ("key := verdict", "default verdict = \"default\"\nverdict = \"bad\" { unsigned.bad }"),
        ("key := verdict(1)", "verdict(x) = \"bad\" { unsigned.bad } else = \"else\" { true }"),
        ("key := verdict", "verdict = \"bad\" { unsigned.bad } else = \"else\" { true }"),
        ("all := {image | image := unsigned[_]}; key := concat(\" \", all)", ""),
        (
            "all := data.asks.collected; not all.none; key := concat(\" \", all)",
            "collected[image] { unsigned[image] }",
        ),
    ];
    for (condition, more) in wrong {
        let (messages, rounds) = asks(condition, more);
        // With the answers there is something unsigned, and nobody is asked for "nobody".
        let asked_on = !condition.contains("nobody");
        let expected: &[&str] = if asked_on { &["team of bad"] } else { &[] };
        assert_eq!(messages, expected, "{condition}");
        let mut wanted = vec![both];
        wanted.extend(asked_on.then_some("owner: bad"));
        assert_eq!(rounds, wanted, "{condition}");
    }
}

#[test]
fn a_provider_that_fails_is_for_the_template_to_judge() {
    let set = loaded(
        r#"violation[{"msg": msg}] {
  response := external_data({"provider": "signed", "keys": ["good"]})
  response.system_error != ""
  msg := sprintf("%v %v %v %v", [response.status_code, response.system_error, response.responses, response.errors])
}
violation[{"msg": "counted"}] {
  response := external_data({"provider": "signed", "keys": ["good"]})
  count(response.errors) >= 0
}"#,
    );
    let (messages, _) = judged(&set, |_, _| Fact::Unavailable("it took too long".into()));
    // As in Gatekeeper, there is nothing to count then.
    assert_eq!(messages, ["500 it took too long null null"]);
    let (messages, _) = judged(&set, |_, _| Fact::Absent);
    assert_eq!(messages, ["400 there is no such provider null null"]);
}

#[test]
fn without_keys_nobody_is_asked_and_wrong_requests_are_undefined() {
    let set = loaded(
        r#"violation[{"msg": msg}] {
  msg := json.marshal(external_data({"provider": "nobody", "keys": []}))
}
violation[{"msg": "a set is no list"}] { external_data({"provider": "signed", "keys": {"good"}}) }
violation[{"msg": "a number is no key"}] { external_data({"provider": "signed", "keys": [1]}) }
violation[{"msg": "undefined"}] { not external_data("signed") }"#,
    );
    let (messages, rounds) = judged(&set, registry());
    assert_eq!(messages, ["undefined", r#"{"errors":[],"responses":[],"status_code":0,"system_error":""}"#]);
    assert!(rounds.is_empty(), "{rounds:?}");
}

#[test]
fn who_cannot_ask_skips_the_constraint_and_says_why() {
    let set = loaded(
        r#"violation[{"msg": "bad"}] { external_data({"provider": "signed", "keys": ["good"]}).errors[_] }"#,
    );
    let (decision, _) = decided(&set, |_, _| Fact::OutOfReach("nobody to ask".into()));
    assert_eq!(decision.verdict, Verdict::Allow);
    assert_eq!(
        (decision.skipped[0].policy.as_str(), decision.skipped[0].reason.as_str()),
        ("asks/it", "nobody to ask")
    );
}

#[test]
fn answers_are_not_remembered_with_the_object() {
    let set = loaded(
        r#"violation[{"msg": "bad"}] { external_data({"provider": "signed", "keys": ["good"]}).errors[_] }"#,
    );
    let revoked = || saying(|_, _| Err("revoked"));
    for _ in 0..2 {
        assert_eq!(judged(&set, registry()).0, Vec::<String>::new());
        assert_eq!(judged(&set, revoked()).0, ["bad"]);
    }
}

#[test]
fn a_mock_stands_for_a_provider() {
    let set = loaded(
        r#"mock(request) = {"errors": [[request.keys[0], "mocked"]]} { true }
violation[{"msg": msg}] {
  msg := asked[_] with external_data as mock
}
asked[error] { error := external_data({"provider": "signed", "keys": ["good"]}).errors[_][1] }"#,
    );
    let (messages, rounds) = judged(&set, registry());
    assert_eq!((messages, rounds), (vec!["mocked".to_owned()], Vec::new()));
}

#[test]
fn only_templates_ask() {
    let modules = |text: &str| vec![rego::Module { path: "p.rego".into(), text: text.into() }];
    for text in [
        "package p\n\nx := external_data({})",
        "package p\n\nx if y with count as external_data\ny if count([])",
    ] {
        let errors = rego::Program::compile(modules(text), rego::CompileOptions::default()).unwrap_err();
        let text = errors[0].to_string();
        assert!(
            text.contains("`external_data` is not available: only templates of Gatekeeper ask providers"),
            "{text}"
        );
    }
}

/// Gatekeeper's own example, if its module is at hand.
#[test]
fn gatekeepers_own_example() {
    let version = "gatekeeper/v3@v3.23.1/test/externaldata/dummy-provider/policy";
    let cache = std::env::var_os("GOMODCACHE")
        .map(std::path::PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join("go/pkg/mod")));
    let folder = cache.map(|cache| cache.join("github.com/open-policy-agent").join(version));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        println!("skipped: Gatekeeper's module is not in the module cache");
        return;
    };
    let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
    for name in ["template.yaml", "constraint.yaml"] {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let bump = Bump::new();
        let documents = wayguard_engine::value::parse_yaml(&&bump, &text).unwrap();
        builder.gatekeeper(Given { object: documents[0].value.to_serde(), from: name.into(), place: None });
    }
    let set = builder.build();
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    let bump = Bump::new();
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: a, image: error_nginx}]}}}\n";
    let request = creation(&bump, deployment, "default");
    let mut facts = Facts::new();
    facts.insert(
        FactKey::Namespace("default".into()),
        Fact::Known(Arc::new(Document::from_serde(&json!({})))),
    );
    let key = FactKey::External { provider: "dummy-provider".into(), keys: vec!["error_nginx".into()] };
    facts.insert(
        key,
        saying(|_, _| Err("error_nginx_invalid"))("dummy-provider", &["error_nginx".to_owned()]),
    );
    let Outcome::Decided(decision) = decide(&bump, &request, &set, bump.alloc(facts), &WHOLE) else {
        panic!("everything is known")
    };
    assert_eq!(
        decision.findings[0].message,
        r#"invalid response: {"errors": [["error_nginx", "error_nginx_invalid"]], "responses": [], "status_code": 200, "system_error": ""}"#
    );
}

/// A set with a mutator that asks for the digest of each image, and a constraint that asks for signatures.
fn pinning(failure_policy: &str) -> PolicySet {
    let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
    let external = json!({"provider": "digests", "failurePolicy": failure_policy});
    let assign = json!({
        "apiVersion": "mutations.gatekeeper.sh/v1", "kind": "Assign", "metadata": {"name": "pin"},
        "spec": {
            "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}],
            "location": "spec.containers[name: *].image",
            "parameters": {"assign": {"externalData": external}},
        },
    });
    let rego = "package asks\nviolation[{\"msg\": msg}] {\n  images := [image | image := input.review.object.spec.containers[_].image]\n  msg := external_data({\"provider\": \"signed\", \"keys\": images}).errors[_][0]\n}";
    let template = json!({
        "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "asks"},
        "spec": {"crd": {"spec": {"names": {"kind": "Asks"}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": rego}]},
    });
    let constraint = json!({
        "apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Asks", "metadata": {"name": "it"}, "spec": {},
    });
    for object in [assign, template, constraint] {
        builder.gatekeeper(Given { object, from: "test".into(), place: None });
    }
    builder.build()
}

#[test]
fn constraints_judge_what_mutation_made_with_the_answers() {
    let set = pinning("Fail");
    let say = saying(|provider, key| match provider {
        "digests" => Ok(json!(format!("{}@1", key.trim_end_matches("@1")))),
        _ if key.starts_with("good") => Ok(json!("yes")),
        _ => Err("no signature"),
    });
    let (decision, rounds) = decided(&set, &say);
    assert_eq!(decision.findings.iter().map(|it| it.message.as_str()).collect::<Vec<_>>(), ["bad@1"]);
    // Nobody is asked about images that will not be there.
    assert_eq!(rounds, ["digests: bad good", "signed: good@1 bad@1 good@1"]);
}

#[test]
fn a_mutation_without_its_answer_refuses_or_leaves_it() {
    let mutation = Context { stage: Stage::Mutate, ..WHOLE };
    for (policy, refused) in [("Fail", true), ("Ignore", false)] {
        let set = pinning(policy);
        let bump = Bump::new();
        let request = creation(&bump, POD, "default");
        let mut facts = Facts::new();
        facts.insert(FactKey::Namespace("default".into()), Fact::Absent);
        let key = FactKey::External { provider: "digests".into(), keys: vec!["bad".into(), "good".into()] };
        facts.insert(key, Fact::Unavailable("it is away".into()));
        let Outcome::Decided(decision) = decide(&bump, &request, &set, bump.alloc(facts), &mutation) else {
            panic!("everything is known")
        };
        assert!(decision.patch.is_empty());
        assert_eq!(decision.admits(Stage::Mutate), !refused);
        let reply: Json = serde_json::from_slice(&reply::reply("u", &decision, Stage::Mutate)).unwrap();
        assert_eq!(reply["response"]["allowed"], !refused);
        if refused {
            let message = reply["response"]["status"]["message"].as_str().unwrap();
            assert!(
                message.starts_with(
                    "denied by assign/pin: it could not be applied: provider `digests`: it is away. Fix: "
                ),
                "{message}"
            );
        }
    }
}
