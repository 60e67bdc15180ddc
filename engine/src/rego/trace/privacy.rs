//! Which values of an evaluation may be shown: those that a finding might show, by the same rule.
//!
//! Findings know where in an object a value stands; an evaluation hands values on, from variable to function to set.
//! A text of the input stays the same text in memory on that way, so it is known by its address; what a builtin makes
//! of a text that is not shown is not shown either. A number has no such place: one that was made of what is not shown
//! is known by its value, and so are its equals.

use crate::masking::{MASKED, is_private_at, printable};
use crate::value::{Number, Value};
use serde_json::{Map, Value as Json};
use std::collections::HashSet;

/// Longer texts are cut.
const TEXT: usize = 120;
/// Members of a collection that are shown.
const MEMBERS: usize = 8;
/// Collections within collections that are shown.
const DEPTH: usize = 4;
/// The most values that are looked at: whatever is beyond them is not shown.
const MOST: usize = 400_000;

/// Where a text lies, and how long it is.
type Address = (usize, usize);

/// What may not be shown.
#[derive(Debug, Default)]
pub(in crate::rego) struct Privacy {
    private: HashSet<Address>,
    /// Numbers that tell of private texts.
    numbers: HashSet<String>,
    /// Nothing is shown: the policy is about secrets.
    all: bool,
    /// Values that may yet be looked at.
    left: usize,
}

impl Privacy {
    /// `all`: nothing is shown.
    pub(in crate::rego) fn new(all: bool) -> Self {
        Self { private: HashSet::new(), numbers: HashSet::new(), all, left: MOST }
    }

    /// Notes what of a document is private. The kind of each Kubernetes object in it decides.
    pub(in crate::rego) fn learn(&mut self, document: Value<'_>) {
        self.walk(document, &mut None, &mut Vec::new());
        // What could not be looked at is not known to be harmless.
        self.all |= self.left == 0;
    }

    fn walk<'a>(&mut self, value: Value<'a>, kind: &mut Option<&'a str>, path: &mut Vec<String>) {
        let Some(left) = self.left.checked_sub(1) else { return };
        self.left = left;
        match value {
            Value::String(text) => {
                let hidden = kind.is_some_and(|kind| is_private_at(kind, path));
                if hidden && !text.is_empty() {
                    self.private.insert(address(text));
                }
            }
            // What is written without quotes by mistake is no less private.
            Value::Number(number) => {
                if kind.is_some_and(|kind| is_private_at(kind, path)) {
                    self.numbers.insert(spelled(number));
                }
            }
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    path.push(at.to_string());
                    self.walk(*item, kind, path);
                    path.pop();
                }
            }
            Value::Object(_) | Value::Map(_) => {
                let own = value
                    .get("kind")
                    .and_then(Value::as_str)
                    .filter(|_| value.get("apiVersion").is_some() || value.get("metadata").is_some());
                let (mut inner, mut start) = (own, Vec::new());
                let (kind, path) = if own.is_some() { (&mut inner, &mut start) } else { (kind, path) };
                for (key, item) in value.entries().into_iter().flatten() {
                    path.push(key.as_str().unwrap_or_default().to_owned());
                    // A review's object is one even where it does not say its kind.
                    let is_object =
                        kind.is_none() && matches!(key.as_str(), Some("object" | "oldObject" | "owner"));
                    if is_object {
                        self.walk(item, &mut Some(""), &mut Vec::new());
                    } else {
                        self.walk(item, kind, path);
                    }
                    path.pop();
                }
            }
            Value::Set(set) => set.items().iter().for_each(|item| self.walk(*item, kind, path)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// A builtin made a value of others: what is new in it is private if one of them was.
    ///
    /// A number is private only if what is private was handed over as such, or is a number itself: how many members a
    /// list has tells nothing of their texts.
    pub(in crate::rego) fn made(&mut self, of: &[Value<'_>], value: Value<'_>) {
        let nothing_private = self.private.is_empty() && self.numbers.is_empty();
        if nothing_private || matches!(value, Value::Null | Value::Bool(_)) {
            return;
        }
        let mut given = Leaves::default();
        of.iter().for_each(|value| given.collect(*value));
        let by_number = given.numbers.iter().any(|number| self.numbers.contains(number));
        let by_text = given.texts.iter().any(|text| self.private.contains(text));
        let direct = of
            .iter()
            .any(|value| matches!(value, Value::String(text) if self.private.contains(&address(text))));
        let mut new = Leaves::default();
        if by_number || by_text {
            new.collect(value);
            self.private.extend(new.texts.difference(&given.texts));
        }
        if by_number || direct {
            self.numbers.extend(new.numbers.difference(&given.numbers).cloned());
        }
    }

    /// A value as it is shown.
    pub(in crate::rego) fn shown(&self, value: Value<'_>) -> Json {
        self.at_depth(value, 0)
    }

    fn at_depth(&self, value: Value<'_>, depth: usize) -> Json {
        let items = |items: &[Value<'_>]| {
            let mut shown: Vec<Json> =
                items.iter().take(MEMBERS).map(|item| self.at_depth(*item, depth + 1)).collect();
            if items.len() > MEMBERS {
                shown.push(Json::String(format!("… {} more", items.len() - MEMBERS)));
            }
            Json::Array(shown)
        };
        match value {
            Value::Null | Value::Bool(_) => value.to_serde(),
            _ if self.all => Json::String(MASKED.into()),
            Value::Number(number) if self.numbers.contains(&spelled(number)) => Json::String(MASKED.into()),
            Value::Number(_) => value.to_serde(),
            Value::String(text) if self.private.contains(&address(text)) => Json::String(MASKED.into()),
            Value::String(text) => Json::String(printable(text, TEXT)),
            _ if depth >= DEPTH => Json::String("…".into()),
            Value::Array(all) => items(all),
            Value::Set(set) => items(set.items()),
            Value::Object(_) | Value::Map(_) => {
                let mut shown = Map::new();
                let all = || value.entries().into_iter().flatten();
                for (key, item) in all().take(MEMBERS) {
                    let name = match self.at_depth(key, depth + 1) {
                        Json::String(text) => text,
                        other => other.to_string(),
                    };
                    shown.insert(name, self.at_depth(item, depth + 1));
                }
                let count = all().count();
                if count > MEMBERS {
                    shown.insert("…".into(), Json::String(format!("{} more", count - MEMBERS)));
                }
                Json::Object(shown)
            }
        }
    }
}

fn address(text: &str) -> Address {
    (text.as_ptr() as usize, text.len())
}

/// A number as it is known: `5` and `5.0` are one.
fn spelled(number: Number<'_>) -> String {
    number.as_int().map_or_else(|| number.to_string(), |whole| whole.to_string())
}

/// The texts and numbers that a value is made of.
#[derive(Default)]
struct Leaves {
    texts: HashSet<Address>,
    numbers: HashSet<String>,
}

impl Leaves {
    fn collect(&mut self, value: Value<'_>) {
        match value {
            Value::String(text) => {
                self.texts.insert(address(text));
            }
            Value::Number(number) => {
                self.numbers.insert(spelled(number));
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(*item)),
            Value::Set(set) => set.items().iter().for_each(|item| self.collect(*item)),
            Value::Object(_) | Value::Map(_) => {
                for (key, item) in value.entries().into_iter().flatten() {
                    self.collect(key);
                    self.collect(item);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}
