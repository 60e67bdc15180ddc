//! Image trust: who signed an image, what its attestations and scans say, as facts for the engine (design §3).
//!
//! Three rooms, in the order in which they are passed: a registry is asked ([`evidence`] is what it said, believed
//! by nobody), what it said is verified against authorities and trust roots, and what was verified becomes the
//! document that policies read as `input.facts.images[ref]`.

pub mod authority;
pub mod config;
pub mod digest;
pub mod discover;
pub mod evidence;
pub mod facts;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod reference;
pub mod registry;
pub mod scan;
pub mod service;
#[cfg(feature = "fixtures")]
pub mod test_registry;
pub mod trust;
pub mod verify;
