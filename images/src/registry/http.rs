//! One registry over HTTP: the OCI distribution specification's reads, for one credential.
//!
//! Written on hyper rather than taken from a client library, because what a gate must be able to bound and refuse is
//! below what those let through (decision 0014): the size of every body, the address that is dialled, where a
//! redirect leads and what it is told.

use super::challenge::{self, Challenge};
use super::credentials::Credential;
use super::manifest::{ACCEPTED, Descriptor, Index};
use super::options::{Bounds, Endpoint, RegistryOptions};
use super::{
    BoxFuture, Fetched, LARGEST_BLOB, LARGEST_MANIFEST, MOST_REFERRERS, Problem, RegistryError, Repository,
    Source, address, checked, tls,
};
use crate::digest::Digest;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, LINK, LOCATION, RETRY_AFTER, USER_AGENT,
    WWW_AUTHENTICATE,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, body::Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Who asks.
const AGENT: &str = concat!("wayguard/", env!("CARGO_PKG_VERSION"));
/// Redirects of one request that are followed.
const MOST_REDIRECTS: usize = 3;
/// The longest wait that a registry may ask for before one more try.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// An answer of a realm, in bytes.
const LARGEST_TOKEN: usize = 64 << 10;
/// A token is renewed this long before it runs out.
const TOKEN_MARGIN: Duration = Duration::from_secs(10);
/// Pages of one list of referrers.
const MOST_PAGES: usize = 16;

type Connector = HttpsConnector<HttpConnector<address::Resolver>>;
pub(super) type Body = Full<Bytes>;

/// A registry, asked by one credential; see [`Source`]. Its tokens belong to that credential, so that nobody is
/// answered by what another may see.
pub struct Client {
    registry: String,
    endpoints: Vec<Host>,
    credential: Option<Credential>,
    bounds: Bounds,
    turns: Semaphore,
}

/// One host that is asked: the registry's own, or a mirror.
struct Host {
    at: Endpoint,
    http: bool,
    client: HyperClient<Connector, Body>,
    /// `Authorization` values by scope.
    tokens: Mutex<HashMap<String, (String, Instant)>>,
    loopback: bool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Client({})", self.registry)
    }
}

/// What is asked for, in words and in a path.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// Below `/v2/`, or a whole URL of the same host.
    pub(super) path: String,
    pub(super) accept: &'a str,
    /// What it is, for messages.
    pub(super) what: String,
    /// What a token is asked for.
    pub(super) scope: String,
    pub(super) limit: usize,
    pub(super) content_type: &'a str,
    pub(super) body: Bytes,
}

/// An answer whose body was read.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
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

impl Ask<'static> {
    pub(super) fn read(path: String, what: String, scope: String, limit: usize) -> Self {
        Self {
            method: Method::GET,
            path,
            accept: "*/*",
            what,
            scope,
            limit,
            content_type: "",
            body: Bytes::new(),
        }
    }
}

