//! A serving certificate with its key, ready for rustls.

use crate::certificate::{Certificate, CertificateError, Fingerprint};
use crate::pem_text::{self, PemError};
use crate::tls::provider;
use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, InconsistentKeys};
use std::fmt;
use std::sync::Arc;

/// Why a certificate and a key cannot serve. Holds no part of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// The chain cannot be read.
    #[error("the certificate cannot be read: {0}")]
    Certificate(#[from] CertificateError),
    /// The key's text cannot be read.
    #[error("the key cannot be read: {0}")]
    Key(PemError),
    /// The key is of a kind that TLS cannot use here.
    #[error(
        "the key is of an unknown kind or broken; ECDSA P-256, P-384, P-521, Ed25519 and RSA from 2048 bits are known"
    )]
    UnknownKey,
    /// TLS cannot use the certificate itself: X.509 version 1, or a critical extension that nobody knows.
    #[error("the certificate `{subject}` cannot be used for TLS: {reason}")]
    UnusableCertificate {
        /// The certificate's subject.
        subject: String,
        /// What the TLS library said of the certificate.
        reason: String,
    },
    /// Certificate and key are not a pair: torn files, or the CA's certificate was put first.
    #[error("the key does not belong to the first certificate `{subject}`")]
    KeyMismatch {
        /// The first certificate's subject.
        subject: String,
    },
}

/// A certificate chain and its key. The key is held by the TLS library and cannot be read back.
#[derive(Clone)]
pub struct Leaf {
    certificate: Certificate,
    served: Arc<CertifiedKey>,
    authority: Option<Fingerprint>,
}

impl Leaf {
    /// Reads a chain (leaf first) and its key.
    ///
    /// # Errors
    /// When either text is unreadable or over 64 KiB, or the two are not a pair. Time and names are not looked at.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, LeafError> {
        let chain = Certificate::all_from_pem(chain)?;
        let Some(certificate) = chain.first().cloned() else {
            return Err(CertificateError::from(PemError::NoCertificate).into());
        };
        let key = pem_text::private_key(key).map_err(LeafError::Key)?;
        let chain = chain.iter().map(|one| one.der().clone()).collect();
        let served = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                LeafError::KeyMismatch { subject: certificate.subject().to_owned() }
            }
            TlsError::InvalidCertificate(reason) => LeafError::UnusableCertificate {
                subject: certificate.subject().to_owned(),
                reason: reason.to_string(),
            },
            _ => LeafError::UnknownKey,
        })?;
        Ok(Self { certificate, served: Arc::new(served), authority: None })
    }

    pub(crate) fn signed_by(self, authority: Fingerprint) -> Self {
        Self { authority: Some(authority), ..self }
    }

    /// The first certificate of the chain.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The authority of ours that signed it; `None` for one that was read.
    pub fn authority(&self) -> Option<Fingerprint> {
        self.authority
    }

    /// What rustls serves: chain and key.
    pub fn certified_key(&self) -> &Arc<CertifiedKey> {
        &self.served
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Leaf").field(&self.certificate).finish()
    }
}
