//! The cluster's policies: watched, compiled together with those of files and bundles, swapped whole.
//!
//! ```text
//! Policy, PolicyException ─watch─► objects ┐
//! PolicyBundle, what is stored of it ──────┤
//! files, bundles ─────────────────► base ──┴─ 100 ms of quiet ─► PolicySetBuilder ─► Loaded (one Arc, swapped)
//! ```
//! INVARIANT: a set is only ever replaced by one made of whole lists: an API server that is away, or a base that
//! cannot be read, leaves what is served as it is. One bad object is left out and told; its neighbours are served.

pub(crate) mod object;
mod observing;
mod report;

use crate::bundles::{BundleWatch, Bundled, enforce};
use crate::client::{ApiError, Client};
use crate::gatekeeper::GatekeeperWatch;
use crate::kinds::{Policy, PolicyException};
use crate::mirror::{Mirror, Selection, Task};
use kube::api::{Api, ApiResource};
use object::Object;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tracing::{error, info, warn};
use wayguard_engine::gatekeeper::Given;
use wayguard_engine::policy::choice::Chosen;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::spec::{PolicyExceptionSpec, PolicySpec};
use wayguard_engine::{PolicySet, PolicySetBuilder};

pub use observing::observed;
pub use report::{ItemReport, LoadReport};

/// How messages name the place of a Policy of the cluster.
pub const FROM_CLUSTER: &str = "cluster";
/// And of a `PolicyException`: both kinds may have objects of one name.
const FROM_EXCEPTIONS: &str = "cluster, exception";

/// A change is compiled after this time without another one…
const QUIET: Duration = Duration::from_millis(100);
/// … or after this time at the latest.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What the server serves without a cluster: a builder that holds the policies of files and bundles already. Called
/// for every load, so that files may have changed in between.
pub type Base = Arc<dyn Fn() -> Result<PolicySetBuilder, String> + Send + Sync>;

/// How policies are loaded.
#[derive(Clone)]
pub struct PolicyWatchOptions {
    /// The only namespace whose exceptions are honoured.
    pub own_namespace: String,
    /// Policies that do not come from the cluster.
    pub base: Base,
    /// Nothing is refused, warned of or left unadmitted: every policy is loaded as [`observed`].
    pub observe: bool,
    /// Gatekeeper's objects are read too.
    pub gatekeeper: bool,
}

/// A compiled set and the objects that it was made of.
#[derive(Debug)]
pub struct Loaded {
    /// What decides.
    pub set: Arc<PolicySet>,
    /// The cluster's policies by name.
    pub policies: BTreeMap<String, ItemReport>,
    /// The cluster's exceptions by name.
    pub exceptions: BTreeMap<String, ItemReport>,
    /// The cluster's bundles by name.
    pub bundles: BTreeMap<String, ItemReport>,
    /// The library that is built in, and what lies over it.
    pub(crate) library: Arc<Library>,
    pub(crate) bundled: Vec<Bundled>,
}

impl Loaded {
    /// A Policy as it would be loaded beside these bundles: its source may be a policy of one of them.
    pub fn chosen(&self, name: String, spec: PolicySpec) -> Chosen {
        enforce::chosen(&self.bundled, &self.library, name, spec)
    }
}

/// The watches and what was loaded last.
pub struct PolicyWatch {
    policies: Arc<Mirror<Arc<Object<PolicySpec>>>>,
    exceptions: Arc<Mirror<Arc<Object<PolicyExceptionSpec>>>>,
    bundles: Arc<BundleWatch>,
    gatekeeper: Option<Arc<GatekeeperWatch>>,
    loaded: watch::Receiver<Option<Arc<Loaded>>>,
    reload: Arc<Notify>,
    _task: Task,
}

