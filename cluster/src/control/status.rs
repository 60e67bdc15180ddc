//! The status of policies and exceptions: a pure function of what was loaded, told and registered, and its writing.

use super::registration::FIELD_MANAGER;
use super::replicas::Replica;
use crate::bundles::{Bundled, Note};
use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::discovery::Resources;
use crate::images::objects::{Authority, Root};
use crate::kinds::condition::{Condition, ConditionStatus, remove, set};
use crate::kinds::status::{
    ACTIVE, ENFORCED, FACTS_FORBIDDEN, LOADED, PolicyBundleStatus, PolicyExceptionStatus, PolicyStatus,
    TrustStatus, VERIFIED,
};
use crate::kinds::{ImageAuthority, Policy, PolicyBundle, PolicyException, TrustRoot};
use crate::policies::object::Object;
use crate::policies::{ItemReport, LoadReport, Loaded};
use crate::webhooks::atoms::Atom;
use crate::webhooks::{Entry, Groups, Registered, groups};
use jiff::Timestamp;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wayguard_bundle::spec::PolicyBundleSpec;
use wayguard_engine::policy::spec::{PolicyExceptionSpec, PolicySpec};

/// What the statuses are made of.
pub(super) struct View<'v> {
    /// What we have loaded ourselves.
    pub(super) loaded: &'v Loaded,
    /// What the ready replicas have told.
    pub(super) replicas: &'v [Replica],
    /// What is registered now.
    pub(super) registered: &'v Groups,
    pub(super) resources: &'v Resources,
    /// Findings are only recorded.
    pub(super) observe: bool,
    /// Why the suite is paused, if it is.
    pub(super) paused: Option<&'v str>,
    pub(super) now: Timestamp,
}

/// What a condition says.
struct Said {
    status: ConditionStatus,
    reason: &'static str,
    message: String,
}

fn said(status: ConditionStatus, reason: &'static str, message: impl Into<String>) -> Said {
    Said { status, reason, message: message.into() }
}

