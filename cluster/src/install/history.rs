//! The history: one Pod that owns the database, its Service, its volume, and an account that may read the authority's
//! Secret and nothing else.

use super::rights::{READ, binding, named, role};
use super::workloads::{ADMISSION, HEALTH, deployment};
use super::{InstallOptions, labels, metadata};
use crate::authority::AUTHORITY_SECRET;
use crate::control::HEALTH_PORT;
use serde_json::{Value, json};

/// The role, and the component in labels.
pub const HISTORY: &str = "history";
/// Its objects' name.
const NAME: &str = "wayguard-history";
/// Where the volume is.
const FOLDER: &str = "/var/lib/wayguard";

/// Where the history is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum History {
    /// In a file on a volume of this size, such as `10Gi`, of the cluster's default storage class.
    Volume(String),
    /// In PostgreSQL; the Secret of this name, in the suite's own namespace, holds its `url`.
    Database(String),
}

/// Where server and audit find it.
pub(super) fn argument(options: &InstallOptions) -> Option<String> {
    options.history.as_ref().map(|_| format!("--history=https://{NAME}.{}.svc", options.namespace))
}

pub(super) fn rights(options: &InstallOptions) -> Vec<Value> {
    let own = Some(options.namespace.as_str());
    vec![
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(NAME, own, HISTORY),
            "automountServiceAccountToken": false,
        }),
        role(
            "Role",
            &metadata(NAME, own, HISTORY),
            &[named(&[""], &["secrets"], &[AUTHORITY_SECRET], &READ)],
        ),
        binding("RoleBinding", "Role", NAME, &metadata(NAME, own, HISTORY), &options.namespace),
    ]
}

pub(super) fn objects(options: &InstallOptions, history: &History) -> Vec<Value> {
    let own = Some(options.namespace.as_str());
    let mut all = Vec::new();
    if let History::Volume(size) = history {
        all.push(json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata(NAME, own, HISTORY),
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
        }));
    }
    all.push(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(NAME, own, HISTORY),
        "spec": {
            "selector": labels(HISTORY),
            "ports": [{"name": "https", "port": 443, "targetPort": "https", "protocol": "TCP"}],
        },
    }));
    all.push(pod(options, history));
    all
}

fn pod(options: &InstallOptions, history: &History) -> Value {
    let mut arguments = vec![
        "control".to_owned(),
        format!("--role={HISTORY}"),
        "--in-cluster".to_owned(),
        format!("--own-namespace={}", options.namespace),
        format!("--service={}", super::SERVICE),
        format!("--authority-secret-name={AUTHORITY_SECRET}"),
        format!("--history-listen=:{ADMISSION}"),
        format!("--health-listen=:{HEALTH}"),
    ];
    if let History::Volume(_) = history {
        arguments.push(format!("--history={FOLDER}/history.db"));
    }
    let ports = json!([
        {"name": "https", "containerPort": ADMISSION, "protocol": "TCP"},
        {"name": HEALTH_PORT, "containerPort": HEALTH, "protocol": "TCP"},
    ]);
    let resources = json!({"requests": {"cpu": "20m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}});
    let mut deployment = deployment(options, HISTORY, 1, &arguments, &ports, &resources);
    let mut set = |pointer: &str, key: &str, value: Value| {
        if let Some(Value::Object(members)) = deployment.pointer_mut(pointer) {
            members.insert(key.to_owned(), value);
        }
    };
    match history {
        History::Volume(_) => {
            // A file has one owner: the old Pod ends before the new one begins. Servers wait meanwhile.
            set("/spec", "strategy", json!({"type": "Recreate"}));
            set("/spec/template/spec/securityContext", "fsGroup", super::workloads::USER.into());
            let volume = json!([{"name": "data", "persistentVolumeClaim": {"claimName": NAME}}]);
            set("/spec/template/spec", "volumes", volume);
            let mount = json!([{"name": "data", "mountPath": FOLDER}]);
            set("/spec/template/spec/containers/0", "volumeMounts", mount);
        }
        History::Database(secret) => {
            let url = json!({
                "name": "WAYGUARD_DATABASE_URL",
                "valueFrom": {"secretKeyRef": {"name": secret, "key": "url"}},
            });
            if let Some(Value::Array(variables)) =
                deployment.pointer_mut("/spec/template/spec/containers/0/env")
            {
                variables.push(url);
            }
        }
    }
    deployment
}
