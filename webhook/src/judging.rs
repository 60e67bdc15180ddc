//! One round of judging, on a worker's thread: bytes to value, then ask the engine until it decides or needs
//! something that must be fetched.

use crate::body::HEAD_BYTES;
use crate::deadline::Deadline;
use crate::facts::FactSource;
use crate::log_text::{LONGEST_NAME, clean};
use crate::providers::Providers;
use crate::recording::Recording;
use axum::body::Bytes;
use bumpalo::Bump;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use wayguard_engine::request::EnvelopeError;
use wayguard_engine::{Context, Decision, FactKey, Facts, Outcome, PolicySet, Request, Stage, reply};
use wayguard_history::Reserved;

/// The deciding function. Production uses [`Engine`]; tests put faults and delays in its place.
pub trait Judge: Send + Sync + 'static {
    /// As [`wayguard_engine::decide`].
    fn decide<'a>(
        &self,
        arena: &'a Bump,
        request: &Request<'a>,
        set: &PolicySet,
        facts: &'a Facts,
        context: &Context,
    ) -> Outcome;
}

/// The engine itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Engine;

impl Judge for Engine {
    fn decide<'a>(
        &self,
        arena: &'a Bump,
        request: &Request<'a>,
        set: &PolicySet,
        facts: &'a Facts,
        context: &Context,
    ) -> Outcome {
        wayguard_engine::decide(arena, request, set, facts, context)
    }
}

/// How often the engine may ask for facts. Two are needed in practice (namespace, then what the policies that
/// match there declare), and one more for each answer of a provider that decides what is asked next; a policy that
/// asks on for ever, or an engine, has a fault.
pub(crate) const FACT_ROUNDS: u8 = 16;

/// A JSON value costs up to 50 bytes in memory and as few as two in the body, and every value but the first is
/// preceded by a comma, a colon or a bracket. What the API server can send (3 MiB of object, 1.5 MiB of old
/// object) has fewer commas than this, in or outside strings; a body with more is made to exhaust memory.
const MOST_COMMAS: usize = 5 << 20;

/// A review on its way to a decision.
pub(crate) struct Case {
    pub(crate) stage: Stage,
    pub(crate) body: Bytes,
    pub(crate) set: Arc<PolicySet>,
    pub(crate) facts: Facts,
    pub(crate) deadline: Deadline,
    pub(crate) rounds_left: u8,
}

/// What every round needs besides its case.
pub(crate) struct Tools {
    pub(crate) judge: Arc<dyn Judge>,
    pub(crate) facts: Arc<dyn FactSource>,
    pub(crate) providers: Arc<Providers>,
    pub(crate) clock: Clock,
    pub(crate) evaluation_limit: Duration,
    pub(crate) recording: Option<Arc<Recording>>,
}

/// Where the time of day comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a round ended.
pub(crate) enum Round {
    /// Decided and worded; with a place in the history, if it is worth one.
    Judged { subject: Subject, decision: Box<Decision>, reply: Vec<u8>, place: Option<Reserved> },
    /// These facts must be fetched; then another round.
    NeedsFacts(Case, Vec<FactKey>),
    /// The engine has asked too often.
    Endless(Subject),
    /// No review that can be judged.
    Unreadable(Unreadable),
}

/// Why a body is no review that can be judged, and the uid to say so to, if it names one.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) uid: Option<String>,
    pub(crate) problem: String,
    pub(crate) too_large: bool,
}

/// Whom a request is about, fit for a log line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) uid: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) operation: &'static str,
    pub(crate) user: String,
    pub(crate) dry_run: bool,
}

impl Subject {
    pub(crate) fn of(request: &Request<'_>) -> Self {
        let kind = match request.sub_resource {
            "" => request.kind.kind.to_owned(),
            sub_resource => format!("{}/{sub_resource}", request.kind.kind),
        };
        Self {
            uid: request.uid.to_owned(),
            kind: clean(&kind, LONGEST_NAME),
            namespace: clean(request.namespace, LONGEST_NAME),
            name: clean(request.name, LONGEST_NAME),
            operation: request.operation.as_str(),
            user: clean(request.user, LONGEST_NAME),
            dry_run: request.dry_run,
        }
    }
}

