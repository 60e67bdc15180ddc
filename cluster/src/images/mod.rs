//! Who may sign images, as the cluster says it: `ImageAuthority` and `TrustRoot` objects with the texts that they name,
//! compiled together and swapped whole.
//!
//! ```text
//! ImageAuthority, TrustRoot ─watch─► objects ┐
//! ConfigMaps, Secrets that they name ─watch──┴─► compile ─► Trusted (one Arc, swapped)
//! ```
//! INVARIANT: nothing that goes wrong widens what is let in. What has become unreadable by a slip of the pen leaves what
//! it said before; what was withdrawn (a Secret that is gone, a root that was deleted) is believed no longer; what
//! never could be used lets nothing in of which it speaks. See [`Trusted`].

pub(crate) mod check;
mod compile;
mod logins;
pub(crate) mod objects;
mod reports;
mod texts;

pub use check::{check, read};
pub use compile::Trusted;
pub use logins::{LoginSecret, Logins};
pub use reports::{GROUP as REPORT_GROUP, PLURAL as REPORT_PLURAL, ReportWatch, Reports};

use crate::client::{ApiError, Client};
use compile::{Memory, compile};
use objects::TrustObjects;
use std::sync::Arc;
use std::time::Duration;
use texts::OwnTexts;
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

/// Objects are often applied several at a time.
const QUIET: Duration = Duration::from_millis(20);
/// How long a ConfigMap or Secret that was not named before is waited for.
const TEXTS_WITHIN: Duration = Duration::from_secs(5);

/// The watches, and what was made of them last.
pub struct TrustWatch {
    objects: Arc<TrustObjects>,
    trusted: watch::Receiver<Option<Arc<Trusted>>>,
    _task: crate::mirror::Task,
}

impl TrustWatch {
    /// Starts watching; what is trusted comes when both kinds have been listed whole. ConfigMaps and Secrets are read
    /// in `own_namespace` alone.
    pub fn start(client: &Client, own_namespace: &str) -> Self {
        let objects = Arc::new(TrustObjects::start(client));
        let changed = Arc::new(Notify::new());
        let (publisher, trusted) = watch::channel(None);
        let loader = Loader {
            objects: Arc::clone(&objects),
            texts: OwnTexts::new(client, own_namespace, &changed),
            changed,
            memory: Memory::default(),
            trusted: publisher,
        };
        Self { objects, trusted, _task: crate::mirror::Task(tokio::spawn(loader.run())) }
    }

    /// What is trusted now; `None` before the first whole list.
    pub fn trusted(&self) -> Option<Arc<Trusted>> {
        self.trusted.borrow().clone()
    }

    /// Announces every change.
    pub fn changes(&self) -> watch::Receiver<Option<Arc<Trusted>>> {
        self.trusted.clone()
    }

    /// What keeps the watches from going on, in words for an operator.
    pub fn problem(&self) -> Option<String> {
        Some(match self.objects.problem()? {
            ApiError::NotFound(_) => {
                "the kinds `ImageAuthority` and `TrustRoot` are not installed; `wayguard install` installs them"
                    .to_owned()
            }
            other => other.to_string(),
        })
    }
}

struct Loader {
    objects: Arc<TrustObjects>,
    texts: OwnTexts,
    changed: Arc<Notify>,
    memory: Memory,
    trusted: watch::Sender<Option<Arc<Trusted>>>,
}

impl Loader {
    async fn run(mut self) {
        let _forwards = self.objects.forward(&self.changed);
        self.objects.wait_synced().await;
        loop {
            self.load().await;
            self.changed.notified().await;
            tokio::time::sleep(QUIET).await;
        }
    }

    async fn load(&mut self) {
        let (authorities, roots) = (self.objects.authorities(), self.objects.roots());
        self.texts.follow(objects::texts(&authorities, &roots));
        self.texts.wait(TEXTS_WITHIN).await;
        let trusted = compile(&authorities, &roots, &self.texts.read(), &mut self.memory);
        let before = self.trusted.borrow().clone();
        if before.as_deref() == Some(&trusted) {
            return;
        }
        info!(authorities = authorities.len(), roots = roots.len(), "who may sign images is known");
        for item in trusted.authorities_told.iter().chain(&trusted.roots_told).filter(|item| !item.loaded) {
            for problem in &item.errors {
                warn!(name = item.name, problem, "an ImageAuthority or TrustRoot cannot be used");
            }
        }
        self.trusted.send_replace(Some(Arc::new(trusted)));
    }
}

#[cfg(test)]
mod tests;
