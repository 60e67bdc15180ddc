//! Between the engine's values and regorus's.

use crate::value::{Number, Value};
use std::collections::BTreeMap;

/// A regorus copy of a value.
pub(super) fn to_regorus(value: Value<'_>) -> regorus::Value {
    match value {
        Value::Null => regorus::Value::Null,
        Value::Bool(value) => regorus::Value::Bool(value),
        Value::Number(Number::Int(value)) => regorus::Value::from(value),
        Value::Number(Number::Text(text)) => {
            regorus::Value::from_numeric_string(text).unwrap_or(regorus::Value::Undefined)
        }
        Value::String(text) => regorus::Value::String(text.into()),
        Value::Array(items) => {
            regorus::Value::from(items.iter().map(|item| to_regorus(*item)).collect::<Vec<_>>())
        }
        Value::Object(object) => {
            let members: BTreeMap<_, _> = object
                .iter()
                .map(|(key, value)| (regorus::Value::String(key.into()), to_regorus(value)))
                .collect();
            regorus::Value::from(members)
        }
        Value::Set(set) => {
            regorus::Value::from(set.iter().map(to_regorus).collect::<std::collections::BTreeSet<_>>())
        }
        Value::Map(map) => {
            let pairs: BTreeMap<_, _> =
                map.iter().map(|(key, value)| (to_regorus(key), to_regorus(value))).collect();
            regorus::Value::from(pairs)
        }
    }
}

/// A JSON copy of a result: sets become lists in order, keys that are no strings become their JSON text.
/// `None`: undefined.
pub(super) fn to_json(value: &regorus::Value) -> Option<serde_json::Value> {
    if *value == regorus::Value::Undefined {
        return None;
    }
    serde_json::to_value(value).ok()
}
