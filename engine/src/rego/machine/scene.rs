//! What rules see: the input, replaced documents and functions, and what rules gave under these.

use crate::rego::builtins::Builtin;
use crate::rego::compile::code::RuleId;
use crate::value::Value;
use bumpalo::Bump;

/// What is known of a rule.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known<'a> {
    Unknown,
    /// It is being evaluated.
    Running,
    /// It hangs on something that is not known yet.
    Unsure,
    Is(Option<Value<'a>>),
}

/// A function that is replaced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Replaced {
    Rule(RuleId),
    Builtin(&'static str),
}

/// What stands for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum By<'a> {
    Rule(RuleId),
    Document(RuleId),
    Builtin(&'static Builtin),
    Value(Value<'a>),
}

/// One state of the world; `with` makes another.
#[derive(Debug, Default)]
pub(super) struct Scene<'a> {
    pub(super) input: Option<Value<'a>>,
    /// Documents that stand over base documents.
    pub(super) over: Option<Value<'a>>,
    /// The paths below `data` that are replaced: nothing below them comes from rules or base documents.
    pub(super) targets: Vec<&'a [Value<'a>]>,
    pub(super) mocks: Vec<(Replaced, By<'a>)>,
    pub(super) known: Vec<Known<'a>>,
}

impl<'a> Scene<'a> {
    /// The scene of an evaluation; `known` is an empty list.
    pub(super) fn new(input: Option<Value<'a>>, mut known: Vec<Known<'a>>, rules: usize) -> Self {
        known.resize(rules, Known::Unknown);
        Self { input, known, ..Self::default() }
    }

    /// This scene with nothing known.
    pub(super) fn afresh(&self) -> Self {
        Self {
            input: self.input,
            over: self.over,
            targets: self.targets.clone(),
            mocks: self.mocks.clone(),
            known: vec![Known::Unknown; self.known.len()],
        }
    }

    /// Whether a path is replaced, itself or with more.
    pub(super) fn replaces(&self, path: &[Value<'_>]) -> bool {
        self.targets.iter().any(|target| path.starts_with(target))
    }
}

/// `whole` with `value` at `path`, as OPA merges the documents of `with`: objects are kept, what is in the way is
/// replaced.
pub(super) fn put<'a>(
    arena: &'a Bump,
    whole: Option<Value<'a>>,
    path: &[Value<'a>],
    value: Value<'a>,
) -> Value<'a> {
    let Some((key, rest)) = path.split_first() else { return value };
    let pairs: Vec<(Value<'a>, Value<'a>)> = whole.and_then(Value::entries).into_iter().flatten().collect();
    let inner = pairs.iter().find(|(name, _)| name == key).map(|(_, value)| *value);
    let inner = put(arena, inner.filter(|inner| inner.entries().is_some()), rest, value);
    let others = pairs.into_iter().filter(|(name, _)| name != key);
    Value::object(&arena, others.chain([(*key, inner)]).collect())
}

/// Both documents together; `first` stands over `second` where they cannot be merged.
pub(super) fn merge<'a>(arena: &'a Bump, first: Value<'a>, second: Value<'a>) -> Value<'a> {
    match (first, second) {
        (Value::Object(_) | Value::Map(_), Value::Object(_) | Value::Map(_)) => {
            let own: Vec<_> = first.entries().into_iter().flatten().collect();
            let mut pairs: Vec<(Value<'a>, Value<'a>)> = own
                .iter()
                .map(|(key, value)| match second.get_key(*key) {
                    Some(other) => (*key, merge(arena, *value, other)),
                    None => (*key, *value),
                })
                .collect();
            let more = second.entries().into_iter().flatten();
            pairs.extend(more.filter(|(key, _)| first.get_key(*key).is_none()));
            Value::object(&arena, pairs)
        }
        _ => first,
    }
}

/// A document inside a base document. The keys of a store are strings: a number finds the key of its text, and the
/// text of a number an element.
pub(super) fn stored<'a>(value: Value<'a>, key: Value<'_>) -> Option<Value<'a>> {
    match (value, key) {
        (Value::Object(object), Value::String(key)) => object.get(key),
        (Value::Object(object), Value::Number(number)) => object.get(&number.to_string()),
        (Value::Array(items), Value::Number(number)) => items.get(number.as_place()?).copied(),
        (Value::Array(items), Value::String(text)) => {
            let plain = text == "0" || !text.starts_with(['0', '+']);
            items.get(text.parse::<usize>().ok().filter(|_| plain)?).copied()
        }
        _ => None,
    }
}
