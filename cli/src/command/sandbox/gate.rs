//! The gate beside a control plane: what `install` applies, then `serve` and `control` as processes with the rights of
//! their accounts, so that what works here works with those rights in a cluster.

use super::{Args, Telling};
use crate::cluster::ClusterArgs;
use crate::exit::Failure;
use crate::policies::Sources;
use serde_json::Value;
use std::ffi::OsString;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wayguard_cluster::authority::AUTHORITY_SECRET;
use wayguard_cluster::install::{
    ANCHOR, HISTORY, History, InstallOptions, InventoryRight, PROVISIONING, Provisioning, SERVICE, account,
    apply, ground,
};
use wayguard_cluster::listing::Concerns;
use wayguard_cluster::objects::plural;
use wayguard_cluster::webhooks::{Endpoint, Registered, Settings, configurations, groups};
use wayguard_cluster::{Client, Resources};
use wayguard_engine::PolicySet;
use wayguard_engine::policy::library::Library;
use wayguard_sandbox::{Process, Program, Sandbox, User};

/// The suite's own namespace, here as anywhere.
const NAMESPACE: &str = "wayguard-system";
/// How long servers may take until they are ready, and the API server until it asks them.
const READY_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);

/// The accounts of the suite's processes, for the sandbox's list of users.
pub(super) fn accounts() -> Vec<User> {
    let groups = ["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{NAMESPACE}")];
    ["serve", "control", "audit", PROVISIONING, HISTORY]
        .map(|role| User::new(account(NAMESPACE, role), groups.clone()))
        .to_vec()
}

/// Where the servers listen.
pub(super) struct Gate {
    /// All of them, for the API server.
    pub(super) admission: SocketAddr,
    /// Each of them, for probes and metrics.
    pub(super) health: Vec<SocketAddr>,
    /// The history, if there is one.
    pub(super) history: Option<SocketAddr>,
}

impl Gate {
    /// Installs, starts and waits until the API server asks.
    ///
    /// # Errors
    /// What did not become ready, with the end of its log.
    pub(super) fn open(
        args: &Args,
        sandbox: &Sandbox,
        set: &PolicySet,
        sources: &Sources,
        telling: &mut Telling,
    ) -> Result<Self, Failure> {
        telling.say("installing");
        let wanted = install(args, sandbox, set)?;
        telling.say("starting the gate");
        let cannot = |error: std::io::Error| Failure::Ours(format!("cannot find a free port: {error}"));
        let gate = Self {
            admission: free_address().map_err(cannot)?,
            health: (0..args.replicas).map(|_| free_address()).collect::<Result<_, _>>().map_err(cannot)?,
            history: args.history.then(free_address).transpose().map_err(cannot)?,
        };
        let shared = shared_arguments(args, sources)?;
        gate.keep_history(sandbox, &shared)?;
        let mut servers = gate.serve(sandbox, &shared)?;
        let mut control = gate.control(sandbox, &shared)?;
        if args.audit {
            let mut arguments: Vec<OsString> = vec!["control".into()];
            arguments.extend(pair("--role", "audit"));
            let health = free_address().map_err(|error| ours(&error))?;
            arguments.extend(pair("--health-listen", health.to_string()));
            arguments.extend(gate.to_history());
            start(sandbox, "audit", "audit", arguments, &shared)?;
        }
        for (health, server) in gate.health.iter().zip(&mut servers) {
            wait_until_ready(*health, server)?;
        }
        if args.provisioning {
            start_provisioning(sandbox)?;
        }
        telling.say("registering the gate");
        wait_until_asked(sandbox, &wanted, &mut control)?;
        Ok(gate)
    }

    fn serve(&self, sandbox: &Sandbox, shared: &[OsString]) -> Result<Vec<Process>, Failure> {
        let mut processes = Vec::new();
        for (index, health) in self.health.iter().enumerate() {
            let mut arguments: Vec<OsString> = vec!["serve".into()];
            arguments.extend(pair("--listen", self.admission.to_string()));
            arguments.extend(pair("--health-listen", health.to_string()));
            arguments.extend(self.to_history());
            if self.health.len() > 1 {
                arguments.push("--share-port".into());
            }
            let name = if index == 0 { "serve".to_owned() } else { format!("serve-{}", index + 1) };
            processes.push(start(sandbox, &name, "serve", arguments, shared)?);
        }
        Ok(processes)
    }

