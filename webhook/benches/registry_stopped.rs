//! What requests without images cost while a registry does not answer: the same requests, first alone, then beside
//! others that wait for facts about their images until their deadline. `cargo bench -p wayguard-webhook --bench
//! registry_stopped` prints both; the second p99 is to stay under twice the first.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench says what it measured, or cannot be set up"
)]

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::{PolicySet, PolicySetBuilder};
use wayguard_webhook::{BoxFuture, FactSource};

mod support;

/// Requests that are measured, on each of so many connections.
const MEASURED: usize = 5_000;
const CLIENTS: usize = 2;
/// Requests that wait for the registry at a time.
const WAITING: usize = 64;

/// Knows namespaces; of images it never hears.
struct Stopped;

impl FactSource for Stopped {
    fn at_hand(&self, key: &FactKey) -> Option<Fact> {
        let known = |json: &str| {
            Fact::Known(Arc::new(wayguard_engine::value::Document::from_json(json.as_bytes()).unwrap()))
        };
        matches!(key, FactKey::Namespace(_)).then(|| known(r#"{"metadata":{"name":"shop"}}"#))
    }

    fn fetch(&self, keys: Vec<FactKey>, deadline: Instant) -> BoxFuture<'_, Vec<(FactKey, Fact)>> {
        Box::pin(async move {
            tokio::time::sleep_until(deadline.into()).await;
            let late = |key| (key, Fact::Unavailable("its registry did not answer in time".to_owned()));
            keys.into_iter().map(late).collect()
        })
    }
}

fn policies() -> Arc<PolicySet> {
    let mut builder =
        PolicySetBuilder::new(Arc::new(Library::from_files(BTreeMap::new())), SetConfig::default());
    let rego = |name: &str, custom: &str, rule: &str| {
        format!(
            "# METADATA\n# scope: package\n# title: Bench\n# description: For a bench.\n# custom: {{remedy: none{custom}}}\npackage bench.{name}\n\n{rule}\n"
        )
    };
    for (name, resource, rego) in [
        (
            "signed",
            "pods",
            rego(
                "signed",
                ", facts: [images]",
                "deny contains \"unsigned\" if count(input.facts.images) == 0",
            ),
        ),
        (
            "owned",
            "configmaps",
            rego("owned", "", "deny contains \"no owner\" if not input.review.object.metadata.labels.owner"),
        ),
    ] {
        let spec = serde_json::json!({
            "source": {"rego": rego},
            "match": {"resourceRules": [{"apiGroups": [""], "resources": [resource], "operations": ["CREATE"]}]},
        });
        builder.policy(name, serde_json::from_value(spec).unwrap(), "bench", None);
    }
    let set = builder.build();
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    Arc::new(set)
}

fn review(kind: &str, resource: &str, number: usize, rest: &str) -> Bytes {
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"u","kind":{{"group":"","version":"v1","kind":"{kind}"}},"resource":{{"group":"","version":"v1","resource":"{resource}"}},"name":"n{number}","namespace":"shop","operation":"CREATE","userInfo":{{"username":"jane"}},"object":{{"apiVersion":"v1","kind":"{kind}","metadata":{{"name":"n{number}","namespace":"shop","labels":{{"owner":"jane"}}}}{rest}}}}}}}"#
    )
    .into()
}

async fn ask(client: &mut SendRequest<Full<Bytes>>, body: Bytes) -> Duration {
    let request = hyper::Request::post("/validate/fail?timeout=2s")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(body))
        .unwrap();
    client.ready().await.unwrap();
    let begun = Instant::now();
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body().collect().await.unwrap();
    begun.elapsed()
}

/// The time of each request without images, in order.
async fn measured(server: &support::Server) -> Vec<Duration> {
    let clients = (0..CLIENTS).map(|at| async move {
        let mut client = server.client().await;
        let mut times = Vec::with_capacity(MEASURED);
        for number in 0..MEASURED {
            let body = review("ConfigMap", "configmaps", at * MEASURED + number, r#","data":{"a":"b"}"#);
            times.push(ask(&mut client, body).await);
        }
        times
    });
    let mut times: Vec<Duration> = futures::future::join_all(clients).await.concat();
    times.sort();
    times
}

fn show(what: &str, times: &[Duration]) -> Duration {
    let at = |part: usize| times.get(times.len() * part / 1000).copied().unwrap_or_default();
    println!("{what:<28} p50 {:>9.1?}  p99 {:>9.1?}  p99.9 {:>9.1?}", at(500), at(990), at(999));
    at(990)
}

#[tokio::main]
async fn main() {
    let server = Arc::new(support::Server::start(policies(), Arc::new(Stopped)).await);
    measured(&server).await;
    let alone = show("alone", &measured(&server).await);
    let (end, waited) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    for at in 0..WAITING {
        let (server, end, waited) = (Arc::clone(&server), Arc::clone(&end), Arc::clone(&waited));
        tokio::spawn(async move {
            let mut client = server.client().await;
            for number in 0.. {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let rest = format!(
                    r#","spec":{{"containers":[{{"name":"a","image":"registry.example/app:{at}-{number}"}}]}}"#
                );
                ask(&mut client, review("Pod", "pods", number, &rest)).await;
                waited.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let beside = show(&format!("beside {WAITING} that wait"), &measured(&server).await);
    end.store(true, Ordering::Relaxed);
    println!(
        "p99 times {:.2}; {} waited to their end",
        beside.as_secs_f64() / alone.as_secs_f64(),
        waited.load(Ordering::Relaxed)
    );
}
