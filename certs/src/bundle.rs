//! What clients trust: one or more CA certificates, the `caBundle` of a webhook configuration.
//!
//! While an authority is replaced both the old and the new one are in it, so that no order of arrival, of bundle or
//! leaf, at any API server or replica breaks a handshake.

use crate::certificate::{Certificate, CertificateError, Untimely};
use crate::leaf::Leaf;
use crate::pem_text;
use crate::tls::provider;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls_pki_types::{ServerName, UnixTime};
use std::sync::Arc;
use std::time::SystemTime;

/// Why a text is not a bundle of CAs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The text cannot be read.
    #[error("the CA bundle cannot be read: {0}")]
    Certificate(#[from] CertificateError),
    /// One of the certificates may not sign others, so trusting it would trust nothing, or too much.
    #[error("the certificate `{subject}` in the CA bundle is not a CA")]
    NotACa {
        /// Its subject.
        subject: String,
    },
}

/// Why a client with a given bundle would refuse a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// No certificate of the bundle is within its life; Go refuses expired roots too.
    #[error("no CA certificate in the bundle is valid at this time{}", why(*.0))]
    NoValidAuthority(Option<Untimely>),
    /// The name that is asked for is neither a DNS name nor an address.
    #[error("`{0}` is not a server name")]
    NotAName(String),
    /// The chain does not end at the bundle, has expired, or has another name.
    #[error("the serving certificate is not trusted: {0}")]
    Refused(String),
}

fn why(cause: Option<Untimely>) -> String {
    cause.map_or_else(String::new, |cause| format!(": {cause}"))
}

/// CA certificates without repetitions, in the order they were added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaBundle(Vec<Certificate>);

impl CaBundle {
    /// Reads a bundle; repetitions are dropped.
    ///
    /// # Errors
    /// When the text is unreadable, over 64 KiB or empty, or holds a certificate that is not a CA.
    pub fn from_pem(text: &[u8]) -> Result<Self, BundleError> {
        let certificates = Certificate::all_from_pem(text)?;
        if let Some(other) = certificates.iter().find(|certificate| !certificate.is_ca()) {
            return Err(BundleError::NotACa { subject: other.subject().to_owned() });
        }
        Ok(certificates.iter().fold(Self::default(), Self::with))
    }

    /// The bundle and one more certificate, unless it is there already.
    #[must_use]
    pub fn with(mut self, certificate: &Certificate) -> Self {
        if !self.contains(certificate) {
            self.0.push(certificate.clone());
        }
        self
    }

