//! The types that functions declare, for checks at load and for error text.

#[cfg(test)]
use crate::value::Value;

/// A type of Rego values, as OPA declares them for its functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rego) enum Type {
    /// Any value.
    Any,
    /// `null`
    Null,
    /// `true`, `false`
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array: the types of its first elements, then that of any further ones.
    Array(&'static [Type], Option<&'static Type>),
    /// A set of items of one type.
    Set(&'static Type),
    /// An object: known members, then the types of any further keys and values.
    Object(&'static [(&'static str, Type)], Option<(&'static Type, &'static Type)>),
    /// One of several.
    OneOf(&'static [Type]),
    /// Any number of further arguments (the last argument of `print`).
    Variadic,
    /// No value: a call that is only a statement.
    Nothing,
}

impl Type {
    /// An array of anything.
    pub(in crate::rego) const ARRAY: Type = Type::Array(&[], Some(&Type::Any));
    /// An array of strings.
    pub(in crate::rego) const STRINGS: Type = Type::Array(&[], Some(&Type::String));
    /// A set of anything.
    pub(in crate::rego) const SET: Type = Type::Set(&Type::Any);
    /// An object of anything.
    pub(in crate::rego) const OBJECT: Type = Type::Object(&[], Some((&Type::Any, &Type::Any)));
    /// An object with string keys.
    pub(in crate::rego) const RECORD: Type = Type::Object(&[], Some((&Type::String, &Type::Any)));
    /// An array or a set of anything.
    pub(in crate::rego) const COLLECTION: Type = Type::OneOf(&[Type::ARRAY, Type::SET]);

    /// Whether a value can be of this type.
    #[cfg(test)]
    pub(in crate::rego) fn admits(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Type::Any, _)
            | (Type::Null, Value::Null)
            | (Type::Boolean, Value::Bool(_))
            | (Type::Number, Value::Number(_))
            | (Type::String, Value::String(_)) => true,
            (Type::Array(first, rest), Value::Array(items)) => {
                items.len() >= first.len()
                    && items
                        .iter()
                        .enumerate()
                        .all(|(at, item)| first.get(at).or(*rest).is_some_and(|of| of.admits(*item)))
            }
            (Type::Set(of), Value::Set(set)) => set.iter().all(|item| of.admits(item)),
            (Type::Object(known, rest), Value::Object(_) | Value::Map(_)) => {
                let Some(mut entries) = value.entries() else { return false };
                known.iter().all(|(key, _)| value.get(key).is_some())
                    && entries.all(|(key, value)| {
                        let declared = known.iter().find(|(name, _)| key.as_str() == Some(name));
                        declared.map_or_else(
                            || rest.is_some_and(|(of, to)| of.admits(key) && to.admits(value)),
                            |(_, of)| of.admits(value),
                        )
                    })
            }
            (Type::OneOf(types), _) => types.iter().any(|of| of.admits(value)),
            _ => false,
        }
    }
}
