//! The TLS side of the server: versions, ALPN, sessions.
//!
//! TLS 1.3 unless 1.2 is asked for (then rustls offers only ECDHE with AEAD), HTTP/1.1 only (the API server speaks
//! nothing else to webhooks), and the aws-lc-rs provider, named here and never taken from a process-wide default.

use crate::clients::ClientCertificates;
use crate::serving::ServingCertificate;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{NoClientAuth, NoServerSessionStorage, ServerSessionMemoryCache};
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use std::str::FromStr;
use std::sync::Arc;

/// How many sessions are remembered for resumption without tickets: TLS 1.2 clients that know no tickets. About 1 KiB each.
const REMEMBERED_SESSIONS: usize = 1024;

const FROM_1_2: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
const FROM_1_3: &[&SupportedProtocolVersion] = &[&version::TLS13];

/// The oldest TLS version that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MinimumTls {
    /// 1.2: for API servers behind proxies that know no 1.3.
    V1_2,
    /// 1.3, the default; every API server since Kubernetes 1.19 speaks it.
    #[default]
    V1_3,
}

impl MinimumTls {
    fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::V1_2 => FROM_1_2,
            Self::V1_3 => FROM_1_3,
        }
    }
}

impl FromStr for MinimumTls {
    type Err = UnknownTlsVersion;

    fn from_str(text: &str) -> Result<Self, UnknownTlsVersion> {
        match text {
            "1.2" => Ok(Self::V1_2),
            "1.3" => Ok(Self::V1_3),
            other => Err(UnknownTlsVersion(other.to_owned())),
        }
    }
}

/// A TLS version that cannot be the minimum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a TLS version that can be the minimum; `1.2` or `1.3` can", .0.escape_debug())]
pub struct UnknownTlsVersion(String);

/// Why the TLS configuration cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The provider lacks what a version needs. Happens only with a provider that was cut down.
    #[error("the TLS versions cannot be set up: {0}")]
    Versions(rustls::Error),
    /// No key for session tickets, for lack of randomness.
    #[error("the keys of session tickets cannot be made: {0}")]
    Tickets(rustls::Error),
}

/// Where keys, signatures and ciphers come from.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The configuration to accept connections with. Made once; certificate and client CA change underneath it.
///
/// Sessions are resumed by tickets (12 hours, keys renewed every 6) and, for clients without tickets, from a cache. Not
/// with client certificates: rustls does not verify them again on resumption, so a client whose CA or name was
/// withdrawn would come back in for as long as its ticket lives.
///
/// # Errors
/// When the provider cannot do what is asked, or has no randomness.
pub fn server_config(
    serving: Arc<ServingCertificate>,
    minimum: MinimumTls,
    clients: Option<Arc<ClientCertificates>>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let resumable = clients.is_none();
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(minimum.versions())
        .map_err(TlsError::Versions)?
        .with_client_cert_verifier(match clients {
            Some(clients) => clients,
            None => Arc::new(NoClientAuth),
        })
        .with_cert_resolver(serving);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if resumable {
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::Tickets)?;
        config.session_storage = ServerSessionMemoryCache::new(REMEMBERED_SESSIONS);
    } else {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_is_read_from_its_number() {
        assert_eq!("1.2".parse(), Ok(MinimumTls::V1_2));
        assert_eq!("1.3".parse(), Ok(MinimumTls::default()));
        assert_eq!(
            "1.1".parse::<MinimumTls>().unwrap_err().to_string(),
            "`1.1` is not a TLS version that can be the minimum; `1.2` or `1.3` can"
        );
    }

    #[test]
    fn the_ciphers_are_these_and_no_others() {
        let suites = |minimum| {
            let config = server_config(ServingCertificate::empty(), minimum, None).unwrap();
            let mut names: Vec<_> = config
                .crypto_provider()
                .cipher_suites
                .iter()
                .filter(|suite| minimum.versions().contains(&suite.version()))
                .map(|suite| format!("{:?}", suite.suite()))
                .collect();
            names.sort();
            names
        };
        let newest =
            ["TLS13_AES_128_GCM_SHA256", "TLS13_AES_256_GCM_SHA384", "TLS13_CHACHA20_POLY1305_SHA256"];
        assert_eq!(suites(MinimumTls::V1_3), newest);
        let older = suites(MinimumTls::V1_2);
        assert_eq!(older.len(), 9);
        assert!(
            older.iter().all(|name| name.starts_with("TLS13_")
                || (name.starts_with("TLS_ECDHE_") && (name.contains("_GCM_") || name.contains("POLY1305")))),
            "{older:?}"
        );
    }

    #[test]
    fn one_protocol_no_early_data_and_no_resumption_with_client_certificates() {
        let plain = server_config(ServingCertificate::empty(), MinimumTls::default(), None).unwrap();
        assert_eq!(plain.alpn_protocols, [b"http/1.1"]);
        assert_eq!(plain.max_early_data_size, 0);
        assert!(plain.ticketer.enabled() && plain.session_storage.can_cache());
        let clients = crate::clients::tests::any_client_of(&crate::clients::tests::authority());
        let mutual =
            server_config(ServingCertificate::empty(), MinimumTls::default(), Some(clients)).unwrap();
        assert!(!mutual.ticketer.enabled() && !mutual.session_storage.can_cache());
        assert_eq!(mutual.send_tls13_tickets, 0);
    }
}
