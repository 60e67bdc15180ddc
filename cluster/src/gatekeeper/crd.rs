//! `CustomResourceDefinition`s: of the kinds that templates define, and of Gatekeeper's own for clusters that do not
//! have them yet.

use super::{BASES, Base, CONSTRAINTS};
use serde_json::{Map, Value, json};
use wayguard_engine::gatekeeper::Template;

/// The CRD of a template's constraints; it belongs to the template, and goes with it.
pub fn definition(template: &Template, template_object: &Value) -> Value {
    let kind = &template.kind;
    let plural = kind.to_ascii_lowercase();
    let mut spec = Map::new();
    spec.insert("match".into(), match_schema());
    spec.insert("enforcementAction".into(), json!({"type": "string", "default": "deny"}));
    spec.insert("scopedEnforcementActions".into(), scoped_schema());
    if let Some(schema) = &template.schema {
        spec.insert("parameters".into(), typed(schema));
    }
    let schema = json!({"openAPIV3Schema": {
        "type": "object",
        "properties": {
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 63}}},
            "spec": {"type": "object", "properties": spec},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        },
    }});
    let columns = json!([
        {"name": "enforcement-action", "type": "string", "jsonPath": ".spec.enforcementAction", "description": "Type of enforcement action"},
        {"name": "total-violations", "type": "integer", "jsonPath": ".status.totalViolations", "description": "Total number of violations"},
    ]);
    let version = |name: &str, storage: bool| {
        json!({
            "name": name, "served": true, "storage": storage, "schema": schema,
            "subresources": {"status": {}}, "additionalPrinterColumns": columns,
        })
    };
    let mut labels = template.labels.clone();
    labels.insert("gatekeeper.sh/constraint".into(), "yes".into());
    let mut names = json!({
        "kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": plural,
        "categories": ["constraint", "constraints"],
    });
    if let (false, Value::Object(names)) = (template.short_names.is_empty(), &mut names) {
        names.insert("shortNames".into(), json!(template.short_names));
    }
    let metadata = template_object.get("metadata").cloned().unwrap_or_default();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{CONSTRAINTS}"),
            "labels": labels,
            "ownerReferences": [{
                "apiVersion": template_object.get("apiVersion"),
                "kind": "ConstraintTemplate",
                "name": metadata.get("name"),
                "uid": metadata.get("uid"),
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "group": CONSTRAINTS,
            "scope": "Cluster",
            "names": names,
            "versions": [version("v1beta1", true), version("v1alpha1", false)],
        },
    })
}

/// Parameters are an object, also where the template does not say so.
fn typed(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(members) = &mut schema {
        members.entry("type").or_insert_with(|| "object".into());
    }
    schema
}

fn scoped_schema() -> Value {
    json!({"type": "array", "items": {"type": "object", "properties": {
        "action": {"type": "string"},
        "enforcementPoints": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }}})
}

fn match_schema() -> Value {
    let names = json!({"type": "array", "items": {"type": "string", "pattern": r"^\*?[-:a-z0-9]*\*?$"}});
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let selector = json!({"type": "object", "properties": {
        "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
        "matchExpressions": {"type": "array", "items": {
            "type": "object",
            "required": ["key", "operator"],
            "properties": {"key": {"type": "string"}, "operator": {"type": "string"}, "values": texts},
        }},
    }});
    json!({"type": "object", "properties": {
        "kinds": {"type": "array", "items": {"type": "object", "properties": {"apiGroups": texts, "kinds": texts}}},
        "scope": {"type": "string"},
        "namespaces": names,
        "excludedNamespaces": names,
        "labelSelector": selector,
        "namespaceSelector": selector,
        "name": {"type": "string", "pattern": r"^\*?[-:a-z0-9]*\*?$"},
        "source": {"type": "string", "enum": ["All", "Generated", "Original"]},
    }})
}

/// The CRDs of Gatekeeper's own kinds. Their specs are checked when they are loaded, and the status says what is wrong.
pub fn base_definitions() -> Vec<Value> {
    BASES.iter().map(|base| base_definition(*base)).collect()
}

fn base_definition(base: Base) -> Value {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let version = |(index, name): (usize, &&str)| {
        json!({
            "name": name, "served": true, "storage": index == 0, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}},
        })
    };
    let versions: Vec<Value> = base.versions.iter().enumerate().map(version).collect();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{}.{}", base.plural, base.group),
            "labels": {"app.kubernetes.io/part-of": "wayguard", "gatekeeper.sh/system": "yes"},
        },
        "spec": {
            "group": base.group,
            "scope": if base.namespaced { "Namespaced" } else { "Cluster" },
            "names": {
                "kind": base.kind, "listKind": format!("{}List", base.kind), "plural": base.plural,
                "singular": base.kind.to_ascii_lowercase(),
            },
            "versions": versions,
        },
    })
}
