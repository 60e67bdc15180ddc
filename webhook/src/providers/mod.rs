//! Gatekeeper's providers, asked over TLS for what templates and mutators want to know.
//!
//! ```text
//! keys of one request ─► cache ─► what it lacks, one request per provider (client) ─► answers as facts
//! ```
//! A provider that cannot be asked, is late or talks nonsense is an answer too (`system_error`): the template decides.
//! Neither keys nor values are ever logged: they may be secret.

mod cache;
pub(crate) mod client;
pub(crate) mod metrics;

use crate::facts::BoxFuture;
use cache::{Cache, Cached};
use client::Clients;
use futures::future::join_all;
use metrics::ProviderMetrics;
use prometheus_client::registry::Registry;
use rustls::client::ResolvesClientCert;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wayguard_engine::PolicySet;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_engine::gatekeeper::Provider;
use wayguard_engine::gatekeeper::external::{Answer, Item, Response};

/// Keys in one request to a provider.
const MOST_KEYS: usize = 1_000;
/// And their bytes.
const MOST_KEY_BYTES: usize = 256 * 1024;
/// Answers are there this long before facts are due, so that they are not thrown away for being on time.
const MARGIN: Duration = Duration::from_millis(20);

/// How providers are asked.
#[derive(Clone)]
pub struct ProviderOptions {
    /// How long an answer is good for; zero: it is not kept. Default 3 min, as in Gatekeeper. That a key has no value
    /// is believed for ten seconds at most.
    pub cache_ttl: Duration,
    /// What we show to providers that ask who we are. Default: nothing.
    pub identity: Option<Arc<dyn ResolvesClientCert>>,
}

impl Default for ProviderOptions {
    fn default() -> Self {
        Self { cache_ttl: Duration::from_mins(3), identity: None }
    }
}

/// All providers of one server.
pub(crate) struct Providers {
    cache: Cache,
    clients: Clients,
    metrics: ProviderMetrics,
}

/// What a request wants to know of one provider: for each call its keys.
type Calls = BTreeMap<String, Vec<Vec<String>>>;

impl Providers {
    pub(crate) fn new(options: ProviderOptions, registry: &mut Registry) -> Self {
        Self {
            cache: Cache::new(options.cache_ttl),
            clients: Clients::new(options.identity),
            metrics: ProviderMetrics::register(registry),
        }
    }

    /// The answer without waiting: all keys are known, or there is no such provider.
    pub(crate) fn at_hand(&self, set: &PolicySet, name: &str, keys: &[String]) -> Option<Fact> {
        let Some(provider) = set.gatekeeper().provider(name) else { return Some(unknown(name)) };
        let known = self.known(provider, keys);
        if keys.iter().any(|key| !known.contains_key(key.as_str())) {
            return None;
        }
        self.metrics.keys(name, keys.len(), 0);
        Some(told(&known, keys, None, Others::Kept))
    }

