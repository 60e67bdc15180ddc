//! Client certificates: is it the API server that calls?
//!
//! Off by default: the API server presents one only if its administrator says so (`--admission-control-config-file`),
//! which most managed control planes do not offer. The CA that signs clients can be replaced while the server runs; the
//! mode and the names are fixed.

use crate::bundle::{BundleError, CaBundle};
use crate::certificate::Certificate;
use crate::tls::provider;
use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError as Refusal, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Whether clients must present a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientMode {
    /// None is asked for.
    #[default]
    Off,
    /// One is asked for; a client without one is served, a client with a wrong one is not.
    Optional,
    /// Without a right one there is no connection.
    Required,
}

impl FromStr for ClientMode {
    type Err = ClientsError;

    fn from_str(text: &str) -> Result<Self, ClientsError> {
        match text {
            "off" => Ok(Self::Off),
            "optional" => Ok(Self::Optional),
            "required" => Ok(Self::Required),
            other => Err(ClientsError::UnknownMode(other.to_owned())),
        }
    }
}

/// Whom the CA signed is not yet who may call: in a cluster the same CA signs every kubelet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedClients {
    /// Everyone whom the CA signed: for a CA that signs nobody else.
    AnyFromCa,
    /// Those with one of these as common name, DNS name or URI, letter for letter (DNS names without regard to case).
    Named(BTreeSet<String>),
}

/// Why client certificates cannot be verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientsError {
    /// The mode is not one.
    #[error("`{}` is not a mode for client certificates; `off`, `optional` and `required` are", .0.escape_debug())]
    UnknownMode(String),
    /// A list of names without a name lets nobody in.
    #[error("the list of allowed clients is empty; name at least one, for instance `kube-apiserver`")]
    NobodyAllowed,
    /// The CA's text cannot be read, or is not a CA.
    #[error("the CA of client certificates cannot be used: {0}")]
    Bundle(#[from] BundleError),
    /// TLS cannot trust one of the CAs.
    #[error("the CA `{subject}` of client certificates cannot be used: {reason}")]
    Unusable {
        /// Its subject.
        subject: String,
        /// What the TLS library said.
        reason: String,
    },
}

/// One CA and what verifies against it. One verifier for each, because webpki does not look at a trust anchor's own
/// life, and a bundle may hold an expired CA beside its successor.
#[derive(Debug)]
struct TrustedClientCa {
    certificate: Certificate,
    verifier: Arc<dyn ClientCertVerifier>,
}

/// Verifies client certificates against a CA that can be replaced.
pub struct ClientCertificates {
    mandatory: bool,
    allowed: AllowedClients,
    trusted: ArcSwap<Vec<TrustedClientCa>>,
    algorithms: WebPkiSupportedAlgorithms,
    refused: AtomicU64,
}

impl ClientCertificates {
    /// Verifies against the CAs in `ca_pem`; `None` for [`ClientMode::Off`].
    ///
    /// # Errors
    /// When the CA cannot be used, or the list of names is empty.
    pub fn new(
        mode: ClientMode,
        ca_pem: &[u8],
        allowed: AllowedClients,
    ) -> Result<Option<Arc<Self>>, ClientsError> {
        let mandatory = match mode {
            ClientMode::Off => return Ok(None),
            ClientMode::Optional => false,
            ClientMode::Required => true,
        };
        if matches!(&allowed, AllowedClients::Named(names) if names.is_empty()) {
            return Err(ClientsError::NobodyAllowed);
        }
        let trusted = ArcSwap::from_pointee(trusted(ca_pem)?);
        let algorithms = provider().signature_verification_algorithms;
        Ok(Some(Arc::new(Self { mandatory, allowed, trusted, algorithms, refused: AtomicU64::new(0) })))
    }

    /// Trusts these CAs, and no others, from the next handshake on. Connections that are open stay open.
    ///
    /// # Errors
    /// When they cannot be used; those before stay.
    pub fn replace_ca(&self, ca_pem: &[u8]) -> Result<(), ClientsError> {
        self.trusted.store(Arc::new(trusted(ca_pem)?));
        Ok(())
    }

