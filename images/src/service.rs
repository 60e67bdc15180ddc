//! What is known of images, for a server: asked once, remembered as long as it may be, still known when a registry is
//! away.
//!
//! ```text
//! reference ─► tag → digest (30 s; 1 h while the registry is away) ─► verdict by (digest, repository, authorities, credential)
//!                                                                       (1 h, looked at again after 10 min; 30 s if not satisfied)
//! ```
//! Errors are never remembered. Requests for one image at a time share one look at the registry. Rules that hang on the
//! time (how old a scan is) are the policies', which are asked each time.

use crate::authority::ImageAuthorities;
use crate::config::image_config;
use crate::digest::Digest;
use crate::discover;
use crate::facts::ImageFacts;
use crate::reference::{NotAReference, Reference, RepositoryPattern};
use crate::registry::credentials::{Credential, Keyring};
use crate::registry::http::Client;
use crate::registry::manifest::Content;
use crate::registry::options::{Bounds, RegistryOptions};
use crate::registry::{Problem, RegistryError, Repository, Source};
use crate::scan::Scan;
use crate::verify::{Limits, verify};
use arc_swap::ArcSwap;
use futures::FutureExt as _;
use jiff::Timestamp;
use moka::Expiry;
use moka::future::Cache;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A tag is asked again after this.
const TAG_FRESH: Duration = Duration::from_secs(30);
/// A verdict is looked at again after this, beside the requests.
const REFRESH: Duration = Duration::from_mins(10);
/// Nothing is known for longer.
const POSITIVE: Duration = Duration::from_hours(1);
/// That somebody has not signed may change at any moment.
const NEGATIVE: Duration = Duration::from_secs(30);
/// Verdicts that are remembered; a few kilobytes each, those with large attestations more.
const VERDICTS: u64 = 4096;
/// Tags that are remembered.
const TAGS: u64 = 16 * 1024;
/// Clients of registries that are kept.
const CLIENTS: usize = 256;

/// What is asked, of whom, and how.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Who may sign what.
    pub authorities: ImageAuthorities,
    /// Repositories that are asked although nobody need sign there.
    pub allowed: Vec<RepositoryPattern>,
    /// How registries are reached.
    pub registries: RegistryOptions,
    /// Bounds of one client.
    pub bounds: Bounds,
    /// How much evidence is looked at.
    pub limits: Limits,
}

/// What is known of one image.
#[derive(Debug)]
pub enum Answer<T> {
    /// This.
    Known(Arc<T>),
    /// The registry has no such image.
    Absent,
    /// It could not be asked; why.
    Unavailable(String),
}

impl<T> Clone for Answer<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Known(known) => Self::Known(Arc::clone(known)),
            Self::Absent => Self::Absent,
            Self::Unavailable(reason) => Self::Unavailable(reason.clone()),
        }
    }
}

/// A verdict that is remembered.
struct Verdict<T> {
    known: Arc<T>,
    /// Enough have signed.
    satisfied: bool,
    at: Instant,
    /// Somebody looks again already.
    looking: AtomicBool,
    /// The image's digest and those of its platforms, with the scans of the cluster that are in it.
    scans: Vec<(Digest, Option<Arc<Vec<Scan>>>)>,
}

/// Why a look led to no verdict; nobody remembers it.
enum NoVerdict {
    /// The registry says that there is no such image.
    Absent,
    Failed(RegistryError),
}

#[derive(Clone, Copy)]
struct Tagged {
    digest: Digest,
    at: Instant,
}

/// Whose answer it is.
#[derive(Clone, PartialEq, Eq, Hash)]
struct VerdictKey {
    repository: Repository,
    digest: Digest,
    authorities: Digest,
    scope: Scope,
}

/// Which credential, without what it is.
type Scope = [u8; 32];

struct Lifetime;

