//! Logins for registries, by the namespace of the Pod whose image is asked for: nobody is answered by what another may
//! see.
//!
//! | whose | used for |
//! |---|---|
//! | pull secrets of a tenant, where a Role in that namespace grants our account `get` of that name | images of that namespace |
//! | Secrets of the suite's own namespace | namespaces that the operator has named; all, where none is named |
//!
//! Which names are granted is asked of the API server (`SelfSubjectRulesReview`), so that nothing is tried that was not
//! offered. A rule without `resourceNames` offers nothing: it was hardly meant for us.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::mirror::{Mirror, Selection, Task};
use futures::FutureExt as _;
use k8s_openapi::api::authorization::v1::{SelfSubjectRulesReview, SelfSubjectRulesReviewSpec};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use moka::Expiry;
use moka::future::Cache;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::warn;
use wayguard_images::registry::credentials::Keyring;

/// What a namespace grants is asked again after this, and so are the Secrets.
const FRESH: Duration = Duration::from_secs(30);
/// And after this, where the API server did not answer.
const FAILED: Duration = Duration::from_secs(5);
/// Namespaces that are remembered.
const NAMESPACES: u64 = 4096;
/// Secrets of one namespace that are read.
const MOST_SECRETS: usize = 16;
/// The type of Secrets that hold logins, and the key in them.
const KIND: &str = "kubernetes.io/dockerconfigjson";
const KEY: &str = ".dockerconfigjson";

/// A Secret of the suite's own namespace with logins, and for which namespaces they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSecret {
    /// Its name.
    pub name: String,
    /// Names of namespaces, or beginnings of names with `*` at the end; empty: all namespaces.
    pub namespaces: Vec<String>,
}

impl FromStr for LoginSecret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, listed) = text.split_once('=').map_or((text, None), |(name, listed)| (name, Some(listed)));
        let namespaces: Vec<String> =
            listed.into_iter().flat_map(|list| list.split(',')).map(|it| it.trim().to_owned()).collect();
        let stars = |name: &String| name.trim_end_matches('*').contains('*') || name.ends_with("**");
        if name.is_empty() || namespaces.iter().any(|name| name.is_empty() || stars(name)) {
            return Err("expected NAME or NAME=NAMESPACE,…, such as `harbor=team-a,shop-*`".to_owned());
        }
        Ok(Self { name: name.to_owned(), namespaces })
    }
}

impl fmt::Display for LoginSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)?;
        if !self.namespaces.is_empty() {
            write!(out, "={}", self.namespaces.join(","))?;
        }
        Ok(())
    }
}

impl LoginSecret {
    fn is_for(&self, namespace: &str) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => namespace.starts_with(beginning),
            None => pattern == namespace,
        };
        self.namespaces.is_empty() || self.namespaces.iter().any(fits)
    }
}

/// All logins.
pub struct Logins {
    client: Client,
    own_namespace: String,
    everywhere: Keyring,
    own: Vec<(LoginSecret, Arc<Mirror<Arc<Keyring>>>)>,
    made: Cache<String, Made>,
    _tasks: Vec<Task>,
}

/// The logins for one namespace.
#[derive(Clone)]
struct Made {
    keyring: Arc<Keyring>,
    /// The API server has said all.
    whole: bool,
}

struct Lifetime;

impl Expiry<String, Made> for Lifetime {
    fn expire_after_create(&self, _: &String, made: &Made, _: Instant) -> Option<Duration> {
        Some(if made.whole { FRESH } else { FAILED })
    }
}

impl Logins {
    /// Follows the Secrets of the suite's own namespace; `everywhere` is used for all namespaces.
    pub fn start(
        client: &Client,
        own_namespace: &str,
        secrets: Vec<LoginSecret>,
        everywhere: Keyring,
    ) -> Self {
        let made = Cache::builder().max_capacity(NAMESPACES).expire_after(Lifetime).build();
        let kind = ApiResource::erase::<Secret>(&());
        let (mut own, mut tasks) = (Vec::new(), Vec::new());
        for secret in secrets {
            let api = Api::namespaced_with(client.clone(), own_namespace, &kind);
            let selection = Selection {
                fields: Some(format!("metadata.name={}", secret.name)),
                labels: None,
                page: None,
            };
            let mirror = Arc::new(Mirror::start(api, selection, |object| read(object).map(Arc::new)));
            tasks.push(Task(tokio::spawn(forget(Arc::clone(&mirror), secret.name.clone(), made.clone()))));
            own.push((secret, mirror));
        }
        let own_namespace = own_namespace.to_owned();
        Self { client: client.clone(), own_namespace, everywhere, own, made, _tasks: tasks }
    }

