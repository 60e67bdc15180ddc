//! One registry over HTTP: the OCI distribution specification's reads, for one credential.
//!
//! Written on hyper rather than taken from a client library, because what a gate must be able to bound and refuse is
//! below what those let through (decision 0014): the size of every body, the address that is dialled, where a
//! redirect leads and what it is told. What one host is told, and by which way, is in [`super::host`].

use super::challenge::{self, Challenge};
use super::credentials::Credential;
use super::host::{Answer, Ask, Host};
use super::manifest::{ACCEPTED, Descriptor, Index};
use super::options::{Bounds, RegistryOptions};
use super::{
    BoxFuture, Fetched, LARGEST_BLOB, LARGEST_MANIFEST, MOST_REFERRERS, Problem, RegistryError, Repository,
    Source, checked,
};
use crate::digest::Digest;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, LINK, WWW_AUTHENTICATE};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The longest wait that a registry may ask for before one more try.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Pages of one list of referrers.
const MOST_PAGES: usize = 16;

/// A registry, asked by one credential; see [`Source`]. Its tokens belong to that credential, so that nobody is
/// answered by what another may see.
pub struct Client {
    registry: String,
    endpoints: Vec<Host>,
    credential: Option<Credential>,
    bounds: Bounds,
    turns: Semaphore,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Client({})", self.registry)
    }
}

impl Client {
    /// A client of the registry that references name so (`ghcr.io`, `docker.io`, `localhost:5000`).
    ///
    /// # Errors
    /// If its address is never dialled, or its options cannot be used.
    pub fn new(
        registry: &str,
        options: &RegistryOptions,
        credential: Option<Credential>,
        bounds: Bounds,
    ) -> Result<Self, RegistryError> {
        let hosts =
            options.endpoints(registry).into_iter().map(|at| Host::new(registry, at, options, bounds));
        Ok(Self {
            registry: registry.to_owned(),
            endpoints: hosts.collect::<Result<_, _>>()?,
            credential,
            bounds,
            turns: Semaphore::new(bounds.at_once),
        })
    }

    /// Asks one host after the other until one has it; what a mirror fails at, the next may have.
    async fn ask<T, F>(
        &self,
        ask: impl Fn(&Host) -> Ask<'static>,
        read: F,
    ) -> Result<Option<T>, RegistryError>
    where
        F: Fn(Answer) -> Result<T, Problem>,
    {
        let mut last = Ok(None);
        for host in &self.endpoints {
            let answer = match self.exchange(host, ask(host)).await {
                Ok(answer) if answer.status == StatusCode::NOT_FOUND => Ok(None),
                Ok(answer) => read(answer).map(Some),
                Err(problem) => Err(problem),
            };
            match answer {
                Ok(Some(found)) => return Ok(Some(found)),
                // That one does not have it outweighs that another could not be asked before it only if it is the
                // registry itself, which is asked last.
                other => last = other,
            }
        }
        last.map_err(|problem| self.error(problem))
    }

    /// The registry's own host, for writing.
    pub(super) async fn write(&self, ask: Ask<'_>) -> Result<Answer, RegistryError> {
        let Some(host) = self.endpoints.last() else { return Err(self.error(Problem::NotAllowed)) };
        self.exchange(host, ask).await.map_err(|problem| self.error(problem))
    }

    /// Sends, logs in if asked to, waits once if asked to, follows redirects.
    async fn exchange(&self, host: &Host, ask: Ask<'_>) -> Result<Answer, Problem> {
        let turn = self.turns.acquire();
        let exchange = async {
            let _turn = turn.await.map_err(|error| Problem::Unreachable(error.to_string()))?;
            self.try_twice(host, &ask).await
        };
        tokio::time::timeout(self.bounds.exchange, exchange).await.unwrap_or(Err(Problem::TooLate))
    }

    async fn try_twice(&self, host: &Host, ask: &Ask<'_>) -> Result<Answer, Problem> {
        match self.logged_in(host, ask).await {
            Err(Problem::Busy { retry_after: Some(seconds), .. })
                if Duration::from_secs(seconds) <= LONGEST_WAIT =>
            {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                self.logged_in(host, ask).await
            }
            outcome => outcome,
        }
    }

    async fn logged_in(&self, host: &Host, ask: &Ask<'_>) -> Result<Answer, Problem> {
        let known = host.token(&ask.scope);
        let response = host.send(ask, known.as_deref()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return host.finish(ask, response).await;
        }
        let headers = response.headers().get_all(WWW_AUTHENTICATE);
        let challenge = challenge::read(headers.iter().filter_map(|value| value.to_str().ok()));
        drop(response);
        let forbidden =
            || Problem::Forbidden { what: ask.what.clone(), status: StatusCode::UNAUTHORIZED.as_u16() };
        let authorization = match challenge {
            Some(Challenge::Basic) => self.credential.as_ref().ok_or_else(forbidden)?.basic(),
            Some(Challenge::Bearer { realm, service, scope }) => {
                let scope = scope.unwrap_or_else(|| ask.scope.clone());
                let (token, seconds) =
                    host.token_of(&realm, service.as_deref(), &scope, self.credential.as_ref()).await?;
                let authorization = format!("Bearer {token}");
                host.keep(&ask.scope, &authorization, Duration::from_secs(seconds));
                authorization
            }
            None => return Err(forbidden()),
        };
        let response = host.send(ask, Some(&authorization)).await?;
        host.finish(ask, response).await
    }