impl View<'_> {
    /// Whether every ready replica serves the set that we have, and there is one.
    pub(super) fn all_loaded(&self) -> bool {
        self.disagreement().is_none()
    }

    /// What keeps rules from widening, in words for a log; `None` if nothing does.
    pub(super) fn disagreement(&self) -> Option<String> {
        if self.replicas.is_empty() {
            return Some("no replica of the server is ready".to_owned());
        }
        let digest = self.loaded.set.digest();
        let other = |replica: &Replica| match &replica.report {
            Err(problem) => Some(format!("{}: {problem}", replica.address)),
            Ok(report) if report.set_digest == digest => None,
            Ok(report) => Some(format!("{} serves set {}", replica.address, report.set_digest)),
        };
        let others: Vec<String> = self.replicas.iter().filter_map(other).collect();
        (!others.is_empty()).then(|| format!("control has set {digest}; {}", others.join("; ")))
    }

    /// The status of a policy; `before` gives the times of transitions.
    pub(super) fn policy(&self, object: &Object<PolicySpec>, before: &PolicyStatus) -> PolicyStatus {
        let (with_it, all) = (self.loaded_by(&object.name, object.generation), self.replicas.len());
        let loaded = self.loaded_condition(object, with_it, all);
        let enforced = self.enforced_condition(object, &loaded);
        let mut status = before.clone();
        status.observed_generation = Some(object.generation);
        status.set_digest = Some(self.loaded.set.digest().to_owned());
        status.loaded_by = Some(format!("{with_it}/{all}"));
        self.put(&mut status.conditions, LOADED, object.generation, loaded);
        self.put(&mut status.conditions, ENFORCED, object.generation, enforced);
        match self.forbidden(&object.name) {
            Some(message) => {
                let forbidden = said(ConditionStatus::True, "MissingRights", message);
                self.put(&mut status.conditions, FACTS_FORBIDDEN, object.generation, forbidden);
            }
            None => remove(&mut status.conditions, FACTS_FORBIDDEN),
        }
        status
    }

    fn loaded_by(&self, name: &str, generation: i64) -> usize {
        let has = |item: &ItemReport| item.name == name && item.generation == generation && item.loaded;
        let of =
            |replica: &&Replica| replica.report.as_ref().is_ok_and(|report| report.policies.iter().any(has));
        self.replicas.iter().filter(of).count()
    }

    fn loaded_condition(&self, object: &Object<PolicySpec>, with_it: usize, all: usize) -> Said {
        let ours = self.loaded.policies.get(&object.name);
        if let Some(broken) = ours.filter(|item| item.generation == object.generation && !item.loaded) {
            return said(ConditionStatus::False, "Invalid", broken.errors.join("\n"));
        }
        if all == 0 {
            return said(ConditionStatus::Unknown, "NoReplicas", "no replica of the server is ready");
        }
        if with_it == all {
            return said(
                ConditionStatus::True,
                "Compiled",
                format!("all {all} ready replicas have loaded it"),
            );
        }
        let mut message = format!("{with_it} of {all} ready replicas have loaded it");
        for replica in self.replicas {
            let why = match &replica.report {
                Err(problem) => Some(problem.clone()),
                Ok(report) => {
                    let item = report.policies.iter().find(|item| item.name == object.name);
                    item.filter(|item| !item.loaded).map(|item| item.errors.join("\n"))
                }
            };
            if let Some(why) = why {
                message = format!("{message}; {}: {why}", replica.address);
            }
        }
        said(ConditionStatus::False, "Waiting", message)
    }

    fn enforced_condition(&self, object: &Object<PolicySpec>, loaded: &Said) -> Said {
        let not = |reason, message: &str| said(ConditionStatus::False, reason, message);
        if let Some(reason) = self.paused {
            let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            return not(
                "Paused",
                &format!("the suite is paused{why}; it ends when the ConfigMap `wayguard-pause` is deleted"),
            );
        }
        if self.observe {
            return not(
                "Observing",
                "the suite only observes: findings are recorded and nothing is refused; `wayguard install --enforce` ends that",
            );
        }
        if loaded.status != ConditionStatus::True {
            return not("NotLoaded", "not every ready replica has loaded it");
        }
        if !self.all_loaded() {
            return not(
                "OtherSet",
                "replicas serve another set than `control` has; if that lasts, their versions or `--policies` differ",
            );
        }
        let own = Registered::of(&self.loaded.set).into_iter().filter(|policy| policy.name == object.name);
        let wanted = groups(&own.collect::<Vec<_>>(), self.resources, false);
        if wanted.is_empty() {
            return not(
                "NothingToJudge",
                "its rules name nothing that this cluster has and that policies may judge",
            );
        }
        let asked =
            |entry: &Entry, atom: &Atom| self.registered.get(entry).is_some_and(|rules| rules.covers(atom));
        let missing: BTreeSet<String> = wanted
            .iter()
            .flat_map(|(entry, rules)| rules.iter().filter(move |atom| !asked(entry, atom)))
            .map(|atom| format!("{} {}", atom.resource, atom.verb.as_str()))
            .collect();
        if !missing.is_empty() {
            let missing = missing.into_iter().collect::<Vec<_>>().join(", ");
            return not("NotRegistered", &format!("the API server does not ask us yet about: {missing}"));
        }
        said(ConditionStatus::True, "Enforced", "loaded by every ready replica and registered")
    }

    /// Words and rules for the facts that the policy declares and replicas may not read.
    fn forbidden(&self, name: &str) -> Option<String> {
        let policy = self.loaded.set.policies().find(|policy| policy.name == name)?;
        let custom = &policy.metadata.custom;
        let kinds = custom
            .inventory
            .iter()
            .map(|it| crate::facts::Gvk::new(&it.group, &it.version, &it.kind).to_string());
        let declared: BTreeSet<String> = custom.facts.iter().cloned().chain(kinds).collect();
        let reports = self.replicas.iter().filter_map(|replica| replica.report.as_ref().ok());
        let missing: BTreeSet<String> = reports
            .flat_map(|report| &report.forbidden)
            .filter(|forbidden| declared.contains(&forbidden.fact))
            .map(|it| {
                format!(
                    "`{}`: {}; add this rule to the server's ClusterRole: {}",
                    it.fact, it.message, it.rule
                )
            })
            .collect();
        (!missing.is_empty()).then(|| missing.into_iter().collect::<Vec<_>>().join("\n"))
    }

    /// The status of an exception.
    pub(super) fn exception(
        &self,
        object: &Object<PolicyExceptionSpec>,
        before: &PolicyExceptionStatus,
    ) -> PolicyExceptionStatus {
        let item =
            self.loaded.exceptions.get(&object.name).filter(|item| item.generation == object.generation);
        let in_force = self.loaded.set.exceptions().iter().find(|it| it.name == object.name);
        let active = match (item, in_force) {
            (Some(item), _) if !item.loaded => {
                said(ConditionStatus::False, "Invalid", item.errors.join("\n"))
            }
            (Some(_), Some(exception)) if exception.in_force(self.now) => {
                said(ConditionStatus::True, "InForce", format!("honoured until {}", exception.expires()))
            }
            (Some(_), Some(exception)) => said(
                ConditionStatus::False,
                "Expired",
                format!("without effect since {}", exception.expires()),
            ),
            _ => said(ConditionStatus::Unknown, "Waiting", "not loaded yet"),
        };
        let mut status = before.clone();
        status.observed_generation = Some(object.generation);
        self.put(&mut status.conditions, ACTIVE, object.generation, active);
        status
    }

    /// The status of an `ImageAuthority` or a `TrustRoot`, of what replicas have told: it is they who read what it
    /// names. And whether all of them have.
    pub(super) fn trust<S>(
        &self,
        object: &Object<S>,
        before: &TrustStatus,
        told: impl Fn(&LoadReport) -> &Vec<ItemReport>,
    ) -> (TrustStatus, bool) {
        let Used { said, by, settled } = self.used(object, told, "Trusted", "judge by it");
        let mut status = before.clone();
        status.observed_generation = Some(object.generation);
        status.loaded_by = Some(by);
        self.put(&mut status.conditions, LOADED, object.generation, said);
        (status, settled)
    }

    /// The status of a `PolicyBundle`: what is stored, what `note` says of its signatures, what replicas have loaded.
    pub(super) fn bundle(
        &self,
        object: &Object<PolicyBundleSpec>,
        before: &PolicyBundleStatus,
        note: Option<&Note>,
    ) -> (PolicyBundleStatus, bool) {
        let Used { said: mut loaded, by, mut settled } =
            self.used(object, |report| &report.bundles, "Loaded", "have loaded it");
        let ours = self.loaded.bundled.iter().find(|bundle| bundle.name == object.name);
        if loaded.status == ConditionStatus::True && !ours.is_some_and(Bundled::is_current) {
            // Replicas were faster: what follows would be of the one before.
            loaded = said(ConditionStatus::False, "Waiting", "control has not loaded it yet");
            settled = false;
        }
        let mut status = before.clone();
        status.observed_generation = Some(object.generation);
        status.loaded_by = Some(by);
        if let Some(stored) = ours.and_then(|bundle| bundle.stored.as_ref()) {
            status.digest = Some(stored.digest.to_string());
            status.bundle = Some(stored.about.name.clone());
            status.version = Some(stored.about.version.to_string());
        }
        let known = |it: &Condition| it.kind == VERIFIED && it.observed_generation == Some(object.generation);
        if let Some(note) = note.filter(|note| note.generation == object.generation) {
            let verified = said(note.status, note.reason, note.message.clone());
            self.put(&mut status.conditions, VERIFIED, object.generation, verified);
        } else if !status.conditions.iter().any(known) {
            // What was found of this generation stands: who has just become leader has not looked yet.
            let waiting = said(ConditionStatus::Unknown, "Waiting", "not looked at yet");
            self.put(&mut status.conditions, VERIFIED, object.generation, waiting);
        }
        self.put(&mut status.conditions, LOADED, object.generation, loaded);
        (status, settled)
    }

    /// What replicas have told of an object that they use: the words, by how many it is used, and whether all of them
    /// have told.
    fn used<S>(
        &self,
        object: &Object<S>,
        told: impl Fn(&LoadReport) -> &Vec<ItemReport>,
        reason: &'static str,
        what: &str,
    ) -> Used {
        let of = |replica: &Replica| -> Option<ItemReport> {
            let items = told(replica.report.as_ref().ok()?);
            let same = |item: &&ItemReport| item.name == object.name && item.generation == object.generation;
            items.iter().find(same).cloned()
        };
        let items: Vec<ItemReport> = self.replicas.iter().filter_map(of).collect();
        let (all, with_it) = (self.replicas.len(), items.iter().filter(|item| item.loaded).count());
        let errors: BTreeSet<&str> = items.iter().flat_map(|item| &item.errors).map(String::as_str).collect();
        let words = if !errors.is_empty() {
            let errors = errors.into_iter().collect::<Vec<_>>().join("\n");
            said(ConditionStatus::False, "Invalid", errors)
        } else if all == 0 {
            said(ConditionStatus::Unknown, "NoReplicas", "no replica of the server is ready")
        } else if with_it == all {
            said(ConditionStatus::True, reason, format!("all {all} ready replicas {what}"))
        } else {
            said(ConditionStatus::False, "Waiting", format!("{with_it} of {all} ready replicas {what}"))
        };
        Used { said: words, by: format!("{with_it}/{all}"), settled: items.len() == all }
    }

    fn put(&self, conditions: &mut Vec<Condition>, kind: &str, generation: i64, said: Said) {
        let now = self.now.round(jiff::Unit::Second).unwrap_or(self.now);
        let condition = Condition {
            kind: kind.to_owned(),
            status: said.status,
            observed_generation: Some(generation),
            last_transition_time: now.to_string(),
            reason: said.reason.to_owned(),
            message: said.message,
        };
        set(conditions, condition);
    }
}

