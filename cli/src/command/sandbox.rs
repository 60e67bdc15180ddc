//! `wayguard sandbox`: a real API server on this machine with the gate in front of it.
//!
//! ```text
//! control plane (crate sandbox) ─► our CRDs ─► `wayguard serve` beside it ─► ready ─► webhook configurations
//! ```

use crate::cluster::ClusterArgs;
use crate::exit::{ExitStatus, Failure};
use crate::output::{GOOD, Output, PLACE, QUIET, styled};
use crate::policies::{PolicyArgs, Sources, gather};
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use wayguard_cluster::webhooks::{Endpoint, Registered, Settings, configurations, groups};
use wayguard_cluster::{Resources, kinds};
use wayguard_sandbox::{
    Binaries, Lifetime, Options, Process, Program, Progress, Sandbox, SandboxError, Search,
};

/// Options of `sandbox`.
#[derive(Clone, Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  wayguard sandbox                                   start; prints how to use it
  wayguard sandbox --policies ./my-policies          with your own policies, read again when they change
  wayguard sandbox stop

Needs Go 1.26 or newer for the first start, which compiles the control plane (some minutes, once), or
ready-made binaries in KUBEBUILDER_ASSETS."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    /// Where everything of the sandbox lies. [default: wayguard/sandbox in the user's state folder]
    #[arg(long, value_name = "DIR", global = true, env = "WAYGUARD_SANDBOX")]
    state_dir: Option<PathBuf>,

    /// Stay, and stop everything at Ctrl-C
    #[arg(long)]
    foreground: bool,

    /// An admission plugin of the API server to switch off; repeatable. By default its own PodSecurity, which would
    /// warn about workload templates that the gate fills in
    #[arg(long, value_name = "NAME", default_value = "PodSecurity")]
    disable_admission_plugin: Vec<String>,

    #[command(flatten)]
    policies: PolicyArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Stop the sandbox and everything in it
    Stop,
}

/// How long the server may take until it is ready.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// Runs the command.
///
/// # Errors
/// If Go is missing, a part does not start, or nothing runs that could be stopped.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let folder = match &args.state_dir {
        Some(folder) => folder.clone(),
        None => default_folder()?,
    };
    match &args.action {
        Some(Action::Stop) => stop(&folder, out),
        None => start(args, &folder, out),
    }
}

