//! One Pod's life on the node: started, probed, started anew when it ends by itself, ended with its grace.

use super::container::{Running, Surroundings};
use super::network::{self, Network};
use super::{Place, Shared, until};
use k8s_openapi::api::core::v1::{Pod, Probe};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How often is looked whether the process still runs, and whether it shall end.
const TICK: Duration = Duration::from_millis(50);

/// After a second end by itself; the first is answered at once, as kubelet does.
const BACK_OFF: Duration = Duration::from_secs(10);

/// Nobody has asked for its end.
const STAYS: i64 = -1;

/// What the node holds of a Pod that it runs.
#[derive(Debug)]
pub(super) struct PodTask {
    /// Seconds of grace once it shall end.
    grace: AtomicI64,
}

impl PodTask {
    /// Binds the Pod, and starts the task that runs it.
    pub(super) async fn begin(
        shared: &Arc<Shared>,
        pod: &Pod,
        number: u16,
        ca: &str,
    ) -> Result<Arc<Self>, String> {
        let name = pod.metadata.name.clone().unwrap_or_default();
        shared.bind(&name).await?;
        let secrets = shared.secrets(pod, ca).await?;
        let task = Arc::new(Self { grace: AtomicI64::new(STAYS) });
        let program = shared.program.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let life = Life {
            task: Arc::clone(&task),
            shared: Arc::clone(shared),
            pod: pod.clone(),
            name,
            network: Network::new(number)?,
            secrets,
            program,
            restarts: 0,
            started: k8s_openapi::jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        };
        tokio::spawn(life.live());
        Ok(task)
    }