/// What became of an object on the replicas.
struct Used {
    said: Said,
    /// Such as `3/3`.
    by: String,
    /// All have told of this generation.
    settled: bool,
}

/// The objects whose statuses are written.
pub(super) struct Objects {
    pub(super) policies: Vec<Arc<Object<PolicySpec>>>,
    pub(super) exceptions: Vec<Arc<Object<PolicyExceptionSpec>>>,
    pub(super) bundles: Vec<Arc<Object<PolicyBundleSpec>>>,
    /// What was found out about bundles, by name.
    pub(super) notes: BTreeMap<String, Note>,
    pub(super) authorities: Vec<Arc<Authority>>,
    pub(super) roots: Vec<Arc<Root>>,
}

/// Writes the statuses that have changed. Whether all replicas have told of what there is: otherwise they are to be
/// asked again soon.
pub(super) async fn write(
    client: &Client,
    namespace: &str,
    view: &View<'_>,
    objects: &Objects,
) -> Result<bool, ApiError> {
    let mut settled = true;
    let api: Api<ImageAuthority> = Api::all(client.clone());
    for object in objects.authorities.iter().map(|it| &it.object) {
        settled &= write_trust(&api, view, object, |report| &report.image_authorities).await?;
    }
    let api: Api<TrustRoot> = Api::all(client.clone());
    for object in &objects.roots {
        settled &= write_trust(&api, view, object, |report| &report.trust_roots).await?;
    }
    let api: Api<PolicyBundle> = Api::all(client.clone());
    for object in &objects.bundles {
        let before: PolicyBundleStatus = serde_json::from_value(object.status.clone()).unwrap_or_default();
        let (after, all_told) = view.bundle(object, &before, objects.notes.get(&object.name));
        if after != before {
            patch(&api, &object.name, &object.uid, &json!(after)).await?;
        }
        settled &= all_told;
    }
    let api: Api<Policy> = Api::all(client.clone());
    for object in &objects.policies {
        // A status that cannot be read is written anew.
        let before: PolicyStatus = serde_json::from_value(object.status.clone()).unwrap_or_default();
        let after = view.policy(object, &before);
        if after != before {
            patch(&api, &object.name, &object.uid, &json!(after)).await?;
        }
    }
    let api: Api<PolicyException> = Api::namespaced(client.clone(), namespace);
    for object in &objects.exceptions {
        let before: PolicyExceptionStatus = serde_json::from_value(object.status.clone()).unwrap_or_default();
        let after = view.exception(object, &before);
        if after != before {
            patch(&api, &object.name, &object.uid, &json!(after)).await?;
        }
    }
    Ok(settled)
}

/// Writes the status of an `ImageAuthority` or `TrustRoot`, if it has changed; whether all replicas have told of it.
async fn write_trust<K, S>(
    api: &Api<K>,
    view: &View<'_>,
    object: &Object<S>,
    told: impl Fn(&LoadReport) -> &Vec<ItemReport>,
) -> Result<bool, ApiError>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let before: TrustStatus = serde_json::from_value(object.status.clone()).unwrap_or_default();
    let (after, settled) = view.trust(object, &before, told);
    if after != before {
        patch(api, &object.name, &object.uid, &json!(after)).await?;
    }
    Ok(settled)
}

async fn patch<K>(api: &Api<K>, name: &str, uid: &str, status: &serde_json::Value) -> Result<(), ApiError>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    // The uid guards against a new object of the same name.
    let patch = json!({"metadata": {"uid": uid}, "status": status});
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    match within(REQUEST_LIMIT, api.patch_status(name, &params, &Patch::Merge(patch))).await {
        // Gone, or another one: the watch will tell.
        Ok(_) | Err(ApiError::NotFound(_) | ApiError::Conflict(_)) => Ok(()),
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