    fn error(&self, problem: Problem) -> RegistryError {
        RegistryError::new(&self.registry, problem)
    }

    /// One page of referrers, and the path of the next.
    async fn page(
        &self,
        host: &Host,
        path: String,
        what: &str,
        scope: String,
    ) -> Result<Option<(Index, Option<String>)>, Problem> {
        let ask = Ask {
            accept: super::manifest::INDEX,
            ..Ask::read(path.clone(), what.to_owned(), scope, LARGEST_MANIFEST)
        };
        let answer = self.exchange(host, ask).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let malformed = |reason: String| Problem::Malformed { what: what.to_owned(), reason };
        let index: Index =
            serde_json::from_slice(&answer.body).map_err(|error| malformed(error.to_string()))?;
        let next = answer.headers.get(LINK).and_then(|value| value.to_str().ok()).and_then(next_page);
        Ok(Some((index, next)))
    }

    async fn referrers_of(
        &self,
        host: &Host,
        of: &Repository,
        digest: Digest,
    ) -> Result<Option<Vec<Descriptor>>, Problem> {
        let what = format!("what refers to `{of}@{digest}`");
        let mut path = Some(host.path(of, &format!("referrers/{digest}")));
        let mut found = Vec::new();
        for page in 0..MOST_PAGES {
            let Some(asked) = path.take() else { return Ok(Some(found)) };
            let Some((index, next)) = self.page(host, asked, &what, pull_scope(of)).await? else {
                // The first page says whether there is such a list; a later one that is not there is a broken list.
                let broken = Problem::Malformed { what, reason: "one of its pages is not there".to_owned() };
                return if page == 0 { Ok(None) } else { Err(broken) };
            };
            found.extend(index.manifests);
            if found.len() > MOST_REFERRERS {
                return Err(Problem::TooMany { what: format!("`{of}@{digest}`"), limit: MOST_REFERRERS });
            }
            path = next;
        }
        if path.is_some() {
            return Err(Problem::Malformed { what, reason: "it has too many pages".to_owned() });
        }
        Ok(Some(found))
    }
}

impl Source for Client {
    fn manifest<'a>(
        &'a self,
        of: &'a Repository,
        asked: &'a str,
    ) -> BoxFuture<'a, Result<Option<Fetched>, RegistryError>> {
        Box::pin(async move {
            let ask = |host: &Host| {
                let path = host.path(of, &format!("manifests/{asked}"));
                Ask {
                    accept: ACCEPTED,
                    ..Ask::read(path, named(of, asked), pull_scope(of), LARGEST_MANIFEST)
                }
            };
            let read = |answer: Answer| {
                let media_type = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
                let media_type = media_type.unwrap_or_default().to_owned();
                Ok(Fetched { digest: Digest::of(&answer.body), bytes: answer.body, media_type })
            };
            let Some(fetched) = self.ask(ask, read).await? else { return Ok(None) };
            if let Ok(expected) = asked.parse() {
                checked(&self.registry, expected, &fetched.bytes)?;
            }
            Ok(Some(fetched))
        })
    }

    fn referrers<'a>(
        &'a self,
        of: &'a Repository,
        digest: Digest,
    ) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, RegistryError>> {
        Box::pin(async move {
            // Only the registry itself: mirrors keep images, and rarely what refers to them.
            let Some(host) = self.endpoints.last() else { return Err(self.error(Problem::NotAllowed)) };
            self.referrers_of(host, of, digest).await.map_err(|problem| self.error(problem))
        })
    }

    fn blob<'a>(
        &'a self,
        of: &'a Repository,
        digest: Digest,
    ) -> BoxFuture<'a, Result<Option<Bytes>, RegistryError>> {
        Box::pin(async move {
            let ask = |host: &Host| {
                let what = format!("blob `{of}@{digest}`");
                Ask::read(host.path(of, &format!("blobs/{digest}")), what, pull_scope(of), LARGEST_BLOB)
            };
            let Some(bytes) = self.ask(ask, |answer| Ok(answer.body)).await? else { return Ok(None) };
            checked(&self.registry, digest, &bytes)?;
            Ok(Some(bytes))
        })
    }
}

/// How people write it.
fn named(of: &Repository, asked: &str) -> String {
    let joint = if asked.contains(':') { '@' } else { ':' };
    format!("`{of}{joint}{asked}`")
}

fn pull_scope(of: &Repository) -> String {
    format!("repository:{}:pull", of.path())
}

/// The path of `Link: </v2/…>; rel="next"`; another host's is not followed.
fn next_page(link: &str) -> Option<String> {
    let (target, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    (rest.contains("next") && target.starts_with('/') && !target.starts_with("//")).then(|| target.to_owned())
}
