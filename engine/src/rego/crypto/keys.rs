//! Public keys, as they come in certificates, in PEM and in JWKs.

use super::{jwk, pem};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey as Parsed;
use x509_parser::x509::SubjectPublicKeyInfo;

/// The curves of ECDSA that JWTs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rego) enum Curve {
    /// P-256
    P256,
    /// P-384
    P384,
    /// P-521
    P521,
}

impl Curve {
    /// The length of a coordinate, in bytes.
    pub(super) fn width(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }

    fn from_oid(oid: &str) -> Option<Self> {
        match oid {
            "1.2.840.10045.3.1.7" => Some(Curve::P256),
            "1.3.132.0.34" => Some(Curve::P384),
            "1.3.132.0.35" => Some(Curve::P521),
            _ => None,
        }
    }
}

/// A key that signatures are verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rego) enum PublicKey {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// A point, uncompressed.
    Ec { curve: Curve, point: Vec<u8> },
    /// Ed25519.
    Ed25519(Vec<u8>),
    /// A shared secret.
    Secret(Vec<u8>),
    /// Of a kind that verifies nothing here.
    Other,
}

/// A key with what a key set says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rego) struct VerificationKey {
    /// The only algorithm it is for; empty for any.
    pub(in crate::rego) algorithm: String,
    /// Its name in the set; may be empty.
    pub(in crate::rego) id: String,
    /// The key.
    pub(in crate::rego) key: PublicKey,
}

/// The keys of a certificate, of a public key in PEM, or of a JWK or a set of them.
///
/// # Errors
/// If it is none of them.
pub(in crate::rego) fn from_certificate_or_jwk(text: &str) -> Result<Vec<VerificationKey>, String> {
    let Some((block, rest)) = pem::decode(text) else {
        return jwk::parse_jwks(text).map_err(|why| format!("failed to parse a JWK key (set): {why}"));
    };
    if !rest.is_empty() {
        return Err("extra data after a PEM certificate block".to_owned());
    }
    let key = match block.label.as_str() {
        "CERTIFICATE" => {
            let (_, certificate) = x509_parser::parse_x509_certificate(&block.bytes)
                .map_err(|error| format!("failed to parse a PEM certificate: {error}"))?;
            public_key(certificate.public_key())
        }
        "PUBLIC KEY" => {
            let (_, info) = SubjectPublicKeyInfo::from_der(&block.bytes)
                .map_err(|error| format!("failed to parse a PEM public key: {error}"))?;
            public_key(&info)
        }
        _ => return Err("failed to extract a Key from the PEM certificate".to_owned()),
    };
    Ok(vec![VerificationKey { algorithm: String::new(), id: String::new(), key }])
}

fn public_key(info: &SubjectPublicKeyInfo<'_>) -> PublicKey {
    let without_zeros =
        |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
    match info.parsed() {
        Ok(Parsed::RSA(rsa)) => {
            PublicKey::Rsa { modulus: without_zeros(rsa.modulus), exponent: without_zeros(rsa.exponent) }
        }
        Ok(Parsed::EC(point)) => {
            let oid = info.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
            match oid.and_then(|oid| Curve::from_oid(&oid.to_id_string())) {
                Some(curve) => PublicKey::Ec { curve, point: point.data().to_vec() },
                None => PublicKey::Other,
            }
        }
        _ if info.algorithm.algorithm.to_id_string() == "1.3.101.112" => {
            PublicKey::Ed25519(info.subject_public_key.data.to_vec())
        }
        _ => PublicKey::Other,
    }
}
