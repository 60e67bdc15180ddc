//! The policy watch against scripted API servers.

use super::*;
use crate::fake_api::{client, eventually, failure};
use serde_json::{Value, json};
use std::sync::Mutex;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;

const REGO: &str = "# METADATA\n# title: Names\n# scope: package\n# description: Refuses a name.\n# custom:\n#   severity: low\n#   category: tests\n#   remedy: Choose another name.\npackage tests.names\n\ndeny contains {\"msg\": \"bad name\"} if input.review.object.metadata.name == \"bad\"\n";

fn policy(name: &str, generation: i64, rego: &str) -> Value {
    json!({
        "metadata": {"name": name, "generation": generation, "uid": format!("uid-{name}"), "resourceVersion": "1"},
        "spec": {
            "source": {"rego": rego},
            "match": {"resourceRules": [{"apiGroups": [""], "resources": ["pods"], "operations": ["CREATE"]}]},
        },
    })
}

fn exception(name: &str, expires: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "wayguard-system", "generation": 1},
        "spec": {"policies": ["names"], "reason": "r", "owner": "o", "expiresAt": expires},
    })
}

fn list(items: &[Value]) -> (u16, String) {
    (200, json!({"metadata": {"resourceVersion": "1"}, "items": items}).to_string())
}

fn options() -> PolicyWatchOptions {
    PolicyWatchOptions {
        own_namespace: "wayguard-system".into(),
        base: Arc::new(|| Ok(PolicySetBuilder::new(Library::embedded(), SetConfig::default()))),
        observe: false,
        gatekeeper: false,
    }
}

async fn loaded(watch: &PolicyWatch) -> Arc<Loaded> {
    let mut changes = watch.changes();
    let first = tokio::time::timeout(Duration::from_secs(20), changes.wait_for(Option::is_some));
    first.await.unwrap().unwrap().clone().unwrap()
}

#[tokio::test]
async fn one_bad_policy_is_left_out_and_told() {
    let (client, log) = client(|line, _| match line {
        line if line.contains("watch=true") => (200, String::new()),
        line if line.contains("policybundles") || line.contains("configmaps") => list(&[]),
        line if line.contains("policyexceptions") => {
            list(&[exception("until", "2099-01-01T00:00:00Z"), exception("names", "soon")])
        }
        _ => list(&[
            policy("broken", 2, "package tests.broken\n\ndeny contains"),
            policy("names", 3, REGO),
            json!({"metadata": {"name": "shapeless", "generation": 1}, "spec": {"source": 7}}),
        ]),
    });
    let watch = PolicyWatch::start(&client, options());
    let loaded = loaded(&watch).await;
    let names: Vec<_> = loaded.set.policies().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["names"]);
    let of = |name: &str| loaded.policies.get(name).unwrap();
    assert_eq!((of("names").loaded, of("names").generation, of("names").errors.len()), (true, 3, 0));
    assert!(!of("broken").loaded && of("broken").errors[0].contains("broken.rego:"), "{:?}", of("broken"));
    assert!(of("shapeless").errors[0].contains("invalid type"), "{:?}", of("shapeless"));
    assert!(loaded.exceptions.get("until").unwrap().loaded);
    assert!(!loaded.exceptions.get("names").unwrap().loaded, "a policy of that name is no excuse");
    assert!(
        log.lock().unwrap().iter().any(|line| line.contains("/namespaces/wayguard-system/policyexceptions?"))
    );
    let report = LoadReport::new(&loaded, Vec::new(), None);
    let read: LoadReport = serde_json::from_slice(&report.to_json()).unwrap();
    assert_eq!(read, report);
    assert_eq!(read.set_digest, loaded.set.digest());
}

#[tokio::test]
async fn an_api_server_that_goes_away_changes_nothing() {
    let away = Arc::new(Mutex::new(false));
    let switch = Arc::clone(&away);
    let (client, log) = client(move |line, _| {
        if *switch.lock().unwrap() {
            return failure(503, "ServiceUnavailable", "apiserver is shutting down");
        }
        match line {
            line if line.contains("watch=true") => failure(410, "Expired", "too old"),
            line if ["policyexceptions", "policybundles", "configmaps"]
                .iter()
                .any(|it| line.contains(it)) =>
            {
                list(&[])
            }
            _ => list(&[policy("names", 1, REGO)]),
        }
    });
    let watch = PolicyWatch::start(&client, options());
    let before = loaded(&watch).await;
    *away.lock().unwrap() = true;
    let asked = log.lock().unwrap().len();
    eventually("it is asked again, in vain", || log.lock().unwrap().len() > asked + 4).await;
    assert_eq!(watch.problem().as_deref(), Some("apiserver is shutting down"));
    assert_eq!(watch.loaded().unwrap().set.digest(), before.set.digest());
}

#[tokio::test]
async fn nothing_is_loaded_before_both_kinds_are_known() {
    let (client, log) = client(|line, _| match line {
        line if line.contains("watch=true") => (200, String::new()),
        line if line.contains("policyexceptions") => {
            failure(404, "NotFound", "the server could not find the requested resource")
        }
        line if line.contains("policybundles") || line.contains("configmaps") => list(&[]),
        _ => list(&[policy("names", 1, REGO)]),
    });
    let watch = PolicyWatch::start(&client, options());
    eventually("the problem is told", || watch.problem().is_some()).await;
    eventually("asked several times", || {
        log.lock().unwrap().iter().filter(|line| line.contains("policyexceptions")).count() > 2
    })
    .await;
    assert!(watch.loaded().is_none() && !watch.synced());
    assert!(watch.problem().unwrap().contains("`wayguard install`"));
}

#[tokio::test]
async fn while_observing_everything_is_recorded_only_and_a_changed_base_is_loaded() {
    let (client, _) = client(|line, _| match line {
        line if line.contains("watch=true") => (200, String::new()),
        line if ["policyexceptions", "policybundles", "configmaps"].iter().any(|it| line.contains(it)) => {
            list(&[])
        }
        _ => list(&[policy("names", 1, REGO)]),
    });
    let docs = Arc::new(Mutex::new(Ok(String::new())));
    let base = Arc::clone(&docs);
    let options = PolicyWatchOptions {
        observe: true,
        gatekeeper: false,
        base: Arc::new(move || {
            let docs_url = base.lock().unwrap().clone()?;
            Ok(PolicySetBuilder::new(Library::embedded(), SetConfig { docs_url, ..SetConfig::default() }))
        }),
        ..options()
    };
    let watch = PolicyWatch::start(&client, options);
    let first = loaded(&watch).await;
    let policy = first.set.policies().next().unwrap();
    assert_eq!(policy.group(), wayguard_engine::policy::compiled::Group::Ignore);
    assert_eq!(policy.spec.action, wayguard_engine::policy::spec::Action::Audit);
    *docs.lock().unwrap() = Err("the folder is gone".to_owned());
    watch.reload();
    *docs.lock().unwrap() = Ok("https://docs.example/".to_owned());
    watch.reload();
    eventually("the new base is served", || watch.loaded().unwrap().set.digest() != first.set.digest()).await;
}
