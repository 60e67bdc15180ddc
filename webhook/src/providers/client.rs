//! One provider's HTTPS client: its own authorities and nobody else's, TLS 1.3, connections kept, no redirects, no
//! proxies, and an end to size and time of what it answers.

use axum::body::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::client::ResolvesClientCert;
use rustls::{ClientConfig, RootCertStore};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use wayguard_engine::PolicySet;
use wayguard_engine::gatekeeper::Provider;
use wayguard_engine::gatekeeper::external::{Response, request};

/// The largest answer, in bytes.
const LARGEST_ANSWER: usize = 1 << 20;
/// Requests to one provider at a time; further ones wait within their own deadline.
const AT_ONCE: usize = 64;
/// As Gatekeeper keeps them.
const KEPT_CONNECTIONS: usize = 10;
const IDLE: Duration = Duration::from_secs(90);

/// The clients of all providers.
pub(super) struct Clients {
    identity: Option<Arc<dyn ResolvesClientCert>>,
    by_provider: Mutex<HashMap<[u8; 32], Arc<Client>>>,
}

/// One provider's.
pub(super) struct Client {
    url: Uri,
    https: HyperClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    turns: Semaphore,
}

impl Clients {
    pub(super) fn new(identity: Option<Arc<dyn ResolvesClientCert>>) -> Self {
        Self { identity, by_provider: Mutex::default() }
    }

    /// The client of a provider; those of providers that are no longer there go.
    ///
    /// # Errors
    /// If its address or authorities cannot be used.
    pub(super) fn of(&self, provider: &Provider, set: &PolicySet) -> Result<Arc<Client>, String> {
        let mut clients = self.by_provider.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&provider.identity) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(Client::new(provider, self.identity.clone())?);
        clients.retain(|identity, _| set.gatekeeper().providers().any(|other| other.identity == *identity));
        clients.insert(provider.identity, Arc::clone(&client));
        Ok(client)
    }
}

impl Client {
    fn new(provider: &Provider, identity: Option<Arc<dyn ResolvesClientCert>>) -> Result<Self, String> {
        let url =
            provider.url.parse::<Uri>().map_err(|error| format!("its `url` cannot be used: {error}"))?;
        let mut roots = RootCertStore::empty();
        let (added, _) =
            roots.add_parsable_certificates(provider.authorities.iter().map(|der| der.clone().into()));
        if added == 0 {
            return Err("its `caBundle` holds no certificate that can be trusted".to_owned());
        }
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(crypto)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .with_root_certificates(roots);
        let config = match identity {
            Some(identity) => config.with_client_cert_resolver(identity),
            None => config.with_no_client_auth(),
        };
        let mut plain = HttpConnector::new();
        plain.enforce_http(false);
        plain.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .wrap_connector(plain);
        let https = HyperClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(KEPT_CONNECTIONS)
            .build(connector);
        Ok(Self { url, https, turns: Semaphore::new(AT_ONCE) })
    }

    /// Asks for keys; status and answer.
    ///
    /// # Errors
    /// Why there is no answer by then; neither keys nor values are in the words.
    pub(super) async fn ask(&self, keys: &[String], by: Instant) -> Result<(u16, Response), String> {
        let started = Instant::now();
        match tokio::time::timeout_at(by.into(), self.exchange(keys)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("it did not answer within {} ms", (by - started).as_millis())),
        }
    }

    async fn exchange(&self, keys: &[String]) -> Result<(u16, Response), String> {
        let _turn = self.turns.acquire().await.map_err(|error| error.to_string())?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "wayguard")
            .body(Full::new(Bytes::from(request(keys))))
            .map_err(|error| format!("its `url` cannot be used: {error}"))?;
        let response = self.https.request(request).await.map_err(|error| shown(&error))?;
        let status = response.status();
        if status.is_redirection() {
            return Err(format!("it answers with a redirect ({}), which is not followed", status.as_u16()));
        }
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
        let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => format!("its answer is larger than {} KiB", LARGEST_ANSWER / 1024),
            Err(error) => format!("its answer ended early: {}", shown(error.as_ref())),
        })?;
        let response = Response::parse(&body.to_bytes()).map_err(|problem| {
            if status.is_success() {
                problem
            } else {
                format!("{problem}; its status is {}", status.as_u16())
            }
        })?;
        Ok((status.as_u16(), response))
    }
}

/// An error with its causes, each once.
pub(crate) fn shown(error: &dyn Error) -> String {
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
