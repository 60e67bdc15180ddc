//! The `CustomResourceDefinition`s of the kinds of self-service.

use super::super::crd::{Definition, age, column, condition_column, definition, rule, set, status};
use super::super::schema::structural;
use super::super::status::LOADED;
use super::{
    ClaimApprovalSpec, ClaimClassSpec, ClaimStatus, ClassStatus, PlatformClaimSpec, TeamBudgetSpec,
    TeamBudgetStatus,
};
use serde_json::{Value, json};

/// Names of types and classes: they become parts of names.
const NAME: &str = "^[a-z]([-a-z0-9]*[a-z0-9])?$";
/// Names of claims leave room in 63 characters for what a class adds to them.
const LONGEST_CLAIM_NAME: usize = 40;

/// All of them.
pub(in super::super) fn definitions() -> Vec<Definition> {
    vec![
        Definition { file: "platformclaims.yaml", object: claim() },
        Definition { file: "claimclasses.yaml", object: class() },
        Definition { file: "claimapprovals.yaml", object: approval() },
        Definition { file: "teambudgets.yaml", object: budget() },
    ]
}

fn claim() -> Value {
    let mut spec = structural::<PlatformClaimSpec>();
    for field in ["type", "class"] {
        text(&mut spec, field, Some(NAME), 40);
    }
    for field in ["version", "size"] {
        text(&mut spec, field, Some("^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$"), 63);
    }
    rule(
        &mut spec,
        &["properties", "type"],
        "self == oldSelf",
        "`type` cannot be changed; make another claim, move what is in the old one, and delete that",
    );
    let mut definition = definition(
        "PlatformClaim",
        "platformclaims",
        "Namespaced",
        "What a team asks the platform for: a database, a queue, a volume, a host name.",
        &[
            column("Type", ".spec.type"),
            column("Class", ".status.class"),
            column("Phase", ".status.phase"),
            json!({"name": "EUR/month", "type": "number", "jsonPath": ".status.cost.monthlyEUR"}),
            json!({"name": "Message", "type": "string", "priority": 1, "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}),
            age(),
        ],
        &spec,
        &status(structural::<ClaimStatus>()),
    );
    short_name(&mut definition, "pclaim");
    root_rule(
        &mut definition,
        &format!("self.metadata.name.matches('{NAME}') && self.metadata.name.size() <= {LONGEST_CLAIM_NAME}"),
        &format!(
            "a claim's name begins with a letter, has lower-case letters, digits and `-` only, and at most {LONGEST_CLAIM_NAME} of them"
        ),
    );
    definition
}

fn class() -> Value {
    let mut spec = structural::<ClaimClassSpec>();
    for field in ["type", "class"] {
        text(&mut spec, field, Some(NAME), 40);
    }
    text(&mut spec, "serviceAccount", Some(NAME), 63);
    for list in ["adoptKinds", "allowedKinds", "retainKinds"] {
        set(&mut spec, &["properties", list, "maxItems"], json!(64));
        let pattern = r"^[-.a-z0-9]*/[A-Z][A-Za-z0-9]*$";
        set(&mut spec, &["properties", list, "items", "pattern"], json!(pattern));
        set(&mut spec, &["properties", list, "items", "maxLength"], json!(316));
    }
    set(&mut spec, &["properties", "allowedKinds", "minItems"], json!(1));
    for list in ["namespaces", "teams", "environments"] {
        set(&mut spec, &["properties", "match", "properties", list, "maxItems"], json!(256));
    }
    rule(
        &mut spec,
        &[],
        "has(self.package) != has(self.rego)",
        "exactly one of `package` and `rego` must be given",
    );
    definition(
        "ClaimClass",
        "claimclasses",
        "Cluster",
        "What the platform offers, by which Rego it is made, and how far that Rego may go.",
        &[
            column("Type", ".spec.type"),
            column("Class", ".spec.class"),
            condition_column(LOADED),
            json!({"name": "Claims", "type": "integer", "jsonPath": ".status.claims"}),
            age(),
        ],
        &spec,
        &status(structural::<ClassStatus>()),
    )
}

fn approval() -> Value {
    let mut spec = structural::<ClaimApprovalSpec>();
    text(&mut spec, "claim", None, 40);
    text(&mut spec, "specHash", Some("^sha256:[0-9a-f]{64}$"), 71);
    text(&mut spec, "group", None, 253);
    rule(&mut spec, &[], "self == oldSelf", "an approval cannot be changed; make another one");
    let mut definition = definition(
        "ClaimApproval",
        "claimapprovals",
        "Namespaced",
        "Somebody agrees to one claim as it is now; a claim that changes needs another.",
        &[column("Claim", ".spec.claim"), column("Group", ".spec.group"), age()],
        &spec,
        &json!({"type": "object"}),
    );
    // What is agreed to has no state of its own.
    let version = definition.pointer_mut("/spec/versions/0").and_then(Value::as_object_mut);
    if let Some(version) = version {
        version.remove("subresources");
    }
    let properties = definition.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties");
    if let Some(properties) = properties.and_then(Value::as_object_mut) {
        properties.remove("status");
    }
    definition
}

fn budget() -> Value {
    let mut spec = structural::<TeamBudgetSpec>();
    text(&mut spec, "team", None, 63);
    set(&mut spec, &["properties", "monthlyEUR", "minimum"], json!(0));
    definition(
        "TeamBudget",
        "teambudgets",
        "Cluster",
        "What a team may spend: a claim that would exceed it is not provisioned.",
        &[
            column("Team", ".spec.team"),
            json!({"name": "EUR/month", "type": "number", "jsonPath": ".spec.monthlyEUR"}),
            json!({"name": "Reserved", "type": "number", "jsonPath": ".status.reservedEUR"}),
            json!({"name": "Claims", "type": "integer", "jsonPath": ".status.claims"}),
            age(),
        ],
        &spec,
        &status(structural::<TeamBudgetStatus>()),
    )
}

/// A text of the spec that is never empty nor endless.
fn text(spec: &mut Value, field: &str, pattern: Option<&str>, longest: usize) {
    set(spec, &["properties", field, "minLength"], json!(1));
    set(spec, &["properties", field, "maxLength"], json!(longest));
    if let Some(pattern) = pattern {
        set(spec, &["properties", field, "pattern"], json!(pattern));
    }
}

fn short_name(definition: &mut Value, name: &str) {
    set(definition, &["spec", "names", "shortNames"], json!([name]));
}

/// A rule about the whole object; of metadata it sees the name.
fn root_rule(definition: &mut Value, expression: &str, message: &str) {
    if let Some(schema) = definition.pointer_mut("/spec/versions/0/schema/openAPIV3Schema") {
        rule(schema, &[], expression, message);
    }
}
