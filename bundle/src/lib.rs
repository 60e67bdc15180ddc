//! Policies as one thing that can be shipped: a folder of them as an archive in OPA's bundle layout, the archive as an
//! OCI artifact, the artifact signed.
//!
//! ```text
//! folder ─► archive (.tar.gz, the same bytes from the same files) ─► artifact (manifest, by digest) ─► signature (referrer)
//! ```
//! [`vouched`] asks who signed; [`spec`] is what a cluster's `PolicyBundle` says. Everything hangs on one digest: it names
//! the artifact's manifest, which names the archive's bytes.

pub mod archive;
pub mod artifact;
pub mod manifest;
pub mod signing;
pub mod spec;
pub mod vouched;
