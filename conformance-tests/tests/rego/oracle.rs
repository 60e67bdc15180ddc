//! OPA itself, as a program beside the tests: `conformance-tests/rego/oracle`, built when it is first needed.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The folder of the Go module that pins OPA.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rego")
}

/// The built program; `None`, after saying why, if there is no Go to build it with.
pub fn program() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("REGO_ORACLE") {
        return Some(given.into());
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rego-oracle");
    let built =
        Command::new("go").args(["build", "-o"]).arg(&target).arg("./oracle").current_dir(folder()).status();
    match built {
        Ok(status) => {
            assert!(
                status.success(),
                "the oracle does not build: see `go build ./oracle` in {}",
                folder().display()
            );
            Some(target)
        }
        Err(error) => {
            println!("skipped: no OPA to compare with: {error}");
            None
        }
    }
}

/// All that the program writes in one of its modes.
pub fn lines(mode: &str) -> Option<impl Iterator<Item = String>> {
    let mut child = Command::new(program()?)
        .arg(mode)
        .env("REGO_ORACLE_MODULE", folder())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut lines = out.lines();
    Some(std::iter::from_fn(move || match lines.next() {
        Some(line) => Some(line.unwrap()),
        None => {
            assert!(child.wait().unwrap().success(), "the oracle failed");
            None
        }
    }))
}
