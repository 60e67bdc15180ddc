//! Objects of any kind: read, applied, deleted, in our own name or in that of another account.
//!
//! Everything is written server-side: an apply says which fields are ours, and changes nothing where nothing is
//! different. What is deleted is named by its uid, so that nothing is deleted that merely has the same name.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use http::{HeaderName, HeaderValue, Request};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions,
};
use kube::client::Body;
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

/// One object, by what a URL needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty for kinds that have none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// How an object is applied.
#[derive(Clone, Copy, Debug)]
pub struct Applying<'a> {
    /// Under this name its fields are ours.
    pub manager: &'a str,
    /// Fields that others hold become ours; else that is [`ApiError::Conflict`].
    pub force: bool,
    /// The API server only says what it would be.
    pub dry_run: bool,
}

impl Target {
    /// What an object's own text names.
    pub fn of(object: &Value) -> Self {
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            api_version: text("/apiVersion"),
            kind: text("/kind"),
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
        }
    }

    /// Its API group; empty for core.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    fn api(&self, client: &Client) -> Api<DynamicObject> {
        let resource = resource(&self.api_version, &self.kind);
        if self.namespace.is_empty() {
            Api::all_with(client.clone(), &resource)
        } else {
            Api::namespaced_with(client.clone(), &self.namespace, &resource)
        }
    }
}

/// A kind for the client; its plural as CRDs by custom name it.
pub(crate) fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

/// The plural of a kind, as it stands in rights and URLs.
pub fn plural(kind: &str) -> String {
    resource("v1", kind).plural
}

/// The same client in the name of another account, such as `system:serviceaccount:wayguard-system:class-postgresql`.
/// The API server allows it to those who may `impersonate` that account.
pub fn acting_as(client: &Client, user: &str) -> Client {
    let inner = client.clone();
    let header = HeaderValue::from_str(user).ok();
    let service = tower::service_fn(move |mut request: Request<Body>| {
        let inner = inner.clone();
        // A name that is no header value is nobody's: the API server must not take us for ourselves.
        let name = header.clone().unwrap_or_else(|| HeaderValue::from_static("wayguard:nobody"));
        request.headers_mut().insert(HeaderName::from_static("impersonate-user"), name);
        async move { inner.send(request).await }
    });
    Client::new(service, client.default_namespace())
}

/// An object as the API server has it now; `None`: it is not there.
///
/// # Errors
/// What the API server says, and that it does not have such a kind ([`ApiError::NotFound`]).
pub async fn read(client: &Client, target: &Target) -> Result<Option<Value>, ApiError> {
    let found = within(REQUEST_LIMIT, target.api(client).get_opt(&target.name)).await?;
    Ok(found.map(|object| serde_json::to_value(object).unwrap_or_default()))
}

/// All objects of a kind, in a namespace or everywhere.
///
/// # Errors
/// What the API server says.
pub async fn list(
    client: &Client,
    api_version: &str,
    kind: &str,
    namespace: Option<&str>,
    labels: Option<&str>,
) -> Result<Vec<Value>, ApiError> {
    let target = Target {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.unwrap_or_default().to_owned(),
        name: String::new(),
    };
    let params =
        kube::api::ListParams { label_selector: labels.map(ToOwned::to_owned), ..Default::default() };
    let found = within(REQUEST_LIMIT, target.api(client).list(&params)).await?;
    let whole = |object| crate::namespaces::whole(object, api_version, kind);
    Ok(found.items.into_iter().map(whole).collect())
}

/// Applies an object; what the API server has then (with `dry_run`: would have).
///
/// # Errors
/// What the API server says.
pub async fn apply(client: &Client, object: &Value, how: Applying<'_>) -> Result<Value, ApiError> {
    let target = Target::of(object);
    let mut params = PatchParams::apply(how.manager);
    params.force = how.force;
    params.dry_run = how.dry_run;
    let patch = Patch::Apply(object);
    let applied = within(REQUEST_LIMIT, target.api(client).patch(&target.name, &params, &patch)).await?;
    Ok(serde_json::to_value(applied).unwrap_or_default())
}

