//! From `--policies` to a compiled set: the one loader that `serve`, `check` and `test` share.
//!
//! ```text
//! arguments ─► sources ─► gathered (files read, objects parsed, fingerprint) ─► PolicySet
//! ```
//! Gathering is cheap and is repeated to notice changes; compiling happens only when the fingerprint moved.

mod bundles;
mod documents;
mod folder;
mod gather;
mod pod_security;
mod source;

pub(crate) use documents::gatekeeper_objects;
pub(crate) use folder::{Disk, PolicyFolder, name_as_on_disk, policy_folders};
pub(crate) use gather::{Gathered, gather, stray_bundles};
pub(crate) use source::{PolicyArgs, Sources};
