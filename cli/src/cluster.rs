//! The cluster that a command talks to: how it is named on the command line, and the connection.

use crate::exit::Failure;
use std::path::PathBuf;
use wayguard_cluster::facts::Gvk;
use wayguard_cluster::{Client, Connection, connect};
use wayguard_engine::PolicySet;
use wayguard_engine::policy::metadata::InventoryScope;

/// The options that name a cluster.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ClusterArgs {
    /// The cluster to ask for namespaces, policies and facts: a kubeconfig file. [default: no cluster]
    #[arg(long, value_name = "FILE", env = "WAYGUARD_KUBECONFIG", conflicts_with = "in_cluster")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// The context of the kubeconfig. [default: its current one]
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    pub(crate) context: Option<String>,

    /// The cluster that this process runs in, by its ServiceAccount
    #[arg(long, env = "WAYGUARD_IN_CLUSTER")]
    pub(crate) in_cluster: bool,
}

impl ClusterArgs {
    /// A client, or `None` if no cluster is named. Nothing is sent yet.
    ///
    /// # Errors
    /// If the kubeconfig or the ServiceAccount cannot be used.
    pub(crate) async fn connect(&self) -> Result<Option<Client>, Failure> {
        let connection = if self.in_cluster {
            Connection::InCluster
        } else if self.kubeconfig.is_some() {
            Connection::Kubeconfig { path: self.kubeconfig.clone(), context: self.context.clone() }
        } else {
            return Ok(None);
        };
        connect(&connection).await.map(Some).map_err(|error| Failure::Invalid(error.to_string()))
    }
}

/// The kinds that policies join against: watched, because every request would list them otherwise.
pub(crate) fn inventory_kinds(set: &PolicySet) -> Vec<Gvk> {
    let kinds = set.policies().flat_map(|policy| &policy.metadata.custom.inventory);
    let mut kinds: Vec<Gvk> = kinds
        .filter(|kind| kind.scope == InventoryScope::Cluster)
        .map(|kind| Gvk::new(&kind.group, &kind.version, &kind.kind))
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds
}
