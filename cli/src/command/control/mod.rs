//! `wayguard control`: the leader's work in a cluster. No verdict depends on it.

mod history;
mod provisioning;

use crate::cluster::ClusterArgs;
use crate::command::serve::address;
use crate::command::serve::surroundings::{watch_options, without_gatekeeper};
use crate::exit::{ExitStatus, Failure};
use crate::logging::LoggingArgs;
use crate::metrics;
use crate::output::Output;
use crate::policies::{PolicyArgs, Sources, gather};
use crate::registries::RegistryArgs;
use crate::suite::{LoginArgs, SuiteArgs};
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wayguard_audit::control::{AuditOptions, AuditState};
use wayguard_cluster::control::{Anchor, ControlOptions, ControlState, Registries, Replicas, Trust, control};
use wayguard_cluster::webhooks::Endpoint;
use wayguard_provisioning::controller::State;
use wayguard_webhook::{ProbeServer, Readiness, terminated};

/// Options of `control`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard control --role webhooks --in-cluster --authority-secret-name wayguard-ca --anchor wayguard-anchor
  wayguard control --role webhooks --kubeconfig admin.conf --server-url https://127.0.0.1:8443 \\
      --server-health 127.0.0.1:8080 --ca-bundle ca.pem      for a server outside of the cluster
  wayguard control --role audit --in-cluster                 reports of what runs
  wayguard control --role provisioning --in-cluster
  wayguard control --role history --in-cluster --authority-secret-name wayguard-ca --history /data/history.db

Policies, --observe and --exempt-namespace must be those of the servers. Several may run; one leads.")]
pub(crate) struct Args {
    /// Which of the leader's works
    #[arg(long, value_enum, env = "WAYGUARD_ROLE")]
    role: Role,

    #[command(flatten)]
    cluster: ClusterArgs,

    #[command(flatten)]
    suite: SuiteArgs,

    #[command(flatten)]
    policies: PolicyArgs,

    #[command(flatten)]
    registries: RegistryArgs,

    #[command(flatten)]
    logins: LoginArgs,

    #[command(flatten)]
    logging: LoggingArgs,

    /// Where probes and metrics are served (plain HTTP): /livez, /readyz, /metrics
    #[arg(long, value_name = "ADDRESS", env = "WAYGUARD_HEALTH_LISTEN", default_value = ":8080", value_parser = address)]
    health_listen: SocketAddr,

    /// A ClusterRole that the webhook configurations belong to: they go when it goes
    #[arg(long, value_name = "NAME", env = "WAYGUARD_ANCHOR")]
    anchor: Option<String>,

    /// Who this process is in the election. [default: POD_NAME and POD_UID, else host and process]
    #[arg(long, value_name = "NAME", env = "WAYGUARD_IDENTITY")]
    identity: Option<String>,

    /// The server's address, if it is not behind the Service
    #[arg(long, value_name = "URL", env = "WAYGUARD_SERVER_URL", requires = "server_health")]
    server_url: Option<String>,

    /// The health port of such a server; repeatable
    #[arg(long, value_name = "ADDRESS", env = "WAYGUARD_SERVER_HEALTH", value_delimiter = ',', value_parser = address)]
    server_health: Vec<SocketAddr>,

    /// The CAs that signed the servers' certificates (PEM), if the servers do not share an authority; read again and
    /// again
    #[arg(long, value_name = "FILE", env = "WAYGUARD_CA_BUNDLE", conflicts_with = "authority_secret")]
    ca_bundle: Option<PathBuf>,

    /// Of the role `audit`: the label, of objects or their namespaces, that says who answers for them
    #[arg(long, value_name = "LABEL", default_value = "team", env = "WAYGUARD_OWNER_LABEL")]
    owner_label: String,

    /// Of the role `audit`: requests a second that the API server is asked at most, and as many again for reports
    #[arg(long, value_name = "COUNT", default_value_t = 50, env = "WAYGUARD_REQUESTS_PER_SECOND", value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_second: u32,

    /// Of the role `audit`: minutes after which policies that look at more than the object are asked again
    #[arg(long, value_name = "MINUTES", default_value_t = 10, env = "WAYGUARD_REFRESH", value_parser = clap::value_parser!(u64).range(1..))]
    refresh: u64,

    #[command(flatten)]
    history: history::HistoryOptions,
}

/// The works of a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// Webhook configurations, certificates, statuses of policies
    Webhooks,
    /// Reports of what runs: PolicyReports, metrics
    Audit,
    /// What claims and labelled Namespaces ask for
    Provisioning,
    /// The database of decisions and audit states
    History,
}

/// Runs the command.
///
/// # Errors
/// If there is no cluster, the policies cannot be read, or the port is taken.
pub(crate) fn run(args: Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    crate::logging::start(&args.logging)?;
    wayguard_webhook::log_panics_without_values();
    out.flush();
    crate::cluster::block_on(work(args))?;
    Ok(ExitStatus::Fine)
}

