//! One admission request, from its head to its answer.

use crate::answer::{Answer, Ending};
use crate::body::{self, Arrival, HEAD_BYTES};
use crate::budget::{ByteBudget, Charge};
use crate::connections::Busy;
use crate::deadline::Deadline;
use crate::decision_log::{Line, log};
use crate::facts::FactSource;
use crate::judging::{Case, FACT_ROUNDS, Round, Subject, Tools, Unreadable, decode, uid_in};
use crate::metrics::Metrics;
use crate::own_kinds::{Judged, Looked, OwnKinds};
use crate::policies::PolicySource;
use crate::stamps::stamp;
use crate::trace_context::trace_id;
use crate::workers::{Pending, QueueFull, WorkerPool};
use crate::{Config, Path};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use axum::http::{Request, Response, StatusCode};
use axum::routing::post;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;
use wayguard_engine::facts::Fact;
use wayguard_engine::{FactKey, Facts, Verdict};

/// What all requests share.
pub(crate) struct Admission {
    pub(crate) config: Config,
    pub(crate) policies: Arc<PolicySource>,
    pub(crate) budget: Arc<ByteBudget>,
    pub(crate) pool: Arc<WorkerPool>,
    pub(crate) tools: Arc<Tools>,
    pub(crate) own_kinds: Arc<OwnKinds>,
    pub(crate) metrics: Arc<Metrics>,
}

/// The routes: POST on the four paths; other methods get 405, other paths 404, nothing ever a redirect
/// (the API server would follow it: CVE-2020-8561).
pub(crate) fn router(admission: Arc<Admission>) -> Router {
    let mut router = Router::new();
    for path in Path::ALL {
        let handler = move |State(admission): State<Arc<Admission>>, request: Request<Body>| async move {
            admission.answer(path, request).await
        };
        router = router.route(path.url(), post(handler));
    }
    router.with_state(admission)
}

impl Admission {
    async fn answer(&self, path: Path, request: Request<Body>) -> Response<Body> {
        let _in_flight = self.metrics.begin();
        let deadline = Deadline::from_query(request.uri().query(), self.config.default_timeout);
        // Spans are for debugging; log lines say all by themselves.
        let span = tracing::debug_span!(
            "admission",
            path = path.url(),
            uid = tracing::field::Empty,
            operation = tracing::field::Empty,
            kind = tracing::field::Empty,
            decision = tracing::field::Empty,
            decision_id = tracing::field::Empty,
        );
        let trace_id = trace_id(request.headers()).map(ToOwned::to_owned);
        let (subject, answer) = self.judge(path, request, deadline).instrument(span.clone()).await;
        let took = deadline.started.elapsed();
        self.metrics.observe(path, subject.operation, &answer, took);
        span.record("uid", &subject.uid);
        span.record("operation", subject.operation);
        span.record("kind", &subject.kind);
        span.record("decision", answer.ending.as_str());
        if let Some(decision) = &answer.decision {
            span.record("decision_id", &decision.id);
        }
        let trace_id = trace_id.as_deref().unwrap_or_default();
        let duration_ms = took.as_secs_f64() * 1000.0;
        span.in_scope(|| log(&Line { path, subject: &subject, trace_id, duration_ms }, &answer));
        answer.into_response()
    }

    async fn judge(&self, path: Path, request: Request<Body>, deadline: Deadline) -> (Subject, Answer) {
        if let Some(answer) = refuse_by_headers(request.headers()) {
            return (Subject::default(), answer);
        }
        let busy = request.extensions().get::<Arc<Busy>>().cloned();
        let by = deadline.at.min(Instant::now() + self.config.body_timeout);
        let limit = self.config.body_limit;
        let (head, rest, ending, problem) =
            match body::read(request.into_body(), limit, &self.budget, by).await {
                Arrival::Whole(bytes, charge) => return self.judge_body(path, bytes, charge, deadline).await,
                Arrival::TooLarge(head, rest) => {
                    let problem = format!("the review is larger than {} MiB", limit >> 20);
                    (head, Some(rest), Ending::TooLarge, problem)
                }
                Arrival::OverBudget(head, rest) => {
                    let problem = "too many large reviews are being judged at once; try again".to_owned();
                    (head, Some(rest), Ending::OverBudget, problem)
                }
                Arrival::Late(head) => {
                    (head, None, Ending::TimedOut, "the review had not arrived whole in time".to_owned())
                }
                Arrival::Broken => {
                    let words = "the body ended before its end";
                    return (
                        Subject::default(),
                        Answer::http(Ending::NotAdmission, StatusCode::BAD_REQUEST, words),
                    );
                }
            };
        if let Some(rest) = rest {
            tokio::spawn(body::linger(rest, busy));
        }
        unjudged(path, &head, ending, &problem)
    }

