//! `wayguard check` and the server say the same of an object: the same verdict, in the same words.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code outside test functions"
)]

mod support;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::path::Path;
use support::server::Server;

/// Objects that meet many policies in many ways: every combination of a few fields.
fn objects() -> Vec<Value> {
    let mut objects = Vec::new();
    for image in ["registry.example/a:1.0", "registry.example/a:latest", "a"] {
        for security in [json!(null), json!({"privileged": true}), json!({"allowPrivilegeEscalation": false})]
        {
            for resources in
                [json!(null), json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}})]
            {
                for workload in [false, true] {
                    let mut container = json!({"name": "c", "image": image});
                    if !security.is_null() {
                        container["securityContext"] = security.clone();
                    }
                    if !resources.is_null() {
                        container["resources"] = resources.clone();
                    }
                    let name = format!("o{}", objects.len());
                    let labels =
                        json!({"team": "a", "environment": "development", "managed-by": "x", "app": name});
                    let spec = json!({"containers": [container], "hostNetwork": objects.len() % 5 == 0});
                    let metadata = json!({"name": name, "namespace": "shop", "labels": labels});
                    objects.push(if workload {
                        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {
                            "replicas": 2,
                            "selector": {"matchLabels": {"app": name}},
                            "template": {"metadata": {"labels": labels}, "spec": spec},
                        }})
                    } else {
                        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
                    });
                }
            }
        }
    }
    objects
}

fn applied(object: &Value, response: &Value) -> Value {
    let Some(patch) = response["patch"].as_str() else { return object.clone() };
    let patch: Value = serde_json::from_slice(&from_base64(patch)).unwrap();
    let mut object = object.clone();
    for operation in patch.as_array().unwrap() {
        let (parent, key) = operation["path"].as_str().unwrap().rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        let parent = object.pointer_mut(parent).unwrap();
        parent[key.as_str()] = operation["value"].clone();
    }
    object
}

fn from_base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        bits = (bits << 6) | u32::try_from(alphabet.iter().position(|it| *it == byte).unwrap()).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    bytes
}

/// A denial without what differs from request to request.
fn findings(message: &str) -> String {
    message.split(" (decision ").next().unwrap_or_default().to_owned()
}

/// What a server without a cluster knows of a namespace.
const SHOP: &str = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"kubernetes.io/metadata.name":"shop"}}}"#;

/// Asks both, object by object; how many were denied.
fn compared(server: &Server, policies: &[&str], objects: &[Value]) -> usize {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
    server.write("list.json", &list);
    std::fs::create_dir_all(server.folder.path().join("context")).unwrap();
    server.write("context/shop.json", SHOP);
    let mut arguments =
        vec!["check", "list.json", "--context", "context", "--format", "json", "--user", "dev", "-n", "shop"];
    arguments.extend(policies);
    let report = support::wayguard_in(server.folder.path(), &arguments).json();
    let results = report["results"].as_array().unwrap();
    assert_eq!(results.len(), objects.len());
    let mut denied = 0;
    for (object, result) in objects.iter().zip(results) {
        let mutated = applied(object, &server.review("/mutate", object));
        let responses =
            [server.review("/validate/fail", &mutated), server.review("/validate/ignore", &mutated)];
        let allowed = responses.iter().all(|response| response["allowed"] == true);
        let verdict = result["verdict"].as_str().unwrap();
        assert_eq!(allowed, matches!(verdict, "allow" | "warn"), "{object:#}\n{responses:#?}\n{result:#}");
        if !allowed {
            denied += 1;
            let refusals: Vec<_> = responses.iter().filter(|response| response["allowed"] == false).collect();
            let message = findings(refusals[0]["status"]["message"].as_str().unwrap());
            assert_eq!(message, findings(result["message"].as_str().unwrap()), "{object:#}");
        }
    }
    denied
}

#[test]
fn check_and_the_server_decide_alike() {
    let objects = objects();
    let server = Server::start(&[], &[]);
    let denied = compared(&server, &[], &objects);
    assert!(
        denied > 0 && denied < objects.len(),
        "{denied} of {} denied: the objects prove too little",
        objects.len()
    );
}

/// The samples of the library, as objects of the namespace `shop`. Namespaces are left out: `check` reads them as
/// knowledge of the other objects.
fn samples() -> Vec<Value> {
    let library = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../policies"));
    let mut samples = Vec::new();
    let mut folders = vec![library.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.parent().unwrap().parent().unwrap().ends_with("samples") {
                samples.push(entry);
            }
        }
    }
    samples.sort();
    let objects = samples.iter().filter_map(|path| {
        let text = std::fs::read_to_string(path).unwrap();
        let arena = bumpalo::Bump::new();
        let documents = wayguard_engine::value::parse_yaml(&&arena, &text).unwrap();
        let mut object = documents.first()?.value.to_serde();
        let judged = ["Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Role", "Service"];
        if !judged.iter().any(|kind| object["kind"] == *kind) {
            return None;
        }
        object["metadata"]["namespace"] = json!("shop");
        Some(object)
    });
    objects.collect()
}

/// A change of one place of an object: which place, and what becomes of it.
type Edit = (prop::sample::Index, u8);

/// All places below one, but not those that make an object what it is.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .filter(|(key, _)| !at.is_empty() || !matches!(key.as_str(), "apiVersion" | "kind" | "metadata"))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (key, value) in members {
        let place = format!("{at}/{key}");
        places(value, &place, found);
        found.push(place);
    }
}

/// Makes an object worse, or better: something is gone, or of another type, or has another value.
fn edit(object: &mut Value, (place, how): &Edit) {
    let mut found = Vec::new();
    places(object, "", &mut found);
    if found.is_empty() {
        return;
    }
    let place = place.get(&found);
    let (parent, key) = place.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap();
    let value = match how % 12 {
        0 | 1 => {
            if let Value::Object(members) = parent {
                members.remove(&key.replace("~1", "/").replace("~0", "~"));
            } else if let (Value::Array(items), Ok(index)) = (parent, key.parse()) {
                items.remove(index);
            }
            return;
        }
        2 => json!(null),
        3 => json!(true),
        4 => json!(false),
        5 => json!(""),
        6 => json!("x:latest"),
        7 => json!(0),
        8 => json!(70_000),
        9 => json!([]),
        10 => json!({}),
        _ => json!("ALL"),
    };
    *object.pointer_mut(place).unwrap() = value;
}

#[test]
fn check_and_the_server_decide_alike_of_what_nobody_has_written_by_hand() {
    let samples = samples();
    let policies = ["--policies", "restricted"];
    let server = Server::start(&[], &policies);
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let object = (any::<prop::sample::Index>(), edits).prop_map(move |(sample, edits)| {
        let mut object = sample.get(&samples).clone();
        edits.iter().for_each(|change| edit(&mut object, change));
        object
    });
    let objects = prop::collection::vec(object, 40).prop_map(|mut objects| {
        // One list must not hold one object twice.
        for (index, object) in objects.iter_mut().enumerate() {
            object["metadata"]["name"] = json!(format!("o{index}"));
        }
        objects
    });
    let config = Config { cases: 8, failure_persistence: None, ..Config::default() };
    let denied = std::cell::Cell::new(0);
    TestRunner::new(config)
        .run(&objects, |objects| {
            denied.set(denied.get() + compared(&server, &policies, &objects));
            Ok(())
        })
        .unwrap();
    assert!((20..300).contains(&denied.get()), "{} of 320 denied: they prove too little", denied.get());
}