impl<T> Expiry<VerdictKey, Arc<Verdict<T>>> for Lifetime {
    fn expire_after_create(&self, _: &VerdictKey, verdict: &Arc<Verdict<T>>, _: Instant) -> Option<Duration> {
        Some(if verdict.satisfied { POSITIVE } else { NEGATIVE })
    }

    fn expire_after_update(
        &self,
        key: &VerdictKey,
        verdict: &Arc<Verdict<T>>,
        now: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, verdict, now)
    }
}

/// Counts for metrics.
#[derive(Debug, Default)]
pub struct ServiceCounts {
    /// Answers that were remembered.
    pub hits: AtomicU64,
    /// Looks at a registry.
    pub looks: AtomicU64,
    /// Of these, those that failed.
    pub failures: AtomicU64,
}

/// All that is known of images. `T` is what an answer is kept as, made once from the facts as JSON.
pub struct ImageService<T> {
    settings: ArcSwap<Settings>,
    make: fn(&Value) -> T,
    clients: Mutex<HashMap<(String, Scope), Arc<dyn Source>>>,
    /// In the place of all registries.
    only: Option<Arc<dyn Source>>,
    tags: Cache<(Repository, String, Scope), Tagged>,
    verdicts: Cache<VerdictKey, Arc<Verdict<T>>>,
    /// Scans of the cluster, by digest; what has not changed stays the same allocation.
    reports: ArcSwap<HashMap<Digest, Arc<Vec<Scan>>>>,
    counts: ServiceCounts,
}

