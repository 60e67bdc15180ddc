//! A running cluster as a source of policies and facts, for commands that end: `check --cluster`, `explain --cluster`.

use crate::cluster::{ClusterArgs, inventory_kinds};
use crate::command::serve::surroundings::watch_options;
use crate::exit::Failure;
use crate::judging::TIME_LIMIT;
use crate::output::Output;
use crate::policies::{Sources, gather};
use crate::suite::SuiteArgs;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use wayguard_cluster::{ApiError, Client, ClusterFacts, PolicyWatch, Resources, object};
use wayguard_engine::PolicySet;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_images::authority::ImageAuthorities;

/// An API server that has not told its policies by then is not going to.
const PATIENCE: Duration = Duration::from_secs(30);

/// The cluster's look-ups, for callers on threads of their own.
pub(crate) struct Live {
    runtime: Runtime,
    client: Client,
    facts: ClusterFacts,
    authorities: Option<ImageAuthorities>,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Live")
    }
}

impl Live {
    /// Connects, and compiles the cluster's policies with those of `sources`.
    ///
    /// # Errors
    /// If the cluster cannot be reached, or does not have our kinds.
    pub(crate) fn open(
        cluster: &ClusterArgs,
        sources: &Sources,
        suite: &SuiteArgs,
    ) -> Result<(Self, Arc<PolicySet>), Failure> {
        let runtime = runtime()?;
        let client = runtime.block_on(cluster.connect_like_kubectl())?;
        Self::of(runtime, client, sources, suite)
    }

    /// As [`Self::open`], also where the suite is not installed: then only `sources` have policies, which is said.
    ///
    /// # Errors
    /// If the cluster cannot be reached.
    pub(crate) fn open_any(
        cluster: &ClusterArgs,
        sources: &Sources,
        suite: &SuiteArgs,
        out: &mut Output,
    ) -> Result<(Self, Arc<PolicySet>), Failure> {
        let runtime = runtime()?;
        let (client, resources) = runtime.block_on(async {
            let client = cluster.connect_like_kubectl().await?;
            let resources = Resources::discover(&client).await;
            let resources =
                resources.map_err(|error| Failure::Ours(format!("the cluster cannot be asked: {error}")))?;
            Ok::<_, Failure>((client, resources))
        })?;
        let (live, set) = if resources.of_plural("wayguard.io", "policies").is_some() {
            Self::of(runtime, client, sources, suite)?
        } else {
            out.note(
                "the suite is not installed in the cluster: judged by `--policies` alone, without exceptions",
            );
            let set = Arc::new(gather(sources)?.compile());
            let facts = runtime.block_on(async { ClusterFacts::start(&client, &inventory_kinds(&set)) });
            (Self { runtime, client, facts, authorities: None }, set)
        };
        // Without them each namespace is asked for by itself, as long as it takes.
        let synced = async { tokio::time::timeout(TIME_LIMIT, live.facts.namespaces().wait_synced()).await };
        let _ = live.runtime.block_on(synced);
        Ok((live, set))
    }

    fn of(
        runtime: Runtime,
        client: Client,
        sources: &Sources,
        suite: &SuiteArgs,
    ) -> Result<(Self, Arc<PolicySet>), Failure> {
        let (facts, set, authorities) = runtime.block_on(async {
            let set = policies(&PolicyWatch::start(&client, watch_options(sources, suite))).await?;
            let authorities = authorities(&client, &suite.own_namespace).await?;
            let facts = ClusterFacts::start(&client, &inventory_kinds(&set));
            Ok::<_, Failure>((facts, set, authorities))
        })?;
        Ok((Self { runtime, client, facts, authorities }, set))
    }

    /// The connection.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Does work that asks the cluster.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Who may sign images; none: the cluster does not have such kinds.
    pub(crate) fn authorities(&self) -> Option<&ImageAuthorities> {
        self.authorities.as_ref()
    }

    /// An object of the cluster, without what only the API server keeps for itself.
    ///
    /// # Errors
    /// If there is no such kind or object, or it may not be read.
    pub(crate) fn object(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<serde_json::Value, Failure> {
        let found = self.runtime.block_on(object(&self.client, kind, namespace, name));
        let mut object = found.map_err(|error| match error {
            ApiError::NotFound(message) => Failure::Invalid(message),
            other => Failure::Ours(format!("`{kind}/{name}` cannot be read: {other}")),
        })?;
        if let Some(metadata) = object.get_mut("metadata").and_then(serde_json::Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        Ok(object)
    }

    /// Asks the cluster.
    pub(crate) fn ask(&self, key: FactKey) -> Fact {
        let answers = self.runtime.block_on(self.facts.fetch(vec![key], Instant::now() + TIME_LIMIT));
        let unanswered = || Fact::Unavailable("the cluster did not answer".to_owned());
        answers.into_iter().next().map_or_else(unanswered, |(_, fact)| fact)
    }
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::Ours(format!("cannot start threads: {error}")))
}

/// Who may sign images as the cluster says it; `None`: an older installation, which has no such kinds.
///
/// # Errors
/// If the cluster does not tell.
pub(crate) async fn authorities(
    client: &Client,
    own_namespace: &str,
) -> Result<Option<ImageAuthorities>, Failure> {
    match wayguard_cluster::images::read(client, own_namespace).await {
        Ok(trusted) => Ok(Some(trusted.authorities)),
        Err(ApiError::NotFound(_)) => Ok(None),
        Err(problem) => {
            Err(Failure::Ours(format!("the cluster's ImageAuthority objects cannot be read: {problem}")))
        }
    }
}

/// The first set that holds the cluster's policies.
async fn policies(watch: &PolicyWatch) -> Result<Arc<PolicySet>, Failure> {
    let mut changes = watch.changes();
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(loaded) = watch.loaded() {
            return Ok(Arc::clone(&loaded.set));
        }
        if let Some(problem) = watch.problem() {
            return Err(Failure::Ours(format!("the cluster's policies cannot be read: {problem}")));
        }
        if Instant::now() > deadline {
            return Err(Failure::Ours(format!(
                "the cluster did not tell its policies within {} s",
                PATIENCE.as_secs()
            )));
        }
        // A problem announces itself by no change; it is looked for now and then.
        let _ = tokio::time::timeout(Duration::from_millis(100), changes.changed()).await;
    }
}
