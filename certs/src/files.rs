//! Mounted files: a certificate that somebody else renews (cert-manager, a company's own PKI).
//!
//! The files are read, compared and taken into service within seconds of a change; a pair that is half written,
//! mismatched or of another time leaves the last good one in place. They are never written.

use crate::clients::{AllowedClients, ClientCertificates, ClientMode, ClientsError};
use crate::leaf::Leaf;
use crate::names::ServingNames;
use crate::serving::ServingCertificate;
use crate::watched::{FileEvent, FileProblem, Loaded, WatchedFiles};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Where the certificate chain (leaf first) and its key are mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain: `tls.crt` of a Secret of type `kubernetes.io/tls`.
    pub cert: PathBuf,
    /// The key: `tls.key`.
    pub key: PathBuf,
}

/// Keeps a [`ServingCertificate`] as its files have it.
#[derive(Debug)]
pub struct CertificateReloader {
    files: WatchedFiles<2>,
    /// `None`: no client asks for a name.
    names: Option<ServingNames>,
    serving: Arc<ServingCertificate>,
}

impl CertificateReloader {
    /// Will load `files` into `serving`; nothing is read yet. `names` are those that clients will ask for.
    pub fn new(files: CertificateFiles, names: ServingNames, serving: Arc<ServingCertificate>) -> Self {
        Self { files: WatchedFiles::new([files.cert, files.key]), names: Some(names), serving }
    }

    /// As [`Self::new`], for a certificate that is shown to servers rather than to clients.
    pub fn of_client(files: CertificateFiles, shown: Arc<ServingCertificate>) -> Self {
        Self { files: WatchedFiles::new([files.cert, files.key]), names: None, serving: shown }
    }

    /// Looks at the files once. At start, a `Kept` means that nothing is served: the server may wait, unready, for
    /// whoever writes the files.
    pub fn check(&self, now: SystemTime) -> FileEvent {
        self.files.check(|[chain, key]| {
            let [path, _] = self.files.paths();
            let leaf = Leaf::from_pem(chain, key)
                .map_err(|cause| FileProblem::Leaf { path: path.clone(), cause })?;
            let certificate = leaf.certificate();
            certificate
                .check_time(now)
                .map_err(|cause| FileProblem::Untimely { path: path.clone(), cause })?;
            let not_after = certificate.not_after();
            let names = self.names.as_ref();
            let warnings = names.map(|names| names.warnings(certificate)).unwrap_or_default();
            self.serving.replace(leaf);
            Ok(Loaded { not_after, warnings })
        })
    }

    /// Looks at the files for as long as the future is polled, [`POLL_EVERY`](crate::POLL_EVERY) or as told. Events are
    /// logged and counted; it never ends by itself.
    pub async fn keep(self: Arc<Self>, every: Duration, clock: impl Fn() -> SystemTime) {
        poll(every, move || {
            let (files, now) = (Arc::clone(&self), clock());
            move || drop(files.check(now))
        })
        .await;
    }

    /// What the last check met, if it was not well: the reason that `/readyz` gives when nothing is served.
    pub fn problem(&self) -> Option<FileProblem> {
        self.files.problem()
    }

    /// How often a new pair was taken into service.
    pub fn loaded(&self) -> u64 {
        self.files.loaded()
    }

    /// How many checks ended with a problem, repeated ones included.
    pub fn failed(&self) -> u64 {
        self.files.failed()
    }
}

/// Keeps the CA of client certificates as its file has it.
#[derive(Debug)]
pub struct ClientCaReloader {
    file: WatchedFiles<1>,
    clients: Arc<ClientCertificates>,
}

impl ClientCaReloader {
    /// Reads the CA from `path`; `None` for [`ClientMode::Off`], and then nothing is read.
    ///
    /// # Errors
    /// When the file cannot be read or used, or the list of names is empty. Without a CA there is nobody to let in,
    /// so this is not to be waited for.
    pub fn open(path: &Path, mode: ClientMode, allowed: AllowedClients) -> Result<Option<Self>, FileProblem> {
        if mode == ClientMode::Off {
            return Ok(None);
        }
        let file = WatchedFiles::new([path.to_owned()]);
        let mut verifying = None;
        let event = file.check(|[pem]| {
            verifying = ClientCertificates::new(mode, pem, allowed).map_err(|cause| unusable(path, cause))?;
            Ok(loaded(verifying.as_deref()))
        });
        match (verifying, event) {
            (_, FileEvent::Kept { problem, .. }) => Err(problem),
            (clients, _) => Ok(clients.map(|clients| Self { file, clients })),
        }
    }

    /// What verifies, for [`server_config`](crate::server_config).
    pub fn clients(&self) -> &Arc<ClientCertificates> {
        &self.clients
    }

    /// Looks at the file once.
    pub fn check(&self) -> FileEvent {
        let [path] = self.file.paths();
        self.file.check(|[pem]| {
            self.clients.replace_ca(pem).map_err(|cause| unusable(path, cause))?;
            Ok(loaded(Some(&self.clients)))
        })
    }

    /// Looks at the file for as long as the future is polled; it never ends by itself.
    pub async fn keep(self: Arc<Self>, every: Duration) {
        poll(every, move || {
            let file = Arc::clone(&self);
            move || drop(file.check())
        })
        .await;
    }

    /// What the last check met, if it was not well.
    pub fn problem(&self) -> Option<FileProblem> {
        self.file.problem()
    }

    /// How many checks ended with a problem, repeated ones included.
    pub fn failed(&self) -> u64 {
        self.file.failed()
    }
}

fn loaded(clients: Option<&ClientCertificates>) -> Loaded {
    let not_after = clients.map_or(SystemTime::UNIX_EPOCH, ClientCertificates::not_after);
    Loaded { not_after, warnings: Vec::new() }
}

fn unusable(path: &Path, cause: ClientsError) -> FileProblem {
    FileProblem::Clients { path: path.to_owned(), cause }
}

/// Runs what `next` gives on the blocking pool, at once and then after every pause.
async fn poll<Check: FnOnce() + Send + 'static>(every: Duration, next: impl Fn() -> Check) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = tokio::task::spawn_blocking(next()).await {
            tracing::error!(%error, "a look at mounted files ended early; the next one follows");
        }
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
