//! The replicas' end: batches go to the service, decisions come back, over TLS 1.3 with certificates on both sides.

use super::{DECISIONS, STATES};
use axum::body::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wayguard_history::{AuditPart, DecisionRecord, Sink, SinkError};

/// The CAs that the service's certificate must be signed by, as they are now; empty while they are not known.
pub type TrustedCas = Arc<dyn Fn() -> Vec<CertificateDer<'static>> + Send + Sync>;

type Https = HyperClient<HttpsConnector<HttpConnector>, Full<Bytes>>;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// The largest answer, in bytes.
const LARGEST_ANSWER: usize = 64 << 20;

/// A client of the service.
pub struct HistoryClient {
    url: String,
    identity: Arc<dyn ResolvesClientCert>,
    trusted: TrustedCas,
    made: Mutex<Option<(Vec<CertificateDer<'static>>, Https)>>,
}

impl HistoryClient {
    /// One that has not connected yet. `url` is `https://HOST[:PORT]`.
    ///
    /// # Errors
    /// If the URL is another.
    pub fn new(
        url: &str,
        identity: Arc<dyn ResolvesClientCert>,
        trusted: TrustedCas,
    ) -> Result<Self, String> {
        let url = url.trim_end_matches('/');
        let is_host =
            url.strip_prefix("https://").is_some_and(|host| !host.is_empty() && !host.contains('/'));
        if !is_host || url.parse::<hyper::Uri>().is_err() {
            return Err(format!(
                "`{url}` is not the address of a history; expected one such as `https://wayguard-history.wayguard-system.svc`"
            ));
        }
        Ok(Self { url: url.to_owned(), identity, trusted, made: Mutex::default() })
    }

    /// The decisions that a query chooses, such as `id=380d` or `namespace=shop&limit=5`, newest first.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn decisions(&self, query: &str) -> Result<Vec<DecisionRecord>, String> {
        let (_, body) = self
            .exchange(Method::GET, &format!("{DECISIONS}?{query}"), Bytes::new())
            .await
            .map_err(|error| error.to_string())?;
        serde_json::from_slice(&body)
            .map_err(|problem| format!("the answer of {} cannot be read: {problem}", self.url))
    }

    async fn send(&self, path: &str, what: &(impl Serialize + Sync + ?Sized)) -> Result<(), SinkError> {
        let body = serde_json::to_vec(what).map_err(|problem| SinkError::Never(problem.to_string()))?;
        self.exchange(Method::POST, path, Bytes::from(body)).await.map(drop)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), SinkError> {
        let later = |problem: String| SinkError::NotNow(format!("{}: {problem}", self.url));
        let client = self.client().map_err(&later)?;
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "wayguard")
            .body(Full::new(body))
            .map_err(|problem| SinkError::Never(problem.to_string()))?;
        let whole = async {
            let response = client
                .request(request)
                .await
                .map_err(|error| later(crate::providers::client::shown(&error)))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LARGEST_ANSWER)
                .collect()
                .await
                .map_err(|error| later(error.to_string()))?
                .to_bytes();
            Ok::<_, SinkError>((status, body))
        };
        let (status, body) = tokio::time::timeout(ANSWER_WITHIN, whole)
            .await
            .map_err(|_| later(format!("no answer within {} s", ANSWER_WITHIN.as_secs())))??;
        let words = || format!("it answers {}: {}", status.as_u16(), String::from_utf8_lossy(&body));
        match status {
            status if status.is_success() => Ok((status, body)),
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => {
                Err(SinkError::Never(format!("{}: {}", self.url, words())))
            }
            _ => Err(later(words())),
        }
    }

    /// The connections, made anew when other CAs are trusted.
    fn client(&self) -> Result<Https, String> {
        let trusted = (self.trusted)();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, client)) = &*made
            && *known == trusted
        {
            return Ok(client.clone());
        }
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(trusted.iter().cloned());
        if added == 0 {
            return Err("the CA that its certificate must be signed by is not known yet".to_owned());
        }
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(crypto)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::clone(&self.identity));
        config.resumption = rustls::client::Resumption::disabled();
        let mut plain = HttpConnector::new();
        plain.enforce_http(false);
        plain.set_nodelay(true);
        plain.set_connect_timeout(Some(CONNECT_WITHIN));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .wrap_connector(plain);
        let client = HyperClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_mins(1))
            .pool_max_idle_per_host(2)
            .build(connector);
        *made = Some((trusted, client.clone()));
        Ok(client)
    }
}

impl Sink for HistoryClient {
    fn write<'s>(
        &'s self,
        batch: &'s [DecisionRecord],
    ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>> {
        Box::pin(self.send(DECISIONS, batch))
    }

    fn write_state<'s>(
        &'s self,
        part: &'s AuditPart,
    ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>> {
        Box::pin(self.send(STATES, part))
    }
}
