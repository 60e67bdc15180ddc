//! What the controller sees: claims, classes, approvals, budgets, namespaces, and everything that was made, by watches.

use crate::catalog::Catalog;
use crate::limits::{OBJECT_LABEL, TRIGGER_LABEL};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tracing::{info, warn};
use wayguard_cluster::kinds::provisioning::ClaimClassSpec;
use wayguard_cluster::watched::Watched;
use wayguard_cluster::{ApiError, Client, Resources};
use wayguard_engine::policy::library::Library;

/// Kinds come with their operators; how old an answer about them may be.
const DISCOVER_AFTER: Duration = Duration::from_secs(10);
/// Our own kinds.
const OURS: &str = "wayguard.io/v1alpha1";

/// All watches.
pub(super) struct View {
    client: Client,
    library: Arc<Library>,
    changed: Arc<Notify>,
    claims: Watched,
    classes: Watched,
    approvals: Watched,
    budgets: Watched,
    namespaces: Watched,
    /// By `group/Kind`.
    made: BTreeMap<String, Watched>,
    catalog: Arc<Catalog>,
    /// The versions of the classes that the catalog was loaded from.
    loaded: Option<BTreeMap<String, String>>,
    resources: Option<(Instant, Arc<Resources>)>,
    capabilities: Arc<BTreeSet<String>>,
    /// Counts changes of catalog and capabilities: everything is looked at anew.
    epoch: u64,
}

/// Everything at one time.
#[derive(Clone)]
pub(super) struct Snapshot {
    pub(super) claims: Vec<Arc<Value>>,
    pub(super) classes: Vec<Arc<Value>>,
    pub(super) budgets: Vec<Arc<Value>>,
    pub(super) namespaces: BTreeMap<String, Arc<Value>>,
    /// By namespace.
    pub(super) approvals: BTreeMap<String, Vec<Arc<Value>>>,
    /// By the trigger's uid, and the namespace that it is in: see [`Snapshot::made_for`].
    pub(super) made: Made,
    pub(super) catalog: Arc<Catalog>,
    pub(super) capabilities: Arc<BTreeSet<String>>,
    /// Kinds (`group/Kind`) whose objects cannot be seen now.
    pub(super) blind: BTreeMap<String, Blind>,
    pub(super) epoch: u64,
}

/// What was made, by uid of a trigger and by namespace.
pub(super) type Made = BTreeMap<(String, String), Vec<Arc<Value>>>;

