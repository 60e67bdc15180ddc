//! The leader's part: the CRD of each template's kind, at once, and the statuses of templates and constraints.

use super::watch::is_constraint;
use super::{GatekeeperWatch, TEMPLATES, constraint_resource, definition};
use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::mirror::Pause;
use crate::policies::{FROM_CLUSTER, PolicyWatch};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tracing::{info, warn};
use wayguard_engine::PolicySet;
use wayguard_engine::gatekeeper::{Given, template_of};

/// Under this name CRDs and statuses are ours.
const FIELD_MANAGER: &str = "wayguard-control-gatekeeper";
/// What a watch has missed is put right after this time.
const CALM: Duration = Duration::from_secs(30);

/// Works while it leads.
pub(crate) struct Keeper {
    pub(crate) client: Client,
    pub(crate) policies: Arc<PolicyWatch>,
    /// Who we are, in `byPod`.
    pub(crate) identity: String,
    pub(crate) leading: watch::Receiver<bool>,
    pub(crate) changed: Arc<Notify>,
}

impl Keeper {
    pub(crate) async fn run(mut self) {
        let mut pause = Pause::default();
        // What was written last, by CRD name: a watch of all CRDs is not worth one comparison.
        let mut made: BTreeMap<String, Value> = BTreeMap::new();
        let mut loaded = self.policies.changes();
        loop {
            let mut wait = CALM;
            if *self.leading.borrow_and_update() {
                match self.round(&mut made).await {
                    Ok(()) => pause.reset(),
                    Err(problem) => {
                        warn!(%problem, "templates and constraints are not in order yet");
                        wait = pause.length();
                    }
                }
            } else {
                made.clear();
            }
            let ended = tokio::select! {
                () = tokio::time::sleep(wait) => { made.clear(); false }
                () = self.changed.notified() => false,
                gone = loaded.changed() => gone.is_err(),
                gone = self.leading.changed() => gone.is_err(),
            };
            if ended {
                return;
            }
        }
    }

    async fn round(&self, made: &mut BTreeMap<String, Value>) -> Result<(), ApiError> {
        let Some(watch) = self.policies.gatekeeper() else { return Ok(()) };
        let mut failed = None;
        for object in watch.templates() {
            if let Err(problem) = self.kind(&object, made).await {
                failed = Some(problem);
            }
        }
        let Some(loaded) = self.policies.loaded() else { return failed.map_or(Ok(()), Err) };
        if let Err(problem) = self.statuses(watch, &loaded.set).await {
            failed = Some(problem);
        }
        failed.map_or(Ok(()), Err)
    }

    /// Makes the CRD of a template's kind.
    async fn kind(&self, object: &Value, made: &mut BTreeMap<String, Value>) -> Result<(), ApiError> {
        let given = Given { object: object.clone(), from: FROM_CLUSTER.to_owned(), place: None };
        // What is wrong with it stands in its status.
        let Ok(template) = template_of(&given) else { return Ok(()) };
        let wanted = definition(&template, object);
        let name = wanted.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if made.get(&name) == Some(&wanted) {
            return Ok(());
        }
        let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &ApiResource::from_gvk(&kind));
        let params = PatchParams::apply(FIELD_MANAGER).force();
        within(REQUEST_LIMIT, api.patch(&name, &params, &Patch::Apply(&wanted))).await?;
        info!(kind = template.kind, "the kind of a template is made");
        made.insert(name, wanted);
        Ok(())
    }

    async fn statuses(&self, watch: &GatekeeperWatch, set: &PolicySet) -> Result<(), ApiError> {
        for object in watch.templates() {
            let errors = errors_of(set, &object, "create_error");
            // As in Gatekeeper: it is created when its constraints can be.
            let mut status = json!({"byPod": [by_pod(&self.identity, &object, &errors, &[])]});
            set_member(&mut status, "created", errors.is_empty().into());
            self.write(&TEMPLATES.resource(), &object, status).await?;
        }
        for object in watch.constraints() {
            let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
            let errors = errors_of(set, &object, "");
            let enforced = [("enforced", json!(errors.is_empty())), ("operations", json!(["webhook"]))];
            let status = json!({"byPod": [by_pod(&self.identity, &object, &errors, &enforced)]});
            if is_constraint(object.get("apiVersion").and_then(Value::as_str).unwrap_or_default()) {
                self.write(&constraint_resource(kind), &object, status).await?;
            }
        }
        Ok(())
    }

    /// Writes a status that is not there yet; members of others stay.
    async fn write(&self, resource: &ApiResource, object: &Value, status: Value) -> Result<(), ApiError> {
        let current = object.get("status").cloned().unwrap_or_default();
        let same =
            status.as_object().into_iter().flatten().all(|(key, value)| current.get(key) == Some(value));
        if same {
            return Ok(());
        }
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), resource);
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(json!({"status": status}));
        match within(REQUEST_LIMIT, api.patch_status(name, &params, &patch)).await {
            // It has gone meanwhile.
            Ok(_) | Err(ApiError::NotFound(_)) => Ok(()),
            Err(problem) => Err(problem),
        }
    }
}

fn set_member(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(key.to_owned(), value);
    }
}

/// What the set says of an object.
fn errors_of(set: &PolicySet, object: &Value, code: &str) -> Vec<Value> {
    let given = Given { object: object.clone(), from: String::new(), place: None };
    let id = given.id();
    let failures =
        set.failures().iter().filter(|failure| failure.policy == id && failure.from == FROM_CLUSTER);
    let texts = failures.flat_map(|failure| failure.errors.iter().map(ToString::to_string));
    texts.map(|message| json!({"code": code, "message": message})).collect()
}

fn by_pod(identity: &str, object: &Value, errors: &[Value], more: &[(&str, Value)]) -> Value {
    let mut entry = json!({
        "id": identity,
        "observedGeneration": object.pointer("/metadata/generation"),
    });
    for (key, value) in more {
        set_member(&mut entry, key, value.clone());
    }
    if !errors.is_empty() {
        set_member(&mut entry, "errors", json!(errors));
    }
    entry
}
