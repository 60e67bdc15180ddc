//! The keys and certificates of one sandbox: a certificate authority of its own,
//! a server certificate for the API server, one for etcd and its only client,
//! and the key that signs service account tokens.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// A sandbox may be left running for long; nothing rotates its certificates.
const VALID: Duration = Duration::from_hours(5 * 365 * 24);

/// Clocks of containers and their hosts differ a little.
const BACKDATED: Duration = Duration::from_hours(1);

/// The names under which Pods and people reach the API server.
const API_SERVER_NAMES: [&str; 7] = [
    "127.0.0.1",
    // The first address of the range of services, which Pods are told.
    "10.0.0.1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// A certificate and its key, both as PEM.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// All that a control plane needs, as PEM.
#[derive(Debug)]
pub(crate) struct KeyMaterial {
    pub(crate) ca: String,
    pub(crate) api_server: Identity,
    pub(crate) etcd: Identity,
    /// Signs service account tokens: ECDSA P-256, so with ES256.
    pub(crate) service_accounts: String,
    /// Verifies them. The API server does not derive it from a PKCS #8 key.
    pub(crate) service_accounts_public: String,
}

/// Makes everything afresh. The authority's own key is not kept: nothing more is
/// to be signed by it.
pub(crate) fn make_key_material() -> Result<KeyMaterial, rcgen::Error> {
    let mut params = params("wayguard sandbox CA", Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate()?;
    let ca = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    let service_accounts = KeyPair::generate()?;
    Ok(KeyMaterial {
        ca,
        api_server: leaf(&issuer, "kube-apiserver", API_SERVER_NAMES.map(str::to_owned).to_vec())?,
        etcd: leaf(&issuer, "etcd", vec!["127.0.0.1".to_owned()])?,
        service_accounts: service_accounts.serialize_pem(),
        service_accounts_public: service_accounts.public_key_pem(),
    })
}

fn leaf(issuer: &Issuer<'_, KeyPair>, name: &str, hosts: Vec<String>) -> Result<Identity, rcgen::Error> {
    let mut params = params(name, hosts)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // etcd's certificate is also that of its client, the API server.
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    Ok(Identity { certificate: params.signed_by(&key, issuer)?.pem(), key: key.serialize_pem() })
}

fn params(name: &str, hosts: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(hosts)?;
    let now = SystemTime::now();
    params.not_before = (now - BACKDATED).into();
    params.not_after = (now + VALID).into();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
