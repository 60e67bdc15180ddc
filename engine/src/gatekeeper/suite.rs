//! The request that the tests of a template stand for: an object without a verb, or an AdmissionReview.

use crate::request::{GroupVersionKind, Operation, Origin, Request};
use crate::value::{Arena, Object, Value};

/// Makes the request for the object of a test case.
///
/// # Errors
/// What keeps it from being reviewed, in words.
pub fn request<'a>(arena: &impl Arena<'a>, object: Value<'a>) -> Result<Request<'a>, String> {
    let api_version = object.str_or_empty("apiVersion");
    if object.str_or_empty("kind") == "AdmissionReview" && api_version.starts_with("admission.k8s.io/") {
        let review = object.get("request").and_then(Value::as_object);
        return of_review(arena, review.ok_or("the AdmissionReview has no `request`")?);
    }
    let kind = kind_of(object);
    if kind.kind.is_empty() || kind.version.is_empty() {
        return Err("the object has no `apiVersion` or no `kind`".into());
    }
    let metadata = object.get("metadata").unwrap_or_default();
    let review = Object::new(
        arena,
        vec![
            ("kind", triple(arena, "kind", kind)),
            ("name", Value::String(metadata.str_or_empty("name"))),
            ("namespace", Value::String(metadata.str_or_empty("namespace"))),
            ("object", object),
        ],
    );
    of_review(arena, review)
}

/// Go writes these members of an AdmissionRequest even where they are empty.
fn of_review<'a>(arena: &impl Arena<'a>, given: Object<'a>) -> Result<Request<'a>, String> {
    let mut review = given;
    let text = |key: &str| given.get(key).and_then(Value::as_str).unwrap_or_default();
    for key in ["uid", "operation"] {
        review = review.with(arena, key, Value::String(text(key)));
    }
    for (key, last) in [("kind", "kind"), ("resource", "resource")] {
        let value = given.get(key).unwrap_or_default();
        let part = |name| value.str_or_empty(name);
        let full = GroupVersionKind { group: part("group"), version: part("version"), kind: part(last) };
        review = review.with(arena, key, triple(arena, last, full));
    }
    let member = |key: &str| given.get(key).filter(|value| value.as_object().is_some());
    let (object, old_object) = (member("object"), member("oldObject"));
    let Some(subject) = object.or(old_object) else {
        return Err("there is neither `object` nor `oldObject` to review".into());
    };
    let operation = match text("operation") {
        "" => Operation::Create,
        named => Operation::parse(named).ok_or_else(|| format!("unknown operation `{named}`"))?,
    };
    if operation == Operation::Delete && old_object.is_none() {
        return Err("a DELETE needs `oldObject`".into());
    }
    let kind = kind_of(subject);
    let user_info = given.get("userInfo").unwrap_or_default();
    let resource = arena.text(&crate::expansion::plural(kind.kind));
    Ok(Request {
        origin: Origin::Suite,
        uid: text("uid"),
        review: Value::Object(review),
        kind,
        resource: GroupVersionKind { kind: resource, ..kind },
        sub_resource: text("subResource"),
        name: text("name"),
        namespace: text("namespace"),
        operation,
        object: if operation == Operation::Delete { None } else { object },
        old_object,
        user: user_info.str_or_empty("username"),
        groups: user_info.get("groups").and_then(Value::as_array).unwrap_or_default(),
        dry_run: given.get("dryRun").and_then(Value::as_bool).unwrap_or(false),
    })
}

fn kind_of(object: Value<'_>) -> GroupVersionKind<'_> {
    let api_version = object.str_or_empty("apiVersion");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    GroupVersionKind { group, version, kind: object.str_or_empty("kind") }
}

fn triple<'a>(arena: &impl Arena<'a>, last: &'static str, of: GroupVersionKind<'a>) -> Value<'a> {
    let members = vec![
        ("group", Value::String(of.group)),
        ("version", Value::String(of.version)),
        (last, Value::String(of.kind)),
    ];
    Value::Object(Object::new(arena, members))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;
    use bumpalo::Bump;

    fn outcome(json: &str) -> Result<String, String> {
        let bump = Bump::new();
        let arena = &&bump;
        let object = parse_json(arena, bump.alloc_str(json).as_bytes()).unwrap();
        request(arena, object).map(|request| request.review.to_string())
    }

    #[test]
    fn an_object_is_reviewed_without_a_verb() {
        assert_eq!(
            outcome(r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"}}"#).unwrap(),
            r#"{"kind":{"group":"apps","kind":"Deployment","version":"v1"},"name":"a","namespace":"","object":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"}},"operation":"","resource":{"group":"","resource":"","version":""},"uid":""}"#
        );
    }

    #[test]
    fn reviews_without_an_object_are_refused() {
        let review = |request: &str| {
            outcome(&format!(r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"{request}}}"#))
        };
        assert_eq!(review("").unwrap_err(), "the AdmissionReview has no `request`");
        assert_eq!(
            review(r#","request":{"operation":"CREATE"}"#).unwrap_err(),
            "there is neither `object` nor `oldObject` to review"
        );
        let deletion = r#","request":{"operation":"DELETE","object":{"apiVersion":"v1","kind":"Pod"}}"#;
        assert_eq!(review(deletion).unwrap_err(), "a DELETE needs `oldObject`");
    }
}
