//! A running cluster as a source of policies and facts, for commands that end: `check --cluster`, `explain --cluster`.

use crate::cluster::{ClusterArgs, inventory_kinds};
use crate::command::serve::surroundings::watch_options;
use crate::exit::Failure;
use crate::judging::TIME_LIMIT;
use crate::policies::Sources;
use crate::suite::SuiteArgs;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use wayguard_cluster::{ApiError, Client, ClusterFacts, PolicyWatch, object};
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
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Failure::Ours(format!("cannot start threads: {error}")))?;
        let (client, facts, set, authorities) = runtime.block_on(async {
            let client = cluster.connect_like_kubectl().await?;
            let set = policies(&PolicyWatch::start(&client, watch_options(sources, suite))).await?;
            let authorities = authorities(&client, &suite.own_namespace).await?;
            let facts = ClusterFacts::start(&client, &inventory_kinds(&set));
            Ok::<_, Failure>((client, facts, set, authorities))
        })?;
        Ok((Self { runtime, client, facts, authorities }, set))
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
