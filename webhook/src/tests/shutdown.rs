//! From SIGTERM to the end: unready first, still answering, then no more connections, nothing lost.

use super::fixture::{decided, eventually, judged_by, parts, pod, review};
use super::loopback::{request, soon, start};
use crate::Config;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use wayguard_engine::Verdict;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_loses_nothing() {
    let (release, held) = mpsc::channel::<()>();
    let (held, begun) = (Mutex::new(held), Arc::new(AtomicBool::new(false)));
    let begins = Arc::clone(&begun);
    let config = Config { drain_delay: Duration::from_millis(500), ..Config::default() };
    let mut server = start(judged_by(parts(config), move |request, _, _| {
        if request.uid == "held" {
            begins.store(true, Ordering::SeqCst);
            let _ = held.lock().unwrap().recv();
        }
        decided(Verdict::Allow, "")
    }))
    .await;
    assert_eq!(server.get("/readyz").await.unwrap().0, 200);
    let mut in_flight = server.connect().await;
    in_flight.write(request("/validate/fail?timeout=20s", &review("held", &pod("a:1"))).as_bytes()).await;
    eventually("the request has begun", async || begun.load(Ordering::SeqCst)).await;
    let mut idle = server.connect().await;
    assert!(!idle.post("/validate/fail", &review("u", &pod("a:1"))).await.unwrap().closes);

    let (admission, health) = (server.admission, server.health);
    server.stop();
    eventually("unready", async || server.get("/readyz").await.is_some_and(|(status, _)| status == 503))
        .await;
    let (_, body) = server.get("/readyz").await.unwrap();
    assert!(body.contains("[-]serving not ready: shutting down"), "{body}");
    assert_eq!(server.get("/livez").await.unwrap().0, 200, "alive while draining");
    let response = idle.post("/validate/fail", &review("u", &pod("a:1"))).await.unwrap();
    assert_eq!(
        (response.allowed(), response.closes),
        (Some(true), true),
        "answers, and asks to go elsewhere"
    );
    idle.closed().await;
    let mut new = server.connect().await;
    let response = new.post("/validate/fail", &review("u", &pod("a:1"))).await.unwrap();
    assert_eq!((response.allowed(), response.closes), (Some(true), true), "also on new connections");

    eventually("no longer accepting", async || tokio::net::TcpStream::connect(admission).await.is_err())
        .await;
    assert!(!server.done.is_finished(), "a request is still being judged");
    drop(release);
    let response = soon("the answer to what had begun", in_flight.response()).await.unwrap();
    assert_eq!((response.allowed(), response.closes), (Some(true), true));
    soon("the end", server.done).await.unwrap();
    assert!(tokio::net::TcpStream::connect(health).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_ends_even_if_a_request_does_not() {
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let config = Config {
        drain_delay: Duration::ZERO,
        shutdown_grace: Duration::from_millis(100),
        ..Config::default()
    };
    let mut server = start(judged_by(parts(config), move |_, _, _| {
        let _ = held.lock().unwrap().recv();
        decided(Verdict::Allow, "")
    }))
    .await;
    let mut client = server.connect().await;
    client.write(request("/validate/fail?timeout=20s", &review("held", &pod("a:1"))).as_bytes()).await;
    eventually("the request has begun", async || {
        server.metric("wayguard_admission_in_flight_requests").await == 1
    })
    .await;
    server.stop();
    soon("the end", server.done).await.unwrap();
    client.closed().await;
    drop(release);
}
