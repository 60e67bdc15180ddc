//! `control --role=webhooks`: the leader's work. It loads policies as replicas do, asks them what they have loaded,
//! and keeps webhook configurations, certificates and statuses in order.
//!
//! ```text
//! policies ─┐                              ┌► Secret (rotation)  ┐ in this order,
//! replicas ─┼─► reconcile (leader only) ───┼► configurations     │ each write guarded
//! live, pause, discovery                   └► statuses           ┘
//! ```
//! No verdict depends on it: when it is away, replicas go on with what is registered.

mod lease;
mod registration;
mod replicas;
mod status;
mod trust;

use crate::bundles::{self, Notes};
use crate::client::{ApiError, Client};
use crate::discovery::Resources;
use crate::gatekeeper;
use crate::images::objects::TrustObjects;
use crate::images::{LoginSecret, Logins, TrustWatch};
use crate::mirror::{Mirror, Pause, Selection, Task, forward};
use crate::pause::{PAUSE_CONFIG_MAP, paused};
use crate::policies::{PolicyWatch, PolicyWatchOptions};
use crate::webhooks::{
    Endpoint, Groups, Live, Registered, Settings, configurations, groups, live_rules, planned,
};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, ApiResource, DynamicObject};
use registration::{apply, hold, kinds, read};
use serde_json::Value;
use status::{Objects, View};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Notify;
use tracing::{info, warn};
use wayguard_images::registry::credentials::Keyring;

pub use crate::bundles::Registries;
pub use lease::{Candidate, Election, LEASE_DURATION, RENEW_DEADLINE};
pub use registration::Anchor;
pub use replicas::{HEALTH_PORT, REPORT_PATH, Replica, Replicas};
pub use trust::{BundleSource, Trust, TrustError};

/// Between looks when nothing is on its way: drift that a watch has missed, exceptions that end, new kinds.
const CALM: Duration = Duration::from_secs(30);
/// While replicas load, or a rotation waits.
const BUSY: Duration = Duration::from_secs(2);
/// Discovery older than this is asked again.
const DISCOVER_AFTER: Duration = Duration::from_secs(30);
/// The Lease of the election.
pub const LEASE: &str = "wayguard-control-webhooks";
/// The Lease of the election of who audits.
pub const AUDIT_LEASE: &str = "wayguard-control-audit";
/// Changes come in bursts.
const QUIET: Duration = Duration::from_millis(100);

/// What `control` needs to know.
#[derive(Clone)]
pub struct ControlOptions {
    /// The name of both webhook configurations. Default `wayguard`.
    pub name: String,
    /// The suite's own namespace.
    pub own_namespace: String,
    /// Who we are in the election; unique among all Pods of all times.
    pub identity: String,
    /// As replicas load them: the same base, or the digests never agree.
    pub policies: PolicyWatchOptions,
    /// How the API server reaches the replicas.
    pub endpoint: Endpoint,
    /// How we do.
    pub replicas: Replicas,
    /// Whose certificates they serve.
    pub trust: Trust,
    /// Namespaces that no policy judges; the same list as the replicas have.
    pub exempt_namespaces: Vec<String>,
    /// How registries are reached for `PolicyBundle` objects.
    pub registries: Registries,
    /// Logins for them, besides those of `login_secrets`.
    pub keyring: Keyring,
    /// Secrets of the suite's own namespace with logins.
    pub login_secrets: Vec<LoginSecret>,
    /// What the configurations belong to; without it they stay when the suite is removed.
    pub anchor: Option<Anchor>,
}

/// What `control` tells about itself, for metrics.
#[derive(Debug, Default)]
pub struct ControlState {
    /// Whether this process leads.
    pub leading: AtomicBool,
    /// Writes of webhook configurations.
    pub registrations: AtomicU64,
    /// Rounds that failed.
    pub failures: AtomicU64,
    /// Rounds that were finished.
    pub rounds: AtomicU64,
    /// Writes among them that put right what somebody else had changed or deleted.
    pub repairs: AtomicU64,
    /// Whether the suite was paused at the last look.
    pub paused: AtomicBool,
    /// When the last round was finished, in seconds of Unix time; 0: none was.
    pub finished_at: AtomicU64,
    /// Ready replicas at the last look.
    pub replicas: AtomicU64,
    /// Whether replicas had not all loaded the same policies at the last look.
    pub disagreeing: AtomicBool,
    /// Webhooks that are registered, as of the last round.
    pub webhooks: AtomicU64,
}

