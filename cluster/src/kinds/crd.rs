//! The `CustomResourceDefinition`s of our kinds, generated from the Rust types.
//!
//! The committed files in `cluster/crds/` are this module's output; a test fails when they differ
//! (`WAYGUARD_UPDATE=1 cargo test -p wayguard-cluster` writes them).

use super::schema::structural;
use super::status::{
    ACTIVE, ENFORCED, LOADED, PolicyBundleStatus, PolicyExceptionStatus, PolicyStatus, TrustStatus, VERIFIED,
};
use super::{GROUP, VERSION};
use crate::manifest;
use serde_json::{Value, json};
use wayguard_bundle::spec::PolicyBundleSpec;
use wayguard_engine::policy::spec::{PolicyExceptionSpec, PolicySpec};
use wayguard_images::authority::ImageAuthoritySpec;
use wayguard_images::trust::TrustRootSpec;

/// One of our kinds, as an API server must know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// File name of the committed YAML, such as `policies.yaml`.
    pub file: &'static str,
    /// The `CustomResourceDefinition` object (`apiextensions.k8s.io/v1`).
    pub object: Value,
}

impl Definition {
    /// The object as YAML, headed by a comment that says where it comes from.
    pub fn yaml(&self) -> String {
        format!(
            "# Generated from the Rust types by wayguard-cluster; do not edit.\n{}",
            manifest::yaml(&self.object)
        )
    }
}

/// All definitions.
pub fn definitions() -> Vec<Definition> {
    let mut all = vec![
        Definition { file: "policies.yaml", object: policy() },
        Definition { file: "policyexceptions.yaml", object: exception() },
        Definition { file: "policybundles.yaml", object: bundle() },
        Definition { file: "imageauthorities.yaml", object: image_authority() },
        Definition { file: "trustroots.yaml", object: trust_root() },
    ];
    all.extend(super::provisioning::definitions());
    all
}

fn policy() -> Value {
    let mut spec = structural::<PolicySpec>();
    // What an author leaves out is written into the stored object, so that `kubectl get` shows it.
    for (field, default) in [("action", "Deny"), ("onError", "Deny"), ("existing", "Warn"), ("mutate", "Pod")]
    {
        set(&mut spec, &["properties", field, "default"], json!(default));
    }
    rule(
        &mut spec,
        &[],
        "!has(self.templates) || (has(self.expand) ? self.expand : !has(self.match) || !has(self.match.resourceRules))",
        "`templates` has no effect without `expand: true`",
    );
    let source = &["properties", "source"];
    // A path means a folder beside a file; in the cluster there is none.
    remove(&mut spec, &["properties", "source", "properties", "path"]);
    rule(
        &mut spec,
        source,
        "has(self.library) != has(self.rego)",
        "exactly one of `library` and `rego` must be given",
    );
    set(
        &mut spec,
        &["properties", "source", "description"],
        json!("Where the Rego comes from; exactly one is given."),
    );
    let matches = ["properties", "match", "properties"];
    for rules in ["resourceRules", "excludeResourceRules"] {
        resource_rule(&mut spec, &[&matches[..], &[rules, "items", "properties"]].concat());
    }
    for selector in ["namespaceSelector", "objectSelector"] {
        label_selector(&mut spec, &[&matches[..], &[selector]].concat());
    }
    label_selector(&mut spec, &["properties", "actionOverrides", "items", "properties", "namespaceSelector"]);
    definition(
        "Policy",
        "policies",
        "Cluster",
        "One working policy: where its Rego is, which requests it judges and what a finding does.",
        &[
            column("Action", ".spec.action"),
            column("Source", ".spec.source.library"),
            condition_column(LOADED),
            condition_column(ENFORCED),
            column("Replicas", ".status.loadedBy"),
            age(),
        ],
        &spec,
        &status(structural::<PolicyStatus>()),
    )
}

fn exception() -> Value {
    let mut spec = structural::<PolicyExceptionSpec>();
    set(&mut spec, &["properties", "expiresAt", "format"], json!("date-time"));
    let matches = ["properties", "match", "properties"];
    resource_rule(&mut spec, &[&matches[..], &["resourceRules", "items", "properties"]].concat());
    label_selector(&mut spec, &[&matches[..], &["namespaceSelector"]].concat());
    definition(
        "PolicyException",
        "policyexceptions",
        "Namespaced",
        "An exception to policies that ends. Honoured only in the suite's own namespace.",
        &[
            column("Policies", ".spec.policies"),
            column("Owner", ".spec.owner"),
            column("Expires", ".spec.expiresAt"),
            condition_column(ACTIVE),
            age(),
        ],
        &spec,
        &status(structural::<PolicyExceptionStatus>()),
    )
}

