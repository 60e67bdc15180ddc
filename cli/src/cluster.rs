//! The cluster that a command talks to: how it is named on the command line, and the connection.

use crate::exit::Failure;
use std::path::PathBuf;
pub(crate) use wayguard_cluster::facts::inventory_kinds;
use wayguard_cluster::{Client, Connection, connect};

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
    /// A client; without options for the cluster that kubectl would talk to. Nothing is sent yet.
    ///
    /// # Errors
    /// If there is no kubeconfig, or it cannot be used.
    pub(crate) async fn connect_like_kubectl(&self) -> Result<Client, Failure> {
        if let Some(client) = self.connect().await? {
            return Ok(client);
        }
        let found = Connection::Kubeconfig { path: None, context: self.context.clone() };
        connect(&found).await.map_err(|error| Failure::Invalid(error.to_string()))
    }

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

/// Runs the asynchronous part of a command that is done when it is done.
///
/// # Errors
/// The command's own, or that there are no threads.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Ours(format!("cannot start threads: {error}")))?;
    runtime.block_on(work)
}
