//! A server on loopback, and connections to it.

use axum::body::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use wayguard_engine::PolicySet;
use wayguard_engine::policy::library::Library;
use wayguard_webhook::{AdmissionServer, Config, FactSource, Parts, PolicySource};

/// A server that runs for as long as the runtime does.
pub(crate) struct Server {
    address: SocketAddr,
    tls: Arc<rustls::ClientConfig>,
}

impl Server {
    /// One with these policies, which asks for facts there.
    pub(crate) async fn start(set: Arc<PolicySet>, facts: Arc<dyn FactSource>) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let policies = Arc::new(PolicySource::new());
        policies.replace(set);
        let library = Arc::new(Library::from_files(BTreeMap::new()));
        let expiry = Arc::new(|| Some(jiff::Timestamp::MAX));
        let mut parts = Parts::new(Arc::new(tls), expiry, policies, library);
        parts.facts = facts;
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        parts.config = Config { admission_address: any, health_address: any, ..Config::default() };
        let server = AdmissionServer::bind(parts).await.unwrap();
        let (address, _) = server.addresses().unwrap();
        tokio::spawn(server.run(std::future::pending()));
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate).unwrap();
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { address, tls: Arc::new(tls) }
    }

    /// A connection to it.
    pub(crate) async fn client(&self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }
}
