//! `input.review` as templates know it: the AdmissionRequest as Go writes it, with the Namespace object.

use crate::request::{GroupVersionKind, Operation, Request};
use crate::value::{Object, Value};
use bumpalo::Bump;

/// The review of the object that was sent.
pub(crate) fn original<'a>(
    arena: &'a Bump,
    request: &Request<'a>,
    namespace: Option<Value<'a>>,
) -> Value<'a> {
    let given = request.review.as_object().unwrap_or_default();
    let mut review = given;
    // Go leaves these out where they are empty, and a Namespace is not in a namespace.
    for key in ["name", "namespace", "subResource"] {
        let empty = given.get(key).is_none_or(|value| value == Value::String("") || value.is_null());
        if empty || (key == "namespace" && request.is_namespace()) {
            review = review.without(&arena, key);
        }
    }
    // And always writes these.
    for (key, absent) in [("oldObject", Value::Null), ("options", Value::Null), ("userInfo", Value::EMPTY)] {
        if given.get(key).is_none() {
            review = review.with(&arena, key, absent);
        }
    }
    let object = request.object.or(request.old_object).unwrap_or(Value::Null);
    review = review.with(&arena, "object", object);
    review = review.with(&arena, "oldObject", request.old_object.unwrap_or(Value::Null));
    with_namespace(arena, review, namespace)
}

/// The review of an object that an `ExpansionTemplate` made.
pub(crate) fn generated<'a>(
    arena: &'a Bump,
    object: Value<'a>,
    kind: GroupVersionKind<'a>,
    request: &Request<'a>,
    namespace: Option<Value<'a>>,
) -> Value<'a> {
    let triple = |last: &'static str, of: GroupVersionKind<'a>| {
        Value::Object(Object::new(
            &arena,
            vec![
                ("group", Value::String(of.group)),
                ("version", Value::String(of.version)),
                (last, Value::String(of.kind)),
            ],
        ))
    };
    let nowhere = GroupVersionKind { group: "", version: "", kind: "" };
    let metadata = object.get("metadata").unwrap_or_default();
    let deleted = request.operation == Operation::Delete;
    let mut members = vec![
        ("uid", Value::String("")),
        ("kind", triple("kind", kind)),
        ("resource", triple("resource", nowhere)),
        ("operation", request.review.get("operation").unwrap_or(Value::String(""))),
        ("userInfo", Value::EMPTY),
        ("object", object),
        ("oldObject", if deleted { object } else { Value::Null }),
        ("options", Value::Null),
    ];
    for key in ["name", "namespace"] {
        let text = metadata.str_or_empty(key);
        if !text.is_empty() {
            members.push((key, Value::String(text)));
        }
    }
    with_namespace(arena, Object::new(&arena, members), namespace)
}

/// `namespaceObject`, and the place where versions before 3.20 had it.
fn with_namespace<'a>(arena: &'a Bump, review: Object<'a>, namespace: Option<Value<'a>>) -> Value<'a> {
    let review = review.with(&arena, "namespaceObject", namespace.unwrap_or(Value::Null));
    Value::Object(match namespace {
        Some(namespace) => {
            let unstable = Object::new(&arena, vec![("namespace", namespace)]);
            review.with(&arena, "_unstable", Value::Object(unstable))
        }
        None => review,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Origin;
    use crate::value::parse_json;

    fn review(json: &'static str, namespace: Option<&'static str>) -> String {
        let bump = Bump::new();
        let value = parse_json(&&bump, json.as_bytes()).unwrap();
        let request = Request::from_value(Origin::Test, value).unwrap();
        let namespace = namespace.map(|json| parse_json(&&bump, json.as_bytes()).unwrap());
        original(&bump, &request, namespace).to_string()
    }

    #[test]
    fn what_go_leaves_out_is_left_out_and_what_it_writes_is_written() {
        assert_eq!(
            review(
                r#"{"kind":{},"resource":{},"operation":"CREATE","name":"","namespace":"a","object":{"x":1}}"#,
                Some(r#"{"kind":"Namespace"}"#)
            ),
            r#"{"_unstable":{"namespace":{"kind":"Namespace"}},"kind":{},"namespace":"a","namespaceObject":{"kind":"Namespace"},"object":{"x":1},"oldObject":null,"operation":"CREATE","options":null,"resource":{},"userInfo":{}}"#
        );
    }

    #[test]
    fn a_deletion_has_the_old_object_in_both_places() {
        let shown = review(
            r#"{"kind":{},"resource":{},"operation":"DELETE","object":null,"oldObject":{"x":1}}"#,
            None,
        );
        assert!(shown.contains(r#""object":{"x":1},"oldObject":{"x":1}"#), "{shown}");
        assert!(shown.contains(r#""namespaceObject":null"#), "{shown}");
    }
}