/// Decodes a body.
pub(crate) fn decode<'a>(arena: &'a Bump, body: &'a [u8]) -> Result<Request<'a>, Unreadable> {
    let head = || body.get(..HEAD_BYTES.min(body.len())).and_then(uid_in);
    let commas = || body.iter().fold(0, |count, byte| count + usize::from(*byte == b','));
    if body.len() > MOST_COMMAS && commas() > MOST_COMMAS {
        let problem = format!("the review has more than {MOST_COMMAS} values");
        return Err(Unreadable { uid: head(), problem, too_large: true });
    }
    Request::from_review(&arena, body).map_err(|error| match error {
        EnvelopeError::Unjudgeable { uid, problem } => {
            Unreadable { uid: Some(uid), problem: clean(&problem, LONGEST_NAME), too_large: false }
        }
        // Nesting that the API server accepts and we do not is in the requester's hands: an explicit answer.
        EnvelopeError::NotJson(_) => Unreadable { uid: head(), problem: error.to_string(), too_large: false },
        EnvelopeError::NotAReview { .. } | EnvelopeError::NoUid => {
            Unreadable { uid: None, problem: clean(&error.to_string(), LONGEST_NAME), too_large: false }
        }
    })
}

/// The uid that the head of a review names.
pub(crate) fn uid_in(head: &[u8]) -> Option<String> {
    reply::envelope_head(head).map(|head| head.uid).filter(|uid| !uid.is_empty())
}

impl Case {
    /// Judges until there is a decision or a fact is not at hand.
    pub(crate) fn round(mut self, arena: &Bump, tools: &Tools) -> Round {
        // A second handle on the same bytes: the values borrow from this one while the case moves on.
        let body = self.body.clone();
        let request = match decode(arena, &body) {
            Ok(request) => request,
            Err(unreadable) => return Round::Unreadable(unreadable),
        };
        loop {
            let context = Context {
                stage: self.stage,
                now: (tools.clock)(),
                time_limit: self.deadline.for_evaluation(tools.evaluation_limit),
            };
            let wanted = match tools.judge.decide(arena, &request, &self.set, &self.facts, &context) {
                Outcome::Decided(mut decision) => {
                    if let Some(age) = tools.facts.stale() {
                        say_stale(&mut decision, age);
                    }
                    let recording = tools.recording.as_ref();
                    let place =
                        recording.and_then(|it| it.reserve(&request, &mut decision, self.stage, context.now));
                    let reply = reply::reply(request.uid, &decision, self.stage);
                    return Round::Judged { subject: Subject::of(&request), decision, reply, place };
                }
                Outcome::NeedsFacts(wanted) => wanted,
            };
            if self.rounds_left == 0 {
                return Round::Endless(Subject::of(&request));
            }
            self.rounds_left -= 1;
            let mut missing = Vec::new();
            for key in wanted {
                let known = match &key {
                    FactKey::External { provider, keys } => {
                        tools.providers.at_hand(&self.set, provider, keys)
                    }
                    key => tools.facts.at_hand(key),
                };
                match known {
                    Some(fact) => self.facts.insert(key, fact),
                    None => missing.push(key),
                }
            }
            if !missing.is_empty() {
                return Round::NeedsFacts(self, missing);
            }
        }
    }
}

/// Says in the answer, and in the audit log, on how old a state of the cluster it rests.
fn say_stale(decision: &mut Decision, age: Duration) {
    let seconds = age.as_secs();
    let age = if seconds < 120 { format!("{seconds} seconds") } else { format!("{} minutes", seconds / 60) };
    let words = format!(
        "wayguard judged this by policies and namespaces as they were {age} ago: its server has no contact to the API server"
    );
    decision.warnings.push(words.clone());
    decision.assumed.push(words);
}
