//! Signing an artifact with a key, as cosign does from version 3 on: an in-toto statement about the digest in a DSSE
//! envelope, in a Sigstore bundle v0.3, kept as a referrer. `cosign verify --key` takes it as its own.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fmt;
use wayguard_images::digest::Digest;
use wayguard_images::trust::PublicKey;

/// What the statement says: somebody signed.
pub const PREDICATE_TYPE: &str = "https://sigstore.dev/cosign/sign/v1";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The media type of the bundle.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The head of a SubjectPublicKeyInfo of a point on P-256 (RFC 5480).
const SPKI_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A private key on P-256. It shows nothing of itself.
pub struct SigningKey {
    pair: EcdsaKeyPair,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SigningKey(…)")
    }
}

/// Why a file is no key to sign with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// No PEM.
    #[error("it is no PEM")]
    Pem,
    /// A key that has a password.
    #[error(
        "it is encrypted: sign with `cosign sign --key` instead, or write it without a password (`openssl pkcs8 -topk8 -nocrypt`)"
    )]
    Encrypted,
    /// Another kind of PEM.
    #[error(
        "it is a `{0}`: a `PRIVATE KEY` (PKCS #8) on P-256 is wanted, as `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` writes it"
    )]
    Kind(String),
    /// Another curve or algorithm.
    #[error(
        "it is no key on P-256: `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes one"
    )]
    Algorithm,
}

impl SigningKey {
    /// Reads a key in PKCS #8, PEM.
    ///
    /// # Errors
    /// If it is none that can sign here; nothing of its text is in the words.
    pub fn from_pem(text: &str) -> Result<Self, NotAKey> {
        let pem = pem::parse(text).map_err(|_| NotAKey::Pem)?;
        match pem.tag() {
            "PRIVATE KEY" => {}
            tag if tag.contains("ENCRYPTED") => return Err(NotAKey::Encrypted),
            tag => return Err(NotAKey::Kind(tag.to_owned())),
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pem.contents());
        Ok(Self { pair: pair.map_err(|_| NotAKey::Algorithm)? })
    }

    /// Its public half as a SubjectPublicKeyInfo, DER.
    pub fn public_key(&self) -> Vec<u8> {
        [&SPKI_P256, self.pair.public_key().as_ref()].concat()
    }

    /// Its public half, PEM: for `--key` of who verifies.
    pub fn public_pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new("PUBLIC KEY", self.public_key()), config)
    }

    /// A bundle that vouches for a digest.
    ///
    /// # Errors
    /// If the machine has no randomness to give.
    pub fn sign(&self, digest: Digest) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": digest.hex()}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {},
        });
        let payload = statement.to_string();
        let signature = self.pair.sign(&SystemRandom::new(), pre_authentication(&payload).as_bytes())?;
        let hint = Digest::of(&self.public_key());
        let bundle = json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": STANDARD.encode(hint.bytes())}},
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": STANDARD.encode(signature.as_ref())}],
            },
        });
        Ok(bundle.to_string().into_bytes())
    }
}

/// Why a file does not vouch for another one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// Not a bundle with a signature of a file.
    #[error(
        "it is no Sigstore bundle with the signature of a file: `wayguard report --sign-key` and `cosign sign-blob --bundle` write some"
    )]
    NoBundle,
    /// The digest in the bundle is of other bytes.
    #[error("it is the signature of other bytes: the file has been changed, or it belongs to another one")]
    OtherBytes,
    /// None of the keys.
    #[error("none of the keys made it")]
    OtherKey,
}

impl SigningKey {
    /// A bundle that vouches for the bytes of a file, as `cosign sign-blob --bundle` writes it; `cosign verify-blob
    /// --bundle` takes it.
    ///
    /// # Errors
    /// If the machine has no randomness to give.
    pub fn sign_blob(&self, blob: &[u8]) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        let signature = self.pair.sign(&SystemRandom::new(), blob)?;
        let hint = Digest::of(&self.public_key());
        let bundle = json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": STANDARD.encode(hint.bytes())}},
            "messageSignature": {
                "messageDigest": {"algorithm": "SHA2_256", "digest": STANDARD.encode(Digest::of(blob).bytes())},
                "signature": STANDARD.encode(signature.as_ref()),
            },
        });
        Ok(bundle.to_string().into_bytes())
    }
}

