//! What a request costs: decoded only, and whole over TLS on loopback (one client, one kept connection) with a
//! number of policies. `cargo bench -p wayguard-webhook`.
#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up has nothing to say")]

use axum::body::Bytes;
use bumpalo::Bump;
use divan::counter::BytesCount;
use http_body_util::{BodyExt, Full};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use tokio::runtime::Runtime;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::{PolicySet, PolicySetBuilder, Request};
use wayguard_webhook::NoCluster;

mod support;

fn main() {
    divan::main();
}

/// A Pod as the ReplicaSet controller makes it: three containers, 40 variables, probes, mounts; about 8 KB.
fn review() -> String {
    let mut containers = String::new();
    for container in 0..3 {
        let variables: Vec<String> = (0..40)
            .map(|number| format!(r#"{{"name":"SETTING_{number}","value":"value-{container}-{number}"}}"#))
            .collect();
        let comma = if container == 0 { "" } else { "," };
        write!(
            containers,
            r#"{comma}{{"name":"c{container}","image":"registry.example/shop/checkout-{container}:1.{container}","env":[{}],"ports":[{{"containerPort":8080,"protocol":"TCP"}}],"resources":{{"requests":{{"cpu":"250m","memory":"256Mi"}},"limits":{{"memory":"256Mi"}}}},"livenessProbe":{{"httpGet":{{"path":"/live","port":8080}}}},"securityContext":{{"runAsNonRoot":true,"allowPrivilegeEscalation":false}}}}"#,
            variables.join(",")
        )
        .unwrap();
    }
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"0f9f1bd0-2c4e-4b7e-9d5c-5a8d5f4b2c11","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},"name":"checkout-1","namespace":"shop","operation":"CREATE","userInfo":{{"username":"system:serviceaccount:kube-system:replicaset-controller","groups":["system:authenticated"]}},"object":{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"checkout-1","namespace":"shop","labels":{{"app":"checkout","team":"shop"}}}},"spec":{{"containers":[{containers}]}}}},"oldObject":null,"dryRun":false}}}}"#
    )
}

/// `count` policies of a usual shape: each walks all containers.
fn policy_set(count: usize) -> Arc<PolicySet> {
    let mut builder =
        PolicySetBuilder::new(Arc::new(Library::from_files(BTreeMap::new())), SetConfig::default());
    for number in 0..count {
        let rego = format!(
            "# METADATA\n# scope: package\n# title: Bench {number}\n# description: One of many.\n# custom:\n#   remedy: none\npackage bench.p{number}\n\ndeny contains {{\"path\": path, \"expected\": \"another image\"}} if {{\n\tsome index, container in input.review.object.spec.containers\n\tendswith(container.image, \":forbidden-{number}\")\n\tpath := sprintf(\"/spec/containers/%d/image\", [index])\n}}\n"
        );
        let spec = serde_json::json!({
            "source": {"rego": rego},
            "match": {"resourceRules": [{"apiGroups": [""], "resources": ["pods"], "operations": ["CREATE"]}]},
        });
        builder.policy(&format!("p{number}"), serde_json::from_value(spec).unwrap(), "bench", None);
    }
    let set = builder.build();
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    Arc::new(set)
}

#[divan::bench]
fn decode(bencher: divan::Bencher) {
    let body = review();
    let mut arena = Bump::new();
    bencher.counter(BytesCount::of_str(&body)).bench_local(|| {
        arena.reset();
        Request::from_review(&&arena, body.as_bytes()).unwrap().name.len()
    });
}

#[divan::bench(args = [0, 1, 8, 32])]
fn https_request(bencher: divan::Bencher, policies: usize) {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(support::Server::start(policy_set(policies), Arc::new(NoCluster)));
    let mut client = runtime.block_on(server.client());
    let body = Bytes::from(review());
    bencher.counter(BytesCount::new(body.len())).bench_local(|| {
        runtime.block_on(async {
            let request = hyper::Request::post("/validate/fail?timeout=5s")
                .header("host", "localhost")
                .header("content-type", "application/json")
                .body(Full::new(body.clone()))
                .unwrap();
            client.ready().await.unwrap();
            let response = client.send_request(request).await.unwrap();
            assert_eq!(response.status(), 200);
            response.into_body().collect().await.unwrap().to_bytes().len()
        })
    });
}
