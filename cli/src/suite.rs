//! The options that the parts of an installation must have alike: `serve`, `control`, `pause`.

use wayguard_cluster::authority::SecretPlace;
use wayguard_cluster::images::LoginSecret;

/// Where the suite lives.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct SuiteArgs {
    /// The suite's own namespace; only there exceptions count
    #[arg(long, value_name = "NAME", env = "WAYGUARD_OWN_NAMESPACE", default_value = "wayguard-system")]
    pub(crate) own_namespace: String,

    /// The Service in front of the server, and the name of the webhook configurations
    #[arg(long, value_name = "NAME", env = "WAYGUARD_SERVICE", default_value = "wayguard")]
    pub(crate) service: String,

    /// The Secret with the certificate authority that all replicas share; `control` fills it
    // It ends in `-name`, as our own policy about literal credentials wants it: the value is a name, no secret.
    #[arg(
        long = "authority-secret-name",
        alias = "authority-secret",
        value_name = "NAME",
        env = "WAYGUARD_AUTHORITY_SECRET"
    )]
    pub(crate) authority_secret: Option<String>,

    /// Refuse nothing, change nothing, record everything: the first days of an installation
    #[arg(long, env = "WAYGUARD_OBSERVE")]
    pub(crate) observe: bool,

    /// Read Gatekeeper's objects of the cluster too, unchanged: ConstraintTemplate, constraints, Config, SyncSet, Assign,
    /// AssignMetadata, ModifySet, AssignImage, ExpansionTemplate, Provider. Refuses to start beside a working Gatekeeper
    #[arg(long, env = "WAYGUARD_GATEKEEPER")]
    pub(crate) gatekeeper: bool,
}

/// Logins of registries that a cluster holds: `serve` asks for images with them, `control` for PolicyBundles.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct LoginArgs {
    /// A Secret of the suite's own namespace with logins of registries (kubernetes.io/dockerconfigjson), followed as it
    /// is rotated; repeatable. With `=NAMESPACE,…` they are used for images of those namespaces alone (`*` at the end
    /// of one is anything): who can make Pods can learn from refusals what the login may see
    #[arg(
        long = "registry-secret-name",
        alias = "registry-secret",
        value_name = "NAME[=NAMESPACE,…]",
        env = "WAYGUARD_REGISTRY_SECRET",
        value_delimiter = ';'
    )]
    pub(crate) registry_secret: Vec<LoginSecret>,
}

impl SuiteArgs {
    /// Where the shared authority is, if there is one.
    pub(crate) fn authority(&self) -> Option<SecretPlace> {
        let name = self.authority_secret.clone()?;
        Some(SecretPlace { namespace: self.own_namespace.clone(), name })
    }
}