impl Snapshot {
    /// What was made for a claim or Namespace. Its label says so, which anybody may write on an object of their own: what
    /// is in another namespace than the trigger's was never made for it.
    pub(super) fn made_for(&self, trigger: &Value) -> &[Arc<Value>] {
        let text = |pointer: &str| trigger.pointer(pointer).and_then(Value::as_str);
        let namespace = text("/metadata/namespace").or_else(|| text("/metadata/name")).unwrap_or_default();
        let uid = text("/metadata/uid").unwrap_or_default();
        self.made.get(&(uid.to_owned(), namespace.to_owned())).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Why objects of a kind cannot be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blind {
    /// One word; `None`: they are being listed, which passes.
    pub(super) reason: Option<&'static str>,
    /// In words.
    pub(super) why: String,
}

impl View {
    pub(super) fn start(client: &Client, library: Arc<Library>, changed: &Arc<Notify>) -> Self {
        let watch = |version: &str, kind: &str| Watched::start(client, version, kind, None, changed);
        Self {
            client: client.clone(),
            library,
            changed: Arc::clone(changed),
            claims: watch(OURS, "PlatformClaim"),
            classes: watch(OURS, "ClaimClass"),
            approvals: watch(OURS, "ClaimApproval"),
            budgets: watch(OURS, "TeamBudget"),
            namespaces: watch("v1", "Namespace"),
            made: BTreeMap::new(),
            catalog: Arc::default(),
            loaded: None,
            resources: None,
            capabilities: Arc::default(),
            epoch: 0,
        }
    }

    /// Everything as it is known now; `None` as long as not everything is known.
    ///
    /// # Errors
    /// When the API server cannot be asked which kinds it has.
    pub(super) async fn look(&mut self) -> Result<Option<Snapshot>, ApiError> {
        for (what, watched) in [
            ("platformclaims", &self.claims),
            ("claimclasses", &self.classes),
            ("claimapprovals", &self.approvals),
            ("teambudgets", &self.budgets),
            ("namespaces", &self.namespaces),
        ] {
            if !watched.synced() {
                if let Some(problem) = watched.problem() {
                    warn!(what, problem, "cannot watch");
                }
                return Ok(None);
            }
        }
        let classes = self.classes.all();
        self.load(&classes);
        self.discover().await?;
        let blind = self.follow();
        let mut made = Made::new();
        for ((namespace, _), object) in self.made.values().flat_map(wayguard_cluster::watched::Watched::all) {
            if let Some(uid) = label(&object, TRIGGER_LABEL) {
                made.entry((uid.to_owned(), namespace)).or_default().push(object);
            }
        }
        let mut approvals: BTreeMap<String, Vec<Arc<Value>>> = BTreeMap::new();
        for ((namespace, _), object) in self.approvals.all() {
            approvals.entry(namespace).or_default().push(object);
        }
        let namespaces = self.namespaces.all();
        Ok(Some(Snapshot {
            claims: self.claims.all().into_values().collect(),
            classes: classes.into_values().collect(),
            budgets: self.budgets.all().into_values().collect(),
            namespaces: namespaces.into_iter().map(|((_, name), object)| (name, object)).collect(),
            approvals,
            made,
            catalog: Arc::clone(&self.catalog),
            capabilities: Arc::clone(&self.capabilities),
            blind,
            epoch: self.epoch,
        }))
    }

    /// Loads the classes again if one of them is another.
    fn load(&mut self, classes: &BTreeMap<(String, String), Arc<Value>>) {
        let version = |object: &Value| {
            // Not the resource version: a status is written by us.
            let generation =
                object.pointer("/metadata/generation").map(ToString::to_string).unwrap_or_default();
            let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
            format!("{uid}/{generation}")
        };
        let versions: BTreeMap<_, _> =
            classes.iter().map(|((_, name), object)| (name.clone(), version(object))).collect();
        if self.loaded.as_ref() == Some(&versions) {
            return;
        }
        let specs = classes.iter().filter_map(|((_, name), object)| {
            let spec = object.get("spec").cloned().unwrap_or_default();
            // What the API server has taken can be read; what an older release took may not.
            let spec: ClaimClassSpec = serde_json::from_value(spec)
                .map_err(|problem| warn!(class = name, %problem, "a class cannot be read"))
                .ok()?;
            Some((name.clone(), spec))
        });
        self.catalog = Arc::new(Catalog::load(specs, &self.library));
        for problem in self.catalog.problems() {
            warn!(class = problem.class, problems = ?problem.problems, "a class cannot be used");
        }
        info!(classes = self.catalog.classes().len(), "classes loaded");
        self.loaded = Some(versions);
        self.resources = None;
        self.epoch += 1;
    }

    /// Asks which kinds there are, unless it is known.
    async fn discover(&mut self) -> Result<(), ApiError> {
        if self.resources.as_ref().is_some_and(|(at, _)| at.elapsed() < DISCOVER_AFTER) {
            return Ok(());
        }
        let resources = Arc::new(Resources::discover(&self.client).await?);
        let all: BTreeSet<String> = resources
            .kinds
            .iter()
            .flat_map(|kind| {
                kind.versions.iter().map(move |version| {
                    let group =
                        if kind.group.is_empty() { String::new() } else { format!("{}/", kind.group) };
                    format!("{group}{version}/{}", kind.kind)
                })
            })
            .collect();
        if *self.capabilities != all {
            self.capabilities = Arc::new(all);
            self.epoch += 1;
        }
        self.resources = Some((Instant::now(), resources));
        Ok(())
    }

    /// Watches what the classes may make; the kinds that cannot be seen.
    fn follow(&mut self) -> BTreeMap<String, Blind> {
        let wanted = self.catalog.kinds();
        let mut blind = BTreeMap::new();
        let Some((_, resources)) = &self.resources else { return blind };
        for name in &wanted {
            let (group, kind) = name.split_once('/').unwrap_or(("", name));
            let served = resources.kinds.iter().find(|it| it.group == group && it.kind == kind);
            let Some(version) = served.and_then(|it| it.versions.first()) else {
                self.made.remove(name);
                let why = format!("the cluster has no kind `{name}`; install what brings it");
                blind.insert(name.clone(), Blind { reason: Some("KindMissing"), why });
                continue;
            };
            if !self.made.contains_key(name) {
                let version = if group.is_empty() { version.clone() } else { format!("{group}/{version}") };
                let watched =
                    Watched::start(&self.client, &version, kind, Some(TRIGGER_LABEL), &self.changed);
                self.made.insert(name.clone(), watched);
            }
            if let Some(watched) = self.made.get(name).filter(|watched| !watched.synced()) {
                let problem = watched.problem();
                let reason = problem.as_ref().map(|_| "CannotWatch");
                let why = problem.unwrap_or_else(|| "its objects are being listed".to_owned());
                blind.insert(
                    name.clone(),
                    Blind { reason, why: format!("`{name}` cannot be watched: {why}") },
                );
            }
        }
        self.made.retain(|name, _| wanted.contains(name));
        blind
    }
}

/// A label's value.
pub(super) fn label<'o>(object: &'o Value, name: &str) -> Option<&'o str> {
    object.get("metadata")?.get("labels")?.get(name)?.as_str()
}

