//! Types: what is known of a value before anything is evaluated, and how types are put together and taken apart.
//!
//! They are those of OPA, with its `nil` (not known yet) as `None`. Types are shared, so that the type of a large
//! document can be passed around.

use crate::rego::builtins::Type as Declared;
use crate::value::{Number, Value};
use std::cmp::Ordering;
use std::rc::Rc;

/// A type that may not be known yet.
pub(super) type Known<'p> = Option<Rc<Type<'p>>>;

/// What is known of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Type<'p> {
    Null,
    Boolean,
    Number,
    String,
    /// The first elements, and what any further ones are.
    Array(Vec<Known<'p>>, Known<'p>),
    /// Members that are there, in the order of their keys, and what any further ones are.
    Object(Vec<(Key<'p>, Known<'p>)>, Option<(Known<'p>, Known<'p>)>),
    /// Of elements; of nothing: the empty set.
    Set(Known<'p>),
    /// One of several, each once, in order; of none: anything.
    OneOf(Vec<Rc<Type<'p>>>),
    Function(Signature<'p>),
}

/// What a function takes and gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Signature<'p> {
    pub(super) args: Vec<Known<'p>>,
    pub(super) result: Known<'p>,
    /// Any further arguments are welcome.
    pub(super) variadic: bool,
}

/// A constant key of an object.
#[derive(Clone, Debug)]
pub(super) enum Key<'p> {
    Scalar(Value<'p>),
    /// A constant collection, by its JSON, with its type.
    Collection(String, Rc<Type<'p>>),
}

impl<'p> Key<'p> {
    /// The type of the key.
    pub(super) fn kind(&self) -> Rc<Type<'p>> {
        match self {
            Self::Scalar(value) => scalar(*value),
            Self::Collection(_, kind) => Rc::clone(kind),
        }
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Scalar(one), Self::Scalar(other)) => one.compare(*other),
            (Self::Collection(one, _), Self::Collection(other, _)) => one.cmp(other),
            (Self::Scalar(_), Self::Collection(..)) => Ordering::Less,
            (Self::Collection(..), Self::Scalar(_)) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key<'_> {}

/// Anything.
pub(super) fn any<'p>() -> Rc<Type<'p>> {
    Rc::new(Type::OneOf(Vec::new()))
}

/// The type of a scalar.
pub(super) fn scalar<'p>(value: Value<'_>) -> Rc<Type<'p>> {
    Rc::new(match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Boolean,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::String,
        _ => Type::OneOf(Vec::new()),
    })
}

/// An object type; of equal keys the last counts.
pub(super) fn object<'p>(
    mut members: Vec<(Key<'p>, Known<'p>)>,
    rest: Option<(Known<'p>, Known<'p>)>,
) -> Rc<Type<'p>> {
    members.sort_by(|one, other| one.0.cmp(&other.0));
    Rc::new(Type::Object(members, rest))
}

/// The type that a builtin declares.
pub(super) fn declared<'p>(declared_as: &Declared) -> Known<'p> {
    let one = |kind: Type<'p>| Some(Rc::new(kind));
    match declared_as {
        Declared::Any => Some(any()),
        Declared::Null => one(Type::Null),
        Declared::Boolean => one(Type::Boolean),
        Declared::Number => one(Type::Number),
        Declared::String => one(Type::String),
        Declared::Array(first, rest) => {
            one(Type::Array(first.iter().map(declared).collect(), rest.and_then(declared)))
        }
        Declared::Set(of) => one(Type::Set(declared(of))),
        Declared::Object(members, rest) => {
            let members =
                members.iter().map(|(key, of)| (Key::Scalar(Value::String(key)), declared(of))).collect();
            Some(object(members, rest.map(|(key, value)| (declared(key), declared(value)))))
        }
        Declared::OneOf(kinds) => {
            kinds.iter().filter_map(declared).map(Some).reduce(|a, b| or(&a, &b)).flatten()
        }
        Declared::Variadic | Declared::Nothing => None,
    }
}

