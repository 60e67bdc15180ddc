//! What a certificate says: names, life, purpose. Read once from its DER; plain data afterwards.

use crate::moment::written;
use crate::pem_text::{self, PemError};
use aws_lc_rs::digest::{SHA256, digest};
use rustls_pki_types::CertificateDer;
use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Why a certificate cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The text around it is not the PEM that was asked for.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The bytes are not an X.509 certificate, or bytes follow it.
    #[error("certificate {position} is not X.509: {reason}")]
    NotX509 {
        /// Its place in the text; the first is 1.
        position: usize,
        /// What the parser stumbled over, in fixed words.
        reason: &'static str,
    },
}

/// Why a certificate may not be used at a given time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untimely {
    /// Its life has not begun; either it is fresh from a machine whose clock is ahead, or our clock is behind.
    #[error("it is not valid before {}", written(*.not_before))]
    NotYetValid {
        /// When its life begins.
        not_before: SystemTime,
    },
    /// Its life is over.
    #[error("it expired at {}", written(*.not_after))]
    Expired {
        /// When it ended.
        not_after: SystemTime,
    },
}

/// SHA-256 of the DER, as `openssl x509 -fingerprint -sha256` has it; shown as lower-case hex without colons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        // SHA-256 always has 32 bytes; zip keeps that free of a panic path.
        bytes.iter_mut().zip(digest(&SHA256, der).as_ref()).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// One certificate and what it says. Equal if the bytes are equal. Cheap enough to clone (about 1 KiB).
#[derive(Clone)]
pub struct Certificate {
    der: CertificateDer<'static>,
    fingerprint: Fingerprint,
    subject: String,
    common_names: Vec<String>,
    dns_names: Vec<String>,
    ip_addresses: Vec<IpAddr>,
    uris: Vec<String>,
    not_before: SystemTime,
    not_after: SystemTime,
    is_ca: bool,
    for_servers: bool,
    public_key: Vec<u8>,
}

impl Certificate {
    /// Reads all certificates of a PEM text, in their order.
    ///
    /// # Errors
    /// When the text is not PEM, too long, without a certificate, or one of them is not X.509.
    pub fn all_from_pem(text: &[u8]) -> Result<Vec<Self>, CertificateError> {
        pem_text::certificates(text)?
            .into_iter()
            .enumerate()
            .map(|(index, der)| {
                Self::from_der(der)
                    .map_err(|reason| CertificateError::NotX509 { position: index + 1, reason })
            })
            .collect()
    }

    pub(crate) fn from_der(der: CertificateDer<'static>) -> Result<Self, &'static str> {
        let (rest, parsed) =
            X509Certificate::from_der(&der).map_err(|_| "the structure is broken or not DER")?;
        if !rest.is_empty() {
            return Err("there are bytes after its end");
        }
        let mut read = Self {
            fingerprint: Fingerprint::of(&der),
            subject: parsed.subject().to_string().escape_debug().to_string(),
            common_names: parsed
                .subject()
                .iter_common_name()
                .filter_map(|name| name.as_str().ok().map(str::to_owned))
                .collect(),
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            uris: Vec::new(),
            not_before: SystemTime::from(parsed.validity().not_before.to_datetime()),
            not_after: SystemTime::from(parsed.validity().not_after.to_datetime()),
            is_ca: parsed.is_ca()
                && parsed
                    .key_usage()
                    .map_err(|_| "its key usage is given twice or broken")?
                    .is_none_or(|usage| usage.value.key_cert_sign()),
            for_servers: parsed
                .extended_key_usage()
                .map_err(|_| "its extended key usage is given twice or broken")?
                .is_none_or(|usage| usage.value.any || usage.value.server_auth),
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            der: CertificateDer::from(Vec::new()),
        };
        let names = parsed
            .subject_alternative_name()
            .map_err(|_| "its subject alternative names are given twice or broken")?;
        for name in names.iter().flat_map(|extension| &extension.value.general_names) {
            match name {
                GeneralName::DNSName(name) => read.dns_names.push((*name).to_owned()),
                GeneralName::URI(uri) => read.uris.push((*uri).to_owned()),
                GeneralName::IPAddress(bytes) => read.ip_addresses.extend(address(bytes)),
                // Other kinds (mail, directory names) are not names of servers, and clients do not use them here.
                _ => {}
            }
        }
        read.der = der;
        Ok(read)
    }

    /// The certificate as it is sent.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// The certificate as PEM text.
    pub fn to_pem(&self) -> String {
        pem_text::encode_certificates(std::iter::once(self.der.as_ref()))
    }

    /// SHA-256 of the DER.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The subject as one line, control characters escaped: for people, not for comparison.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The subject's common names as they are; for comparison (client certificates of Kubernetes carry user names there).
    pub fn common_names(&self) -> &[String] {
        &self.common_names
    }

    /// The DNS names it is made out to.
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// The addresses it is made out to.
    pub fn ip_addresses(&self) -> &[IpAddr] {
        &self.ip_addresses
    }

    /// The URIs it is made out to (a SPIFFE id, for instance).
    pub fn uris(&self) -> &[String] {
        &self.uris
    }

    /// The first second of its life.
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// The last second of its life.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Whether it may sign others: basic constraints say CA and the key usage, if there, includes `keyCertSign`.
    pub fn is_ca(&self) -> bool {
        self.is_ca
    }

    /// Whether it may stand for a server: no extended key usage, or one with `serverAuth`.
    pub fn is_for_servers(&self) -> bool {
        self.for_servers
    }

    /// When to replace it: after two thirds of its life, so that a third is left for whatever goes wrong.
    pub fn renewal_due(&self) -> SystemTime {
        let life = self.not_after.duration_since(self.not_before).unwrap_or(Duration::ZERO);
        self.not_before.checked_add(life / 3 * 2).unwrap_or(self.not_after)
    }

    /// Whether its life includes `now`.
    ///
    /// # Errors
    /// When it has not begun or is over.
    pub fn check_time(&self, now: SystemTime) -> Result<(), Untimely> {
        if now < self.not_before {
            Err(Untimely::NotYetValid { not_before: self.not_before })
        } else if now > self.not_after {
            Err(Untimely::Expired { not_after: self.not_after })
        } else {
            Ok(())
        }
    }

    /// Whether a client that asks for `name` accepts it: equal without regard to case, or by a `*.` in place of
    /// exactly the first label (RFC 6125 §6.4.3). The common name does not count: Go and rustls ignore it.
    pub fn covers_dns(&self, name: &str) -> bool {
        self.dns_names.iter().any(|own| {
            own.eq_ignore_ascii_case(name)
                || own.strip_prefix("*.").is_some_and(|domain| {
                    name.split_once('.')
                        .is_some_and(|(first, rest)| !first.is_empty() && rest.eq_ignore_ascii_case(domain))
                })
        })
    }

    /// Whether a client that connects to `address` without a name accepts it.
    pub fn covers_ip(&self, address: IpAddr) -> bool {
        self.ip_addresses.contains(&address)
    }

    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public_key
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut short = String::new();
        write!(short, "{}", self.fingerprint)?;
        short.truncate(16);
        write!(
            formatter,
            "Certificate({}, {short}, {} to {})",
            self.subject,
            written(self.not_before),
            written(self.not_after)
        )
    }
}