async fn work(args: Args) -> Result<(), Failure> {
    let stop = terminated().map_err(|error| Failure::Ours(format!("cannot listen to signals: {error}")))?;
    let health = args.health_listen;
    let client = args.cluster.connect().await?.ok_or_else(|| {
        Failure::Invalid(
            "`control` works on a cluster: name it by `--in-cluster` or `--kubeconfig`".to_owned(),
        )
    })?;
    if args.role != Role::History {
        without_gatekeeper(&client, &args.suite).await?;
    }
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics::ApiRequests));
    match args.role {
        Role::Webhooks => {
            let options = options(args)?;
            let state = Arc::new(ControlState::default());
            registry.register_collector(Box::new(metrics::Control(Arc::clone(&state))));
            tracing::info!(identity = options.identity, "at work");
            probed(health, registry, Box::pin(control(&client, options, state, stop))).await
        }
        Role::Audit => {
            let (kept, _follower) = history::kept_of_audit(&args, &client)?;
            let options = AuditOptions { history: kept, ..audit_options(args)? };
            let state = Arc::new(AuditState::default());
            registry.register_collector(Box::new(metrics::Audit(Arc::clone(&state))));
            tracing::info!(identity = options.identity, "at work");
            probed(health, registry, Box::pin(wayguard_audit::control::audit(&client, options, state, stop)))
                .await
        }
        Role::History => {
            let mut outcome = Ok(());
            // Probes are answered while a large database is looked through.
            let work = async { outcome = history::keep(&args, &client, stop).await };
            probed(health, registry, Box::pin(work)).await?;
            outcome
        }
        Role::Provisioning => {
            let options = provisioning::options(&args)?;
            let state = Arc::new(State::default());
            registry.register_collector(Box::new(metrics::Provisioning(Arc::clone(&state))));
            tracing::info!(identity = options.identity, "at work");
            probed(
                health,
                registry,
                wayguard_provisioning::controller::control(&client, options, state, stop),
            )
            .await
        }
    }
}

/// Works, and answers probes meanwhile.
async fn probed(
    health: SocketAddr,
    registry: Registry,
    work: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let probes = ProbeServer::bind(health, Readiness::new(), registry)
        .await
        .map_err(|error| Failure::Ours(error.to_string()))?;
    let (end, ends) = tokio::sync::oneshot::channel::<()>();
    let probing = tokio::spawn(probes.run(async move {
        // An error means that the sender is gone: the end as well.
        let _ = ends.await;
    }));
    work.await;
    drop(end);
    // It ends within a second; a panic in it has been logged.
    let _ = probing.await;
    tracing::info!("ended");
    Ok(())
}

fn audit_options(args: Args) -> Result<AuditOptions, Failure> {
    let sources = Sources::new(args.policies)?.observing(args.suite.observe);
    // What is wrong with files and names is said at once, not round by round.
    gather(&sources)?;
    Ok(AuditOptions {
        own_namespace: args.suite.own_namespace.clone(),
        identity: args.identity.unwrap_or_else(identity),
        policies: watch_options(&sources, &args.suite),
        owner_label: args.owner_label,
        requests_per_second: args.requests_per_second,
        refresh_every: Duration::from_mins(args.refresh),
        history: None,
    })
}

fn options(args: Args) -> Result<ControlOptions, Failure> {
    let sources = Sources::new(args.policies)?.observing(args.suite.observe);
    // What is wrong with files and names is said at once, not round by round.
    gather(&sources)?;
    let trust = match (args.suite.authority(), args.ca_bundle) {
        (Some(place), _) => Trust::Authority(place),
        (None, Some(path)) => Trust::Bundle(Arc::new(move || {
            std::fs::read(&path).map_err(|error| Failure::unreadable(&path, &error).to_string())
        })),
        (None, None) => {
            return Err(Failure::Invalid(
                "whom shall the API server trust? Give `--authority-secret-name`, or `--ca-bundle` with a file"
                    .to_owned(),
            ));
        }
    };
    let own_namespace = args.suite.own_namespace.clone();
    let (endpoint, replicas) = match args.server_url {
        Some(url) => (Endpoint::Url(url), Replicas::Addresses(args.server_health)),
        None => (
            Endpoint::Service {
                namespace: own_namespace.clone(),
                name: args.suite.service.clone(),
                port: 443,
            },
            Replicas::Service { namespace: own_namespace.clone(), name: args.suite.service.clone() },
        ),
    };
    Ok(ControlOptions {
        name: args.suite.service.clone(),
        policies: watch_options(&sources, &args.suite),
        own_namespace,
        identity: args.identity.unwrap_or_else(identity),
        endpoint,
        replicas,
        trust,
        keyring: args.registries.keyring()?,
        registries: registries(args.registries),
        login_secrets: args.logins.registry_secret,
        exempt_namespaces: sources.exempt_namespaces().to_vec(),
        anchor: args.anchor.as_deref().map(Anchor::cluster_role),
    })
}

/// How registries are reached, read again each time.
fn registries(args: RegistryArgs) -> Registries {
    Arc::new(move |host| args.options(&[host]).map_err(|failure| failure.to_string()))
}

/// Unique among all processes of all times.
fn identity() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let (Some(name), Some(uid)) = (named("POD_NAME"), named("POD_UID")) {
        return format!("{name}_{uid}");
    }
    let host = named("HOSTNAME").unwrap_or_else(|| "localhost".to_owned());
    format!("{host}_{}_{}", std::process::id(), jiff::Timestamp::now().as_millisecond())
}