    /// The arguments by which server and audit find the history.
    fn to_history(&self) -> Vec<OsString> {
        self.history.iter().flat_map(|history| pair("--history", format!("https://{history}"))).collect()
    }

    /// Starts the history; it serves as soon as `control` has made the authority.
    fn keep_history(&self, sandbox: &Sandbox, shared: &[OsString]) -> Result<(), Failure> {
        let Some(history) = self.history else { return Ok(()) };
        let mut arguments: Vec<OsString> = vec!["control".into()];
        arguments.extend(pair("--role", HISTORY));
        arguments.extend(pair("--history", sandbox.state_dir().join("history.db")));
        arguments.extend(pair("--history-listen", history.to_string()));
        arguments.extend(pair("--health-listen", free_address().map_err(|error| ours(&error))?.to_string()));
        start(sandbox, HISTORY, HISTORY, arguments, shared).map(drop)
    }

    fn control(&self, sandbox: &Sandbox, shared: &[OsString]) -> Result<Process, Failure> {
        let mut arguments: Vec<OsString> = vec!["control".into()];
        arguments.extend(pair("--role", "webhooks"));
        arguments.extend(pair("--health-listen", free_address().map_err(|error| ours(&error))?.to_string()));
        arguments.extend(pair("--anchor", ANCHOR));
        arguments.extend(pair("--server-url", format!("https://{}", self.admission)));
        for health in &self.health {
            arguments.extend(pair("--server-health", health.to_string()));
        }
        start(sandbox, "control", "control", arguments, shared)
    }
}

/// The controller of self-service, with the rights of its own account.
fn start_provisioning(sandbox: &Sandbox) -> Result<Process, Failure> {
    let mut arguments: Vec<OsString> = vec!["control".into()];
    arguments.extend(pair("--role", PROVISIONING));
    arguments.extend(pair("--health-listen", free_address().map_err(|error| ours(&error))?.to_string()));
    let shared: Vec<OsString> = pair("--own-namespace", NAMESPACE).into();
    start(sandbox, PROVISIONING, PROVISIONING, arguments, &shared)
}

fn ours(error: &dyn std::fmt::Display) -> Failure {
    Failure::Ours(error.to_string())
}

fn pair(name: &str, value: impl Into<OsString>) -> [OsString; 2] {
    [name.into(), value.into()]
}

/// What server and `control` must have alike, and the logins that both use.
fn shared_arguments(args: &Args, sources: &Sources) -> Result<Vec<OsString>, Failure> {
    let mut arguments: Vec<OsString> = Vec::new();
    arguments.extend(pair("--own-namespace", NAMESPACE));
    arguments.extend(pair("--authority-secret-name", AUTHORITY_SECRET));
    for source in sources.as_arguments().map_err(|error| ours(&error))? {
        arguments.extend(pair("--policies", source));
    }
    if let Some(config) = &args.policies.pod_security_config {
        let path = std::path::absolute(config).map_err(|error| ours(&error))?;
        arguments.extend(pair("--pod-security-config", path));
    }
    for name in &args.policies.exempt_namespaces {
        arguments.extend(pair("--exempt-namespace", name));
    }
    for secret in &args.registry_secret {
        arguments.extend(pair("--registry-secret-name", secret.to_string()));
    }
    if args.observe {
        arguments.push("--observe".into());
    }
    if args.gatekeeper {
        arguments.push("--gatekeeper".into());
    }
    Ok(arguments)
}

/// Starts this very program beside the control plane, as the account of its role.
fn start(
    sandbox: &Sandbox,
    name: &str,
    role: &str,
    mut arguments: Vec<OsString>,
    shared: &[OsString],
) -> Result<Process, Failure> {
    let program = std::env::current_exe().map_err(|error| ours(&error))?;
    let kubeconfig = sandbox.kubeconfig_of(&account(NAMESPACE, role)).map_err(|error| ours(&error))?;
    arguments.extend(pair("--kubeconfig", kubeconfig));
    arguments.extend_from_slice(shared);
    sandbox.run(&Program::new(name, program).args(arguments)).map_err(|error| ours(&error))
}

