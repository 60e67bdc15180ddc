//! Probes and metrics.

use super::fixture::{parts, pod, review, rig, rig_of};
use crate::{Config, Parts, Path, Readiness};
use axum::http::StatusCode;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn ready_names_what_is_missing() {
    let readiness = Readiness::new();
    let caches = readiness.require("caches", "namespaces have not been listed yet");
    let expiry: Arc<Mutex<Option<Timestamp>>> = Arc::default();
    let shown = Arc::clone(&expiry);
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let rig = rig_of(Parts {
        readiness,
        certificate_expiry: Arc::new(move || *shown.lock().unwrap()),
        clock: Arc::new(move || now),
        ..parts(Config::default())
    });
    let ready = async |status: StatusCode, text: &str| {
        let reply = rig.get("/readyz").await;
        assert_eq!((reply.status, reply.text().as_str()), (status, text));
    };
    let no = StatusCode::SERVICE_UNAVAILABLE;
    ready(
        no,
        "[-]certificate not ready: no certificate has been loaded yet\n[+]policies ok\n[+]serving ok\n[-]caches not ready: namespaces have not been listed yet\n",
    )
    .await;
    caches.ready();
    *expiry.lock().unwrap() = Some("2026-11-22T11:59:59Z".parse().unwrap());
    ready(
        no,
        "[-]certificate not ready: it expired at 2026-11-22T11:59:59Z\n[+]policies ok\n[+]serving ok\n[+]caches ok\n",
    )
    .await;
    *expiry.lock().unwrap() = Some("2026-11-22T12:00:01Z".parse().unwrap());
    ready(StatusCode::OK, "[+]certificate ok\n[+]policies ok\n[+]serving ok\n[+]caches ok\n").await;
    assert_eq!(rig.metric("wayguard_certificate_expiry_timestamp_seconds").await, Some(1_795_348_801));
    assert_eq!(rig.get("/livez").await.text(), "ok\n");
}

#[tokio::test]
async fn the_load_report_is_what_the_host_says() {
    assert_eq!(rig().get("/policies").await.status, StatusCode::NOT_FOUND);
    let loaded: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    let told = Arc::clone(&loaded);
    let load_report: Option<crate::LoadReporter> = Some(Arc::new(move || told.lock().unwrap().clone()));
    let rig = rig_of(Parts { load_report, ..parts(Config::default()) });
    assert_eq!(rig.get("/policies").await.status, StatusCode::SERVICE_UNAVAILABLE);
    *loaded.lock().unwrap() = Some(br#"{"setDigest":"x"}"#.to_vec());
    let reply = rig.get("/policies").await;
    assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, r#"{"setDigest":"x"}"#));
}

#[tokio::test]
async fn metrics_show_the_policy_set_and_nothing_of_the_requests() {
    let rig = rig();
    for (image, path) in [("secret-registry.example/web:latest", Path::Fail), ("a:1", Path::Ignore)] {
        rig.post(path, review("planted-uid", &pod(image))).await;
    }
    let digest = rig.policies.current().unwrap().digest().to_owned();
    let info = format!(r#"wayguard_policy_set_info{{digest="{digest}"}}"#);
    assert_eq!(rig.metric(&info).await, Some(1));
    assert_eq!(rig.metric("wayguard_policies").await, Some(3));
    assert_eq!(rig.metric("wayguard_policy_load_failures").await, Some(0));
    assert_eq!(rig.metric("wayguard_policy_set_loads_total").await, Some(1));
    rig.policies.refuse();
    assert_eq!(rig.metric("wayguard_policy_set_load_failures_total").await, Some(1));
    assert_eq!(rig.metric("wayguard_admission_in_flight_requests").await, Some(0));
    // A reason, which is always there, has somebody's name in it.
    let text = rig.get("/metrics").await.text().replace("unreadable", "");
    for planted in ["planted-uid", "secret-registry", "team-a", "web", "ada"] {
        assert!(!text.contains(planted), "{planted} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}