/// Which of the keys vouches for the bytes of a file by a bundle of [`SigningKey::sign_blob`] or cosign. Only the signature
/// counts here; what a bundle says of logs and times is not asked.
///
/// # Errors
/// If none does, and why.
pub fn verify_blob<'k>(
    bundle: &[u8],
    blob: &[u8],
    keys: &'k [PublicKey],
) -> Result<&'k PublicKey, NotSigned> {
    let bundle: serde_json::Value = serde_json::from_slice(bundle).map_err(|_| NotSigned::NoBundle)?;
    let bytes = |path: &str| {
        let text = bundle.pointer(path).and_then(serde_json::Value::as_str).ok_or(NotSigned::NoBundle)?;
        STANDARD.decode(text).map_err(|_| NotSigned::NoBundle)
    };
    let signature = bytes("/messageSignature/signature")?;
    if bytes("/messageSignature/messageDigest/digest")? != Digest::of(blob).bytes() {
        return Err(NotSigned::OtherBytes);
    }
    keys.iter().find(|key| key.signed(blob, &signature)).ok_or(NotSigned::OtherKey)
}

/// What is signed of an envelope (DSSE, "signature definition").
fn pre_authentication(payload: &str) -> String {
    format!("DSSEv1 {} {PAYLOAD_TYPE} {} {payload}", PAYLOAD_TYPE.len(), payload.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

    fn pem(tag: &str, content: &[u8]) -> String {
        pem::encode(&pem::Pem::new(tag, content))
    }

    fn key() -> SigningKey {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let pkcs8 = pair.to_pkcs8v1().unwrap();
        SigningKey::from_pem(&pem("PRIVATE KEY", pkcs8.as_ref())).unwrap()
    }

    #[test]
    fn the_public_half_is_what_others_write_it_as() {
        let key = key();
        assert_eq!(key.public_key(), key.pair.public_key().as_der().unwrap().as_ref());
        assert!(key.public_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
    }

    #[test]
    fn what_is_signed_names_the_digest() {
        let (key, digest) = (key(), Digest::of(b"manifest"));
        let bundle: serde_json::Value = serde_json::from_slice(&key.sign(digest).unwrap()).unwrap();
        let envelope = &bundle["dsseEnvelope"];
        let decoded = |value: &serde_json::Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
        let payload = String::from_utf8(decoded(&envelope["payload"])).unwrap();
        assert!(payload.contains(&digest.hex()));
        let signature = decoded(&envelope["signatures"][0]["sig"]);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.pair.public_key().as_ref())
            .verify(pre_authentication(&payload).as_bytes(), &signature)
            .unwrap();
    }

    #[test]
    fn a_file_is_vouched_for_by_its_key_and_no_other_bytes_are() {
        let (ours, other) = (key(), key());
        let public = |key: &SigningKey| PublicKey::from_pem(&key.public_pem()).unwrap();
        let bundle = ours.sign_blob(b"report").unwrap();
        let keys = [public(&other), public(&ours)];
        let by = verify_blob(&bundle, b"report", &keys).unwrap();
        assert_eq!(by.fingerprint(), keys[1].fingerprint());
        assert_eq!(verify_blob(&bundle, b"Report", &keys).unwrap_err(), NotSigned::OtherBytes);
        assert_eq!(verify_blob(&bundle, b"report", &keys[..1]).unwrap_err(), NotSigned::OtherKey);
        assert_eq!(verify_blob(b"{}", b"report", &keys).unwrap_err(), NotSigned::NoBundle);
        // A signature of the old bytes with the digest of new ones.
        let text = String::from_utf8(bundle).unwrap();
        let digest = |bytes: &[u8]| STANDARD.encode(Digest::of(bytes).bytes());
        let forged = text.replace(&digest(b"report"), &digest(b"Report"));
        assert_eq!(verify_blob(forged.as_bytes(), b"Report", &keys).unwrap_err(), NotSigned::OtherKey);
    }

    #[test]
    fn what_cannot_sign_says_what_could() {
        assert_eq!(SigningKey::from_pem("x").unwrap_err(), NotAKey::Pem);
        assert_eq!(
            SigningKey::from_pem(&pem("ENCRYPTED SIGSTORE PRIVATE KEY", b"x")).unwrap_err(),
            NotAKey::Encrypted
        );
        assert!(matches!(SigningKey::from_pem(&pem("PUBLIC KEY", b"x")), Err(NotAKey::Kind(_))));
        let error = SigningKey::from_pem(&pem("PRIVATE KEY", b"x")).unwrap_err();
        assert!(error.to_string().contains("openssl genpkey"), "{error}");
    }
}
