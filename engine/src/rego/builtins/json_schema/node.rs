//! A schema as it is compiled: its parts refer to each other by place, since they may do so in circles.

use super::bound::Decimal;
use crate::rego::pattern::Regular;
use crate::value::Value;
use std::sync::Arc;

/// The place of a part.
pub(super) type Place = usize;

/// A whole schema; its first part is the root.
#[derive(Debug)]
pub(super) struct Schema<'a> {
    pub(super) nodes: Vec<Node<'a>>,
}

/// A pattern and its text.
#[derive(Clone, Debug)]
pub(super) struct Pattern<'a> {
    pub(super) text: &'a str,
    pub(super) regular: Arc<Regular>,
}

/// What is true of members or items that nothing else names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Additional {
    /// Nothing is said.
    #[default]
    Any,
    /// There may be none.
    None,
    /// They must fit.
    Fitting(Place),
}

/// What a member needs.
#[derive(Clone, Debug)]
pub(super) enum Dependency<'a> {
    /// Other members.
    Members(Vec<&'a str>),
    /// That the whole object fits.
    Fitting(Place),
}

/// One part of a schema.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    /// A schema that is only `true` or `false`.
    pub(super) always: Option<bool>,
    pub(super) reference: Option<Place>,
    pub(super) types: Vec<&'a str>,

    pub(super) properties: Vec<(&'a str, Place)>,
    pub(super) pattern_properties: Vec<(Pattern<'a>, Place)>,
    pub(super) additional_properties: Additional,
    pub(super) property_names: Option<Place>,
    pub(super) dependencies: Vec<(&'a str, Dependency<'a>)>,
    pub(super) required: Vec<&'a str>,
    pub(super) min_properties: Option<i64>,
    pub(super) max_properties: Option<i64>,

    /// One for all items.
    pub(super) every_item: Option<Place>,
    /// Or one for each.
    pub(super) items: Vec<Place>,
    pub(super) additional_items: Additional,
    pub(super) contains: Option<Place>,
    pub(super) min_items: Option<i64>,
    pub(super) max_items: Option<i64>,
    pub(super) unique_items: bool,

    pub(super) multiple_of: Option<Decimal>,
    pub(super) minimum: Option<Decimal>,
    pub(super) exclusive_minimum: Option<Decimal>,
    pub(super) maximum: Option<Decimal>,
    pub(super) exclusive_maximum: Option<Decimal>,

    pub(super) min_length: Option<i64>,
    pub(super) max_length: Option<i64>,
    pub(super) pattern: Option<Pattern<'a>>,
    pub(super) format: &'a str,

    pub(super) constant: Option<String>,
    pub(super) values: Option<Vec<String>>,

    pub(super) one_of: Vec<Place>,
    pub(super) any_of: Vec<Place>,
    pub(super) all_of: Vec<Place>,
    pub(super) not: Option<Place>,
    pub(super) condition: Option<Place>,
    pub(super) then: Option<Place>,
    pub(super) otherwise: Option<Place>,
}

/// The types that there are.
pub(super) const TYPES: [&str; 7] = ["array", "boolean", "integer", "number", "null", "object", "string"];

/// JSON text in which equal values are equal: numbers as floats of 64 bits, keys in order, escapes as Go's.
///
/// `None`: a number is beyond such floats.
pub(super) fn canonical(value: Value<'_>) -> Option<String> {
    let mut out = String::new();
    write(&mut out, value)?;
    Some(out)
}

fn write(out: &mut String, value: Value<'_>) -> Option<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Number(number) => {
            let text = number.to_string();
            let float: f64 = text.parse().ok().filter(|float: &f64| float.is_finite())?;
            out.push_str(&super::super::yaml::json_float(float));
        }
        Value::String(text) => super::super::json::write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write(out, *item)?;
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (at, (key, value)) in object.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                super::super::json::write_string(out, key);
                out.push(':');
                write(out, value)?;
            }
            out.push('}');
        }
        // Documents are JSON when they come here.
        Value::Set(_) | Value::Map(_) => return None,
    }
    Some(())
}
