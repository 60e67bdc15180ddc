//! A real Kubernetes API server on this machine, without containers, images or
//! downloaded binaries: for `wayguard sandbox`, and for the black-box tests.
//!
//! ```text
//! Binaries::find_or_build ── KUBEBUILDER_ASSETS, else the cache, else `go build`
//!        │                    of the sources embedded in this crate
//!        ▼
//! Sandbox::start ── credentials ► etcd ► kube-apiserver ► kube-controller-manager
//!        │            one state folder holds everything: keys, data, logs, pids
//!        ▼
//! Supervisor ── starts, finds again and stops processes; the caller adds its own
//! ```
//!
//! There is no kubelet and no scheduler: Deployments become Pods, and the Pods
//! stay pending. Everything listens on loopback addresses only. Unix only.

mod authority;
mod binaries;
mod compile;
mod control_plane;
mod credentials;
mod identity;
mod options;
mod probe;
mod process;
mod sandbox;
mod state;
mod watchdog;

pub use binaries::{Binaries, BinariesError, Origin, Search};
pub use compile::CompileError;
pub use credentials::{CredentialsError, User};
pub use options::{Lifetime, Options, Progress};
pub use process::{Ended, Process, ProcessError, Program, Supervisor};
pub use sandbox::{Sandbox, SandboxError};