    /// Asks for everything that `wanted` names, all providers at the same time; every key has an answer by the deadline.
    pub(crate) fn fetch(
        self: Arc<Self>,
        set: Arc<PolicySet>,
        wanted: Vec<FactKey>,
        deadline: Instant,
    ) -> BoxFuture<'static, Vec<(FactKey, Fact)>> {
        let mut calls = Calls::new();
        for key in wanted {
            if let FactKey::External { provider, keys } = key {
                calls.entry(provider).or_default().push(keys);
            }
        }
        let by = deadline.checked_sub(MARGIN).unwrap_or(deadline);
        Box::pin(async move {
            let asked = calls.into_iter().map(|(name, calls)| {
                let (this, set) = (Arc::clone(&self), Arc::clone(&set));
                async move {
                    let facts = match set.gatekeeper().provider(&name) {
                        Some(provider) => this.ask(&set, provider, &calls, by).await,
                        None => calls.iter().map(|_| unknown(&name)).collect(),
                    };
                    let keys = calls.into_iter();
                    let keys = keys.map(|keys| FactKey::External { provider: name.clone(), keys });
                    keys.zip(facts).collect::<Vec<_>>()
                }
            });
            join_all(asked).await.into_iter().flatten().collect()
        })
    }

    /// Asks one provider for all calls together. Where its answer cannot be taken apart again (it fails as a whole, or
    /// repeats other keys than it was asked for), for each call by itself, as Gatekeeper does.
    async fn ask(
        &self,
        set: &PolicySet,
        provider: &Provider,
        calls: &[Vec<String>],
        by: Instant,
    ) -> Vec<Fact> {
        let all: BTreeSet<&String> = calls.iter().flatten().collect();
        if calls.len() > 1 && fits(all.iter().copied()) {
            let all: Vec<String> = all.into_iter().cloned().collect();
            let known = self.known(provider, &all);
            match self.send(set, provider, &known, &all, by).await {
                Ok(None) => return calls.iter().map(|keys| told(&known, keys, None, Others::Kept)).collect(),
                Ok(Some((status, response))) => {
                    let own = |item: &Item| all.binary_search(&item.key).is_ok();
                    if response.system_error.is_empty() && response.items.iter().all(own) {
                        let answer = Some((status, &response));
                        return calls
                            .iter()
                            .map(|keys| told(&known, keys, answer, Others::LeftOut))
                            .collect();
                    }
                }
                Err(problem) => {
                    let fact = failed(Answer::NOT_REACHED, &problem);
                    return calls.iter().map(|_| fact.clone()).collect();
                }
            }
        }
        let each = calls.iter().map(|keys| async move {
            if !fits(keys.iter()) {
                let problem = format!(
                    "too many keys at once: {}; at most {MOST_KEYS} with {} KiB",
                    keys.len(),
                    MOST_KEY_BYTES / 1024
                );
                return failed(Answer::UNKNOWN, &problem);
            }
            let known = self.known(provider, keys);
            match self.send(set, provider, &known, keys, by).await {
                Ok(None) => told(&known, keys, None, Others::Kept),
                Ok(Some((status, response))) => told(&known, keys, Some((status, &response)), Others::Kept),
                Err(problem) => failed(Answer::NOT_REACHED, &problem),
            }
        });
        join_all(each).await
    }

    /// What the cache has of keys.
    fn known<'k>(&self, provider: &Provider, keys: &'k [String]) -> BTreeMap<&'k str, Arc<Cached>> {
        let known = keys.iter().filter_map(|key| {
            let cached = self.cache.get(&provider.identity, key)?;
            Some((key.as_str(), cached))
        });
        known.collect()
    }

    /// Asks for the keys that are not known; `None`: all are.
    async fn send(
        &self,
        set: &PolicySet,
        provider: &Provider,
        known: &BTreeMap<&str, Arc<Cached>>,
        keys: &[String],
        by: Instant,
    ) -> Result<Option<(u16, Response)>, String> {
        let unknown = keys.iter().filter(|key| !known.contains_key(key.as_str()));
        let mut seen = BTreeSet::new();
        let missing: Vec<String> = unknown.filter(|key| seen.insert(key.as_str())).cloned().collect();
        let from_cache = keys.iter().filter(|key| known.contains_key(key.as_str())).count();
        self.metrics.keys(&provider.name, from_cache, missing.len());
        if missing.is_empty() {
            return Ok(None);
        }
        let started = Instant::now();
        let outcome = match self.clients.of(provider, set) {
            Ok(client) => client.ask(&missing, by.min(started + provider.timeout)).await,
            Err(problem) => Err(problem),
        };
        let took = started.elapsed();
        self.metrics.asked(&provider.name, outcome.is_ok(), took);
        let (name, keys, duration_ms) = (&provider.name, missing.len(), took.as_secs_f64() * 1000.0);
        match &outcome {
            Ok((status, response)) => {
                tracing::debug!(provider = name, keys, duration_ms, status, "a provider has answered");
                if (200..300).contains(status) && response.system_error.is_empty() {
                    self.cache.keep(&provider.identity, &missing, *status, response);
                }
            }
            Err(problem) => {
                tracing::warn!(provider = name, keys, duration_ms, %problem, "a provider has not answered");
            }
        }
        outcome.map(Some)
    }
}

/// Whether keys may be asked for in one request.
fn fits<'k>(keys: impl Iterator<Item = &'k String>) -> bool {
    let (count, bytes) = keys.fold((0, 0), |(count, bytes), key| (count + 1, bytes + key.len()));
    count <= MOST_KEYS && bytes <= MOST_KEY_BYTES
}

/// What becomes of what a provider said of keys that a call does not name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Kept,
    /// It is another call's.
    LeftOut,
}

/// The answer to one call, in the order of its keys, from what was known and what was said now. What the provider said
/// of other keys comes last.
fn told(
    known: &BTreeMap<&str, Arc<Cached>>,
    keys: &[String],
    response: Option<(u16, &Response)>,
    others: Others,
) -> Fact {
    let mut answer = Answer { items: None, status: 200, ..Answer::nothing() };
    let mut items = Vec::with_capacity(keys.len());
    for key in keys {
        if let Some(cached) = known.get(key.as_str()) {
            items.push(cached.item.clone());
            answer.idempotent &= cached.idempotent;
            answer.status = cached.status;
        } else if let Some((_, response)) = response {
            items.extend(response.items.iter().filter(|item| item.key == *key).cloned());
        }
    }
    if let Some((status, response)) = response {
        if others == Others::Kept {
            items.extend(response.items.iter().filter(|item| !keys.contains(&item.key)).cloned());
        }
        answer.idempotent &= response.idempotent;
        answer.status = status;
        answer.system_error.clone_from(&response.system_error);
    }
    answer.items = Some(items);
    Fact::Known(Arc::new(answer.document()))
}

fn unknown(name: &str) -> Fact {
    failed(Answer::UNKNOWN, &format!("there is no Provider `{name}`"))
}

fn failed(status: u16, problem: &str) -> Fact {
    Fact::Known(Arc::new(Answer::failed(status, problem).document()))
}
