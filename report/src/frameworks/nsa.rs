//! The hardening guidance of NSA and CISA. It has chapters, no numbers: ids are ours and stand in the policies; the
//! subjects are those of "Kubernetes Hardening Guidance", version 1.2, August 2022 (U/OO/168286-21), in our words.

use super::{Catalogue, Entry, beyond, entry};

/// The guidance.
pub(super) const NSA: Catalogue = Catalogue {
    name: "NSA/CISA",
    about: "NSA and CISA, Kubernetes Hardening Guidance 1.2",
    controls: &CONTROLS,
};

const CONTROLS: [Entry<'static>; 21] = [
    entry("NSA-non-root", "Containers and their engines run without root"),
    entry("NSA-immutable-file-systems", "Containers cannot write to their own file system"),
    entry("NSA-image-repositories", "Images come from repositories that somebody answers for"),
    entry("NSA-image-tags", "Images are named by a version that stays what it is"),
    entry("NSA-image-scanning", "Images are scanned, and what is found is acted on"),
    entry("NSA-image-signing", "Images are signed, and that is checked at admission"),
    entry("NSA-pod-security", "A Pod Security level is enforced"),
    entry("NSA-service-account-tokens", "Pods have no ServiceAccount token unless they need one"),
    entry("NSA-network-policies", "NetworkPolicies say who may talk to whom"),
    entry("NSA-resource-policies", "Limits keep one team from using up what all share"),
    entry("NSA-encryption", "Traffic is encrypted"),
    entry("NSA-secrets", "Credentials are in Secrets, not in configuration"),
    entry("NSA-authentication", "Everyone who asks the API server is known"),
    entry("NSA-rbac", "Roles give no more than their holders need"),
    beyond(
        "NSA-control-plane",
        "The control plane and etcd are reachable only for those who must",
        "it is about networks and flags of machines, which admission never sees",
    ),
    beyond(
        "NSA-worker-nodes",
        "Worker nodes stand apart from other networks",
        "it is about networks of machines, which admission never sees",
    ),
    beyond(
        "NSA-cloud-metadata",
        "Workloads do not reach the cloud's metadata service",
        "it depends on the provider's network, of which objects tell only a part",
    ),
    beyond(
        "NSA-audit-logging",
        "The API server logs, and logs are kept elsewhere",
        "it is about flags of the API server, which admission never sees",
    ),
    beyond(
        "NSA-threat-detection",
        "Somebody watches the logs and is told what is unusual",
        "it is about people and systems outside of the cluster's objects",
    ),
    beyond(
        "NSA-upgrades",
        "Kubernetes and what runs on it are kept up to date",
        "versions of nodes and add-ons are not judged by these policies",
    ),
    beyond(
        "NSA-building",
        "Images are built from little, by a pipeline that checks them",
        "it happens before anything reaches a cluster; signatures and provenance are what is left of it to see",
    ),
];
