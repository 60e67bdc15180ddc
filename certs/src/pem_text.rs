//! PEM in and out, with limits, and with errors that never quote what was read.
//!
//! The parser's own errors repeat the line they stumbled over; a key pasted without its line breaks would then end
//! up in a log. So every error here says what is wrong and how much was read, and nothing of the text itself.

use pem::{EncodeConfig, LineEnding, Pem};
use rustls_pki_types::pem::{Error as ParserError, PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use zeroize::Zeroizing;

/// The most PEM text that is looked at, in bytes. A chain of five RSA-4096 certificates is about 12 KiB; a Secret
/// that is larger than this is a mistake or an attempt to keep us busy (cert-manager's CVE-2024-12401).
pub const MAX_PEM_BYTES: usize = 64 * 1024;

/// Why a text is not the PEM that was asked for. Holds no part of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// The text is longer than [`MAX_PEM_BYTES`].
    #[error("the PEM text has {bytes} bytes; at most {MAX_PEM_BYTES} are read")]
    TooLarge {
        /// How long it is.
        bytes: usize,
    },
    /// A section is broken: no end line, an illegal begin line, or bytes that are not base64.
    #[error("the PEM text is damaged: {reason}")]
    Damaged {
        /// What is wrong, in fixed words.
        reason: &'static str,
    },
    /// There is no `CERTIFICATE` section.
    #[error("there is no `-----BEGIN CERTIFICATE-----` section in it")]
    NoCertificate,
    /// There is no private key section.
    #[error(
        "there is no unencrypted private key in it; `PRIVATE KEY`, `EC PRIVATE KEY` or `RSA PRIVATE KEY` is read"
    )]
    NoKey,
    /// There are several private keys: which one is meant is anyone's guess.
    #[error("there are {count} private keys in it; exactly one is expected")]
    SeveralKeys {
        /// How many.
        count: usize,
    },
}

/// A private key as PEM text: wiped when dropped, never printed by `Debug`, and without `Display`.
#[derive(Clone)]
pub struct SecretPem(Zeroizing<String>);

impl SecretPem {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The key itself. Whoever calls this answers for where it goes: a Secret or a file with mode 0600, never a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretPem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretPem(..)")
    }
}

/// One section, decoded; wiped when dropped, since it may be a key.
type Section = (SectionKind, Zeroizing<Vec<u8>>);

fn sections(text: &[u8]) -> Result<Vec<Section>, PemError> {
    if text.len() > MAX_PEM_BYTES {
        return Err(PemError::TooLarge { bytes: text.len() });
    }
    <(SectionKind, Vec<u8>)>::pem_slice_iter(text)
        .map(|section| {
            section.map(|(kind, der)| (kind, Zeroizing::new(der))).map_err(|error| PemError::Damaged {
                reason: match error {
                    ParserError::MissingSectionEnd { .. } => {
                        "a section has no end line (cut off, or its line breaks are gone)"
                    }
                    ParserError::IllegalSectionStart { .. } => {
                        "a begin line is not closed by five dashes (are the line breaks gone?)"
                    }
                    ParserError::Base64Decode(_) => "the body of a section is not base64",
                    _ => "a section cannot be read",
                },
            })
        })
        .collect()
}

/// All certificates of the text, in their order, byte for byte.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let found: Vec<_> = sections(text)?
        .into_iter()
        .filter(|(kind, _)| *kind == SectionKind::Certificate)
        .map(|(_, der)| CertificateDer::from(der.to_vec()))
        .collect();
    if found.is_empty() { Err(PemError::NoCertificate) } else { Ok(found) }
}

/// The one private key of the text.
pub(crate) fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    let mut keys: Vec<_> = sections(text)?
        .into_iter()
        .filter_map(|(kind, der)| PrivateKeyDer::from_pem(kind, der.to_vec()))
        .collect();
    match keys.len() {
        0 | 1 => keys.pop().ok_or(PemError::NoKey),
        count => Err(PemError::SeveralKeys { count }),
    }
}

/// Certificates as PEM text with Unix line ends, one after the other.
pub(crate) fn encode_certificates<'a>(certificates: impl Iterator<Item = &'a [u8]>) -> String {
    certificates.map(|der| encode("CERTIFICATE", der.to_vec())).collect()
}

/// A PKCS#8 key as PEM text.
pub(crate) fn encode_pkcs8(der: &[u8]) -> SecretPem {
    SecretPem::new(encode("PRIVATE KEY", der.to_vec()))
}

fn encode(label: &str, der: Vec<u8>) -> String {
    pem::encode_config(&Pem::new(label, der), EncodeConfig::new().set_line_ending(LineEnding::LF))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";

    #[test]
    fn text_over_the_limit_is_refused_before_it_is_parsed() {
        let huge = "x".repeat(MAX_PEM_BYTES + 1);
        assert_eq!(certificates(huge.as_bytes()), Err(PemError::TooLarge { bytes: MAX_PEM_BYTES + 1 }));
        assert_eq!(certificates(&vec![b'\n'; MAX_PEM_BYTES]), Err(PemError::NoCertificate));
    }

    #[test]
    fn a_text_without_what_is_asked_for_says_what_is_missing() {
        assert_eq!(certificates(KEY.as_bytes()), Err(PemError::NoCertificate));
        assert_eq!(private_key(b"").unwrap_err(), PemError::NoKey);
        assert_eq!(private_key(KEY.repeat(2).as_bytes()).unwrap_err(), PemError::SeveralKeys { count: 2 });
    }

    #[test]
    fn damaged_text_is_refused_and_never_quoted() {
        let cut = KEY.split("-----END").next().unwrap();
        let one_line = KEY.replace('\n', "");
        let unclosed = KEY.replacen("KEY-----", "KEY---", 1).replace('\n', "c2VjcmV0 ");
        let not_base64 = KEY.replace("c2VjcmV0", "c2VjcmV0!!");
        for text in [cut, &one_line, &unclosed, &not_base64] {
            let error = private_key(text.as_bytes()).unwrap_err();
            assert!(matches!(error, PemError::Damaged { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("c2VjcmV0"), "{error:?}");
        }
    }

    #[test]
    fn what_is_encoded_is_read_back() {
        let text = encode_certificates([&b"one"[..], &b"two"[..]].into_iter());
        assert!(!text.contains('\r'));
        let read = certificates(text.as_bytes()).unwrap();
        assert_eq!(read, vec![CertificateDer::from(b"one".to_vec()), CertificateDer::from(b"two".to_vec())]);
        let key = encode_pkcs8(b"three");
        assert_eq!(private_key(key.expose().as_bytes()).unwrap().secret_der(), b"three");
        assert_eq!(format!("{key:?}"), "SecretPem(..)");
    }
}
