//! Statuses as functions of what was loaded, told and registered.

use super::*;
use crate::bundles::Stored;
use crate::facts::Forbidden;
use crate::policies::LoadReport;
use kube::api::DynamicObject;
use std::sync::Arc;
use wayguard_engine::PolicySetBuilder;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_images::digest::Digest;

const REGO: &str = "# METADATA\n# title: Names\n# scope: package\n# description: Refuses a name.\n# custom:\n#   severity: low\n#   category: tests\n#   remedy: Choose another name.\n#   facts: [secretNames]\npackage tests.names\n\ndeny contains {\"msg\": \"bad name\"} if input.review.object.metadata.name == \"bad\"\n";

fn object<S: serde::de::DeserializeOwned>(
    name: &str,
    generation: i64,
    spec: &serde_json::Value,
) -> Object<S> {
    let object: DynamicObject = serde_json::from_value(json!({
        "metadata": {"name": name, "generation": generation, "uid": "u"}, "spec": spec,
    }))
    .unwrap();
    Object::read(object)
}

fn policy(generation: i64) -> Object<PolicySpec> {
    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "operations": ["CREATE"]}]);
    object("names", generation, &json!({"source": {"rego": REGO}, "match": {"resourceRules": rules}}))
}

fn loaded(generation: i64, errors: &[&str]) -> Loaded {
    let mut builder = PolicySetBuilder::new(Library::embedded(), SetConfig::default());
    builder.policy("names", policy(generation).spec.unwrap(), "cluster", None);
    for (name, expires) in [("now", "2027-01-01T00:00:00Z"), ("past", "2026-01-01T00:00:00Z")] {
        let spec = json!({"policies": ["names"], "reason": "r", "owner": "o", "expiresAt": expires});
        builder.exception(name, serde_json::from_value(spec).unwrap(), "cluster");
    }
    let errors: Vec<String> = errors.iter().map(|text| (*text).to_owned()).collect();
    let item = |name: &str, generation, errors: Vec<String>| {
        (name.to_owned(), ItemReport { name: name.to_owned(), generation, loaded: errors.is_empty(), errors })
    };
    Loaded {
        set: Arc::new(builder.build()),
        policies: [item("names", generation, errors)].into(),
        exceptions: [
            item("now", 1, Vec::new()),
            item("past", 1, Vec::new()),
            item("bad", 1, vec!["expiresAt is `soon`".into()]),
        ]
        .into(),
        bundles: [item("acme", 1, Vec::new())].into(),
        library: Library::embedded(),
        bundled: Vec::new(),
    }
}

/// A replica that tells the truth about this set.
fn replica(number: u8, loaded: &Loaded) -> Replica {
    Replica {
        address: ([10, 0, 0, number], 8080).into(),
        report: Ok(LoadReport::new(loaded, Vec::new(), None)),
    }
}

struct Scene {
    loaded: Loaded,
    replicas: Vec<Replica>,
    registered: Groups,
    resources: Resources,
}

impl Scene {
    fn new(replicas: u8) -> Self {
        let (loaded, resources) = (loaded(2, &[]), crate::webhooks::samples::cluster());
        Self {
            replicas: (1..=replicas).map(|number| replica(number, &loaded)).collect(),
            registered: groups(&Registered::of(&loaded.set), &resources, false),
            loaded,
            resources,
        }
    }

    fn view(&self) -> View<'_> {
        View {
            loaded: &self.loaded,
            replicas: &self.replicas,
            registered: &self.registered,
            resources: &self.resources,
            observe: false,
            paused: None,
            now: "2026-11-22T15:04:05.5Z".parse().unwrap(),
        }
    }
}

/// `Type=Status Reason` of all conditions.
fn brief(conditions: &[Condition]) -> Vec<String> {
    conditions.iter().map(|it| format!("{}={:?} {}", it.kind, it.status, it.reason)).collect()
}

fn message<'c>(conditions: &'c [Condition], kind: &str) -> &'c str {
    &conditions.iter().find(|it| it.kind == kind).unwrap().message
}

#[test]
fn enforced_is_loaded_by_every_ready_replica_and_registered() {
    let scene = Scene::new(3);
    let status = scene.view().policy(&policy(2), &PolicyStatus::default());
    assert_eq!(brief(&status.conditions), ["Loaded=True Compiled", "Enforced=True Enforced"]);
    assert_eq!((status.loaded_by.as_deref(), status.observed_generation), (Some("3/3"), Some(2)));
    assert_eq!(status.set_digest.as_deref(), Some(scene.loaded.set.digest()));
    assert_eq!(status.conditions[0].last_transition_time, "2026-11-22T15:04:06Z");
    // Nothing new, nothing to write.
    let later = View { now: "2026-11-23T00:00:00Z".parse().unwrap(), ..scene.view() };
    assert_eq!(later.policy(&policy(2), &status), status);
}