    /// When the first of the CAs expires: a gauge for metrics.
    pub fn not_after(&self) -> SystemTime {
        let trusted = self.trusted.load();
        // Never empty: a text without a certificate is an error.
        trusted.iter().map(|ca| ca.certificate.not_after()).min().unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// How many certificates were refused: a counter for metrics.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn verify(
        &self,
        client: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(now.as_secs());
        let mut result = Err(Refusal::UnknownIssuer.into());
        for ca in self.trusted.load().iter().filter(|ca| ca.certificate.check_time(time).is_ok()) {
            match ca.verifier.verify_client_cert(client, intermediates, now) {
                Ok(verified) => {
                    result = Ok(verified);
                    break;
                }
                // What is known of the right CA's certificate (expired, …) says more than `not of that other CA`.
                Err(Error::InvalidCertificate(Refusal::UnknownIssuer)) => {}
                Err(error) => result = Err(error),
            }
        }
        let verified = result?;
        let AllowedClients::Named(allowed) = &self.allowed else {
            return Ok(verified);
        };
        let certificate = Certificate::from_der(client.clone().into_owned())
            .map_err(|_| Error::InvalidCertificate(Refusal::BadEncoding))?;
        if is_allowed(&certificate, allowed) {
            return Ok(verified);
        }
        tracing::warn!(
            subject = certificate.subject(),
            "a client's certificate has none of the allowed names"
        );
        Err(Refusal::ApplicationVerificationFailure.into())
    }
}

fn is_allowed(certificate: &Certificate, allowed: &BTreeSet<String>) -> bool {
    certificate.common_names().iter().chain(certificate.uris()).any(|name| allowed.contains(name))
        || certificate
            .dns_names()
            .iter()
            .any(|name| allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)))
}

fn trusted(pem: &[u8]) -> Result<Vec<TrustedClientCa>, ClientsError> {
    let bundle = CaBundle::from_pem(pem)?;
    bundle
        .certificates()
        .iter()
        .map(|certificate| {
            let unusable = |error: &dyn fmt::Display| ClientsError::Unusable {
                subject: certificate.subject().to_owned(),
                reason: error.to_string(),
            };
            let mut roots = RootCertStore::empty();
            roots.add(certificate.der().clone()).map_err(|error| unusable(&error))?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
                .build()
                .map_err(|error| unusable(&error))?;
            Ok(TrustedClientCa { certificate: certificate.clone(), verifier })
        })
        .collect()
}

impl fmt::Debug for ClientCertificates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientCertificates")
            .field("mandatory", &self.mandatory)
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}

impl ClientCertVerifier for ClientCertificates {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    /// No hints: the list would have to be borrowed from what can be replaced, and clients send what they have.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.verify(end_entity, intermediates, now).inspect_err(|error| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%error, "a client's certificate was refused");
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::samples::{now, params, self_signed};
    use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
    use std::time::Duration;

    type ClientCa = (Certificate, Issuer<'static, KeyPair>);

    /// A CA that signs clients, alive for a day.
    pub(crate) fn authority() -> ClientCa {
        authority_at(now())
    }

    fn authority_at(at: SystemTime) -> ClientCa {
        let mut params = params(&[], at);
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = Certificate::from_der(params.self_signed(&key).unwrap().into()).unwrap();
        (certificate, Issuer::new(params, key))
    }

    pub(crate) fn any_client_of((certificate, _): &ClientCa) -> Arc<ClientCertificates> {
        let pem = certificate.to_pem();
        ClientCertificates::new(ClientMode::Required, pem.as_bytes(), AllowedClients::AnyFromCa)
            .unwrap()
            .unwrap()
    }

    fn named(ca: &ClientCa, names: &[&str]) -> Arc<ClientCertificates> {
        let allowed = AllowedClients::Named(names.iter().map(|name| (*name).to_owned()).collect());
        ClientCertificates::new(ClientMode::Required, ca.0.to_pem().as_bytes(), allowed).unwrap().unwrap()
    }

    fn client(ca: &ClientCa, change: impl FnOnce(&mut CertificateParams)) -> CertificateDer<'static> {
        let mut params = params(&["client.example"], now());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        params.signed_by(&KeyPair::generate().unwrap(), &ca.1).unwrap().into()
    }

    fn verify(
        clients: &ClientCertificates,
        client: &CertificateDer<'_>,
        at: SystemTime,
    ) -> Result<(), Error> {
        let time = UnixTime::since_unix_epoch(at.duration_since(SystemTime::UNIX_EPOCH).unwrap());
        clients.verify_client_cert(client, &[], time).map(|_| ())
    }

