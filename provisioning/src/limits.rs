//! How far a class's Rego may go, whoever wrote it: which objects are let through at all, and what of them is ours to
//! say (namespace, labels, owner).

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Under this name the fields of what is made are ours.
pub const MANAGER: &str = "wayguard-provisioner";
/// The value of `app.kubernetes.io/managed-by` on what is made.
pub const MANAGED_BY: &str = "wayguard";
/// The uid of the claim or Namespace that an object was made for.
pub const TRIGGER_LABEL: &str = "wayguard.io/trigger";
/// The name of the claim.
pub const CLAIM_LABEL: &str = "wayguard.io/claim";
/// What the class calls the object.
pub const OBJECT_LABEL: &str = "wayguard.io/object";

/// Most objects of one claim.
pub const MOST_OBJECTS: usize = 50;
/// Longest object, in bytes of JSON.
const LARGEST_OBJECT: usize = 64 * 1024;

/// Kinds that no class may make, whatever it says of itself: with them it could read secrets, change the rules, or reach
/// beyond its namespace.
const FORBIDDEN: [&str; 14] = [
    "/Secret",
    "/Namespace",
    "/Node",
    "/PersistentVolume",
    "/Pod",
    "admissionregistration.k8s.io/*",
    "apiextensions.k8s.io/*",
    "apiregistration.k8s.io/*",
    "authentication.k8s.io/*",
    "authorization.k8s.io/*",
    "certificates.k8s.io/*",
    "rbac.authorization.k8s.io/ClusterRole",
    "rbac.authorization.k8s.io/ClusterRoleBinding",
    "wayguard.io/*",
];

/// Marks of deployment tools: copied onto what is made, they would have the tool prune it.
const TRACKING: [&str; 8] = [
    "app.kubernetes.io/instance",
    "argocd.argoproj.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "helm.sh/",
    "objectset.rio.cattle.io/",
];

/// Whose an object will be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    /// Where everything is made.
    pub(crate) namespace: &'a str,
    /// The claim's name; `None` for a Namespace.
    pub(crate) claim: Option<&'a str>,
    /// Of the claim or Namespace; empty in a file.
    pub(crate) uid: &'a str,
    /// What is made goes with the claim.
    pub(crate) owns: bool,
}

/// `group/Kind` of an object.
pub(crate) fn kind_name(object: &Value) -> String {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    format!("{group}/{}", text("kind"))
}

/// Whether no class may make this kind (`group/Kind`).
pub(crate) fn is_forbidden(kind: &str) -> bool {
    let group = kind.split('/').next().unwrap_or_default();
    FORBIDDEN.iter().any(|banned| match banned.strip_suffix("/*") {
        Some(whole) => whole == group,
        None => *banned == kind,
    })
}

/// The place of an object among others: what others need first. A quota without a LimitRange would refuse Pods, and what
/// connects needs its NetworkPolicy before it tries.
pub fn order_of(object: &Value) -> u8 {
    match object.get("kind").and_then(Value::as_str).unwrap_or_default() {
        "LimitRange" => 0,
        "NetworkPolicy" | "ServiceAccount" | "Role" => 1,
        "ResourceQuota" => 3,
        _ => 2,
    }
}

/// Whether a text is a name as Kubernetes has them (DNS-1123 subdomain).
pub(crate) fn is_name(text: &str) -> bool {
    let inner = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
    (1..=253).contains(&text.len())
        && text.split('.').all(|part| {
            part.starts_with(inner) && part.ends_with(inner) && part.chars().all(|it| inner(it) || it == '-')
        })
}

/// Whether a text can name an object within its class: it becomes a label's value.
fn is_id(text: &str) -> bool {
    text.len() <= 63 && !text.contains('.') && is_name(text)
}

