//! `wayguard sandbox`: a real API server on this machine with the gate in front of it.
//!
//! ```text
//! control plane (crate sandbox) ─► what `install` applies ─► `serve` and `control` beside it, with the rights of their
//!                                                            accounts ─► the API server asks the gate: ready
//! ```

mod gate;
mod telling;

use crate::command::install::with_self_service;
use crate::exit::{ExitStatus, Failure};
use crate::output::{GOOD, Output, PLACE, QUIET, styled};
use crate::policies::{PolicyArgs, Sources, gather};
use gate::Gate;
use std::path::{Path, PathBuf};
use telling::Telling;
use wayguard_cluster::images::LoginSecret;
use wayguard_sandbox::{Binaries, Lifetime, Options, Sandbox, SandboxError, Search};

/// Options of `sandbox`.
#[derive(Clone, Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  wayguard sandbox                                   start; prints how to use it
  wayguard sandbox --policies ./my-policies          with your own policies, read again when they change
  wayguard sandbox --replicas 3                      three servers on one port
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

    /// How many servers; they share one port
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    replicas: u32,

    /// Refuse nothing, change nothing, record everything, as a first installation does
    #[arg(long)]
    observe: bool,

    /// Audit what runs too: `control --role audit`, which writes reports where their kinds are installed
    #[arg(long)]
    audit: bool,

    /// Read Gatekeeper's objects too: their kinds are installed, and so are the rights for them
    #[arg(long)]
    gatekeeper: bool,

    /// Self-service too, as `wayguard install --provisioning` installs it
    #[arg(long)]
    provisioning: bool,

    /// Keep decisions and audit states too, in the file `history.db` of the state folder
    #[arg(long)]
    history: bool,

    /// A Secret of the suite's own namespace that the server may read; repeatable
    #[arg(long, value_name = "NAME")]
    secret: Vec<String>,

    /// A Secret of the suite's own namespace with logins of registries, as `wayguard install` takes it; repeatable
    #[arg(long, value_name = "NAME[=NAMESPACE,…]")]
    registry_secret: Vec<LoginSecret>,

    #[command(flatten)]
    policies: PolicyArgs,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Stop the sandbox and everything in it
    Stop,
}

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
    let mut policies = args.policies.clone();
    policies.policies = with_self_service(policies.policies, args.provisioning);
    let sources = Sources::new(policies)?.observing(args.observe);
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
        users: gate::accounts(),
        ..Options::new(folder)
    };
    let mut telling = Telling::new(out);
    let sandbox =
        Sandbox::start(&options, &binaries, &mut |progress| telling.tell(&progress)).map_err(failure)?;
    telling.done();
    let mut telling = Telling::new(out);
    let opened = Gate::open(args, &sandbox, &gathered.compile(), &sources, &mut telling);
    telling.done();
    let gate = match opened {
        Ok(gate) => gate,
        Err(error) => {
            // Half a sandbox helps nobody; the logs stay.
            let _ = sandbox.stop();
            return Err(error);
        }
    };
    welcome(&sandbox, &gate, out);
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

fn welcome(sandbox: &Sandbox, gate: &Gate, out: &mut Output) {
    out.talk(format_args!("{} a Kubernetes API server with Wayguard in front of it", styled(GOOD, "ready:")));
    out.data(format_args!("export KUBECONFIG={}", sandbox.kubeconfig().display()));
    out.talk(format_args!("  gate     {}", styled(PLACE, format_args!("https://{}", gate.admission))));
    for health in &gate.health {
        out.talk(format_args!("  health   {}", styled(PLACE, format_args!("http://{health}/readyz"))));
    }
    if let Some(history) = &gate.history {
        out.talk(format_args!("  history  {}", styled(PLACE, format_args!("https://{history}"))));
    }
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