/// Why a round could not be finished; the next one starts anew.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error("{doing}: {problem}")]
    Api { doing: &'static str, problem: ApiError },
    #[error("{0}")]
    Trust(#[from] TrustError),
}

fn doing(what: &'static str) -> impl Fn(ApiError) -> RoundError {
    move |problem| RoundError::Api { doing: what, problem }
}

/// Works until `stop`, as leader or waiting to become one. Failures are logged, counted and tried again.
pub async fn control(
    client: &Client,
    options: ControlOptions,
    state: Arc<ControlState>,
    stop: impl Future<Output = ()>,
) {
    let policies = Arc::new(PolicyWatch::start(client, options.policies.clone()));
    let candidate = Candidate {
        namespace: options.own_namespace.clone(),
        lease: LEASE.to_owned(),
        identity: options.identity.clone(),
    };
    let election = Election::start(client, candidate);
    let changed = Arc::new(Notify::new());
    let watches = Watches::start(client, &options);
    let trust = Arc::new(TrustObjects::start(client));
    let _forwards = (watches.forward(&policies, &election, &changed), trust.forward(&changed));
    let _keeping = options.policies.gatekeeper.then(|| {
        let changed = Arc::new(Notify::new());
        let forwards = policies.gatekeeper().map(|watch| watch.forward_templates(&changed));
        let keeper = gatekeeper::Keeper {
            client: client.clone(),
            policies: Arc::clone(&policies),
            identity: options.identity.clone(),
            leading: election.leading(),
            changed,
        };
        (Task(tokio::spawn(keeper.run())), forwards)
    });
    let notes = Arc::<Notes>::default();
    let own = &options.own_namespace;
    let keeper = bundles::Keeper {
        client: client.clone(),
        own_namespace: own.clone(),
        policies: Arc::clone(&policies),
        base: Arc::clone(&options.policies.base),
        trust: TrustWatch::start(client, own),
        logins: Logins::start(client, own, options.login_secrets.clone(), options.keyring.clone()),
        registries: Arc::clone(&options.registries),
        leading: election.leading(),
        notes: Arc::clone(&notes),
        noted: Arc::clone(&changed),
    };
    let _storing = Task(tokio::spawn(keeper.run()));
    let mut control = Control {
        client: client.clone(),
        options,
        policies,
        trust,
        notes,
        resources: None,
        told: None,
        written: BTreeMap::new(),
    };
    let mut stop = std::pin::pin!(stop);
    let mut pause = Pause::default();
    loop {
        let leading = election.is_leading();
        state.leading.store(leading, Ordering::Relaxed);
        let mut wait = CALM;
        if leading {
            match control.round(&election, &state).await {
                Ok(again) => {
                    pause.reset();
                    state.rounds.fetch_add(1, Ordering::Relaxed);
                    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
                    state.finished_at.store(now, Ordering::Relaxed);
                    wait = again;
                }
                Err(problem) => {
                    state.failures.fetch_add(1, Ordering::Relaxed);
                    warn!(%problem, "a round was not finished");
                    wait = pause.length();
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = changed.notified() => tokio::time::sleep(QUIET).await,
            () = &mut stop => break,
        }
    }
    state.leading.store(false, Ordering::Relaxed);
    election.resign().await;
}

/// What makes a round worth while before its time: our configurations, the pause, the replicas.
struct Watches(Vec<Mirror<()>>);

impl Watches {
    fn start(client: &Client, options: &ControlOptions) -> Self {
        let own = &options.own_namespace;
        let by_name = |name: &str| Selection {
            fields: Some(format!("metadata.name={name}")),
            labels: None,
            page: None,
        };
        let start = |api: Api<DynamicObject>, selection| Mirror::start(api, selection, |_| Some(()));
        let mut all: Vec<_> = kinds()
            .iter()
            .map(|kind| start(Api::all_with(client.clone(), kind), by_name(&options.name)))
            .collect();
        let maps = Api::namespaced_with(client.clone(), own, &ApiResource::erase::<ConfigMap>(&()));
        all.push(start(maps, by_name(PAUSE_CONFIG_MAP)));
        if let Replicas::Service { namespace, name } = &options.replicas {
            let slices =
                Api::namespaced_with(client.clone(), namespace, &ApiResource::erase::<EndpointSlice>(&()));
            let labels = Some(format!("kubernetes.io/service-name={name}"));
            all.push(start(slices, Selection { fields: None, labels, page: None }));
        }
        Self(all)
    }

    fn forward(&self, policies: &PolicyWatch, election: &Election, to: &Arc<Notify>) -> Vec<Task> {
        let mut tasks: Vec<_> = self.0.iter().map(|mirror| forward(mirror.changes(), to)).collect();
        tasks.push(forward(policies.changes(), to));
        tasks.push(forward(election.leading(), to));
        tasks
    }
}

struct Control {
    client: Client,
    options: ControlOptions,
    policies: Arc<PolicyWatch>,
    trust: Arc<TrustObjects>,
    notes: Arc<Notes>,
    resources: Option<(Instant, Resources)>,
    /// What was logged last about replicas, to log it once.
    told: Option<String>,
    /// What was registered last, by kind.
    written: BTreeMap<String, Value>,
}

impl Control {
    /// One round; when the next one should be.
    async fn round(&mut self, election: &Election, state: &ControlState) -> Result<Duration, RoundError> {
        let Some(loaded) = self.policies.loaded() else { return Ok(BUSY) };
        let own = self.options.own_namespace.clone();
        // If it is not known whether the suite is paused, nothing may be changed.
        let paused = paused(&self.client, &own).await.map_err(doing("looking for a pause"))?;
        state.paused.store(paused.is_some(), Ordering::Relaxed);
        let replicas =
            self.options.replicas.ask(&self.client).await.map_err(doing("finding the replicas"))?;
        let resources = self.resources().await.map_err(doing("asking which kinds there are"))?;
        let live = read(&self.client, &self.options.name)
            .await
            .map_err(doing("reading the webhook configurations"))?;
        let mut view = View {
            loaded: &loaded,
            replicas: &replicas,
            registered: &live_rules(&live),
            resources: &resources,
            observe: self.options.policies.observe,
            paused: paused.as_deref(),
            now: Timestamp::now(),
        };
        if !election.is_leading() {
            return Ok(CALM);
        }
        let mut wait = CALM;
        let registered;
        if paused.is_some() {
            hold(&self.client, &live).await.map_err(doing("pausing"))?;
        } else {
            let round = self.register(&view, &live, election).await?;
            state.registrations.fetch_add(round.writes, Ordering::Relaxed);
            state.repairs.fetch_add(round.repairs, Ordering::Relaxed);
            state.webhooks.store(round.webhooks, Ordering::Relaxed);
            wait = round.wait;
            registered = round.registered;
            view.registered = &registered;
        }
        let disagreement = view.disagreement();
        state.replicas.store(replicas.len() as u64, Ordering::Relaxed);
        state.disagreeing.store(disagreement.is_some(), Ordering::Relaxed);
        if disagreement.is_some() {
            wait = wait.min(BUSY);
        }
        if self.told != disagreement {
            if let Some(why) = &disagreement {
                info!(why, "rules do not widen until all replicas have loaded the same policies");
            } else {
                info!(replicas = replicas.len(), "all replicas have loaded the same policies");
            }
            self.told.clone_from(&disagreement);
        }
        if election.is_leading() {
            let objects = Objects {
                policies: self.policies.policy_objects(),
                exceptions: self.policies.exception_objects(),
                bundles: self.policies.bundles().objects(),
                notes: self.notes.all(),
                authorities: self.trust.authorities(),
                roots: self.trust.roots(),
            };
            let settled = status::write(&self.client, &own, &view, &objects).await;
            if !settled.map_err(doing("writing statuses"))? {
                wait = wait.min(BUSY);
            }
        }
        Ok(wait)
    }

    /// Certificates, then configurations.
    async fn register(
        &mut self,
        view: &View<'_>,
        live: &Live,
        election: &Election,
    ) -> Result<Registration, RoundError> {
        let as_is =
            |wait| Registration { registered: live_rules(live), writes: 0, repairs: 0, webhooks: 0, wait };
        let mut owner = None;
        if let Some(anchor) = &self.options.anchor {
            owner = anchor.reference(&self.client).await.map_err(doing("looking for the anchor"))?;
            if owner.is_none() {
                warn!(
                    anchor = anchor.name,
                    "the anchor is gone: the suite is being removed, nothing is registered"
                );
                return Ok(as_is(CALM));
            }
        }
        let now = SystemTime::now();
        let trusted = self.options.trust.advance(&self.client, live, view.replicas, now).await?;
        let wanted = groups(&Registered::of(&view.loaded.set), view.resources, view.observe);
        let plan = planned(&wanted, &live_rules(live), view.all_loaded(), view.resources);
        let settings = Settings {
            name: self.options.name.clone(),
            endpoint: self.options.endpoint.clone(),
            ca_bundle: trusted.pem,
            exempt_namespaces: self.options.exempt_namespaces.clone(),
            owner,
            paused: false,
        };
        let (mut writes, mut repairs, mut webhooks) = (0, 0, 0);
        let [mutating, validating] = configurations(&plan, &settings);
        for (object, live) in [(mutating, &live.mutating), (validating, &live.validating)] {
            // Nobody is asked before somebody can answer.
            if (live.is_none() && view.replicas.is_empty()) || !election.is_leading() {
                continue;
            }
            let written = apply(&self.client, &object, live.as_ref()).await;
            let written = written.map_err(doing("writing the webhook configurations"))?;
            writes += u64::from(written);
            webhooks += object.get("webhooks").and_then(Value::as_array).map_or(0, Vec::len) as u64;
            // What we want is what we wrote last: then it was somebody else who changed it.
            let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
            let before = self.written.insert(kind, object.clone());
            repairs += u64::from(written && before.is_some_and(|before| before == object));
        }
        let again = trusted.check_again_at.map(|at| at.duration_since(now).unwrap_or_default());
        let wait = if writes > 0 { BUSY } else { CALM };
        Ok(Registration {
            registered: plan,
            writes,
            repairs,
            webhooks,
            wait: again.map_or(wait, |again| again.clamp(BUSY, wait.max(BUSY))),
        })
    }

    async fn resources(&mut self) -> Result<Resources, ApiError> {
        if let Some((at, resources)) = &self.resources
            && at.elapsed() < DISCOVER_AFTER
        {
            return Ok(resources.clone());
        }
        let found = Resources::discover(&self.client).await?;
        self.resources = Some((Instant::now(), found.clone()));
        Ok(found)
    }
}

/// What a round has registered.
struct Registration {
    registered: Groups,
    writes: u64,
    /// Of these, those that undo what somebody else did.
    repairs: u64,
    webhooks: u64,
    wait: Duration,
}
