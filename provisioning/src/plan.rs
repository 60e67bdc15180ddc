//! From a claim or a labelled Namespace to what shall be there: the one function behind `wayguard provision` and the
//! controller.

use crate::answer::Denial;
use crate::catalog::Catalog;
use crate::class::{Class, NAMESPACE_TYPE};
use crate::digest::spec_hash;
use crate::limits::{MOST_OBJECTS, Owner, admitted, kind_name, order_of};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wayguard_cluster::kinds::provisioning::claim::{NeededApproval, Output};
use wayguard_cluster::kinds::provisioning::{DeletionPolicy, PlatformClaimSpec};
use wayguard_engine::policy::schema;

/// Who asked for a claim, as the webhook writes it down; nobody else can.
pub(crate) const REQUESTER_ANNOTATION: &str = "wayguard.io/requester";
/// Who agreed to one.
pub(crate) const APPROVER_ANNOTATION: &str = "wayguard.io/approver";

/// What makes us make something.
#[derive(Clone, Copy, Debug)]
pub enum Trigger<'a> {
    /// A `PlatformClaim`.
    Claim(&'a Value),
    /// A Namespace.
    Namespace(&'a Value),
}

/// All that a plan depends on.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The claim or Namespace.
    pub trigger: Trigger<'a>,
    /// The Namespace that it is in (or is).
    pub namespace: &'a Value,
    /// What was made before, as it is now, by the class's ids. Secrets among it are left out.
    pub observed: &'a BTreeMap<String, Arc<Value>>,
    /// The kinds that the API server has, as `group/version/Kind`; `None`: all that the class may make, for a dry run
    /// without a cluster.
    pub capabilities: Option<&'a BTreeSet<String>>,
}

/// One object that shall be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// As the class calls it.
    pub id: String,
    /// Whole.
    pub object: Value,
}

/// What shall be there.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The class that was chosen.
    pub class: Arc<Class>,
    /// Names the claim's spec.
    pub spec_hash: String,
    /// Why nothing may be made; empty if it may.
    pub denials: Vec<Denial>,
    /// Who has to agree first.
    pub approvals: Vec<NeededApproval>,
    /// Euro a month.
    pub cost: Option<f64>,
    /// In the order in which it is applied.
    pub objects: Vec<Planned>,
    /// Where the values are that the claim hands back.
    pub outputs: BTreeMap<String, Output>,
    /// Whether it can be used.
    pub ready: bool,
    /// What it waits for.
    pub progress: Option<String>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The claim cannot be served as it is written: its author's to mend.
    #[error("{0}")]
    Claim(String),
    /// The class cannot serve it: the platform's to mend. Nothing may be touched.
    #[error("the class `{class}` failed: {problem}")]
    Class {
        /// The class.
        class: String,
        /// What it did.
        problem: String,
    },
}

impl Plan {
    /// The one Secret that has all outputs, if there is one such.
    pub fn binding(&self) -> Option<&str> {
        let mut secrets = self.outputs.values().map(|output| output.secret.as_str());
        let first = secrets.next()?;
        secrets.all(|secret| secret == first).then_some(first)
    }
}

