//! Our own certificate authority: made, read back, and signing leaves.
//!
//! One authority, in one Secret, serves all replicas; each replica signs a leaf of its own and keeps that leaf's key
//! in memory only. Keys are ECDSA P-256; every life begins an hour in the past, for clocks that are behind.

use crate::certificate::{Certificate, CertificateError, Fingerprint, Untimely};
use crate::leaf::{Leaf, LeafError};
use crate::names::ServingNames;
use crate::pem_text::{self, PemError, SecretPem};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData,
};
use std::fmt;
use std::time::{Duration, SystemTime};

/// How long an authority lives.
pub const AUTHORITY_LIFE: Duration = Duration::from_hours(365 * 24);
/// How long a leaf lives, unless its authority ends before.
pub const LEAF_LIFE: Duration = Duration::from_hours(90 * 24);
/// How far in the past a life begins, for clocks that are behind ours.
pub const BACKDATED: Duration = Duration::from_hours(1);

/// Why an authority cannot be made, read or used. Holds no part of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// The certificate's text cannot be read.
    #[error("the CA certificate cannot be read: {0}")]
    Certificate(#[from] CertificateError),
    /// The text holds more than the one certificate that signs.
    #[error("{count} certificates stand where one CA certificate is expected")]
    SeveralCertificates {
        /// How many.
        count: usize,
    },
    /// The certificate may not sign others.
    #[error("the certificate `{subject}` is not a CA: its basic constraints or key usage forbid signing")]
    NotACa {
        /// The certificate's subject.
        subject: String,
    },
    /// The key's text cannot be read.
    #[error("the CA key cannot be read: {0}")]
    Key(PemError),
    /// The key is of a kind that cannot sign here.
    #[error(
        "the CA key is of an unknown kind or broken; ECDSA P-256, P-384, P-521, Ed25519 and RSA are known"
    )]
    UnknownKey,
    /// Certificate and key are not a pair.
    #[error("the CA key does not belong to the CA certificate `{subject}`")]
    KeyMismatch {
        /// The certificate's subject.
        subject: String,
    },
    /// The authority's life has not begun or is over.
    #[error("the CA certificate `{subject}` cannot be used: {cause}")]
    Untimely {
        /// The certificate's subject.
        subject: String,
        /// Why not now.
        cause: Untimely,
    },
    /// A leaf without names would be refused by every client.
    #[error("no name or address was given for the serving certificate")]
    NoNames,
    /// A name that a certificate cannot hold.
    #[error("`{}` cannot be a DNS name in a certificate: it must be ASCII", name.escape_debug())]
    UnfitName {
        /// What was given.
        name: String,
    },
    /// Generating a key or signing failed: no randomness, or a time beyond the calendar.
    #[error("{doing} failed: {reason}")]
    Signing {
        /// What was being done.
        doing: &'static str,
        /// What the library said; never about key material.
        reason: String,
    },
    /// What we just signed cannot be loaded.
    #[error("the new leaf cannot be loaded: {0}")]
    Leaf(#[from] LeafError),
}

/// A certificate and its key as PEM text, for those who must write them down (a file, a Secret).
#[derive(Debug, Clone)]
pub struct PemPair {
    /// The certificate chain, leaf first.
    pub certificate: String,
    /// The key, PKCS#8.
    pub key: SecretPem,
}

/// A CA certificate with its key.
pub struct Authority {
    certificate: Certificate,
    key: SecretPem,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a new one: ECDSA P-256, living for [`AUTHORITY_LIFE`] from [`BACKDATED`] before `now`. Its name holds
    /// the beginning of its key's digest, so that no two authorities in a bundle are named alike.
    ///
    /// # Errors
    /// When there is no randomness, or `now` is outside the calendar.
    pub fn generate(now: SystemTime) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate().map_err(|error| signing("making the CA key", &error))?;
        let mut params = CertificateParams::default();
        set_life(&mut params, backdated(now)?, added(now, AUTHORITY_LIFE)?);
        let digest = params.key_identifier(&key).first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        params.distinguished_name = named(&format!("wayguard-ca-{digest:08x}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let signed =
            params.self_signed(&key).map_err(|error| signing("signing the CA certificate", &error))?;
        let certificate = reread(signed)?;
        Ok(Self {
            certificate,
            key: pem_text::encode_pkcs8(key.serialized_der()),
            issuer: Issuer::new(params, key),
        })
    }

    /// Reads certificate and key and checks that they can sign at `now`.
    ///
    /// # Errors
    /// When either text is unreadable or over 64 KiB, the certificate is not a single CA, the two are not a pair, or
    /// `now` is outside the certificate's life.
    pub fn from_pem(certificate: &[u8], key: &[u8], now: SystemTime) -> Result<Self, AuthorityError> {
        let authority = Self::parse(certificate, key)?;
        authority.check_time(now)?;
        Ok(authority)
    }

    /// As [`Self::from_pem`] without the question of time: an expired authority is still one to be replaced in order.
    ///
    /// # Errors
    /// As [`Self::from_pem`], time excepted.
    pub fn parse(certificate: &[u8], key: &[u8]) -> Result<Self, AuthorityError> {
        let mut certificates = Certificate::all_from_pem(certificate)?;
        let count = certificates.len();
        let (Some(certificate), true) = (certificates.pop(), count == 1) else {
            return Err(AuthorityError::SeveralCertificates { count });
        };
        let subject = || certificate.subject().to_owned();
        if !certificate.is_ca() {
            return Err(AuthorityError::NotACa { subject: subject() });
        }
        let der = pem_text::private_key(key).map_err(AuthorityError::Key)?;
        let pair = KeyPair::try_from(&der).map_err(|_| AuthorityError::UnknownKey)?;
        if pair.der_bytes() != certificate.public_key() {
            return Err(AuthorityError::KeyMismatch { subject: subject() });
        }
        // The text is kept as it came: a SEC1 or PKCS#1 key is not to be written back under another label.
        let text = String::from_utf8(key.to_vec()).map_err(|_| AuthorityError::UnknownKey)?;
        let issuer = Issuer::from_ca_cert_der(certificate.der(), pair)
            .map_err(|error| signing("reading the CA certificate", &error))?;
        Ok(Self { certificate, key: SecretPem::new(text), issuer })
    }

    /// Whether it may sign at `now`.
    ///
    /// # Errors
    /// When its life has not begun or is over.
    pub fn check_time(&self, now: SystemTime) -> Result<(), AuthorityError> {
        self.certificate.check_time(now).map_err(|cause| AuthorityError::Untimely {
            subject: self.certificate.subject().to_owned(),
            cause,
        })
    }

    /// The CA certificate: what goes into a caBundle.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Which authority this is.
    pub fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint()
    }

