//! `wayguard serve`: the admission server, put together from certificates, policies and facts.
//!
//! ```text
//! options ─► logging ─► policies (loaded, then watched) ─┐
//!                       certificates (made or mounted) ──┼─► AdmissionServer ─► until SIGTERM, drained
//!                       surroundings (facts) ────────────┘
//! ```

mod applied;
mod certificates;
mod clients;
mod images;
mod providers;
mod recording;
mod reload;
pub(crate) mod surroundings;

use crate::cluster::ClusterArgs;
use crate::exit::{ExitStatus, Failure};
use crate::history::HistoryArgs;
use crate::images::ImageArgs;
use crate::logging::LoggingArgs;
use crate::output::Output;
use crate::policies::{PolicyArgs, Sources};
use crate::suite::{LoginArgs, SuiteArgs};
use applied::AppliedKinds;
use certificates::CertificateArgs;
use clients::ClientArgs;
use images::{Following, WithImages};
use providers::ProviderArgs;
use reload::Reloader;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use wayguard_certs::POLL_EVERY;
use wayguard_engine::policy::library::Library;
use wayguard_provisioning::admission::Judge;
use wayguard_webhook::{AdmissionServer, KindJudge, Parts, PolicySource, Readiness, terminated};

/// Options of `serve`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard serve --ca-file ca.pem                       with the built-in policies
  wayguard serve --policies golden-path --policies ./my-policies
  wayguard serve --cert tls.crt --key tls.key           with a certificate of somebody else's making
  curl --cacert ca.pem https://localhost:8443/validate/fail -d @review.json

Every option can be given by its environment variable instead. SIGTERM and Ctrl-C end it after draining.")]
pub(crate) struct Args {
    /// Where the API server connects (TLS): host:port, or :port for all addresses; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", env = "WAYGUARD_LISTEN", default_value = ":8443", value_parser = address)]
    listen: SocketAddr,

    /// Let other servers listen on the same address; the system spreads connections over them
    #[arg(long, env = "WAYGUARD_SHARE_PORT")]
    share_port: bool,

    /// Where probes and metrics are served (plain HTTP): /livez, /readyz, /metrics
    #[arg(long, value_name = "ADDRESS", env = "WAYGUARD_HEALTH_LISTEN", default_value = ":8080", value_parser = address)]
    health_listen: SocketAddr,

    #[command(flatten)]
    policies: PolicyArgs,

    #[command(flatten)]
    cluster: ClusterArgs,

    #[command(flatten)]
    certificates: CertificateArgs,

    #[command(flatten)]
    clients: ClientArgs,

    #[command(flatten)]
    providers: ProviderArgs,

    #[command(flatten)]
    images: ImageArgs,

    #[command(flatten)]
    logins: LoginArgs,

    #[command(flatten)]
    logging: LoggingArgs,

    /// How often policy files are looked at, in seconds
    #[arg(long, value_name = "SECONDS", env = "WAYGUARD_RELOAD_INTERVAL", default_value = "1", value_parser = seconds)]
    reload_interval: Duration,

    /// For all Rego of one request, in seconds
    #[arg(long, value_name = "SECONDS", env = "WAYGUARD_EVALUATION_LIMIT", default_value = "2", value_parser = seconds)]
    evaluation_limit: Duration,

    /// Threads that judge [default: one per core]
    #[arg(long, value_name = "COUNT", env = "WAYGUARD_WORKERS")]
    workers: Option<std::num::NonZeroUsize>,

    /// After SIGTERM: how long to answer on while no longer ready, in seconds. In a cluster 10 lets Services
    /// notice
    #[arg(long, value_name = "SECONDS", env = "WAYGUARD_DRAIN_DELAY", default_value = "0", value_parser = seconds)]
    drain_delay: Duration,

    #[command(flatten)]
    suite: SuiteArgs,

    #[command(flatten)]
    history: HistoryArgs,

    /// What this cluster is called in the history
    #[arg(long, value_name = "NAME", env = "WAYGUARD_CLUSTER_NAME", default_value = "default")]
    cluster_name: String,
}

/// `host:port`, or `:port` for all addresses.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let whole =
        if text.starts_with(':') { format!("[::]{text}") } else { text.replace("localhost:", "127.0.0.1:") };
    whole
        .parse()
        .map_err(|_| "expected an address such as `:8443`, `127.0.0.1:8443` or `[::1]:8443`".to_owned())
}

/// A number of seconds, fractions too.
fn seconds(text: &str) -> Result<Duration, String> {
    let number: Option<f64> = text.parse().ok().filter(|number| (0.0..=86_400.0).contains(number));
    number
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected seconds, such as `2` or `0.5`, at most a day".to_owned())
}