    /// The logins for a namespace, if they are known.
    pub fn at_hand(&self, namespace: &str) -> Option<Arc<Keyring>> {
        self.made.get(namespace).now_or_never().flatten().map(|made| made.keyring)
    }

    /// The logins for a namespace (empty: of an object that is in none). An API server that does not answer leaves
    /// those of tenants out.
    pub async fn of(&self, namespace: &str) -> Arc<Keyring> {
        self.made.get_with(namespace.to_owned(), self.make(namespace)).await.keyring
    }

    async fn make(&self, namespace: &str) -> Made {
        let mut keyring = Keyring::new();
        let mut whole = true;
        // What our own namespace grants us is ours, and for whom that is stands above.
        if !namespace.is_empty() && namespace != self.own_namespace {
            match self.tenants(namespace).await {
                Ok(theirs) => keyring.join(&theirs),
                Err(problem) => {
                    warn!(namespace, %problem, "which pull secrets it grants is not known");
                    whole = false;
                }
            }
        }
        for (secret, mirror) in self.own.iter().filter(|(secret, _)| secret.is_for(namespace)) {
            whole &= mirror.synced();
            if let Some(ours) = mirror.get(&self.own_namespace, &secret.name) {
                keyring.join(&ours);
            }
        }
        keyring.join(&self.everywhere);
        Made { keyring: Arc::new(keyring), whole }
    }

    async fn tenants(&self, namespace: &str) -> Result<Keyring, ApiError> {
        let mut keyring = Keyring::new();
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &ApiResource::erase::<Secret>(&()));
        for name in self.granted(namespace).await?.into_iter().take(MOST_SECRETS) {
            match within(REQUEST_LIMIT, api.get_opt(&name)).await {
                Ok(object) => keyring.join(&object.and_then(read).unwrap_or_default()),
                // Taken back a moment ago.
                Err(ApiError::Forbidden(_)) => {}
                Err(problem) => return Err(problem),
            }
        }
        Ok(keyring)
    }

    /// The names of Secrets that rules of the namespace let us get.
    async fn granted(&self, namespace: &str) -> Result<BTreeSet<String>, ApiError> {
        let spec = SelfSubjectRulesReviewSpec { namespace: Some(namespace.to_owned()) };
        let review = SelfSubjectRulesReview { spec, ..SelfSubjectRulesReview::default() };
        let api: Api<SelfSubjectRulesReview> = Api::all(self.client.clone());
        let answer = within(REQUEST_LIMIT, api.create(&PostParams::default(), &review)).await?;
        let rules = answer.status.map(|status| status.resource_rules).unwrap_or_default();
        let has = |list: &Option<Vec<String>>, wanted: &str| {
            list.iter().flatten().any(|it| it == wanted || it == "*")
        };
        let of_secrets = rules.into_iter().filter(|rule| {
            rule.verbs.iter().any(|verb| verb == "get" || verb == "*")
                && has(&rule.api_groups, "")
                && has(&rule.resources, "secrets")
        });
        Ok(of_secrets.flat_map(|rule| rule.resource_names.unwrap_or_default()).collect())
    }
}

/// Forgets what was made of a Secret when it changes, and says what is wrong with it.
async fn forget(mirror: Arc<Mirror<Arc<Keyring>>>, name: String, made: Cache<String, Made>) {
    let mut changes = mirror.changes();
    while changes.changed().await.is_ok() {
        made.invalidate_all();
        if mirror.synced() && mirror.all().is_empty() {
            warn!(
                secret = name,
                "there is no such Secret with logins (`{KIND}`) in the suite's own namespace"
            );
        }
    }
}

/// The logins in a Secret; none, if it is of another type or cannot be read.
fn read(object: DynamicObject) -> Option<Keyring> {
    let secret: Secret = object.try_parse().ok()?;
    let data = secret.data?.remove(KEY).filter(|_| secret.type_.as_deref() == Some(KIND))?;
    let mut keyring = Keyring::new();
    if let Err(problem) = keyring.add(&data.0) {
        let (namespace, name) = (secret.metadata.namespace, secret.metadata.name);
        warn!(namespace, name, %problem, "a Secret with logins cannot be read");
        return None;
    }
    Some(keyring)
}

#[cfg(test)]
#[path = "logins_tests.rs"]
mod tests;
