//! `control --role history`: the owner of the database. It takes batches over TLS from whoever has a certificate of the
//! suite's own authority under one of the suite's names, and keeps what is stored within limits.

use super::Args;
use crate::command::serve::address;
use crate::exit::Failure;
use crate::history::{
    self, AUDIT_NAME, HISTORY_SERVICE, HistoryArgs, Mutual, READER_NAME, failure, follow, sink, trusted,
};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use wayguard_audit::control::Kept;
use wayguard_certs::{
    AllowedClients, CaBundle, ClientCertificates, ClientMode, MinimumTls, ServingCertificate, server_config,
};
use wayguard_cluster::Client;
use wayguard_cluster::authority::AuthorityFollower;
use wayguard_history::{Place, Retention, Store};
use wayguard_webhook::HistoryServer;

/// How often the authority's Secret is looked at: those to come are in it days before they sign.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often what is too old or too much is removed.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// Options of the role.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct HistoryOptions {
    #[command(flatten)]
    pub(super) at: HistoryArgs,

    /// Of the role `history`: where servers and audit connect (TLS)
    #[arg(long, value_name = "ADDRESS", env = "WAYGUARD_HISTORY_LISTEN", default_value = ":8443", value_parser = address)]
    history_listen: SocketAddr,

    /// Of the role `history`: days after which decisions, totals and fixed findings are removed
    #[arg(long, value_name = "DAYS", env = "WAYGUARD_HISTORY_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=36_500))]
    history_days: u64,

    /// Of the role `history`: MiB of decisions' texts beyond which the oldest are removed; the database takes about
    /// twice as much
    #[arg(long, value_name = "MIB", env = "WAYGUARD_HISTORY_SIZE", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    history_size: u64,

    /// Of the role `audit`: minutes after which the state is told to the history
    #[arg(long, value_name = "MINUTES", env = "WAYGUARD_HISTORY_STATES", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    history_states: u64,

    /// Of the role `audit`: what this cluster is called in the history
    #[arg(long, value_name = "NAME", env = "WAYGUARD_CLUSTER_NAME", default_value = "default")]
    cluster_name: String,
}

/// Where the audit keeps its states, if a history is named; for its service with a certificate, which lasts as long as
/// the follower.
///
/// # Errors
/// If what names the history cannot be used.
pub(super) fn kept_of_audit(
    args: &Args,
    client: &Client,
) -> Result<(Option<Kept>, Option<AuthorityFollower>), Failure> {
    let Some(place) = args.history.at.kept()? else { return Ok((None, None)) };
    let (mutual, follower): (Option<Mutual>, _) = match (args.suite.authority(), &place) {
        (Some(authority), history::Kept::Service(_)) => {
            let (follower, serving) = follow(client, &authority, AUDIT_NAME, false)?;
            (Some((serving, trusted(&follower))), Some(follower))
        }
        _ => (None, None),
    };
    let kept = Kept {
        sink: sink(place, mutual)?,
        cluster: args.history.cluster_name.clone(),
        every: Duration::from_mins(args.history.history_states),
    };
    Ok((Some(kept), follower))
}

/// Opens the database and serves until `stop`.
///
/// # Errors
/// If the database cannot be used, or nothing says whom to trust.
pub(super) async fn keep(
    args: &Args,
    client: &Client,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), Failure> {
    let mut stop = std::pin::pin!(stop);
    let service = tokio::select! {
        opened = open(args, client) => opened?,
        () = &mut stop => return Ok(()),
    };
    service.run(stop).await;
    Ok(())
}

/// The service, ready to work.
struct Service {
    store: Store,
    limits: Retention,
    server: HistoryServer,
    clients: Arc<ClientCertificates>,
    bundle: Arc<dyn Fn() -> CaBundle + Send + Sync>,
    _follower: AuthorityFollower,
}

