//! One claim's or Namespace's objects: applied, put right, taken away, in the name of the class's own account.

use super::child::{Cause, Child, Need, other_managers};
use super::view::label;
use crate::class::Class;
use crate::digest::short;
use crate::limits::{CLAIM_LABEL, MANAGER, OBJECT_LABEL, TRIGGER_LABEL, kind_name};
use crate::plan::Planned;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wayguard_cluster::kinds::provisioning::Drift;
use wayguard_cluster::kinds::provisioning::claim::InventoryEntry;
use wayguard_cluster::objects::{self, Applying, Target};
use wayguard_cluster::{ApiError, Client};

/// What is to be made, and for whom.
pub(super) struct Making<'a> {
    /// In whose name.
    pub(super) client: &'a Client,
    pub(super) class: &'a Class,
    /// The claim's name; `None` for a Namespace.
    pub(super) claim: Option<&'a str>,
    pub(super) uid: &'a str,
    pub(super) planned: &'a [Planned],
    /// What there is, by the watches.
    pub(super) made: &'a [Arc<Value>],
    /// What the status said was made.
    pub(super) inventory: &'a [InventoryEntry],
    /// The uids of all that lives and could own something.
    pub(super) living: &'a BTreeSet<String>,
}

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// What is there now.
    pub(super) inventory: Vec<InventoryEntry>,
    /// The first thing that could not be done; nothing was taken away then.
    pub(super) failure: Option<Failure>,
    /// Objects that somebody else changes as fast as we do, in words.
    pub(super) flapping: Vec<String>,
    /// Objects that somebody else has changed and that are left so.
    pub(super) drifted: Vec<String>,
    /// Told by Events: reason, note.
    pub(super) happened: Vec<(&'static str, String)>,
    /// Requests that changed something.
    pub(super) writes: u64,
    /// Corrections among them.
    pub(super) corrections: u64,
    /// When to look again, if earlier than usual.
    pub(super) again: Option<Duration>,
}

/// Why something could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// One word.
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// It may go away by itself within seconds.
    pub(super) passing: bool,
}

impl Made {
    fn look_again(&mut self, after: Duration) {
        self.again = Some(self.again.map_or(after, |earlier| earlier.min(after)));
    }
}

/// Applies what is wanted, then takes away what is not wanted any more.
pub(super) async fn make(making: &Making<'_>, children: &mut BTreeMap<String, Child>) -> Made {
    let mut out = Made::default();
    for planned in making.planned {
        let child = children.entry(planned.id.clone()).or_default();
        // Under the same id there may be an object of another name: that one is taken away later.
        let live = making
            .made
            .iter()
            .find(|it| label(it, OBJECT_LABEL) == Some(planned.id.as_str()) && same(it, &planned.object));
        if let Err(failure) = one(making, planned, live.map(AsRef::as_ref), child, &mut out).await {
            out.failure = Some(failure);
            // What was made before stays in the list, or nobody would know of it.
            keep_known(making, &mut out);
            return out;
        }
    }
    if let Err(failure) = prune(making, &mut out).await {
        out.failure = Some(failure);
        keep_known(making, &mut out);
    }
    children.retain(|id, _| making.planned.iter().any(|planned| planned.id == *id));
    out
}

fn keep_known(making: &Making<'_>, out: &mut Made) {
    for known in making.inventory {
        if !out.inventory.iter().any(|entry| entry.uid == known.uid) {
            out.inventory.push(known.clone());
        }
    }
}

/// One object.
async fn one(
    making: &Making<'_>,
    planned: &Planned,
    live: Option<&Value>,
    child: &mut Child,
    out: &mut Made,
) -> Result<(), Failure> {
    let target = Target::of(&planned.object);
    let wanted = short(&planned.object);
    let known = |out: &mut Made, live: &Value| out.inventory.push(entry(&planned.id, live, &wanted));
    let (cause, rest) = match child.need(&wanted, live, Instant::now()) {
        Need::Nothing => {
            live.into_iter().for_each(|live| known(out, live));
            return Ok(());
        }
        Need::Look => {
            out.look_again(Duration::from_millis(300));
            let before = making.inventory.iter().find(|it| it.id == planned.id && it.hash == wanted);
            match (live, before) {
                (Some(live), _) => known(out, live),
                (None, Some(before)) => out.inventory.push(before.clone()),
                (None, None) => {}
            }
            return Ok(());
        }
        Need::Rest(rest) => (None, rest),
        Need::Apply(cause) => (Some(cause), Duration::ZERO),
    };
    let Some(cause) = cause else {
        out.look_again(rest);
        let by = child.rival.as_ref().map_or("somebody".to_owned(), |name| format!("`{name}`"));
        out.flapping.push(format!(
            "{} `{}` is changed by {by} as often as it is put right; it is left alone for {} s",
            target.kind,
            target.name,
            rest.as_secs()
        ));
        live.into_iter().for_each(|live| known(out, live));
        return Ok(());
    };
    let force = live.is_some() || is_ours_to_take(making, planned, &target).await?;
    if cause == Cause::Changed && making.class.spec.drift == Drift::Report {
        let how = Applying { manager: MANAGER, force, dry_run: true };
        let would =
            objects::apply(making.client, &planned.object, how).await.map_err(|it| failed(&target, &it))?;
        if let Some(live) = live {
            if crate::digest::fingerprint(&would) != crate::digest::fingerprint(live) {
                out.drifted.push(format!("{} `{}`", target.kind, target.name));
                out.look_again(Duration::from_secs(30));
            }
            known(out, live);
        }
        return Ok(());
    }
    let how = Applying { manager: MANAGER, force, dry_run: false };
    let answer =
        objects::apply(making.client, &planned.object, how).await.map_err(|it| failed(&target, &it))?;
    let version = |object: &Value| object.pointer("/metadata/resourceVersion").cloned();
    out.writes += u64::from(live.and_then(version) != version(&answer));
    if child.applied(&wanted, cause, live, &answer, Instant::now()) {
        out.corrections += 1;
        let what = if cause == Cause::Gone { "was deleted" } else { "was changed" };
        let by = live.and_then(|live| other_managers(live, MANAGER).into_iter().next());
        child.rival.clone_from(&by);
        let by = by.map(|name| format!(" by `{name}`")).unwrap_or_default();
        out.happened.push((
            "Corrected",
            format!("{} `{}` {what}{by} and is as it should be again", target.kind, target.name),
        ));
    }
    if child.is_resting() {
        out.look_again(Duration::from_millis(100));
    }
    known(out, &answer);
    Ok(())
}

