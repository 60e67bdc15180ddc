//! What there is of a kind: page by page, so that memory is bounded by a page, then change by change; within a budget
//! of requests, so that the API server has others to serve.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::discovery::{ResourceKind, Resources};
use crate::mirror::{Ended, Following, Heard, Selection};
use crate::namespaces::whole;
use crate::webhooks::Registered;
use crate::webhooks::atoms::{Atom, Verb};
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::Request;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use wayguard_engine::PolicySet;
use wayguard_engine::value::{Document, Value};

/// Objects asked for at once.
pub const PAGE: u32 = 500;
/// A list that became too old while it was read is begun anew this often.
const RESTARTS: u32 = 10;

/// A budget of requests: so many a second, and after a rest as many at once.
#[derive(Debug)]
pub struct Pace {
    between: Duration,
    burst: u32,
    /// When the next request is due if all before it were made as quickly as allowed.
    due: Mutex<Option<Instant>>,
}

impl Pace {
    /// `per_second` requests a second, `burst` at once after a rest; both at least one.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self {
            between: Duration::from_secs(1) / per_second.max(1),
            burst: burst.max(1),
            due: Mutex::default(),
        }
    }

    /// Waits for its turn.
    pub async fn turn(&self) {
        let wait = self.take(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    fn take(&self, now: Instant) -> Duration {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let rested = now.checked_sub(self.between * (self.burst - 1)).unwrap_or(now);
        let turn = due.unwrap_or(rested).max(rested);
        *due = Some(turn + self.between);
        turn.saturating_duration_since(now)
    }
}

/// The objects of one kind.
pub struct Listing {
    client: Client,
    kind: ResourceKind,
    pace: std::sync::Arc<Pace>,
}

/// Some objects of a list.
pub struct Page {
    /// The list as the API server sent it: its `items` name no kind.
    list: Document,
    /// Whether this is the first page of a list, which was begun anew perhaps.
    pub first: bool,
    /// What is left after this page, if the API server tells.
    pub remaining: u64,
}

impl Page {
    /// Its objects, without `apiVersion` and `kind`.
    pub fn items(&self) -> &[Value<'_>] {
        self.list.value().get("items").and_then(Value::as_array).unwrap_or_default()
    }

    fn metadata(&self, key: &str) -> String {
        self.list.value().get("metadata").unwrap_or_default().str_or_empty(key).to_owned()
    }
}

/// A list that is being read.
pub struct Pages<'l> {
    listing: &'l Listing,
    namespace: String,
    next: Option<String>,
    done: bool,
    restarts: u32,
    version: String,
}

/// A change of one object.
#[derive(Debug)]
pub enum Change {
    /// It is new, or has changed; whole.
    Set(Document),
    /// It is gone: namespace and name.
    Gone(String, String),
    /// Nothing of concern.
    Mark,
}

/// Why changes come no more.
#[derive(Debug)]
pub enum FollowEnd {
    /// Ask again from [`Follow::version`].
    InTime,
    /// List again.
    TooOld,
    /// Something is wrong; ask again from [`Follow::version`].
    Failed(ApiError),
}

/// Changes that are being read.
pub struct Follow {
    following: Following,
    api_version: String,
    kind: String,
    version: String,
}

impl Listing {
    /// The objects of a kind, asked for within a budget.
    pub fn new(client: &Client, kind: ResourceKind, pace: &std::sync::Arc<Pace>) -> Self {
        Self { client: client.clone(), kind, pace: std::sync::Arc::clone(pace) }
    }

    /// Which kind.
    pub fn kind(&self) -> &ResourceKind {
        &self.kind
    }

    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        self.kind.api_resource(self.version()).api_version
    }

    fn version(&self) -> &str {
        self.kind.versions.first().map(String::as_str).unwrap_or_default()
    }

    fn api(&self, namespace: &str) -> Api<DynamicObject> {
        let resource = self.kind.api_resource(self.version());
        if namespace.is_empty() {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), namespace, &resource)
        }
    }

    /// All objects, page by page; of one namespace, or (empty) of the cluster.
    pub fn pages(&self, namespace: &str) -> Pages<'_> {
        Pages {
            listing: self,
            namespace: namespace.to_owned(),
            next: None,
            done: false,
            restarts: 0,
            version: String::new(),
        }
    }

    /// What changes from a version on.
    ///
    /// # Errors
    /// [`ApiError::Expired`] if the version is too old, else what the API server says.
    pub async fn follow(&self, version: &str) -> Result<Follow, ApiError> {
        self.pace.turn().await;
        Ok(Follow {
            following: Following::open(&self.api(""), &Selection::default(), version).await?,
            api_version: self.api_version(),
            kind: self.kind.kind.clone(),
            version: version.to_owned(),
        })
    }
}