fn default_folder() -> Result<PathBuf, Failure> {
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    from("XDG_STATE_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".local").join("state")))
        .map(|state| state.join("wayguard").join("sandbox"))
        .ok_or_else(|| Failure::Invalid("there is no HOME; name a folder with `--state-dir`".into()))
}

fn stop(folder: &Path, out: &mut Output) -> Result<ExitStatus, Failure> {
    let ended = Sandbox::stop_at(folder).map_err(failure)?;
    let names: Vec<&str> = ended.iter().map(|(name, _)| name.as_str()).collect();
    out.talk(format_args!("stopped {}", names.join(", ")));
    Ok(ExitStatus::Fine)
}

fn failure(error: SandboxError) -> Failure {
    match error {
        SandboxError::NotRunning { .. } => Failure::Invalid(error.to_string()),
        other => Failure::Ours(other.to_string()),
    }
}

fn start(args: &Args, folder: &Path, out: &mut Output) -> Result<ExitStatus, Failure> {
    // What is wrong with the policies is said before anybody waits.
    let sources = Sources::new(args.policies.clone())?;
    let gathered = gather(&sources)?;
    let binaries = find_binaries(out)?;
    let options = Options {
        lifetime: if args.foreground { Lifetime::Foreground } else { Lifetime::Detached },
        disabled_admission_plugins: args
            .disable_admission_plugin
            .iter()
            .filter(|name| !name.is_empty())
            .cloned()
            .collect(),
        ..Options::new(folder)
    };
    let mut telling = Telling::new(out);
    let sandbox =
        Sandbox::start(&options, &binaries, &mut |progress| telling.tell(&progress)).map_err(failure)?;
    telling.done();
    let outcome = open_gate(args, &sandbox, &gathered.compile(), &sources);
    let server = match outcome {
        Ok(server) => server,
        Err(error) => {
            // Half a sandbox helps nobody; the logs stay.
            let _ = sandbox.stop();
            return Err(error);
        }
    };
    welcome(&sandbox, &server, out);
    if args.foreground {
        out.talk("Ctrl-C stops it.");
        wait_for_ctrl_c()?;
        sandbox.stop().map_err(|error| Failure::Ours(error.to_string()))?;
    }
    Ok(ExitStatus::Fine)
}

fn find_binaries(out: &mut Output) -> Result<Binaries, Failure> {
    let search = Search::from_env();
    if Binaries::need_build(&search) {
        out.talk("compiling a Kubernetes control plane; this takes some minutes, once");
    }
    let mut telling = Telling::new(out);
    let found = Binaries::find_or_build(&search, &mut |progress| telling.tell(&progress));
    telling.done();
    found.map_err(|error| Failure::Ours(error.to_string()))
}

/// Where the server listens.
struct Server {
    admission: SocketAddr,
    health: SocketAddr,
}

fn open_gate(
    args: &Args,
    sandbox: &Sandbox,
    set: &wayguard_engine::PolicySet,
    sources: &Sources,
) -> Result<Server, Failure> {
    let definitions: Vec<_> = kinds::definitions().iter().map(kinds::Definition::yaml).collect();
    let definitions = definitions.join("\n---\n");
    apply(sandbox, &definitions)?;
    let established = ["wait", "--for=condition=Established", "--timeout=30s", "crd", "--all"];
    kubectl(sandbox, &established, "")?;
    apply(sandbox, "{apiVersion: v1, kind: Namespace, metadata: {name: wayguard-system}}")?;
    let (server, mut process) = serve(args, sandbox, sources)?;
    wait_until_ready(&server, &mut process)?;
    register(sandbox, set, sources, &server)?;
    Ok(server)
}

/// Starts `wayguard serve`, this very program, beside the control plane.
fn serve(args: &Args, sandbox: &Sandbox, sources: &Sources) -> Result<(Server, Process), Failure> {
    let ours = |error: std::io::Error| Failure::Ours(format!("cannot start the server: {error}"));
    let program = std::env::current_exe().map_err(ours)?;
    let server = Server { admission: free_address().map_err(ours)?, health: free_address().map_err(ours)? };
    let mut arguments: Vec<std::ffi::OsString> = vec![
        "serve".into(),
        "--kubeconfig".into(),
        sandbox.kubeconfig().into(),
        "--listen".into(),
        server.admission.to_string().into(),
        "--health-listen".into(),
        server.health.to_string().into(),
        "--ca-file".into(),
        ca_file(sandbox).into(),
    ];
    for source in sources.as_arguments().map_err(ours)? {
        arguments.extend(["--policies".into(), source]);
    }
    if let Some(config) = &args.policies.pod_security_config {
        let path = std::path::absolute(config).map_err(ours)?;
        arguments.extend(["--pod-security-config".into(), path.into()]);
    }
    for name in &args.policies.exempt_namespaces {
        arguments.extend(["--exempt-namespace".into(), name.into()]);
    }
    let process = sandbox.run(&Program::new("serve", program).args(arguments));
    let process = process.map_err(|error| Failure::Ours(error.to_string()))?;
    Ok((server, process))
}

fn ca_file(sandbox: &Sandbox) -> PathBuf {
    sandbox.state_dir().join("serve-ca.pem")
}

/// A loopback address whose port is free now.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn wait_until_ready(server: &Server, process: &mut Process) -> Result<(), Failure> {
    let deadline = Instant::now() + READY_WITHIN;
    let mut last = String::from("it does not listen yet");
    while Instant::now() < deadline {
        if !process.is_running() {
            return Err(Failure::Ours(format!("the server ended:\n{}", process.log_tail(15))));
        }
        match readiness(server.health) {
            Ok(answer) if answer.starts_with("HTTP/1.1 200") => return Ok(()),
            Ok(answer) => answer.split("\r\n\r\n").nth(1).unwrap_or_default().trim().clone_into(&mut last),
            Err(_) => {}
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(Failure::Ours(format!("the server is not ready: {last}\n{}", process.log_tail(15))))
}

fn readiness(health: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&health, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Tells the API server whom to ask about what.
fn register(
    sandbox: &Sandbox,
    set: &wayguard_engine::PolicySet,
    sources: &Sources,
    server: &Server,
) -> Result<(), Failure> {
    let ca_bundle =
        std::fs::read(ca_file(sandbox)).map_err(|error| Failure::unreadable(&ca_file(sandbox), &error))?;
    let settings = Settings {
        name: "wayguard".into(),
        endpoint: Endpoint::Url(format!("https://{}", server.admission)),
        ca_bundle,
        exempt_namespaces: sources.exempt_namespaces().to_vec(),
        owner: None,
        paused: false,
    };
    let resources = discover(&sandbox.kubeconfig())?;
    let groups = groups(&Registered::of(set), &resources, false);
    let objects = configurations(&groups, &settings);
    apply(sandbox, &wayguard_cluster::manifest::stream(&objects))?;
    // The API server reads webhook configurations by a watch of its own: wait until it asks us.
    let probe = "{apiVersion: wayguard.io/v1alpha1, kind: Policy, metadata: {name: sandbox-probe}, spec: {source: {rego: 'package probe'}, match: {resourceRules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]}}}";
    let deadline = Instant::now() + Duration::from_secs(20);
    while kubectl(sandbox, &["apply", "--dry-run=server", "-f", "-"], probe).is_ok() {
        if Instant::now() > deadline {
            return Err(Failure::Ours("the API server does not ask the gate; its log may say why".into()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn discover(kubeconfig: &Path) -> Result<Resources, Failure> {
    let ours = |error: &dyn std::fmt::Display| {
        Failure::Ours(format!("cannot ask the API server for its kinds: {error}"))
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| ours(&error))?;
    runtime.block_on(async {
        let args = ClusterArgs { kubeconfig: Some(kubeconfig.to_owned()), ..ClusterArgs::default() };
        let client = args.connect().await?.ok_or_else(|| ours(&"no connection"))?;
        Resources::discover(&client).await.map_err(|error| ours(&error))
    })
}

fn apply(sandbox: &Sandbox, manifest: &str) -> Result<(), Failure> {
    kubectl(sandbox, &["apply", "--server-side", "--force-conflicts", "-f", "-"], manifest)
}

fn kubectl(sandbox: &Sandbox, arguments: &[&str], input: &str) -> Result<(), Failure> {
    let ours = |error: std::io::Error| Failure::Ours(format!("cannot run kubectl: {error}"));
    let mut command = sandbox.kubectl();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(ours)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(ours)?;
    }
    let output = child.wait_with_output().map_err(ours)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::Ours(format!(
        "kubectl {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    )))
}

fn welcome(sandbox: &Sandbox, server: &Server, out: &mut Output) {
    out.talk(format_args!("{} a Kubernetes API server with Wayguard in front of it", styled(GOOD, "ready:")));
    out.data(format_args!("export KUBECONFIG={}", sandbox.kubeconfig().display()));
    out.talk(format_args!("  gate     {}", styled(PLACE, format_args!("https://{}", server.admission))));
    out.talk(format_args!("  health   {}", styled(PLACE, format_args!("http://{}/readyz", server.health))));
    out.talk(format_args!("  logs     {}", styled(PLACE, sandbox.state_dir().join("logs").display())));
    out.talk(styled(
        QUIET,
        "There is no kubelet: Pods are made and stay pending. `wayguard sandbox stop` ends it.",
    ));
}

fn wait_for_ctrl_c() -> Result<(), Failure> {
    let ours = |error: std::io::Error| Failure::Ours(format!("cannot wait for signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ours)?;
    runtime
        .block_on(async {
            let mut end = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
            tokio::select! {
                pressed = tokio::signal::ctrl_c() => pressed,
                _ = end.recv() => Ok(()),
            }
        })
        .map_err(ours)
}

/// Tells what is going on: on a terminal by a line that changes, else one line a step.
struct Telling {
    bar: Option<indicatif::ProgressBar>,
}

impl Telling {
    fn new(out: &mut Output) -> Self {
        out.flush();
        let bar = std::io::stderr().is_terminal().then(indicatif::ProgressBar::new_spinner);
        Self { bar }
    }

    fn tell(&mut self, progress: &Progress) {
        let Some(bar) = &self.bar else { return };
        let text = match progress {
            Progress::WaitingForBuild => "waiting for another build of the control plane".to_owned(),
            Progress::Downloading { module } => format!("downloading {module}"),
            Progress::Compiling { package, done, total } => format!("compiling {done} of {total}: {package}"),
            Progress::Starting { program } => format!("starting {program}"),
            Progress::NoControllerManager => {
                "no controller manager: Deployments will not become Pods".to_owned()
            }
        };
        bar.set_message(text);
        bar.tick();
    }

    fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
