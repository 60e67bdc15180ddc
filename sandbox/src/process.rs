//! Starting, finding again and stopping processes that belong to a state folder:
//! `logs/<name>.log` holds what one wrote, `run/<name>.pid` which one it is.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::identity::Identity;
use crate::watchdog::Watchdog;

/// How often a process that is to end is looked at.
const POLL: Duration = Duration::from_millis(20);

/// How long a killed process may take to be gone: the kernel does it, so long
/// only if it hangs in a disk or network file system.
const KILL_DEADLINE: Duration = Duration::from_secs(10);

/// What can fail in starting or stopping a process.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A process of that name runs in this folder already.
    #[error("`{name}` already runs in `{folder}` (pid {pid}); stop it first")]
    AlreadyRunning {
        /// The name it was started under.
        name: String,
        /// The state folder.
        folder: PathBuf,
        /// Its process number.
        pid: u32,
    },
    /// The program could not be started at all.
    #[error("cannot start `{path}`: {source}")]
    Start {
        /// The program.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A signal could not be delivered, or the process outlived being killed.
    #[error("cannot stop `{name}` (pid {pid}): {reason}")]
    Stop {
        /// The name it was started under.
        name: String,
        /// Its process number.
        pid: u32,
        /// Why.
        reason: String,
    },
    /// A log or pid file could not be read or written.
    #[error("cannot use `{path}`: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A program to run, its output going to a log file.
#[derive(Debug, Clone)]
pub struct Program {
    name: String,
    path: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl Program {
    /// `name` is one word that names its log and pid file; it need not be the
    /// program's file name (three replicas of one program have three names).
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), path: path.into(), args: Vec::new(), env: Vec::new() }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds an environment variable to those of this process.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }
}

/// How a process ended when it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was not running any more.
    Before,
    /// It ended within its time after SIGTERM.
    Asked,
    /// It did not, and got SIGKILL.
    Killed,
}

/// The processes of one state folder.
#[derive(Debug)]
pub struct Supervisor {
    folder: PathBuf,
    /// Present if the processes must not outlive this one.
    watchdog: Option<Watchdog>,
}

impl Supervisor {
    /// Processes that go on when this one ends, until `stop_all` is called by
    /// whoever opens the same folder.
    ///
    /// # Errors
    /// [`ProcessError::File`] if the folder cannot be made.
    pub fn detached(folder: impl Into<PathBuf>) -> Result<Self, ProcessError> {
        let supervisor = Self { folder: folder.into(), watchdog: None };
        for part in [supervisor.logs(), supervisor.pids()] {
            fs::create_dir_all(&part).map_err(|source| ProcessError::File { path: part, source })?;
        }
        Ok(supervisor)
    }

    /// Processes that end with this one, even if it is killed, and at the latest
    /// when the value is dropped.
    ///
    /// # Errors
    /// As [`Supervisor::detached`], and [`ProcessError::Start`] if there is no `sh`.
    pub fn foreground(folder: impl Into<PathBuf>) -> Result<Self, ProcessError> {
        let watchdog =
            Watchdog::start().map_err(|source| ProcessError::Start { path: "sh".into(), source })?;
        Ok(Self { watchdog: Some(watchdog), ..Self::detached(folder)? })
    }

    /// Starts a program in a process group of its own, so that Ctrl-C in the
    /// terminal reaches the caller only, who then stops it in order.
    ///
    /// # Errors
    /// [`ProcessError`]; nothing runs then.
    pub fn start(&self, program: &Program) -> Result<Process, ProcessError> {
        if let Some(running) = self.find(&program.name) {
            return Err(ProcessError::AlreadyRunning {
                name: running.name,
                folder: self.folder.clone(),
                pid: running.identity.pid,
            });
        }
        let log = self.logs().join(format!("{}.log", program.name));
        let failed = |source| ProcessError::Start { path: program.path.clone(), source };
        let output =
            fs::File::create(&log).map_err(|source| ProcessError::File { path: log.clone(), source })?;
        let group = self.watchdog.as_ref().map_or(Ok(0), Watchdog::group).map_err(failed)?;
        let mut child = Command::new(&program.path)
            .args(&program.args)
            .envs(program.env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(failed)?)
            .stderr(output)
            .process_group(group)
            .spawn()
            .map_err(failed)?;
        let identity = Identity::of_child(child.id());
        let pid_file = self.pids().join(format!("{}.pid", program.name));
        if let Err(source) = fs::write(&pid_file, identity.to_text()) {
            // Without a pid file nobody could ever stop it.
            let _ = child.kill();
            let _ = child.wait();
            return Err(ProcessError::File { path: pid_file, source });
        }
        Ok(Process { name: program.name.clone(), identity, log, pid_file, child: Some(child) })
    }

