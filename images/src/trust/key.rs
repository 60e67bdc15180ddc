//! Public keys that sign images: which are taken, which are refused at load and why, and how each is named.

use crate::digest::Digest;
use aws_lc_rs::digest::{self as hash, SHA256};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use sigstore_verify::types::DerPublicKey;
use std::fmt;
use x509_parser::oid_registry::Oid;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey as Parsed;
use x509_parser::x509::SubjectPublicKeyInfo;

/// A public key by which signatures are verified, parsed once.
#[derive(Clone)]
pub struct PublicKey {
    kind: KeyKind,
    spki: Vec<u8>,
    fingerprint: Digest,
    /// A signature is good if it is good by one of these: cosign hashes with SHA-256 whatever the curve, newer
    /// versions take the hash that fits the curve.
    schemes: Vec<ParsedPublicKey>,
}

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on P-256 with SHA-256.
    P256,
    /// ECDSA on P-384 with SHA-384 or SHA-256.
    P384,
    /// RSA of 2048 to 8192 bits, PKCS #1 v1.5 with SHA-256.
    Rsa,
}

/// Why a text is no key that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// It is not PEM at all.
    #[error("it is no PEM text; `-----BEGIN PUBLIC KEY-----`, as `cosign public-key` prints it, would be")]
    NotPem,
    /// A private key was given.
    #[error(
        "it is a private key, which has no place here and is to be replaced; `cosign public-key --key …` prints the public one"
    )]
    Private,
    /// Something else in PEM.
    #[error(
        "it is a `{0}`, not a `PUBLIC KEY`; `openssl x509 -pubkey -noout` prints the one of a certificate"
    )]
    OtherPem(String),
    /// More than one PEM block.
    #[error("it holds {0} keys; one entry of `keys` names one key")]
    Several(usize),
    /// The DER inside is no key.
    #[error("its content is no public key: {0}")]
    Malformed(String),
    /// Ed25519.
    #[error(
        "it is an Ed25519 key, whose image signatures cosign itself does not verify; ECDSA P-256 would work"
    )]
    Ed25519,
    /// P-521.
    #[error(
        "it is an ECDSA key on P-521, which the verification library does not have; P-256 or P-384 would work"
    )]
    P521,
    /// RSA that is too short or too long.
    #[error("it is an RSA key of {0} bits; 2048 to 8192 are taken")]
    RsaSize(usize),
    /// Something else.
    #[error("it is a key of algorithm `{0}`; ECDSA P-256 or P-384, or RSA, would work")]
    OtherAlgorithm(String),
}

impl PublicKey {
    /// Reads the one `PUBLIC KEY` block of a PEM text.
    pub fn from_pem(text: &str) -> Result<Self, KeyProblem> {
        let blocks: Vec<Pem> = Pem::iter_from_buffer(text.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| KeyProblem::NotPem)?;
        let block = match blocks.as_slice() {
            [] => return Err(KeyProblem::NotPem),
            [block] => block,
            several => return Err(KeyProblem::Several(several.len())),
        };
        if block.label == "PUBLIC KEY" {
            return Self::from_spki(&block.contents);
        }
        Err(if block.label.ends_with("PRIVATE KEY") {
            KeyProblem::Private
        } else {
            KeyProblem::OtherPem(block.label.clone())
        })
    }

    /// Reads a DER `SubjectPublicKeyInfo`.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyProblem> {
        let malformed = |cause: &dyn fmt::Display| KeyProblem::Malformed(cause.to_string());
        let (rest, info) = SubjectPublicKeyInfo::from_der(der).map_err(|error| malformed(&error))?;
        if !rest.is_empty() {
            return Err(malformed(&"there are bytes after it"));
        }
        let kind = kind(&info)?;
        let raw: &[u8] = info.subject_public_key.data.as_ref();
        if kind != KeyKind::Rsa && raw.first() != Some(&4) {
            return Err(malformed(&"its point is not written uncompressed"));
        }
        let schemes = kind
            .schemes()
            .iter()
            .map(|scheme| ParsedPublicKey::new(*scheme, raw).map_err(|error| malformed(&error)))
            .collect::<Result<_, _>>()?;
        Ok(Self { kind, spki: der.to_vec(), fingerprint: Digest::of(der), schemes })
    }

    /// The SHA-256 of the DER `SubjectPublicKeyInfo`; its base64 is the hint that bundles carry.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// What the key is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    pub(crate) fn is_p256(&self) -> bool {
        self.kind == KeyKind::P256
    }

    /// Whether the signature of this message is this key's.
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.schemes.iter().any(|scheme| scheme.verify_sig(message, signature).is_ok())
    }

    /// Whether the signature of the message with this SHA-256 digest is this key's; no other hash can be told by it.
    pub fn signed_digest(&self, digest: Digest, signature: &[u8]) -> bool {
        let Ok(digest) = hash::Digest::import_less_safe(digest.bytes(), &SHA256) else { return false };
        self.schemes.iter().any(|scheme| scheme.verify_digest_sig(&digest, signature).is_ok())
    }

    /// In the library's form.
    pub(crate) fn der(&self) -> DerPublicKey {
        DerPublicKey::from_bytes(&self.spki)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?} {}", self.kind, self.fingerprint)
    }
}

