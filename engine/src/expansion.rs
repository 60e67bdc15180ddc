//! From a workload to the Pod it will make: every built-in kind with a pod template, and any other kind by a
//! declared path. Also what the engine knows of kinds without asking a cluster: plurals and scope.

use crate::value::{Arena, Object, Value};

/// A built-in kind that holds a pod template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// API group.
    pub group: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Plural.
    pub resource: &'static str,
    /// JSON Pointer to the PodTemplateSpec.
    pub path: &'static str,
}

/// All kinds of Kubernetes 1.37 that hold a pod template. `PodTemplate` carries it at `/template`.
pub const WORKLOADS: [Workload; 8] = [
    Workload { group: "apps", kind: "Deployment", resource: "deployments", path: "/spec/template" },
    Workload { group: "apps", kind: "ReplicaSet", resource: "replicasets", path: "/spec/template" },
    Workload { group: "apps", kind: "StatefulSet", resource: "statefulsets", path: "/spec/template" },
    Workload { group: "apps", kind: "DaemonSet", resource: "daemonsets", path: "/spec/template" },
    Workload { group: "batch", kind: "Job", resource: "jobs", path: "/spec/template" },
    Workload {
        group: "batch",
        kind: "CronJob",
        resource: "cronjobs",
        path: "/spec/jobTemplate/spec/template",
    },
    Workload {
        group: "",
        kind: "ReplicationController",
        resource: "replicationcontrollers",
        path: "/spec/template",
    },
    Workload { group: "", kind: "PodTemplate", resource: "podtemplates", path: "/template" },
];

/// Where a resource holds its pod template, if it is a built-in workload.
pub fn template_path(group: &str, resource: &str) -> Option<&'static str> {
    WORKLOADS
        .iter()
        .find(|workload| workload.group == group && workload.resource == resource)
        .map(|it| it.path)
}

/// The Pod that a PodTemplateSpec describes: its metadata and spec, in the workload's namespace, named as the
/// controller would (by `generateName`).
pub fn pod_from_template<'a>(
    arena: &impl Arena<'a>,
    template: Value<'a>,
    owner_name: &str,
    namespace: &'a str,
) -> Value<'a> {
    let mut metadata = template.get("metadata").and_then(Value::as_object).unwrap_or_default();
    if metadata.get("generateName").is_none() && !owner_name.is_empty() {
        let prefix = arena.text(&format!("{owner_name}-"));
        metadata = metadata.with(arena, "generateName", Value::String(prefix));
    }
    metadata = metadata.with(arena, "namespace", Value::String(namespace));
    let spec = template.get("spec").unwrap_or_default();
    Value::Object(Object::new(
        arena,
        vec![
            ("apiVersion", Value::String("v1")),
            ("kind", Value::String("Pod")),
            ("metadata", Value::Object(metadata)),
            ("spec", spec),
        ],
    ))
}

/// Kinds of Kubernetes 1.37 whose objects live in no namespace. With a cluster at hand, discovery is asked.
const CLUSTER_SCOPED: [(&str, &str); 33] = [
    ("", "ComponentStatus"),
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("authentication.k8s.io", "SelfSubjectReview"),
    ("authentication.k8s.io", "TokenReview"),
    ("authorization.k8s.io", "SelfSubjectAccessReview"),
    ("authorization.k8s.io", "SelfSubjectRulesReview"),
    ("authorization.k8s.io", "SubjectAccessReview"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("certificates.k8s.io", "ClusterTrustBundle"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "ResourceSlice"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
];

/// Whether a built-in kind lives in no namespace; kinds that are not known are taken as namespaced.
pub fn is_cluster_scoped(group: &str, kind: &str) -> bool {
    CLUSTER_SCOPED.contains(&(group, kind))
        || matches!((group, kind), ("storage.k8s.io", "CSIDriver" | "CSINode" | "VolumeAttributesClass"))
        || (group == "wayguard.io" && matches!(kind, "Policy"))
}

/// The plural of a kind, by the rules that API machinery uses to guess it (`UnsafeGuessKindToResource`), with
/// the built-in exceptions.
pub fn plural(kind: &str) -> String {
    let lower = kind.to_ascii_lowercase();
    match lower.as_str() {
        "endpoints" => lower,
        _ if lower.ends_with('s') || lower.ends_with("ch") || lower.ends_with('x') => format!("{lower}es"),
        _ => match lower.strip_suffix('y') {
            Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
            _ => format!("{lower}s"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bumpalo::Bump;

    #[test]
    fn plurals_of_built_in_kinds() {
        for (kind, expected) in [
            ("Pod", "pods"),
            ("NetworkPolicy", "networkpolicies"),
            ("Ingress", "ingresses"),
            ("StorageClass", "storageclasses"),
            ("Endpoints", "endpoints"),
            ("Gateway", "gateways"),
        ] {
            assert_eq!(plural(kind), expected);
        }
        for workload in WORKLOADS {
            assert_eq!(plural(workload.kind), workload.resource);
            assert_eq!(template_path(workload.group, workload.resource), Some(workload.path));
        }
    }

    #[test]
    fn a_template_becomes_a_pod() {
        let bump = Bump::new();
        let template =
            crate::value::parse_json(&&bump, br#"{"metadata":{"labels":{"a":"b"}},"spec":{"x":1}}"#).unwrap();
        assert_eq!(
            pod_from_template(&&bump, template, "web", "team-a").to_string(),
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"web-","labels":{"a":"b"},"namespace":"team-a"},"spec":{"x":1}}"#
        );
    }
}
