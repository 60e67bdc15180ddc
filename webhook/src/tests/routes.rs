//! Paths, methods, headers, and bodies that are no review.

use super::fixture::{Pieces, Then, parts, pod, post, review, review_of, rig, rig_of};
use crate::{Config, Parts, Path, PolicySource};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use std::sync::Arc;

#[tokio::test]
async fn only_post_on_the_four_paths_is_served() {
    let rig = rig();
    for path in Path::ALL {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS]
        {
            let request = Request::builder().method(method).uri(path.url()).body(Body::empty()).unwrap();
            assert_eq!(rig.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED);
        }
    }
    for url in
        ["/", "/mutate/", "//mutate", "/validate", "/validate/", "/validate/fail/x", "/Mutate", "/metrics"]
    {
        let reply = rig.send(post(url, review("u", &pod("a:1")))).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{url}");
        assert!(reply.headers.get("location").is_none());
    }
}

#[tokio::test]
async fn only_plain_json_is_read() {
    let rig = rig();
    let send = async |name: &'static str, values: &[&str]| {
        let mut request = post(Path::Fail.url(), review("u", &pod("a:1")));
        request.headers_mut().remove(name);
        for value in values {
            request.headers_mut().append(name, value.parse().unwrap());
        }
        rig.send(request).await
    };
    for good in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        send("content-type", &[good]).await.review("u");
    }
    send("content-encoding", &["identity"]).await.review("u");
    for bad in [&[][..], &["text/plain"], &["application/jsonp"], &["application/yaml"], &[""]] {
        let reply = send("content-type", bad).await;
        assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{bad:?}");
        assert_eq!(reply.text(), "Content-Type must be application/json\n");
    }
    for bad in [&["gzip"][..], &["identity", "gzip"], &["identity, gzip"], &["br"], &["zstd"], &[""]] {
        let reply = send("content-encoding", bad).await;
        assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{bad:?}");
    }
}

#[tokio::test]
async fn a_body_without_a_uid_is_a_bad_request() {
    let rig = rig();
    let v1beta1 = review("u", &pod("a:1")).replace("admission.k8s.io/v1", "admission.k8s.io/v1beta1");
    for (body, words) in [
        ("", "the body is not JSON: unexpected end"),
        ("{", "the body is not JSON"),
        ("NaN", "the body is not JSON: expected a value"),
        ("[]", "expected `admission.k8s.io/v1` `AdmissionReview`, got `` ``"),
        ("{} {}", "the body is not JSON: unexpected text after the value"),
        (&v1beta1, "expected `admission.k8s.io/v1` `AdmissionReview`, got `admission.k8s.io/v1beta1`"),
        (&review("", &pod("a:1")), "the AdmissionReview has no request with a uid"),
        (&"[".repeat(100_000), "the body is not JSON: nested too deeply"),
    ] {
        for path in Path::ALL {
            let reply = rig.post(path, body.to_owned()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body:.80}");
            assert!(reply.text().starts_with(words), "{}", reply.text());
        }
    }
    let reply = rig.post(Path::Fail, vec![0xff, 0xfe, b'{']).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.text().contains("invalid UTF-8"), "{}", reply.text());
}

#[tokio::test]
async fn a_review_that_cannot_be_read_but_names_its_uid_is_answered() {
    let rig = rig();
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let pods = ("", "v1", "Pod", "pods");
    for (body, words) in [
        (review("u-7", &deep(300)), "nested too deeply"),
        (review("u-7", &"{\"a\":".repeat(100_000)), "nested too deeply"),
        (review("u-7", "{\"a\":1e999999,}"), "expected a quoted key"),
        (review("u-7", "{\"a\":NaN}"), "expected a value"),
        (review("u-7", "\"\\ud800\""), "unpaired surrogate"),
        (review("u-7", "{} trailing"), "the body is not JSON"),
        (review_of("u-7", "PATCH", pods, "{}", "null"), "unknown operation `PATCH`"),
        (review_of("u-7", "CREATE", pods, "null", "null"), "`object` is missing"),
        (review_of("u-7", "UPDATE", pods, "{}", "null"), "`oldObject` is missing"),
        (review_of("u-7", "CREATE", pods, "[]", "null"), "`object` is a array"),
    ] {
        for path in Path::ALL {
            rig.post(path, body.clone()).await.assert_unjudged(path, "u-7", 400, words);
        }
    }
    let sample =
        r#"wayguard_admission_unjudged_total{path="/validate/ignore",reason="unreadable",answer="allow"}"#;
    assert_eq!(rig.metric(sample).await, Some(10));
}

#[tokio::test]
async fn strange_json_that_is_valid_is_judged() {
    let rig = rig();
    let strange = r#"{"apiVersion":"v1","kind":"Pod","x":1,"x":2,"big":1e999,"small":-1E-999,"spec":{"containers":[]}}"#;
    assert_eq!(rig.post(Path::Fail, review("u", strange)).await.review("u")["allowed"], true);
    let keys: Vec<String> = (0..200_000).map(|number| format!("\"k{number}\":0")).collect();
    let object = format!("{{{},\"kind\":\"Pod\"}}", keys.join(","));
    assert_eq!(rig.post(Path::Fail, review("u", &object)).await.review("u")["allowed"], true);
}

#[tokio::test]
async fn a_broken_body_is_a_bad_request() {
    let rig = rig();
    let body = Pieces::body([&review("u", &pod("a:1"))[..100]], Then::Break);
    assert_eq!(rig.post(Path::Fail, body).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn before_policies_are_loaded_nothing_is_admitted() {
    let waiting = Parts { policies: Arc::new(PolicySource::new()), ..parts(Config::default()) };
    let rig = rig_of(waiting);
    let body = || review("u", &pod("a:1"));
    let response = rig.post(Path::Fail, body()).await;
    response.assert_unjudged(Path::Fail, "u", 503, "no policy set has been loaded yet");
    for path in [Path::Mutate, Path::Ignore] {
        let reply = rig.post(path, body()).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(reply.text().contains("no policy set has been loaded yet"));
    }
    assert_eq!(rig.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);

    rig.policies.replace(super::fixture::policy_set(&[]));
    for path in [Path::Fail, Path::Ignore, Path::Mutate] {
        assert_eq!(rig.post(path, body()).await.review("u")["allowed"], true, "empty is not unloaded");
    }
    assert_eq!(rig.get("/readyz").await.status, StatusCode::OK);
}
