//! What the log says, and what it never says.

use super::fixture::{pod, post, review, rig};
use crate::Path;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that was logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn begin(&self, level: tracing::Level) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_writer(self.clone())
            .with_ansi(false)
            .with_max_level(level)
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

const CANARY: &str = "canary-5f3759df";

fn pod_with_secrets() -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"web","annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"{CANARY}"}}}},"spec":{{"containers":[{{"name":"web","image":"web:latest","args":["--token={CANARY}"],"env":[{{"name":"PASSWORD","value":"{CANARY}"}}]}}]}}}}"#
    )
}

#[tokio::test]
async fn one_line_says_what_was_asked_and_how_it_ended() {
    let (rig, log) = (rig(), Log::default());
    let _guard = log.begin(tracing::Level::INFO);
    rig.post(Path::Fail, review("u-1", &pod("web:latest"))).await;
    let text = log.text();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains("admission{"), "what the span knows is in the line: {text}");
    for field in [
        r#"user="ada""#,
        "policies=latest ",
        "findings=1 ",
        "dry_run=false",
        r#"decision_id=""#,
        r#"set_digest=""#,
        r#"path="/validate/fail""#,
        r#"uid="u-1""#,
        r#"kind="Pod""#,
        r#"namespace="team-a""#,
        r#"name="web""#,
        r#"operation="CREATE""#,
        r#"decision="deny""#,
        "duration_ms=",
        "denied",
    ] {
        assert!(text.contains(field), "{field} in {text}");
    }
}

#[tokio::test]
async fn planted_credentials_appear_in_no_line_no_span_and_no_metric() {
    let (rig, log) = (rig(), Log::default());
    let _guard = log.begin(tracing::Level::TRACE);
    for path in Path::ALL {
        rig.post(path, review("u", &pod_with_secrets())).await;
        rig.post(path, review("u", &format!("{{\"{CANARY}\":{CANARY}}}"))).await;
        rig.post(path, format!("{CANARY} is no JSON")).await;
        rig.post(path, review("u", &pod_with_secrets()).replace("CREATE", "UPDATE")).await;
    }
    assert!(log.text().contains("denied"));
    assert!(!log.text().contains(CANARY), "{}", log.text());
    assert!(!rig.get("/metrics").await.text().contains(CANARY));
}

#[tokio::test]
async fn replies_mask_values_of_the_environment() {
    let rig = rig();
    let reply = rig.post(Path::Ignore, review("u", &pod_with_secrets())).await;
    let response = reply.review("u");
    assert_eq!(response["allowed"], false, "{response}");
    assert!(
        response["status"]["message"].as_str().unwrap().contains("spec.containers[web].env"),
        "{response}"
    );
    assert!(!reply.text().contains(CANARY), "{response}");
}

#[tokio::test]
async fn names_cannot_forge_lines() {
    let (rig, log) = (rig(), Log::default());
    let _guard = log.begin(tracing::Level::INFO);
    let forged = review("u\\n1", &pod("web:latest")).replace(
        r#""name":"web","namespace":"team-a""#,
        r#""name":"web\nINFO admitted\u001b[2J","namespace":"a\r\nb""#,
    );
    rig.post(Path::Fail, forged).await.review("u\n1");
    let named = review("u", &pod("web:latest"))
        .replace(r#""username":"ada""#, r#""username":"ada\nINFO admitted\u202e""#);
    rig.post(Path::Fail, named).await.review("u");
    let huge = review("u", &pod("web:latest"))
        .replace(r#""namespace":"team-a""#, &format!(r#""namespace":"{}""#, "n".repeat(1 << 20)));
    rig.post(Path::Fail, huge).await.review("u");
    let text = log.text();
    assert!(text.contains("ada\\\\nINFO"), "the user is named, and harmless: {text:.2000}");
    assert_eq!(text.lines().count(), 3, "{text:.2000}");
    assert!(!text.contains('\u{1b}') && text.len() < 6000, "{text:.2000}");
}

#[tokio::test]
async fn a_line_names_the_trace_of_the_api_server() {
    let (rig, log) = (rig(), Log::default());
    let _guard = log.begin(tracing::Level::INFO);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut request = post(Path::Fail.url(), review("u", &pod("web:latest")));
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    request.headers_mut().insert("traceparent", parent.parse().unwrap());
    rig.send(request).await.review("u");
    assert!(log.text().contains(&format!("trace_id=\"{trace}\"")), "{}", log.text());
}

#[tokio::test]
async fn a_mutation_is_told_and_a_plain_allow_is_not() {
    let (rig, log) = (rig(), Log::default());
    let _guard = log.begin(tracing::Level::INFO);
    rig.post(Path::Fail, review("u", &pod("web:1"))).await.review("u");
    assert_eq!(log.text(), "");
    rig.post(Path::Mutate, review("u", &pod("web:1"))).await.review("u");
    let text = log.text();
    assert!(text.contains("admitted with changes") && !text.contains("changes=0"), "{text}");
}