fn bundle() -> Value {
    let mut spec = structural::<PolicyBundleSpec>();
    set(&mut spec, &["properties", "image", "pattern"], json!("@sha256:[0-9a-f]{64}$"));
    set(&mut spec, &["properties", "image", "maxLength"], json!(512));
    set(&mut spec, &["properties", "enforce", "minItems"], json!(1));
    set(&mut spec, &["properties", "enforce", "maxItems"], json!(64));
    set(&mut spec, &["properties", "enforce", "x-kubernetes-list-type"], json!("set"));
    let mut definition = definition(
        "PolicyBundle",
        "policybundles",
        "Cluster",
        "Policies out of a registry, signed: the leader verifies and stores them, servers read what is stored.",
        &[
            column("Version", ".status.version"),
            column("Enforces", ".spec.enforce"),
            condition_column(VERIFIED),
            condition_column(LOADED),
            column("Replicas", ".status.loadedBy"),
            age(),
        ],
        &spec,
        &status(structural::<PolicyBundleStatus>()),
    );
    let schema = ["spec", "versions"];
    if let Some(schema) =
        node(&mut definition, &schema).and_then(|all| all.pointer_mut("/0/schema/openAPIV3Schema"))
    {
        // Its name is the value of a label and a part of names.
        rule(schema, &[], "self.metadata.name.size() <= 63", "the name must have at most 63 characters");
    }
    definition
}

fn image_authority() -> Value {
    let mut spec = structural::<ImageAuthoritySpec>();
    let authority = ["properties", "authorities", "items"];
    let inside = |path: &[&'static str]| [&authority[..], &["properties"], path].concat();
    // API servers estimate what the rules below cost at most, by the bounds of the lists around them.
    for (list, fewest, most) in [
        (vec!["properties", "images"], 1, 256),
        (vec!["properties", "authorities"], 1, 32),
        (inside(&["keys"]), 1, 32),
        (inside(&["keyless", "properties", "identities"]), 1, 64),
        (inside(&["predicateTypes"]), 1, 64),
    ] {
        set(&mut spec, &[&list[..], &["minItems"]].concat(), json!(fewest));
        set(&mut spec, &[&list[..], &["maxItems"]].concat(), json!(most));
    }
    set(&mut spec, &inside(&["name", "minLength"]), json!(1));
    set(&mut spec, &inside(&["name", "maxLength"]), json!(63));
    let key = inside(&["keys", "items"]);
    // A file is beside another file; in the cluster there is none.
    remove(&mut spec, &[&key[..], &["properties", "file"]].concat());
    set(
        &mut spec,
        &[&key[..], &["description"]].concat(),
        json!("A public key; exactly one says where it is."),
    );
    rule(
        &mut spec,
        &key,
        "[has(self.pem), has(self.configMap), has(self.secret)].filter(given, given).size() == 1",
        "exactly one of `pem`, `configMap` and `secret` says where the key is",
    );
    rule(
        &mut spec,
        &authority,
        "has(self.keys) != has(self.keyless)",
        "exactly one of `keys` and `keyless` says who signs; say both as two authorities",
    );
    rule(
        &mut spec,
        &inside(&["keyless", "properties", "identities", "items"]),
        "has(self.issuer) != has(self.issuerRegex) && has(self.subject) != has(self.subjectRegex)",
        "exactly one of `issuer` and `issuerRegex`, and exactly one of `subject` and `subjectRegex`, say who somebody is",
    );
    definition(
        "ImageAuthority",
        "imageauthorities",
        "Cluster",
        "Who may sign the images of some repositories, and how many of them must.",
        &[
            column("Images", ".spec.images"),
            column("Who", ".spec.authorities[*].name"),
            condition_column(LOADED),
            column("Replicas", ".status.loadedBy"),
            age(),
        ],
        &spec,
        &status(structural::<TrustStatus>()),
    )
}

fn trust_root() -> Value {
    let mut spec = structural::<TrustRootSpec>();
    remove(&mut spec, &["properties", "file"]);
    rule(
        &mut spec,
        &[],
        "[has(self.trustedRoot), has(self.configMap), has(self.instance)].filter(given, given).size() == 1",
        "exactly one of `trustedRoot`, `configMap` and `instance` says what it holds",
    );
    definition(
        "TrustRoot",
        "trustroots",
        "Cluster",
        "Certificate authorities, logs and timestamp authorities that signatures are verified by.",
        &[
            column("Instance", ".spec.instance"),
            column("ConfigMap", ".spec.configMap.name"),
            condition_column(LOADED),
            column("Replicas", ".status.loadedBy"),
            age(),
        ],
        &spec,
        &status(structural::<TrustStatus>()),
    )
}

pub(super) fn definition(
    kind: &str,
    plural: &str,
    scope: &str,
    description: &str,
    columns: &[Value],
    spec: &Value,
    status: &Value,
) -> Value {
    let singular = kind.to_ascii_lowercase();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{GROUP}"),
            "labels": {"app.kubernetes.io/name": "wayguard", "app.kubernetes.io/part-of": "wayguard"},
        },
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": {
                "kind": kind,
                "listKind": format!("{kind}List"),
                "plural": plural,
                "singular": singular,
                "categories": ["wayguard"],
            },
            "versions": [{
                "name": VERSION,
                "served": true,
                "storage": true,
                "subresources": {"status": {}},
                "additionalPrinterColumns": columns,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "description": description,
                    "required": ["spec"],
                    "properties": {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "metadata": {"type": "object"},
                        "spec": spec,
                        "status": status,
                    },
                }},
            }],
        },
    })
}

