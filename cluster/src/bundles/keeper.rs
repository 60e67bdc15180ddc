//! The leader's part: asks the registry for what a `PolicyBundle` names, and stores it if who must have signed did, it
//! does not go back, and it loads.
//!
//! What is stored already is verified again, at every start, whenever it changes who may sign, and hourly; a signature
//! that is gone is told in the status, and takes nothing out of force: a registry that loses referrers, or a leader that
//! cannot reach it, must not take a cluster's policies away. Who wants a bundle gone deletes its object.

use super::{Bundled, Stored, enforce, store};
use crate::client::{ApiError, Client};
use crate::images::{Logins, TrustWatch, Trusted};
use crate::kinds::condition::ConditionStatus;
use crate::policies::object::Object;
use crate::policies::{Base, PolicyWatch};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::{info, warn};
use wayguard_bundle::artifact::{self, may_follow};
use wayguard_bundle::spec::PolicyBundleSpec;
use wayguard_bundle::vouched::{Vouched, vouched};
use wayguard_engine::PolicySetBuilder;
use wayguard_engine::policy::set::SetConfig;
use wayguard_images::digest::Digest;
use wayguard_images::reference::Reference;
use wayguard_images::registry::Repository;
use wayguard_images::registry::http::Client as Registry;
use wayguard_images::registry::options::{Bounds, RegistryOptions};

/// What is stored is verified again after this.
const AGAIN: Duration = Duration::from_hours(1);
/// A registry that did not answer is asked again after this, and then ever later.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Changes come in bursts.
const QUIET: Duration = Duration::from_millis(100);
/// Between looks at what a watch may have missed.
const CALM: Duration = Duration::from_secs(30);

/// How a registry is reached, by its host; asked again for each look.
pub type Registries = Arc<dyn Fn(&str) -> Result<RegistryOptions, String> + Send + Sync>;

/// What the leader has found out about a bundle: the condition `Verified`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// The generation of the object that was looked at.
    pub(crate) generation: i64,
    /// Whether who must have signed did.
    pub(crate) status: ConditionStatus,
    /// One word.
    pub(crate) reason: &'static str,
    /// For people.
    pub(crate) message: String,
}

/// What is known of each bundle, by name.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<BTreeMap<String, Note>>);

impl Notes {
    /// All of them.
    pub(crate) fn all(&self) -> BTreeMap<String, Note> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, name: &str, note: Note) -> bool {
        let before =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), note.clone());
        before.as_ref() != Some(&note)
    }

    fn retain(&self, keep: impl Fn(&str) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, _| keep(name));
    }
}

/// Works while it leads.
pub(crate) struct Keeper {
    pub(crate) client: Client,
    pub(crate) own_namespace: String,
    pub(crate) policies: Arc<PolicyWatch>,
    /// For the library that is built in.
    pub(crate) base: Base,
    pub(crate) trust: TrustWatch,
    pub(crate) logins: Logins,
    pub(crate) registries: Registries,
    pub(crate) leading: watch::Receiver<bool>,
    pub(crate) notes: Arc<Notes>,
    /// Told when a note has changed: statuses are to be written.
    pub(crate) noted: Arc<Notify>,
}

/// When a bundle is looked at again, and of what the last look was.
struct Looked {
    generation: i64,
    /// Who had to sign.
    authorities: Option<Digest>,
    again: Instant,
    pause: Duration,
}

/// Why a bundle is not stored, or not vouched for.
struct Refusal {
    status: ConditionStatus,
    reason: &'static str,
    message: String,
}

fn refused(reason: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status: ConditionStatus::False, reason, message: message.into() }
}

fn unknown(reason: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status: ConditionStatus::Unknown, reason, message: message.into() }
}

impl Keeper {
    pub(crate) async fn run(mut self) {
        let changed = Arc::new(Notify::new());
        let _forwards = self.policies.bundles().forward(&changed);
        self.policies.bundles().wait_synced().await;
        let mut trusted = self.trust.changes();
        let mut looked: BTreeMap<String, Looked> = BTreeMap::new();
        loop {
            let mut next = Instant::now() + CALM;
            if *self.leading.borrow_and_update() {
                let known = trusted.borrow_and_update().clone();
                if let Some(known) = known {
                    next = next.min(self.round(&known, &mut looked).await);
                }
            } else {
                looked.clear();
            }
            let ended = tokio::select! {
                () = tokio::time::sleep_until(next) => false,
                () = changed.notified() => { tokio::time::sleep(QUIET).await; false }
                gone = trusted.changed() => gone.is_err(),
                gone = self.leading.changed() => gone.is_err(),
            };
            if ended {
                return;
            }
        }
    }

