//! What runs: the server's replicas behind a Service, and `control`.

use super::{InstallOptions, PROVISIONING, SERVICE, labels, metadata};
use crate::authority::AUTHORITY_SECRET;
use crate::control::HEALTH_PORT;
use serde_json::{Value, json};

/// Where the server listens for the API server.
pub(super) const ADMISSION: u16 = 8443;
/// Where both listen for probes, metrics and load reports.
pub(super) const HEALTH: u16 = 8080;
/// Anybody but root; the image has no users of its own.
pub(super) const USER: u32 = 65532;
/// The server answers on for this long after it turned unready, so that no request meets a closed port.
const DRAIN_SECONDS: u32 = 10;
/// Where a certificate of somebody else is mounted.
const TLS: &str = "/etc/wayguard/tls";
/// Draining, then requests that have begun, then some.
const GRACE_SECONDS: u32 = 45;

/// Without data: `control` fills it, and applying this again leaves what is in it alone.
pub(super) fn authority_secret(options: &InstallOptions) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(AUTHORITY_SECRET, Some(&options.namespace), "control"),
        "type": "Opaque",
    })
}

pub(super) fn objects(options: &InstallOptions) -> Vec<Value> {
    let own = Some(options.namespace.as_str());
    let mut all = vec![
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(SERVICE, own, "serve"),
            "spec": {
                "selector": labels("serve"),
                "ports": [
                    {"name": "https", "port": 443, "targetPort": "https", "protocol": "TCP"},
                    {"name": HEALTH_PORT, "port": HEALTH, "targetPort": HEALTH_PORT, "protocol": "TCP"},
                ],
            },
        }),
        serve(options),
        control(options),
        audit(options),
    ];
    if let Some(history) = &options.history {
        all.extend(super::history::objects(options, history));
    }
    if options.provisioning.is_some() {
        all.push(provisioning(options));
    }
    if options.replicas > 1 {
        all.push(json!({
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata("wayguard-serve", own, "serve"),
            "spec": {
                "minAvailable": options.replicas - 1,
                "selector": {"matchLabels": labels("serve")},
                // A Pod that is not ready protects nobody, and must not keep a node from being drained.
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            },
        }));
    }
    all
}

fn serve(options: &InstallOptions) -> Value {
    let mut arguments = vec![
        "serve".to_owned(),
        "--in-cluster".to_owned(),
        format!("--own-namespace={}", options.namespace),
        format!("--listen=:{ADMISSION}"),
        format!("--health-listen=:{HEALTH}"),
        format!("--service={SERVICE}"),
        format!("--authority-secret-name={AUTHORITY_SECRET}"),
        format!("--drain-delay={DRAIN_SECONDS}"),
    ];
    if options.certificate.is_some() {
        arguments.extend([format!("--cert={TLS}/tls.crt"), format!("--key={TLS}/tls.key")]);
    }
    arguments.extend(super::history::argument(options));
    arguments.extend(shared(options));
    let ports = json!([
        {"name": "https", "containerPort": ADMISSION, "protocol": "TCP"},
        {"name": HEALTH_PORT, "containerPort": HEALTH, "protocol": "TCP"},
    ]);
    let resources = json!({
        "requests": {"cpu": "100m", "memory": "512Mi"},
        // No limit on CPU: a verdict that is throttled is a request that waits.
        "limits": {"memory": "512Mi"},
    });
    let deployment = deployment(options, "serve", options.replicas, &arguments, &ports, &resources);
    with_certificate(options, &["tls.crt", "tls.key"], deployment)
}

