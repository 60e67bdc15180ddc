//! Reports in the cluster, in the form that other tools read: `openreports.io/v1alpha1`, or where that is not installed
//! `wgpolicyk8s.io/v1alpha2`.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::discovery::Resources;
use crate::listing::{PAGE, Pace};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::Value;
use std::sync::Arc;

/// Under this name the fields of reports are ours.
const FIELD_MANAGER: &str = "wayguard-audit";
/// The label that our reports have, and its value.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "wayguard");
/// The annotation with a hash of what a report says.
pub const CONTENT: &str = "wayguard.io/content";

/// Which kinds of reports a cluster has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// `openreports.io/v1alpha1`: `Report` and `ClusterReport`.
    OpenReports,
    /// `wgpolicyk8s.io/v1alpha2`: `PolicyReport` and `ClusterPolicyReport`.
    PolicyReport,
}

impl Flavour {
    /// Both.
    pub const ALL: [Self; 2] = [Self::OpenReports, Self::PolicyReport];

    /// The kinds that are installed; of both the newer.
    pub fn installed(resources: &Resources) -> Option<Self> {
        Self::ALL.into_iter().find(|flavour| {
            let version = flavour.version();
            [false, true].iter().all(|namespaced| {
                let found = resources.of_plural(flavour.group(), flavour.plural(*namespaced));
                found.is_some_and(|kind| kind.versions.iter().any(|served| served == version))
            })
        })
    }

    /// API group.
    pub fn group(self) -> &'static str {
        match self {
            Self::OpenReports => "openreports.io",
            Self::PolicyReport => "wgpolicyk8s.io",
        }
    }

    /// API version.
    pub fn version(self) -> &'static str {
        match self {
            Self::OpenReports => "v1alpha1",
            Self::PolicyReport => "v1alpha2",
        }
    }

    /// The kind of reports of a namespace, or of the cluster.
    pub fn kind(self, namespaced: bool) -> &'static str {
        match (self, namespaced) {
            (Self::OpenReports, true) => "Report",
            (Self::OpenReports, false) => "ClusterReport",
            (Self::PolicyReport, true) => "PolicyReport",
            (Self::PolicyReport, false) => "ClusterPolicyReport",
        }
    }

    /// Its plural.
    pub fn plural(self, namespaced: bool) -> &'static str {
        match (self, namespaced) {
            (Self::OpenReports, true) => "reports",
            (Self::OpenReports, false) => "clusterreports",
            (Self::PolicyReport, true) => "policyreports",
            (Self::PolicyReport, false) => "clusterpolicyreports",
        }
    }

    /// `openreports.io/v1alpha1`.
    pub fn api_version(self) -> String {
        format!("{}/{}", self.group(), self.version())
    }

    fn resource(self, namespaced: bool) -> ApiResource {
        ApiResource {
            group: self.group().to_owned(),
            version: self.version().to_owned(),
            api_version: self.api_version(),
            kind: self.kind(namespaced).to_owned(),
            plural: self.plural(namespaced).to_owned(),
        }
    }
}

/// The reports of a cluster that are ours.
pub struct Reports {
    client: Client,
    flavour: Flavour,
    pace: Arc<Pace>,
}

/// A report that is there: namespace (empty: the cluster's), name, and the hash of what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Namespace, empty for the cluster's.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// What [`CONTENT`] says.
    pub content: String,
}

impl Reports {
    /// Reports of that kind, written within a budget.
    pub fn new(client: &Client, flavour: Flavour, pace: &Arc<Pace>) -> Self {
        Self { client: client.clone(), flavour, pace: Arc::clone(pace) }
    }