    /// Looks at every bundle that is due; when the next one is.
    async fn round(&self, trusted: &Trusted, looked: &mut BTreeMap<String, Looked>) -> Instant {
        let objects = self.policies.bundles().objects();
        looked.retain(|name, _| objects.iter().any(|object| object.name == *name));
        self.notes.retain(|name| objects.iter().any(|object| object.name == name));
        if let Err(problem) = self.sweep(&objects).await {
            warn!(%problem, "ConfigMaps of bundles that are gone are not removed yet");
        }
        let mut next = Instant::now() + CALM;
        for object in objects {
            if !*self.leading.borrow() {
                break;
            }
            let place = object.spec.as_ref().ok().and_then(|spec| spec.artifact().ok());
            let authorities = place.as_ref().map(|(reference, _)| trusted.authorities.content_for(reference));
            let intact =
                place.as_ref().is_none_or(|(_, digest)| self.policies.bundles().holds(&object.name, *digest));
            let before = looked.get(&object.name);
            let same = before
                .filter(|before| before.generation == object.generation && before.authorities == authorities);
            // What was stored and has been damaged is stored again at once.
            if let Some(same) = same
                && Instant::now() < same.again
                && (intact || same.pause > Duration::ZERO)
            {
                next = next.min(same.again);
                continue;
            }
            let found = self.look(&object, trusted).await;
            let pause = match &found {
                Ok(_) => Duration::ZERO,
                Err(_) => same.map_or(FIRST_PAUSE, |same| (same.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE)),
            };
            let again = Instant::now() + if found.is_ok() { AGAIN } else { pause };
            next = next.min(again);
            looked.insert(
                object.name.clone(),
                Looked { generation: object.generation, authorities, again, pause },
            );
            self.note(&object, found);
        }
        next
    }

    fn note(&self, object: &Object<PolicyBundleSpec>, found: Result<Vec<String>, Refusal>) {
        let generation = object.generation;
        let note = match found {
            Ok(signers) => {
                let message = format!("signed by {}", signers.join(", "));
                Note { generation, status: ConditionStatus::True, reason: "Signed", message }
            }
            Err(Refusal { status, reason, message }) => Note { generation, status, reason, message },
        };
        let (status, message) = (note.status, note.message.clone());
        if self.notes.put(&object.name, note) {
            if status == ConditionStatus::True {
                info!(bundle = object.name, found = message, "a PolicyBundle is verified");
            } else {
                warn!(bundle = object.name, found = message, "a PolicyBundle is not verified");
            }
            self.noted.notify_one();
        }
    }

    /// Who signed; and stores the bundle if that is what is missing.
    async fn look(
        &self,
        object: &Object<PolicyBundleSpec>,
        trusted: &Trusted,
    ) -> Result<Vec<String>, Refusal> {
        let spec = object.spec.as_ref().map_err(|error| refused("Invalid", error.to_string()))?;
        let (reference, digest) = spec.artifact().map_err(|problem| refused("Invalid", problem))?;
        let authorities = trusted.authorities.of(&reference);
        // No registry is dialled that nobody speaks of.
        if authorities.is_empty() {
            return Err(refused(
                "NobodySpeaksOfIt",
                format!(
                    "no ImageAuthority speaks of `{}`, so nobody is known who may sign it; write one whose `images` name it",
                    reference.name()
                ),
            ));
        }
        let registry =
            self.registry(&reference).await.map_err(|problem| unknown("RegistryUnavailable", problem))?;
        let repository = Repository::of(&reference);
        let said = vouched(&authorities, &registry, &repository, digest).await;
        let signers = match said.map_err(|problem| unknown("RegistryUnavailable", problem.to_string()))? {
            Vouched::By(signers) => signers,
            Vouched::No(reasons) => {
                return Err(refused(
                    "NotSigned",
                    format!("`{reference}` is not signed by who should:\n{}", reasons.join("\n")),
                ));
            }
        };
        if !self.policies.bundles().holds(&object.name, digest) {
            let artifact = artifact::pull(&registry, &repository, &digest.to_string()).await;
            let artifact = artifact.map_err(|problem| match problem {
                artifact::ArtifactError::Registry(problem) => {
                    unknown("RegistryUnavailable", problem.to_string())
                }
                problem => refused("NotABundle", problem.to_string()),
            })?;
            self.take(object, spec, digest, artifact).await?;
        }
        Ok(signers)
    }