fn control(options: &InstallOptions) -> Value {
    let mut arguments = vec![
        "control".to_owned(),
        "--role=webhooks".to_owned(),
        "--in-cluster".to_owned(),
        format!("--own-namespace={}", options.namespace),
        format!("--health-listen=:{HEALTH}"),
        format!("--service={SERVICE}"),
        // Of a certificate that somebody else made, the authority is trusted; none is made.
        match options.certificate {
            Some(_) => format!("--ca-bundle={TLS}/ca.crt"),
            None => format!("--authority-secret-name={AUTHORITY_SECRET}"),
        },
        format!("--anchor={}", super::ANCHOR),
    ];
    arguments.extend(shared(options));
    let ports = json!([{"name": HEALTH_PORT, "containerPort": HEALTH, "protocol": "TCP"}]);
    let resources = json!({"requests": {"cpu": "20m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}});
    // Two: the one that waits takes over within seconds.
    with_certificate(options, &["ca.crt"], deployment(options, "control", 2, &arguments, &ports, &resources))
}

/// Mounts these keys of the certificate's Secret, if there is one.
fn with_certificate(options: &InstallOptions, keys: &[&str], mut deployment: Value) -> Value {
    let Some(secret) = &options.certificate else { return deployment };
    let items: Vec<Value> = keys.iter().map(|key| json!({"key": key, "path": key})).collect();
    let volume = json!([{"name": "tls", "secret": {"secretName": secret, "items": items}}]);
    let mount = json!([{"name": "tls", "mountPath": TLS, "readOnly": true}]);
    for (place, key, value) in [
        ("/spec/template/spec", "volumes", volume),
        ("/spec/template/spec/containers/0", "volumeMounts", mount),
    ] {
        if let Some(Value::Object(members)) = deployment.pointer_mut(place) {
            members.insert(key.to_owned(), value);
        }
    }
    deployment
}

fn audit(options: &InstallOptions) -> Value {
    let mut arguments = vec![
        "control".to_owned(),
        "--role=audit".to_owned(),
        "--in-cluster".to_owned(),
        format!("--own-namespace={}", options.namespace),
        format!("--health-listen=:{HEALTH}"),
    ];
    if let Some(history) = super::history::argument(options) {
        arguments.extend([history, format!("--authority-secret-name={AUTHORITY_SECRET}")]);
    }
    arguments.extend(shared(options));
    let ports = json!([{"name": HEALTH_PORT, "containerPort": HEALTH, "protocol": "TCP"}]);
    let resources = json!({"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}});
    // One: a report that waits a minute for another Pod harms nobody.
    deployment(options, "audit", 1, &arguments, &ports, &resources)
}

fn provisioning(options: &InstallOptions) -> Value {
    let arguments = [
        "control".to_owned(),
        format!("--role={PROVISIONING}"),
        "--in-cluster".to_owned(),
        format!("--own-namespace={}", options.namespace),
        format!("--health-listen=:{HEALTH}"),
    ];
    let ports = json!([{"name": HEALTH_PORT, "containerPort": HEALTH, "protocol": "TCP"}]);
    let resources = json!({"requests": {"cpu": "20m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}});
    deployment(options, PROVISIONING, 2, &arguments, &ports, &resources)
}

/// Arguments that server and `control` must have alike, or they make different policy sets; and the logins of
/// registries, which both ask.
fn shared(options: &InstallOptions) -> Vec<String> {
    let mut arguments = Vec::new();
    if options.observe {
        arguments.push("--observe".to_owned());
    }
    if options.gatekeeper {
        arguments.push("--gatekeeper".to_owned());
    }
    arguments
        .extend(options.registry_secrets.iter().map(|secret| format!("--registry-secret-name={secret}")));
    arguments.extend(options.policies.iter().map(|name| format!("--policies={name}")));
    if !options.exempt_namespaces.is_empty() {
        arguments.push(format!("--exempt-namespace={}", options.exempt_namespaces.join(",")));
    }
    arguments
}

pub(super) fn deployment(
    options: &InstallOptions,
    component: &str,
    replicas: u32,
    arguments: &[String],
    ports: &Value,
    resources: &Value,
) -> Value {
    let name = format!("wayguard-{component}");
    let probe = |path: &str, failures: u32| {
        json!({
            "httpGet": {"path": path, "port": HEALTH_PORT},
            "periodSeconds": 5,
            "timeoutSeconds": 2,
            "failureThreshold": failures,
        })
    };
    let spread = |key: &str| {
        json!({
            "maxSkew": 1,
            "topologyKey": key,
            // A cluster of one node must be able to run all of them.
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels(component)},
        })
    };
    let field =
        |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
    let mut pod = json!({
        "serviceAccountName": name,
        "automountServiceAccountToken": true,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [spread("kubernetes.io/hostname"), spread("topology.kubernetes.io/zone")],
        "containers": [{
            "name": component,
            "image": options.image,
            "args": arguments,
            "env": [field("POD_NAME", "metadata.name"), field("POD_UID", "metadata.uid")],
            "ports": ports,
            "resources": resources,
            "livenessProbe": probe("/livez", 6),
            "readinessProbe": probe("/readyz", 1),
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
        }],
    });
    if let (Some(class), Value::Object(pod)) = (&options.priority_class, &mut pod) {
        pod.insert("priorityClassName".into(), class.clone().into());
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(&name, Some(&options.namespace), component),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels(component)},
            // Never fewer than there should be: each one that is missing is a share of requests that wait.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {"metadata": {"labels": labels(component)}, "spec": pod},
        },
    })
}