impl KeyKind {
    fn schemes(self) -> &'static [&'static dyn VerificationAlgorithm] {
        match self {
            Self::P256 => &[&ECDSA_P256_SHA256_ASN1],
            Self::P384 => &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA256_ASN1],
            Self::Rsa => &[&RSA_PKCS1_2048_8192_SHA256],
        }
    }
}

/// The kind by the algorithm's identifier and, for elliptic curves, the curve's (RFC 5480, RFC 8410).
fn kind(info: &SubjectPublicKeyInfo<'_>) -> Result<KeyKind, KeyProblem> {
    match info.algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.10045.2.1" => {
            let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
            match curve.map(|oid: Oid<'_>| oid.to_id_string()).as_deref() {
                Some("1.2.840.10045.3.1.7") => Ok(KeyKind::P256),
                Some("1.3.132.0.34") => Ok(KeyKind::P384),
                Some("1.3.132.0.35") => Err(KeyProblem::P521),
                Some(other) => Err(KeyProblem::OtherAlgorithm(format!("ECDSA on curve {other}"))),
                None => Err(KeyProblem::Malformed("it names no curve".to_owned())),
            }
        }
        "1.2.840.113549.1.1.1" => match info.parsed() {
            Ok(Parsed::RSA(rsa)) if (2048..=8192).contains(&rsa.key_size()) => Ok(KeyKind::Rsa),
            Ok(Parsed::RSA(rsa)) => Err(KeyProblem::RsaSize(rsa.key_size())),
            _ => Err(KeyProblem::Malformed("its modulus cannot be read".to_owned())),
        },
        "1.3.101.112" => Err(KeyProblem::Ed25519),
        other => Err(KeyProblem::OtherAlgorithm(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::Key;

    /// Public halves of keys that openssl made and nobody kept.
    const P521: &str = "-----BEGIN PUBLIC KEY-----\nMIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQADmezVzDtnz4iFJhD35f4MUEFRHq5\nHuTzMnVXrFaFYoK54NKlq5BvTIQgqdIGdrqEshX5e0pKtJNYwKRdUWgRqAoA7F/5\na8I25/NTW05tdR6/ypOUnkdbMssdvIyKcU/CI8uvaPfVoleA/dR7KMPjhLaGLqrX\ns1yIrIIzLM4jvVxcg7Q=\n-----END PUBLIC KEY-----\n";
    const ED25519: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEASHlT/SDWuq6Vuj4yThBWd0B2fcoztS1oUQe8yoPBGWY=\n-----END PUBLIC KEY-----\n";
    const RSA_1024: &str = "-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDEuRw2TN9A8e/BDsw7fpOkpzAL\nFj5cTVN0J+50qzwQcio5O5YKp4BGHfLSbbNIwUKLg1TzTCQCBzShp+BADTTNJ0Y6\nNhtxcdb0RYi9t+1PpoKEt6xULzY+RBxMn3GtioBfGFcvoySUpgdVOF8Hqk09ltw6\niE/882zF+nJa5znuiwIDAQAB\n-----END PUBLIC KEY-----\n";

    #[test]
    fn keys_that_are_taken_verify_what_they_signed() {
        for (key, kind) in
            [(Key::p256(), KeyKind::P256), (Key::p384(), KeyKind::P384), (Key::rsa(), KeyKind::Rsa)]
        {
            let public = PublicKey::from_pem(&key.public_pem()).unwrap();
            assert_eq!(public.kind(), kind);
            let signature = key.sign(b"message");
            assert!(public.signed(b"message", &signature));
            assert!(!public.signed(b"another", &signature));
            let by_digest = public.signed_digest(Digest::of(b"message"), &signature);
            assert_eq!(by_digest, kind != KeyKind::P384, "a key on P-384 hashes with SHA-384");
        }
    }

    #[test]
    fn what_is_no_usable_key_is_refused_with_its_reason() {
        let good = Key::p256().public_pem();
        let cases = [
            (String::new(), KeyProblem::NotPem),
            ("not a key".to_owned(), KeyProblem::NotPem),
            (format!("{good}{good}"), KeyProblem::Several(2)),
            (P521.to_owned(), KeyProblem::P521),
            (ED25519.to_owned(), KeyProblem::Ed25519),
            (RSA_1024.to_owned(), KeyProblem::RsaSize(1024)),
            (good.replace("PUBLIC KEY", "PRIVATE KEY"), KeyProblem::Private),
            (good.replace("PUBLIC KEY", "CERTIFICATE"), KeyProblem::OtherPem("CERTIFICATE".to_owned())),
        ];
        for (text, problem) in cases {
            assert_eq!(PublicKey::from_pem(&text).unwrap_err(), problem, "{text}");
        }
        assert!(matches!(PublicKey::from_spki(b"x"), Err(KeyProblem::Malformed(_))));
        let longer = [Key::p256().spki(), vec![0]].concat();
        assert!(matches!(PublicKey::from_spki(&longer), Err(KeyProblem::Malformed(_))));
    }
}
