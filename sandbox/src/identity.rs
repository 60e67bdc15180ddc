//! Which process a number means: the number together with the time at which it
//! was given out, so that a later process with the same number is never taken
//! for ours.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// A process, recognisable for as long as the machine runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    /// When it started, in words of the operating system.
    mark: String,
    /// When it was identified, in nanoseconds since 1970: the order in which
    /// processes were started. File times are too coarse to tell.
    order: u128,
}

impl Identity {
    /// The process that has this number now; `None` if none has, or only one
    /// that has ended and waits to be collected.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, mark: started(pid)?, order: now() })
    }

    /// A child of ours that was just started. If it has ended by now, this is an
    /// identity that never runs.
    pub(crate) fn of_child(pid: u32) -> Self {
        Self::of(pid).unwrap_or_else(|| Self { pid, mark: "ended".to_owned(), order: now() })
    }

    /// Whether this very process still runs.
    pub(crate) fn is_running(&self) -> bool {
        started(self.pid).as_deref() == Some(self.mark.as_str())
    }

    /// Sorts processes by when they were started.
    pub(crate) fn order(&self) -> u128 {
        self.order
    }

    /// The three lines of a pid file.
    pub(crate) fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.pid, self.mark, self.order)
    }

    /// Reads a pid file; `None` if it is not one.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (pid, mark, order) = (lines.next()?, lines.next()?, lines.next()?);
        Some(Self { pid: pid.parse().ok()?, mark: mark.to_owned(), order: order.parse().ok()? })
    }
}

fn now() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// When the process started, if it runs.
fn started(pid: u32) -> Option<String> {
    if Path::new("/proc/self/stat").exists() { started_from_proc(pid) } else { started_from_ps(pid) }
}

/// Linux: clock ticks since boot, and which boot.
fn started_from_proc(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, and may hold
    // anything, parentheses and spaces too; the rest begins after the last one.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    // proc_pid_stat(5): starttime is field 22; the state, field 3, is taken.
    let ticks = fields.nth(18)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{ticks} {}", boot.trim()))
}

/// Elsewhere: the start to the second, as POSIX `ps` prints it.
fn started_from_ps(pid: u32) -> Option<String> {
    let output = Command::new("ps").args(["-o", "state=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (state, start) = text.trim().split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| start.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_running_and_survives_its_pid_file() {
        let me = Identity::of(std::process::id()).unwrap();
        assert!(me.is_running());
        assert_eq!(Identity::from_text(&me.to_text()), Some(me));
    }

    #[test]
    fn a_stranger_with_the_same_number_is_not_taken_for_ours() {
        let me = Identity::of(std::process::id()).unwrap();
        assert!(!Identity { mark: "1 another-boot".to_owned(), ..me }.is_running());
    }

    #[test]
    fn a_process_that_waits_to_be_collected_does_not_run() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while Identity::of(pid).is_some() {
            assert!(std::time::Instant::now() < deadline, "`true` still runs");
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }

    #[test]
    fn ps_tells_the_same_start_twice() {
        let pid = std::process::id();
        // Some minimal machines have no ps; there /proc answers.
        if let Some(start) = started_from_ps(pid) {
            assert_eq!(started_from_ps(pid), Some(start));
        }
    }

    #[test]
    fn garbage_is_no_pid_file() {
        for text in ["", "12", "12\nmark", "x\nmark\n1\n", "-4\nmark\n1\n"] {
            assert_eq!(Identity::from_text(text), None, "{text:?}");
        }
    }
}
