//! What a sandbox is to be like, and what is told while it comes up.

use std::path::PathBuf;
use std::time::Duration;

use crate::credentials::User;

/// What is going on, for whoever waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Another process builds the control plane; it is waited for.
    WaitingForBuild,
    /// Go downloads a module.
    Downloading {
        /// Its path and version.
        module: String,
    },
    /// Go compiles a package.
    Compiling {
        /// Its import path.
        package: String,
        /// How many it has come to, this one included.
        done: usize,
        /// How many there are. Fewer are compiled if Go has some in its cache.
        total: usize,
    },
    /// A part of the control plane is being started.
    Starting {
        /// Its name.
        program: &'static str,
    },
    /// The assets hold no controller manager: Deployments will not become Pods.
    NoControllerManager,
}

/// Who outlives whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// The sandbox ends with the [`crate::Sandbox`] value, and with this process even
    /// if it is killed.
    Foreground,
    /// The sandbox goes on until [`crate::Sandbox::attach`] finds it and it is stopped.
    Detached,
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Holds everything: keys, data, logs, pids. Made if absent; emptied if a
    /// sandbox used it before; anything else is refused.
    pub state_dir: PathBuf,
    /// Who outlives whom.
    pub lifetime: Lifetime,
    /// Whether Deployments are to become Pods, namespaces to be removed, and
    /// service accounts to be made. Without a controller manager among the
    /// binaries they do not; see [`crate::Sandbox::has_controllers`].
    pub controllers: bool,
    /// Admission plugins of the API server to switch off, such as `PodSecurity`.
    pub disabled_admission_plugins: Vec<String>,
    /// More arguments for the API server, after all others.
    pub api_server_args: Vec<String>,
    /// An audit policy (YAML, `audit.k8s.io/v1`); with one, requests are logged
    /// to [`crate::Sandbox::audit_log`].
    pub audit_policy: Option<String>,
    /// Who may log in besides the administrator.
    pub users: Vec<User>,
    /// How long the start may take, without any building.
    pub deadline: Duration,
}

impl Options {
    /// A sandbox in that folder: detached, with controllers, all admission
    /// plugins that are on by default, no further users, two minutes to start.
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        Self {
            state_dir: state_dir.into(),
            lifetime: Lifetime::Detached,
            controllers: true,
            disabled_admission_plugins: Vec::new(),
            api_server_args: Vec::new(),
            audit_policy: None,
            users: Vec::new(),
            deadline: Duration::from_mins(2),
        }
    }
}