/// Whether an object that the watch does not show may be made: it is not there, or it is ours. Whether others' fields
/// may be taken: only of what is ours already.
async fn is_ours_to_take(making: &Making<'_>, planned: &Planned, target: &Target) -> Result<bool, Failure> {
    let found = objects::read(making.client, target).await.map_err(|problem| failed(target, &problem))?;
    let Some(found) = found else { return Ok(false) };
    let trigger = label(&found, TRIGGER_LABEL);
    if trigger == Some(making.uid) {
        return Ok(true);
    }
    // What a claim of this name has left behind when it was deleted is taken up by the next one.
    let left = making.claim.is_some()
        && label(&found, CLAIM_LABEL) == making.claim
        && label(&found, OBJECT_LABEL) == Some(planned.id.as_str())
        && trigger.is_some_and(|uid| !making.living.contains(uid));
    if left {
        return Ok(true);
    }
    if trigger.is_none() && making.class.adopts(&kind_name(&planned.object)) {
        return Ok(false);
    }
    let whose = match (label(&found, CLAIM_LABEL), other_managers(&found, MANAGER).first()) {
        (Some(claim), _) => format!("the claim `{claim}` has made it"),
        (None, Some(manager)) => format!("`{manager}` has made it"),
        (None, None) => "somebody else has made it".to_owned(),
    };
    Err(Failure {
        reason: "Conflict",
        message: format!(
            "there is a {} `{}` already, and {whose}; delete or rename it, or name the claim otherwise",
            target.kind, target.name
        ),
        passing: false,
    })
}

/// Takes away what was made and is not wanted any more.
async fn prune(making: &Making<'_>, out: &mut Made) -> Result<(), Failure> {
    let wanted = |object: &Value| making.planned.iter().any(|planned| same(object, &planned.object));
    for object in making.made.iter().filter(|object| !wanted(object)) {
        if object.pointer("/metadata/deletionTimestamp").is_some() {
            continue;
        }
        let target = Target::of(object);
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
        if making.class.retains(&kind_name(object)) {
            release(making, object, &target).await.map_err(|problem| failed(&target, &problem))?;
            out.writes += 1;
            out.happened.push((
                "Released",
                format!(
                    "{} `{}` is not wanted any more; it holds data, stays, and belongs to nobody",
                    target.kind, target.name
                ),
            ));
        } else {
            let deleted = objects::delete(making.client, &target, uid)
                .await
                .map_err(|problem| failed(&target, &problem))?;
            out.writes += u64::from(deleted);
            if deleted {
                out.happened
                    .push(("Deleted", format!("{} `{}` is not wanted any more", target.kind, target.name)));
            }
        }
    }
    Ok(())
}

/// Takes our marks from an object, and lets it be.
async fn release(making: &Making<'_>, object: &Value, target: &Target) -> Result<(), ApiError> {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let others: Vec<_> = owners
        .into_iter()
        .flatten()
        .filter(|owner| owner.get("uid").and_then(Value::as_str) != Some(making.uid))
        .collect();
    let labels: Map<String, Value> =
        [TRIGGER_LABEL, CLAIM_LABEL, OBJECT_LABEL, "app.kubernetes.io/managed-by"]
            .into_iter()
            .map(|name| (name.to_owned(), Value::Null))
            .collect();
    let patch = json!({"metadata": {
        "uid": object.pointer("/metadata/uid"),
        "labels": labels,
        "ownerReferences": others,
    }});
    match objects::merge(making.client, target, MANAGER, &patch).await {
        Ok(_) | Err(ApiError::NotFound(_) | ApiError::Conflict(_)) => Ok(()),
        Err(problem) => Err(problem),
    }
}

fn same(one: &Value, other: &Value) -> bool {
    kind_name(one) == kind_name(other) && one.pointer("/metadata/name") == other.pointer("/metadata/name")
}

fn entry(id: &str, live: &Value, hash: &str) -> InventoryEntry {
    let target = Target::of(live);
    InventoryEntry {
        id: id.to_owned(),
        api_version: target.api_version,
        kind: target.kind,
        name: target.name,
        uid: live.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned(),
        hash: hash.to_owned(),
    }
}

fn failed(target: &Target, problem: &ApiError) -> Failure {
    let (reason, passing) = match problem {
        ApiError::Forbidden(_) => ("Forbidden", false),
        ApiError::Invalid(_) => ("Invalid", false),
        ApiError::Conflict(_) => ("Conflict", false),
        ApiError::NotFound(_) => ("KindMissing", false),
        ApiError::Expired(_) | ApiError::Unavailable(_) => ("Unavailable", true),
    };
    Failure {
        reason,
        message: format!("{} `{}` cannot be made: {problem}", target.kind, target.name),
        passing,
    }
}
