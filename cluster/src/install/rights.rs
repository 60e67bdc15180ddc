//! Who may do what: one ServiceAccount each for the server and for `control`, with exactly what they need.

use super::{ANCHOR, InstallOptions, SERVICE, metadata};
use crate::authority::AUTHORITY_SECRET;
use crate::control::{AUDIT_LEASE, LEASE};
use crate::gatekeeper::{BASES, CONSTRAINTS, SIGNS, TEMPLATES};
use crate::kinds::GROUP;
use crate::reports::Flavour;
use serde_json::{Value, json};

/// A kind that the server may read, for policies' inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryRight {
    /// API group, empty for core.
    pub group: String,
    /// Plural.
    pub resource: String,
}

impl InventoryRight {
    /// Names a kind by group and plural.
    pub fn new(group: &str, resource: &str) -> Self {
        Self { group: group.to_owned(), resource: resource.to_owned() }
    }
}

/// Our kinds of which there is one list for the whole cluster.
const KINDS: [&str; 4] = ["imageauthorities", "policies", "policybundles", "trustroots"];
pub(super) const READ: [&str; 3] = ["get", "list", "watch"];

pub(super) fn objects(options: &InstallOptions) -> Vec<Value> {
    let mut all = vec![json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": metadata(ANCHOR, None, "anchor"),
        "rules": [],
    })];
    for (component, cluster_rules, own_rules) in [
        ("serve", serve_cluster(options), serve_own(options)),
        ("control", control_cluster(), control_own(options)),
        ("audit", audit_cluster(options), audit_own(options)),
    ] {
        let name = format!("wayguard-{component}");
        let own = Some(options.namespace.as_str());
        all.extend([
            json!({
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": metadata(&name, own, component),
                "automountServiceAccountToken": false,
            }),
            role("ClusterRole", &metadata(&name, None, component), &cluster_rules),
            binding(
                "ClusterRoleBinding",
                "ClusterRole",
                &name,
                &metadata(&name, None, component),
                &options.namespace,
            ),
            role("Role", &metadata(&name, own, component), &own_rules),
            binding("RoleBinding", "Role", &name, &metadata(&name, own, component), &options.namespace),
        ]);
        if options.gatekeeper {
            let rules = if component == "control" { control_gatekeeper() } else { serve_gatekeeper() };
            let own_name = format!("{name}-gatekeeper");
            let own = metadata(&own_name, None, component);
            let mut bound = binding("ClusterRoleBinding", "ClusterRole", &name, &own, &options.namespace);
            if let Some(bound_to) = bound.pointer_mut("/roleRef/name") {
                *bound_to = own_name.into();
            }
            all.extend([role("ClusterRole", &own, &rules), bound]);
        }
    }
    all
}

/// To read Gatekeeper's objects, and to see whether Gatekeeper itself works in the cluster.
fn serve_gatekeeper() -> Vec<Value> {
    let mut groups: Vec<&str> = BASES.iter().map(|base| base.group).collect();
    groups.dedup();
    let mut rules: Vec<Value> = groups
        .into_iter()
        .map(|group| {
            let own = BASES.iter().filter(|base| base.group == group);
            rule(&[group], &own.map(|base| base.plural).collect::<Vec<_>>(), &READ)
        })
        .collect();
    // Templates name their kinds as they like.
    rules.push(rule(&[CONSTRAINTS], &["*"], &READ));
    for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "Deployment"] {
        let signs: Vec<_> = SIGNS.iter().filter(|(_, _, other, _, _)| *other == kind).collect();
        let names: Vec<&str> = signs.iter().map(|(_, _, _, _, name)| *name).collect();
        let group = signs.first().map_or("", |(group, ..)| *group);
        rules.push(named(&[group], &[&format!("{}s", kind.to_ascii_lowercase())], &names, &["get"]));
    }
    rules
}

/// To make the kinds of templates and to write what became of them, too.
fn control_gatekeeper() -> Vec<Value> {
    let mut rules = serve_gatekeeper();
    rules.extend([
        rule(&["apiextensions.k8s.io"], &["customresourcedefinitions"], &["create", "get", "patch"]),
        rule(&[TEMPLATES.group], &[&format!("{}/status", TEMPLATES.plural)], &["patch"]),
        // A CRD that belongs to a template keeps it from going first.
        rule(&[TEMPLATES.group], &[&format!("{}/finalizers", TEMPLATES.plural)], &["update"]),
        rule(&[CONSTRAINTS], &["*/status"], &["patch"]),
    ]);
    rules
}

pub(super) fn role(kind: &str, metadata: &Value, rules: &[Value]) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "rules": rules})
}

pub(super) fn binding(kind: &str, role: &str, name: &str, metadata: &Value, namespace: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    })
}

pub(super) fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": groups, "resources": resources, "verbs": verbs})
}

pub(super) fn named(groups: &[&str], resources: &[&str], names: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": groups, "resources": resources, "resourceNames": names, "verbs": verbs})
}

