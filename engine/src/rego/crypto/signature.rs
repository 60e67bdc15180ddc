//! Signatures of JWTs.

use super::der;
use super::keys::{Curve, PublicKey};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self as lc, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
};

/// The hashes of JWTs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rego) enum Hash {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

/// A kind of signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rego) enum Algorithm {
    /// A shared secret.
    Hmac(Hash),
    /// RSA with PKCS#1 v1.5.
    Rsa(Hash),
    /// RSA with PSS.
    RsaPss(Hash),
    /// ECDSA, on whatever curve the key is.
    Ecdsa(Hash),
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The algorithm of a JWT's name for it.
    pub(in crate::rego) fn named(name: &str) -> Option<Self> {
        if name == "EdDSA" {
            return Some(Self::EdDsa);
        }
        let (family, size) = name.split_at_checked(2)?;
        let hash = match size {
            "256" => Hash::Sha256,
            "384" => Hash::Sha384,
            "512" => Hash::Sha512,
            _ => return None,
        };
        match family {
            "HS" => Some(Self::Hmac(hash)),
            "RS" => Some(Self::Rsa(hash)),
            "PS" => Some(Self::RsaPss(hash)),
            "ES" => Some(Self::Ecdsa(hash)),
            _ => None,
        }
    }

    /// The curve that a JWT's name for an ECDSA algorithm stands for.
    pub(in crate::rego) fn curve(self) -> Option<Curve> {
        match self {
            Self::Ecdsa(Hash::Sha256) => Some(Curve::P256),
            Self::Ecdsa(Hash::Sha384) => Some(Curve::P384),
            Self::Ecdsa(Hash::Sha512) => Some(Curve::P521),
            _ => None,
        }
    }

    /// Whether a signature over a message is by a key. A key of another kind has not signed it.
    pub(in crate::rego) fn verify(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        match (self, key) {
            (Self::Hmac(hash), PublicKey::Secret(secret)) => {
                let key = hmac::Key::new(hash.hmac(), secret);
                hmac::verify(&key, message, signature).is_ok()
            }
            (Self::Rsa(hash), PublicKey::Rsa { modulus, exponent }) => {
                let parameters = match hash {
                    Hash::Sha256 => &lc::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                    Hash::Sha384 => &lc::RSA_PKCS1_2048_8192_SHA384,
                    Hash::Sha512 => &lc::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
                };
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(parameters, message, signature).is_ok()
            }
            (Self::RsaPss(hash), PublicKey::Rsa { modulus, exponent }) => {
                let parameters = match hash {
                    Hash::Sha256 => &lc::RSA_PSS_2048_8192_SHA256,
                    Hash::Sha384 => &lc::RSA_PSS_2048_8192_SHA384,
                    Hash::Sha512 => &lc::RSA_PSS_2048_8192_SHA512,
                };
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(parameters, message, signature).is_ok()
            }
            (Self::Ecdsa(hash), PublicKey::Ec { curve, point }) => {
                UnparsedPublicKey::new(ecdsa(*curve, hash), point).verify(message, &as_der(signature)).is_ok()
            }
            (Self::EdDsa, PublicKey::Ed25519(key)) => {
                UnparsedPublicKey::new(&lc::ED25519, key).verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}

impl Hash {
    fn hmac(self) -> hmac::Algorithm {
        match self {
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
            Hash::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

/// The two halves of a signature as DER; of any length, leading zeros do not count.
fn as_der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    der::sequence(&[der::integer(r), der::integer(s)])
}

fn ecdsa(curve: Curve, hash: Hash) -> &'static lc::EcdsaVerificationAlgorithm {
    match (curve, hash) {
        (Curve::P256, Hash::Sha256) => &lc::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Hash::Sha384) => &lc::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Hash::Sha512) => &lc::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Hash::Sha256) => &lc::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Hash::Sha384) => &lc::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Hash::Sha512) => &lc::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Hash::Sha256) => &lc::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Hash::Sha384) => &lc::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Hash::Sha512) => &lc::ECDSA_P521_SHA512_ASN1,
    }
}

/// A key that signs.
#[derive(Clone)]
pub(in crate::rego) enum SigningKey {
    /// A shared secret.
    Secret(Vec<u8>),
    /// PKCS#1 in DER.
    Rsa(Vec<u8>),
    /// A scalar and its point.
    Ec { curve: Curve, scalar: Vec<u8>, point: Vec<u8> },
    /// Ed25519.
    Ed25519 { seed: Vec<u8>, public: Vec<u8> },
}

impl SigningKey {
    /// Signs a message.
    ///
    /// # Errors
    /// If the key is not one for the algorithm, or is broken.
    pub(in crate::rego) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String> {
        let random = SystemRandom::new();
        match (self, algorithm) {
            (Self::Secret(secret), Algorithm::Hmac(hash)) => {
                Ok(hmac::sign(&hmac::Key::new(hash.hmac(), secret), message).as_ref().to_vec())
            }
            (Self::Rsa(der), Algorithm::Rsa(_) | Algorithm::RsaPss(_)) => {
                let key = RsaKeyPair::from_der(der).map_err(|error| error.to_string())?;
                let padding: &dyn lc::RsaEncoding = match algorithm {
                    Algorithm::Rsa(Hash::Sha256) => &lc::RSA_PKCS1_SHA256,
                    Algorithm::Rsa(Hash::Sha384) => &lc::RSA_PKCS1_SHA384,
                    Algorithm::Rsa(_) => &lc::RSA_PKCS1_SHA512,
                    Algorithm::RsaPss(Hash::Sha256) => &lc::RSA_PSS_SHA256,
                    Algorithm::RsaPss(Hash::Sha384) => &lc::RSA_PSS_SHA384,
                    _ => &lc::RSA_PSS_SHA512,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(padding, &random, message, &mut signature).map_err(|error| error.to_string())?;
                Ok(signature)
            }
            (Self::Ec { curve, scalar, point }, Algorithm::Ecdsa(_)) if algorithm.curve() == Some(*curve) => {
                let kind = match curve {
                    Curve::P256 => &lc::ECDSA_P256_SHA256_FIXED_SIGNING,
                    Curve::P384 => &lc::ECDSA_P384_SHA384_FIXED_SIGNING,
                    Curve::P521 => &lc::ECDSA_P521_SHA512_FIXED_SIGNING,
                };
                let key = EcdsaKeyPair::from_private_key_and_public_key(kind, scalar, point)
                    .map_err(|error| error.to_string())?;
                Ok(key.sign(&random, message).map_err(|error| error.to_string())?.as_ref().to_vec())
            }
            (Self::Ed25519 { seed, public }, Algorithm::EdDsa) => {
                let key = Ed25519KeyPair::from_seed_and_public_key(seed, public)
                    .map_err(|error| error.to_string())?;
                Ok(key.sign(message).as_ref().to_vec())
            }
            _ => Err("the key is of another kind than the algorithm".to_owned()),
        }
    }
}