    /// The running process of that name, whoever started it.
    pub fn find(&self, name: &str) -> Option<Process> {
        let pid_file = self.pids().join(format!("{name}.pid"));
        let identity = Identity::from_text(&fs::read_to_string(&pid_file).ok()?)?;
        let log = self.logs().join(format!("{name}.log"));
        identity.is_running().then(|| Process { name: name.to_owned(), identity, log, pid_file, child: None })
    }

    /// All that run, in the order in which they were started.
    pub fn running(&self) -> Vec<Process> {
        let mut found: Vec<_> = fs::read_dir(self.pids())
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| self.find(entry.file_name().to_str()?.strip_suffix(".pid")?))
            .collect();
        found.sort_by_key(|process| process.identity.order());
        found
    }

    /// Stops all that run, the last started first, each within `grace`; returns
    /// what became of which.
    ///
    /// # Errors
    /// The first failure, after all have been tried.
    pub fn stop_all(&self, grace: Duration) -> Result<Vec<(String, Ended)>, ProcessError> {
        let mut ended = Vec::new();
        let mut failure = None;
        for process in self.running().into_iter().rev() {
            let name = process.name.clone();
            match process.stop(grace) {
                Ok(how) => ended.push((name, how)),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(ended), Err)
    }

    fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    fn pids(&self) -> PathBuf {
        self.folder.join("run")
    }
}

/// One process, started here or found again by its pid file. Dropping the value
/// does not stop the process.
#[derive(Debug)]
pub struct Process {
    name: String,
    identity: Identity,
    log: PathBuf,
    pid_file: PathBuf,
    /// Present in the process that started it, which has to collect it.
    child: Option<Child>,
}

impl Process {
    /// The name it was started under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.identity.pid
    }

    /// The file that its output goes to.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last lines of its output, at most `lines`; empty if there is none.
    pub fn log_tail(&self, lines: usize) -> String {
        let text = fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_default();
        let all: Vec<_> = text.lines().collect();
        all.iter().skip(all.len().saturating_sub(lines)).copied().collect::<Vec<_>>().join("\n")
    }

    /// Whether it runs. One that ended is collected, so that it leaves no zombie.
    pub fn is_running(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => self.identity.is_running(),
        }
    }

    /// How it ended, if it has and was started by this process.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().ok()?
    }

    /// Asks it to end by SIGTERM, waits for `grace`, then kills it.
    ///
    /// # Errors
    /// [`ProcessError::Stop`] if it cannot be signalled, or does not even end
    /// when killed.
    pub fn stop(mut self, grace: Duration) -> Result<Ended, ProcessError> {
        let mut how = Ended::Before;
        for (signal, deadline, becomes) in
            [(Signal::TERM, grace, Ended::Asked), (Signal::KILL, KILL_DEADLINE, Ended::Killed)]
        {
            if !self.is_running() {
                break;
            }
            how = becomes;
            self.signal(signal)?;
            self.wait(deadline);
        }
        if self.is_running() {
            return Err(self.cannot_stop(format!("it still runs {KILL_DEADLINE:?} after SIGKILL")));
        }
        // Left behind it would do no harm: its identity never matches again.
        let _ = fs::remove_file(&self.pid_file);
        Ok(how)
    }

    /// Waits until it has ended, at most that long; returns whether it has.
    pub fn wait(&mut self, at_most: Duration) -> bool {
        let deadline = Instant::now() + at_most;
        while self.is_running() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }

    fn signal(&self, signal: Signal) -> Result<(), ProcessError> {
        let pid = i32::try_from(self.identity.pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| self.cannot_stop("not a process number".to_owned()))?;
        match kill_process(pid, signal) {
            // It ended in between.
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(self.cannot_stop(error.to_string())),
        }
    }

    fn cannot_stop(&self, reason: String) -> ProcessError {
        ProcessError::Stop { name: self.name.clone(), pid: self.identity.pid, reason }
    }
}