    async fn judge_body(
        &self,
        path: Path,
        bytes: Bytes,
        charge: Charge,
        deadline: Deadline,
    ) -> (Subject, Answer) {
        let Some(stage) = path.stage() else {
            return if path == Path::Stamp {
                self.stamp(bytes, charge, deadline).await
            } else {
                self.judge_own(bytes, charge, deadline).await
            };
        };
        let head = head_of(&bytes);
        let Some(set) = self.policies.current() else {
            // Before readiness nothing is admitted by us: where the group's answer would be an allow, the
            // failure policy of the registration decides, not we.
            let words = "no policy set has been loaded yet; the server is not ready";
            if path.admits_unjudged() {
                let answer = Answer::http(Ending::NotLoaded, StatusCode::SERVICE_UNAVAILABLE, words);
                return (Subject::default(), answer);
            }
            return unjudged(path, &head, Ending::NotLoaded, words);
        };
        let facts = Facts::new();
        let charge = Arc::new(charge);
        let mut case = Case { stage, body: bytes, set, facts, deadline, rounds_left: FACT_ROUNDS };
        loop {
            let (tools, share) = (Arc::clone(&self.tools), Arc::clone(&charge));
            let waiting = tracing::debug_span!("queue");
            let round = self.pool.submit(move |arena| {
                let _judging = waiting.in_scope(|| tracing::debug_span!("evaluate")).entered();
                drop(waiting);
                let round = case.round(arena, &tools);
                drop(share);
                round
            });
            let round = match self.result(path, &head, round, deadline).await {
                Ok(round) => round,
                Err(answer) => return answer,
            };
            match round {
                Round::Judged { subject, decision, reply, place } => {
                    if let Some(place) = place {
                        place.record();
                    }
                    self.metrics.decided(&decision);
                    let answer = Answer::judged(decision.admits(stage), decision.verdict, reply);
                    return (subject, answer.by(decision));
                }
                Round::NeedsFacts(next, keys) => {
                    case = next;
                    let span = tracing::debug_span!("facts", keys = keys.len());
                    self.fetch(&mut case, keys).instrument(span).await;
                }
                Round::Endless(subject) => {
                    let problem = "the policies kept asking for more facts: a policy asks providers without end, or this is a fault of the server";
                    let answer = Answer::unjudged(path, Some(&subject.uid), Ending::FactsEndless, problem);
                    return (subject, answer);
                }
                Round::Unreadable(unreadable) => return unreadable_answer(path, unreadable),
            }
        }
    }

    /// Writes down who asks; the object's own webhook judges the rest.
    async fn stamp(&self, bytes: Bytes, charge: Charge, deadline: Deadline) -> (Subject, Answer) {
        let path = Path::Stamp;
        let head = head_of(&bytes);
        let stamped = self.pool.submit(move |arena| {
            let stamped = decode(arena, &bytes).map(|request| {
                let patch = stamp(&request).map(|stamp| stamp.patch()).unwrap_or_default();
                (Subject::of(&request), wayguard_engine::reply::admit_with_patch(request.uid, &patch))
            });
            drop(charge);
            stamped
        });
        match self.result(path, &head, stamped, deadline).await {
            Ok(Ok((subject, body))) => (subject, Answer::judged(true, Verdict::Allow, body)),
            Ok(Err(unreadable)) => unreadable_answer(path, unreadable),
            Err(answer) => answer,
        }
    }

    async fn judge_own(&self, bytes: Bytes, charge: Charge, deadline: Deadline) -> (Subject, Answer) {
        let path = Path::Own;
        let head = head_of(&bytes);
        let (tools, own_kinds) = (Arc::clone(&self.tools), Arc::clone(&self.own_kinds));
        let judged = self.pool.submit(move |arena| {
            let judged = decode(arena, &bytes).map(|request| own_kinds.judge(&request, (tools.clock)()));
            drop(charge);
            judged
        });
        let answered = |judged: Judged| {
            (judged.subject, Answer::judged(judged.verdict.admits(), judged.verdict, judged.body))
        };
        match self.result(path, &head, judged, deadline).await {
            Ok(Ok(Looked::Judged(judged))) => answered(judged),
            Ok(Ok(Looked::Elsewhere(elsewhere))) => {
                let asked = self.own_kinds.ask(elsewhere);
                match tokio::time::timeout_at(deadline.at.into(), asked).await {
                    Ok(judged) => answered(judged),
                    Err(_elapsed) => {
                        let problem = "what the object names could not be looked up in time; try again";
                        unjudged(path, &head, Ending::TimedOut, problem)
                    }
                }
            }
            Ok(Err(unreadable)) => unreadable_answer(path, unreadable),
            Err(answer) => answer,
        }
    }