/// One or the other.
pub(super) fn or<'p>(one: &Known<'p>, other: &Known<'p>) -> Known<'p> {
    let (Some(a), Some(b)) = (one, other) else { return one.clone().or_else(|| other.clone()) };
    match (a.as_ref(), b.as_ref()) {
        (Type::Function(a), Type::Function(b)) => {
            if a.args.len() != b.args.len() || a.variadic != b.variadic {
                return None;
            }
            let args = a.args.iter().zip(&b.args).map(|(a, b)| or(a, b)).collect();
            let result = or(&a.result, &b.result);
            Some(Rc::new(Type::Function(Signature { args, result, variadic: a.variadic })))
        }
        (Type::Function(_), _) | (_, Type::Function(_)) => None,
        (Type::OneOf(kinds), _) if kinds.is_empty() => one.clone(),
        (_, Type::OneOf(kinds)) if kinds.is_empty() => other.clone(),
        (Type::OneOf(kinds), Type::OneOf(more)) => Some(Rc::new(one_of(kinds.iter().chain(more)))),
        (Type::OneOf(kinds), _) => Some(Rc::new(one_of(kinds.iter().chain([b])))),
        (_, Type::OneOf(kinds)) => Some(Rc::new(one_of(kinds.iter().chain([a])))),
        _ if a == b => one.clone(),
        _ => Some(Rc::new(one_of([a, b].into_iter()))),
    }
}

fn one_of<'k, 'p: 'k>(kinds: impl Iterator<Item = &'k Rc<Type<'p>>>) -> Type<'p> {
    let mut kinds: Vec<_> = kinds.cloned().collect();
    kinds.sort();
    kinds.dedup();
    Type::OneOf(kinds)
}

/// What a type that can be anything is not.
fn is_any(kind: &Type<'_>) -> bool {
    matches!(kind, Type::OneOf(kinds) if kinds.is_empty())
}

fn contains(kind: &Known<'_>, other: &Rc<Type<'_>>) -> bool {
    match kind.as_deref() {
        Some(Type::OneOf(kinds)) => kinds.is_empty() || kinds.iter().any(|kind| kind == other),
        Some(kind) => *kind == **other,
        None => false,
    }
}

/// The type under a constant key.
pub(super) fn select<'p>(kind: &Type<'p>, key: &Key<'p>) -> Known<'p> {
    match kind {
        Type::Array(first, rest) => {
            let at = match key {
                Key::Scalar(Value::Number(Number::Int(at))) => usize::try_from(*at).ok()?,
                // `1.0` is no index where the type of the array is known.
                Key::Scalar(Value::Number(Number::Text(text))) => text.parse().ok()?,
                _ => return None,
            };
            first.get(at).cloned().unwrap_or_else(|| rest.clone())
        }
        Type::Object(members, rest) => match members.iter().find(|(name, _)| name == key) {
            Some((_, value)) => value.clone(),
            None => {
                rest.as_ref().filter(|(of, _)| contains(of, &key.kind())).and_then(|(_, value)| value.clone())
            }
        },
        Type::Set(of) => {
            let asked = key.kind();
            match of.as_deref() {
                Some(Type::OneOf(_)) if contains(of, &asked) => Some(asked),
                Some(kind) if *kind == *asked => of.clone(),
                _ => None,
            }
        }
        Type::OneOf(kinds) if kinds.is_empty() => Some(any()),
        Type::OneOf(kinds) => kinds.iter().fold(None, |found, kind| or(&select(kind, key), &found)),
        _ => None,
    }
}

