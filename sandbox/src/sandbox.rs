//! One sandbox: started, found again, used, stopped.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::authority::make_key_material;
use crate::binaries::Binaries;
use crate::control_plane::{self, Ports};
use crate::credentials::{self, ADMIN, CredentialsError, Login};
use crate::options::{Lifetime, Options, Progress};
use crate::probe::Probe;
use crate::process::{Ended, Process, ProcessError, Program, Supervisor};
use crate::state::{Record, StateFolder};

/// How long each process may take to end after SIGTERM. The API server waits
/// for open requests; a watch may hold it that long.
const GRACE: Duration = Duration::from_secs(10);

/// How often is looked whether something is ready.
const POLL: Duration = Duration::from_millis(50);

/// How many lines of a log an error shows.
const TAIL: usize = 20;

/// How often a start is tried, if another program took one of the free ports.
const ATTEMPTS: u32 = 3;

/// What can fail in starting, finding or stopping a sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The folder's sandbox is running.
    #[error("a sandbox already runs in `{folder}`; use it, or stop it first")]
    AlreadyRunning {
        /// The state folder.
        folder: PathBuf,
    },
    /// The folder holds no running sandbox.
    #[error("no sandbox runs in `{folder}`")]
    NotRunning {
        /// The state folder.
        folder: PathBuf,
    },
    /// There is no such user.
    #[error("the sandbox has no user `{0}`")]
    NoUser(String),
    /// A part ended, or was not ready in time.
    #[error("{program} {what}; the end of its log, `{log}`:\n{tail}")]
    Start {
        /// The part.
        program: String,
        /// What became of it.
        what: String,
        /// Its whole log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A file of the state folder could not be read or written.
    #[error("cannot use the state folder `{folder}`: {source}")]
    State {
        /// The state folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A process could not be started or stopped.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A user could not be given a login.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// No certificates could be made.
    #[error("cannot make the sandbox's certificates: {0}")]
    Certificates(#[from] rcgen::Error),
}

impl SandboxError {
    /// Another program was faster in taking a port.
    fn is_taken_port(&self) -> bool {
        matches!(self, Self::Start { tail, .. } if tail.contains("address already in use"))
    }
}

/// A running sandbox.
#[derive(Debug)]
pub struct Sandbox {
    state: StateFolder,
    record: Record,
    supervisor: Supervisor,
    lifetime: Lifetime,
}

impl Sandbox {
    /// Starts one and returns when it is ready: the API server answers, and with
    /// controllers the `default` namespace has its service account.
    ///
    /// # Errors
    /// [`SandboxError`]; nothing runs then, and the logs are left in the folder.
    pub fn start(
        options: &Options,
        binaries: &Binaries,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, SandboxError> {
        let failed = |source| SandboxError::State { folder: options.state_dir.clone(), source };
        let state = StateFolder::at(&options.state_dir).map_err(failed)?;
        match Self::stop_incomplete(&state) {
            Err(SandboxError::NotRunning { .. }) | Ok(_) => {}
            Err(error) => return Err(error),
        }
        let mut attempt = 1;
        loop {
            match Self::try_start(options, &state, binaries, progress) {
                Err(error) if error.is_taken_port() && attempt < ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    fn try_start(
        options: &Options,
        state: &StateFolder,
        binaries: &Binaries,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, SandboxError> {
        let failed = |source| SandboxError::State { folder: options.state_dir.clone(), source };
        state.make_empty().map_err(failed)?;
        let ports = Ports::free().map_err(failed)?;
        let keys = make_key_material()?;
        let (logins, tokens) = credentials::issue_tokens(&options.users)?;
        let record = Record {
            port: ports.api_server,
            ca: keys.ca.clone(),
            logins,
            kubectl: binaries.kubectl.clone(),
            has_controllers: options.controllers && binaries.kube_controller_manager.is_some(),
            ready: false,
        };
        // First of all: a start that is killed leaves a folder that is known as ours.
        state.write_record(&record).map_err(failed)?;
        control_plane::write_keys(state, &keys, &tokens).map_err(failed)?;
        let supervisor = match options.lifetime {
            Lifetime::Foreground => Supervisor::foreground(state.root())?,
            Lifetime::Detached => Supervisor::detached(state.root())?,
        };
        // From here on dropping the value stops what was started.
        let mut sandbox = Self { state: state.clone(), record, supervisor, lifetime: Lifetime::Foreground };
        for login in &sandbox.record.logins {
            let text = credentials::kubeconfig(&sandbox.url(), &sandbox.record.ca, login);
            state.write(&file_of(login), &text).map_err(failed)?;
        }
        sandbox.start_programs(options, binaries, ports, progress)?;
        sandbox.record.ready = true;
        state.write_record(&sandbox.record).map_err(failed)?;
        sandbox.lifetime = options.lifetime;
        Ok(sandbox)
    }

    fn start_programs(
        &self,
        options: &Options,
        binaries: &Binaries,
        ports: Ports,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), SandboxError> {
        let failed = |source| SandboxError::State { folder: options.state_dir.clone(), source };
        let deadline = Instant::now() + options.deadline;
        let admin = self.login(ADMIN)?;
        let probe = Probe::new(self.record.port, &self.record.ca, &admin.token).map_err(failed)?;

        progress(Progress::Starting { program: "etcd" });
        let mut started = vec![self.supervisor.start(&control_plane::etcd(binaries, &self.state, ports))?];
        progress(Progress::Starting { program: "kube-apiserver" });
        // It waits for etcd by itself.
        let api_server = control_plane::api_server(binaries, &self.state, ports, options).map_err(failed)?;
        started.push(self.supervisor.start(&api_server)?);
        wait_for(&probe, "/readyz", &mut started, deadline)?;

        if !options.controllers {
            return Ok(());
        }
        let Some(controllers) = control_plane::controller_manager(binaries, &self.state) else {
            progress(Progress::NoControllerManager);
            return Ok(());
        };
        progress(Progress::Starting { program: "kube-controller-manager" });
        started.push(self.supervisor.start(&controllers)?);
        // Without it no Pod is admitted to the namespace.
        wait_for(&probe, "/api/v1/namespaces/default/serviceaccounts/default", &mut started, deadline)
    }

    /// The sandbox that runs in that folder, started by whichever process.
    /// Dropping the value leaves it running.
    ///
    /// # Errors
    /// [`SandboxError::NotRunning`] if none was started there, or its API server
    /// does not run any more.
    pub fn attach(state_dir: &Path) -> Result<Self, SandboxError> {
        let not_running = || SandboxError::NotRunning { folder: state_dir.to_owned() };
        let state = StateFolder::at(state_dir).map_err(|_| not_running())?;
        let record = state.read_record().map_err(|_| not_running())?;
        let supervisor = Supervisor::detached(state.root())?;
        if !record.ready || supervisor.find("kube-apiserver").is_none() {
            return Err(not_running());
        }
        Ok(Self { state, record, supervisor, lifetime: Lifetime::Detached })
    }

    /// Stops whatever runs in that folder, also what a start that was killed, or
    /// a control plane that broke, has left. What became of which is returned.
    ///
    /// # Errors
    /// [`SandboxError::NotRunning`] if nothing runs there;
    /// [`SandboxError::Process`] if something could not be stopped.
    pub fn stop_at(state_dir: &Path) -> Result<Vec<(String, Ended)>, SandboxError> {
        let not_running = || SandboxError::NotRunning { folder: state_dir.to_owned() };
        let state = StateFolder::at(state_dir).map_err(|_| not_running())?;
        if !state.is_ours() {
            return Err(not_running());
        }
        let ended = Supervisor::detached(state.root())?.stop_all(GRACE)?;
        if ended.is_empty() { Err(not_running()) } else { Ok(ended) }
    }

    /// Clears the way for a start: a sandbox that works is not touched.
    fn stop_incomplete(state: &StateFolder) -> Result<Vec<(String, Ended)>, SandboxError> {
        if Self::attach(state.root()).is_ok() {
            return Err(SandboxError::AlreadyRunning { folder: state.root().to_owned() });
        }
        Self::stop_at(state.root())
    }

    /// The state folder, as an absolute path.
    pub fn state_dir(&self) -> &Path {
        self.state.root()
    }

    /// The API server's address, `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.record.port)
    }

    /// The certificate authority that signed the API server's certificate, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.record.ca
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.state.path("kubeconfig")
    }

    /// The kubeconfig of one of [`Options::users`].
    ///
    /// # Errors
    /// [`SandboxError::NoUser`].
    pub fn kubeconfig_of(&self, user: &str) -> Result<PathBuf, SandboxError> {
        Ok(self.state.path(&file_of(self.login(user)?)))
    }

    /// The bearer token of a user, by name.
    ///
    /// # Errors
    /// [`SandboxError::NoUser`].
    pub fn token_of(&self, user: &str) -> Result<&str, SandboxError> {
        Ok(&self.login(user)?.token)
    }

    /// Where requests are logged if there is an audit policy: one JSON object
    /// (`audit.k8s.io/v1` Event) a line.
    pub fn audit_log(&self) -> PathBuf {
        self.state.path("logs").join("audit.log")
    }

    /// Whether Deployments become Pods.
    pub fn has_controllers(&self) -> bool {
        self.record.has_controllers
    }

    /// A kubectl command line to add to, for the administrator; of the API
    /// server's release if the binaries have one, else the one from `PATH`.
    pub fn kubectl(&self) -> Command {
        self.kubectl_with(&self.kubeconfig())
    }

    /// The same for one of [`Options::users`].
    ///
    /// # Errors
    /// [`SandboxError::NoUser`].
    pub fn kubectl_as(&self, user: &str) -> Result<Command, SandboxError> {
        Ok(self.kubectl_with(&self.kubeconfig_of(user)?))
    }

    fn kubectl_with(&self, kubeconfig: &Path) -> Command {
        let mut command = Command::new(self.record.kubectl.as_deref().unwrap_or(Path::new("kubectl")));
        command
            .env("KUBECONFIG", kubeconfig)
            // kubectl remembers an API by host and port; the next sandbox may
            // get the same port and serve something else.
            .env("KUBECACHEDIR", self.state.path("kubectl-cache"))
            .env("KUBERC", "off");
        command
    }

    /// Runs a program beside the control plane, with its log and pid file in the
    /// same folder; it is stopped with the sandbox.
    ///
    /// # Errors
    /// [`ProcessError`].
    pub fn run(&self, program: &Program) -> Result<Process, ProcessError> {
        self.supervisor.start(program)
    }

    /// The processes of this sandbox, for looking at and stopping single ones.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// Stops all processes, the last started first. The folder stays, for its
    /// logs; the next start empties it.
    ///
    /// # Errors
    /// [`ProcessError`] if one could not be stopped.
    pub fn stop(self) -> Result<Vec<(String, Ended)>, ProcessError> {
        self.supervisor.stop_all(GRACE)
    }

    /// Waits until `until` says so, or until one of the processes that run now
    /// has ended, which is then named. `until` is asked some times a second.
    pub fn watch(&self, mut until: impl FnMut() -> bool) -> Option<String> {
        let watched: Vec<_> = self.supervisor.running().iter().map(|p| p.name().to_owned()).collect();
        loop {
            if until() {
                return None;
            }
            if let Some(gone) = watched.iter().find(|name| self.supervisor.find(name).is_none()) {
                return Some(gone.clone());
            }
            std::thread::sleep(POLL);
        }
    }

    fn login(&self, user: &str) -> Result<&Login, SandboxError> {
        let login = self.record.logins.iter().find(|login| login.user == user);
        login.ok_or_else(|| SandboxError::NoUser(user.to_owned()))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::Foreground {
            // Nobody is left to be told; a foreground supervisor's watchdog ends
            // what this could not.
            let _ = self.supervisor.stop_all(GRACE);
        }
    }
}

/// The kubeconfig's name in the state folder. User names may hold slashes.
fn file_of(login: &Login) -> String {
    if login.user == ADMIN {
        return "kubeconfig".to_owned();
    }
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') { c } else { '_' };
    let name: String = login.user.chars().map(safe).collect();
    // Two names may look the same by now; their tokens differ.
    format!("users/{name}-{}.kubeconfig", login.token.get(..8).unwrap_or_default())
}

/// Waits until the path answers 200, for as long as all that was started runs.
fn wait_for(
    probe: &Probe,
    path: &str,
    started: &mut [Process],
    deadline: Instant,
) -> Result<(), SandboxError> {
    loop {
        let answer = probe.get(path);
        if matches!(&answer, Ok((200, _))) {
            return Ok(());
        }
        for process in started.iter_mut() {
            if !process.is_running() {
                let status = process.exit_status().map(|status| status.to_string());
                return Err(start_error(process, format!("ended ({})", status.unwrap_or_default())));
            }
        }
        if Instant::now() >= deadline {
            let last = match answer {
                Ok((status, _)) => format!("answered {status}"),
                Err(error) => error.to_string(),
            };
            // The one started last is what is being waited for.
            return started.last().map_or(Ok(()), |process| {
                Err(start_error(process, format!("was not ready in time: GET {path}: {last}")))
            });
        }
        std::thread::sleep(POLL);
    }
}

fn start_error(process: &Process, what: String) -> SandboxError {
    SandboxError::Start {
        program: process.name().to_owned(),
        what,
        log: process.log().to_owned(),
        tail: process.log_tail(TAIL),
    }
}
