//! The Secret that all replicas share: read and followed by replicas, read and written by `control`.
//!
//! What is in it and what comes next is `wayguard-certs`' business; here is only how it gets there and back.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::mirror::{Mirror, Selection, Task};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tracing::{debug, warn};
use wayguard_certs::{
    AuthoritySecret, CaBundle, LONGEST_PAUSE, Renewal, SecretData, ServingCertificate, ServingNames,
};

/// The Secret's default name.
pub const AUTHORITY_SECRET: &str = "wayguard-ca";

/// After a failed renewal.
const RETRY: Duration = Duration::from_secs(10);

/// Where the Secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPlace {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl SecretPlace {
    fn api(&self, client: &Client) -> Api<Secret> {
        Api::namespaced(client.clone(), &self.namespace)
    }

    /// The Secret as it is now; `None` if there is none.
    pub(crate) async fn read(&self, client: &Client) -> Result<Option<Secret>, ApiError> {
        within(REQUEST_LIMIT, self.api(client).get_opt(&self.name)).await
    }

    /// Replaces the data of a Secret that was read, unless somebody else did.
    pub(crate) async fn write(
        &self,
        client: &Client,
        read: Secret,
        data: SecretData,
    ) -> Result<(), ApiError> {
        let data = data.into_iter().map(|(key, value)| (key, ByteString(value))).collect();
        let secret = Secret { data: Some(data), ..read };
        within(REQUEST_LIMIT, self.api(client).replace(&self.name, &PostParams::default(), &secret))
            .await
            .map(drop)
    }
}

/// A Secret's data.
pub(crate) fn data(secret: &Secret) -> SecretData {
    secret.data.iter().flatten().map(|(key, value)| (key.clone(), value.0.clone())).collect()
}

/// Keeps one replica's certificate signed by the shared authority: a new leaf when the Secret changes, and when the
/// one in place is due. Ends when dropped; what is served then stays.
pub struct AuthorityFollower {
    secret: Arc<Mirror<Arc<SecretData>>>,
    place: SecretPlace,
    _task: Task,
}

impl AuthorityFollower {
    /// Starts following. Until the first leaf has been signed `serving` stays empty, and so not ready.
    pub fn start(
        client: &Client,
        place: &SecretPlace,
        names: ServingNames,
        serving: Arc<ServingCertificate>,
    ) -> Self {
        let kind = ApiResource::erase::<Secret>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &place.namespace, &kind);
        // By name: the role allows only this Secret, and a watch by name needs no more.
        let selection =
            Selection { fields: Some(format!("metadata.name={}", place.name)), labels: None, page: None };
        let secret = Arc::new(Mirror::start(api, selection, |object| {
            let secret: Secret = object.try_parse().ok()?;
            Some(Arc::new(data(&secret)))
        }));
        let follower = follow(Arc::clone(&secret), place.clone(), names, serving);
        Self { secret, place: place.clone(), _task: Task(tokio::spawn(follower)) }
    }

    /// Tells the CAs of the Secret as they are when it is asked; none while the Secret holds none.
    pub fn bundle(&self) -> Arc<dyn Fn() -> CaBundle + Send + Sync> {
        let (secret, place) = (Arc::clone(&self.secret), self.place.clone());
        Arc::new(move || {
            let data = secret.get(&place.namespace, &place.name);
            data.and_then(|data| AuthoritySecret::from_data(&data).ok())
                .map(|it| it.bundle())
                .unwrap_or_default()
        })
    }

    /// What keeps the Secret from being followed, in words.
    pub fn problem(&self) -> Option<String> {
        self.secret.problem().map(|problem| problem.to_string())
    }

    /// Time since the API server was last heard of.
    pub fn staleness(&self) -> Option<Duration> {
        self.secret.staleness()
    }
}

async fn follow(
    secret: Arc<Mirror<Arc<SecretData>>>,
    place: SecretPlace,
    names: ServingNames,
    serving: Arc<ServingCertificate>,
) {
    let mut changes = secret.changes();
    loop {
        let now = SystemTime::now();
        let again = match secret.get(&place.namespace, &place.name) {
            // `control` fills it.
            None => RETRY,
            Some(data) => renew(&data, &names, &serving, now),
        };
        // A change, or the time that was asked for, or the longest pause: clocks get corrected.
        let _ = tokio::time::timeout(again.min(LONGEST_PAUSE), changes.changed()).await;
    }
}

/// Renews the leaf if need be; when to look again.
fn renew(data: &SecretData, names: &ServingNames, serving: &ServingCertificate, now: SystemTime) -> Duration {
    let authority = match AuthoritySecret::from_data(data) {
        Ok(AuthoritySecret { active: Some(authority), .. }) => authority,
        // A lost authority is being replaced in order; the old leaf serves on meanwhile.
        Ok(AuthoritySecret { active: None, .. }) => return RETRY,
        Err(problem) => {
            debug!(%problem, "no authority to sign with yet");
            return RETRY;
        }
    };
    match serving.renew_from(&authority, names, now) {
        Ok(Renewal::Kept { due }) => due.duration_since(now).unwrap_or(RETRY),
        Ok(Renewal::Renewed { .. }) => Duration::ZERO,
        Err(problem) => {
            warn!(%problem, "the serving certificate was not renewed; the old one stays");
            RETRY
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::{client, eventually};
    use serde_json::json;
    use wayguard_certs::{Observed, carry_out, next_step};

    /// The data of a Secret with an active authority, as `control` would write it.
    fn filled() -> SecretData {
        let step = next_step(None, SystemTime::now(), &Observed::default());
        carry_out(&step, None, SystemTime::now()).unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_leaf_is_signed_when_the_secret_has_an_authority_and_not_before() {
        let filled = filled();
        let object = |data: Option<&SecretData>, version: &str| {
            let data: Option<std::collections::BTreeMap<_, _>> = data.map(|data| {
                data.iter().map(|(key, value)| (key.clone(), ByteString(value.clone()))).collect()
            });
            json!({"metadata": {"name": "wayguard-ca", "namespace": "own", "resourceVersion": version}, "data": data})
        };
        let (empty, full) = (object(None, "1"), object(Some(&filled), "2"));
        let (client, log) = client(move |line, _| match line {
            line if line.contains("watch=true") && line.contains("resourceVersion=1") => {
                (200, format!("{}\n", json!({"type": "MODIFIED", "object": full})))
            }
            line if line.contains("watch=true") => (200, String::new()),
            _ => (200, json!({"metadata": {"resourceVersion": "1"}, "items": [empty]}).to_string()),
        });
        let serving = ServingCertificate::empty();
        let place = SecretPlace { namespace: "own".into(), name: "wayguard-ca".into() };
        let names = ServingNames::for_service("wayguard", "own").unwrap();
        let _follower = AuthorityFollower::start(&client, &place, names, Arc::clone(&serving));
        eventually("a leaf is served", || serving.current().is_some()).await;
        let active = AuthoritySecret::from_data(&filled).unwrap().active.unwrap();
        assert_eq!(serving.current().unwrap().authority(), Some(active.fingerprint()));
        let asked = log.lock().unwrap();
        assert!(
            asked.iter().all(|line| line.contains("fieldSelector=metadata.name%3Dwayguard-ca")),
            "{asked:?}"
        );
    }
}
