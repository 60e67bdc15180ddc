//! Everything that an installation consists of, as data: for `wayguard install`, its `--dry-run`, and as the yardstick
//! that the chart is held against.
//!
//! Webhook configurations are not among it: `control` makes them from the policies.

mod apply;
mod backstop;
mod history;
mod provisioning;
mod rights;
mod workloads;

use crate::images::LoginSecret;
use crate::kinds::definitions;
use crate::webhooks::EXEMPT_NAMESPACES;
use serde_json::{Value, json};
use wayguard_engine::expansion::WORKLOADS;

pub use apply::{Applied, InstallError, apply};
pub use backstop::CLASS_ACCOUNTS;
pub use history::{HISTORY, History};
pub use provisioning::{ClassAccount, PROVISIONING, PROVISIONING_LEASE, Provisioning};
pub use rights::InventoryRight;

/// The `ClusterRole` whose deletion removes the webhook configurations; it grants nothing.
pub const ANCHOR: &str = "wayguard-anchor";
/// The Service, and the name of both webhook configurations.
pub const SERVICE: &str = "wayguard";

/// What an operator chooses.
#[derive(Clone, Debug)]
pub struct InstallOptions {
    /// The suite's own namespace. Default `wayguard-system`.
    pub namespace: String,
    /// The image of all Pods. No default: it names a registry.
    pub image: String,
    /// Replicas of the server. Default 3.
    pub replicas: u32,
    /// Nothing is refused yet, everything is recorded. Default true: a first installation observes.
    pub observe: bool,
    /// Bundles, folders and files for `--policies`; empty: the program's defaults.
    pub policies: Vec<String>,
    /// Namespaces that no policy judges. Default [`EXEMPT_NAMESPACES`].
    pub exempt_namespaces: Vec<String>,
    /// What policies may read of the cluster. Default: what `golden-path` asks for.
    pub inventory: Vec<InventoryRight>,
    /// Kinds whose objects the audit may list; Secrets never. Default: Pods and what makes them.
    pub audited: Vec<InventoryRight>,
    /// Secrets of the suite's own namespace that the server may read: keys and logins of registries. Default: none.
    pub secrets: Vec<String>,
    /// Secrets of the suite's own namespace with logins of registries, and for whom they are. Default: none.
    pub registry_secrets: Vec<LoginSecret>,
    /// Gatekeeper's objects are read too: its kinds, and the rights for them, are installed. Default false.
    pub gatekeeper: bool,
    /// Self-service: the controller, its rights, and the classes. Default: none.
    pub provisioning: Option<Provisioning>,
    /// Where decisions and audit states are kept. Default: nowhere.
    pub history: Option<History>,
    /// A Secret of the suite's own namespace with `tls.crt`, `tls.key` and `ca.crt`, which somebody else renews. Default: none,
    /// `control` makes an authority.
    pub certificate: Option<String>,
    /// Without one, Pods of others come first when nodes are full. Default `system-cluster-critical`.
    pub priority_class: Option<String>,
}

impl InstallOptions {
    /// The defaults, with this image.
    pub fn new(image: &str) -> Self {
        Self {
            namespace: "wayguard-system".to_owned(),
            image: image.to_owned(),
            replicas: 3,
            observe: true,
            policies: Vec::new(),
            exempt_namespaces: EXEMPT_NAMESPACES.map(str::to_owned).to_vec(),
            inventory: vec![
                InventoryRight::new("gateway.networking.k8s.io", "httproutes"),
                InventoryRight::new("networking.k8s.io", "ingresses"),
                InventoryRight::new("networking.k8s.io", "networkpolicies"),
            ],
            audited: std::iter::once(InventoryRight::new("", "pods"))
                .chain(WORKLOADS.iter().map(|kind| InventoryRight::new(kind.group, kind.resource)))
                .collect(),
            secrets: Vec::new(),
            registry_secrets: Vec::new(),
            gatekeeper: false,
            provisioning: None,
            history: None,
            certificate: None,
            priority_class: Some("system-cluster-critical".to_owned()),
        }
    }
}

/// All objects, in the order in which they are applied.
pub fn objects(options: &InstallOptions) -> Vec<Value> {
    let mut all = ground(options);
    all.extend(workloads::objects(options));
    all
}