    #[test]
    fn modes_and_lists_are_checked_before_anything_is_served() {
        let pem = authority().0.to_pem();
        let make = |mode, pem: &str, allowed| ClientCertificates::new(mode, pem.as_bytes(), allowed);
        assert_eq!("required".parse(), Ok(ClientMode::Required));
        assert_eq!("optional".parse(), Ok(ClientMode::Optional));
        assert_eq!("off".parse(), Ok(ClientMode::default()));
        assert_eq!(
            "on".parse::<ClientMode>().unwrap_err().to_string(),
            "`on` is not a mode for client certificates; `off`, `optional` and `required` are"
        );
        assert!(make(ClientMode::Off, "", AllowedClients::AnyFromCa).unwrap().is_none());
        let nobody = AllowedClients::Named(BTreeSet::new());
        assert_eq!(make(ClientMode::Required, &pem, nobody).unwrap_err(), ClientsError::NobodyAllowed);
        let optional = make(ClientMode::Optional, &pem, AllowedClients::AnyFromCa).unwrap().unwrap();
        assert!(optional.offer_client_auth() && !optional.client_auth_mandatory());
        assert!(any_client_of(&authority()).client_auth_mandatory());
        let leaf = self_signed(&params(&["x"], now())).to_pem();
        for bad in ["", "nonsense", &leaf] {
            let error = make(ClientMode::Required, bad, AllowedClients::AnyFromCa).unwrap_err();
            assert!(matches!(error, ClientsError::Bundle(_)), "{error:?}");
        }
    }

    #[test]
    fn only_the_listed_names_are_let_in() {
        let ca = authority();
        let uri = "spiffe://cluster/apiserver";
        let client = client(&ca, |params| {
            params.subject_alt_names.push(rcgen::SanType::URI(uri.try_into().unwrap()));
        });
        for allowed in [&["sample"][..], &["CLIENT.example"], &[uri], &["other", "sample"]] {
            verify(&named(&ca, allowed), &client, now()).unwrap();
        }
        for refused in [&["Sample"][..], &["sampl"], &["example"], &["spiffe://cluster/APISERVER"]] {
            let clients = named(&ca, refused);
            assert_eq!(
                verify(&clients, &client, now()).unwrap_err(),
                Error::InvalidCertificate(Refusal::ApplicationVerificationFailure)
            );
            assert_eq!(clients.refused(), 1);
        }
        verify(&any_client_of(&ca), &client, now()).unwrap();
    }

    #[test]
    fn strangers_the_expired_and_servers_are_refused_for_what_they_are() {
        let ca = authority();
        let clients = any_client_of(&ca);
        let stranger = client(&authority(), |_| {});
        let refusal = |client: &CertificateDer<'_>, at| verify(&clients, client, at).unwrap_err();
        assert_eq!(refusal(&stranger, now()), Error::InvalidCertificate(Refusal::BadSignature));
        let short = client(&ca, |params| params.not_after = now().into());
        let late = now() + Duration::from_mins(1);
        assert!(
            matches!(
                refusal(&short, late),
                Error::InvalidCertificate(Refusal::ExpiredContext { .. } | Refusal::Expired)
            ),
            "{:?}",
            refusal(&short, late)
        );
        let server = client(&ca, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        });
        assert!(
            matches!(
                refusal(&server, now()),
                Error::InvalidCertificate(Refusal::InvalidPurpose | Refusal::InvalidPurposeContext { .. })
            ),
            "{:?}",
            refusal(&server, now())
        );
    }

    #[test]
    fn an_expired_ca_lets_nobody_in_whatever_the_clients_own_life() {
        let old = authority();
        let new = authority_at(now() + Duration::from_hours(48));
        let clients = any_client_of(&old);
        let long_lived =
            |ca| client(ca, |params| params.not_after = (now() + Duration::from_hours(480)).into());
        let (of_old, of_new) = (long_lived(&old), long_lived(&new));
        let later = now() + Duration::from_hours(48);
        verify(&clients, &of_old, now()).unwrap();
        assert_eq!(
            verify(&clients, &of_old, later).unwrap_err(),
            Error::InvalidCertificate(Refusal::UnknownIssuer)
        );
        let both = old.0.to_pem() + &new.0.to_pem();
        clients.replace_ca(both.as_bytes()).unwrap();
        verify(&clients, &of_old, now()).unwrap();
        verify(&clients, &of_new, later).unwrap();
        verify(&clients, &of_old, later).unwrap_err();
    }

    #[test]
    fn a_ca_is_replaced_at_once_and_a_bad_one_replaces_nothing() {
        let (old, new) = (authority(), authority());
        let clients = any_client_of(&old);
        let (of_old, of_new) = (client(&old, |_| {}), client(&new, |_| {}));
        clients.replace_ca(b"nonsense").unwrap_err();
        verify(&clients, &of_old, now()).unwrap();
        clients.replace_ca(new.0.to_pem().as_bytes()).unwrap();
        verify(&clients, &of_new, now()).unwrap();
        verify(&clients, &of_old, now()).unwrap_err();
        assert!(clients.root_hint_subjects().is_empty());
    }
}
