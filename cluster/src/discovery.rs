//! What kinds an API server has, by its aggregated discovery (KEP-3352, in every supported version).

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use kube::api::ApiResource;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A kind that was not found is looked for again at most this often.
const REDISCOVER: Duration = Duration::from_secs(5);

/// One resource of an API server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceKind {
    /// API group, empty for core.
    pub group: String,
    /// Versions that serve it, the preferred one first.
    pub versions: Vec<String>,
    /// Plural, as in URLs.
    pub plural: String,
    /// Kind.
    pub kind: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// What can be done with it: `create`, `update` …
    pub verbs: BTreeSet<String>,
    /// Its subresources, by name.
    pub subresources: BTreeSet<String>,
}

/// All resources of an API server at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// By group and plural.
    pub kinds: Vec<ResourceKind>,
    /// Groups whose own server did not answer the API server: their resources may be missing here.
    pub stale_groups: BTreeSet<String>,
}

impl Resources {
    /// Asks the API server.
    ///
    /// # Errors
    /// When it does not answer, or answers without aggregated discovery.
    pub async fn discover(client: &Client) -> Result<Self, ApiError> {
        let core = within(REQUEST_LIMIT, client.list_core_api_versions_aggregated()).await?;
        let others = within(REQUEST_LIMIT, client.list_api_groups_aggregated()).await?;
        if core.items.is_empty() || others.items.is_empty() {
            let message = "the API server has no aggregated discovery; Kubernetes 1.30 or newer is needed";
            return Err(ApiError::Unavailable(message.to_owned()));
        }
        let mut found: BTreeMap<(String, String), ResourceKind> = BTreeMap::new();
        let mut stale_groups = BTreeSet::new();
        for group in core.items.into_iter().chain(others.items) {
            let group_name = group.metadata.and_then(|metadata| metadata.name).unwrap_or_default();
            for version in group.versions {
                if version.freshness.as_deref() == Some("Stale") {
                    stale_groups.insert(group_name.clone());
                }
                let version_name = version.version.unwrap_or_default();
                for resource in version.resources {
                    let (Some(plural), Some(kind)) =
                        (resource.resource, resource.response_kind.and_then(|kind| kind.kind))
                    else {
                        continue;
                    };
                    let entry =
                        found.entry((group_name.clone(), plural.clone())).or_insert_with(|| ResourceKind {
                            group: group_name.clone(),
                            versions: Vec::new(),
                            plural,
                            kind,
                            namespaced: resource.scope.as_deref() == Some("Namespaced"),
                            verbs: BTreeSet::new(),
                            subresources: BTreeSet::new(),
                        });
                    entry.versions.push(version_name.clone());
                    entry.verbs.extend(resource.verbs);
                    entry
                        .subresources
                        .extend(resource.subresources.into_iter().filter_map(|sub| sub.subresource));
                }
            }
        }
        Ok(Self { kinds: found.into_values().collect(), stale_groups })
    }

    /// The resource of a kind.
    pub fn of_kind(&self, group: &str, version: &str, kind: &str) -> Option<&ResourceKind> {
        self.kinds.iter().find(|it| {
            it.group == group && it.kind == kind && it.versions.iter().any(|served| served == version)
        })
    }

    /// The resource of a plural.
    pub fn of_plural(&self, group: &str, plural: &str) -> Option<&ResourceKind> {
        self.kinds.iter().find(|it| it.group == group && it.plural == plural)
    }
}

impl ResourceKind {
    /// For the client, in one of its versions.
    pub(crate) fn api_resource(&self, version: &str) -> ApiResource {
        let api_version =
            if self.group.is_empty() { version.to_owned() } else { format!("{}/{version}", self.group) };
        ApiResource {
            group: self.group.clone(),
            version: version.to_owned(),
            api_version,
            kind: self.kind.clone(),
            plural: self.plural.clone(),
        }
    }
}

/// Discovery that is asked again only when a kind is not found: kinds come with CRDs and hardly ever change.
pub(crate) struct Kinds {
    client: Client,
    known: Mutex<Option<(Instant, Arc<Resources>)>>,
    /// Held while asking, so that a burst asks once.
    asking: tokio::sync::Mutex<()>,
}

