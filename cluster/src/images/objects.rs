//! `ImageAuthority` and `TrustRoot` objects as the API server has them: for replicas, who judge by them, and for
//! `control`, who writes their statuses.

use crate::client::{ApiError, Client};
use crate::kinds::{ImageAuthority, TrustRoot};
use crate::mirror::{Mirror, Selection, Task, forward};
use crate::policies::object::Object;
use kube::api::{Api, ApiResource, DynamicObject};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Notify;
use wayguard_images::authority::ImageAuthoritySpec;
use wayguard_images::trust::{TextReference, TrustRootSpec};

/// An `ImageAuthority` as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    pub(crate) object: Object<ImageAuthoritySpec>,
    /// Of which images it speaks, also where the rest of it cannot be read.
    pub(crate) images: Vec<String>,
}

impl Authority {
    pub(super) fn read(object: DynamicObject) -> Self {
        let listed = object.data.pointer("/spec/images").and_then(Value::as_array);
        let images =
            listed.into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect();
        Self { object: Object::read(object), images }
    }
}

/// A `TrustRoot` as it was read.
pub(crate) type Root = Object<TrustRootSpec>;

/// Both kinds, watched.
pub(crate) struct TrustObjects {
    authorities: Mirror<Arc<Authority>>,
    roots: Mirror<Arc<Root>>,
}

/// All objects of both kinds, as an API server lists them.
pub(super) fn apis(client: &Client) -> (Api<DynamicObject>, Api<DynamicObject>) {
    (
        Api::all_with(client.clone(), &ApiResource::erase::<ImageAuthority>(&())),
        Api::all_with(client.clone(), &ApiResource::erase::<TrustRoot>(&())),
    )
}

impl TrustObjects {
    pub(crate) fn start(client: &Client) -> Self {
        let (authorities, roots) = apis(client);
        Self {
            authorities: Mirror::start(authorities, Selection::default(), |object| {
                Some(Arc::new(Authority::read(object)))
            }),
            roots: Mirror::start(roots, Selection::default(), |object| Some(Arc::new(Object::read(object)))),
        }
    }

    pub(crate) fn authorities(&self) -> Vec<Arc<Authority>> {
        self.authorities.all().into_values().collect()
    }

    pub(crate) fn roots(&self) -> Vec<Arc<Root>> {
        self.roots.all().into_values().collect()
    }

    pub(crate) async fn wait_synced(&self) {
        self.authorities.wait_synced().await;
        self.roots.wait_synced().await;
    }

    pub(crate) fn problem(&self) -> Option<ApiError> {
        self.authorities.problem().or_else(|| self.roots.problem())
    }

    /// Tells of every change.
    pub(crate) fn forward(&self, to: &Arc<Notify>) -> [Task; 2] {
        [forward(self.authorities.changes(), to), forward(self.roots.changes(), to)]
    }
}

/// The ConfigMaps and Secrets that the objects name.
pub(super) fn texts(authorities: &[Arc<Authority>], roots: &[Arc<Root>]) -> BTreeSet<TextReference> {
    let of_keys =
        authorities.iter().filter_map(|it| it.object.spec.as_ref().ok()).flat_map(ImageAuthoritySpec::texts);
    let of_roots = roots.iter().filter_map(|it| it.spec.as_ref().ok()?.text());
    of_keys.chain(of_roots).collect()
}
