//! Running the built binary as a person would, in a folder of its own.

#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code outside test functions")]

pub(crate) mod server;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run left behind.
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Data.
    pub(crate) stdout: String,
    /// Talk.
    pub(crate) stderr: String,
}

impl Ran {
    /// Everything in one text, for snapshots.
    pub(crate) fn shown(&self) -> String {
        format!("exit code: {}\n--- stdout ---\n{}--- stderr ---\n{}", self.code, self.stdout, self.stderr)
    }

    /// Stdout as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.shown()))
    }
}

/// The folder with the files that tests read.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The binary, with an environment that no machine's settings leak into.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayguard"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WAYGUARD_")) {
        command.env_remove(name);
    }
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env("TERM", "dumb").current_dir(folder);
    command
}

/// Runs it in the folder of fixtures.
pub(crate) fn wayguard(arguments: &[&str]) -> Ran {
    wayguard_in(&fixtures(), arguments)
}

/// Runs it in a folder.
pub(crate) fn wayguard_in(folder: &Path, arguments: &[&str]) -> Ran {
    finish(command(folder).args(arguments).stdin(Stdio::null()).output().unwrap())
}

/// Runs it with a text on stdin.
pub(crate) fn wayguard_with_stdin(arguments: &[&str], stdin: &str) -> Ran {
    let mut command = command(&fixtures());
    let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    finish(child.wait_with_output().unwrap())
}

fn finish(output: std::process::Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A temporary folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}