/// Applies what `wayguard install` applies, less the Deployments: our processes run on this machine. What `control` is
/// going to register.
fn install(args: &Args, sandbox: &Sandbox, set: &PolicySet) -> Result<Vec<Rules>, Failure> {
    crate::cluster::block_on(async {
        let client = connect(&sandbox.kubeconfig()).await?;
        let resources = Resources::discover(&client)
            .await
            .map_err(|error| Failure::Ours(format!("cannot ask the API server for its kinds: {error}")))?;
        let options = InstallOptions {
            namespace: NAMESPACE.to_owned(),
            inventory: inventory(set, &resources),
            audited: audited(set, &resources),
            secrets: args.secret.clone(),
            registry_secrets: args.registry_secret.clone(),
            gatekeeper: args.gatekeeper,
            provisioning: provisioning(args)?,
            history: args.history.then(|| History::Volume("1Gi".to_owned())),
            ..InstallOptions::new("none")
        };
        apply(&client, &ground(&options), &mut |_| ()).await.map_err(|error| ours(&error))?;
        // Our kinds are there by now, and have webhooks too.
        let resources = Resources::discover(&client).await.map_err(|error| ours(&error))?;
        let settings = Settings {
            name: SERVICE.to_owned(),
            endpoint: Endpoint::Url(String::new()),
            ca_bundle: Vec::new(),
            exempt_namespaces: Vec::new(),
            owner: None,
            paused: false,
        };
        let groups = groups(&Registered::of(set), &resources, args.observe);
        Ok(rules(configurations(&groups, &settings).iter()))
    })
}

/// Self-service, if it is wanted.
fn provisioning(args: &Args) -> Result<Option<Provisioning>, Failure> {
    let wanted = || super::super::install::provisioning(&Library::embedded());
    args.provisioning.then(wanted).transpose()
}

async fn connect(kubeconfig: &Path) -> Result<Client, Failure> {
    let args = ClusterArgs { kubeconfig: Some(kubeconfig.to_owned()), ..ClusterArgs::default() };
    args.connect().await?.ok_or_else(|| Failure::Ours("no connection to the API server".to_owned()))
}

/// The right to list whatever the policies judge, and what policies that are applied later mostly do.
fn audited(set: &PolicySet, resources: &Resources) -> Vec<InventoryRight> {
    let concerns = Concerns::of(set, resources);
    let judged = concerns.kinds.iter().map(|(kind, _)| InventoryRight::new(&kind.group, &kind.plural));
    let usual = ["configmaps", "services"].map(|plural| InventoryRight::new("", plural));
    InstallOptions::new("none").audited.into_iter().chain(judged).chain(usual).collect()
}

/// The right to read whatever the policies look up, and what policies that are applied later mostly do.
fn inventory(set: &PolicySet, resources: &Resources) -> Vec<InventoryRight> {
    let mut rights = InstallOptions::new("none").inventory;
    for kind in set.policies().flat_map(|policy| &policy.metadata.custom.inventory) {
        // A kind that is not there yet is reported by the policy's status.
        let right = match resources.of_kind(&kind.group, &kind.version, &kind.kind) {
            Some(found) => InventoryRight::new(&found.group, &found.plural),
            // Ours are about to be installed.
            None if kind.group == wayguard_cluster::kinds::GROUP => {
                InventoryRight::new(&kind.group, &plural(&kind.kind))
            }
            None => continue,
        };
        if !rights.contains(&right) {
            rights.push(right);
        }
    }
    rights
}

