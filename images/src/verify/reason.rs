//! Why something does not count, one variant for each reason, with a message for people.

use crate::digest::Digest;
use jiff::Timestamp;
use serde::Serialize;

/// Why a bundle or a layer does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// An ImageAuthority that cannot be used.
    #[error("nothing satisfies the ImageAuthority `{name}` until it is mended: {why}")]
    Unusable {
        /// Which.
        name: String,
        /// Why not.
        why: String,
    },
    /// Too many bundles and layers.
    #[error(
        "{found} signatures and attestations are beside the image and at most {limit} are looked at, so none is"
    )]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many may be.
        limit: usize,
    },
    /// Too many bytes.
    #[error("it has {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// How large it may be.
        limit: usize,
    },
    /// Too many values in its JSON, or too deep.
    #[error("its JSON is {0}")]
    TooComplex(&'static str),
    /// Too many log entries, timestamps or certificates.
    #[error("it carries {found} {kind}; at most {limit} are looked at")]
    TooMuchEvidence {
        /// Of what.
        kind: &'static str,
        /// How many there are.
        found: usize,
        /// How many may be.
        limit: usize,
    },
    /// No bundle, envelope or payload.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// Of a kind that is not known.
    #[error("it uses what is not supported: {0}")]
    Unsupported(String),
    /// An old bundle, whose weaker rules would be in force.
    #[error(
        "it is a bundle of `{0}`; beside an image only version 0.3 counts, because older ones need less proof"
    )]
    Version(String),
    /// The layout before bundles, where it does not count.
    #[error(
        "it is in cosign's layout before bundles, which counts only where the authority says `legacy: true`"
    )]
    Legacy,
    /// An envelope with something else in it.
    #[error("it is an envelope of `{0}`, not of an in-toto statement")]
    PayloadType(String),
    /// An envelope whose statement is none.
    #[error("its statement cannot be read: {0}")]
    Statement(String),
    /// About another image.
    #[error("it is about {}, not about this image", found_or_nothing(.0))]
    OtherDigest(Vec<String>),
    /// By no key of the authority.
    #[error("none of the authority's keys signed it")]
    WrongKey,
    /// By a certificate, where keys are wanted.
    #[error("it was signed with a certificate, and the authority has keys")]
    NotByKey,
    /// By a key, where a certificate is wanted.
    #[error("it was signed with a key, and the authority has identities")]
    NotByCertificate,
    /// The certificate's key did not sign it.
    #[error("its signature is not good: {0}")]
    Signature(String),
    /// No identity at all.
    #[error("its certificate names nobody")]
    Nobody,
    /// By somebody else.
    #[error("its certificate names `{0}`, who is none of the authority's subjects")]
    Subject(String),
    /// Vouched for by somebody else.
    #[error("its certificate's issuer is `{0}`, which is none of the authority's issuers")]
    Issuer(String),
    /// Issuer and subject are each named, but not together.
    #[error(
        "its certificate names `{subject}` of issuer `{issuer}`, who are not one identity of the authority"
    )]
    Pair {
        /// Whom it names.
        subject: String,
        /// Who issued it.
        issuer: String,
    },
    /// A certificate that cannot be read.
    #[error("its certificate cannot be read: {0}")]
    Certificate(String),
    /// A certificate of another authority.
    #[error("its certificate is not of the trust root: {0}")]
    Untrusted(String),
    /// Signed before or after the certificate was valid.
    #[error("its certificate was not valid when it was signed: {0}")]
    CertificateTime(String),
    /// No or no good certificate timestamp.
    #[error("its certificate is in no log of certificates that the trust root knows: {0}")]
    Sct(String),
    /// Not in a log.
    #[error("it is in no transparency log, and the authority requires one")]
    NoLog,
    /// In a log, by the log's word alone.
    #[error("an entry of a transparency log comes without its proof of inclusion")]
    NoProof,
    /// A log that nobody trusts.
    #[error("it is in a transparency log that the trust root does not know")]
    UnknownLog,
    /// A proof that proves nothing.
    #[error("the proof that it is in the transparency log is not good: {0}")]
    Proof(String),
    /// A tree head that the log did not sign.
    #[error("the checkpoint of the transparency log is not good: {0}")]
    Checkpoint(String),
    /// A promise that the log did not sign.
    #[error("the promise of the transparency log is not good: {0}")]
    Promise(String),
    /// A log entry about something else.
    #[error("the entry in the transparency log is about something else: {0}")]
    Entry(String),
    /// An entry whose time does not fit.
    #[error("the time in the transparency log does not fit: {0}")]
    LogTime(String),
    /// No timestamp.
    #[error("no timestamp authority signed its time, and the authority requires one")]
    NoTimestamp,
    /// A timestamp by nobody who is trusted, or of something else.
    #[error("its timestamp is not good: {0}")]
    Timestamp(String),
    /// A timestamp outside the authority's time.
    #[error("its timestamp is of {0}, when that timestamp authority was not trusted")]
    TimestampWindow(Timestamp),
    /// No time at all.
    #[error("nothing that is trusted says when it was signed: {0}")]
    NoTime(String),
    /// Ahead of the clock.
    #[error("it was signed at {time}, and here it is {now}; the clock of one of the two is wrong")]
    Clock {
        /// What it says.
        time: Timestamp,
        /// What time it is.
        now: Timestamp,
    },
    /// An attestation of a type that is not believed.
    #[error("it attests `{0}`, for which the authority is not believed")]
    PredicateType(String),
}