    async fn registry(&self, reference: &Reference) -> Result<Registry, String> {
        let keyring = self.logins.of(&self.own_namespace).await;
        let mut fitting = keyring.matching(reference.registry(), reference.repository());
        let credential = fitting.find(|credential| !credential.is_empty()).cloned();
        let options = (self.registries)(reference.registry())?;
        Registry::new(reference.registry(), &options, credential, Bounds::default())
            .map_err(|problem| problem.to_string())
    }

    /// Stores what is signed, if it may take the place of what is there, and loads.
    async fn take(
        &self,
        object: &Object<PolicyBundleSpec>,
        spec: &PolicyBundleSpec,
        digest: Digest,
        artifact: artifact::Artifact,
    ) -> Result<(), Refusal> {
        if artifact.digest != digest {
            return Err(refused(
                "NotABundle",
                format!("the registry gave `{}` for `{digest}`", artifact.digest),
            ));
        }
        if artifact.archive.len() > store::LARGEST {
            let words =
                format!("it has {} bytes; at most {} are stored", artifact.archive.len(), store::LARGEST);
            return Err(refused("TooLarge", words));
        }
        let watch = self.policies.bundles();
        let current = watch.current().into_iter().find(|bundle| bundle.name == object.name);
        let before = current.and_then(|bundle| bundle.stored);
        let (base, spec, name) = (Arc::clone(&self.base), spec.clone(), object.name.clone());
        // Unpacking and compiling are pure work of up to seconds.
        let judged = tokio::task::spawn_blocking(move || {
            let stored = Stored::of(&artifact).map_err(|problem| refused("NotABundle", problem))?;
            if !spec.allow_rollback {
                follows(&stored, before.as_deref()).map_err(|problem| refused("Rollback", problem))?;
            }
            let stored = Arc::new(stored);
            loads(&base, &name, spec, &stored).map_err(|problem| refused("DoesNotLoad", problem))?;
            Ok((artifact, stored))
        });
        let (artifact, stored) = judged.await.map_err(|problem| unknown("Failed", problem.to_string()))??;
        let written =
            store::write(&self.client, &self.own_namespace, &object.name, &artifact, &stored.about).await;
        written.map_err(|problem| unknown("NotStored", format!("it cannot be stored: {problem}")))?;
        info!(bundle = object.name, %digest, version = %stored.about.version, "a PolicyBundle is stored");
        Ok(())
    }

    /// Removes what belongs to no object, and parts that no index names.
    async fn sweep(&self, objects: &[Arc<Object<PolicyBundleSpec>>]) -> Result<(), ApiError> {
        let watch = self.policies.bundles();
        let mut known: BTreeMap<String, Option<Digest>> = BTreeMap::new();
        for kept in watch.kept() {
            let gone = !objects.iter().any(|object| object.name == kept.bundle);
            // The whole archive is read for it: once a bundle, not once a part.
            let current =
                *known.entry(kept.bundle.clone()).or_insert_with(|| watch.current_digest(&kept.bundle));
            let left_over = current.is_some_and(|digest| store::is_left_over(&kept, digest));
            if gone || left_over {
                store::remove(&self.client, &self.own_namespace, &kept).await?;
            }
        }
        Ok(())
    }
}

/// Whether one bundle may take the place of another.
pub(super) fn follows(new: &Stored, old: Option<&Stored>) -> Result<(), String> {
    let Some(old) = old else { return Ok(()) };
    let let_it = "`spec.allowRollback: true` lets it";
    if old.about.name != new.about.name {
        return Err(format!(
            "`{}` would take the place of `{}`, which is another bundle; {let_it}",
            new.about.name, old.about.name
        ));
    }
    may_follow(&new.about.version, &old.about.version).map_err(|problem| format!("{problem}; {let_it}"))
}

/// Whether everything that would be in force can be compiled.
pub(super) fn loads(
    base: &Base,
    name: &str,
    spec: PolicyBundleSpec,
    stored: &Arc<Stored>,
) -> Result<(), String> {
    let library = Arc::clone(base()?.library());
    let mut builder = PolicySetBuilder::new(library, SetConfig::default());
    let bundle = Bundled {
        name: name.to_owned(),
        generation: 0,
        spec: Some(spec),
        stored: Some(Arc::clone(stored)),
        problem: None,
    };
    enforce::add(&mut builder, std::slice::from_ref(&bundle), &|spec| spec);
    let report = enforce::report(&builder.build(), &bundle);
    if report.errors.is_empty() { Ok(()) } else { Err(report.errors.join("\n")) }
}
