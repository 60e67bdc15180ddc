//! A network of the test's own: a namespace with a bridge, in which each Pod gets an address that other Pods and the
//! API server reach. Nothing of the machine's own network is touched, and all of it, processes too, goes with the test.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Says, in the environment, that a test runs inside of its network already.
const INSIDE: &str = "WAYGUARD_TEST_NETWORK";

/// The bridge's address, which is the node's.
pub const NODE_ADDRESS: &str = "10.77.0.1";

/// The first address of the sandbox's range of services: the one of `kubernetes.default.svc`.
pub const API_SERVICE: &str = "10.0.0.1";

/// Runs the rest of a test inside of a network (and a process) namespace of its own.
///
/// Returns `true` inside, where the test goes on. Outside it runs itself there, to the end, and returns `false`; also
/// where that is not permitted, with a word on why.
///
/// # Panics
/// If the test fails inside; or if there can be no such namespace though `CI` is set.
#[track_caller]
pub fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        prepare();
        return true;
    }
    if let Err(why) = permitted() {
        assert!(std::env::var_os("CI").is_none(), "{why}");
        println!("skipped: {why}");
        return false;
    }
    let Ok(program) = std::env::current_exe() else { panic!("a test does not know its own program") };
    let mut command = isolated();
    command.arg(program).args(["--exact", test, "--nocapture", "--test-threads", "1"]).env(INSIDE, "1");
    let status = command.stdin(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "`{test}` failed in its network; see above");
    false
}

/// A command line to add to, which runs in new namespaces. What it leaves running ends with it.
fn isolated() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    command
}

fn permitted() -> Result<(), String> {
    let script = "ip link add probe0 type bridge && ip link add probe1 type veth peer name probe2 && setpriv --version";
    match isolated().args(["sh", "-c", script]).stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "no network namespace with a bridge can be made here: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Err(format!("`unshare` cannot be run: {error}")),
    }
}

fn prepare() {
    for line in [
        "link set lo up".to_owned(),
        "link add pods type bridge".to_owned(),
        format!("addr add {NODE_ADDRESS}/16 dev pods"),
        format!("addr add {API_SERVICE}/32 dev pods"),
        "link set pods up".to_owned(),
    ] {
        ip(&line);
    }
}

/// Run by `sh` in a new network namespace: waits for its plug, and then for its end, so that the network outlives the
/// containers, as on any node.
const HOLDER: &str = r#"
set -e
until ip link show eth0 >/dev/null 2>&1; do sleep 0.01; done
ip link set lo up
ip link set eth0 up
ip addr add "$1/16" dev eth0
ip route add default via "$2"
exec sleep infinity
"#;

/// A Pod's own network, with an address that all others reach.
#[derive(Debug)]
pub(super) struct Network {
    holder: Child,
    address: String,
}

impl Network {
    /// Makes the network of the Pod of that number; numbers differ.
    pub(super) fn new(number: u16) -> Result<Self, String> {
        let [high, low] = number.to_be_bytes();
        let address = format!("10.77.{}.{low}", high + 1);
        let mut command = Command::new("unshare");
        command.args(["--net", "--", "sh", "-c", HOLDER, "sh", &address, NODE_ADDRESS]).stdin(Stdio::null());
        let holder = command.spawn().map_err(|error| format!("`unshare` cannot be run: {error}"))?;
        let network = Self { holder, address };
        let deadline = Instant::now() + Duration::from_secs(10);
        let wait = |what: &str, holds: &dyn Fn() -> bool| {
            while !holds() {
                if Instant::now() >= deadline {
                    return Err(format!("the Pod's network {what}"));
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok(())
        };
        let pid = network.holder();
        wait("was not made", &|| has_own(pid))?;
        ip(&format!("link add pod{number} type veth peer name eth0 netns {pid}"));
        ip(&format!("link set pod{number} master pods"));
        ip(&format!("link set pod{number} up"));
        let named = || std::fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        wait("has no address", &|| named() == b"sleep\n")?;
        Ok(network)
    }

    /// The address.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The process that keeps it.
    pub(super) fn holder(&self) -> u32 {
        self.holder.id()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[track_caller]
fn ip(line: &str) {
    let output = Command::new("ip").args(line.split(' ').map(OsStr::new)).output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!("`ip {line}`: {}", String::from_utf8_lossy(&output.stderr).trim()),
        Err(error) => panic!("`ip {line}`: {error}"),
    }
}

/// Whether a process has left the network namespace of this one.
fn has_own(pid: u32) -> bool {
    let of = |who: &str| std::fs::read_link(Path::new("/proc").join(who).join("ns/net")).ok();
    matches!((of("self"), of(&pid.to_string())), (Some(here), Some(there)) if here != there)
}
