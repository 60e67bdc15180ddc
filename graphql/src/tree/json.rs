//! Trees to JSON and back. Back is where gqlparser is odd: it takes whatever is selected for a field if it can,
//! so that a fragment that was written as JSON comes back as a field.

use super::executable::{Field, FragmentSpread, InlineFragment, QueryDocument, Selection};
use super::system::SystemDocument;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A document that can be written as JSON and read back.
pub trait JsonTree: Serialize + DeserializeOwned {
    /// The document in JSON.
    ///
    /// # Errors
    /// Never, for what was parsed.
    fn to_json(&self) -> Result<Value, String> {
        serde_json::to_value(self).map_err(|error| error.to_string())
    }

    /// A document from JSON. Members that it does not know do not matter.
    ///
    /// # Errors
    /// If a member is not of the type that it must have.
    fn from_json(value: Value) -> Result<Self, String> {
        serde_json::from_value(without_nulls(value)).map_err(|error| error.to_string())
    }
}

impl JsonTree for QueryDocument {}
impl JsonTree for SystemDocument {}

/// A member that is `null` is one that is not there.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        scalar => scalar,
    }
}

/// What is selected; items that can be read as nothing are left out.
pub(super) fn selections<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Selection>, D::Error> {
    Ok(Vec::<Value>::deserialize(from)?.into_iter().filter_map(selection).collect())
}

fn selection(item: Value) -> Option<Selection> {
    let mut members = match item {
        Value::Object(members) => members,
        Value::Null => return Some(Selection::Field(Field::default())),
        _ => return None,
    };
    let inner: Option<Vec<Selection>> = match members.remove("SelectionSet") {
        None => Some(Vec::new()),
        Some(Value::Array(items)) => Some(items.into_iter().filter_map(selection).collect()),
        Some(_) => None,
    };
    let members = Value::Object(members);
    let inner = match (inner, Field::deserialize(&members)) {
        (Some(selection_set), Ok(field)) => return Some(Selection::Field(Field { selection_set, ..field })),
        (inner, _) => inner,
    };
    if let Ok(spread) = FragmentSpread::deserialize(&members) {
        return Some(Selection::Spread(spread));
    }
    let inline = InlineFragment::deserialize(&members).ok()?;
    Some(Selection::Inline(InlineFragment { selection_set: inner?, ..inline }))
}