pub(super) fn status(mut schema: Value) -> Value {
    let conditions = ["properties", "conditions"];
    set(&mut schema, &[&conditions[..], &["x-kubernetes-list-type"]].concat(), json!("map"));
    set(&mut schema, &[&conditions[..], &["x-kubernetes-list-map-keys"]].concat(), json!(["type"]));
    schema
}

/// What a rule of `admissionregistration.k8s.io/v1` may say: no list empty, known verbs only.
fn resource_rule(spec: &mut Value, properties: &[&str]) {
    for list in ["apiGroups", "apiVersions", "resources", "operations"] {
        set(spec, &[properties, &[list, "minItems"]].concat(), json!(1));
    }
    let verbs = json!(["CREATE", "UPDATE", "DELETE", "CONNECT", "*"]);
    set(spec, &[properties, &["operations", "items", "enum"]].concat(), verbs);
}

/// As `LabelSelectorAsSelector` of apimachinery: values go with `In` and `NotIn`, and only with them.
fn label_selector(spec: &mut Value, selector: &[&str]) {
    let expressions = [selector, &["properties", "matchExpressions"]].concat();
    // A bound on the list bounds the cost of the rule below, which API servers estimate before they take a CRD.
    set(spec, &[&expressions[..], &["maxItems"]].concat(), json!(64));
    rule(
        spec,
        &[&expressions[..], &["items"]].concat(),
        "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
        "`values` goes with the operators In and NotIn, and only with them",
    );
}

pub(super) fn rule(schema: &mut Value, at: &[&str], expression: &str, message: &str) {
    let path = [at, &["x-kubernetes-validations"]].concat();
    set(schema, &path, json!([{"rule": expression, "message": message}]));
}

pub(super) fn column(name: &str, path: &str) -> Value {
    json!({"name": name, "type": "string", "jsonPath": path})
}

pub(super) fn condition_column(kind: &str) -> Value {
    column(kind, &format!(".status.conditions[?(@.type==\"{kind}\")].status"))
}

pub(super) fn age() -> Value {
    json!({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"})
}

/// Sets a keyword of an existing node. A node that the types no longer have is a mistake here, which the test
/// below shows as a missing keyword.
pub(super) fn set(schema: &mut Value, path: &[&str], value: Value) {
    if let Some((last, parents)) = path.split_last()
        && let Some(Value::Object(node)) = node(schema, parents)
    {
        node.insert((*last).to_owned(), value);
    }
}

fn remove(schema: &mut Value, path: &[&str]) {
    if let Some((last, parents)) = path.split_last()
        && let Some(Value::Object(node)) = node(schema, parents)
    {
        node.remove(*last);
    }
}

fn node<'v>(schema: &'v mut Value, path: &[&str]) -> Option<&'v mut Value> {
    path.iter().try_fold(schema, |node, key| node.get_mut(*key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::golden;

    #[test]
    fn the_committed_files_are_what_the_types_give() {
        for definition in definitions() {
            golden::check(&format!("crds/{}", definition.file), &definition.yaml());
        }
    }

    /// The rules of structural schemas that a generated one could break.
    fn check_structural(at: &str, schema: &Value) {
        let Value::Object(node) = schema else { panic!("{at}: a boolean schema") };
        assert!(node.get("type").is_some_and(Value::is_string), "{at}: {schema}");
        for banned in
            ["$ref", "$defs", "definitions", "oneOf", "anyOf", "allOf", "not", "const", "uniqueItems"]
        {
            assert!(!node.contains_key(banned), "{at}: {banned}");
        }
        assert!(!(node.contains_key("properties") && node.contains_key("additionalProperties")), "{at}");
        for (name, inner) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
            check_structural(&format!("{at}.{name}"), inner);
        }
        for key in ["items", "additionalProperties"] {
            node.get(key).into_iter().for_each(|inner| check_structural(&format!("{at}.{key}"), inner));
        }
    }

    #[test]
    fn schemas_are_structural() {
        for definition in definitions() {
            let schema = definition.object.pointer("/spec/versions/0/schema/openAPIV3Schema").unwrap();
            check_structural("", schema);
        }
    }

    #[test]
    fn keywords_that_are_set_by_path_have_landed() {
        let text = definitions().iter().map(Definition::yaml).collect::<String>();
        for (wanted, times) in
            [("maxItems: 64", 10), ("- CONNECT", 3), ("default: Deny", 2), ("x-kubernetes-list-type: map", 7)]
        {
            assert_eq!(text.matches(wanted).count(), times, "{wanted}");
        }
        assert!(text.contains("has(self.library) != has(self.rego)"));
        assert_eq!(text.matches("filter(given, given)").count(), 2);
        assert!(text.contains("has(self.keys) != has(self.keyless)"));
        assert!(!text.contains("          file:") && !text.contains("uint"), "{text}");
        let policy = policy();
        let source = policy
            .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/source")
            .unwrap();
        assert_eq!(source.pointer("/properties/path"), None, "{source}");
    }
}
