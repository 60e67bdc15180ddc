//! What the process costs: memory, processor time, open files, under the names that Prometheus' own clients use. Read
//! from Linux's `/proc` at each scrape; elsewhere these are absent.

use crate::metric::Described;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use std::fmt;

/// Clock ticks of `/proc/self/stat` in a second: the same on every Linux that programs see (`USER_HZ`).
const TICKS: f64 = 100.0;

static MEMORY: Described = Described::gauge("process_resident_memory_bytes", "Memory in use");
static CPU: Described = Described::counter("process_cpu_seconds", "Processor time used, in seconds");
static FILES: Described = Described::gauge("process_open_fds", "Open files and connections");
static MOST_FILES: Described =
    Described::gauge("process_max_fds", "Files and connections that may be open at once");
static STARTED: Described =
    Described::gauge("process_start_time_seconds", "When the process began, as Unix time");
static BUILD: Described = Described::gauge("wayguard_build_info", "The version that runs").by(&["version"]);

/// All of them.
pub static METRICS: [&Described; 6] = [&MEMORY, &CPU, &FILES, &MOST_FILES, &STARTED, &BUILD];

/// The process, for Prometheus.
#[derive(Debug)]
pub(crate) struct Process {
    started: f64,
}

impl Process {
    pub(crate) fn new() -> Self {
        Self { started: jiff::Timestamp::now().as_duration().as_secs_f64() }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        if let Some(bytes) = resident(&read("status")) {
            MEMORY.write(&mut encoder, bytes)?;
        }
        if let Some(seconds) = processor_time(&read("stat")) {
            CPU.write(&mut encoder, seconds)?;
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            // The listing itself is one of them.
            FILES.write(&mut encoder, open.count().saturating_sub(1))?;
        }
        if let Some(most) = most_files(&read("limits")) {
            MOST_FILES.write(&mut encoder, most)?;
        }
        STARTED.write(&mut encoder, self.started)?;
        BUILD.write_each(&mut encoder, [(vec![env!("CARGO_PKG_VERSION")], 1_u64.into())])
    }
}

/// `VmRSS:     1234 kB`.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// The 14th and 15th fields; the second, a name in brackets, may hold anything.
fn processor_time(stat: &str) -> Option<f64> {
    let after_name = stat.get(stat.rfind(')')? + 1..)?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

fn most_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_is_read() {
        assert_eq!(resident("Name:\twayguard\nVmRSS:\t    2048 kB\n"), Some(2 << 20));
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 100 1 2 3";
        assert_eq!(processor_time(stat), Some(3.0));
        assert_eq!(most_files("Max open files            1024   4096   files\n"), Some(1024));
        assert_eq!((resident(""), processor_time("no bracket"), most_files("")), (None, None, None));
    }
}