/// The server reads and writes nothing.
fn serve_cluster(options: &InstallOptions) -> Vec<Value> {
    let mut rules = vec![
        rule(&[""], &["namespaces"], &READ),
        rule(&[GROUP], &KINDS, &READ),
        // For policies that ask who may do what; nothing is stored.
        rule(&["authorization.k8s.io"], &["subjectaccessreviews"], &["create"]),
        // To warn of Pods that a namespace's new labels would refuse.
        rule(&[""], &["pods"], &["list"]),
        // The live owner of a Pod, for exceptions that name the workload.
        rule(&["apps"], &["daemonsets", "deployments", "replicasets", "statefulsets"], &["get"]),
        rule(&["batch"], &["cronjobs", "jobs"], &["get"]),
        rule(&[""], &["replicationcontrollers"], &["get"]),
    ];
    rules.extend(
        options.inventory.iter().map(|kind| rule(&[kind.group.as_str()], &[kind.resource.as_str()], &READ)),
    );
    if options.provisioning.is_some() {
        // To judge claims and approvals as they are applied.
        rules.push(rule(&[GROUP], &["claimclasses", "platformclaims"], &["get", "list"]));
    }
    rules
}

fn serve_own(options: &InstallOptions) -> Vec<Value> {
    let mut secrets = vec![AUTHORITY_SECRET];
    secrets.extend(given(options));
    vec![
        rule(&[GROUP], &["policyexceptions"], &READ),
        // Public keys and trust roots that ImageAuthorities name, and what is stored of PolicyBundles.
        rule(&[""], &["configmaps"], &READ),
        // To sign its own leaf; and what the operator has named.
        named(&[""], &["secrets"], &secrets, &READ),
    ]
}

/// Secrets that the operator has named: keys and logins of registries.
fn given(options: &InstallOptions) -> Vec<&str> {
    let logins = options.registry_secrets.iter().map(|secret| secret.name.as_str());
    options.secrets.iter().map(String::as_str).chain(logins).collect()
}

fn control_cluster() -> Vec<Value> {
    let configurations = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
    vec![
        rule(&[GROUP], &KINDS, &READ),
        rule(
            &[GROUP],
            &KINDS.map(|kind| format!("{kind}/status")).each_ref().map(String::as_str),
            &["patch"],
        ),
        // `create` by name is enough, because server-side apply names what it creates.
        named(
            &["admissionregistration.k8s.io"],
            &configurations,
            &[SERVICE],
            &["create", "get", "list", "patch", "watch"],
        ),
        named(&["rbac.authorization.k8s.io"], &["clusterroles"], &[ANCHOR], &["get"]),
    ]
}

fn control_own(options: &InstallOptions) -> Vec<Value> {
    let mut rules = vec![
        rule(&[GROUP], &["policyexceptions"], &READ),
        rule(&[GROUP], &["policyexceptions/status"], &["patch"]),
        // The pause; the public keys and trust roots of who signs PolicyBundles; and what is stored of those, under names
        // that nobody knows before.
        rule(&[""], &["configmaps"], &["create", "delete", "get", "list", "patch", "watch"]),
        named(&[""], &["secrets"], &[AUTHORITY_SECRET], &["get", "update"]),
        rule(&["discovery.k8s.io"], &["endpointslices"], &["list", "watch"]),
        named(&["coordination.k8s.io"], &["leases"], &[LEASE], &["get", "update"]),
        rule(&["coordination.k8s.io"], &["leases"], &["create"]),
    ];
    let secrets = given(options);
    if !secrets.is_empty() {
        // To verify and fetch PolicyBundles.
        rules.push(named(&[""], &["secrets"], &secrets, &READ));
    }
    rules
}

/// The audit reads what policies judge and what they look up, and writes reports.
fn audit_cluster(options: &InstallOptions) -> Vec<Value> {
    let mut rules = vec![
        rule(&[""], &["namespaces"], &READ),
        rule(&[GROUP], &["policies", "policybundles"], &READ),
        // The live owner of a Pod, for exceptions that name the workload.
        rule(&["apps"], &["daemonsets", "deployments", "replicasets", "statefulsets"], &["get"]),
        rule(&["batch"], &["cronjobs", "jobs"], &["get"]),
        rule(&[""], &["replicationcontrollers"], &["get"]),
    ];
    let mut groups: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for kind in
        options.audited.iter().filter(|kind| (kind.group.as_str(), kind.resource.as_str()) != ("", "secrets"))
    {
        groups.entry(&kind.group).or_default().push(&kind.resource);
    }
    for (group, mut resources) in groups {
        resources.sort_unstable();
        resources.dedup();
        rules.push(rule(&[group], &resources, &["list", "watch"]));
    }
    rules.extend(
        options.inventory.iter().map(|kind| rule(&[kind.group.as_str()], &[kind.resource.as_str()], &READ)),
    );
    for flavour in Flavour::ALL {
        let kinds = [flavour.plural(false), flavour.plural(true)];
        rules.push(rule(&[flavour.group()], &kinds, &["create", "delete", "list", "patch"]));
    }
    rules
}

fn audit_own(options: &InstallOptions) -> Vec<Value> {
    let mut rules = vec![
        rule(&[GROUP], &["policyexceptions"], &READ),
        // What is stored of PolicyBundles.
        rule(&[""], &["configmaps"], &READ),
        named(&["coordination.k8s.io"], &["leases"], &[AUDIT_LEASE], &["get", "update"]),
        rule(&["coordination.k8s.io"], &["leases"], &["create"]),
    ];
    if options.history.is_some() {
        // A certificate to come to the history with.
        rules.push(named(&[""], &["secrets"], &[AUTHORITY_SECRET], &READ));
    }
    rules
}
