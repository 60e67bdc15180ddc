//! The webhook configurations: pure functions from policies and discovery to the two objects that make the API
//! server ask us (design §2, "Webhook configurations").
//!
//! ```text
//! PolicySet ─► Registered ─┬─ rules (what each policy asks for, by discovery, as atoms) ─► groups ─┐
//! discovery ───────────────┘                                                                       ├─► configurations
//! live configurations ─► plan (widen late, narrow at once, paused: hands off) ────────────────────┘
//! ```
//! Rules are handled as [`atoms::Atom`]s, one resource and one verb each, so that two configurations can be compared
//! and intersected; only the written form folds them into short rules.

pub mod atoms;
mod by_kind;
mod configuration;
mod derive;
mod plan;
#[cfg(test)]
pub(crate) mod samples;

pub use configuration::{Endpoint, Entry, Settings, configurations};
pub use derive::{Registered, groups};
pub use plan::{Live, live_rules, planned};

use atoms::Rules;
use std::collections::BTreeMap;

/// Namespaces that keep a cluster alive: its own, ours, and those of the usual network and storage drivers. The
/// default of the server's configuration.
pub const EXEMPT_NAMESPACES: [&str; 17] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "wayguard-system",
    "calico-system",
    "calico-apiserver",
    "tigera-operator",
    "cilium",
    "cilium-secrets",
    "kube-flannel",
    "metallb-system",
    "istio-system",
    "linkerd",
    "local-path-storage",
    "longhorn-system",
    "rook-ceph",
    "openebs",
];

/// The seconds that the API server waits for us.
pub const TIMEOUT_SECONDS: u8 = 5;

/// Which rules each entry has. Entries without rules are not written.
pub type Groups = BTreeMap<Entry, Rules>;