/// Checks one object and makes it ours.
///
/// # Errors
/// Why it is not let through.
pub(crate) fn admitted(
    id: &str,
    object: &Value,
    allowed: &BTreeSet<String>,
    owner: Owner<'_>,
) -> Result<Value, String> {
    let refused = |why: String| Err(format!("`objects[\"{id}\"]` {why}"));
    if !is_id(id) {
        return refused("must be named in at most 63 lower-case letters, digits and `-`".to_owned());
    }
    let Value::Object(members) = object else { return refused("is no object".to_owned()) };
    let mut made = members.clone();
    let kind = kind_name(object);
    if is_forbidden(&kind) || !allowed.contains(&kind) {
        let names = allowed.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        return refused(format!("is a `{kind}`; the class may make {names}"));
    }
    if members.get("apiVersion").and_then(Value::as_str).is_none_or(str::is_empty) {
        return refused("has no `apiVersion`".to_owned());
    }
    if made.contains_key("status") {
        return refused("has a `status`; that is its controller's to write".to_owned());
    }
    let Some(Value::Object(metadata)) = made.get_mut("metadata") else {
        return refused("has no `metadata`".to_owned());
    };
    if !metadata.get("name").and_then(Value::as_str).is_some_and(is_name) {
        return refused("has no valid `metadata.name`".to_owned());
    }
    if let Some(namespace) = metadata.get("namespace")
        && namespace.as_str() != Some(owner.namespace)
    {
        return refused(format!("is for the namespace {namespace}; it may only be in `{}`", owner.namespace));
    }
    if let Some(other) =
        metadata.keys().find(|key| !["name", "namespace", "labels", "annotations"].contains(&key.as_str()))
    {
        return refused(format!("has `metadata.{other}`; it may only have name, labels and annotations"));
    }
    for field in ["labels", "annotations"] {
        let texts = texts(metadata.remove(field).as_ref());
        match texts {
            Ok(texts) if !texts.is_empty() || field == "labels" => {
                metadata.insert(field.to_owned(), texts.into());
            }
            Ok(_) => {}
            Err(why) => return refused(format!("has `metadata.{field}` {why}")),
        }
    }
    ours(metadata, id, owner);
    let made = Value::Object(made);
    let size = made.to_string().len();
    if size > LARGEST_OBJECT {
        return refused(format!("has {size} bytes; at most {LARGEST_OBJECT} are applied"));
    }
    Ok(made)
}

/// Labels or annotations, without those of deployment tools.
fn texts(given: Option<&Value>) -> Result<Map<String, Value>, String> {
    let Some(given) = given else { return Ok(Map::new()) };
    let Value::Object(members) = given else { return Err("that is no object".to_owned()) };
    let mut kept = Map::new();
    for (key, value) in members {
        if key.starts_with("wayguard.io/") || key == "app.kubernetes.io/managed-by" {
            return Err(format!("with `{key}`, which only the engine sets"));
        }
        if !value.is_string() {
            return Err(format!("whose `{key}` is no text"));
        }
        if !TRACKING.iter().any(|mark| key == mark || (mark.ends_with('/') && key.starts_with(mark))) {
            kept.insert(key.clone(), value.clone());
        }
    }
    Ok(kept)
}

/// Namespace, labels and owner: never the Rego's to say.
fn ours(metadata: &mut Map<String, Value>, id: &str, owner: Owner<'_>) {
    metadata.insert("namespace".to_owned(), owner.namespace.into());
    if let Some(Value::Object(labels)) = metadata.get_mut("labels") {
        labels.insert("app.kubernetes.io/managed-by".to_owned(), MANAGED_BY.into());
        labels.insert(OBJECT_LABEL.to_owned(), id.into());
        if let Some(claim) = owner.claim {
            labels.insert(CLAIM_LABEL.to_owned(), claim.into());
        }
        if !owner.uid.is_empty() {
            labels.insert(TRIGGER_LABEL.to_owned(), owner.uid.into());
        }
    }
    if let (Some(claim), true, false) = (owner.claim, owner.owns, owner.uid.is_empty()) {
        // No finalizer: the garbage collector removes what belongs to a claim, also when we are away.
        let owner = json!([{
            "apiVersion": format!("{}/{}", wayguard_cluster::kinds::GROUP, wayguard_cluster::kinds::VERSION),
            "kind": "PlatformClaim",
            "name": claim,
            "uid": owner.uid,
            "controller": true,
            "blockOwnerDeletion": false,
        }]);
        metadata.insert("ownerReferences".to_owned(), owner);
    }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
