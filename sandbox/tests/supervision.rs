//! Starting, finding, stopping processes; with plain programs, in milliseconds.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wayguard_sandbox::{Ended, ProcessError, Program, Supervisor};

const GRACE: Duration = Duration::from_secs(10);

fn shell(name: &str, script: &str) -> Program {
    Program::new(name, "sh").args(["-c", script])
}

/// Waits until the log holds the line: the script has come that far.
fn wait_for_line(supervisor: &Supervisor, name: &str, line: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !supervisor.find(name).is_some_and(|process| process.log_tail(10).contains(line)) {
        assert!(Instant::now() < deadline, "`{name}` never wrote `{line}`");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_process_is_found_again_by_another_supervisor_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = Supervisor::detached(folder.path()).unwrap();
    let started =
        first.start(&shell("one", "echo hello $GREETED; exec sleep 600").env("GREETED", "you")).unwrap();
    wait_for_line(&first, "one", "hello you");
    let second = Supervisor::detached(folder.path()).unwrap();
    assert_eq!(second.find("one").map(|process| process.pid()), Some(started.pid()));
    assert!(second.find("two").is_none());
    let twice = second.start(&shell("one", "true")).unwrap_err();
    assert!(matches!(twice, ProcessError::AlreadyRunning { pid, .. } if pid == started.pid()), "{twice}");
    assert_eq!(second.stop_all(GRACE).unwrap(), [("one".to_owned(), Ended::Asked)]);
    assert!(first.find("one").is_none());
    assert!(first.stop_all(GRACE).unwrap().is_empty());
}

#[test]
fn processes_are_stopped_last_started_first_and_killed_if_they_do_not_listen() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = Supervisor::detached(folder.path()).unwrap();
    supervisor.start(&shell("polite", "exec sleep 600")).unwrap();
    // It ignores SIGTERM, and so does its `sleep`.
    supervisor.start(&shell("deaf", "trap '' TERM; echo deaf now; exec sleep 600")).unwrap();
    wait_for_line(&supervisor, "deaf", "deaf now");
    let ended = supervisor.stop_all(Duration::from_millis(200)).unwrap();
    assert_eq!(ended, [("deaf".to_owned(), Ended::Killed), ("polite".to_owned(), Ended::Asked)]);
}

#[test]
fn a_pid_file_whose_number_belongs_to_a_stranger_now_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = Supervisor::detached(folder.path()).unwrap();
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    let pid_file = folder.path().join("run/old.pid");
    std::fs::write(pid_file, format!("{}\n1 some-other-boot\n1\n", stranger.id())).unwrap();
    assert!(supervisor.find("old").is_none());
    assert!(supervisor.stop_all(GRACE).unwrap().is_empty());
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger was stopped");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn what_cannot_be_started_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = Supervisor::detached(folder.path()).unwrap();
    let error = supervisor.start(&Program::new("ghost", "/no/such/program")).unwrap_err();
    assert_eq!(error.to_string(), "cannot start `/no/such/program`: No such file or directory (os error 2)");
    assert!(supervisor.find("ghost").is_none());
}

#[test]
fn dropping_a_foreground_supervisor_ends_its_processes() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = Supervisor::foreground(folder.path()).unwrap();
    let mut process = supervisor.start(&shell("one", "exec sleep 600")).unwrap();
    assert!(process.is_running());
    drop(supervisor);
    assert!(process.wait(GRACE), "it outlived its supervisor");
}

/// The outer half kills the inner one, which runs `held_until_killed` below, and
/// sees that what the inner one had started ends.
#[test]
fn a_killed_caller_takes_its_foreground_processes_along() {
    let folder = tempfile::tempdir().unwrap();
    let mut caller = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "held_until_killed", "--ignored", "--nocapture"])
        .env("HELD_FOLDER", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(caller.stdout.take().unwrap()).lines();
    let started = lines.any(|line| line.is_ok_and(|line| line.contains("started")));
    assert!(started, "the inner half did not come to the point");
    let supervisor = Supervisor::detached(folder.path()).unwrap();
    let mut process = supervisor.find("held").unwrap();
    caller.kill().unwrap();
    caller.wait().unwrap();
    assert!(process.wait(GRACE), "it outlived its caller");
}

#[test]
#[ignore = "the inner half of the test above"]
fn held_until_killed() {
    let Some(folder) = std::env::var_os("HELD_FOLDER") else { return };
    let supervisor = Supervisor::foreground(Path::new(&folder)).unwrap();
    let _process = supervisor.start(&shell("held", "exec sleep 600")).unwrap();
    println!("started");
    loop {
        std::thread::park();
    }
}