impl Pages<'_> {
    /// The next page; none after the last. A list that became too old on the way is begun anew: its first page says so.
    ///
    /// # Errors
    /// What the API server says.
    pub async fn next(&mut self) -> Result<Option<Page>, ApiError> {
        while !self.done {
            self.listing.pace.turn().await;
            let first = self.next.is_none();
            match self.read().await {
                Ok(list) => {
                    if list.value().get("metadata").is_none() {
                        return Err(ApiError::Unavailable(
                            "the API server's list has no metadata".to_owned(),
                        ));
                    }
                    let mut page = Page { list, first, remaining: 0 };
                    let metadata = page.list.value().get("metadata").unwrap_or_default();
                    let left = metadata.get("remainingItemCount").and_then(Value::as_int).unwrap_or(0);
                    page.remaining = u64::try_from(left).unwrap_or(0);
                    self.version = page.metadata("resourceVersion");
                    self.next = Some(page.metadata("continue")).filter(|token| !token.is_empty());
                    self.done = self.next.is_none();
                    return Ok(Some(page));
                }
                Err(ApiError::Expired(_)) if !first && self.restarts < RESTARTS => {
                    self.restarts += 1;
                    self.next = None;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The version that the whole list is of, once it has been read: for [`Listing::follow`].
    pub fn version(&self) -> &str {
        &self.version
    }

    async fn read(&self) -> Result<Document, ApiError> {
        let params =
            ListParams { limit: Some(PAGE), continue_token: self.next.clone(), ..ListParams::default() };
        let url = self.listing.api(&self.namespace).resource_url().to_owned();
        let request = Request::new(url).list(&params);
        let request =
            request.map_err(|error| ApiError::Invalid(format!("the list cannot be asked for: {error}")))?;
        // As text: the engine's own parser needs a tenth of the time and memory of a typed list.
        let text = within(REQUEST_LIMIT, self.listing.client.request_text(request)).await?;
        Document::from_json(text.as_bytes())
            .map_err(|error| ApiError::Unavailable(format!("the API server's list is not JSON: {error}")))
    }
}

impl Follow {
    /// The next change.
    ///
    /// # Errors
    /// Why there are no more.
    pub async fn next(&mut self) -> Result<Change, FollowEnd> {
        let heard = self.following.next().await.map_err(|end| match end {
            Ended::InTime => FollowEnd::InTime,
            Ended::TooOld => FollowEnd::TooOld,
            Ended::Failed(error) => FollowEnd::Failed(error),
        })?;
        Ok(match heard {
            Heard::Set(object) => {
                self.note(&object);
                Change::Set(Document::from_serde(&whole(*object, &self.api_version, &self.kind)))
            }
            Heard::Gone(object) => {
                self.note(&object);
                let metadata = object.metadata;
                Change::Gone(metadata.namespace.unwrap_or_default(), metadata.name.unwrap_or_default())
            }
            Heard::Mark(version) => {
                self.version = version;
                Change::Mark
            }
        })
    }

    fn note(&mut self, object: &DynamicObject) {
        if let Some(version) = &object.metadata.resource_version {
            self.version.clone_from(version);
        }
    }

    /// Up to where all changes were told.
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// Kinds whose objects are never listed, although policies may be about them, and why.
const NEVER_LISTED: [(&str, &str, &str); 10] = [
    ("", "secrets", "Secrets are never read; references to them are judged where they stand"),
    ("", "events", NOISE),
    ("events.k8s.io", "events", NOISE),
    ("", "endpoints", NOISE),
    ("discovery.k8s.io", "endpointslices", NOISE),
    ("coordination.k8s.io", "leases", NOISE),
    ("wgpolicyk8s.io", "policyreports", OWN),
    ("wgpolicyk8s.io", "clusterpolicyreports", OWN),
    ("openreports.io", "reports", OWN),
    ("openreports.io", "clusterreports", OWN),
];
const NOISE: &str = "they come and go by the thousand and are made by controllers";
const OWN: &str = "they are reports themselves";

/// The kinds that policies judge, and what is not looked at.
#[derive(Clone, Debug, Default)]
pub struct Concerns {
    /// Each kind that can be listed, with the names of the Policy objects that judge its new objects.
    pub kinds: Vec<(ResourceKind, BTreeSet<String>)>,
    /// Kinds that policies judge and that are not looked at: `plural.group`, and why.
    pub left_out: Vec<(String, String)>,
    /// Policies that judge no object that can be listed, by name, and why.
    pub idle: Vec<(String, String)>,
}

impl Concerns {
    /// Finds out what a set's policies are about in a cluster.
    pub fn of(set: &PolicySet, resources: &Resources) -> Self {
        let mut kinds: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
        let mut concerns = Self::default();
        let mut named_only: BTreeSet<(String, String)> = BTreeSet::new();
        for policy in Registered::of(set).iter().filter(|policy| policy.validates) {
            let atoms = policy.atoms(resources);
            let mut any = false;
            let created = |atom: &&Atom| atom.verb == Verb::Create && !atom.resource.contains('/');
            for atom in atoms.iter().filter(created) {
                let fits = |kind: &&ResourceKind| {
                    (atom.group == "*" || atom.group == kind.group)
                        && (atom.resource == "*" || atom.resource == kind.plural)
                };
                let mut found = false;
                for kind in resources.kinds.iter().filter(fits) {
                    (any, found) = (true, true);
                    kinds.entry((&kind.group, &kind.plural)).or_default().insert(policy.name.clone());
                }
                if !found {
                    named_only.insert((atom.group.clone(), atom.resource.clone()));
                }
            }
            if !any {
                let why = if atoms.iter().any(|atom| atom.verb == Verb::Create) {
                    "the cluster has none of the kinds that it judges"
                } else {
                    "it judges changes and connections, not new objects"
                };
                concerns.idle.push((policy.name.clone(), why.to_owned()));
            }
        }
        for ((group, plural), policies) in kinds {
            let name = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
            let Some(kind) = resources.of_plural(group, plural) else { continue };
            let never = NEVER_LISTED.iter().find(|(known, other, _)| (*known, *other) == (group, plural));
            if let Some((_, _, why)) = never {
                concerns.left_out.push((name, (*why).to_owned()));
            } else if kind.verbs.contains("list") && kind.verbs.contains("watch") {
                concerns.kinds.push((kind.clone(), policies));
            } else {
                concerns.left_out.push((name, "its objects cannot be listed".to_owned()));
            }
        }
        concerns
    }
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
