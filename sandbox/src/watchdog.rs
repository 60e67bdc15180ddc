//! Ends our processes if this one is killed before it could.
//!
//! The kernel's own means (`PR_SET_PDEATHSIG`) would need `unsafe` in the forked
//! child, exists on Linux only, and fires when the *thread* that started the
//! child ends. Instead a shell leads the process group that all others join, and
//! reads from a pipe that only we hold: however we end, the pipe closes, and the
//! shell ends its group. A group's number is not given out again while its
//! leader lives, so no stranger can be hit.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// Waits for the end of the pipe, asks the group to end, and after five seconds
/// no longer asks. It ignores what it sends to itself by asking.
const SCRIPT: &str = "trap '' TERM INT HUP; cat >/dev/null; kill -TERM 0; sleep 5; kill -KILL 0";

/// The shell, and by its standard input the pipe.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    pub(crate) fn start() -> io::Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }

    /// The group to join, as `CommandExt::process_group` takes it.
    pub(crate) fn group(&self) -> io::Result<i32> {
        i32::try_from(self.shell.id()).map_err(io::Error::other)
    }
}

impl Drop for Watchdog {
    /// The group has been stopped in order by now, or is to end at once.
    fn drop(&mut self) {
        if let Ok(group) = self.group()
            && let Some(group) = rustix::process::Pid::from_raw(group)
        {
            // Only fails if nothing is left of the group.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.shell.wait();
    }
}