impl PolicyWatch {
    /// Starts watching; the first set comes when both kinds have been listed whole.
    pub fn start(client: &Client, options: PolicyWatchOptions) -> Self {
        let everywhere = Api::all_with(client.clone(), &ApiResource::erase::<Policy>(&()));
        let kind = ApiResource::erase::<PolicyException>(&());
        let own = Api::namespaced_with(client.clone(), &options.own_namespace, &kind);
        let policies = Arc::new(Mirror::start(everywhere, Selection::default(), |object| {
            Some(Arc::new(Object::read(object)))
        }));
        let exceptions =
            Arc::new(Mirror::start(own, Selection::default(), |object| Some(Arc::new(Object::read(object)))));
        let (publisher, loaded) = watch::channel(None);
        let reload = Arc::new(Notify::new());
        let bundles = Arc::new(BundleWatch::start(client, &options.own_namespace));
        let gatekeeper = options.gatekeeper.then(|| Arc::new(GatekeeperWatch::start(client, &reload)));
        let loading = Loader {
            policies: Arc::clone(&policies),
            exceptions: Arc::clone(&exceptions),
            bundles: Arc::clone(&bundles),
            gatekeeper: gatekeeper.clone(),
            options,
            reload: Arc::clone(&reload),
            loaded: publisher,
        };
        Self {
            policies,
            exceptions,
            bundles,
            gatekeeper,
            loaded,
            reload,
            _task: Task(tokio::spawn(loading.run())),
        }
    }

    /// What was loaded last; `None` before the first.
    pub fn loaded(&self) -> Option<Arc<Loaded>> {
        self.loaded.borrow().clone()
    }

    /// Announces every new set.
    pub fn changes(&self) -> watch::Receiver<Option<Arc<Loaded>>> {
        self.loaded.clone()
    }

    /// Loads again although no object of the cluster has changed: the base has.
    pub fn reload(&self) {
        self.reload.notify_one();
    }

    /// Whether all kinds have been listed.
    pub fn synced(&self) -> bool {
        self.policies.synced() && self.exceptions.synced() && self.bundles.synced()
    }

    /// Time since the API server was last heard of by the slowest of the watches; `None` before its first answers.
    pub fn staleness(&self) -> Option<Duration> {
        let all = [self.policies.staleness()?, self.exceptions.staleness()?, self.bundles.staleness()?];
        all.into_iter().max()
    }

    /// What keeps a watch from going on, in words for an operator.
    pub fn problem(&self) -> Option<String> {
        let own = self.policies.problem().or_else(|| self.exceptions.problem());
        let own = own.or_else(|| self.bundles.problem());
        let Some(problem) = own else { return Some(self.gatekeeper.as_ref()?.problem()?.to_string()) };
        Some(match problem {
            ApiError::NotFound(_) => {
                "the kinds of wayguard.io are not installed; `wayguard install` or the chart installs them"
                    .to_owned()
            }
            other => other.to_string(),
        })
    }

    /// The watches of bundles and of what is stored of them.
    pub(crate) fn bundles(&self) -> &BundleWatch {
        &self.bundles
    }

    /// The watches of Gatekeeper's kinds, if they are read.
    pub(crate) fn gatekeeper(&self) -> Option<&GatekeeperWatch> {
        self.gatekeeper.as_deref()
    }

    /// The Policy objects' specs as far as they can be read, with name and uid: for `control`.
    pub(crate) fn policy_objects(&self) -> Vec<Arc<Object<PolicySpec>>> {
        self.policies.all().into_values().collect()
    }

    /// As [`Self::policy_objects`].
    pub(crate) fn exception_objects(&self) -> Vec<Arc<Object<PolicyExceptionSpec>>> {
        self.exceptions.all().into_values().collect()
    }
}

struct Loader {
    policies: Arc<Mirror<Arc<Object<PolicySpec>>>>,
    exceptions: Arc<Mirror<Arc<Object<PolicyExceptionSpec>>>>,
    bundles: Arc<BundleWatch>,
    gatekeeper: Option<Arc<GatekeeperWatch>>,
    options: PolicyWatchOptions,
    reload: Arc<Notify>,
    loaded: watch::Sender<Option<Arc<Loaded>>>,
}

