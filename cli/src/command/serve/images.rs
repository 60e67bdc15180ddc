//! What is known of images, beside what the cluster knows: by whom files and the cluster say that they may be signed.

use crate::exit::Failure;
use crate::images::{ImageArgs, Images, Named, fact};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wayguard_cluster::Client;
use wayguard_cluster::images::{TrustWatch, check};
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_images::authority::ImageAuthorities;
use wayguard_images::registry::credentials::Keyring;
use wayguard_webhook::{Applied, BoxFuture, FactSource, KindJudge, Latch, Readiness};

/// A source of facts that also knows images.
pub(super) struct WithImages {
    pub(super) beside: Arc<dyn FactSource>,
    pub(super) images: Arc<Asked>,
}

/// What is asked for images.
pub(super) struct Asked {
    service: Arc<Images>,
    keyring: Keyring,
    /// Whether it is known who may sign: before that, an image of which nobody seems to speak may be one of which
    /// somebody does.
    known: AtomicBool,
}

/// Who may sign, followed.
pub(super) struct Following {
    watch: Arc<TrustWatch>,
    latch: Latch,
    named: Named,
    asked: Arc<Asked>,
}

/// Opens what answers for images: always with a cluster, else if the options name anything.
///
/// # Errors
/// If a file cannot be read or used.
pub(super) fn open(
    args: &ImageArgs,
    client: Option<&Client>,
    own_namespace: &str,
    readiness: &Arc<Readiness>,
) -> Result<Option<(Arc<Asked>, Option<Following>)>, Failure> {
    let asked = |service, keyring, known| Arc::new(Asked { service, keyring, known: AtomicBool::new(known) });
    let Some(client) = client else {
        let opened = args.open(None)?;
        return Ok(opened.map(|(service, keyring)| (asked(service, keyring, true), None)));
    };
    let named = args.read()?;
    let service = named.service(&ImageAuthorities::default())?;
    let asked = asked(service, args.registries.keyring()?, false);
    let following = Following {
        watch: Arc::new(TrustWatch::start(client, own_namespace)),
        latch: readiness.require("image-authorities", "who may sign images has not been listed yet"),
        named,
        asked: Arc::clone(&asked),
    };
    Ok(Some((asked, Some(following))))
}

impl Following {
    /// For the report to `control`.
    pub(super) fn watch(&self) -> Arc<TrustWatch> {
        Arc::clone(&self.watch)
    }

    /// Brings every change into service, for as long as the future is polled. Verdicts by who has not changed stay.
    pub(super) async fn keep(self) {
        let mut changes = self.watch.changes();
        loop {
            if let Some(trusted) = changes.borrow_and_update().clone() {
                match self.named.settings(&trusted.authorities) {
                    Ok(settings) => {
                        self.asked.service.replace(settings);
                        self.asked.known.store(true, Ordering::Release);
                        self.latch.ready();
                    }
                    Err(problem) => {
                        tracing::error!(%problem, "who may sign images has changed and cannot be used; what was in service stays");
                    }
                }
            } else if let Some(problem) = self.watch.problem() {
                self.latch.not_ready(&problem);
            }
            // A problem announces itself by no change.
            if let Ok(Err(_ended)) = tokio::time::timeout(Duration::from_secs(1), changes.changed()).await {
                return std::future::pending().await;
            }
        }
    }
}

/// ImageAuthority and TrustRoot objects, judged when they are applied.
pub(super) struct AppliedTrust {
    pub(super) client: Client,
    pub(super) own_namespace: String,
}

impl KindJudge for AppliedTrust {
    fn judge(&self, applied: Applied) -> BoxFuture<'_, Option<Result<(), String>>> {
        Box::pin(async move {
            let Applied { kind, name, spec } = applied;
            check(&self.client, &self.own_namespace, &kind, &name, spec).await
        })
    }
}

impl Asked {
    fn at_hand(&self, reference: &str) -> Option<Fact> {
        if !self.known.load(Ordering::Acquire) {
            return None;
        }
        self.service.at_hand(reference, &self.keyring).map(Fact::Known)
    }

    async fn fact(&self, reference: &str, deadline: Instant) -> Fact {
        if !self.known.load(Ordering::Acquire) {
            return Fact::Unavailable(format!(
                "image `{reference}`: who may sign it has not been read from the cluster yet"
            ));
        }
        fact(&self.service, &self.keyring, reference, deadline).await
    }
}

impl FactSource for WithImages {
    fn at_hand(&self, key: &FactKey) -> Option<Fact> {
        match key {
            FactKey::Image { reference, .. } => self.images.at_hand(reference),
            key => self.beside.at_hand(key),
        }
    }

    fn fetch(&self, keys: Vec<FactKey>, deadline: Instant) -> BoxFuture<'_, Vec<(FactKey, Fact)>> {
        Box::pin(async move {
            let (images, others): (Vec<_>, Vec<_>) =
                keys.into_iter().partition(|key| matches!(key, FactKey::Image { .. }));
            let images = images.into_iter().map(|key| async move {
                let FactKey::Image { reference, .. } = &key else { return None };
                let fact = self.images.fact(reference, deadline).await;
                Some((key, fact))
            });
            let others = async {
                if others.is_empty() { Vec::new() } else { self.beside.fetch(others, deadline).await }
            };
            let (images, mut answers) =
                futures::future::join(futures::future::join_all(images), others).await;
            answers.extend(images.into_iter().flatten());
            answers
        })
    }
}
