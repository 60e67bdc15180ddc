//! What the API server itself sees to, whoever has taken over our processes or our Rego: three ValidatingAdmissionPolicies
//! (KEP-3488, `admissionregistration.k8s.io/v1`, Kubernetes 1.30). They hold while no webhook answers.
//!
//! - Only the provisioner marks a Namespace as furnished, nobody takes the mark back, and the provisioner changes nothing
//!   else of a Namespace.
//! - A claim with the annotation `wayguard.io/protected: "true"` is deleted by nobody, but with its namespace.
//! - Accounts of classes write only in teams' namespaces, only what bears our label, never Secrets or Pods, never a
//!   subresource (such as a token), and bind no `admin`.

use super::provisioning::PROVISIONING;
use super::{InstallOptions, account, metadata};
use serde_json::{Value, json};

/// Accounts of classes have names that begin with this, or the backstop does not know them.
pub const CLASS_ACCOUNTS: &str = "wayguard-class-";
/// The label that says that a Namespace is furnished.
const MARK: &str = "wayguard.io/ready";
/// The annotation of a claim that is not to be deleted by accident.
const PROTECTED: &str = "wayguard.io/protected";
/// The label of all that is made for a claim or Namespace.
const MADE: &str = "wayguard.io/trigger";

pub(super) fn objects(options: &InstallOptions) -> Vec<Value> {
    let namespaces = rules(&[""], &["namespaces"], &["CREATE", "UPDATE"]);
    let everything = rules(&["*"], &["*/*"], &["CREATE", "UPDATE", "DELETE"]);
    let mut all = policy("wayguard-namespace-mark", &namespaces, mark(options));
    let claims = rules(&["wayguard.io"], &["platformclaims"], &["DELETE"]);
    all.extend(policy("wayguard-protected-claims", &claims, protected()));
    all.extend(policy("wayguard-class-accounts", &everything, classes(options)));
    all
}

fn mark(options: &InstallOptions) -> Value {
    let provisioner = account(&options.namespace, PROVISIONING);
    let of = |object: &str| {
        format!(
            "{object} != null && has({object}.metadata.labels) && '{MARK}' in {object}.metadata.labels ? \
             {object}.metadata.labels['{MARK}'] : ''"
        )
    };
    let same = |one: &str, other: &str| {
        format!(
            "{one}.metadata.labels.all(key, key == '{MARK}' || (key in {other}.metadata.labels && \
             {other}.metadata.labels[key] == {one}.metadata.labels[key]))"
        )
    };
    json!({
        "variables": [
            {"name": "before", "expression": of("oldObject")},
            {"name": "after", "expression": of("object")},
        ],
        "validations": [
            {
                "expression": format!(
                    "variables.before == variables.after || (variables.before == '' && request.userInfo.username == '{provisioner}')"
                ),
                "message": format!(
                    "metadata.labels[{MARK}] must stay as it is: only {provisioner} says that a namespace is furnished, and nobody takes it back"
                ),
            },
            {
                "expression": format!(
                    "request.userInfo.username != '{provisioner}' || (oldObject != null && object.spec == oldObject.spec && \
                     object.metadata.?annotations == oldObject.metadata.?annotations && {} && {})",
                    same("object", "oldObject"),
                    same("oldObject", "object"),
                ),
                "message": format!("{provisioner} may change nothing of a Namespace but its label {MARK}"),
            },
        ],
    })
}

fn protected() -> Value {
    json!({
        "validations": [{
            "expression": format!(
                "oldObject.metadata.?annotations[?'{PROTECTED}'].orValue('') != 'true' || \
                 request.userInfo.username == 'system:serviceaccount:kube-system:namespace-controller'"
            ),
            "message": format!("the claim is protected: take the annotation {PROTECTED} away first, if what it stands for may go"),
        }],
    })
}

fn classes(options: &InstallOptions) -> Value {
    let own = &options.namespace;
    let labelled = |object: &str| {
        format!("({object} != null && has({object}.metadata.labels) && '{MADE}' in {object}.metadata.labels)")
    };
    json!({
        "matchConditions": [{
            "name": "accounts-of-classes",
            "expression": format!("request.userInfo.username.startsWith('system:serviceaccount:{own}:{CLASS_ACCOUNTS}')"),
        }],
        "validations": [
            {
                "expression": format!(
                    "request.?namespace.orValue('') != '' && \
                     !(request.namespace in ['kube-system', 'kube-public', 'kube-node-lease', '{own}'])"
                ),
                "message": "accounts of classes write only in namespaces of teams",
            },
            {
                "expression": "!(request.resource.group == '' && request.resource.resource in ['secrets', 'pods', 'namespaces'])",
                "message": "accounts of classes write no Secrets, Pods or Namespaces",
            },
            {
                "expression": "request.?subResource.orValue('') == ''",
                "message": "accounts of classes write no subresources",
            },
            {
                "expression": "request.resource.resource != 'rolebindings' || object == null || \
                    !(object.roleRef.name in ['admin', 'cluster-admin'])",
                "message": "accounts of classes bind neither admin nor cluster-admin",
            },
            {
                // What is released loses the label: it had it before.
                "expression": format!("{} || {}", labelled("object"), labelled("oldObject")),
                "message": format!("accounts of classes write only what bears the label {MADE}"),
            },
        ],
    })
}

fn rules(groups: &[&str], resources: &[&str], operations: &[&str]) -> Value {
    json!({"resourceRules": [{
        "apiGroups": groups, "apiVersions": ["*"], "resources": resources, "operations": operations, "scope": "*",
    }]})
}

/// The policy and its binding; what it cannot evaluate is refused.
fn policy(name: &str, matched: &Value, mut spec: Value) -> Vec<Value> {
    for validation in spec.get_mut("validations").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(validation) = validation.as_object_mut() {
            validation.insert("reason".to_owned(), "Forbidden".into());
        }
    }
    if let Some(spec) = spec.as_object_mut() {
        spec.insert("failurePolicy".to_owned(), "Fail".into());
        spec.insert("matchConstraints".to_owned(), matched.clone());
    }
    let api_version = "admissionregistration.k8s.io/v1";
    vec![
        json!({
            "apiVersion": api_version,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": metadata(name, None, PROVISIONING),
            "spec": spec,
        }),
        json!({
            "apiVersion": api_version,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": metadata(name, None, PROVISIONING),
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        }),
    ]
}
