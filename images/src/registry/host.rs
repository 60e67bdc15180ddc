//! One host of a registry over HTTP: how it is dialled, what it is told, how much of its answer is read, where its
//! redirects may lead, and the tokens that it wants.

use super::credentials::Credential;
use super::options::{Bounds, Endpoint, RegistryOptions};
use super::proxy::Route;
use super::{Problem, RegistryError, Repository, address, challenge, tls};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, body::Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Who asks.
const AGENT: &str = concat!("wayguard/", env!("CARGO_PKG_VERSION"));
/// Redirects of one request that are followed.
const MOST_REDIRECTS: usize = 3;
/// An answer of a realm, in bytes.
const LARGEST_TOKEN: usize = 64 << 10;
/// A token is renewed this long before it runs out.
const TOKEN_MARGIN: Duration = Duration::from_secs(10);

type Connector = HttpsConnector<Route>;
type Body = Full<Bytes>;

/// One host that is asked: the registry's own, or a mirror.
pub(super) struct Host {
    at: Endpoint,
    http: bool,
    client: HyperClient<Connector, Body>,
    /// `Authorization` values by scope.
    tokens: Mutex<HashMap<String, (String, Instant)>>,
    loopback: bool,
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
    pub(super) fn new(
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
        let route = Route::new(address::Resolver { loopback }, bounds.connect);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(route);
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

    pub(super) async fn send(
        &self,
        ask: &Ask<'_>,
        authorization: Option<&str>,
    ) -> Result<Response<Incoming>, Problem> {
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
    pub(super) async fn finish(
        &self,
        ask: &Ask<'_>,
        response: Response<Incoming>,
    ) -> Result<Answer, Problem> {
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

    pub(super) fn token(&self, scope: &str) -> Option<String> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        tokens.retain(|_, (_, until)| *until > now);
        tokens.get(scope).map(|(authorization, _)| authorization.clone())
    }

    pub(super) fn keep(&self, scope: &str, authorization: &str, lifetime: Duration) {
        let until = Instant::now() + lifetime.min(Duration::from_hours(1)).saturating_sub(TOKEN_MARGIN);
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(scope.to_owned(), (authorization.to_owned(), until));
    }

    /// A token from the realm that a challenge names; credentials go there only over HTTPS, unless the registry itself
    /// is listed as HTTP.
    pub(super) async fn token_of(
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
