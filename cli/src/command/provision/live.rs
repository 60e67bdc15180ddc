//! With a cluster: its classes, namespaces and kinds, what is there already, and what an apply would change, asked by a
//! dry run in the name of the class's own account, so that a right that is missing shows here.

use super::gather::{Gathered, Wanted};
use super::report::{Change, Outcome, Planned, Report};
use super::{Args, ask, catalog};
use crate::exit::Failure;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wayguard_cluster::objects::{self, Applying, Target};
use wayguard_cluster::{ApiError, Client, Resources};
use wayguard_provisioning::{MANAGER, Plan, TRIGGER_LABEL};

/// Plans for everything, and asks what would change.
///
/// # Errors
/// If the cluster does not answer, or a class is not valid.
pub(super) async fn report(client: &Client, gathered: &mut Gathered, args: &Args) -> Result<Report, Failure> {
    let ours = |problem: ApiError| Failure::Ours(format!("the cluster cannot be asked: {problem}"));
    let mut report = Report { dry_run: true, ..Report::default() };
    match objects::list(client, "wayguard.io/v1alpha1", "ClaimClass", None, None).await {
        Ok(classes) => {
            gathered.classes.retain(|name, _| gathered.own_classes.contains(name));
            for object in classes {
                let name = Target::of(&object).name;
                let spec = object.get("spec").cloned().unwrap_or_default();
                if let Ok(spec) = serde_json::from_value(spec) {
                    gathered.classes.entry(name).or_insert(spec);
                }
            }
        }
        Err(ApiError::NotFound(_)) => {
            report.notes.push("the cluster has no ClaimClasses; the built-in ones are used".to_owned());
        }
        Err(problem) => return Err(ours(problem)),
    }
    let resources = Resources::discover(client).await.map_err(ours)?;
    let capabilities: BTreeSet<String> = resources
        .kinds
        .iter()
        .flat_map(|kind| {
            let group = if kind.group.is_empty() { String::new() } else { format!("{}/", kind.group) };
            kind.versions
                .iter()
                .map(move |version| format!("{group}{version}/{}", kind.kind))
                .collect::<Vec<_>>()
        })
        .collect();
    let catalog = catalog(gathered)?;
    for wanted in gathered.wanted.clone() {
        let name = wanted.namespace().to_owned();
        // What is there counts, but a file says what it is to become.
        if !gathered.namespaces.contains_key(&name)
            && let Some(found) = objects::read(client, &namespace_named(&name)).await.map_err(ours)?
        {
            gathered.namespaces.insert(name.clone(), found);
        }
        let wanted = with_uid(client, wanted).await.map_err(ours)?;
        let namespace = gathered.namespace_of(&wanted)?;
        let first = ask(&catalog, &wanted, namespace, &BTreeMap::new(), Some(&capabilities));
        let (observed, second) = match first {
            Ok(plan) => {
                let observed = there(client, &plan).await.map_err(ours)?;
                let again = ask(&catalog, &wanted, namespace, &observed, Some(&capabilities));
                (observed, again)
            }
            Err(error) => (BTreeMap::new(), Err(error)),
        };
        let mut changes = Vec::new();
        if let Ok(plan) = &second {
            let exists = objects::read(client, &namespace_named(&name)).await.map_err(ours)?.is_some();
            for planned in &plan.objects {
                let live = observed.get(&planned.id).map(AsRef::as_ref);
                let change = if exists || live.is_some() {
                    change(client, plan, &planned.object, live, args, &mut report.notes).await
                } else {
                    // Where there is no namespace yet, everything in it is new.
                    Change::Created
                };
                changes.push(Planned {
                    id: planned.id.clone(),
                    object: planned.object.clone(),
                    change: Some(change),
                });
            }
        }
        report.results.push(Outcome::new(&wanted, second, |_| changes));
    }
    report.notes.dedup();
    Ok(report)
}

fn namespace_named(name: &str) -> Target {
    Target {
        api_version: "v1".to_owned(),
        kind: "Namespace".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
    }
}