/// Runs the command.
///
/// # Errors
/// If policies or certificates cannot be loaded at start, or a port is taken.
pub(crate) fn run(args: Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    crate::logging::start(&args.logging)?;
    wayguard_webhook::log_panics_without_values();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Ours(format!("cannot start threads: {error}")))?;
    runtime.block_on(serve(args, out))?;
    Ok(ExitStatus::Fine)
}

async fn serve(args: Args, out: &mut Output) -> Result<(), Failure> {
    let stop = terminated().map_err(|error| Failure::Ours(format!("cannot listen to signals: {error}")))?;
    let policies = Arc::new(PolicySource::new());
    let sources = Sources::new(args.policies)?.observing(args.suite.observe);
    let readiness = Readiness::new();
    let client = args.cluster.connect().await?;
    if let Some(client) = &client {
        surroundings::without_gatekeeper(client, &args.suite).await?;
    }
    let surroundings = surroundings::open(client.as_ref(), &sources, &args.suite, &readiness)?;
    // With a cluster the first set is the one that holds its policies too: half a set must not be served.
    let reloader = if surroundings.has_cluster() {
        None
    } else {
        Some(Reloader::load(sources.clone(), Arc::clone(&policies))?)
    };
    let certificates = certificates::open(&args.certificates, &args.suite, client.as_ref(), out)?;

    let clients = clients::open(&args.clients)?;
    let tls = certificates
        .tls(args.certificates.min_tls, clients.as_ref().map(|clients| Arc::clone(clients.clients())))?;
    let mut parts = Parts::new(tls, certificates.expiry(), Arc::clone(&policies), Library::embedded());
    parts.facts = Arc::clone(&surroundings.facts);
    surroundings.measure(&mut parts.registry);
    let mut following = None;
    if let Some((asked, follows)) = images::open(
        &args.images,
        &args.logins.registry_secret,
        client.as_ref(),
        &args.suite.own_namespace,
        &readiness,
    )? {
        asked.measure(&mut parts.registry);
        parts.facts = Arc::new(WithImages { beside: parts.facts, images: asked });
        following = follows;
    }
    parts.kind_judge =
        client.clone().zip(surroundings.watch()).map(|(client, policies)| -> Arc<dyn KindJudge> {
            let claims = Judge::new(client.clone(), Library::embedded());
            Arc::new(AppliedKinds {
                client,
                own_namespace: args.suite.own_namespace.clone(),
                policies,
                claims,
            })
        });
    let (providers, identity) = args.providers.open()?;
    parts.providers = providers;
    parts.readiness = readiness;
    let trust = following.as_ref().map(Following::watch);
    parts.load_report = surroundings.load_report(certificates.serving(), trust);
    let recording = recording::open(&args.history, &args.cluster_name, &certificates)?;
    parts.recording.clone_from(&recording);
    parts.config.admission_address = args.listen;
    parts.config.health_address = args.health_listen;
    parts.config.share_port = args.share_port;
    parts.config.evaluation_limit = args.evaluation_limit;
    parts.config.drain_delay = args.drain_delay;
    parts.config.own_namespace = args.suite.own_namespace;
    if let Some(workers) = args.workers {
        parts.config.workers = workers;
    }
    let server = AdmissionServer::bind(parts).await.map_err(|error| Failure::Ours(error.to_string()))?;
    let (admission, health) =
        server.addresses().map_err(|error| Failure::Ours(format!("cannot tell the addresses: {error}")))?;
    out.flush();
    tracing::info!(%admission, %health, "serving");

    let renewing = tokio::spawn(certificates.keep());
    let reloading = match reloader {
        Some(reloader) => tokio::spawn(reloader.keep(args.reload_interval)),
        None => tokio::spawn(surroundings.keep(sources, policies, args.reload_interval)),
    };
    let identity = identity.map(|identity| tokio::spawn(identity.keep()));
    let clients = clients.map(|clients| tokio::spawn(clients.keep(POLL_EVERY)));
    let trusting = following.map(|following| tokio::spawn(following.keep()));
    server.run(stop).await;
    renewing.abort();
    identity.iter().chain(&trusting).chain(&clients).for_each(tokio::task::JoinHandle::abort);
    reloading.abort();
    recording::finish(recording).await;
    tracing::info!("ended");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, expected) in [
            (":8443", "[::]:8443"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("localhost:80", "127.0.0.1:80"),
            ("[::1]:1", "[::1]:1"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), expected);
        }
        assert!(address("8443").unwrap_err().starts_with("expected an address"));
        assert_eq!(seconds("0.5").unwrap(), Duration::from_millis(500));
        assert!(seconds("-1").is_err() && seconds("NaN").is_err());
    }
}