/// What must be there before anything runs: namespace, kinds, accounts with their rights, the authority's Secret.
/// Servers outside of the cluster need no more.
pub fn ground(options: &InstallOptions) -> Vec<Value> {
    let mut all = vec![namespace(options)];
    all.extend(definitions().into_iter().map(|definition| definition.object));
    if options.gatekeeper {
        all.extend(crate::gatekeeper::base_definitions());
    }
    all.extend(rights::objects(options));
    if let Some(wanted) = &options.provisioning {
        all.extend(provisioning::rights(options, wanted));
        all.extend(wanted.classes.iter().cloned());
        all.extend(backstop::objects(options));
    }
    if options.history.is_some() {
        all.extend(history::rights(options));
    }
    all.push(workloads::authority_secret(options));
    all
}

/// The user name of a role's ServiceAccount: `serve`, `control` or [`PROVISIONING`].
pub fn account(namespace: &str, role: &str) -> String {
    format!("system:serviceaccount:{namespace}:wayguard-{role}")
}

/// The suite's own namespace: its Pods are held to the strictest level by the API server's own plugin, since our
/// policies exempt them.
fn namespace(options: &InstallOptions) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": options.namespace,
            "labels": {
                "app.kubernetes.io/name": "wayguard",
                "app.kubernetes.io/part-of": "wayguard",
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/enforce-version": "latest",
                "pod-security.kubernetes.io/warn": "restricted",
                "pod-security.kubernetes.io/warn-version": "latest",
            },
        },
    })
}

/// Metadata of an object of ours.
fn metadata(name: &str, namespace: Option<&str>, component: &str) -> Value {
    let mut metadata = json!({"name": name, "labels": labels(component)});
    if let (Some(namespace), Value::Object(members)) = (namespace, &mut metadata) {
        members.insert("namespace".into(), namespace.into());
    }
    metadata
}

