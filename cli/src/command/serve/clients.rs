//! Mutual TLS with the API server: whose client certificates are asked for, and the CA's file, followed as it changes.
//!
//! An API server shows one if its `--admission-control-config-file` names a kubeconfig for webhooks
//! (`apiserver.config.k8s.io/v1`, `WebhookAdmissionConfiguration`, `kubeConfigFile`).

use crate::exit::Failure;
use std::path::PathBuf;
use std::sync::Arc;
use wayguard_certs::{AllowedClients, ClientCaReloader, ClientMode};

/// Options about who may call.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Who may call")]
pub(super) struct ClientArgs {
    /// The CA (PEM) that signs the API servers' client certificates; read again whenever it changes. [default: no
    /// certificate is asked for]
    #[arg(long = "client-ca", value_name = "FILE", env = "WAYGUARD_CLIENT_CA")]
    ca: Option<PathBuf>,

    /// Who may call, by a certificate's common name or DNS name; repeatable. The same CA may sign every kubelet
    #[arg(
        long = "client-name",
        value_name = "NAME",
        env = "WAYGUARD_CLIENT_NAMES",
        value_delimiter = ',',
        default_value = "kube-apiserver"
    )]
    names: Vec<String>,

    /// `required`: who shows no right certificate is not served. `optional`: who shows none is, who shows a wrong one
    /// is not, for the time until all API servers have one
    #[arg(
        long = "client-certificates",
        value_name = "MODE",
        env = "WAYGUARD_CLIENT_CERTIFICATES",
        default_value = "required"
    )]
    mode: ClientMode,
}

/// Reads the CA; `None` if no certificates are asked for.
///
/// # Errors
/// If the file cannot be read or holds no CA: without it nobody could be let in, or everybody would be.
pub(super) fn open(args: &ClientArgs) -> Result<Option<Arc<ClientCaReloader>>, Failure> {
    let Some(path) = &args.ca else { return Ok(None) };
    let names = args.names.iter().filter(|name| !name.is_empty()).cloned().collect();
    let opened = ClientCaReloader::open(path, args.mode, AllowedClients::Named(names));
    let reloader = opened.map_err(|error| Failure::Invalid(format!("`--client-ca`: {error}")))?;
    Ok(reloader.map(Arc::new))
}