/// The ports to choose from lie below those that systems give to outgoing connections (Linux: 32768 and up; RFC 6335:
/// 49152 and up). Of those, one that is free now may be taken by anybody's connection before it is listened on.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// A loopback address whose port is free now, and which is given once.
fn free_address() -> std::io::Result<SocketAddr> {
    static NEXT: OnceLock<AtomicU64> = OnceLock::new();
    // Beside other sandboxes, which count too: each from a place of its own.
    let next = NEXT.get_or_init(|| AtomicU64::new(RandomState::new().hash_one(0) >> 1));
    for _ in PORTS {
        let step = next.fetch_add(1, Ordering::Relaxed) % u64::from(PORTS.end - PORTS.start);
        let port = PORTS.start + u16::try_from(step).unwrap_or_default();
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return listener.local_addr();
        }
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn wait_until_ready(health: SocketAddr, process: &mut Process) -> Result<(), Failure> {
    let deadline = Instant::now() + READY_WITHIN;
    let mut last = String::from("it does not listen yet");
    while Instant::now() < deadline {
        still_running(process)?;
        match readiness(health) {
            Ok(answer) if answer.starts_with("HTTP/1.1 200") => return Ok(()),
            Ok(answer) => {
                answer.split("\r\n\r\n").nth(1).unwrap_or_default().trim().clone_into(&mut last);
            }
            Err(_) => {}
        }
        std::thread::sleep(POLL);
    }
    Err(Failure::Ours(format!("{} is not ready: {last}\n{}", process.name(), process.log_tail(15))))
}

fn still_running(process: &mut Process) -> Result<(), Failure> {
    if process.is_running() {
        return Ok(());
    }
    Err(Failure::Ours(format!("{} ended:\n{}", process.name(), process.log_tail(15))))
}

fn readiness(health: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&health, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// A Policy that no gate lets pass: it has no METADATA.
const PROBE: &str = "{apiVersion: wayguard.io/v1alpha1, kind: Policy, metadata: {name: sandbox-probe}, spec: {source: {rego: 'package probe'}, match: {resourceRules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]}}}";

/// `control` registers rules once all servers have loaded the policies, and the API server reads them by a watch of
/// its own: ready is when all is registered and when it asks us.
fn wait_until_asked(sandbox: &Sandbox, wanted: &[Rules], control: &mut Process) -> Result<(), Failure> {
    let deadline = Instant::now() + READY_WITHIN;
    let kinds = "mutatingwebhookconfigurations,validatingwebhookconfigurations";
    let mut registered = false;
    let mut lacking = None;
    while Instant::now() < deadline {
        still_running(control)?;
        if !registered {
            let live = kubectl(sandbox, &["get", kinds, "-o", "json"], "")?;
            let live: Value = serde_json::from_str(&live).unwrap_or_default();
            let live = rules(live.get("items").and_then(Value::as_array).into_iter().flatten());
            lacking = wanted.iter().find(|rules| !live.contains(rules));
            registered = lacking.is_none();
        } else if kubectl(sandbox, &["apply", "--dry-run=server", "-f", "-"], PROBE).is_err() {
            return Ok(());
        }
        std::thread::sleep(POLL);
    }
    let what = match lacking {
        Some((webhook, rules)) => format!("the gate was not registered: `{webhook}` lacks rules {rules}"),
        None => "the API server does not ask the gate".to_owned(),
    };
    Err(Failure::Ours(format!("{what}; the end of the log of control:\n{}", control.log_tail(15))))
}

/// A webhook's name, and which requests the API server asks it about.
type Rules = (String, Value);

fn rules<'o>(configurations: impl Iterator<Item = &'o Value>) -> Vec<Rules> {
    let webhooks = configurations.filter_map(|one| one.get("webhooks")?.as_array()).flatten();
    let member = |webhook: &Value, key: &str| webhook.get(key).cloned().unwrap_or_default();
    webhooks
        .map(|webhook| {
            (member(webhook, "name").as_str().unwrap_or_default().to_owned(), member(webhook, "rules"))
        })
        .collect()
}

fn kubectl(sandbox: &Sandbox, arguments: &[&str], input: &str) -> Result<String, Failure> {
    let cannot = |error: std::io::Error| Failure::Ours(format!("cannot run kubectl: {error}"));
    let mut command = sandbox.kubectl();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(cannot)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(cannot)?;
    }
    let output = child.wait_with_output().map_err(cannot)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::Ours(format!("kubectl {}: {}", arguments.join(" "), said.trim())))
}