/// What the keys of a collection are; `None`: it is none.
pub(super) fn keys<'p>(kind: &Type<'p>) -> Known<'p> {
    match kind {
        Type::Array(..) => Some(Rc::new(Type::Number)),
        Type::Object(members, rest) => {
            let of = members.iter().fold(None, |found, (key, _)| or(&found, &Some(key.kind())));
            rest.as_ref().map_or_else(|| of.clone(), |(key, _)| or(&of, key))
        }
        Type::Set(of) => of.clone(),
        Type::OneOf(kinds) if kinds.is_empty() => Some(any()),
        Type::OneOf(kinds) => kinds.iter().fold(None, |found, kind| or(&keys(kind), &found)),
        _ => None,
    }
}

/// What the values of a collection are; `None`: it is none.
pub(super) fn values<'p>(kind: &Type<'p>) -> Known<'p> {
    match kind {
        Type::Array(first, rest) => or(&first.iter().fold(None, |found, kind| or(&found, kind)), rest),
        Type::Object(members, rest) => {
            let of = members.iter().fold(None, |found, (_, value)| or(&found, value));
            rest.as_ref().map_or_else(|| of.clone(), |(_, value)| or(&of, value))
        }
        Type::Set(of) => of.clone(),
        Type::OneOf(kinds) if kinds.is_empty() => Some(any()),
        Type::OneOf(kinds) => kinds.iter().fold(None, |found, kind| or(&values(kind), &found)),
        _ => None,
    }
}

/// Whether something of a type is not known.
pub(super) fn is_unknown(kind: &Known<'_>) -> bool {
    match kind.as_deref() {
        None => true,
        Some(Type::Function(signature)) => {
            signature.args.iter().any(is_unknown) || is_unknown(&signature.result)
        }
        Some(Type::Array(first, rest)) => {
            first.iter().any(is_unknown) || (rest.is_some() && is_unknown(rest))
        }
        Some(Type::Object(members, rest)) => {
            members.iter().any(|(_, value)| is_unknown(value))
                || rest.as_ref().is_some_and(|(key, value)| is_unknown(key) || is_unknown(value))
        }
        Some(Type::Set(of)) => is_unknown(of),
        _ => false,
    }
}

/// Whether a collection can hold nothing.
pub(super) fn is_empty(kind: &Type<'_>) -> bool {
    match kind {
        Type::Array(first, rest) => first.is_empty() && rest.is_none(),
        Type::Object(members, rest) => members.is_empty() && rest.is_none(),
        Type::Set(of) => of.is_none(),
        _ => false,
    }
}

/// Whether a value can be of both types.
pub(super) fn unifies(one: &Known<'_>, other: &Known<'_>) -> bool {
    let (Some(a), Some(b)) = (one, other) else { return false };
    let among = |kinds: &[Rc<Type<'_>>], other: &Known<'_>, function: bool| {
        !function && (kinds.is_empty() || kinds.iter().any(|kind| unifies(&Some(Rc::clone(kind)), other)))
    };
    match (a.as_ref(), b.as_ref()) {
        (Type::OneOf(kinds), b) if among(kinds, other, matches!(b, Type::Function(_))) => true,
        (a, Type::OneOf(kinds)) => among(kinds, one, matches!(a, Type::Function(_))),
        (Type::OneOf(_), _) => false,
        (Type::Array(first, rest), Type::Array(others, more)) => {
            let fits = |first: &[Known<'_>], others: &[Known<'_>], more: &Known<'_>| {
                first.iter().enumerate().all(|(at, kind)| unifies(kind, others.get(at).unwrap_or(more)))
            };
            fits(first, others, more)
                && fits(others, first, rest)
                && (rest.is_none() || more.is_none() || unifies(rest, more))
        }
        (Type::Object(members, rest), Type::Object(others, more)) => {
            let value = |rest: &Option<(Known<'_>, Known<'_>)>| {
                rest.as_ref().is_some_and(|(_, value)| value.is_some())
            };
            let open = value(rest) || value(more);
            let fits = |members: &[(Key<'_>, Known<'_>)], other: &Type<'_>| {
                members.iter().all(|(key, kind)| match select_by(other, key) {
                    None => open,
                    found => unifies(kind, &found),
                })
            };
            fits(members, b)
                && fits(others, a)
                && match (rest, more) {
                    (Some((_, one)), Some((_, other))) if one.is_some() && other.is_some() => {
                        unifies(one, other)
                    }
                    _ => true,
                }
        }
        (Type::Set(of), Type::Set(other)) => of.is_none() || other.is_none() || unifies(of, other),
        (Type::Function(one), Type::Function(other)) => {
            one.args.len() == other.args.len() && one.args.iter().zip(&other.args).all(|(a, b)| unifies(a, b))
        }
        (Type::Null, Type::Null)
        | (Type::Boolean, Type::Boolean)
        | (Type::Number, Type::Number)
        | (Type::String, Type::String) => true,
        _ => false,
    }
}