/// Says what shall be there.
///
/// # Errors
/// No class for it, parameters that do not fit, a class that fails or reaches too far.
pub fn plan(catalog: &Catalog, asked: &Asked<'_>) -> Result<Plan, PlanError> {
    let text = |object: &Value, pointer: &str| {
        object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let namespace = text(asked.namespace, "/metadata/name");
    let labels = member(asked.namespace, "/metadata/labels");
    let (class, named, spec, owner_uid, claims_policy) = match asked.trigger {
        Trigger::Claim(claim) => {
            let given = claim.get("spec").cloned().unwrap_or_default();
            let spec: PlatformClaimSpec = serde_json::from_value(given)
                .map_err(|error| PlanError::Claim(format!("the claim cannot be read: spec: {error}")))?;
            let class = catalog
                .choose(&spec.claim_type, spec.class_name(), &namespace, &labels)
                .map_err(PlanError::Claim)?;
            let policy = spec.deletion_policy;
            (class, Some(text(claim, "/metadata/name")), Some(spec), text(claim, "/metadata/uid"), policy)
        }
        Trigger::Namespace(object) => {
            let class = catalog
                .choose(
                    NAMESPACE_TYPE,
                    wayguard_cluster::kinds::provisioning::claim::DEFAULT_CLASS,
                    &namespace,
                    &labels,
                )
                .map_err(PlanError::Claim)?;
            (class, None, None, text(object, "/metadata/uid"), None)
        }
    };
    let (input, spec_hash) = input(&class, asked, &namespace, &labels, spec)?;
    let failed = |problem: String| PlanError::Class { class: class.name.clone(), problem };
    let answer = class.ask(&input).map_err(failed)?;
    let mut denials = answer.denials;
    for denial in &mut denials {
        if denial.remedy.is_empty() {
            denial.remedy.clone_from(&class.remedy);
        }
    }
    denials.sort();
    let owner = Owner {
        namespace: &namespace,
        claim: named.as_deref(),
        uid: &owner_uid,
        owns: class.deletion_policy(claims_policy) == DeletionPolicy::Delete,
    };
    let objects = if denials.is_empty() {
        objects(&class, &answer.objects, owner).map_err(failed)?
    } else {
        Vec::new()
    };
    Ok(Plan {
        spec_hash,
        denials,
        approvals: answer.approvals,
        cost: answer.cost,
        objects,
        outputs: answer.outputs,
        ready: answer.ready,
        progress: answer.progress,
        class,
    })
}

/// Checks what the Rego wants and puts it in order.
fn objects(
    class: &Class,
    wanted: &BTreeMap<String, Value>,
    owner: Owner<'_>,
) -> Result<Vec<Planned>, String> {
    // Whoever wants nothing at all has not understood the question: everything would be pruned.
    if wanted.is_empty() {
        return Err("`objects` is empty or undefined, and nothing is denied; nothing is touched".to_owned());
    }
    if wanted.len() > MOST_OBJECTS {
        return Err(format!("`objects` has {} members; at most {MOST_OBJECTS} are made", wanted.len()));
    }
    let mut all = Vec::with_capacity(wanted.len());
    let mut names = BTreeMap::new();
    for (id, object) in wanted {
        let object = admitted(id, object, class.allowed(), owner)?;
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(other) = names.insert((kind_name(&object), name), id) {
            return Err(format!("`objects[\"{id}\"]` and `objects[\"{other}\"]` are the same object"));
        }
        all.push(Planned { id: id.clone(), object });
    }
    all.sort_by_key(|planned| order_of(&planned.object));
    Ok(all)
}

/// What the Rego sees: never a Secret, and nothing that changes by itself. With it the hash of the spec.
fn input(
    class: &Class,
    asked: &Asked<'_>,
    namespace: &str,
    labels: &Map<String, Value>,
    spec: Option<PlatformClaimSpec>,
) -> Result<(Value, String), PlanError> {
    let environment = labels.get("environment").cloned().unwrap_or_default();
    let observed: Map<String, Value> = asked
        .observed
        .iter()
        .filter(|(_, object)| kind_name(object) != "/Secret")
        .map(|(id, object)| (id.clone(), without_managers(object)))
        .collect();
    let capabilities = match asked.capabilities {
        Some(known) => json!(known),
        None => json!("*"),
    };
    let mut input = json!({
        "namespace": {
            "name": namespace,
            "labels": labels,
            "annotations": member(asked.namespace, "/metadata/annotations"),
        },
        "environment": environment,
        "class": {"name": class.name, "settings": class.settings},
        "observed": observed,
        "capabilities": capabilities,
    });
    let mut hash = String::new();
    if let Value::Object(members) = &mut input {
        if let Some(requester) = requester(asked.trigger) {
            members.insert("requester".to_owned(), requester);
        }
        match (asked.trigger, spec) {
            (Trigger::Claim(claim), Some(mut spec)) => {
                let schema = class.spec.parameters_schema.as_ref();
                let completed = schema::complete(schema, &spec.parameters).map_err(|problems| {
                    let problems = problems.into_iter().map(|it| {
                        if it == "the policy takes no parameters" {
                            format!("the class `{}` takes no parameters", class.name)
                        } else {
                            format!("spec.{it}")
                        }
                    });
                    PlanError::Claim(problems.collect::<Vec<_>>().join("; "))
                })?;
                // The hash is of what was asked for, with all that is meant by it.
                spec.class = Some(spec.class_name().to_owned());
                spec.parameters = completed.as_object().cloned().unwrap_or_default();
                let spec = serde_json::to_value(&spec).unwrap_or_default();
                hash = spec_hash(&spec);
                let metadata: Map<String, Value> = ["name", "namespace", "labels", "annotations"]
                    .into_iter()
                    .filter_map(|key| Some((key.to_owned(), claim.get("metadata")?.get(key)?.clone())))
                    .collect();
                members.insert("claim".to_owned(), json!({"metadata": metadata, "spec": spec}));
            }
            (Trigger::Namespace(object) | Trigger::Claim(object), _) => {
                let mut object = without_managers(object);
                if let Some(members) = object.as_object_mut() {
                    members.remove("status");
                }
                members.insert("object".to_owned(), object);
            }
        }
    }
    Ok((input, hash))
}

/// Who asked for a claim, `{user, groups}`, as the webhook has written it down; nothing where it was not asked.
pub(crate) fn requester(trigger: Trigger<'_>) -> Option<Value> {
    let Trigger::Claim(claim) = trigger else { return None };
    written(claim, REQUESTER_ANNOTATION)
}

/// A user with groups that the webhook has written down.
pub(crate) fn written(object: &Value, annotation: &str) -> Option<Value> {
    let text = object.get("metadata")?.get("annotations")?.get(annotation)?.as_str()?;
    serde_json::from_str(text).ok().filter(|who: &Value| who.get("user").is_some_and(Value::is_string))
}

fn without_managers(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

fn member(object: &Value, pointer: &str) -> Map<String, Value> {
    object.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default()
}
