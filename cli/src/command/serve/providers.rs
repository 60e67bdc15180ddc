//! How Gatekeeper's providers are asked: how long answers are good, and what we show to those who ask who we are.

use crate::exit::Failure;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use wayguard_certs::{CertificateFiles, CertificateReloader, FileEvent, POLL_EVERY, ServingCertificate};
use wayguard_webhook::ProviderOptions;

/// Options about providers.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ProviderArgs {
    /// How long the answer of a provider is good, in seconds; 0 asks for every request
    #[arg(long = "provider-cache-ttl", value_name = "SECONDS", env = "WAYGUARD_PROVIDER_CACHE_TTL", default_value = "180", value_parser = super::seconds)]
    cache_ttl: Duration,

    /// A certificate (PEM) to show to providers that ask for one; read again whenever it changes
    #[arg(
        long = "provider-client-cert",
        value_name = "FILE",
        env = "WAYGUARD_PROVIDER_CLIENT_CERT",
        requires = "client_key"
    )]
    client_cert: Option<PathBuf>,

    /// Its private key (PEM)
    #[arg(
        long = "provider-client-key",
        value_name = "FILE",
        env = "WAYGUARD_PROVIDER_CLIENT_KEY",
        requires = "client_cert"
    )]
    client_key: Option<PathBuf>,
}

/// The client certificate's files, followed.
pub(super) struct Identity {
    files: Arc<CertificateReloader>,
}

impl ProviderArgs {
    /// The options for the server, and who follows the certificate's files, if there are any.
    ///
    /// # Errors
    /// If the certificate cannot be used: providers would refuse to talk to us, and nobody would know why.
    pub(super) fn open(&self) -> Result<(ProviderOptions, Option<Identity>), Failure> {
        let mut options = ProviderOptions { cache_ttl: self.cache_ttl, identity: None };
        let (Some(cert), Some(key)) = (&self.client_cert, &self.client_key) else {
            return Ok((options, None));
        };
        let serving = ServingCertificate::empty();
        let files = CertificateFiles { cert: cert.clone(), key: key.clone() };
        let files = Arc::new(CertificateReloader::of_client(files, Arc::clone(&serving)));
        if let FileEvent::Kept { problem, .. } = files.check(SystemTime::now()) {
            return Err(Failure::Invalid(format!("the certificate for providers: {problem}")));
        }
        options.identity = Some(serving);
        Ok((options, Some(Identity { files })))
    }
}

impl Identity {
    /// Follows the files for as long as the future is polled.
    pub(super) async fn keep(self) {
        self.files.keep(POLL_EVERY, SystemTime::now).await;
    }
}