    /// Which kinds.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    fn api(&self, namespace: &str, namespaced: bool) -> Api<DynamicObject> {
        let resource = self.flavour.resource(namespaced);
        if namespace.is_empty() {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), namespace, &resource)
        }
    }

    /// All that are there.
    ///
    /// # Errors
    /// What the API server says.
    pub async fn written(&self) -> Result<Vec<Written>, ApiError> {
        let mut found = Vec::new();
        for namespaced in [true, false] {
            let api = self.api("", namespaced);
            let mut params = ListParams {
                limit: Some(PAGE),
                label_selector: Some(format!("{}={}", MANAGED_BY.0, MANAGED_BY.1)),
                ..ListParams::default()
            };
            loop {
                self.pace.turn().await;
                let page = within(REQUEST_LIMIT, api.list_metadata(&params)).await?;
                found.extend(page.items.into_iter().map(|report| {
                    let metadata = report.metadata;
                    let content = metadata.annotations.unwrap_or_default().remove(CONTENT);
                    Written {
                        namespace: metadata.namespace.unwrap_or_default(),
                        name: metadata.name.unwrap_or_default(),
                        content: content.unwrap_or_default(),
                    }
                }));
                params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
                if params.continue_token.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Writes one, whole.
    ///
    /// # Errors
    /// What the API server says.
    pub async fn apply(&self, report: &Value) -> Result<(), ApiError> {
        let text = |pointer: &str| report.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        self.pace.turn().await;
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let api = self.api(namespace, !namespace.is_empty());
        within(REQUEST_LIMIT, api.patch(name, &params, &Patch::Apply(report))).await.map(|_| ())
    }

    /// Removes one; that it is gone already is fine.
    ///
    /// # Errors
    /// What the API server says.
    pub async fn remove(&self, namespace: &str, name: &str) -> Result<(), ApiError> {
        self.pace.turn().await;
        let api = self.api(namespace, !namespace.is_empty());
        match within(REQUEST_LIMIT, api.delete(name, &DeleteParams::default())).await {
            Ok(_) | Err(ApiError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::ResourceKind;
    use crate::fake_api::{client, failure};
    use serde_json::json;
    use std::collections::BTreeSet;

    fn served(group: &str, version: &str, plurals: &[&str]) -> Resources {
        let kind = |plural: &&str| ResourceKind {
            group: group.to_owned(),
            versions: vec![version.to_owned()],
            plural: (*plural).to_owned(),
            kind: String::new(),
            namespaced: true,
            verbs: BTreeSet::new(),
            subresources: BTreeSet::new(),
        };
        Resources { kinds: plurals.iter().map(kind).collect(), ..Resources::default() }
    }

    #[test]
    fn the_newer_kinds_are_written_where_both_are_there_and_none_that_is_served_in_part() {
        let mut resources = served("wgpolicyk8s.io", "v1alpha2", &["policyreports", "clusterpolicyreports"]);
        assert_eq!(Flavour::installed(&resources), Some(Flavour::PolicyReport));
        resources.kinds.extend(served("openreports.io", "v1alpha1", &["reports"]).kinds);
        assert_eq!(Flavour::installed(&resources), Some(Flavour::PolicyReport));
        resources.kinds.extend(served("openreports.io", "v1alpha1", &["clusterreports"]).kinds);
        assert_eq!(Flavour::installed(&resources), Some(Flavour::OpenReports));
        let other = served("wgpolicyk8s.io", "v1beta1", &["policyreports", "clusterpolicyreports"]);
        assert_eq!(Flavour::installed(&other), None);
    }

    #[tokio::test]
    async fn what_is_there_is_known_by_its_annotation_and_what_is_gone_already_is_fine() {
        let (client, log) = client(|line, _| match line {
            line if line.starts_with("DELETE") => failure(404, "NotFound", "no such report"),
            line if line.contains("/clusterpolicyreports") => {
                (200, json!({"metadata": {}, "items": []}).to_string())
            }
            _ => {
                let metadata =
                    json!({"name": "wayguard-p", "namespace": "shop", "annotations": {CONTENT: "abc"}});
                (200, json!({"metadata": {}, "items": [{"metadata": metadata}]}).to_string())
            }
        });
        let reports = Reports::new(&client, Flavour::PolicyReport, &Arc::new(Pace::new(1000, 10)));
        let there = Written { namespace: "shop".into(), name: "wayguard-p".into(), content: "abc".into() };
        assert_eq!(reports.written().await.unwrap(), [there]);
        reports.remove("shop", "wayguard-p").await.unwrap();
        let log = log.lock().unwrap();
        assert!(
            log.iter()
                .any(|line| line.contains("labelSelector=app.kubernetes.io") && line.contains("%3Dwayguard")),
            "{log:?}"
        );
    }

    #[tokio::test]
    async fn a_report_is_applied_in_its_place() {
        let (client, log) = client(|_, body| (200, body.to_owned()));
        let reports = Reports::new(&client, Flavour::OpenReports, &Arc::new(Pace::new(1000, 10)));
        let report = |metadata: Value| json!({"apiVersion": "openreports.io/v1alpha1", "kind": "Report", "metadata": metadata});
        reports.apply(&report(json!({"name": "a", "namespace": "shop"}))).await.unwrap();
        reports.apply(&report(json!({"name": "a"}))).await.unwrap();
        let log = log.lock().unwrap();
        assert!(
            log[0].starts_with("PATCH /apis/openreports.io/v1alpha1/namespaces/shop/reports/a?"),
            "{log:?}"
        );
        assert!(log[1].starts_with("PATCH /apis/openreports.io/v1alpha1/clusterreports/a?"), "{log:?}");
        assert!(
            log.iter()
                .all(|line| line.contains("fieldManager=wayguard-audit") && line.contains("force=true"))
        );
    }
}