    /// The key, as it was read or in PKCS#8.
    pub fn key(&self) -> &SecretPem {
        &self.key
    }

    /// Signs a serving certificate with a new key: [`LEAF_LIFE`], never beyond the authority's own.
    ///
    /// # Errors
    /// When the authority may not sign at `now`, there are no names, or one does not fit in a certificate.
    pub fn issue(&self, names: &ServingNames, now: SystemTime) -> Result<Leaf, AuthorityError> {
        let pair = self.issue_pem(names, now)?;
        Ok(Leaf::from_pem(pair.certificate.as_bytes(), pair.key.expose().as_bytes())?
            .signed_by(self.fingerprint()))
    }

    /// As [`Self::issue`], as text: for a server that reads files.
    ///
    /// # Errors
    /// As [`Self::issue`].
    pub fn issue_pem(&self, names: &ServingNames, now: SystemTime) -> Result<PemPair, AuthorityError> {
        self.check_time(now)?;
        if names.dns().is_empty() && names.ips().is_empty() {
            return Err(AuthorityError::NoNames);
        }
        let mut params = CertificateParams::default();
        for name in names.dns() {
            let fit =
                name.as_str().try_into().map_err(|_| AuthorityError::UnfitName { name: name.clone() })?;
            params.subject_alt_names.push(rcgen::SanType::DnsName(fit));
        }
        params.subject_alt_names.extend(names.ips().iter().map(|ip| rcgen::SanType::IpAddress(*ip)));
        // A leaf that outlives its authority would look healthy on our expiry metric while every client refuses it.
        let begin = backdated(now)?.max(self.certificate.not_before());
        let end = added(now, LEAF_LIFE)?.min(self.certificate.not_after());
        set_life(&mut params, begin, end);
        params.distinguished_name = named("wayguard");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // Servers are clients of the history as well.
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(|error| signing("making the leaf's key", &error))?;
        let signed =
            params.signed_by(&key, &self.issuer).map_err(|error| signing("signing the leaf", &error))?;
        Ok(PemPair {
            certificate: pem_text::encode_certificates(std::iter::once(signed.der().as_ref())),
            key: pem_text::encode_pkcs8(key.serialized_der()),
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Authority").field(&self.certificate).finish()
    }
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "wayguard.io");
    name.push(DnType::CommonName, common_name);
    name
}

fn set_life(params: &mut CertificateParams, begin: SystemTime, end: SystemTime) {
    params.not_before = begin.into();
    params.not_after = end.into();
}

/// The last second that `GeneralizedTime` can hold, 9999-12-31T23:59:59Z (RFC 5280 §4.1.2.5), in seconds since 1970.
/// Beyond it the calendar conversions of our libraries panic, so it is checked before.
const END_OF_CALENDAR: Duration = Duration::from_secs(253_402_300_799);

fn added(now: SystemTime, life: Duration) -> Result<SystemTime, AuthorityError> {
    now.checked_add(life)
        .filter(|end| end.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since <= END_OF_CALENDAR))
        .ok_or_else(off_calendar)
}

fn backdated(now: SystemTime) -> Result<SystemTime, AuthorityError> {
    now.checked_sub(BACKDATED).filter(|begin| *begin >= SystemTime::UNIX_EPOCH).ok_or_else(off_calendar)
}

fn off_calendar() -> AuthorityError {
    AuthorityError::Signing {
        doing: "setting the certificate's life",
        reason: "the clock is outside the years 1970 to 9999".to_owned(),
    }
}

fn signing(doing: &'static str, error: &rcgen::Error) -> AuthorityError {
    AuthorityError::Signing { doing, reason: error.to_string() }
}

fn reread(signed: rcgen::Certificate) -> Result<Certificate, AuthorityError> {
    Certificate::from_der(signed.into())
        .map_err(|reason| CertificateError::NotX509 { position: 1, reason }.into())
}

#[cfg(test)]
#[path = "authority_tests.rs"]
mod tests;
