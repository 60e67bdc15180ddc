//! The Pod Security Standards (<https://kubernetes.io/docs/concepts/security/pod-security-standards/>): each of their
//! controls is a policy of its own, and stands as a test below its level.

use super::{Catalogue, Entry, entry};

/// The standards.
pub(super) const PSS: Catalogue = Catalogue {
    name: "PSS",
    about: "Kubernetes Pod Security Standards; each control of a level is a policy",
    controls: &CONTROLS,
};

const CONTROLS: [Entry<'static>; 2] = [
    entry("PSS-baseline", "Nothing that is known to lead out of a container"),
    entry("PSS-restricted", "What a hardened Pod is asked for, beyond baseline"),
];