impl Loader {
    async fn run(self) {
        let mut policies = self.policies.changes();
        let mut exceptions = self.exceptions.changes();
        self.policies.wait_synced().await;
        self.exceptions.wait_synced().await;
        self.bundles.wait_synced().await;
        let _forwards = self.bundles.forward(&self.reload);
        if let Some(gatekeeper) = &self.gatekeeper {
            gatekeeper.wait_synced().await;
        }
        policies.mark_unchanged();
        exceptions.mark_unchanged();
        loop {
            self.load().await;
            // The senders live as long as the mirrors, which we hold.
            let changed = async {
                tokio::select! {
                    _ = policies.changed() => {}
                    _ = exceptions.changed() => {}
                    () = self.reload.notified() => {}
                }
            };
            changed.await;
            let latest = tokio::time::Instant::now() + LONGEST_WAIT;
            loop {
                let quiet = (tokio::time::Instant::now() + QUIET).min(latest);
                tokio::select! {
                    () = tokio::time::sleep_until(quiet) => break,
                    _ = policies.changed() => {}
                    _ = exceptions.changed() => {}
                    () = self.reload.notified() => {}
                }
            }
        }
    }

    async fn load(&self) {
        let policies: Vec<_> = self.policies.all().into_values().collect();
        let exceptions: Vec<_> = self.exceptions.all().into_values().collect();
        let objects = self.gatekeeper.as_ref().map(|watch| watch.objects()).unwrap_or_default();
        let (options, bundles) = (self.options.clone(), Arc::clone(&self.bundles));
        // Compiling is pure work of up to seconds: not for the threads that answer requests.
        let compiled = tokio::task::spawn_blocking(move || {
            compile(&options, bundles.current(), &policies, &exceptions, objects)
        })
        .await;
        match compiled {
            Ok(Ok(loaded)) => self.publish(loaded),
            Ok(Err(problem)) => error!(%problem, "policies are not loaded; the set that was served stays"),
            Err(panicked) => error!(%panicked, "compiling policies failed; the set that was served stays"),
        }
    }

    fn publish(&self, loaded: Loaded) {
        let failed = loaded.set.failures().len();
        let before = self.loaded.borrow().as_ref().map(|old| old.set.digest().to_owned());
        if before.as_deref() != Some(loaded.set.digest()) {
            info!(
                digest = loaded.set.digest(),
                policies = loaded.set.policies().len(),
                failed,
                "policies loaded"
            );
        }
        for failure in loaded.set.failures() {
            for problem in &failure.errors {
                warn!(policy = failure.policy, %problem, "left out");
            }
        }
        self.loaded.send_replace(Some(Arc::new(loaded)));
    }
}

fn compile(
    options: &PolicyWatchOptions,
    bundled: Vec<Bundled>,
    policies: &[Arc<Object<PolicySpec>>],
    exceptions: &[Arc<Object<PolicyExceptionSpec>>],
    gatekeeper: Vec<Given>,
) -> Result<Loaded, String> {
    let mut builder = (options.base)()?;
    if options.observe {
        builder.observing_constraints();
    }
    for object in gatekeeper {
        builder.gatekeeper(object);
    }
    let library = Arc::clone(builder.library());
    let adapt = |spec| if options.observe { observed(spec) } else { spec };
    enforce::add(&mut builder, &bundled, &adapt);
    for policy in policies {
        match policy.spec.clone() {
            Ok(spec) => {
                let Chosen { name, spec, files } =
                    enforce::chosen(&bundled, &library, policy.name.clone(), adapt(spec));
                builder.policy(&name, spec, FROM_CLUSTER, files);
            }
            Err(error) => builder.failure(&policy.name, FROM_CLUSTER, error),
        }
    }
    for exception in exceptions {
        match exception.spec.clone() {
            Ok(spec) => builder.exception(&exception.name, spec, FROM_EXCEPTIONS),
            Err(error) => builder.failure(&exception.name, FROM_EXCEPTIONS, error),
        }
    }
    let set = Arc::new(builder.build());
    Ok(Loaded {
        policies: policies
            .iter()
            .map(|it| report::item(&set, FROM_CLUSTER, &it.name, it.generation))
            .collect(),
        exceptions: exceptions
            .iter()
            .map(|it| report::item(&set, FROM_EXCEPTIONS, &it.name, it.generation))
            .collect(),
        bundles: bundled.iter().map(|it| (it.name.clone(), enforce::report(&set, it))).collect(),
        library,
        bundled,
        set,
    })
}

#[cfg(test)]
#[path = "../policies_tests.rs"]
mod tests;
