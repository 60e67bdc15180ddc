//! Whether somebody may do something, asked of RBAC by the policy: its rule `access` names the questions, and finds the answers in
//! `input.facts.access`, each question with `allowed` beside it.
//!
//! The questions are about the one who made the request, and about nobody else.

use super::{Case, Missing};
use crate::facts::{AccessQuestion, Fact, FactKey};
use crate::policy::compiled::{ACCESS_RULE, CompiledPolicy};
use crate::rego::World;
use crate::value::{Value, from_serde};
use serde_json::Value as Json;

/// The name of the fact, and of the rule that asks for it.
pub(super) const ACCESS: &str = ACCESS_RULE;
/// More questions of one policy about one request are a mistake.
const MOST_QUESTIONS: usize = 16;

/// What came of asking.
pub(super) enum Asked<'a> {
    /// The questions with their answers.
    Answered(Value<'a>),
    /// This origin cannot ask; why.
    Skip(String),
    /// It should be known, and is not; why.
    Fail(String),
    /// The host must be asked first.
    Wait,
}

/// Asks what the policy wants to know; `world` is what its rules see, without the answers.
pub(super) fn ask<'a>(
    case: &Case<'a, '_>,
    policy: &CompiledPolicy,
    world: World<'a>,
    missing: &mut Missing,
) -> Asked<'a> {
    let Some(entry) = policy.entry(ACCESS_RULE) else {
        return Asked::Answered(Value::Array(&[]));
    };
    let mut given = Vec::new();
    let done = policy.program.ask(vec![(ACCESS_RULE, entry)], case.arena, world, None, |_, value| {
        given.extend(super::judge::elements(value).into_iter().map(Value::to_serde));
    });
    if let Err(error) = done {
        return Asked::Fail(error.to_string());
    }
    if given.len() > MOST_QUESTIONS {
        return Asked::Fail(format!("`access` asks {} questions; at most {MOST_QUESTIONS}", given.len()));
    }
    let mut answers = Vec::with_capacity(given.len());
    let (mut waiting, mut outcome) = (false, None);
    for mut question in given {
        let asked = match read(case, &question) {
            Ok(asked) => asked,
            Err(problem) => return Asked::Fail(problem),
        };
        let key = FactKey::Access(Box::new(asked));
        match case.facts.get(&key) {
            None => {
                missing.insert(key);
                waiting = true;
            }
            Some(Fact::Known(document)) => {
                if let (Json::Object(members), Json::Object(told)) =
                    (&mut question, document.value().to_serde())
                {
                    members.extend(told);
                }
                answers.push(question);
            }
            Some(Fact::Absent) => outcome = Some(Asked::Fail("nobody answers questions about rights".into())),
            Some(Fact::Unavailable(reason)) => outcome = Some(Asked::Fail(reason.clone())),
            Some(Fact::OutOfReach(reason)) => outcome = Some(Asked::Skip(reason.clone())),
        }
    }
    match outcome {
        _ if waiting => Asked::Wait,
        Some(outcome) => outcome,
        None => Asked::Answered(from_serde(&case.arena, &Json::Array(answers))),
    }
}

/// One question as the policy wrote it, about who made the request.
fn read(case: &Case<'_, '_>, question: &Json) -> Result<AccessQuestion, String> {
    let problem = |what: &str| {
        format!(
            "`access` gave `{question}`; {what}: a question is an object with `verb`, `resource` and, where it is about one, \
             `group`, `name`, `namespace`, all of them texts"
        )
    };
    let members = question.as_object().ok_or_else(|| problem("it is no object"))?;
    let known = ["verb", "group", "resource", "name", "namespace"];
    if let Some((name, _)) =
        members.iter().find(|(name, value)| !known.contains(&name.as_str()) || !value.is_string())
    {
        return Err(problem(&format!("`{name}` is unknown or no text")));
    }
    let text = |name: &str| question.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    if text("verb").is_empty() || text("resource").is_empty() {
        return Err(problem("`verb` or `resource` is missing"));
    }
    let user = case.request.review.get("userInfo").unwrap_or_default();
    let texts = |value: Option<Value<'_>>| -> Vec<String> {
        let items = value.and_then(Value::as_array).unwrap_or_default();
        items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let extra = user.get("extra").and_then(Value::as_object).unwrap_or_default();
    Ok(AccessQuestion {
        user: case.request.user.to_owned(),
        uid: user.str_or_empty("uid").to_owned(),
        groups: texts(user.get("groups")),
        extra: extra.iter().map(|(name, values)| (name.to_owned(), texts(Some(values)))).collect(),
        verb: text("verb"),
        group: text("group"),
        resource: text("resource"),
        name: text("name"),
        namespace: text("namespace"),
    })
}
