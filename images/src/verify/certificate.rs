//! What a certificate says of who signed, read by the library that also proves it.

use crate::verify::Reason;
use crate::verify::verified::Certificate;
use sigstore_verify::crypto::parse_certificate_info;
use sigstore_verify::types::DerCertificate;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The list of certificate timestamps (RFC 6962, section 3.3).
const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.2";

/// Subject, issuer and claims; both of the first must be there.
pub(super) fn read(der: &DerCertificate) -> Result<Certificate, Reason> {
    let info = parse_certificate_info(der).map_err(|error| Reason::Certificate(error.to_string()))?;
    let subject = info.identity.as_ref().map(|identity| identity.as_str().to_owned());
    let (Some(subject), Some(issuer)) = (subject, info.issuer) else { return Err(Reason::Nobody) };
    let said = info.ci_claims;
    let claims = [
        ("buildSignerURI", said.build_signer_uri),
        ("buildSignerDigest", said.build_signer_digest),
        ("runnerEnvironment", said.runner_environment),
        ("sourceRepositoryURI", said.source_repository_uri),
        ("sourceRepositoryDigest", said.source_repository_digest),
        ("sourceRepositoryRef", said.source_repository_ref),
        ("sourceRepositoryIdentifier", said.source_repository_identifier),
        ("sourceRepositoryOwnerURI", said.source_repository_owner_uri),
        ("sourceRepositoryOwnerIdentifier", said.source_repository_owner_identifier),
        ("buildConfigURI", said.build_config_uri),
        ("buildConfigDigest", said.build_config_digest),
        ("buildTrigger", said.build_trigger),
        ("runInvocationURI", said.run_invocation_uri),
        ("sourceRepositoryVisibilityAtSigning", said.source_repository_visibility_at_signing),
        ("deploymentEnvironment", said.deployment_environment),
    ];
    let claims = claims.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    Ok(Certificate { subject, issuer, claims })
}

/// Whether it carries certificate timestamps. A certificate that cannot be read is said to: then the library looks.
pub(super) fn has_sct(der: &DerCertificate) -> bool {
    match X509Certificate::from_der(der.as_bytes()) {
        Ok((_, certificate)) => {
            certificate.extensions().iter().any(|extension| extension.oid.to_id_string() == SCT_LIST)
        }
        Err(_) => true,
    }
}
