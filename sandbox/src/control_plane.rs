//! The command lines of a control plane of one machine.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use crate::authority::KeyMaterial;
use crate::binaries::Binaries;
use crate::options::Options;
use crate::process::Program;
use crate::state::StateFolder;

/// The ports of 127.0.0.1 that one control plane listens on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) api_server: u16,
    etcd_clients: u16,
    etcd_peers: u16,
}

impl Ports {
    /// Ports that are free now. Another program may take one before it is used;
    /// whoever starts the programs tries again then.
    pub(crate) fn free() -> io::Result<Self> {
        // All are held until all are found, so that they differ.
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let held = (listen()?, listen()?, listen()?);
        Ok(Self {
            api_server: held.0.local_addr()?.port(),
            etcd_clients: held.1.local_addr()?.port(),
            etcd_peers: held.2.local_addr()?.port(),
        })
    }
}

/// Writes the keys and certificates that the command lines name.
pub(crate) fn write_keys(state: &StateFolder, keys: &KeyMaterial, tokens: &str) -> io::Result<()> {
    for (name, text) in [
        ("pki/ca.crt", &*keys.ca),
        ("pki/apiserver.crt", &keys.api_server.certificate),
        ("pki/apiserver.key", &keys.api_server.key),
        ("pki/etcd.crt", &keys.etcd.certificate),
        ("pki/etcd.key", &keys.etcd.key),
        ("pki/service-accounts.key", &keys.service_accounts),
        ("pki/service-accounts.pub", &keys.service_accounts_public),
        ("pki/tokens.csv", tokens),
    ] {
        state.write(name, text)?;
    }
    Ok(())
}

pub(crate) fn etcd(binaries: &Binaries, state: &StateFolder, ports: Ports) -> Program {
    let clients = format!("https://127.0.0.1:{}", ports.etcd_clients);
    let peers = format!("https://127.0.0.1:{}", ports.etcd_peers);
    let pki = |name: &str| state.path("pki").join(name);
    Program::new("etcd", &binaries.etcd)
        .args([
            format!("--initial-cluster=default={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--listen-peer-urls={peers}"),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            // Nobody needs the data after a power failure, and a start is a
            // third faster.
            "--unsafe-no-fsync=true".to_owned(),
            // Other users of the machine can reach the ports too.
            "--client-cert-auth=true".to_owned(),
            "--peer-client-cert-auth=true".to_owned(),
        ])
        .args([
            flag("--data-dir", &state.path("etcd")),
            flag("--trusted-ca-file", &pki("ca.crt")),
            flag("--cert-file", &pki("etcd.crt")),
            flag("--key-file", &pki("etcd.key")),
            flag("--peer-trusted-ca-file", &pki("ca.crt")),
            flag("--peer-cert-file", &pki("etcd.crt")),
            flag("--peer-key-file", &pki("etcd.key")),
        ])
}

pub(crate) fn api_server(
    binaries: &Binaries,
    state: &StateFolder,
    ports: Ports,
    options: &Options,
) -> io::Result<Program> {
    let pki = |name: &str| state.path("pki").join(name);
    let mut program = Program::new("kube-apiserver", &binaries.kube_apiserver)
        .args([
            format!("--etcd-servers=https://127.0.0.1:{}", ports.etcd_clients),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", ports.api_server),
            // It would write its address, a loopback one, which is refused.
            "--endpoint-reconciler-type=none".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/16".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            "--allow-privileged=true".to_owned(),
            // Services of webhooks are resolved by their EndpointSlices: there
            // is no kube-proxy.
            "--enable-aggregator-routing=true".to_owned(),
        ])
        .args([
            flag("--etcd-cafile", &pki("ca.crt")),
            flag("--etcd-certfile", &pki("etcd.crt")),
            flag("--etcd-keyfile", &pki("etcd.key")),
            flag("--tls-cert-file", &pki("apiserver.crt")),
            flag("--tls-private-key-file", &pki("apiserver.key")),
            flag("--service-account-key-file", &pki("service-accounts.pub")),
            flag("--service-account-signing-key-file", &pki("service-accounts.key")),
            flag("--token-auth-file", &pki("tokens.csv")),
        ]);
    if !options.disabled_admission_plugins.is_empty() {
        let plugins = options.disabled_admission_plugins.join(",");
        program = program.args([format!("--disable-admission-plugins={plugins}")]);
    }
    if let Some(policy) = &options.audit_policy {
        let policy = state.write("pki/audit-policy.yaml", policy)?;
        program = program.args([
            flag("--audit-policy-file", &policy),
            flag("--audit-log-path", &state.path("logs").join("audit.log")),
        ]);
    }
    // Last, so that the caller has the last word on single-valued flags.
    Ok(program.args(&options.api_server_args))
}

/// `None` if the binaries have no controller manager.
pub(crate) fn controller_manager(binaries: &Binaries, state: &StateFolder) -> Option<Program> {
    let pki = |name: &str| state.path("pki").join(name);
    let program = Program::new("kube-controller-manager", binaries.kube_controller_manager.as_ref()?)
        .args([
            "--leader-elect=false",
            // Each controller under its own account, as in any real cluster:
            // admission sees who made a Pod.
            "--use-service-account-credentials=true",
            // It serves nothing that anybody here asks for.
            "--secure-port=0",
            // Pods follow their Deployment at once, and namespaces go at once.
            "--concurrent-namespace-syncs=20",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ])
        .args([
            flag("--kubeconfig", &state.path("kubeconfig")),
            flag("--root-ca-file", &pki("ca.crt")),
            flag("--service-account-private-key-file", &pki("service-accounts.key")),
        ]);
    Some(program)
}

/// `--name=path`, whatever bytes the path has.
fn flag(name: &str, path: &Path) -> std::ffi::OsString {
    let mut text = std::ffi::OsString::from(name);
    text.push("=");
    text.push(path);
    text
}