/// Changes single fields of an object by a JSON merge patch.
///
/// # Errors
/// What the API server says.
pub async fn merge(
    client: &Client,
    target: &Target,
    manager: &str,
    patch: &Value,
) -> Result<Value, ApiError> {
    let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
    let patched =
        within(REQUEST_LIMIT, target.api(client).patch(&target.name, &params, &Patch::Merge(patch))).await?;
    Ok(serde_json::to_value(patched).unwrap_or_default())
}

/// Deletes an object if it is still the one of that uid. Whether it was there.
///
/// # Errors
/// What the API server says.
pub async fn delete(client: &Client, target: &Target, uid: &str) -> Result<bool, ApiError> {
    let preconditions = Some(Preconditions { uid: Some(uid.to_owned()), resource_version: None });
    let params = DeleteParams { preconditions, ..DeleteParams::background() };
    match within(REQUEST_LIMIT, target.api(client).delete(&target.name, &params)).await {
        Ok(_) => Ok(true),
        // Another object has its name by now: the one that was meant is gone.
        Err(ApiError::NotFound(_) | ApiError::Conflict(_)) => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// Makes the status of the object of that uid from what it was to what it shall be; nothing happens if it is gone or
/// another has its name.
///
/// # Errors
/// What the API server says.
pub async fn write_status(
    client: &Client,
    target: &Target,
    uid: &str,
    manager: &str,
    [before, after]: [&Value; 2],
) -> Result<(), ApiError> {
    let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
    let status = difference(before, after);
    let patch = Patch::Merge(json!({"metadata": {"uid": uid}, "status": status}));
    match within(REQUEST_LIMIT, target.api(client).patch_status(&target.name, &params, &patch)).await {
        Ok(_) | Err(ApiError::NotFound(_) | ApiError::Conflict(_)) => Ok(()),
        Err(problem) => Err(problem),
    }
}

/// The JSON merge patch (RFC 7396) from one value to another.
fn difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (before, after) else { return after.clone() };
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value));
    let changed =
        changed.map(|(key, value)| (key.clone(), difference(old.get(key).unwrap_or(&Value::Null), value)));
    gone.chain(changed).collect()
}

/// Something that people should hear about an object.
#[derive(Clone, Debug)]
pub struct Happening<'a> {
    /// The object.
    pub about: &'a Target,
    /// Its uid.
    pub uid: &'a str,
    /// Whether it is a warning.
    pub warning: bool,
    /// One word for machines.
    pub reason: &'a str,
    /// What has been done, in one word: `Apply`.
    pub action: &'a str,
    /// For people.
    pub note: &'a str,
    /// The same happening has the same name: it is told once.
    pub name: &'a str,
    /// Who tells, such as `wayguard.io/provisioning`.
    pub controller: &'a str,
    /// The process that tells.
    pub instance: &'a str,
}

/// The longest note that `events.k8s.io` takes, in bytes.
const LONGEST_NOTE: usize = 1024;
/// Events about objects without a namespace lie here.
const EVENTS_OF_CLUSTER: &str = "default";