fn labels(component: &str) -> Value {
    json!({
        "app.kubernetes.io/name": "wayguard",
        "app.kubernetes.io/part-of": "wayguard",
        "app.kubernetes.io/component": component,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{self, golden};

    fn options() -> InstallOptions {
        InstallOptions::new("registry.example/wayguard@sha256:0000")
    }

    fn of_kinds(kinds: &[&str]) -> String {
        let all = objects(&options());
        let chosen =
            all.iter().filter(|object| object["kind"].as_str().is_some_and(|kind| kinds.contains(&kind)));
        manifest::stream(chosen)
    }

    #[test]
    fn the_rights_of_each_role_are_exactly_these() {
        let rights =
            of_kinds(&["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]);
        golden::check("golden/install-rbac.yaml", &rights);
    }

    #[test]
    fn gatekeepers_rights_are_a_role_of_their_own() {
        let plain = objects(&options());
        let with = objects(&InstallOptions { gatekeeper: true, ..options() });
        let more = |object: &&Value| {
            object["kind"].as_str().is_some_and(|kind| kind.starts_with("ClusterRole"))
                && !plain.iter().any(|known| known == *object)
        };
        golden::check("golden/install-gatekeeper-rbac.yaml", &manifest::stream(with.iter().filter(more)));
        let arguments = with.iter().filter(|object| object["kind"] == "Deployment");
        assert!(arguments.into_iter().all(|object| object.to_string().contains("\"--gatekeeper\"")));
    }

    #[test]
    fn self_service_is_an_account_that_impersonates_those_of_the_classes() {
        let wanted = Provisioning {
            accounts: vec![
                ClassAccount {
                    name: "wayguard-class-postgresql".into(),
                    kinds: ["postgresql.cnpg.io/Cluster", "networking.k8s.io/NetworkPolicy"]
                        .map(Into::into)
                        .into(),
                    roles: Vec::new(),
                },
                ClassAccount {
                    name: "wayguard-class-namespace".into(),
                    kinds: ["/LimitRange", "rbac.authorization.k8s.io/RoleBinding"].map(Into::into).into(),
                    roles: ["edit", "view"].map(Into::into).into(),
                },
            ],
            classes: Vec::new(),
        };
        let plain = objects(&options());
        let with = objects(&InstallOptions { provisioning: Some(wanted), ..options() });
        let more: Vec<_> = with.iter().filter(|object| !plain.contains(object)).collect();
        let text = manifest::stream(more.iter().copied());
        golden::check("golden/install-provisioning.yaml", &text);
        let rights = more.iter().filter(|object| {
            !object["kind"].as_str().unwrap_or_default().starts_with("ValidatingAdmissionPolicy")
        });
        let text = manifest::stream(rights.copied());
        assert!(!text.contains("secrets") && !text.contains("escalate") && !text.contains("'*'"));
    }

    #[test]
    fn the_history_is_an_account_that_reads_one_secret_and_a_pod_with_a_volume() {
        let plain = objects(&options());
        let with = |history| objects(&InstallOptions { history: Some(history), ..options() });
        let on_volume = with(History::Volume("10Gi".into()));
        let more: Vec<_> = on_volume.iter().filter(|object| !plain.contains(object)).collect();
        golden::check("golden/install-history.yaml", &manifest::stream(more.iter().copied()));
        let in_database = with(History::Database("db".into()));
        assert!(!in_database.iter().any(|object| object["kind"] == "PersistentVolumeClaim"));
        let pod = in_database
            .iter()
            .find(|it| it["kind"] == "Deployment" && it["metadata"]["name"] == "wayguard-history");
        let pod = pod.unwrap().to_string();
        assert!(
            pod.contains("WAYGUARD_DATABASE_URL") && !pod.contains("/history.db") && !pod.contains("volumes")
        );
    }

    #[test]
    fn the_workloads_are_exactly_these() {
        let workloads = of_kinds(&["Namespace", "Secret", "Service", "Deployment", "PodDisruptionBudget"]);
        golden::check("golden/install-workloads.yaml", &workloads);
    }

    #[test]
    fn an_enforcing_installation_differs_in_one_argument() {
        let observing = manifest::stream(&objects(&options()));
        let enforcing = manifest::stream(&objects(&InstallOptions { observe: false, ..options() }));
        let gone: Vec<_> = observing.lines().filter(|line| line.contains("--observe")).collect();
        assert_eq!(gone.len(), 3, "server, control and audit");
        let without: Vec<_> = observing.lines().filter(|line| !line.contains("--observe")).collect();
        assert_eq!(without, enforcing.lines().collect::<Vec<_>>());
    }

    #[test]
    fn nothing_may_read_secrets_but_ours_by_name_and_nobody_may_do_everything() {
        for object in objects(&options()) {
            for rule in object["rules"].as_array().into_iter().flatten() {
                let text = rule.to_string();
                assert!(!text.contains("\"*\""), "{text}");
                for verb in ["impersonate", "escalate", "bind", "deletecollection"] {
                    assert!(!text.contains(&format!("\"{verb}\"")), "{text}");
                }
                // What was stored of bundles is removed from our own namespace, and reports that say what is no longer so;
                // nothing else is removed anywhere.
                let own_maps = object["kind"] == "Role" && rule["resources"] == json!(["configmaps"]);
                let reports = text.contains("\"wgpolicyk8s.io\"") || text.contains("\"openreports.io\"");
                assert!(own_maps || reports || !text.contains("\"delete\""), "{text}");
                if text.contains("\"secrets\"") {
                    assert_eq!(rule["resourceNames"], json!(["wayguard-ca"]), "{text}");
                }
            }
        }
    }

    #[test]
    fn secrets_that_are_named_may_be_read_and_logins_are_told_to_the_server() {
        let more = InstallOptions {
            secrets: vec!["keys".to_owned()],
            registry_secrets: vec!["harbor=team-a,shop-*".parse().unwrap(), "hub".parse().unwrap()],
            ..options()
        };
        let objects = objects(&more);
        let of = |kind: &str, name: &str| {
            let found = objects.iter().find(|it| it["kind"] == kind && it["metadata"]["name"] == name);
            found.unwrap().to_string()
        };
        assert!(of("Role", "wayguard-serve").contains(r#"["wayguard-ca","keys","harbor","hub"]"#));
        assert!(of("Role", "wayguard-control").contains(r#"["keys","harbor","hub"]"#));
        for name in ["wayguard-serve", "wayguard-control"] {
            let deployment = of("Deployment", name);
            assert!(
                deployment.contains(
                    r#""--registry-secret-name=harbor=team-a,shop-*","--registry-secret-name=hub""#
                ),
                "{deployment}"
            );
        }
    }

    #[test]
    fn a_certificate_of_somebody_else_is_mounted_and_its_authority_trusted() {
        let with = InstallOptions { certificate: Some("tls".into()), ..options() };
        let plain = objects(&options());
        let more: Vec<Value> = objects(&with).into_iter().filter(|object| !plain.contains(object)).collect();
        golden::check("golden/install-certificate.yaml", &manifest::stream(&more));
    }

    #[test]
    fn a_single_replica_can_be_drained() {
        let objects = objects(&InstallOptions { replicas: 1, ..options() });
        assert!(!objects.iter().any(|object| object["kind"] == "PodDisruptionBudget"));
    }
}