impl Host {
    fn new(
        registry: &str,
        at: Endpoint,
        options: &RegistryOptions,
        bounds: Bounds,
    ) -> Result<Self, RegistryError> {
        let own = options.host(&at.host);
        // What is said of the registry by its name in references holds for its own host too.
        let own = if options.registries.contains_key(&at.host) { own } else { options.host(registry) };
        let bare = host_of(&at.host);
        let loopback = address::names_loopback(bare);
        address::check(registry, bare, loopback)?;
        let tls = tls::config(&at.host, &own)?;
        let mut plain = HttpConnector::new_with_resolver(address::Resolver { loopback });
        plain.enforce_http(false);
        plain.set_nodelay(true);
        plain.set_connect_timeout(Some(bounds.connect));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(plain);
        let client = HyperClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_mins(1))
            .pool_max_idle_per_host(bounds.at_once)
            .build(connector);
        Ok(Self { at, http: own.http, client, tokens: Mutex::default(), loopback })
    }

    /// The path of something in a repository.
    pub(super) fn path(&self, of: &Repository, rest: &str) -> String {
        let between = if self.at.prefix.is_empty() { "" } else { "/" };
        format!("/v2/{}{between}{}/{rest}", self.at.prefix, of.path())
    }

    fn scheme(&self) -> &'static str {
        if self.http { "http" } else { "https" }
    }

    fn url(&self, path: &str) -> Result<Uri, Problem> {
        let text = format!("{}://{}{path}", self.scheme(), self.at.host);
        text.parse().map_err(|error| Problem::Unreachable(format!("its address cannot be used: {error}")))
    }

    async fn send(&self, ask: &Ask<'_>, authorization: Option<&str>) -> Result<Response<Incoming>, Problem> {
        let mut url = self.url(&ask.path)?;
        let mut authorization = authorization;
        for _ in 0..=MOST_REDIRECTS {
            let response = self.dial(ask, &url, authorization).await?;
            if !response.status().is_redirection() || ask.method != Method::GET {
                return Ok(response);
            }
            let next = self.redirected(ask, &url, response.headers())?;
            // What we are known by is for the host that we chose.
            if (next.scheme(), next.authority()) != (url.scheme(), url.authority()) {
                authorization = None;
            }
            url = next;
        }
        Err(refused(ask, &url, "it redirects again and again"))
    }

    async fn dial(
        &self,
        ask: &Ask<'_>,
        url: &Uri,
        authorization: Option<&str>,
    ) -> Result<Response<Incoming>, Problem> {
        let mut request =
            Request::builder().method(ask.method.clone()).uri(url.clone()).header(USER_AGENT, AGENT);
        let more: [(HeaderName, &str); 2] = [(ACCEPT, ask.accept), (CONTENT_TYPE, ask.content_type)];
        for (name, value) in more.into_iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(ask.body.clone()));
        let request =
            request.map_err(|error| Problem::Unreachable(format!("it cannot be asked: {error}")))?;
        self.client.request(request).await.map_err(|error| Problem::Unreachable(shown(&error)))
    }

    /// Where a redirect leads, if that is followed.
    fn redirected(&self, ask: &Ask<'_>, from: &Uri, headers: &HeaderMap) -> Result<Uri, Problem> {
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let text = if location.starts_with('/') && !location.starts_with("//") {
            format!(
                "{}://{}{location}",
                self.scheme(),
                from.authority().map_or("", |authority| authority.as_str())
            )
        } else {
            location.to_owned()
        };
        let Ok(next) = text.parse::<Uri>() else {
            return Err(refused(ask, from, "it says nowhere to go"));
        };
        let Some(host) = next.host() else { return Err(refused(ask, from, "it says nowhere to go")) };
        match next.scheme_str() {
            Some("https") => {}
            Some("http") if self.http => {}
            _ => return Err(refused(ask, &next, "only HTTPS is")),
        }
        if address::check("", host, self.loopback).is_err() {
            return Err(refused(ask, &next, "that address is never asked"));
        }
        Ok(next)
    }

    /// Reads a body, as far as it may be long.
    async fn finish(&self, ask: &Ask<'_>, response: Response<Incoming>) -> Result<Answer, Problem> {
        let (head, body) = response.into_parts();
        let (status, headers, what) = (head.status, head.headers, || ask.what.clone());
        match status.as_u16() {
            401 | 403 => return Err(Problem::Forbidden { what: what(), status: status.as_u16() }),
            429 | 500..=599 => {
                let retry_after =
                    headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                return Err(Problem::Busy { what: what(), status: status.as_u16(), retry_after });
            }
            404 => return Ok(Answer { status, headers, body: Bytes::new() }),
            200..=299 => {}
            other => return Err(Problem::Status { what: what(), status: other }),
        }
        let body = Limited::new(body, ask.limit).collect().await.map_err(|error| {
            if error.downcast_ref::<LengthLimitError>().is_some() {
                Problem::TooLarge { what: what(), limit: ask.limit }
            } else {
                Problem::Unreachable(format!("{} ended early: {}", what(), shown(error.as_ref())))
            }
        })?;
        Ok(Answer { status, headers, body: body.to_bytes() })
    }

    // ---- tokens

    fn token(&self, scope: &str) -> Option<String> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        tokens.retain(|_, (_, until)| *until > now);
        tokens.get(scope).map(|(authorization, _)| authorization.clone())
    }

    fn keep(&self, scope: &str, authorization: &str, lifetime: Duration) {
        let until = Instant::now() + lifetime.min(Duration::from_hours(1)).saturating_sub(TOKEN_MARGIN);
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(scope.to_owned(), (authorization.to_owned(), until));
    }

    /// A token from the realm that a challenge names; credentials go there only over HTTPS, unless the registry itself
    /// is listed as HTTP.
    async fn token_of(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: &str,
        credential: Option<&Credential>,
    ) -> Result<(String, u64), Problem> {
        let what = "its token".to_owned();
        let mut text = realm.to_owned();
        text.push(if realm.contains('?') { '&' } else { '?' });
        if let Some(service) = service {
            text.push_str(&format!("service={}&", encoded(service)));
        }
        text.push_str(&format!("scope={}", encoded(scope)));
        let ask = Ask::read(String::new(), what.clone(), String::new(), LARGEST_TOKEN);
        let url: Uri = text
            .parse()
            .map_err(|_| Problem::Malformed { what, reason: "its realm is no URL".to_owned() })?;
        match url.scheme_str() {
            Some("https") => {}
            Some("http") if self.http => {}
            _ => return Err(refused(&ask, &url, "tokens are only asked for over HTTPS")),
        }
        if address::check("", url.host().unwrap_or_default(), self.loopback).is_err() {
            return Err(refused(&ask, &url, "that address is never asked"));
        }
        let authorization = credential.map(Credential::basic);
        let response = self.dial(&ask, &url, authorization.as_deref()).await?;
        if response.status().is_redirection() {
            return Err(refused(&ask, &url, "a realm that redirects is not asked"));
        }
        let answer = self.finish(&ask, response).await?;
        let malformed =
            |reason: &str| Problem::Malformed { what: ask.what.clone(), reason: reason.to_owned() };
        challenge::token(&answer.body).map_err(malformed)
    }
}

fn refused(ask: &Ask<'_>, to: &Uri, reason: &'static str) -> Problem {
    let to =
        format!("{}://{}", to.scheme_str().unwrap_or_default(), to.authority().map_or("", |at| at.as_str()));
    Problem::Redirect { what: ask.what.clone(), to, reason }
}

fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// As RFC 3986 has it in a query.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(byte);
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The path of `Link: </v2/…>; rel="next"`; another host's is not followed.
fn next_page(link: &str) -> Option<String> {
    let (target, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    (rest.contains("next") && target.starts_with('/') && !target.starts_with("//")).then(|| target.to_owned())
}

/// An error with its causes, each once.
fn shown(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = inner.source();
    }
    text
}
