//! Claims and approvals as they are applied: what will not be served is refused at once, with what would be, instead of being
//! found in a status.
//!
//! The controller decides again, and last. What only it can know (what is there already, the budget) is not asked here.

use crate::Catalog;
use crate::consent;
use crate::offered::read;
use crate::plan::{Asked, PlanError, Trigger, plan};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wayguard_cluster::objects::{self, Target};
use wayguard_cluster::{Client, access};
use wayguard_engine::facts::AccessQuestion;
use wayguard_engine::policy::library::Library;

/// The API server waits five seconds for all of it.
const ANSWER_LIMIT: Duration = Duration::from_secs(4);
const API_VERSION: &str = "wayguard.io/v1alpha1";

/// Judges claims and approvals of a cluster.
pub struct Judge {
    client: Client,
    library: Arc<Library>,
    /// The classes that were compiled last, by what they were compiled from.
    known: Mutex<Option<(String, Arc<Catalog>)>>,
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Judge").finish_non_exhaustive()
    }
}

impl Judge {
    /// With the packages of this library.
    pub fn new(client: Client, library: Arc<Library>) -> Self {
        Self { client, library, known: Mutex::default() }
    }

    /// Whether a `PlatformClaim` or `ClaimApproval` may be, or what is wrong with it. `None`: it is neither. `asker` asks
    /// about whoever applies it; verb, resource and name are filled in here.
    pub async fn judge(&self, object: &Value, asker: AccessQuestion) -> Option<Result<(), String>> {
        let target = Target::of(object);
        let judged = match target.kind.as_str() {
            "PlatformClaim" => self.claim(object, &target, asker).await,
            "ClaimApproval" => self.approval(object, &target).await,
            _ => return None,
        };
        Some(judged.map_err(|problem| format!("{} `{}`: {problem}", target.kind, target.name)))
    }

    async fn claim(&self, claim: &Value, target: &Target, asker: AccessQuestion) -> Result<(), String> {
        let namespace = self.read("v1", "Namespace", "", &target.namespace).await?;
        let namespace =
            namespace.ok_or_else(|| format!("namespace `{}` does not exist", target.namespace))?;
        let catalog = self.catalog().await?;
        let observed = BTreeMap::new();
        let asked = Asked {
            trigger: Trigger::Claim(claim),
            namespace: &namespace,
            observed: &observed,
            capabilities: None,
        };
        let plan = match plan(&catalog, &asked) {
            Ok(plan) => plan,
            // A class whose package only the controller has may serve it.
            Err(PlanError::Claim(_)) if !catalog.problems().is_empty() => return Ok(()),
            Err(PlanError::Claim(problem)) => return Err(problem),
            // The platform's to mend: the claim waits, and says why in its status.
            Err(PlanError::Class { .. }) => return Ok(()),
        };
        let class = plan.class.name.clone();
        let question = AccessQuestion {
            verb: "use".to_owned(),
            group: "wayguard.io".to_owned(),
            resource: "claimclasses".to_owned(),
            name: class.clone(),
            namespace: target.namespace.clone(),
            ..asker
        };
        let may = access::ask(&self.client, &question, ANSWER_LIMIT).await;
        let may = may.map_err(|problem| {
            format!("whether {} may use the class `{class}` could not be asked: {problem}", question.user)
        })?;
        if !may.allowed {
            return Err(format!(
                "{} may not `use` the class `{class}`; have the platform bind a ClusterRole with that verb on `claimclasses.wayguard.io`, in this namespace or everywhere",
                question.user
            ));
        }
        let reason = claim.pointer("/metadata/annotations/wayguard.io~1break-glass").and_then(Value::as_str);
        if reason.is_some_and(|reason| !reason.is_empty()) {
            let question = AccessQuestion { resource: "breakglass".to_owned(), ..question };
            let may = access::ask(&self.client, &question, ANSWER_LIMIT).await;
            if !may.is_ok_and(|may| may.allowed) {
                return Err(format!(
                    "metadata.annotations[wayguard.io/break-glass] must be left out: {} may not `use` `breakglass.wayguard.io` of the name `{class}` here",
                    question.user
                ));
            }
        }
        if plan.denials.is_empty() {
            return Ok(());
        }
        Err(plan.denials.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    async fn approval(&self, approval: &Value, target: &Target) -> Result<(), String> {
        let text = |pointer: &str| approval.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let name = text("/spec/claim");
        let claim = self.read(API_VERSION, "PlatformClaim", &target.namespace, name).await?;
        let claim = claim.ok_or_else(|| {
            format!("spec.claim is `{name}`; must be a PlatformClaim of namespace `{}`", target.namespace)
        })?;
        if let Some(problem) = consent::problem(&claim, approval) {
            return Err(problem);
        }
        let hash = claim.pointer("/status/specHash").and_then(Value::as_str);
        match hash {
            Some(hash) if hash == text("/spec/specHash") => Ok(()),
            Some(hash) => Err(format!(
                "spec.specHash is `{}`; must be `{hash}`, as the claim is now: look at it again before you agree",
                text("/spec/specHash")
            )),
            None => Err(format!("the claim `{name}` has not been looked at yet; try again in a moment")),
        }
    }

    /// All classes; compiled again only when one is another.
    async fn catalog(&self) -> Result<Arc<Catalog>, String> {
        let classes = objects::list(&self.client, API_VERSION, "ClaimClass", None, None).await;
        let classes = classes.map_err(|problem| format!("the classes could not be listed: {problem}"))?;
        let metadata = |class: &Value| {
            let of =
                |name: &str| class.get("metadata").and_then(|it| it.get(name)).cloned().unwrap_or_default();
            json!([of("uid"), of("generation")])
        };
        let key = classes.iter().map(metadata).collect::<Value>().to_string();
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, catalog)) = &*lock()
            && *known == key
        {
            return Ok(Arc::clone(catalog));
        }
        let library = Arc::clone(&self.library);
        let readable: Vec<_> = classes.iter().filter_map(|class| read(class).ok()).collect();
        let loading = tokio::task::spawn_blocking(move || Catalog::load(readable, &library));
        let catalog = Arc::new(loading.await.map_err(|_| "the classes could not be loaded".to_owned())?);
        *lock() = Some((key, Arc::clone(&catalog)));
        Ok(catalog)
    }

    async fn read(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, String> {
        let target = Target {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let found = objects::read(&self.client, &target).await;
        found.map_err(|problem| format!("{kind} `{name}` could not be read: {problem}"))
    }
}
