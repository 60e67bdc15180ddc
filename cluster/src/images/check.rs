//! `ImageAuthority` and `TrustRoot` looked at once: all that a cluster has, for commands, and one that is being applied,
//! before it is stored.

use super::compile::{Memory, Trusted, compile};
use super::objects::{Authority, apis, texts};
use super::texts::ask;
use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::policies::object::Object;
use kube::api::{Api, DynamicObject, ListParams};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use wayguard_images::authority::{ImageAuthority, ImageAuthoritySpec, Roots};
use wayguard_images::trust::{TrustRoot, TrustRootSpec};

/// What a cluster says now, as its replicas read it.
///
/// # Errors
/// If the API server does not list both kinds. ConfigMaps and Secrets that cannot be read are told in [`Trusted`].
pub async fn read(client: &Client, own_namespace: &str) -> Result<Trusted, ApiError> {
    let (authorities, roots) = apis(client);
    let (authorities, roots) = futures::future::try_join(all(&authorities), all(&roots)).await?;
    let authorities: Vec<_> = authorities.into_iter().map(|it| Arc::new(Authority::read(it))).collect();
    let roots: Vec<_> = roots.into_iter().map(|it| Arc::new(Object::read(it))).collect();
    let texts = ask(client, own_namespace, texts(&authorities, &roots)).await;
    Ok(compile(&authorities, &roots, &texts, &mut Memory::default()))
}

async fn all(api: &Api<DynamicObject>) -> Result<Vec<DynamicObject>, ApiError> {
    Ok(within(REQUEST_LIMIT, api.list(&ListParams::default())).await?.items)
}

/// Whether an object that is being applied can be used: what is wrong with it, in words with the place and what would
/// work. `None`: this is no kind that is judged here. What it names is asked of the API server now, not of a watch that
/// may not have heard yet of the object applied a moment before.
pub async fn check(
    client: &Client,
    own_namespace: &str,
    kind: &str,
    name: &str,
    spec: Value,
) -> Option<Result<(), String>> {
    Some(match kind {
        "ImageAuthority" => authority(client, own_namespace, name, spec).await,
        "TrustRoot" => root(client, own_namespace, name, spec).await,
        _ => return None,
    })
}

async fn authority(client: &Client, own_namespace: &str, name: &str, spec: Value) -> Result<(), String> {
    let spec: ImageAuthoritySpec = typed("ImageAuthority", name, spec)?;
    let mut roots = Roots::default();
    for wanted in spec.roots() {
        let api = apis(client).1;
        let found = within(REQUEST_LIMIT, api.get_opt(wanted)).await;
        let found =
            found.map_err(|problem| format!("ImageAuthority `{name}`: trust root `{wanted}`: {problem}"))?;
        let Some(found) = found else { continue };
        let root: Object<TrustRootSpec> = Object::read(found);
        // One that cannot be read says so in its own status; here it is one that is not there.
        let Ok(root) = root.spec else { continue };
        let texts = ask(client, own_namespace, root.text().into_iter().collect()).await;
        roots.put(wanted, TrustRoot::from_spec(wanted, &root, &texts));
    }
    let texts = ask(client, own_namespace, spec.texts().collect()).await;
    let compiled = ImageAuthority::compile(name, &spec, &roots, &texts);
    compiled.map(drop).map_err(|problem| format!("ImageAuthority `{name}`: {problem}"))
}

async fn root(client: &Client, own_namespace: &str, name: &str, spec: Value) -> Result<(), String> {
    let spec: TrustRootSpec = typed("TrustRoot", name, spec)?;
    let texts = ask(client, own_namespace, spec.text().into_iter().collect()).await;
    let read = TrustRoot::from_spec(name, &spec, &texts);
    read.map(drop).map_err(|problem| format!("TrustRoot `{name}`: {problem}"))
}

/// A spec by its type.
pub(crate) fn typed<T: DeserializeOwned>(kind: &str, name: &str, spec: Value) -> Result<T, String> {
    if spec.is_null() {
        return Err(format!("{kind} `{name}`: `spec` is missing"));
    }
    serde_json::from_value(spec).map_err(|error| format!("{kind} `{name}`: spec: {error}"))
}