/// A claim that is there already has a uid, by which what was made for it is known.
async fn with_uid(client: &Client, mut wanted: Wanted) -> Result<Wanted, ApiError> {
    let live = match objects::read(client, &wanted.target).await {
        Ok(live) => live,
        Err(ApiError::NotFound(_)) => None,
        Err(problem) => return Err(problem),
    };
    if let Some(uid) = live.as_ref().and_then(|live| live.pointer("/metadata/uid").cloned())
        && let Some(Value::Object(metadata)) = wanted.object.get_mut("metadata")
    {
        metadata.insert("uid".to_owned(), uid);
    }
    Ok(wanted)
}

/// What of a plan is there.
async fn there(client: &Client, plan: &Plan) -> Result<BTreeMap<String, Arc<Value>>, ApiError> {
    let mut found = BTreeMap::new();
    for planned in &plan.objects {
        match objects::read(client, &Target::of(&planned.object)).await {
            Ok(Some(object)) => {
                found.insert(planned.id.clone(), Arc::new(object));
            }
            // Nor is its kind.
            Ok(None) | Err(ApiError::NotFound(_)) => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(found)
}

/// What applying an object would change.
async fn change(
    client: &Client,
    plan: &Plan,
    object: &Value,
    live: Option<&Value>,
    args: &Args,
    notes: &mut Vec<String>,
) -> Change {
    let text = |object: &Value, pointer: &str| {
        object.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned)
    };
    let label = |object: &Value| {
        object
            .pointer("/metadata/labels")
            .and_then(|it| it.get(TRIGGER_LABEL))
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
    };
    let kind = format!("{}/{}", Target::of(object).group(), text(object, "/kind").unwrap_or_default());
    let ours = live.is_some_and(|live| label(live).is_some() && label(live) == label(object));
    if live.is_some() && !ours && !plan.class.adopts(&kind) {
        return Change::Conflict("it is there already, and was not made for this claim".to_owned());
    }
    let account = format!("system:serviceaccount:{}:{}", args.own_namespace, plan.class.spec.service_account);
    let how = Applying { manager: MANAGER, force: ours, dry_run: true };
    let mut answer = objects::apply(&objects::acting_as(client, &account), object, how).await;
    if let Err(ApiError::Forbidden(message)) = &answer
        && message.contains("impersonate")
    {
        notes.push(format!("you may not impersonate `{account}`: the dry run is in your own name, so that its missing rights do not show"));
        answer = objects::apply(client, object, how).await;
    }
    match (answer, live) {
        (Err(problem), _) => Change::Refused(problem.to_string()),
        (Ok(_), None) => Change::Created,
        (Ok(would), Some(live)) => {
            let mut lines = Vec::new();
            differences(&stripped(live), &stripped(&would), "", &mut lines);
            if lines.is_empty() { Change::Unchanged } else { Change::Changed(lines) }
        }
    }
}

/// Without what the API server and controllers write.
fn stripped(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove("status");
        if let Some(Value::Object(metadata)) = members.get_mut("metadata") {
            for key in ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"] {
                metadata.remove(key);
            }
        }
    }
    object
}

/// One line for each value that is another: `spec.instances: 1 → 2`.
fn differences(before: &Value, after: &Value, path: &str, lines: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let empty = Value::Null;
            let member = |members: &'_ Map<String, Value>, key: &str| members.get(key).cloned();
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let (old, new) = (member(old, key), member(new, key));
                differences(old.as_ref().unwrap_or(&empty), new.as_ref().unwrap_or(&empty), &path, lines);
            }
        }
        (old, new) if old != new => {
            let shown =
                |value: &Value| if value.is_null() { "nothing".to_owned() } else { value.to_string() };
            lines.push(format!("{path}: {} → {}", shown(old), shown(new)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_names_the_field_and_both_values() {
        let before = json!({"spec": {"instances": 1, "gone": true}, "status": {"x": 1}});
        let after = json!({"spec": {"instances": 2, "new": ["a"]}, "status": {"x": 2}});
        let mut lines = Vec::new();
        differences(&stripped(&before), &stripped(&after), "", &mut lines);
        assert_eq!(
            lines,
            ["spec.gone: true → nothing", "spec.instances: 1 → 2", "spec.new: nothing → [\"a\"]"]
        );
    }
}
