//! A content digest, as registries name things: `sha256:` and 64 lower-case hexadecimal digits.

use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;
use std::str::FromStr;

/// A SHA-256 digest in the form of the OCI image specification ("descriptor", section digests). SHA-512 is in the
/// specification too; neither cosign nor any registry in use writes it, and it is refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut out = [0; 32];
        out.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(out)
    }

    /// From the raw 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits, without the algorithm.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// A text that is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no digest: `sha256:` and 64 lower-case hexadecimal digits are")]
pub struct NotADigest(String);

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let refused = || NotADigest(text.chars().take(100).collect());
        let hex = text.strip_prefix("sha256:").ok_or_else(refused)?.as_bytes();
        let mut out = [0; 32];
        if hex.len() != 64 {
            return Err(refused());
        }
        for (byte, pair) in out.iter_mut().zip(hex.chunks_exact(2)) {
            let nibbles: Option<Vec<u8>> = pair.iter().map(|digit| nibble(*digit)).collect();
            let Some([high, low]) = nibbles.as_deref() else { return Err(refused()) };
            *byte = high << 4 | low;
        }
        Ok(Self(out))
    }
}

/// Upper case is refused: two spellings of one digest would be two names of one thing.
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_what_it_writes() {
        let digest = Digest::of(b"");
        assert_eq!(
            digest.to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let good = Digest::of(b"x").to_string();
        for bad in
            ["", "sha256:", "sha512:00", &good.to_uppercase(), &good[..70], &format!("{good}0"), "sha256:zz"]
        {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
