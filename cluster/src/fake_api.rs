//! An API server for tests: a function from requests to answers behind the real client.

use crate::client::Client;
use http::{Request, Response};
use kube::client::Body;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

/// What was asked: `GET /api/v1/namespaces?limit=500`.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// A client whose API server is this function: request line and body in, status and body out.
pub(crate) fn client(answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static) -> (Client, Log) {
    let log = Log::default();
    let seen = Arc::clone(&log);
    let answer = Arc::new(answer);
    let service = tower::service_fn(move |request: Request<Body>| {
        let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            let body = request.into_body().collect_bytes().await.unwrap_or_default();
            let (status, text) = answer(&line, &String::from_utf8_lossy(&body));
            seen.lock().unwrap().push(line);
            Ok::<_, Infallible>(
                Response::builder().status(status).body(Body::from(text.into_bytes())).unwrap(),
            )
        }
    });
    (Client::new(service, "default"), log)
}

/// A `Status` as the API server answers failures.
pub(crate) fn failure(code: u16, reason: &str, message: &str) -> (u16, String) {
    let status = serde_json::json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message,
    });
    (code, status.to_string())
}

/// Waits until something holds, at most five seconds.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let limit = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    while !holds() {
        assert!(tokio::time::Instant::now() < limit, "in vain: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
