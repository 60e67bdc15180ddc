//! `docs/guides/write-a-policy.md` is true: its files are written and its commands run in order, by a shell, with a real
//! registry and a real API server, and what they print is what the guide shows. `WAYGUARD_UPDATE=1` writes it anew.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::runtime::Runtime;
use wayguard_conformance_tests::{here, output, wayguard};
use wayguard_images::test_registry::TestRegistry;

/// How the guide calls the registry.
const REGISTRY: &str = "localhost:5000";
/// How it calls the folder of the sandbox.
const STATE: &str = "/home/you/.local/state/wayguard/sandbox";

/// A block between fences: what stands behind the first one, and the lines.
struct Block<'g> {
    info: &'g str,
    body: &'g str,
}

fn blocks(guide: &str) -> impl Iterator<Item = Block<'_>> {
    guide.split("\n```").skip(1).step_by(2).map(|block| {
        let (info, body) = block.split_once('\n').unwrap();
        Block { info, body }
    })
}

/// A command and what it prints, as the guide has them.
fn commands(body: &str) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for line in body.lines() {
        match (line.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => found.push((command, String::new())),
            (None, Some((_, shown))) => {
                let _ = writeln!(shown, "{line}");
            }
            (None, None) => panic!("`{line}` comes before any command"),
        }
    }
    found
}

/// Ends a sandbox that a failed run leaves behind.
struct Stopped(PathBuf);

impl Drop for Stopped {
    fn drop(&mut self) {
        let mut stop = Command::new(wayguard());
        let _ = output(stop.args(["sandbox", "stop", "--state-dir"]).arg(&self.0), "");
    }
}

/// Runs the whole guide in one shell; what each command printed, in order.
fn run(folder: &Path, state: &Path, registry: &str, commands: &[&str]) -> Vec<String> {
    let mut script = String::new();
    for (number, command) in commands.iter().enumerate() {
        // In this shell, so that what `eval` sets stays.
        let _ = writeln!(script, "{{\n{}\n}} > .said-{number} 2>&1", command.replace(REGISTRY, registry));
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("bash");
    shell
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", wayguard().parent().unwrap().display()))
        .env("WAYGUARD_SANDBOX", state)
        .env("NO_COLOR", "1")
        .env_remove("KUBECONFIG");
    let said = output(shell.arg("-s"), &script);
    assert_eq!(said.err, "", "the shell itself has nothing to say");
    (0..commands.len())
        .map(|number| std::fs::read_to_string(folder.join(format!(".said-{number}"))).unwrap())
        .collect()
}

/// Without what is another in every run: ports, digests of keys that are made anew, ids of decisions.
fn steady(said: &str) -> String {
    let mut steady = said.to_owned();
    for before in ["127.0.0.1:", "sha256:", "(decision "] {
        let mut parts = steady.split(before);
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let _ = write!(text, "{before}…{}", part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
        }
        steady = text;
    }
    steady
}

#[test]
fn a_newcomer_gets_from_nothing_to_a_signed_bundle_that_is_enforced() {
    let path = here().join("../docs/guides/write-a-policy.md");
    let guide = std::fs::read_to_string(&path).unwrap();
    let runtime = Runtime::new().unwrap();
    let registry = runtime.block_on(TestRegistry::start()).unwrap();
    let temporary = tempfile::Builder::new().prefix("wayguard-guide-").tempdir().unwrap();
    let (folder, state) = (temporary.path().join("work"), temporary.path().join("state"));
    std::fs::create_dir(&folder).unwrap();
    let _stopped = Stopped(state.clone());

    // Files are written where the guide has them: a command before them must not see them, nor undo them.
    let mut all: Vec<String> = Vec::new();
    for block in blocks(&guide) {
        if let Some((_, name)) = block.info.split_once("file=") {
            let text = format!("{}\n", block.body);
            all.push(format!("mkdir -p $(dirname {name}); cat > {name} <<'END-OF-FILE'\n{text}END-OF-FILE"));
        } else if block.info == "console" {
            all.extend(commands(block.body).into_iter().map(|(command, _)| command.to_owned()));
        }
    }
    let said = run(&folder, &state, registry.host(), &all.iter().map(String::as_str).collect::<Vec<_>>());
    let as_shown =
        |said: &str| said.replace(registry.host(), REGISTRY).replace(&state.display().to_string(), STATE);
    let mut said = said.iter().map(|said| as_shown(said));

    let mut renewed = guide.clone();
    for block in blocks(&guide) {
        if block.info.contains("file=") {
            assert_eq!(said.next().unwrap(), "", "{}", block.info);
        }
        if block.info != "console" {
            continue;
        }
        let mut body = String::new();
        for (command, shown) in commands(block.body) {
            let said = said.next().unwrap();
            let _ = write!(body, "$ {command}\n{said}");
            if std::env::var_os("WAYGUARD_UPDATE").is_none() {
                assert_eq!(steady(&said), steady(&shown), "`{command}`");
            }
        }
        renewed = renewed.replacen(
            &format!("```console\n{}\n```", block.body),
            &format!("```console\n{}\n```", body.trim_end()),
            1,
        );
    }
    if std::env::var_os("WAYGUARD_UPDATE").is_some() {
        std::fs::write(&path, renewed).unwrap();
    }
}