/// Records an Event (`events.k8s.io/v1`), once by its name.
///
/// # Errors
/// What the API server says.
pub async fn tell(client: &Client, happening: &Happening<'_>) -> Result<(), ApiError> {
    let about = happening.about;
    let namespace = if about.namespace.is_empty() { EVENTS_OF_CLUSTER } else { &about.namespace };
    let end = (0..=happening.note.len().min(LONGEST_NOTE))
        .rev()
        .find(|at| happening.note.is_char_boundary(*at))
        .unwrap_or(0);
    let event = json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": happening.name, "namespace": namespace},
        "eventTime": format!("{:.6}", jiff::Timestamp::now()),
        "type": if happening.warning { "Warning" } else { "Normal" },
        "reason": happening.reason,
        "action": happening.action,
        "note": happening.note.get(..end),
        "regarding": {
            "apiVersion": about.api_version,
            "kind": about.kind,
            "namespace": about.namespace,
            "name": about.name,
            "uid": happening.uid,
        },
        "reportingController": happening.controller,
        "reportingInstance": happening.instance,
    });
    let target = Target { namespace: namespace.to_owned(), ..Target::of(&event) };
    let object: DynamicObject =
        serde_json::from_value(event).map_err(|error| ApiError::Invalid(error.to_string()))?;
    match within(REQUEST_LIMIT, target.api(client).create(&PostParams::default(), &object)).await {
        Ok(_) | Err(ApiError::Conflict(_)) => Ok(()),
        // The namespace goes.
        Err(ApiError::NotFound(_)) => Ok(()),
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::{client, failure};

    fn target() -> Target {
        Target::of(&json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": "a", "namespace": "team"},
        }))
    }

    #[tokio::test]
    async fn only_the_object_that_was_meant_is_deleted() {
        let (here, log) = client(|_, body| {
            assert!(body.contains(r#""uid":"u1""#), "{body}");
            (200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}).to_string())
        });
        assert_eq!(delete(&here, &target(), "u1").await, Ok(true));
        assert!(
            log.lock().unwrap()[0]
                .starts_with("DELETE /apis/networking.k8s.io/v1/namespaces/team/networkpolicies/a"),
            "{log:?}"
        );
        let (other, _) = client(|_, _| failure(409, "Conflict", "uid is another"));
        assert_eq!(delete(&other, &target(), "u1").await, Ok(false));
        let (forbidden, _) = client(|_, _| failure(403, "Forbidden", "no"));
        assert_eq!(delete(&forbidden, &target(), "u1").await, Err(ApiError::Forbidden("no".into())));
    }

    #[tokio::test]
    async fn what_is_done_for_another_is_done_in_its_name_only() {
        use std::sync::{Arc, Mutex};
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&seen);
        let service = tower::service_fn(move |request: Request<Body>| {
            let user = request.headers().get("impersonate-user").cloned();
            log.lock().unwrap().push(format!("{user:?}"));
            let (status, text) = failure(404, "NotFound", "not there");
            async move {
                let body = Body::from(text.into_bytes());
                Ok::<_, std::convert::Infallible>(
                    http::Response::builder().status(status).body(body).unwrap(),
                )
            }
        });
        let ours = Client::new(service, "default");
        assert_eq!(read(&acting_as(&ours, "system:serviceaccount:a:b"), &target()).await, Ok(None));
        assert_eq!(read(&acting_as(&ours, "bad\nname"), &target()).await, Ok(None));
        assert_eq!(read(&ours, &target()).await, Ok(None));
        assert_eq!(
            *seen.lock().unwrap(),
            ["Some(\"system:serviceaccount:a:b\")", "Some(\"wayguard:nobody\")", "None"]
        );
    }

    #[test]
    fn a_status_loses_what_it_has_no_more() {
        let before = json!({"a": 1, "b": {"c": 1, "d": 2}, "e": [1], "same": {"x": 1}});
        let after = json!({"b": {"c": 3}, "e": [2], "f": {"g": 1}, "same": {"x": 1}});
        assert_eq!(
            difference(&before, &after),
            json!({"a": null, "b": {"c": 3, "d": null}, "e": [2], "f": {"g": 1}})
        );
    }

    #[test]
    fn plurals_are_those_of_the_operators() {
        let kinds = ["Cluster", "NetworkPolicy", "HTTPRoute", "RabbitmqCluster", "Terraform", "PodMonitor"];
        assert_eq!(
            kinds.map(plural),
            ["clusters", "networkpolicies", "httproutes", "rabbitmqclusters", "terraforms", "podmonitors"]
        );
    }
}
