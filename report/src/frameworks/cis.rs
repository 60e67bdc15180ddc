//! The CIS Kubernetes Benchmark. Section numbers and subjects are facts of the benchmark, version 1.10
//! (<https://www.cisecurity.org/benchmark/kubernetes>); the words are ours. Numbers of 5.6 were 5.7 in older editions.

use super::{Catalogue, Entry, beyond, entry};

const HOSTS: &str =
    "it is about files and flags of machines, which admission never sees; a node scanner tests it";

/// The benchmark.
pub(super) const CIS: Catalogue = Catalogue {
    name: "CIS",
    about: "CIS Kubernetes Benchmark 1.10, section 5 (policies)",
    controls: &CONTROLS,
};

const CONTROLS: [Entry<'static>; 39] = [
    beyond("CIS-1", "How the control plane's components are configured", HOSTS),
    beyond("CIS-2", "How etcd is configured", HOSTS),
    beyond("CIS-3", "How the control plane authenticates and logs", HOSTS),
    beyond("CIS-4", "How worker nodes are configured", HOSTS),
    entry("CIS-5.1.1", "Few are bound to cluster-admin"),
    entry("CIS-5.1.2", "Few may read Secrets"),
    entry("CIS-5.1.3", "Roles name what they allow, without wildcards"),
    entry("CIS-5.1.4", "Few may create Pods"),
    entry("CIS-5.1.5", "Default ServiceAccounts are not used"),
    entry("CIS-5.1.6", "ServiceAccount tokens are mounted only where they are needed"),
    entry("CIS-5.1.7", "Nobody works as system:masters"),
    entry("CIS-5.1.8", "Few may bind, impersonate or escalate"),
    entry("CIS-5.1.9", "Few may create PersistentVolumes"),
    entry("CIS-5.1.10", "Few may reach nodes through the API server's proxy"),
    entry("CIS-5.1.11", "Few may approve certificate requests"),
    entry("CIS-5.1.12", "Few may change admission webhooks"),
    entry("CIS-5.1.13", "Few may issue ServiceAccount tokens"),
    entry("CIS-5.2.1", "Every namespace has an enforced Pod Security level or its like"),
    entry("CIS-5.2.2", "No privileged containers"),
    entry("CIS-5.2.3", "No sharing of the node's process ids"),
    entry("CIS-5.2.4", "No sharing of the node's IPC"),
    entry("CIS-5.2.5", "No sharing of the node's network"),
    entry("CIS-5.2.6", "No process gains more privileges than its parent"),
    entry("CIS-5.2.7", "No containers that run as root"),
    entry("CIS-5.2.8", "Containers drop NET_RAW"),
    entry("CIS-5.2.9", "Containers add no capabilities"),
    entry("CIS-5.2.10", "Containers keep no capabilities that they do not need"),
    entry("CIS-5.2.11", "No Windows HostProcess containers"),
    entry("CIS-5.2.12", "No hostPath volumes"),
    entry("CIS-5.2.13", "No host ports"),
    beyond(
        "CIS-5.3.1",
        "The network plugin enforces NetworkPolicies",
        "it is about software on the nodes, of which no object tells",
    ),
    entry("CIS-5.3.2", "Every namespace has NetworkPolicies"),
    entry("CIS-5.4.1", "Secrets come as files, not as environment variables"),
    entry("CIS-5.4.2", "Secrets are kept outside of the cluster where that is called for"),
    entry("CIS-5.5.1", "It is known where images come from"),
    entry("CIS-5.6.1", "Namespaces separate what belongs to different people"),
    entry("CIS-5.6.2", "Pods run under the runtime's seccomp profile"),
    entry("CIS-5.6.3", "Pods and containers have a security context"),
    entry("CIS-5.6.4", "Nothing lives in the namespace default"),
];
