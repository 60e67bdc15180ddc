//! What the tests stand on: a policy set from inline Rego, reviews as the API server writes them (uid and kind
//! before the object), a server in process, judges with faults.

use crate::server::Assembled;
use crate::{BoxFuture, Config, FactSource, Judge, Parts, Path, PolicySource};
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bumpalo::Bump;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};
use tower::ServiceExt;
use wayguard_engine::facts::Fact;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::{Context, Decision, FactKey, Facts, Outcome, PolicySet, PolicySetBuilder, Verdict};

/// Denies images tagged `latest`.
pub(crate) const LATEST: &str = r#"# METADATA
# scope: package
# title: No moving tags
# description: An image tag that moves cannot be rolled back.
# custom:
#   severity: medium
#   category: images
#   remedy: pin the tag
package images.latest

deny contains {"path": path, "found": container.image, "expected": "pinned to a tag"} if {
	some index, container in input.review.object.spec.containers
	endswith(container.image, ":latest")
	path := sprintf("/spec/containers/%d/image", [index])
}
"#;

/// Denies containers without a memory limit, and names a literal of the environment as what it found.
pub(crate) const LITERALS: &str = r#"# METADATA
# scope: package
# title: No literals
# description: Values of the environment come from Secrets.
# custom:
#   severity: high
#   category: secrets
#   remedy: use a Secret
package secrets.literals

deny contains {"path": path, "found": variable.value, "expected": "taken from a Secret"} if {
	some index, container in input.review.object.spec.containers
	some position, variable in container.env
	variable.value != ""
	path := sprintf("/spec/containers/%d/env/%d/value", [index, position])
}
"#;

/// Sets `automountServiceAccountToken` where it is absent.
pub(crate) const TOKEN: &str = r#"# METADATA
# scope: package
# title: No token
# description: Most Pods never call the API server.
# custom:
#   severity: low
#   category: defaults
#   remedy: set it
package defaults.token

defaults contains {"path": "/spec/automountServiceAccountToken", "value": false}
"#;

pub(crate) fn policy(rego: &str, more: Value) -> Value {
    let mut spec = json!({
        "source": {"rego": rego},
        "match": {"resourceRules": [{
            "apiGroups": [""], "apiVersions": ["*"], "resources": ["pods"], "operations": ["CREATE", "UPDATE"],
        }]},
    });
    if let (Some(spec), Value::Object(more)) = (spec.as_object_mut(), more) {
        spec.extend(more);
    }
    spec
}

pub(crate) fn policy_set(policies: &[(&str, Value)]) -> Arc<PolicySet> {
    let mut builder = PolicySetBuilder::new(library(), SetConfig::default());
    for (name, spec) in policies {
        builder.policy(name, serde_json::from_value(spec.clone()).unwrap(), "test", None);
    }
    let set = builder.build();
    let failures: Vec<String> =
        set.failures().iter().flat_map(|failure| &failure.errors).map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    Arc::new(set)
}

pub(crate) fn library() -> Arc<Library> {
    Arc::new(Library::from_files(std::collections::BTreeMap::new()))
}

/// The set of most tests: `latest` in the Fail group, `literals` in the Ignore group, `token` mutates.
pub(crate) fn usual_set() -> Arc<PolicySet> {
    policy_set(&[
        ("latest", policy(LATEST, json!({}))),
        ("literals", policy(LITERALS, json!({"onError": "Allow"}))),
        ("token", policy(TOKEN, json!({}))),
    ])
}

/// A review of the creation of an object, members in the API server's order.
pub(crate) fn review(uid: &str, object: &str) -> String {
    review_of(uid, "CREATE", ("", "v1", "Pod", "pods"), object, "null")
}

pub(crate) fn review_of(
    uid: &str,
    operation: &str,
    (group, version, kind, resource): (&str, &str, &str, &str),
    object: &str,
    old_object: &str,
) -> String {
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"{uid}","kind":{{"group":"{group}","version":"{version}","kind":"{kind}"}},"resource":{{"group":"{group}","version":"{version}","resource":"{resource}"}},"name":"web","namespace":"team-a","operation":"{operation}","userInfo":{{"username":"ada","groups":["system:authenticated"]}},"object":{object},"oldObject":{old_object},"dryRun":false}}}}"#
    )
}

pub(crate) fn pod(image: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "team-a"},
        "spec": {"containers": [{"name": "web", "image": image}]},
    })
    .to_string()
}

