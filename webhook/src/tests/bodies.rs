//! Bodies that are large, endless, slow, or together too much.

use super::fixture::{Pieces, Then, eventually, judged_by, parts, pod, post, review, rig, rig_of};
use crate::{Config, Path};
use axum::body::Body;
use axum::http::StatusCode;
use serde_json::json;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use wayguard_engine::Verdict;

fn small() -> Config {
    Config { body_limit: 2 << 20, ..Config::default() }
}

/// A Pod with this much text in its arguments, escaped as Go's encoder does: six bytes each.
fn escaped_pod(image: &str, bytes: usize) -> String {
    let text = "\\u003c".repeat(bytes / 6);
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"web"}},"spec":{{"containers":[{{"name":"web","image":"{image}","args":["{text}"]}}]}}}}"#
    )
}

#[tokio::test]
async fn sixteen_escaped_mebibytes_are_judged() {
    // A debug build on a busy machine needs seconds for what a release build does in a tenth of one.
    let patient = Duration::from_secs(30);
    let rig =
        rig_of(parts(Config { default_timeout: patient, evaluation_limit: patient, ..Config::default() }));
    let denied = rig.post(Path::Fail, review("u", &escaped_pod("web:latest", 16 << 20))).await.review("u");
    assert_eq!(denied["allowed"], false);
    assert!(denied["status"]["message"].as_str().unwrap().contains("spec.containers[web].image"), "{denied}");
    let admitted = rig.post(Path::Fail, review("u", &escaped_pod("web:1", 16 << 20))).await.review("u");
    assert_eq!(admitted["allowed"], true);
    assert_eq!(rig.metric("wayguard_admission_in_flight_bytes").await, Some(0));
}

#[tokio::test]
async fn a_body_over_the_limit_is_answered_from_its_head() {
    let rig = rig_of(parts(small()));
    for path in Path::ALL {
        let body = review("u-1", &escaped_pod("web:latest", 3 << 20));
        let declared = rig.post(path, body.clone()).await;
        declared.assert_unjudged(path, "u-1", 413, "the review is larger than 2 MiB");
        let chunked = rig.post(path, Pieces::body([&body[..1000], &body[1000..]], Then::End)).await;
        chunked.assert_unjudged(path, "u-1", 413, "the review is larger than 2 MiB");
        let garbage = rig.post(path, "x".repeat(3 << 20)).await;
        assert_eq!(garbage.status, StatusCode::PAYLOAD_TOO_LARGE, "no uid, no review");
    }
    let sample =
        r#"wayguard_admission_unjudged_total{path="/validate/fail",reason="too_large",answer="deny"}"#;
    assert_eq!(rig.metric(sample).await, Some(2));
}

#[tokio::test]
async fn an_endless_body_ends_with_the_limit() {
    let rig = rig_of(parts(small()));
    let head = review("u-2", "\"");
    let filler = "x".repeat(64 << 10);
    let body = Pieces::body([&head[..head.len() - 40], &filler], Then::Repeat);
    rig.post(Path::Fail, body).await.assert_unjudged(Path::Fail, "u-2", 413, "larger than 2 MiB");
    eventually("nothing is held any more", async || rig.assembled.admission.budget.used() == 0).await;
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_a_time_out() {
    let rig = rig_of(parts(Config { body_timeout: Duration::from_millis(50), ..small() }));
    let whole = review("u-3", &pod("a:1"));
    for path in Path::ALL {
        let reply = rig.post(path, Pieces::body([&whole[..300]], Then::Hang)).await;
        reply.assert_unjudged(path, "u-3", 504, "the review had not arrived whole in time");
    }
    let silent = rig.post(Path::Ignore, Pieces::body([], Then::Hang)).await;
    assert_eq!(silent.status, StatusCode::GATEWAY_TIMEOUT, "no uid: the failure policy decides");
    let started = Instant::now();
    let by_deadline = rig_of(parts(Config::default()));
    let late = post("/validate/fail?timeout=1s", Pieces::body([&whole[..300]], Then::Hang));
    by_deadline.send(late).await.assert_unjudged(Path::Fail, "u-3", 504, "had not arrived whole");
    assert!(started.elapsed() < Duration::from_secs(5), "the deadline, not the 10 s for bodies");
}

#[tokio::test]
async fn past_the_byte_budget_requests_are_shed_with_their_uid() {
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let config = Config { in_flight_bytes: 100_000, ..small() };
    let rig = Arc::new(rig_of(judged_by(parts(config), move |request, _, _| {
        if request.uid == "held" {
            let _ = held.lock().unwrap().recv();
        }
        decided_allow()
    })));
    let holding = tokio::spawn({
        let rig = Arc::clone(&rig);
        async move { rig.post(Path::Fail, review("held", &escaped_pod("a:1", 90_000))).await }
    });
    eventually("the first is held", async || rig.assembled.admission.budget.used() > 90_000).await;
    for path in Path::ALL {
        let reply = rig.post(path, review("u-4", &escaped_pod("a:1", 30_000))).await;
        reply.assert_unjudged(path, "u-4", 429, "too many large reviews are being judged at once");
    }
    let pieces = Pieces::body([&"y".repeat(20_000), &"y".repeat(20_000)], Then::End);
    assert_eq!(rig.post(Path::Fail, pieces).await.status, StatusCode::TOO_MANY_REQUESTS);
    let small = rig.post(Path::Fail, review("u-5", &pod("a:1"))).await;
    assert_eq!(small.review("u-5")["allowed"], true, "small ones still fit");
    let sample = r#"wayguard_admission_unjudged_total{path="/mutate",reason="over_budget",answer="allow"}"#;
    assert_eq!(rig.metric(sample).await, Some(1));
    drop(release);
    assert_eq!(holding.await.unwrap().review("held")["allowed"], true);
    eventually("all bytes are given back", async || rig.assembled.admission.budget.used() == 0).await;
    let again = rig.post(Path::Fail, review("u-6", &escaped_pod("a:1", 90_000))).await;
    assert_eq!(again.review("u-6")["allowed"], true);
}

fn decided_allow() -> wayguard_engine::Outcome {
    super::fixture::decided(Verdict::Allow, "")
}

#[tokio::test]
async fn a_body_made_to_exhaust_memory_is_refused() {
    let rig = rig();
    let numbers = format!("{{\"a\":[{}1]}}", "1,".repeat(6 << 20));
    let reply = rig.post(Path::Fail, review("u-7", &numbers)).await;
    reply.assert_unjudged(Path::Fail, "u-7", 413, "the review has more than 5242880 values");
}

#[tokio::test]
async fn pieces_of_any_size_make_the_same_body() {
    let rig = rig();
    let whole = review("u-8", &pod("web:latest"));
    for size in [1, 7, 100, 4096] {
        let pieces = whole.as_bytes().chunks(size).map(axum::body::Bytes::copy_from_slice).collect();
        let body = Body::new(Pieces { pieces, then: Then::End });
        let response = rig.post(Path::Fail, body).await.review("u-8");
        assert_eq!(response["status"]["code"], json!(403), "{size}");
    }
}