fn found_or_nothing(found: &[String]) -> String {
    if found.is_empty() { "nothing that has a SHA-256 digest".to_owned() } else { found.join(", ") }
}

impl Reason {
    /// A short name for policies, tests and counters.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unusable { .. } => "unusable",
            Self::TooMany { .. } => "too-many",
            Self::TooLarge { .. } => "too-large",
            Self::TooComplex(_) => "too-complex",
            Self::TooMuchEvidence { .. } => "too-much-evidence",
            Self::Malformed(_) => "malformed",
            Self::Unsupported(_) => "unsupported",
            Self::Version(_) => "version",
            Self::Legacy => "legacy",
            Self::PayloadType(_) => "payload-type",
            Self::Statement(_) => "statement",
            Self::OtherDigest(_) => "other-digest",
            Self::WrongKey => "wrong-key",
            Self::NotByKey => "not-by-key",
            Self::NotByCertificate => "not-by-certificate",
            Self::Signature(_) => "signature",
            Self::Nobody => "nobody",
            Self::Subject(_) => "subject",
            Self::Issuer(_) => "issuer",
            Self::Pair { .. } => "identity",
            Self::Certificate(_) => "certificate",
            Self::Untrusted(_) => "untrusted",
            Self::CertificateTime(_) => "certificate-time",
            Self::Sct(_) => "sct",
            Self::NoLog => "no-log",
            Self::NoProof => "no-proof",
            Self::UnknownLog => "unknown-log",
            Self::Proof(_) => "proof",
            Self::Checkpoint(_) => "checkpoint",
            Self::Promise(_) => "promise",
            Self::Entry(_) => "log-entry",
            Self::LogTime(_) => "log-time",
            Self::NoTimestamp => "no-timestamp",
            Self::Timestamp(_) => "timestamp",
            Self::TimestampWindow(_) => "timestamp-window",
            Self::NoTime(_) => "no-time",
            Self::Clock { .. } => "clock",
            Self::PredicateType(_) => "predicate-type",
        }
    }

    /// Whether it may be gone in a moment without anybody doing anything: such a verdict is not kept for long.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Clock { .. })
    }

    /// About these digests, not about the image's.
    pub(crate) fn other_digest(found: impl IntoIterator<Item = Digest>) -> Self {
        Self::OtherDigest(found.into_iter().take(4).map(|digest| digest.to_string()).collect())
    }
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    /// The words of [`super::Reason::code`] are for people too: the guide says what each of them means.
    #[test]
    fn the_guide_says_what_each_reason_means() {
        let guide = include_str!("../../../docs/guides/image-trust.md");
        let codes = include_str!("reason.rs").lines().filter_map(|line| {
            let (_, code) = line.trim().strip_prefix("Self::")?.split_once(" => \"")?;
            code.strip_suffix("\",")
        });
        let codes: Vec<_> = codes.collect();
        assert!(codes.len() > 35, "{codes:?}");
        for code in codes {
            assert!(guide.contains(&format!("`{code}`")), "`{code}` is not in the guide");
        }
    }
}
