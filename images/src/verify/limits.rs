//! How much of anything is looked at.

/// Limits on what a registry may send. Beyond them nothing is verified: half of the evidence would be whatever half
/// an attacker chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bundles and layers beside one image.
    pub items: usize,
    /// Bytes of one bundle or layer.
    pub bytes: usize,
    /// Bytes that the JSON of one attestation would take in memory, beside its texts: a megabyte of brackets can
    /// become two hundred.
    pub memory: usize,
    /// Objects and arrays inside each other in one attestation.
    pub depth: usize,
    /// Log entries, timestamps or certificates in one bundle.
    pub evidence: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { items: 64, bytes: 8 << 20, memory: 32 << 20, depth: 64, evidence: 8 }
    }
}