/// [`select`], for keys that live elsewhere.
fn select_by<'p>(kind: &Type<'p>, key: &Key<'_>) -> Known<'p> {
    let Type::Object(members, rest) = kind else { return None };
    match members.iter().find(|(name, _)| name.cmp_any(key) == Ordering::Equal) {
        Some((_, value)) => value.clone(),
        None => rest
            .as_ref()
            .filter(|(of, _)| contains_kind(of, &key.kind()))
            .and_then(|(_, value)| value.clone()),
    }
}

fn contains_kind(kind: &Known<'_>, other: &Type<'_>) -> bool {
    match kind.as_deref() {
        Some(kind) if is_any(kind) => true,
        Some(Type::OneOf(kinds)) => kinds.iter().any(|kind| **kind == *other),
        Some(kind) => *kind == *other,
        None => false,
    }
}

impl Key<'_> {
    fn cmp_any(&self, other: &Key<'_>) -> Ordering {
        self.cmp(other)
    }
}

impl std::fmt::Display for Type<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Boolean => out.write_str("boolean"),
            Self::Number => out.write_str("number"),
            Self::String => out.write_str("string"),
            Self::Array(first, rest) => {
                let shown_first: Vec<_> = first.iter().map(shown).collect();
                match (first.is_empty(), rest) {
                    (true, Some(_)) => write!(out, "array[{}]", shown(rest)),
                    (_, None) => write!(out, "array<{}>", shown_first.join(", ")),
                    (_, Some(_)) => write!(out, "array<{}>[{}]", shown_first.join(", "), shown(rest)),
                }
            }
            Self::Object(members, rest) => {
                let mut parts: Vec<_> = Vec::new();
                for (key, value) in members {
                    let name = match key {
                        Key::Scalar(Value::String(text)) => (*text).to_owned(),
                        Key::Scalar(other) => other.to_string(),
                        Key::Collection(text, _) => text.clone(),
                    };
                    parts.push(format!("{name}: {}", shown(value)));
                }
                let rest = rest.as_ref().map(|(key, value)| format!("[{}: {}]", shown(key), shown(value)));
                let members =
                    if parts.is_empty() { String::new() } else { format!("<{}>", parts.join(", ")) };
                write!(out, "object{members}{}", rest.unwrap_or_default())
            }
            Self::Set(of) => write!(out, "set[{}]", shown(of)),
            Self::OneOf(kinds) if kinds.is_empty() => out.write_str("any"),
            Self::OneOf(kinds) => {
                let kinds: Vec<_> = kinds.iter().map(ToString::to_string).collect();
                write!(out, "any<{}>", kinds.join(", "))
            }
            Self::Function(signature) => {
                let args: Vec<_> = signature.args.iter().map(shown).collect();
                write!(out, "({}) => {}", args.join(", "), shown(&signature.result))
            }
        }
    }
}

/// A type for a person; a long one is cut.
pub(super) fn shown(kind: &Known<'_>) -> String {
    let Some(kind) = kind else { return "unknown".to_owned() };
    let text = kind.to_string();
    if text.chars().count() <= 120 {
        return text;
    }
    let kept: String = text.chars().take(117).collect();
    format!("{kept}...")
}
