//! What verification found: who signed, what they attested, what does not count and why.

use crate::authority::ImageAuthority;
use crate::digest::Digest;
use crate::evidence::{LegacyKind, LegacyLayer};
use crate::verify::Reason;
use crate::verify::outcome::{Content, Proof};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The verdict on everything that was found beside one image.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The image.
    pub digest: Digest,
    /// Who signed it.
    pub signatures: Vec<Signature>,
    /// What was attested of it.
    pub attestations: Vec<Attestation>,
    /// What does not count, once for each authority that refused it.
    pub rejected: Vec<Rejected>,
    /// Whether enough have signed, for each ImageAuthority that speaks of the image.
    pub required: Vec<Requirement>,
}

/// A signature of the image that counts.
#[derive(Clone, Debug)]
pub struct Signature {
    /// In which bundle or layer it is.
    pub what: What,
    /// Who signed.
    pub signer: Signer,
}

/// An attestation that counts.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// In which bundle or layer it is.
    pub what: What,
    /// Who signed.
    pub signer: Signer,
    /// Of which type, such as `https://slsa.dev/provenance/v1`.
    pub predicate_type: String,
    /// What it says.
    pub predicate: Arc<Value>,
    /// Whether its signer is believed with OpenVEX.
    pub vex: bool,
}

/// Who signed something, and what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The ImageAuthority by which it counts.
    pub image_authority: String,
    /// And which of its authorities.
    pub authority: String,
    /// In which layout it was.
    pub format: Format,
    /// The key, by the SHA-256 of its `SubjectPublicKeyInfo`; with a key.
    pub key: Option<Digest>,
    /// The certificate; keyless.
    pub certificate: Option<Certificate>,
    /// The transparency logs whose proof or promise was good, by their addresses in the trust root.
    pub logs: Vec<String>,
    /// The times that a log or a timestamp authority signed.
    pub times: Vec<Timestamp>,
}

/// What a certificate says of who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// To whom it was issued: a mail address or a URI.
    pub subject: String,
    /// Who vouched for that.
    pub issuer: String,
    /// What it says of the build, by the names of Fulcio's `oid-info.md` in camel case, such as
    /// `sourceRepositoryURI`.
    pub claims: BTreeMap<&'static str, String>,
}

/// In which layout something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// A sigstore bundle that refers to the image.
    Bundle,
    /// cosign's tags before bundles.
    Legacy,
}

/// Which bundle or layer, so that it can be found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct What {
    /// Of which kind.
    pub kind: WhatKind,
    /// The digest of its bytes, which is the layer's in the registry.
    pub digest: Digest,
}

/// Of which kind a piece of evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhatKind {
    /// A bundle.
    Bundle,
    /// A layer of the tag that ends in `.sig`.
    Signature,
    /// A layer of the tag that ends in `.att`.
    Attestation,
}

/// Something that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Which; none: all that was found.
    pub what: Option<What>,
    /// Which ImageAuthority and which of its authorities refused it; none: it cannot count for anybody.
    pub authority: Option<(String, String)>,
    /// Why.
    pub reason: Reason,
}

/// Whether enough have signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    /// The ImageAuthority's name.
    pub name: String,
    /// So many different keys or identities have.
    pub signers: usize,
    /// In so many different transparency logs.
    pub logs: usize,
    /// So many must.
    pub required: u32,
    /// Whether they do.
    pub satisfied: bool,
}

impl Verified {
    pub(super) fn of(digest: Digest) -> Self {
        let (signatures, attestations, rejected) = (Vec::new(), Vec::new(), Vec::new());
        Self { digest, signatures, attestations, rejected, required: Vec::new() }
    }

    /// Whether every ImageAuthority that speaks of the image is satisfied; false where none does.
    pub fn satisfied(&self) -> bool {
        !self.required.is_empty() && self.required.iter().all(|requirement| requirement.satisfied)
    }

    /// Whether the verdict may change by itself in a moment (a clock that is behind): it is not to be kept for long.
    pub fn may_pass(&self) -> bool {
        self.rejected.iter().any(|rejected| rejected.reason.passes())
    }

    pub(super) fn reject(&mut self, what: Option<What>, authority: Option<(String, String)>, reason: Reason) {
        self.rejected.push(Rejected { what, authority, reason });
    }

    pub(super) fn accept(&mut self, what: What, signer: Signer, content: Content, vex: bool) {
        match content {
            Content::Signature => self.signatures.push(Signature { what, signer }),
            Content::Attestation { predicate_type, predicate } => {
                let predicate = Arc::new(predicate);
                self.attestations.push(Attestation { what, signer, predicate_type, predicate, vex });
            }
        }
    }
}

impl Signer {
    pub(super) fn new(image_authority: &str, authority: &str, format: Format, proof: Proof) -> Self {
        Self {
            image_authority: image_authority.to_owned(),
            authority: authority.to_owned(),
            format,
            key: proof.key,
            certificate: proof.certificate,
            logs: proof.logs,
            times: proof.times,
        }
    }

    /// Who it is, for counting different ones: a key is a key wherever it is named, and an identity likewise.
    fn who(&self) -> (Option<Digest>, Option<(&str, &str)>) {
        let certificate = self.certificate.as_ref();
        (self.key, certificate.map(|certificate| (certificate.issuer.as_str(), certificate.subject.as_str())))
    }
}

impl Requirement {
    pub(super) fn of(authority: &ImageAuthority, signatures: &[Signature]) -> Self {
        let of_it = || {
            signatures
                .iter()
                .map(|signature| &signature.signer)
                .filter(|signer| signer.image_authority == authority.name())
        };
        let signers = of_it().map(Signer::who).collect::<BTreeSet<_>>().len();
        let logs = of_it().flat_map(|signer| &signer.logs).collect::<BTreeSet<_>>().len();
        let require = authority.require();
        let enough = |found: usize| u32::try_from(found).unwrap_or(u32::MAX) >= require.count;
        Self {
            name: authority.name().to_owned(),
            signers,
            logs,
            required: require.count,
            satisfied: enough(signers) && (!require.distinct_logs || enough(logs)),
        }
    }
}

impl What {
    pub(super) fn bundle(bytes: &[u8]) -> Self {
        Self { kind: WhatKind::Bundle, digest: Digest::of(bytes) }
    }

    pub(super) fn layer(layer: &LegacyLayer) -> Self {
        let kind = match layer.kind {
            LegacyKind::Signature => WhatKind::Signature,
            LegacyKind::Attestation => WhatKind::Attestation,
        };
        Self { kind, digest: Digest::of(&layer.payload) }
    }
}

impl fmt::Display for What {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            WhatKind::Bundle => "bundle",
            WhatKind::Signature => "layer of `.sig`",
            WhatKind::Attestation => "layer of `.att`",
        };
        write!(out, "{kind} {}", self.digest)
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.image_authority, self.authority)?;
        match (&self.certificate, self.key) {
            (Some(certificate), _) => write!(out, " ({}, by {})", certificate.subject, certificate.issuer),
            (None, Some(key)) => write!(out, " (key {key})"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(what) = &self.what {
            write!(out, "{what}: ")?;
        }
        if let Some((image_authority, authority)) = &self.authority {
            write!(out, "{image_authority}/{authority}: ")?;
        }
        write!(out, "{}", self.reason)
    }
}