/// A server without ports.
pub(crate) struct Rig {
    pub(crate) admission: Router,
    pub(crate) health: Router,
    pub(crate) policies: Arc<PolicySource>,
    pub(crate) assembled: Assembled,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The `response` of an AdmissionReview; asserts what every one of ours must be.
    pub(crate) fn review(&self, uid: &str) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        assert_eq!(self.headers["content-type"], "application/json");
        let review: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(review["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(review["kind"], "AdmissionReview");
        assert_eq!(review["response"]["uid"], uid);
        assert!(review["response"]["allowed"].is_boolean());
        review["response"].clone()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Asserts the explicit answer of this path to what was not judged: code and words of a denial, or the same
    /// words as a warning.
    pub(crate) fn assert_unjudged(&self, path: Path, uid: &str, code: u16, words: &str) {
        let response = self.review(uid);
        if path.admits_unjudged() {
            assert_eq!(response["allowed"], true, "{path:?}");
            assert!(response.get("patch").is_none());
            let warning = response["warnings"][0].as_str().unwrap_or_default();
            assert!(warning.starts_with("wayguard admitted this without judging it: "), "{warning}");
            assert!(warning.contains(words), "{warning}");
        } else {
            assert_eq!(response["allowed"], false, "{path:?}");
            assert_eq!(response["status"]["code"], code);
            let message = response["status"]["message"].as_str().unwrap_or_default();
            assert!(message.starts_with("denied by wayguard without judging it: "), "{message}");
            assert!(message.contains(words), "{message}");
        }
    }
}

/// Parts for a server in process; its TLS configuration is never used.
pub(crate) fn parts(config: Config) -> Parts {
    let (tls, expiry) = super::loopback::self_signed();
    let policies = Arc::new(PolicySource::new());
    policies.replace(usual_set());
    Parts { config, ..Parts::new(tls, expiry, policies, library()) }
}

pub(crate) fn rig() -> Rig {
    rig_of(parts(Config::default()))
}

pub(crate) fn rig_of(parts: Parts) -> Rig {
    let policies = Arc::clone(&parts.policies);
    let assembled = Assembled::new(parts).unwrap();
    Rig {
        admission: crate::admission::router(Arc::clone(&assembled.admission)),
        health: crate::health::router(Arc::clone(&assembled.health)),
        policies,
        assembled,
    }
}

impl Rig {
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        into_reply(self.admission.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: Path, body: impl Into<Body>) -> Reply {
        self.send(post(path.url(), body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        into_reply(self.health.clone().oneshot(request).await.unwrap()).await
    }

    /// The value of a sample in `/metrics`, by its name and labels as written there.
    pub(crate) async fn metric(&self, sample: &str) -> Option<i64> {
        let text = self.get("/metrics").await.text();
        let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
        line.parse().ok()
    }
}

pub(crate) fn post(url: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(Method::POST).uri(url).header("content-type", "application/json");
    request.body(body.into()).unwrap()
}

async fn into_reply(response: axum::response::Response) -> Reply {
    let (parts, body) = response.into_parts();
    Reply { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
}

/// A body that arrives in pieces of unknown number.
pub(crate) struct Pieces {
    pub(crate) pieces: VecDeque<Bytes>,
    pub(crate) then: Then,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    End,
    /// Nothing more, and no end.
    Hang,
    /// The last piece, for ever.
    Repeat,
    Break,
}

impl Pieces {
    pub(crate) fn body<const N: usize>(pieces: [&str; N], then: Then) -> Body {
        Body::new(Self { pieces: pieces.map(|piece| Bytes::from(piece.to_owned())).into(), then })
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.then == Then::Repeat && self.pieces.len() == 1 {
            return Poll::Ready(self.pieces.front().cloned().map(|piece| Ok(Frame::data(piece))));
        }
        match (self.pieces.pop_front(), self.then) {
            (Some(piece), _) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            (None, Then::Hang) => Poll::Pending,
            (None, Then::Break) => Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into()))),
            (None, _) => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// A judge made of a function.
pub(crate) struct FakeJudge<F>(pub(crate) F);

impl<F> Judge for FakeJudge<F>
where
    F: Fn(&wayguard_engine::Request<'_>, &Facts, &Context) -> Outcome + Send + Sync + 'static,
{
    fn decide<'a>(
        &self,
        _: &'a Bump,
        request: &wayguard_engine::Request<'a>,
        _: &PolicySet,
        facts: &'a Facts,
        context: &Context,
    ) -> Outcome {
        (self.0)(request, facts, context)
    }
}

pub(crate) fn judged_by(
    parts: Parts,
    judge: impl Fn(&wayguard_engine::Request<'_>, &Facts, &Context) -> Outcome + Send + Sync + 'static,
) -> Parts {
    Parts { judge: Arc::new(FakeJudge(judge)), ..parts }
}

pub(crate) fn decided(verdict: Verdict, message: &str) -> Outcome {
    Outcome::Decided(Box::new(Decision {
        id: "d".into(),
        verdict,
        message: message.into(),
        findings: Vec::new(),
        warnings: Vec::new(),
        patch: Vec::new(),
        skipped: Vec::new(),
        assumed: Vec::new(),
        policies: Vec::new(),
        set_digest: "s".into(),
    }))
}

/// Facts that are never at hand.
pub(crate) struct FakeFacts<F>(pub(crate) F);

impl<F> FactSource for FakeFacts<F>
where
    F: Fn(Vec<FactKey>) -> BoxFuture<'static, Vec<(FactKey, Fact)>> + Send + Sync + 'static,
{
    fn fetch(&self, keys: Vec<FactKey>, _: Instant) -> BoxFuture<'_, Vec<(FactKey, Fact)>> {
        (self.0)(keys)
    }
}

/// Polls until `holds`, at most half a minute.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