    /// The Pod shall end, with this grace in seconds; telling it again changes nothing.
    pub(super) fn end(&self, grace: Option<i64>) {
        let grace = grace.unwrap_or(30);
        let _ = self.grace.compare_exchange(STAYS, grace, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn ends(&self) -> Option<Duration> {
        let grace = self.grace.load(Ordering::Relaxed);
        (grace != STAYS).then(|| Duration::from_secs(grace.unsigned_abs()))
    }
}

struct Life {
    task: Arc<PodTask>,
    shared: Arc<Shared>,
    pod: Pod,
    name: String,
    network: Network,
    secrets: PathBuf,
    program: Option<PathBuf>,
    restarts: u32,
    started: String,
}

impl Life {
    async fn live(mut self) {
        while self.task.ends().is_none() {
            match self.start() {
                Ok(running) => self.watch(running).await,
                Err(why) => println!("{}: {why}", self.name),
            }
            if self.task.ends().is_none() {
                self.restarts += 1;
                self.tell(false).await;
                if self.restarts > 1 {
                    until(BACK_OFF, || self.task.ends().is_some()).await;
                }
            }
        }
        self.shared.lock().remove(&self.name);
        let now = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        // Whoever was faster has done it.
        let _ = self.shared.pods().delete(&self.name, &now).await;
    }

    fn start(&self) -> Result<Running, String> {
        let log = self.shared.folder.join(format!("{}.log", self.name));
        let around = Surroundings {
            network: &self.network,
            secrets: &self.secrets,
            log: &log,
            api_port: self.shared.api_port,
        };
        Running::start(&self.pod, self.program.as_deref(), &around)
    }

    /// Until it has ended, by itself or because it was asked to.
    async fn watch(&self, mut running: Running) {
        self.place(running.pid());
        let container = self.pod.spec.as_ref().and_then(|spec| spec.containers.first());
        let readiness = container.and_then(|container| container.readiness_probe.clone());
        let liveness = container.and_then(|container| container.liveness_probe.clone());
        let mut probes = [Asked::new(readiness), Asked::new(liveness)];
        let mut told = None;
        loop {
            if let Some(grace) = self.task.ends() {
                running.signal("TERM");
                if !until(grace, || running.ended().is_some()).await {
                    println!("{}: killed, {grace:?} after it was told to end", self.name);
                }
                return;
            }
            if let Some(how) = running.ended() {
                println!("{}: ended by itself: {how}", self.name);
                return self.place(0);
            }
            for probe in &mut probes {
                probe.ask(self.network.address(), &self.pod).await;
            }
            let [readiness, liveness] = &probes;
            if liveness.failed() {
                println!("{}: killed, its liveness probe fails", self.name);
                return;
            }
            if told != Some(readiness.holds) && self.tell(readiness.holds).await {
                told = Some(readiness.holds);
            }
            tokio::time::sleep(TICK).await;
        }
    }

    fn place(&self, pid: u32) {
        let place = Place { pid, address: self.network.address().to_owned() };
        self.shared.lock().insert(self.name.clone(), place);
    }

    /// Writes the Pod's state; `false` if nobody heard.
    async fn tell(&self, ready: bool) -> bool {
        let word = if ready { "True" } else { "False" };
        let condition = |kind: &str, status: &str| json!({"type": kind, "status": status});
        let container = self.pod.spec.as_ref().and_then(|spec| spec.containers.first());
        let status: Value = json!({"status": {
            "phase": "Running",
            "startTime": self.started,
            "hostIP": network::NODE_ADDRESS,
            "podIP": self.network.address(),
            "podIPs": [{"ip": self.network.address()}],
            "conditions": [
                condition("PodScheduled", "True"), condition("Initialized", "True"),
                condition("ContainersReady", word), condition("Ready", word),
            ],
            "containerStatuses": [{
                "name": container.map(|container| container.name.as_str()),
                "image": container.and_then(|container| container.image.as_deref()),
                "imageID": "", "restartCount": self.restarts, "ready": ready, "started": true,
                "state": {"running": {"startedAt": self.started}},
            }],
        }});
        let pods = self.shared.pods();
        pods.patch_status(&self.name, &PatchParams::default(), &Patch::Strategic(&status)).await.is_ok()
    }
}

/// A probe, and what came of it so far.
struct Asked {
    probe: Option<Probe>,
    next: Instant,
    failures: i32,
    holds: bool,
}

impl Asked {
    fn new(probe: Option<Probe>) -> Self {
        Self { holds: probe.is_none(), probe, next: Instant::now(), failures: 0 }
    }

    /// Asks if it is time to.
    async fn ask(&mut self, address: &str, pod: &Pod) {
        let Some(probe) = self.probe.as_ref().filter(|_| Instant::now() >= self.next) else { return };
        let seconds = |value: Option<i32>, otherwise| {
            Duration::from_secs(u64::try_from(value.unwrap_or(otherwise)).unwrap_or_default())
        };
        // More often than kubelet while it has not held yet: a test should not wait for that.
        let period = seconds(probe.period_seconds, 10);
        self.next = Instant::now() + if self.holds { period } else { period.min(Duration::from_millis(500)) };
        let limit = seconds(probe.timeout_seconds, 1);
        let fine = tokio::time::timeout(limit, answers(address, pod, probe)).await.unwrap_or(false);
        self.failures = if fine { 0 } else { self.failures + 1 };
        if fine {
            self.holds = true;
        } else if self.failures >= probe.failure_threshold.unwrap_or(3) {
            self.holds = false;
        }
    }

    fn failed(&self) -> bool {
        // One that never held has a while to begin: there is no startup probe.
        self.probe.as_ref().is_some_and(|probe| self.failures >= probe.failure_threshold.unwrap_or(3) * 4)
    }
}

/// Whether a GET gives a 2xx or 3xx.
async fn answers(address: &str, pod: &Pod, probe: &Probe) -> bool {
    let Some(get) = &probe.http_get else { return false };
    let port = match &get.port {
        k8s_openapi::apimachinery::pkg::util::intstr::IntOrString::Int(port) => *port,
        k8s_openapi::apimachinery::pkg::util::intstr::IntOrString::String(name) => {
            let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
            let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
            let Some(port) = ports.find(|port| port.name.as_deref() == Some(name)) else { return false };
            port.container_port
        }
    };
    let path = get.path.as_deref().unwrap_or("/");
    let asked = async {
        let mut stream = TcpStream::connect((address, u16::try_from(port).unwrap_or_default())).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    asked.await.is_ok_and(|answer| answer.starts_with("HTTP/1.1 2") || answer.starts_with("HTTP/1.1 3"))
}
