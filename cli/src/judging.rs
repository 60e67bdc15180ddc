//! Asking the engine about an object that no API server has sent: the host's side of the conversation.

use crate::knowledge::Knowledge;
use bumpalo::Bump;
use std::time::Duration;
use wayguard_engine::request::ObjectRequest;
use wayguard_engine::story::Story;
use wayguard_engine::value::{Document, PatchOperation, Pointer, Value, from_serde, remove, set};
use wayguard_engine::{
    Context, Decision, Facts, Outcome, PolicySet, Request, Stage, decide_at_once, explain, settle,
};

/// For all Rego of one object. More than the admission server gives: nobody waits at a terminal of an API server, and
/// a busy machine must not fail a build.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Policies have asked for everything by then, also where the answer of a provider decides what is asked next.
const MAX_ROUNDS: usize = 17;

/// What is said of an engine that is never content.
const ENDLESS: &str = "the engine kept asking for facts; this is a bug";

/// Decides about one object.
///
/// # Errors
/// If it cannot be made into a request, or the engine keeps asking: what is wrong, in words.
pub(crate) fn judge(
    set: &PolicySet,
    object: ObjectRequest<'_>,
    stage: Stage,
    knowledge: &Knowledge,
) -> Result<Decision, String> {
    judge_at(set, object, stage, knowledge, jiff::Timestamp::now(), TIME_LIMIT)
}

/// As [`judge`], at a time of one's own, and within one.
///
/// # Errors
/// As [`judge`].
pub(crate) fn judge_at(
    set: &PolicySet,
    object: ObjectRequest<'_>,
    stage: Stage,
    knowledge: &Knowledge,
    now: jiff::Timestamp,
    limit: Duration,
) -> Result<Decision, String> {
    let context = Context { stage, now, time_limit: limit };
    decide_at_once(object, set, &context, None, &|keys, facts| knowledge.answer(keys, facts))
}

/// Decides about one object as [`judge_at`] does, and tells how.
///
/// # Errors
/// As [`judge`].
pub(crate) fn explained(
    set: &PolicySet,
    object: ObjectRequest<'_>,
    knowledge: &Knowledge,
    now: jiff::Timestamp,
) -> Result<(Decision, Story), String> {
    let bump = Bump::new();
    let request = Request::for_object(&&bump, object)?;
    let context = Context { stage: Stage::Whole, now, time_limit: TIME_LIMIT };
    let mut facts = Facts::new();
    for _ in 0..MAX_ROUNDS {
        match explain(&bump, &request, set, &facts, &context) {
            (Outcome::Decided(decision), story) => return Ok((*decision, story)),
            (Outcome::NeedsFacts(keys), _) => knowledge.answer(keys, &mut facts),
        }
    }
    Err(ENDLESS.to_owned())
}

/// Decides about a request.
///
/// # Errors
/// If the engine keeps asking.
pub(crate) fn judge_request(
    bump: &Bump,
    set: &PolicySet,
    request: &Request<'_>,
    stage: Stage,
    knowledge: &Knowledge,
) -> Result<Decision, String> {
    let context = Context { stage, now: jiff::Timestamp::now(), time_limit: TIME_LIMIT };
    settle(bump, request, set, &context, None, &|keys, facts| knowledge.answer(keys, facts))
}

/// An object after a patch of the engine.
///
/// # Errors
/// If the patch does not fit the object: which place, in words.
pub(crate) fn patched(object: Value<'_>, patch: &[PatchOperation]) -> Result<Document, String> {
    let bump = Bump::new();
    let arena = &&bump;
    let mut value = object.copy_into(arena);
    for operation in patch {
        let path = operation.path();
        let pointer = Pointer::parse(path).ok_or_else(|| format!("`{path}` is no JSON Pointer"))?;
        value = match operation {
            PatchOperation::Add { value: new, .. } | PatchOperation::Replace { value: new, .. } => {
                set(arena, value, &pointer, from_serde(arena, new)).map_err(|error| error.to_string())?
            }
            PatchOperation::Remove { .. } => remove(arena, value, &pointer),
        };
    }
    Ok(Document::from_value(value))
}
