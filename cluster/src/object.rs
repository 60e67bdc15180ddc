//! One object of a cluster, by the words that kubectl takes.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::discovery::{ResourceKind, Resources};
use kube::api::{Api, DynamicObject};
use serde_json::Value;

/// Short names of built-in kinds: what people type, which discovery tells in no form that is kept.
const SHORT: [(&str, &str); 22] = [
    ("cj", "cronjobs"),
    ("cm", "configmaps"),
    ("crd", "customresourcedefinitions"),
    ("deploy", "deployments"),
    ("ds", "daemonsets"),
    ("ep", "endpoints"),
    ("hpa", "horizontalpodautoscalers"),
    ("ing", "ingresses"),
    ("limits", "limitranges"),
    ("netpol", "networkpolicies"),
    ("no", "nodes"),
    ("ns", "namespaces"),
    ("pc", "priorityclasses"),
    ("pdb", "poddisruptionbudgets"),
    ("po", "pods"),
    ("pv", "persistentvolumes"),
    ("pvc", "persistentvolumeclaims"),
    ("quota", "resourcequotas"),
    ("rs", "replicasets"),
    ("sa", "serviceaccounts"),
    ("sts", "statefulsets"),
    ("svc", "services"),
];

/// The object as the API server has it now. `kind`: a kind, a plural or a short name in any case, with `.GROUP` where
/// several groups have one.
///
/// # Errors
/// [`ApiError::NotFound`] if there is no such kind or object; else what the API server says.
pub async fn object(client: &Client, kind: &str, namespace: &str, name: &str) -> Result<Value, ApiError> {
    let resources = Resources::discover(client).await?;
    let resource = named(&resources, kind).ok_or_else(|| {
        ApiError::NotFound(format!(
            "the cluster has no kind `{kind}`; `kubectl api-resources` names them all"
        ))
    })?;
    let version = resource.versions.first().map(String::as_str).unwrap_or_default();
    let api_resource = resource.api_resource(version);
    let api: Api<DynamicObject> = if resource.namespaced {
        Api::namespaced_with(client.clone(), namespace, &api_resource)
    } else {
        Api::all_with(client.clone(), &api_resource)
    };
    let place = if resource.namespaced { format!(" in namespace `{namespace}`") } else { String::new() };
    let found = within(REQUEST_LIMIT, api.get_opt(name)).await?;
    let found =
        found.ok_or_else(|| ApiError::NotFound(format!("there is no {} `{name}`{place}", resource.kind)))?;
    let mut object = serde_json::to_value(found)
        .map_err(|error| ApiError::Invalid(format!("`{kind}/{name}` cannot be read: {error}")))?;
    if let Some(members) = object.as_object_mut() {
        members.insert("apiVersion".to_owned(), api_resource.api_version.into());
        members.insert("kind".to_owned(), resource.kind.clone().into());
    }
    Ok(object)
}

/// The resource that a word means; of several those of Kubernetes itself come first.
fn named<'r>(resources: &'r Resources, word: &str) -> Option<&'r ResourceKind> {
    let word = word.to_lowercase();
    let (kind, group) =
        word.split_once('.').map_or((word.as_str(), None), |(kind, group)| (kind, Some(group)));
    let plural = SHORT.iter().find(|(short, _)| *short == kind).map(|(_, plural)| *plural);
    let is_it = |resource: &&ResourceKind| {
        group.is_none_or(|group| resource.group == group)
            && (resource.plural == kind
                || resource.kind.to_lowercase() == kind
                || plural.is_some_and(|plural| resource.plural == plural))
    };
    let is_own =
        |resource: &ResourceKind| !resource.group.contains('.') || resource.group.ends_with(".k8s.io");
    let mut found: Vec<&ResourceKind> = resources.kinds.iter().filter(is_it).collect();
    found.sort_by_key(|resource| (!resource.group.is_empty(), !is_own(resource)));
    found.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_the_words_that_people_use() {
        let kind = |group: &str, plural: &str, kind: &str| ResourceKind {
            group: group.into(),
            versions: vec!["v1".into()],
            plural: plural.into(),
            kind: kind.into(),
            namespaced: true,
            verbs: std::collections::BTreeSet::new(),
            subresources: std::collections::BTreeSet::new(),
        };
        let kinds = vec![
            kind("acme.example", "services", "Service"),
            kind("apps", "deployments", "Deployment"),
            kind("", "services", "Service"),
        ];
        let resources = Resources { kinds, ..Resources::default() };
        let group = |word: &str| named(&resources, word).map(|found| found.group.as_str());
        assert_eq!(group("Deployment"), Some("apps"));
        assert_eq!(group("deploy"), Some("apps"));
        assert_eq!(group("deployments.apps"), Some("apps"));
        assert_eq!(group("svc"), Some(""));
        assert_eq!(group("service.acme.example"), Some("acme.example"));
        assert_eq!(group("widgets"), None);
    }
}