#[test]
fn one_replica_that_lags_is_named() {
    let mut scene = Scene::new(3);
    scene.replicas[1].report = Err("connection refused".into());
    scene.replicas[2] = replica(3, &loaded(1, &[]));
    let status = scene.view().policy(&policy(2), &PolicyStatus::default());
    assert_eq!(brief(&status.conditions), ["Loaded=False Waiting", "Enforced=False NotLoaded"]);
    assert_eq!(status.loaded_by.as_deref(), Some("1/3"));
    assert_eq!(
        message(&status.conditions, LOADED),
        "1 of 3 ready replicas have loaded it; 10.0.0.2:8080: connection refused"
    );
    assert!(!scene.view().all_loaded());
}

#[test]
fn replicas_with_another_set_do_not_enforce_ours() {
    let mut scene = Scene::new(2);
    let Ok(report) = &mut scene.replicas[0].report else { panic!("a report") };
    report.set_digest = "other".into();
    let status = scene.view().policy(&policy(2), &PolicyStatus::default());
    assert_eq!(brief(&status.conditions), ["Loaded=True Compiled", "Enforced=False OtherSet"]);
    let told = scene.view().disagreement().unwrap();
    assert!(told.ends_with("; 10.0.0.1:8080 serves set other"), "{told}");
}

#[test]
fn what_cannot_be_compiled_says_where() {
    let mut scene = Scene::new(1);
    scene.loaded = loaded(2, &["names.rego:14:1: unexpected token"]);
    let status = scene.view().policy(&policy(2), &PolicyStatus::default());
    assert_eq!(brief(&status.conditions), ["Loaded=False Invalid", "Enforced=False NotLoaded"]);
    assert_eq!(message(&status.conditions, LOADED), "names.rego:14:1: unexpected token");
}

#[test]
fn no_replica_a_pause_observing_and_missing_rules_are_each_their_own_reason() {
    let none = Scene::new(0);
    let status = none.view().policy(&policy(2), &PolicyStatus::default());
    assert_eq!(brief(&status.conditions), ["Loaded=Unknown NoReplicas", "Enforced=False NotLoaded"]);
    let mut scene = Scene::new(1);
    let reason =
        |view: View<'_>| brief(&view.policy(&policy(2), &PolicyStatus::default()).conditions).pop().unwrap();
    assert_eq!(reason(View { paused: Some("nodes are stuck"), ..scene.view() }), "Enforced=False Paused");
    assert_eq!(reason(View { observe: true, ..scene.view() }), "Enforced=False Observing");
    scene.registered.remove(&Entry::ValidateFail);
    let status = scene.view().policy(&policy(2), &PolicyStatus::default());
    assert_eq!(
        message(&status.conditions, ENFORCED),
        "the API server does not ask us yet about: pods CREATE"
    );
}

#[test]
fn a_fact_that_may_not_be_read_is_a_condition_with_the_rule_to_add_until_it_may() {
    let mut scene = Scene::new(2);
    let forbidden = |fact: &str| Forbidden {
        fact: fact.into(),
        message: "secrets is forbidden".into(),
        rule: "{…}".into(),
    };
    let Ok(report) = &mut scene.replicas[1].report else { panic!("a report") };
    report.forbidden = vec![forbidden("secretNames"), forbidden("v1/Pod")];
    let status = scene.view().policy(&policy(2), &PolicyStatus::default());
    assert_eq!(
        message(&status.conditions, FACTS_FORBIDDEN),
        "`secretNames`: secrets is forbidden; add this rule to the server's ClusterRole: {…}"
    );
    let mended = Scene::new(2);
    let status = mended.view().policy(&policy(2), &status);
    assert_eq!(brief(&status.conditions), ["Loaded=True Compiled", "Enforced=True Enforced"]);
}

#[test]
fn exceptions_are_in_force_expired_or_invalid() {
    let scene = Scene::new(1);
    let of = |name: &str| {
        let object = object(name, 1, &json!({}));
        let status = scene.view().exception(&object, &PolicyExceptionStatus::default());
        (brief(&status.conditions).pop().unwrap(), status.conditions[0].message.clone())
    };
    assert_eq!(of("now"), ("Active=True InForce".into(), "honoured until 2027-01-01T00:00:00Z".into()));
    assert_eq!(
        of("past"),
        ("Active=False Expired".into(), "without effect since 2026-01-01T00:00:00Z".into())
    );
    assert_eq!(of("bad"), ("Active=False Invalid".into(), "expiresAt is `soon`".into()));
    assert_eq!(of("new").0, "Active=Unknown Waiting");
}