    /// Both bundles.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        other.0.iter().fold(self, Self::with)
    }

    /// Those certificates whose life includes `now`.
    #[must_use]
    pub fn valid_at(mut self, now: SystemTime) -> Self {
        self.0.retain(|certificate| certificate.check_time(now).is_ok());
        self
    }

    /// Whether this very certificate is in it.
    pub fn contains(&self, certificate: &Certificate) -> bool {
        self.0.contains(certificate)
    }

    /// Whether both hold the same certificates, in whatever order.
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|certificate| other.contains(certificate))
    }

    /// The certificates.
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }

    /// Whether it trusts nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// PEM, one certificate after the other: what stands (in base64) in `clientConfig.caBundle`.
    pub fn to_pem(&self) -> String {
        pem_text::encode_certificates(self.0.iter().map(|certificate| certificate.der().as_ref()))
    }

    /// Asks what the API server will ask: does `leaf` lead to this bundle, at `now`, for `name`?
    ///
    /// # Errors
    /// With what it would answer.
    pub fn check(&self, leaf: &Leaf, name: &str, now: SystemTime) -> Result<(), Distrust> {
        let valid = self.clone().valid_at(now);
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(valid.0.iter().map(|certificate| certificate.der().clone()));
        if roots.is_empty() {
            let cause = self.0.last().and_then(|certificate| certificate.check_time(now).err());
            return Err(Distrust::NoValidAuthority(cause));
        }
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| Distrust::NotAName(name.escape_debug().to_string()))?;
        let refused = |error: &dyn std::fmt::Display| Distrust::Refused(error.to_string());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| refused(&error))?;
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let Some((end, intermediates)) = leaf.certified_key().cert.split_first() else {
            return Err(refused(&"there is no certificate in the chain"));
        };
        rustls::client::danger::ServerCertVerifier::verify_server_cert(
            verifier.as_ref(),
            end,
            intermediates,
            &name,
            &[],
            UnixTime::since_unix_epoch(since),
        )
        .map(|_| ())
        .map_err(|error| refused(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{AUTHORITY_LIFE, Authority, LEAF_LIFE};
    use crate::names::ServingNames;
    use crate::samples::{now, params, self_signed};
    use std::time::Duration;

    #[test]
    fn old_and_new_are_both_trusted_and_nothing_twice() {
        let (old, new) = (Authority::generate(now()).unwrap(), Authority::generate(now()).unwrap());
        let both =
            CaBundle::default().with(old.certificate()).with(new.certificate()).with(old.certificate());
        assert_eq!(both.certificates().len(), 2);
        let read = CaBundle::from_pem(both.to_pem().repeat(2).as_bytes()).unwrap();
        assert_eq!(read, both);
        let reversed = CaBundle::default().with(new.certificate()).with(old.certificate());
        assert!(reversed.same_as(&both) && reversed != both);
        assert!(!both.same_as(&CaBundle::default().with(old.certificate())));
        assert!(reversed.and(&both).same_as(&both));
        for authority in [&old, &new] {
            let leaf = authority.issue(&ServingNames::local(), now()).unwrap();
            for name in ["localhost", "127.0.0.1", "::1"] {
                both.check(&leaf, name, now()).unwrap();
            }
        }
    }

    #[test]
    fn the_answer_is_the_one_that_the_api_server_would_give() {
        let authority = Authority::generate(now()).unwrap();
        let names = ServingNames::for_service("gate", "ns").unwrap();
        let leaf = authority.issue(&names, now()).unwrap();
        let bundle = CaBundle::default().with(authority.certificate());
        bundle.check(&leaf, "gate.ns.svc", now()).unwrap();
        let refusal = |bundle: &CaBundle, name: &str, at| bundle.check(&leaf, name, at).unwrap_err();

        let other = CaBundle::default().with(Authority::generate(now()).unwrap().certificate());
        assert!(refusal(&other, "gate.ns.svc", now()).to_string().contains("UnknownIssuer"));
        assert!(refusal(&bundle, "gate.other.svc", now()).to_string().contains("not valid for name"));
        assert_eq!(refusal(&bundle, "a b", now()), Distrust::NotAName("a b".to_owned()));
        let late = now() + LEAF_LIFE + Duration::from_secs(1);
        assert!(refusal(&bundle, "gate.ns.svc", late).to_string().contains("expired"));
        let too_late = now() + AUTHORITY_LIFE + Duration::from_secs(1);
        let not_after = authority.certificate().not_after();
        assert_eq!(
            refusal(&bundle, "gate.ns.svc", too_late),
            Distrust::NoValidAuthority(Some(Untimely::Expired { not_after }))
        );
        assert_eq!(refusal(&CaBundle::default(), "x", now()), Distrust::NoValidAuthority(None));
        assert!(bundle.valid_at(too_late).is_empty());
    }

    #[test]
    fn a_bundle_with_a_leaf_in_it_is_refused() {
        let leaf = self_signed(&params(&["gate"], now()));
        let error = CaBundle::from_pem(leaf.to_pem().as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "the certificate `CN=sample` in the CA bundle is not a CA");
        assert!(matches!(CaBundle::from_pem(b"\n").unwrap_err(), BundleError::Certificate(_)));
    }
}