/// What was made for a trigger, by the class's ids.
pub(super) fn by_id(made: &[Arc<Value>]) -> BTreeMap<String, Arc<Value>> {
    made.iter()
        .filter_map(|object| Some((label(object, OBJECT_LABEL)?.to_owned(), Arc::clone(object))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn child(namespace: &str, name: &str) -> Arc<Value> {
        let labels = json!({TRIGGER_LABEL: "u1", OBJECT_LABEL: "cluster"});
        Arc::new(
            json!({"kind": "Cluster", "metadata": {"namespace": namespace, "name": name, "labels": labels}}),
        )
    }

    #[test]
    fn what_another_namespace_says_was_made_for_a_claim_was_not() {
        let of = |namespace: &str, name: &str| {
            (("u1".to_owned(), namespace.to_owned()), vec![child(namespace, name)])
        };
        let snapshot = Snapshot {
            claims: Vec::new(),
            classes: Vec::new(),
            budgets: Vec::new(),
            namespaces: BTreeMap::new(),
            approvals: BTreeMap::new(),
            made: [of("team-a", "database"), of("team-b", "forged"), of("shop", "quota")].into(),
            catalog: Arc::default(),
            capabilities: Arc::default(),
            blind: BTreeMap::new(),
            epoch: 0,
        };
        let names = |trigger: Value| -> Vec<String> {
            let all = snapshot.made_for(&trigger).iter();
            all.map(|it| it["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let claim = json!({"kind": "PlatformClaim", "metadata": {"uid": "u1", "name": "database", "namespace": "team-a"}});
        assert_eq!(names(claim), ["database"]);
        assert_eq!(names(json!({"kind": "Namespace", "metadata": {"uid": "u1", "name": "shop"}})), ["quota"]);
        assert!(names(json!({"kind": "Namespace", "metadata": {"uid": "u2", "name": "shop"}})).is_empty());
    }
}
