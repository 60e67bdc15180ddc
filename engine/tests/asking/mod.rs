//! How tests ask the engine: an object as `check` would submit it, every fact answered.

#![allow(dead_code, reason = "each test file is a crate of its own and uses a part")]

use bumpalo::Bump;
use std::sync::Arc;
use std::time::Duration;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::request::{ObjectRequest, Operation};
use wayguard_engine::value::{Document, parse_yaml};
use wayguard_engine::*;

/// A team's namespace.
pub(crate) const NAMESPACE: &str = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"developer-team-alpha",
    "labels":{"team":"alpha","environment":"development","managed-by":"idp"}}}"#;

/// Everything, with time enough for a debug build.
pub(crate) const WHOLE: Context =
    Context { stage: Stage::Whole, now: jiff::Timestamp::UNIX_EPOCH, time_limit: Duration::from_secs(20) };

/// Bundles of the embedded library.
pub(crate) fn bundles(names: &[&str]) -> PolicySet {
    let library = Library::embedded();
    let mut builder = PolicySetBuilder::new(library.clone(), SetConfig::default());
    for bundle in names {
        for (name, spec) in library.bundle(bundle).expect("the bundle exists").expect("and is readable") {
            builder.policy(&name, spec, bundle, None);
        }
    }
    builder.build()
}

/// The creation of one object; `namespace` is for one that names none.
pub(crate) fn creation<'a>(bump: &'a Bump, yaml: &str, namespace: &'a str) -> Request<'a> {
    let documents = parse_yaml(&bump, yaml).expect("the test's YAML is right");
    let object = ObjectRequest {
        origin: Origin::Check,
        object: documents[0].value,
        old_object: None,
        operation: Operation::Create,
        resource: "",
        sub_resource: "",
        default_namespace: namespace,
        user_info: None,
    };
    Request::for_object(&bump, object).expect("the test's object is one")
}

/// The decision on a creation in a team's namespace; nothing else of a cluster is known.
pub(crate) fn decide_yaml(set: &PolicySet, yaml: &str) -> Decision {
    decide_at(set, yaml, &WHOLE)
}

/// The same at one stage.
pub(crate) fn decide_at(set: &PolicySet, yaml: &str, context: &Context) -> Decision {
    let bump = Bump::new();
    let request = creation(&bump, yaml, "default");
    let mut facts = Facts::new();
    for _ in 0..4 {
        // Facts are borrowed by one call at a time.
        match decide(&bump, &request, set, bump.alloc(facts.clone()), context) {
            Outcome::Decided(decision) => return *decision,
            Outcome::NeedsFacts(keys) => {
                for key in keys {
                    let fact = match &key {
                        FactKey::Namespace(_) => {
                            let namespace = Document::from_json(NAMESPACE.as_bytes());
                            Fact::Known(Arc::new(namespace.expect("a namespace")))
                        }
                        _ => Fact::OutOfReach("no cluster".into()),
                    };
                    facts.insert(key, fact);
                }
            }
        }
    }
    panic!("the engine never had enough facts");
}
