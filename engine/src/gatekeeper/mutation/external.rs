//! `assign.externalData`: a placeholder while mutators run, and what a provider says of its key afterwards.

use crate::facts::{Fact, FactKey, Facts};
use crate::value::{Object, Value};
use bumpalo::Bump;
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Whom to ask, for what, and what if there is no answer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExternalData {
    pub(crate) provider: String,
    #[serde(default)]
    pub(crate) data_source: DataSource,
    #[serde(default)]
    failure_policy: FailurePolicy,
    #[serde(default)]
    default: String,
}

/// What the provider is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum DataSource {
    /// The text at the location; empty: nothing is there.
    #[default]
    ValueAtLocation,
    /// Who sent the request.
    Username,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum FailurePolicy {
    /// The request is refused.
    #[default]
    Fail,
    /// Nothing is written.
    Ignore,
    /// `default` is written.
    UseDefault,
}

/// What mutators know beyond the object.
pub(crate) struct Outside<'a> {
    pub(crate) facts: &'a Facts,
    /// Who sent the request.
    pub(crate) user: &'a str,
    /// What providers must be asked first.
    pub(crate) missing: RefCell<BTreeSet<FactKey>>,
}

/// An object in which providers' answers stand.
#[derive(Debug)]
pub(crate) struct Resolved<'a> {
    pub(crate) object: Value<'a>,
    /// Mutators that refuse the request for want of an answer, and why.
    pub(crate) refusals: Vec<(String, String)>,
    /// Mutators that this origin cannot apply, and why.
    pub(crate) skipped: Vec<(String, String)>,
}

impl ExternalData {
    /// What is wrong with it.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.provider.is_empty() {
            return Some("`externalData.provider` is missing");
        }
        (self.failure_policy == FailurePolicy::UseDefault && self.default.is_empty())
            .then_some("`failurePolicy: UseDefault` needs a `default`")
    }

    /// What stands at the location until the provider has answered; `old` is what stands there now.
    pub(crate) fn placeholder<'a>(
        &self,
        arena: &'a Bump,
        mutator: &str,
        old: Option<Value<'a>>,
        user: &'a str,
    ) -> Result<Value<'a>, String> {
        let before = match old {
            None => Value::Null,
            Some(Value::String(text)) => Value::String(text),
            Some(other) => match Placeholder::read(other) {
                Some(placeholder) => placeholder.before,
                None => return Err(format!("a {} stands where a text was expected", other.type_name())),
            },
        };
        let key = match self.data_source {
            DataSource::ValueAtLocation => before.as_str().unwrap_or_default(),
            DataSource::Username => user,
        };
        let policy = match self.failure_policy {
            FailurePolicy::Fail => FAIL,
            FailurePolicy::Ignore => IGNORE,
            FailurePolicy::UseDefault => USE_DEFAULT,
        };
        let parts = [
            Value::String(arena.alloc_str(&self.provider)),
            Value::String(key),
            before,
            Value::String(policy),
            Value::String(arena.alloc_str(&self.default)),
            Value::String(arena.alloc_str(mutator)),
        ];
        // No object that came as JSON has `null` for a key.
        Ok(Value::object(&arena, vec![(Value::Null, Value::Array(arena.alloc_slice_copy(&parts)))]))
    }
}

const FAIL: &str = "Fail";
const IGNORE: &str = "Ignore";
const USE_DEFAULT: &str = "UseDefault";

#[derive(Clone, Copy)]
struct Placeholder<'a> {
    provider: &'a str,
    key: &'a str,
    /// What stood at the location; `null`: nothing.
    before: Value<'a>,
    policy: &'a str,
    default: &'a str,
    mutator: &'a str,
}

impl<'a> Placeholder<'a> {
    fn read(value: Value<'a>) -> Option<Self> {
        let Value::Map(map) = value else { return None };
        let [provider, key, before, policy, default, mutator] = map.get(Value::Null)?.as_array()? else {
            return None;
        };
        Some(Self {
            provider: provider.as_str()?,
            key: key.as_str()?,
            before: *before,
            policy: policy.as_str()?,
            default: default.as_str()?,
            mutator: mutator.as_str()?,
        })
    }

    /// What is written if nothing is: `None` where nothing stood.
    fn undone(self) -> Option<Value<'a>> {
        (!self.before.is_null()).then_some(self.before)
    }
}