/// Opens the database and the port; waits for the authority.
///
/// # Errors
/// If the database cannot be used, or nothing says whom to trust.
async fn open(args: &Args, client: &Client) -> Result<Service, Failure> {
    let options = &args.history;
    let place = database(options.at.kept()?)?;
    let authority = args.suite.authority().ok_or_else(|| {
        Failure::Invalid(
            "`--role history` lets in whom the suite's authority has signed: add `--authority-secret-name`"
                .into(),
        )
    })?;
    let store = Store::open(place).await.map_err(|error| failure(&error))?;
    let (follower, serving) = follow(client, &authority, HISTORY_SERVICE, true)?;
    let bundle = follower.bundle();
    while serving.is_valid_at(SystemTime::now()).is_err() || bundle().is_empty() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let clients = clients(&bundle(), args)?;
    let tls = tls(serving, &clients)?;
    let server = HistoryServer::bind(options.history_listen, tls, store.clone())
        .await
        .map_err(|error| Failure::Ours(error.to_string()))?;
    let limits =
        Retention { age: Duration::from_hours(options.history_days * 24), bytes: options.history_size << 20 };
    tracing::info!(database = store.shown(), "the history is open");
    Ok(Service { store, limits, server, clients, bundle, _follower: follower })
}

fn database(kept: Option<history::Kept>) -> Result<Place, Failure> {
    match kept {
        Some(history::Kept::Database(place)) => Ok(place),
        Some(history::Kept::Service(_)) => {
            Err(Failure::Invalid("`--role history` owns a database; `--history` takes its file here".into()))
        }
        None => Err(Failure::Invalid(
            "which database? Name a file by `--history`, or PostgreSQL by `--database-url-file`".into(),
        )),
    }
}

/// Whom TLS lets in: servers, the audit and people who read, by the names that only the authority gives.
fn clients(bundle: &CaBundle, args: &Args) -> Result<Arc<ClientCertificates>, Failure> {
    let named = |service: &str| format!("{service}.{}.svc", args.suite.own_namespace);
    let names: BTreeSet<String> = [named(&args.suite.service), named(AUDIT_NAME), named(READER_NAME)].into();
    ClientCertificates::new(ClientMode::Required, bundle.to_pem().as_bytes(), AllowedClients::Named(names))
        .map_err(|error| Failure::Ours(error.to_string()))?
        .ok_or_else(|| Failure::Ours("client certificates are not asked for".to_owned()))
}

fn tls(
    serving: Arc<ServingCertificate>,
    clients: &Arc<ClientCertificates>,
) -> Result<Arc<rustls::ServerConfig>, Failure> {
    server_config(serving, MinimumTls::V1_3, Some(Arc::clone(clients)))
        .map_err(|error| Failure::Ours(error.to_string()))
}

impl Service {
    /// Serves until `stop`; batches that have begun are finished.
    async fn run(self, stop: impl Future<Output = ()> + Send) {
        let Self { store, limits, server, clients, bundle, _follower } = self;
        let (sweeping, following) = (sweep(store.clone(), limits), follow_authority(clients, bundle));
        tokio::select! {
            () = server.run(stop) => {}
            () = sweeping => {}
            () = following => {}
        }
        store.close().await;
    }
}

/// Removes what is beyond the limits, again and again.
async fn sweep(store: Store, limits: Retention) {
    loop {
        match store.keep_within(limits, Timestamp::now()).await {
            Ok(0) => {}
            Ok(decisions) => tracing::info!(decisions, "removed what is beyond the limits"),
            Err(problem) => tracing::warn!(%problem, "what is beyond the limits was not removed"),
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}

/// Trusts what the authority's Secret says now.
async fn follow_authority(clients: Arc<ClientCertificates>, bundle: Arc<dyn Fn() -> CaBundle + Send + Sync>) {
    let mut known = bundle();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = bundle();
        if now.is_empty() || now.same_as(&known) {
            continue;
        }
        match clients.replace_ca(now.to_pem().as_bytes()) {
            Ok(()) => known = now,
            Err(problem) => {
                tracing::warn!(%problem, "the authority's new CA is not trusted; those before stay");
            }
        }
    }
}
