//! The certificate that is served: made by this process, or mounted and followed.

use crate::exit::{Failure, io_reason};
use crate::history::{Mutual, trusted};
use crate::output::Output;
use crate::suite::SuiteArgs;
use crate::whole_file;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use wayguard_certs::{
    CertificateFiles, CertificateReloader, ClientCertificates, FileEvent, MinimumTls, POLL_EVERY, SelfMade,
    ServingCertificate, ServingNames, server_config,
};
use wayguard_cluster::Client;
use wayguard_cluster::authority::AuthorityFollower;
use wayguard_webhook::ExpiryCheck;

/// Often enough for any rotation, and for clocks that jump.
const TICK: Duration = Duration::from_mins(1);

/// Options about certificates.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct CertificateArgs {
    /// A certificate chain (PEM) to serve instead of a self-made one; read again whenever it changes
    #[arg(long, value_name = "FILE", env = "WAYGUARD_CERT", requires = "key")]
    cert: Option<PathBuf>,

    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", env = "WAYGUARD_KEY", requires = "cert")]
    key: Option<PathBuf>,

    /// Where to write the CA that clients must trust (PEM), kept current [default: printed once on stdout]
    #[arg(long, value_name = "FILE", env = "WAYGUARD_CA_FILE", conflicts_with = "cert")]
    ca_file: Option<PathBuf>,

    /// Further names or addresses that the server is called by; repeatable. localhost and
    /// those of the Service are always among them
    #[arg(long = "server-name", value_name = "NAME", env = "WAYGUARD_SERVER_NAMES", value_delimiter = ',')]
    server_names: Vec<String>,

    /// The oldest TLS version that is spoken: 1.2 or 1.3
    #[arg(long, value_name = "VERSION", env = "WAYGUARD_MIN_TLS", default_value = "1.3")]
    pub(super) min_tls: MinimumTls,
}

/// The certificate in service and whoever renews it.
pub(super) enum Certificates {
    /// An authority of this process alone.
    Made { made: Arc<SelfMade>, ca_file: Option<PathBuf> },
    /// An authority that all replicas share; this one signs its own leaf.
    Shared { follower: AuthorityFollower, serving: Arc<ServingCertificate> },
    /// Files that somebody else renews.
    Mounted { files: Arc<CertificateReloader>, serving: Arc<ServingCertificate> },
}

/// Makes or reads the certificate. The CA of a self-made one is written, or printed.
///
/// # Errors
/// If keys cannot be made, or the CA's file cannot be written.
pub(super) fn open(
    args: &CertificateArgs,
    suite: &SuiteArgs,
    client: Option<&Client>,
    out: &mut Output,
) -> Result<Certificates, Failure> {
    let names = names(args, suite)?;
    if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        let serving = ServingCertificate::empty();
        let files = CertificateFiles { cert: cert.clone(), key: key.clone() };
        let files = Arc::new(CertificateReloader::new(files, names, Arc::clone(&serving)));
        if let FileEvent::Kept { problem, .. } = files.check(SystemTime::now()) {
            // Whoever writes the files may be a moment behind us: not ready until then, and saying so.
            tracing::warn!(%problem, "no certificate to serve yet; waiting for the files");
        }
        return Ok(Certificates::Mounted { files, serving });
    }
    if let Some(place) = suite.authority() {
        let client = client.ok_or_else(|| {
            Failure::Invalid(
                "`--authority-secret-name` is a Secret of a cluster: add `--in-cluster` or `--kubeconfig`"
                    .into(),
            )
        })?;
        let serving = ServingCertificate::empty();
        let follower = AuthorityFollower::start(client, &place, names, Arc::clone(&serving));
        return Ok(Certificates::Shared { follower, serving });
    }
    let made = SelfMade::new(names, SystemTime::now()).map_err(|error| Failure::Ours(error.to_string()))?;
    match &args.ca_file {
        Some(path) => write_ca(path, &made.bundle_pem())?,
        None => out.write(&made.bundle_pem()),
    }
    Ok(Certificates::Made { made: Arc::new(made), ca_file: args.ca_file.clone() })
}

fn names(args: &CertificateArgs, suite: &SuiteArgs) -> Result<ServingNames, Failure> {
    let service = ServingNames::for_service(&suite.service, &suite.own_namespace);
    let names = service.map_err(|error| Failure::Invalid(error.to_string()))?.and(&ServingNames::local());
    let more = &args.server_names;
    Ok(more.iter().filter(|name| !name.is_empty()).fold(names, |names, name| match name.parse::<IpAddr>() {
        Ok(address) => names.with_ip(address),
        Err(_) => names.with_dns(name),
    }))
}

fn write_ca(path: &std::path::Path, pem: &str) -> Result<(), Failure> {
    whole_file::write(path, pem).map_err(|error| {
        Failure::Invalid(format!("cannot write `{}`: {}", path.display(), io_reason(&error)))
    })
}

impl Certificates {
    /// What is served.
    pub(super) fn serving(&self) -> &Arc<ServingCertificate> {
        match self {
            Self::Made { made, .. } => made.serving(),
            Self::Mounted { serving, .. } | Self::Shared { serving, .. } => serving,
        }
    }

    /// Who this server is to the history's service, and whom it trusts to be that: by the shared authority only.
    pub(super) fn mutual(&self) -> Option<Mutual> {
        match self {
            Self::Shared { follower, serving } => {
                let identity: Arc<ServingCertificate> = Arc::clone(serving);
                Some((identity, trusted(follower)))
            }
            Self::Made { .. } | Self::Mounted { .. } => None,
        }
    }

    /// The server's TLS settings, which follow every change.
    ///
    /// # Errors
    /// If there is no randomness.
    pub(super) fn tls(
        &self,
        minimum: MinimumTls,
        clients: Option<Arc<ClientCertificates>>,
    ) -> Result<Arc<rustls::ServerConfig>, Failure> {
        server_config(Arc::clone(self.serving()), minimum, clients)
            .map_err(|error| Failure::Ours(error.to_string()))
    }

    /// When the certificate in service expires.
    pub(super) fn expiry(&self) -> ExpiryCheck {
        let serving = Arc::clone(self.serving());
        Arc::new(move || serving.not_after().and_then(|time| jiff::Timestamp::try_from(time).ok()))
    }

    /// Renews or follows it for as long as the future is polled.
    pub(super) async fn keep(self) {
        match self {
            Self::Shared { follower, .. } => {
                // It works in a task of its own, for as long as it is held.
                let _follower = follower;
                std::future::pending::<()>().await;
            }
            Self::Mounted { files, .. } => files.keep(POLL_EVERY, SystemTime::now).await,
            Self::Made { made, ca_file } => {
                let mut ticks = tokio::time::interval(TICK);
                loop {
                    ticks.tick().await;
                    let (made, ca_file) = (Arc::clone(&made), ca_file.clone());
                    // Making keys takes time that connections should not wait for.
                    let ticked = tokio::task::spawn_blocking(move || renew(&made, ca_file.as_deref())).await;
                    if let Err(error) = ticked {
                        tracing::error!(%error, "renewing the certificate panicked; it is tried again");
                    }
                }
            }
        }
    }
}

fn renew(made: &SelfMade, ca_file: Option<&std::path::Path>) {
    match made.tick(SystemTime::now()) {
        Err(error) => tracing::error!(%error, "the certificate could not be renewed; it is tried again"),
        Ok(tick) => {
            if let (Some(bundle), Some(path)) = (tick.bundle, ca_file)
                && let Err(error) = write_ca(path, &bundle.to_pem())
            {
                tracing::error!(%error, "the new CA could not be written");
            }
        }
    }
}
