//! Laws of the engine: mutating twice equals mutating once, the order of policies does not matter, and nothing that
//! can be parsed makes it panic.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

use bumpalo::Bump;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use wayguard_engine::facts::Fact;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::request::{ObjectRequest, Operation};
use wayguard_engine::value::{Document, from_serde};
use wayguard_engine::*;

fn set(reversed: bool) -> PolicySet {
    let library = Library::embedded();
    let mut builder = PolicySetBuilder::new(library.clone(), SetConfig::default());
    let mut policies = library.bundle("golden-path").expect("there is one").expect("it is readable");
    policies
        .extend(library.bundle("pod-security-restricted").expect("there is one").expect("it is readable"));
    for (index, (name, spec)) in policies.iter().enumerate() {
        // Names order a set: reversed names are the reversed order.
        let position = if reversed { policies.len() - index } else { index };
        builder.policy(&format!("{position:03}-{name}"), spec.clone(), "test", None);
    }
    builder.build()
}

static SET: LazyLock<PolicySet> = LazyLock::new(|| set(false));
static REVERSED: LazyLock<PolicySet> = LazyLock::new(|| set(true));

fn decide_object(set: &PolicySet, object: &Json, stage: Stage) -> Option<Decision> {
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
    .ok()?;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a",
        "labels": {"team": "a", "environment": "development", "managed-by": "idp"}}});
    let namespace = Arc::new(Document::from_serde(&namespace));
    let context = Context { stage, now: jiff::Timestamp::UNIX_EPOCH, time_limit: Duration::from_mins(1) };
    let mut facts = Facts::new();
    for _ in 0..4 {
        let given = bump.alloc(facts.clone());
        match decide(&bump, &request, set, given, &context) {
            Outcome::Decided(decision) => return Some(*decision),
            Outcome::NeedsFacts(keys) => {
                for key in keys {
                    let fact = match key {
                        FactKey::Namespace(_) => Fact::Known(Arc::clone(&namespace)),
                        _ => Fact::Absent,
                    };
                    facts.insert(key, fact);
                }
            }
        }
    }
    panic!("the engine never had enough facts");
}

/// The object after the decision's patch.
fn patched(object: &Json, decision: &Decision) -> Json {
    let bump = Bump::new();
    let arena = &&bump;
    let mut value = from_serde(arena, object);
    for operation in &decision.patch {
        let pointer = value::Pointer::parse(operation.path()).unwrap();
        value = match operation {
            value::PatchOperation::Add { value: new, .. }
            | value::PatchOperation::Replace { value: new, .. } => {
                value::set(arena, value, &pointer, from_serde(arena, new)).unwrap()
            }
            value::PatchOperation::Remove { .. } => value::remove(arena, value, &pointer),
        };
    }
    value.to_serde()
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Into::into),
        (-2_i64..70_000).prop_map(Into::into),
        prop_oneof![
            Just("256Mi"),
            Just("nginx:latest"),
            Just("r/a:1"),
            Just("ALL"),
            Just(""),
            Just("Always")
        ]
        .prop_map(Into::into),
    ];
    let names = prop_oneof![
        Just("name"),
        Just("image"),
        Just("securityContext"),
        Just("privileged"),
        Just("resources"),
        Just("requests"),
        Just("limits"),
        Just("memory"),
        Just("env"),
        Just("value"),
        Just("volumes"),
        Just("capabilities"),
        Just("drop"),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::btree_map(names.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

/// Objects of the kinds that policies look at, with anything in the places that they read.
fn any_object() -> impl Strategy<Value = Json> {
    let container = (any_json(), any_json()).prop_map(|(context, resources)| {
        json!({"name": "app", "image": "registry.example/app:1.2", "securityContext": context, "resources": resources})
    });
    let spec =
        (prop::collection::vec(prop_oneof![3 => container, 1 => any_json()], 0..3), any_json(), any_json());
    let spec = spec.prop_map(|(containers, context, volumes)| {
        json!({"containers": containers, "securityContext": context, "volumes": volumes})
    });
    (spec, any_json(), prop::sample::select(vec!["Pod", "Deployment", "CronJob", "Service", "ConfigMap"])).prop_map(
        |(spec, labels, kind)| match kind {
            "Deployment" => json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "x", "labels": labels},
                "spec": {"template": {"spec": spec}}}),
            "CronJob" => json!({"apiVersion": "batch/v1", "kind": kind, "metadata": {"name": "x", "labels": labels},
                "spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}}),
            _ => json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "x", "labels": labels}, "spec": spec,
                "data": labels}),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn mutating_twice_is_mutating_once(object in any_object()) {
        let Some(first) = decide_object(&SET, &object, Stage::Mutate) else { return Ok(()) };
        let once = patched(&object, &first);
        let second = decide_object(&SET, &once, Stage::Mutate).unwrap();
        prop_assert_eq!(&second.patch, &Vec::new(), "once: {}", once);
        prop_assert_eq!(first.verdict, second.verdict);
    }

    #[test]
    fn the_order_of_policies_does_not_matter(object in any_object()) {
        let (Some(one), Some(other)) = (decide_object(&SET, &object, Stage::Whole), decide_object(&REVERSED, &object, Stage::Whole)) else {
            return Ok(());
        };
        prop_assert_eq!(one.verdict, other.verdict);
        prop_assert_eq!(&one.patch, &other.patch);
        let places = |decision: &Decision| {
            let mut places: Vec<_> = decision.findings.iter().map(|it| (it.policy.clone(), it.rule.clone(), it.path.clone())).collect();
            places.sort();
            places
        };
        prop_assert_eq!(places(&one), places(&other));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), json in any_json()) {
        let bump = Bump::new();
        let _ = Request::from_review(&&bump, bump.alloc_slice_copy(&bytes));
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": json}).to_string();
        let _ = Request::from_review(&&bump, bump.alloc_slice_copy(review.as_bytes()));
        let _ = reply::envelope_head(&bytes);
    }
}
