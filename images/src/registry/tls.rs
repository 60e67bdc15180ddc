//! TLS towards registries: the system's authorities, and those that the options name.

use super::options::HostOptions;
use super::{Problem, RegistryError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};

/// The authorities that this system trusts; read once (`SSL_CERT_FILE` and `SSL_CERT_DIR` say where they are).
fn system() -> &'static RootCertStore {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}

/// What a client of this host trusts.
///
/// # Errors
/// If the options' authorities cannot be read, or there are none at all.
pub(super) fn config(host: &str, options: &HostOptions) -> Result<ClientConfig, RegistryError> {
    let failed = |reason: String| RegistryError::new(host, Problem::Unreachable(reason));
    let mut roots = if options.only_ca_bundle { RootCertStore::empty() } else { system().clone() };
    if let Some(bundle) = &options.ca_bundle {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bundle.as_bytes()).collect();
        let certificates =
            certificates.map_err(|error| failed(format!("its `caBundle` is no PEM: {error}")))?;
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(failed("its `caBundle` holds no certificate that can be trusted".to_owned()));
        }
    }
    if roots.is_empty() {
        let reason =
            "no authority is known that could vouch for it: the system has none, and it has no `caBundle`";
        return Err(failed(reason.to_owned()));
    }
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(format!("TLS cannot be set up: {error}")))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
