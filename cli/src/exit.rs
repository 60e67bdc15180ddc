//! How a command ends: the exit codes that scripts rely on, and the failures that lead to them.

use std::path::Path;

/// The process's exit code, by meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// 0: everything is fine.
    #[default]
    Fine,
    /// 1: the tool itself failed, or a threshold that was asked for was not reached.
    OurFailure,
    /// 2: an object would be refused, or a test failed.
    Denied,
    /// 3: a policy, an input or the command line is not valid.
    Invalid,
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Fine => 0,
            ExitStatus::OurFailure => 1,
            ExitStatus::Denied => 2,
            ExitStatus::Invalid => 3,
        })
    }
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What the user gave cannot be used: exit code 3.
    #[error("{0}")]
    Invalid(String),
    /// The machine or this program failed: exit code 1.
    #[error("{0}")]
    Ours(String),
}

/// A file or folder that cannot be written.
pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Ours(format!("cannot write `{}`: {}", path.display(), io_reason(error)))
}

impl Failure {
    /// A file or folder that was named and cannot be read.
    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::Invalid(format!("cannot read `{}`: {}", path.display(), io_reason(error)))
    }

    /// The exit code for it.
    pub(crate) fn status(&self) -> ExitStatus {
        match self {
            Self::Invalid(_) => ExitStatus::Invalid,
            Self::Ours(_) => ExitStatus::OurFailure,
        }
    }
}

/// An I/O error in plain words, without the operating system's error number.
pub(crate) fn io_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        std::io::ErrorKind::AddrInUse => "the address is already in use".to_owned(),
        _ => error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase(),
    }
}
