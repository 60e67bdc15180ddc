//! Requests that no policy judges, whatever it says: the cluster must be able to clean up, to report and to
//! shrink, and nobody may be locked out of it by us (design §2, "Never denied").

use super::Case;
use crate::request::{Operation, Origin, Request};
use crate::value::Value;

/// Why this request is not judged; `None`: it is.
pub(super) fn never_judged(case: &Case<'_, '_>) -> Option<&'static str> {
    let request = case.request;
    if request.origin == Origin::Suite {
        return None;
    }
    let exempt = &case.set.config().exempt_namespaces;
    if exempt.iter().any(|name| name == request.namespace && !name.is_empty()) {
        return Some("the namespace is exempt by the server's configuration");
    }
    match (request.resource.group, request.resource.kind) {
        ("wayguard.io", _) => return Some("our own kinds are not judged by policies"),
        ("apiextensions.k8s.io", "customresourcedefinitions") => {
            return Some("CRDs are not judged by policies");
        }
        _ => {}
    }
    match request.sub_resource {
        "status" => return Some("status reports are not judged"),
        "eviction" => return Some("evictions are not judged"),
        _ => {}
    }
    if request.operation == Operation::Update {
        if scales_down(request) {
            return Some("scaling down is not judged");
        }
        if only_bookkeeping(request) {
            return Some("only finalizers, owner references or managed fields change");
        }
    }
    None
}

/// A `scale` subresource, or an object, of which only `spec.replicas` changes, and not upwards.
fn scales_down(request: &Request<'_>) -> bool {
    let (Some(new), Some(old)) = (request.object, request.old_object) else { return false };
    let replicas = |object: Value<'_>| object.at(&["spec", "replicas"]).and_then(Value::as_int).unwrap_or(1);
    let lower = replicas(new) <= replicas(old);
    if request.sub_resource == "scale" {
        return lower;
    }
    let scales = new.at(&["spec", "replicas"]).is_some() && old.at(&["spec", "replicas"]).is_some();
    request.sub_resource.is_empty()
        && scales
        && replicas(new) < replicas(old)
        && same_except(new, old, &["metadata"], |_| false)
        && same_except(
            new.get("metadata").unwrap_or_default(),
            old.get("metadata").unwrap_or_default(),
            &[],
            |key| BOOKKEEPING.contains(&key),
        )
}

/// Metadata that carries no intent of the object's author, or that the API server maintains.
const BOOKKEEPING: [&str; 5] =
    ["finalizers", "ownerReferences", "managedFields", "resourceVersion", "generation"];

fn only_bookkeeping(request: &Request<'_>) -> bool {
    let (Some(new), Some(old)) = (request.object, request.old_object) else { return false };
    let (Some(new_metadata), Some(old_metadata)) = (new.get("metadata"), old.get("metadata")) else {
        return false;
    };
    request.sub_resource.is_empty()
        && new.at(&["spec", "replicas"]) == old.at(&["spec", "replicas"])
        && same_except(new, old, &["metadata"], |_| false)
        && same_except(new_metadata, old_metadata, &[], |key| BOOKKEEPING.contains(&key))
        // An update that changes nothing at all is judged: it may be the one that mends a skipped mutation.
        && new_metadata != old_metadata
        && !same_except(new_metadata, old_metadata, &[], |key| matches!(key, "resourceVersion" | "generation"))
}

/// Whether two objects agree in all members but those named (and, for the scale rule, `spec.replicas`).
fn same_except(new: Value<'_>, old: Value<'_>, left_out: &[&str], also: impl Fn(&str) -> bool) -> bool {
    let (Some(new), Some(old)) = (new.as_object(), old.as_object()) else { return false };
    let skip = |key: &str| left_out.contains(&key) || also(key);
    let covered = |one: crate::value::Object<'_>, other: crate::value::Object<'_>| {
        one.iter().filter(|(key, _)| !skip(key)).all(|(key, value)| match (key, other.get(key)) {
            (_, None) => false,
            ("spec", Some(twin)) => same_spec(value, twin),
            // The status cannot be changed through the main resource; what is sent is ignored or stale.
            ("status", Some(_)) => true,
            (_, Some(twin)) => value == twin,
        })
    };
    covered(new, old) && covered(old, new)
}

fn same_spec(new: Value<'_>, old: Value<'_>) -> bool {
    let (Some(new), Some(old)) = (new.as_object(), old.as_object()) else { return new == old };
    let covered = |one: crate::value::Object<'_>, other: crate::value::Object<'_>| {
        one.iter().all(|(key, value)| key == "replicas" || other.get(key) == Some(value))
    };
    covered(new, old) && covered(old, new)
}
