//! What is known of images, beside what the cluster knows: by whom files and the cluster say that they may be signed.

use crate::exit::Failure;
use crate::images::{ImageArgs, Images, Named, fact};
use crate::metrics::ImageLookups;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wayguard_cluster::Client;
use wayguard_cluster::images::{LoginSecret, Logins, ReportWatch, TrustWatch, Trusted};
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_images::authority::ImageAuthorities;
use wayguard_images::registry::credentials::Keyring;
use wayguard_webhook::{BoxFuture, FactSource, Latch, Readiness};

/// A source of facts that also knows images.
pub(super) struct WithImages {
    pub(super) beside: Arc<dyn FactSource>,
    pub(super) images: Arc<Asked>,
}

/// What is asked for images.
pub(super) struct Asked {
    service: Arc<Images>,
    logins: Whose,
    /// Whether it is known who may sign: before that, an image of which nobody seems to speak may be one of which
    /// somebody does.
    known: AtomicBool,
}

/// Whose logins are used for an image.
enum Whose {
    /// The same for everybody.
    Everybodys(Arc<Keyring>),
    /// Those that its namespace offers, and ours where they are for it.
    Namespaces(Arc<Logins>),
}

/// Who may sign, followed.
pub(super) struct Following {
    watch: Arc<TrustWatch>,
    latch: Latch,
    named: Named,
    asked: Arc<Asked>,
    reports: ReportWatch,
}

/// What answers for images, and who keeps it up to date if a cluster says who may sign.
pub(super) type Opened = (Arc<Asked>, Option<Following>);

/// Opens what answers for images: always with a cluster, else if the options name anything.
///
/// # Errors
/// If a file cannot be read or used.
pub(super) fn open(
    args: &ImageArgs,
    secrets: &[LoginSecret],
    client: Option<&Client>,
    own_namespace: &str,
    readiness: &Arc<Readiness>,
) -> Result<Option<Opened>, Failure> {
    let asked = |service, logins, known| Arc::new(Asked { service, logins, known: AtomicBool::new(known) });
    let Some(client) = client else {
        if !secrets.is_empty() {
            let words =
                "`--registry-secret-name` is a Secret of a cluster: add `--in-cluster` or `--kubeconfig`";
            return Err(Failure::Invalid(words.to_owned()));
        }
        let opened = args.open(None)?;
        return Ok(opened
            .map(|(service, keyring)| (asked(service, Whose::Everybodys(Arc::new(keyring)), true), None)));
    };
    let named = args.read()?;
    let service = named.service(&ImageAuthorities::default())?;
    let logins = Logins::start(client, own_namespace, secrets.to_vec(), args.registries.keyring()?);
    let asked = asked(service, Whose::Namespaces(Arc::new(logins)), false);
    let following = Following {
        watch: Arc::new(TrustWatch::start(client, own_namespace)),
        latch: readiness.require("image-authorities", "who may sign images has not been listed yet"),
        named,
        asked: Arc::clone(&asked),
        reports: ReportWatch::start(client),
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
        let (mut changes, mut reports) = (self.watch.changes(), self.reports.changes());
        let mut in_service: Option<Arc<Trusted>> = None;
        let mut complaint = String::new();
        loop {
            if reports.has_changed().unwrap_or_default() {
                let said = reports.borrow_and_update().clone();
                self.asked.service.report((*said).clone());
            }
            let trusted = changes.borrow_and_update().clone();
            match trusted {
                Some(trusted) if in_service.as_ref().is_some_and(|now| Arc::ptr_eq(now, &trusted)) => {}
                Some(trusted) => match self.take(&trusted) {
                    Ok(()) => in_service = Some(trusted),
                    Err(problem) if problem == complaint => {}
                    Err(problem) => {
                        tracing::error!(
                            problem,
                            "who may sign images has changed and cannot be used; what was in service stays"
                        );
                        complaint = problem;
                    }
                },
                None => {
                    if let Some(problem) = self.watch.problem() {
                        self.latch.not_ready(&problem);
                    }
                }
            }
            tokio::select! {
                changed = changes.changed() => {
                    if changed.is_err() {
                        return std::future::pending().await;
                    }
                }
                Ok(()) = reports.changed() => reports.mark_changed(),
                // A problem announces itself by no change.
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    /// Brings who may sign into service.
    fn take(&self, trusted: &Trusted) -> Result<(), String> {
        let settings = self.named.settings(&trusted.authorities).map_err(|failure| failure.to_string())?;
        self.asked.service.replace(settings);
        self.asked.known.store(true, Ordering::Release);
        self.latch.ready();
        Ok(())
    }
}

impl Asked {
    /// What is measured of look-ups.
    pub(super) fn measure(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(ImageLookups(Arc::clone(&self.service))));
    }

    fn at_hand(&self, reference: &str, namespace: &str) -> Option<Fact> {
        if !self.known.load(Ordering::Acquire) {
            return None;
        }
        let keyring = match &self.logins {
            Whose::Everybodys(keyring) => Arc::clone(keyring),
            Whose::Namespaces(logins) => logins.at_hand(namespace)?,
        };
        self.service.at_hand(reference, &keyring).map(Fact::Known)
    }

    async fn fact(&self, reference: &str, namespace: &str, deadline: Instant) -> Fact {
        if !self.known.load(Ordering::Acquire) {
            return Fact::Unavailable(format!(
                "image `{reference}`: who may sign it has not been read from the cluster yet"
            ));
        }
        let keyring = match &self.logins {
            Whose::Everybodys(keyring) => Arc::clone(keyring),
            // Nobody's logins are looked for on behalf of an image that is not asked for.
            Whose::Namespaces(_) if !self.service.asks_for(reference) => Arc::default(),
            Whose::Namespaces(logins) => {
                match tokio::time::timeout_at(deadline.into(), logins.of(namespace)).await {
                    Ok(keyring) => keyring,
                    Err(_) => {
                        return Fact::Unavailable(format!(
                            "image `{reference}`: which pull secrets the namespace offers was not answered in time"
                        ));
                    }
                }
            }
        };
        fact(&self.service, &keyring, reference, deadline).await
    }
}

impl FactSource for WithImages {
    fn at_hand(&self, key: &FactKey) -> Option<Fact> {
        match key {
            FactKey::Image { reference, namespace } => self.images.at_hand(reference, namespace),
            key => self.beside.at_hand(key),
        }
    }

    fn last_heard(&self) -> Option<Duration> {
        self.beside.last_heard()
    }

    fn fetch(&self, keys: Vec<FactKey>, deadline: Instant) -> BoxFuture<'_, Vec<(FactKey, Fact)>> {
        Box::pin(async move {
            let (images, others): (Vec<_>, Vec<_>) =
                keys.into_iter().partition(|key| matches!(key, FactKey::Image { .. }));
            let images = images.into_iter().map(|key| async move {
                let FactKey::Image { reference, namespace } = &key else { return None };
                let fact = self.images.fact(reference, namespace, deadline).await;
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