impl Kinds {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, known: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// The resource of a kind; `None` if the API server does not have it.
    pub(crate) async fn find(
        &self,
        group: &str,
        version: &str,
        kind: &str,
    ) -> Result<Option<ResourceKind>, ApiError> {
        let look = |resources: &Resources| resources.of_kind(group, version, kind).cloned();
        if let Some(found) = self.known(Duration::MAX).as_deref().and_then(look) {
            return Ok(Some(found));
        }
        let _one_at_a_time = self.asking.lock().await;
        if let Some(fresh) = self.known(REDISCOVER) {
            return Ok(look(&fresh));
        }
        let resources = Arc::new(Resources::discover(&self.client).await?);
        let found = look(&resources);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), resources));
        Ok(found)
    }

    fn known(&self, not_older: Duration) -> Option<Arc<Resources>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(at, _)| at.elapsed() <= not_older).map(|(_, resources)| Arc::clone(resources))
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use serde_json::{Value, json};

    /// An `APIGroupDiscoveryList` of one group.
    pub(crate) fn group(name: &str, version: &str, freshness: &str, resources: &Value) -> Value {
        json!({"metadata": {"name": name}, "versions": [{"version": version, "freshness": freshness, "resources": resources}]})
    }

    pub(crate) fn resource(plural: &str, kind: &str, scope: &str, subresources: &[&str]) -> Value {
        let subresources: Vec<_> =
            subresources.iter().map(|name| json!({"subresource": name, "verbs": ["get"]})).collect();
        json!({"resource": plural, "responseKind": {"kind": kind}, "scope": scope, "verbs": ["create", "get", "update"], "subresources": subresources})
    }

    pub(crate) fn list(groups: &[Value]) -> String {
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": groups})
            .to_string()
    }

    /// Answers `/api` and `/apis` with a few built-in kinds.
    pub(crate) fn answer(line: &str) -> Option<(u16, String)> {
        let core = json!([
            resource("pods", "Pod", "Namespaced", &["status", "exec", "ephemeralcontainers", "resize"]),
            resource("namespaces", "Namespace", "Cluster", &["status", "finalize"]),
            resource("secrets", "Secret", "Namespaced", &[]),
        ]);
        let apps = json!([
            resource("deployments", "Deployment", "Namespaced", &["status", "scale"]),
            resource("replicasets", "ReplicaSet", "Namespaced", &["status", "scale"]),
        ]);
        match line {
            "GET /api" => Some((200, list(&[group("", "v1", "Current", &core)]))),
            "GET /apis" => Some((200, list(&[group("apps", "v1", "Current", &apps)]))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::client;
    use serde_json::json;

    #[tokio::test]
    async fn groups_versions_and_subresources_are_read() {
        let (client, _) = client(|line, _| match line {
            "GET /apis" => {
                let one = json!([samples::resource("widgets", "Widget", "Namespaced", &["status"])]);
                let mut group = samples::group("example.com", "v2", "Current", &one);
                group["versions"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({"version": "v1", "freshness": "Current", "resources": one}));
                (
                    200,
                    samples::list(&[group, samples::group("metrics.k8s.io", "v1beta1", "Stale", &json!([]))]),
                )
            }
            line => samples::answer(line).unwrap(),
        });
        let resources = Resources::discover(&client).await.unwrap();
        let widget = resources.of_plural("example.com", "widgets").unwrap();
        assert_eq!(
            (widget.versions.clone(), widget.namespaced),
            (vec!["v2".to_owned(), "v1".to_owned()], true)
        );
        assert!(resources.of_kind("example.com", "v1", "Widget").is_some());
        assert!(resources.of_kind("example.com", "v3", "Widget").is_none());
        assert!(!resources.of_plural("", "namespaces").unwrap().namespaced);
        assert!(resources.of_plural("", "pods").unwrap().subresources.contains("resize"));
        assert_eq!(resources.stale_groups, BTreeSet::from(["metrics.k8s.io".to_owned()]));
    }

    #[tokio::test]
    async fn an_api_server_without_aggregated_discovery_is_refused() {
        let (client, _) = client(|_, _| (200, json!({"kind": "APIGroupList", "groups": []}).to_string()));
        let error = Resources::discover(&client).await.unwrap_err();
        assert!(error.to_string().contains("1.30 or newer"), "{error}");
    }

    #[tokio::test]
    async fn known_kinds_are_not_asked_for_again_and_unknown_ones_not_in_a_burst() {
        let (client, log) = client(|line, _| samples::answer(line).unwrap());
        let kinds = Kinds::new(client);
        assert_eq!(kinds.find("apps", "v1", "Deployment").await.unwrap().unwrap().plural, "deployments");
        assert_eq!(kinds.find("", "v1", "Pod").await.unwrap().unwrap().plural, "pods");
        assert_eq!(kinds.find("", "v1", "Sprocket").await.unwrap(), None);
        assert_eq!(log.lock().unwrap().len(), 2);
    }
}