#[test]
fn who_is_trusted_is_what_replicas_say() {
    let mut scene = Scene::new(2);
    let authority = object::<wayguard_images::authority::ImageAuthoritySpec>(
        "team",
        3,
        &json!({"images": ["ghcr.io"], "authorities": []}),
    );
    let item = |generation, errors: &[&str]| ItemReport {
        name: "team".into(),
        generation,
        loaded: errors.is_empty(),
        errors: errors.iter().map(|text| (*text).to_owned()).collect(),
    };
    let mut said = |first: Option<ItemReport>, second: Option<ItemReport>| {
        for (replica, item) in scene.replicas.iter_mut().zip([first, second]) {
            replica.report.as_mut().unwrap().image_authorities = item.into_iter().collect();
        }
        let (status, settled) =
            scene.view().trust(&authority, &TrustStatus::default(), |report| &report.image_authorities);
        let condition = status.conditions[0].clone();
        (condition.status, condition.reason, condition.message, status.loaded_by.unwrap(), settled)
    };
    let text = str::to_owned;
    assert_eq!(
        said(Some(item(3, &[])), Some(item(3, &[]))),
        (ConditionStatus::True, text("Trusted"), text("all 2 ready replicas judge by it"), text("2/2"), true)
    );
    // One that has not heard of it yet is asked again soon.
    assert_eq!(
        said(Some(item(3, &[])), Some(item(2, &["old"]))),
        (
            ConditionStatus::False,
            text("Waiting"),
            text("1 of 2 ready replicas judge by it"),
            text("1/2"),
            false
        )
    );
    assert_eq!(
        said(Some(item(3, &["its key is gone"])), Some(item(3, &[]))),
        (ConditionStatus::False, text("Invalid"), text("its key is gone"), text("1/2"), true)
    );
    scene.replicas.clear();
    let (status, settled) =
        scene.view().trust(&authority, &TrustStatus::default(), |report| &report.image_authorities);
    assert_eq!((status.conditions[0].status, settled), (ConditionStatus::Unknown, true));
}

#[test]
fn a_bundle_says_who_signed_it_and_who_has_it() {
    let mut scene = Scene::new(2);
    let spec = json!({"image": format!("ghcr.io/acme/policies@{}", Digest::of(b"new")), "enforce": ["acme"]});
    let stored = |manifest: &[u8], version: &str| Stored {
        digest: Digest::of(manifest),
        about: serde_json::from_value(
            json!({"name": "acme", "version": version, "policies": [], "bundles": ["acme"]}),
        )
        .unwrap(),
        library: Library::default(),
    };
    let bundled = |stored: Stored| Bundled {
        name: "acme".into(),
        generation: 1,
        spec: serde_json::from_value(spec.clone()).ok(),
        stored: Some(Arc::new(stored)),
        problem: None,
    };
    let object = Object::<PolicyBundleSpec>::read(
        serde_json::from_value(
            json!({"metadata": {"name": "acme", "generation": 1, "uid": "u"}, "spec": {}}),
        )
        .unwrap(),
    );
    let note = |generation, status, reason, message: &str| Note {
        generation,
        status,
        reason,
        message: message.into(),
    };
    let signed = note(1, ConditionStatus::True, "Signed", "signed by security/key");
    // Replicas have loaded it before we have: of what we have it is not said that it is loaded.
    scene.loaded.bundled = vec![bundled(stored(b"old", "1.0.0"))];
    let (status, settled) = scene.view().bundle(&object, &PolicyBundleStatus::default(), Some(&signed));
    assert_eq!(brief(&status.conditions), ["Verified=True Signed", "Loaded=False Waiting"]);
    assert_eq!((status.version.as_deref(), settled), (Some("1.0.0"), false));
    scene.loaded.bundled = vec![bundled(stored(b"new", "1.1.0"))];
    let (status, settled) = scene.view().bundle(&object, &PolicyBundleStatus::default(), Some(&signed));
    assert_eq!(brief(&status.conditions), ["Verified=True Signed", "Loaded=True Loaded"]);
    assert_eq!((status.loaded_by.as_deref(), settled), (Some("2/2"), true));
    assert_eq!(status.version.as_deref(), Some("1.1.0"));
    // A leader that has just begun does not unsay what the one before has found of this generation…
    let (same, _) = scene.view().bundle(&object, &status, None);
    assert_eq!(same, status);
    // … nor does it say of another generation what is of an older.
    let changed = Object { generation: 2, ..object };
    let (status, settled) = scene.view().bundle(&changed, &status, Some(&signed));
    assert_eq!(brief(&status.conditions), ["Verified=Unknown Waiting", "Loaded=False Waiting"]);
    assert!(!settled, "no replica has told of it");
}