/// The value with something in the place of each placeholder; `None`: nothing.
fn replaced<'a>(
    arena: &'a Bump,
    value: Value<'a>,
    by: &mut impl FnMut(Placeholder<'a>) -> Option<Value<'a>>,
) -> Option<Value<'a>> {
    if let Some(placeholder) = Placeholder::read(value) {
        return by(placeholder);
    }
    match value {
        Value::Object(object) => {
            let members: Vec<_> = object
                .iter()
                .filter_map(|(name, member)| Some((name, replaced(arena, member, by)?)))
                .collect();
            let same = members.len() == object.len()
                && members.iter().all(|(name, member)| object.get(name).is_some_and(|old| old == *member));
            Some(if same { value } else { Value::Object(Object::new(&arena, members)) })
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(|item| replaced(arena, *item, by)).collect();
            Some(if Value::Array(&items) == value {
                value
            } else {
                Value::Array(arena.alloc_slice_copy(&items))
            })
        }
        scalar => Some(scalar),
    }
}

/// The object as it is without the answers of providers.
pub(crate) fn without_answers<'a>(arena: &'a Bump, object: Value<'a>) -> Value<'a> {
    replaced(arena, object, &mut Placeholder::undone).unwrap_or(object)
}

/// Puts the answers of providers in their places: each provider is asked once, for all keys. What is not known yet is
/// noted as missing, and nothing is written for the moment.
pub(crate) fn resolve<'a>(arena: &'a Bump, object: Value<'a>, outside: &Outside<'a>) -> Resolved<'a> {
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    // Only looked at: what is made of it is dropped.
    let _ = replaced(arena, object, &mut |placeholder| {
        keys.entry(placeholder.provider).or_default().insert(placeholder.key);
        None
    });
    let asked = keys.into_iter().map(|(provider, keys)| {
        let list = keys.into_iter().map(str::to_owned).collect();
        let key = FactKey::External { provider: provider.to_owned(), keys: list };
        let fact = outside.facts.get(&key);
        if fact.is_none() {
            outside.missing.borrow_mut().insert(key);
        }
        (provider, fact)
    });
    let said: BTreeMap<&str, Option<&Fact>> = asked.collect();
    let (mut refusals, mut skipped) = (Vec::new(), Vec::new());
    let note = |list: &mut Vec<(String, String)>, mutator: &str, reason: String| {
        if !list.iter().any(|(known, _)| known == mutator) {
            list.push((mutator.to_owned(), reason));
        }
    };
    let resolved = replaced(arena, object, &mut |placeholder| {
        let provider = placeholder.provider;
        let answer = match said.get(provider).copied().flatten() {
            None => return placeholder.undone(),
            Some(Fact::OutOfReach(reason)) => {
                note(&mut skipped, placeholder.mutator, reason.clone());
                return placeholder.undone();
            }
            Some(Fact::Unavailable(reason)) => Err(reason.clone()),
            Some(Fact::Absent) => Err("there is no such provider".to_owned()),
            Some(Fact::Known(document)) => value_of(document.value(), placeholder.key),
        };
        match (answer, placeholder.policy) {
            (Ok(value), _) => Some(Value::String(value)),
            (Err(_), USE_DEFAULT) => Some(Value::String(placeholder.default)),
            (Err(_), IGNORE) => placeholder.undone(),
            (Err(reason), _) => {
                note(&mut refusals, placeholder.mutator, format!("provider `{provider}`: {reason}"));
                placeholder.undone()
            }
        }
    });
    Resolved { object: resolved.unwrap_or(object), refusals, skipped }
}

/// What an answer has for a key.
fn value_of<'a>(document: Value<'a>, key: &str) -> Result<&'a str, String> {
    let answer = document.get("answer").unwrap_or_default();
    let problem = answer.str_or_empty("system_error").trim();
    if !problem.is_empty() {
        return Err(problem.to_owned());
    }
    if document.get("idempotent") != Some(Value::Bool(true)) {
        return Err("it does not say that it would answer the same again (`idempotent`)".to_owned());
    }
    let said = |list: &str| {
        let pairs = answer.get(list).and_then(Value::as_array).unwrap_or_default();
        pairs.iter().rev().find_map(|pair| match pair.as_array()? {
            [name, value] if *name == Value::String(key) => Some(*value),
            _ => None,
        })
    };
    if let Some(Value::String(error)) = said("errors") {
        return Err(error.to_owned());
    }
    match said("responses") {
        Some(Value::String(value)) => Ok(value),
        Some(other) => Err(format!("its value is a {}, not a text", other.type_name())),
        None => Err("it says nothing of the value".to_owned()),
    }
}
