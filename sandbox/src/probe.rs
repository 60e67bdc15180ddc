//! One GET request over HTTPS, to learn whether the API server is ready. A
//! Kubernetes client would be far too much for it, and belongs to another crate.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// How long connecting, and each read or write, may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Answers are read up to this size, in bytes: a status line, or a small object.
const LIMIT: u64 = 1 << 20;

/// Asks one API server, as one user.
#[derive(Debug)]
pub(crate) struct Probe {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    token: String,
}

impl Probe {
    /// The server on this port of 127.0.0.1, trusted if signed by `ca` (PEM).
    pub(crate) fn new(port: u16, ca: &str, token: &str) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(ca.as_bytes()).map_err(io::Error::other)?;
        roots.add(certificate).map_err(io::Error::other)?;
        // The provider is named: whichever the process has as its default, if it
        // has one, is not our business.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let address = (Ipv4Addr::LOCALHOST, port).into();
        Ok(Self { address, tls: Arc::new(tls), token: token.to_owned() })
    }

    /// The status code and what follows it, headers included.
    pub(crate) fn get(&self, path: &str) -> io::Result<(u16, String)> {
        let tcp = TcpStream::connect_timeout(&self.address, TIMEOUT)?;
        tcp.set_read_timeout(Some(TIMEOUT))?;
        tcp.set_write_timeout(Some(TIMEOUT))?;
        let name = ServerName::IpAddress(self.address.ip().into());
        let session = ClientConnection::new(Arc::clone(&self.tls), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, tcp);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Accept: application/json\r\nConnection: close\r\n\r\n",
            self.address, self.token
        )?;
        let mut answer = Vec::new();
        match stream.take(LIMIT).read_to_end(&mut answer) {
            // The end of the connection without TLS's own farewell: what was
            // read is only used for its status and for messages.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
            _ => {}
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split_whitespace().nth(1).and_then(|code| code.parse().ok());
        status.map(|status| (status, answer)).ok_or_else(|| io::Error::other("not an HTTP answer"))
    }
}
