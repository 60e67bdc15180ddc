//! Our kinds, watches, look-ups and leader work: the only wrapper of the Kubernetes client.
//!
//! ```text
//!            ┌► policies: Policy, PolicyException ─► PolicySet (swapped whole)
//! API server ┼► facts: namespaces (cached, else live), inventory, owners, names
//!            ├► images: ImageAuthority, TrustRoot ─► who may sign (swapped whole)
//!            ├► authority: the shared Secret ─► each replica's own leaf
//!            ├► objects, watched: any kind, read and written on somebody's behalf
//!            └► control (leader): discovery, policies, replicas ─► webhooks (pure) ─► configurations, statuses
//! ```

pub mod access;
pub mod authority;
pub mod bundles;
mod client;
pub mod control;
mod discovery;
pub mod facts;
#[cfg(test)]
mod fake_api;
pub mod gatekeeper;
pub mod images;
pub mod install;
pub mod kinds;
pub mod listing;
pub mod manifest;
mod mirror;
mod namespaces;
mod object;
pub mod objects;
pub mod pause;
pub mod policies;
pub mod reports;
pub mod watched;
pub mod webhooks;

pub use client::{ApiError, Client, ConnectError, Connection, RequestCounts, connect, request_counts};
pub use discovery::{ResourceKind, Resources};
pub use facts::ClusterFacts;
pub use mirror::Pause;
pub use namespaces::NamespaceLookup;
pub use object::object;
pub use policies::PolicyWatch;