impl<T> std::fmt::Debug for ImageService<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ImageService").field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> ImageService<T> {
    /// A service that knows nothing yet.
    pub fn new(settings: Settings, make: fn(&Value) -> T) -> Arc<Self> {
        Self::with(settings, make, None)
    }

    /// A service that asks one source, such as a layout on disk, in the place of all registries.
    pub fn from_source(settings: Settings, make: fn(&Value) -> T, only: Arc<dyn Source>) -> Arc<Self> {
        Self::with(settings, make, Some(only))
    }

    fn with(settings: Settings, make: fn(&Value) -> T, only: Option<Arc<dyn Source>>) -> Arc<Self> {
        Arc::new(Self {
            settings: ArcSwap::from_pointee(settings),
            make,
            clients: Mutex::default(),
            only,
            tags: Cache::builder().max_capacity(TAGS).time_to_live(POSITIVE).build(),
            verdicts: Cache::builder().max_capacity(VERDICTS).expire_after(Lifetime).build(),
            reports: ArcSwap::default(),
            counts: ServiceCounts::default(),
        })
    }

    /// Other authorities, other registries. Verdicts by authorities that are unchanged stay.
    pub fn replace(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What scanners in the cluster said, by digest. Verdicts on digests of which they say something else now are
    /// looked at again beside the next request; until then, and while a registry is away, they stand.
    pub fn report(&self, reports: HashMap<Digest, Vec<Scan>>) {
        let before = self.reports.load_full();
        let same =
            |digest: &Digest, scans: &Vec<Scan>| before.get(digest).filter(|old| ***old == *scans).cloned();
        let kept = |(digest, scans)| (digest, same(&digest, &scans).unwrap_or_else(|| Arc::new(scans)));
        self.reports.store(Arc::new(reports.into_iter().map(kept).collect()));
    }

    /// What scanners in the cluster say of these digests.
    fn reported(&self, digests: impl IntoIterator<Item = Digest>) -> Vec<(Digest, Option<Arc<Vec<Scan>>>)> {
        let reports = self.reports.load();
        digests.into_iter().map(|digest| (digest, reports.get(&digest).cloned())).collect()
    }

    /// Whether scanners in the cluster say something else by now.
    fn is_outdated(&self, verdict: &Verdict<T>) -> bool {
        let reports = self.reports.load();
        verdict.scans.iter().any(|(digest, seen)| match (seen, reports.get(digest)) {
            (Some(seen), Some(now)) => !Arc::ptr_eq(seen, now),
            (None, None) => false,
            _ => true,
        })
    }

    /// Counts since the start.
    pub fn counts(&self) -> &ServiceCounts {
        &self.counts
    }

    /// Whether an image is asked for at all: whether anybody says who signs it, or that it may be asked for.
    pub fn asks_for(&self, reference: &str) -> bool {
        reference.parse().is_ok_and(|reference| self.settings.load().names(&reference))
    }

    /// The answer without waiting, if it is remembered and its tag need not be asked again.
    pub fn at_hand(self: &Arc<Self>, reference: &str, keyring: &Keyring) -> Option<Arc<T>> {
        let reference: Reference = reference.parse().ok()?;
        let settings = self.settings.load_full();
        for credential in candidates(keyring, &reference) {
            let scope = scope_of(credential.as_ref());
            let digest = reference.digest().or_else(|| {
                let key = (Repository::of(&reference), reference.asked(), scope);
                let tagged = self.tags.get(&key).now_or_never().flatten()?;
                (tagged.at.elapsed() < TAG_FRESH).then_some(tagged.digest)
            });
            // What this credential does not see, the next may have seen.
            let Some(digest) = digest else { continue };
            let key = key_of(&settings, &reference, digest, scope);
            if let Some(verdict) = self.verdicts.get(&key).now_or_never().flatten() {
                self.counts.hits.fetch_add(1, Ordering::Relaxed);
                self.look_again(&settings, &reference, digest, credential, &verdict);
                return Some(Arc::clone(&verdict.known));
            }
        }
        None
    }

    /// As [`Self::ask`], but looked at now, whatever is remembered: for who looks at what runs already. What is found
    /// is remembered; a registry that is away changes nothing.
    pub async fn ask_anew(self: &Arc<Self>, reference: &str, keyring: &Keyring) -> Answer<T> {
        self.answer(reference, keyring, true).await
    }

    /// What is known of an image. It may take as long as the bounds allow: a caller with a deadline stops waiting, and
    /// what is found is remembered all the same if it runs on a task of its own.
    pub async fn ask(self: &Arc<Self>, reference: &str, keyring: &Keyring) -> Answer<T> {
        self.answer(reference, keyring, false).await
    }

    async fn answer(self: &Arc<Self>, reference: &str, keyring: &Keyring, anew: bool) -> Answer<T> {
        let parsed: Reference = match reference.parse() {
            Ok(parsed) => parsed,
            Err(problem) => {
                let facts = json!({"ref": reference, "invalid": problem.to_string()});
                return Answer::Known(Arc::new((self.make)(&facts)));
            }
        };
        let settings = self.settings.load_full();
        if !settings.names(&parsed) {
            let facts = json!({"ref": reference, "unasked": true, "authorities": [], "signatures": [],
                "attestations": {}, "scans": [], "vex": [], "provenance": [], "sboms": [], "rejected": []});
            return Answer::Known(Arc::new((self.make)(&facts)));
        }
        let mut last = Answer::Absent;
        for credential in candidates(keyring, &parsed) {
            match self.asked_as(&settings, &parsed, credential, anew).await {
                Ok(Some(verdict)) => return Answer::Known(Arc::clone(&verdict.known)),
                Ok(None) => return Answer::Absent,
                Err(error) => {
                    let forbidden = matches!(error.problem, Problem::Forbidden { .. });
                    last = Answer::Unavailable(error.to_string());
                    if !forbidden {
                        break;
                    }
                }
            }
        }
        last
    }

    async fn asked_as(
        self: &Arc<Self>,
        settings: &Arc<Settings>,
        reference: &Reference,
        credential: Option<Credential>,
        anew: bool,
    ) -> Result<Option<Arc<Verdict<T>>>, RegistryError> {
        let scope = scope_of(credential.as_ref());
        let source = self.source(settings, reference.registry(), credential.clone())?;
        let Some(digest) = self.resolved(&*source, reference, scope).await? else { return Ok(None) };
        let key = key_of(settings, reference, digest, scope);
        if anew {
            let looked = self.look(settings, &*source, reference, digest).await?;
            match &looked {
                Some(verdict) => self.verdicts.insert(key, Arc::clone(verdict)).await,
                None => self.verdicts.invalidate(&key).await,
            }
            return Ok(looked);
        }
        let look = async {
            match self.look(settings, &*source, reference, digest).await {
                Ok(Some(verdict)) => Ok(verdict),
                Ok(None) => Err(NoVerdict::Absent),
                Err(error) => Err(NoVerdict::Failed(error)),
            }
        };
        let known = self.verdicts.contains_key(&key);
        let verdict = match self.verdicts.try_get_with(key, look).await {
            Ok(verdict) => verdict,
            Err(nothing) => {
                return match &*nothing {
                    NoVerdict::Absent => Ok(None),
                    NoVerdict::Failed(error) => Err(error.clone()),
                };
            }
        };
        if known {
            self.counts.hits.fetch_add(1, Ordering::Relaxed);
            self.look_again(settings, reference, digest, credential, &verdict);
        }
        Ok(Some(verdict))
    }

    /// The digest that a reference stands for.
    async fn resolved(
        &self,
        source: &dyn Source,
        reference: &Reference,
        scope: Scope,
    ) -> Result<Option<Digest>, RegistryError> {
        if let Some(digest) = reference.digest() {
            return Ok(Some(digest));
        }
        let of = Repository::of(reference);
        let key = (of.clone(), reference.asked(), scope);
        let known = self.tags.get(&key).await;
        if let Some(tagged) = known.filter(|tagged| tagged.at.elapsed() < TAG_FRESH) {
            return Ok(Some(tagged.digest));
        }
        match source.manifest(&of, &reference.asked()).await {
            Ok(Some(fetched)) => {
                self.tags.insert(key, Tagged { digest: fetched.digest, at: Instant::now() }).await;
                Ok(Some(fetched.digest))
            }
            Ok(None) => {
                self.tags.invalidate(&key).await;
                Ok(None)
            }
            // What the tag stood for was judged; that the registry is away changes nothing about that.
            Err(error) if error.is_passing() => known.map(|tagged| Some(tagged.digest)).ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// Looks at the registry.
    async fn look(
        &self,
        settings: &Settings,
        source: &dyn Source,
        reference: &Reference,
        digest: Digest,
    ) -> Result<Option<Arc<Verdict<T>>>, RegistryError> {
        self.counts.looks.fetch_add(1, Ordering::Relaxed);
        let looked = self.looked(settings, source, reference, digest).await;
        if looked.is_err() {
            self.counts.failures.fetch_add(1, Ordering::Relaxed);
        }
        looked
    }

    async fn looked(
        &self,
        settings: &Settings,
        source: &dyn Source,
        reference: &Reference,
        digest: Digest,
    ) -> Result<Option<Arc<Verdict<T>>>, RegistryError> {
        let of = Repository::of(reference);
        let described = async {
            let by_digest = digest.to_string();
            let Some(fetched) = source.manifest(&of, &by_digest).await? else { return Ok(None) };
            let content = discover::read(&of, &fetched.bytes, &format!("`{of}@{digest}`"))?;
            // A scanner that looks at what runs knows the platform's digest.
            let platforms = match &content {
                Content::Image(_) => Vec::new(),
                Content::Index(index) => index.manifests.iter().map(|platform| platform.digest).collect(),
            };
            Ok(Some((image_config(source, &of, &content).await?, platforms)))
        };
        let (described, evidence) =
            futures::future::try_join(described, discover::evidence(source, &of, digest)).await?;
        let Some((image, platforms)) = described else { return Ok(None) };
        let authorities = settings.authorities.of(reference);
        let verified = verify(&evidence, &authorities, &settings.limits, Timestamp::now());
        let scans = self.reported([digest].into_iter().chain(platforms));
        let reports: Vec<Scan> =
            scans.iter().filter_map(|(_, said)| said.as_deref()).flatten().cloned().collect();
        let satisfied = verified.satisfied() && !verified.may_pass();
        let facts = ImageFacts::new(&by_digest(&of, digest)?, &verified, &evidence.documents, reports, image);
        let known = Arc::new((self.make)(&facts.to_value()));
        let looking = AtomicBool::new(false);
        Ok(Some(Arc::new(Verdict { known, satisfied, at: Instant::now(), looking, scans })))
    }

    /// Looks again beside the request, if it is time; a registry that is away leaves what is known.
    fn look_again(
        self: &Arc<Self>,
        settings: &Arc<Settings>,
        reference: &Reference,
        digest: Digest,
        credential: Option<Credential>,
        verdict: &Arc<Verdict<T>>,
    ) {
        let due = verdict.at.elapsed() >= REFRESH || self.is_outdated(verdict);
        if !due || verdict.looking.swap(true, Ordering::Relaxed) {
            return;
        }
        let (service, settings, reference) = (Arc::clone(self), Arc::clone(settings), reference.clone());
        let verdict = Arc::clone(verdict);
        tokio::spawn(async move {
            let scope = scope_of(credential.as_ref());
            let key = key_of(&settings, &reference, digest, scope);
            let looked = match service.source(&settings, reference.registry(), credential) {
                Ok(source) => service.look(&settings, &*source, &reference, digest).await,
                Err(error) => Err(error),
            };
            match looked {
                Ok(Some(new)) => service.verdicts.insert(key, new).await,
                Ok(None) => service.verdicts.invalidate(&key).await,
                Err(_) => verdict.looking.store(false, Ordering::Relaxed),
            }
        });
    }

    fn source(
        &self,
        settings: &Settings,
        registry: &str,
        credential: Option<Credential>,
    ) -> Result<Arc<dyn Source>, RegistryError> {
        if let Some(only) = &self.only {
            return Ok(Arc::clone(only));
        }
        let key = (registry.to_owned(), scope_of(credential.as_ref()));
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(&key) {
            return Ok(Arc::clone(known));
        }
        if clients.len() >= CLIENTS {
            clients.clear();
        }
        let client = Client::new(registry, &settings.registries, credential, settings.bounds)?;
        let client: Arc<dyn Source> = Arc::new(client);
        clients.insert(key, Arc::clone(&client));
        Ok(client)
    }
}

impl Settings {
    /// Whether anybody says that this image may be asked for: otherwise a tenant's text would have us dial.
    fn names(&self, reference: &Reference) -> bool {
        self.authorities.name_registry(reference.registry())
            || self.allowed.iter().any(|pattern| pattern.matches(reference))
    }
}

/// The name that is the same however an object writes it.
fn by_digest(of: &Repository, digest: Digest) -> Result<Reference, RegistryError> {
    let what = format!("{of}@{digest}");
    let malformed =
        |reason: String| RegistryError::new(of.registry(), Problem::Malformed { what: what.clone(), reason });
    what.parse().map_err(|problem: NotAReference| malformed(problem.to_string()))
}

/// The credentials to try, and nobody in particular at last.
fn candidates(keyring: &Keyring, reference: &Reference) -> Vec<Option<Credential>> {
    let fitting = keyring.matching(reference.registry(), reference.repository());
    fitting.filter(|credential| !credential.is_empty()).cloned().map(Some).chain([None]).collect()
}

fn scope_of(credential: Option<&Credential>) -> Scope {
    credential.map(Credential::scope).unwrap_or_default()
}

fn key_of(settings: &Settings, reference: &Reference, digest: Digest, scope: Scope) -> VerdictKey {
    VerdictKey {
        repository: Repository::of(reference),
        digest,
        authorities: settings.authorities.content_for(reference),
        scope,
    }
}
