//! Look-ups that are made live: owners, names of Secrets, the Pods of a namespace.

use super::Gvk;
use crate::access;
use crate::client::{ApiError, Client, within};
use crate::discovery::Kinds;
use crate::namespaces::whole;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use wayguard_engine::facts::{AccessQuestion, Fact};
use wayguard_engine::value::Document;

/// As many Pods as upstream's Pod Security looks at when a namespace's level is raised.
pub const MOST_PODS: u32 = 3000;
/// Objects asked for at once.
const PAGE: u32 = 500;
/// Names of Secrets in one answer.
const MOST_SECRETS: usize = 20_000;

pub(super) struct Lookups {
    client: Client,
    kinds: Arc<Kinds>,
}

impl Lookups {
    pub(super) fn new(client: Client, kinds: Arc<Kinds>) -> Self {
        Self { client, kinds }
    }

    pub(super) async fn owner(
        &self,
        kind: &Gvk,
        namespace: &str,
        name: &str,
        uid: &str,
        deadline: Instant,
    ) -> Result<Fact, ApiError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let found = timeout(left, async {
            let Some(resource) = self.kinds.find(&kind.group, &kind.version, &kind.kind).await? else {
                return Ok(None);
            };
            let api_resource = resource.api_resource(&kind.version);
            let api: Api<DynamicObject> = if resource.namespaced {
                Api::namespaced_with(self.client.clone(), namespace, &api_resource)
            } else {
                Api::all_with(self.client.clone(), &api_resource)
            };
            api.get_opt(name).await.map_err(ApiError::from)
        });
        let found = found.await.unwrap_or_else(|_| Err(ApiError::too_slow(left)))?;
        // Another uid is another object that took the name since.
        let same = found.filter(|object| object.metadata.uid.as_deref() == Some(uid));
        Ok(same.map_or(Fact::Absent, |object| {
            let api_version = match kind.group.as_str() {
                "" => kind.version.clone(),
                group => format!("{group}/{}", kind.version),
            };
            Fact::Known(Arc::new(Document::from_serde(&whole(object, &api_version, &kind.kind))))
        }))
    }

    pub(super) async fn secret_names(&self, namespace: &str, deadline: Instant) -> Result<Fact, ApiError> {
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Secret"));
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &kind);
        let left = deadline.saturating_duration_since(Instant::now());
        let names = within(left, async {
            let mut names = Vec::new();
            let mut params = ListParams::default().limit(PAGE);
            loop {
                let page = api.list_metadata(&params).await?;
                names.extend(page.items.into_iter().filter_map(|secret| secret.metadata.name));
                match page.metadata.continue_.filter(|token| !token.is_empty()) {
                    Some(token) if names.len() < MOST_SECRETS => params.continue_token = Some(token),
                    Some(_) => return Ok(None),
                    None => return Ok(Some(names)),
                }
            }
        });
        // Half of the names would make the other half look absent.
        Ok(names.await?.map_or_else(
            || Fact::Unavailable(format!("namespace `{namespace}` has more than {MOST_SECRETS} Secrets")),
            |names| Fact::Known(Arc::new(Document::from_serde(&Value::from(names)))),
        ))
    }

    pub(super) async fn access(
        &self,
        question: &AccessQuestion,
        deadline: Instant,
    ) -> Result<Fact, ApiError> {
        let left = deadline.saturating_duration_since(Instant::now());
        Ok(access::ask(&self.client, question, left).await?.into_fact())
    }

    pub(super) async fn pods(
        &self,
        namespace: &str,
        limit: u32,
        deadline: Instant,
    ) -> Result<Fact, ApiError> {
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod"));
        let api = Api::namespaced_with(self.client.clone(), namespace, &kind);
        let left = deadline.saturating_duration_since(Instant::now());
        let objects = within(left, objects(&api, limit)).await?;
        Ok(Fact::Known(Arc::new(named(objects, "v1", "Pod"))))
    }
}

/// What to list, and how to write it down.
pub(super) struct LiveList {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) most: u32,
}

/// All objects of a namespace by name; an answer that would not be whole is none.
pub(super) async fn list_live(
    api: &Api<DynamicObject>,
    list: &LiveList,
    left: Duration,
) -> Result<Fact, ApiError> {
    let found = within(left, objects(api, list.most.saturating_add(1))).await?;
    if found.len() > list.most as usize {
        return Ok(Fact::Unavailable(format!(
            "the namespace has more than {} objects of kind `{}`; add it to the server's inventory kinds",
            list.most, list.kind
        )));
    }
    Ok(Fact::Known(Arc::new(named(found, &list.api_version, &list.kind))))
}

/// The first `most` objects, in pages.
async fn objects(api: &Api<DynamicObject>, most: u32) -> Result<Vec<DynamicObject>, kube::Error> {
    let mut found = Vec::new();
    let mut params = ListParams::default();
    loop {
        let wanted = (most as usize).saturating_sub(found.len());
        params.limit = Some(PAGE.min(u32::try_from(wanted).unwrap_or(PAGE)));
        let page = api.list(&params).await?;
        found.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) if found.len() < most as usize => params.continue_token = Some(token),
            _ => {
                found.truncate(most as usize);
                return Ok(found);
            }
        }
    }
}

fn named(objects: Vec<DynamicObject>, api_version: &str, kind: &str) -> Document {
    let members: Map<String, Value> = objects
        .into_iter()
        .map(|object| (object.metadata.name.clone().unwrap_or_default(), whole(object, api_version, kind)))
        .collect();
    Document::from_serde(&Value::Object(members))
}