    /// Waits for a worker's result until the deadline; what comes instead of it is an answer.
    async fn result<T>(
        &self,
        path: Path,
        head: &[u8],
        pending: Result<Pending<T>, QueueFull>,
        deadline: Deadline,
    ) -> Result<T, (Subject, Answer)> {
        let Ok(pending) = pending else {
            let problem = "too many reviews are waiting to be judged; try again";
            return Err(unjudged(path, head, Ending::QueueFull, problem));
        };
        match tokio::time::timeout_at(deadline.at.into(), pending.result()).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_panicked)) => {
                let problem = "the evaluation panicked, which is a fault of the server or of a policy and not of \
                               your object; the server's log names the place";
                Err(unjudged(path, head, Ending::Panicked, problem))
            }
            Err(_elapsed) => {
                let problem =
                    format!("time-out: there was no verdict within {:.1} s", deadline.whole().as_secs_f64());
                Err(unjudged(path, head, Ending::TimedOut, &problem))
            }
        }
    }

    /// Answers every key, by its value or by why there is none.
    async fn fetch(&self, case: &mut Case, keys: Vec<FactKey>) {
        let by = case.deadline.for_facts();
        let (external, others): (Vec<FactKey>, Vec<FactKey>) =
            keys.iter().cloned().partition(|key| matches!(key, FactKey::External { .. }));
        let source: Arc<dyn FactSource> = Arc::clone(&self.tools.facts);
        let (look, ask) = if tracing::enabled!(tracing::Level::DEBUG) {
            let images = others.iter().filter(|key| matches!(key, FactKey::Image { .. })).count();
            (
                tracing::debug_span!("look-ups", keys = others.len(), images),
                tracing::debug_span!("providers", keys = external.len()),
            )
        } else {
            (tracing::Span::none(), tracing::Span::none())
        };
        let saying = Arc::clone(&self.tools.providers).fetch(Arc::clone(&case.set), external, by);
        // A task of its own: a panic in a look-up is an unavailable fact, not a lost request.
        let mut fetching = tokio::spawn(async move {
            let looking =
                async { if others.is_empty() { Vec::new() } else { source.fetch(others, by).await } };
            let (mut answers, said) = tokio::join!(looking.instrument(look), saying.instrument(ask));
            answers.extend(said);
            answers
        });
        let (answers, reason) = match tokio::time::timeout_at(by.into(), &mut fetching).await {
            Ok(Ok(answers)) => (answers, "the look-up gave no answer"),
            Ok(Err(_panicked)) => (Vec::new(), "the look-up failed unexpectedly"),
            Err(_elapsed) => {
                fetching.abort();
                (Vec::new(), "the look-up took too long")
            }
        };
        for key in keys {
            case.facts.insert(key, Fact::Unavailable(reason.to_owned()));
        }
        for (key, fact) in answers {
            case.facts.insert(key, fact);
        }
    }
}

/// What HTTP itself refuses: bodies in an encoding (a compressed body can be a bomb, and the API server sends
/// none) and bodies that are no JSON.
fn refuse_by_headers(headers: &HeaderMap) -> Option<Answer> {
    let refused = |words| Answer::http(Ending::NotAdmission, StatusCode::UNSUPPORTED_MEDIA_TYPE, words);
    let plain = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if !plain {
        return Some(refused("encoded bodies are not read; send the review without Content-Encoding"));
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Some(refused("Content-Type must be application/json"));
    }
    None
}

fn head_of(bytes: &Bytes) -> Bytes {
    bytes.slice(..HEAD_BYTES.min(bytes.len()))
}

/// The answer without a verdict, to the uid that the head names.
fn unjudged(path: Path, head: &[u8], ending: Ending, problem: &str) -> (Subject, Answer) {
    let uid = uid_in(head);
    let answer = Answer::unjudged(path, uid.as_deref(), ending, problem);
    (Subject { uid: uid.unwrap_or_default(), ..Subject::default() }, answer)
}

fn unreadable_answer(path: Path, unreadable: Unreadable) -> (Subject, Answer) {
    let Unreadable { uid, problem, too_large } = unreadable;
    let ending = if too_large { Ending::TooLarge } else { Ending::Unreadable };
    let answer = Answer::unjudged(path, uid.as_deref(), ending, &problem);
    (Subject { uid: uid.unwrap_or_default(), ..Subject::default() }, answer)
}
