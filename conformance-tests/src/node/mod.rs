//! A node for tests: what kubelet does, as far as the suite's own Pods need it. Deployments become Pods by the real
//! controller manager, this runs them as real processes with addresses of their own, asks their probes, tells their
//! state, ends them with their grace; the real `EndpointSlice` controller and the API server do the rest.

mod container;
pub mod network;
mod pod;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Binding, Node as NodeObject, ObjectReference, Pod, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, Config};
use pod::PodTask;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use wayguard_sandbox::Sandbox;

/// The node's name.
const NODE: &str = "node-1";
/// How often is looked what there is to run.
const LOOK: Duration = Duration::from_millis(200);
/// How often the node says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// A running node. Its Pods end with it.
pub struct Node {
    runtime: Runtime,
    shared: Arc<Shared>,
}

/// What all tasks of a node know.
struct Shared {
    client: Client,
    folder: PathBuf,
    api_port: u16,
    namespace: String,
    /// What Pods are called that run, their processes and addresses.
    running: Mutex<BTreeMap<String, Place>>,
    /// What runs in the place of the binary under test, for Pods that are made from now on.
    program: Mutex<Option<PathBuf>>,
}

/// Where a Pod runs.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its process; 0 while it is started anew.
    pub pid: u32,
    /// Its address.
    pub address: String,
}

impl Node {
    /// Joins a sandbox's cluster, to run the Pods of one namespace. `folder` is for logs and tokens. Must be called
    /// inside of a [network](network::inside).
    ///
    /// # Panics
    /// If it cannot.
    pub fn join(sandbox: &Sandbox, namespace: &str, folder: &Path) -> Self {
        let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
        {
            Ok(runtime) => runtime,
            Err(error) => panic!("no runtime: {error}"),
        };
        let port = sandbox.url().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or_default();
        let client = runtime.block_on(client(&sandbox.kubeconfig()));
        let shared = Arc::new(Shared {
            client,
            folder: folder.to_owned(),
            api_port: port,
            namespace: namespace.to_owned(),
            running: Mutex::default(),
            program: Mutex::default(),
        });
        let ca = sandbox.ca_pem().to_owned();
        runtime.block_on(register(shared.client()));
        runtime.spawn(heartbeats(Arc::clone(&shared)));
        runtime.spawn(work(Arc::clone(&shared), ca));
        Self { runtime, shared }
    }

    /// Pods from now on run this binary in the place of the one under test; `None` is the one under test.
    pub fn use_program(&self, program: Option<PathBuf>) {
        *self.shared.program.lock().unwrap_or_else(PoisonError::into_inner) = program;
    }

    /// The Pods that run now whose names begin so, each with its place.
    pub fn running(&self, prefix: &str) -> Vec<(String, Place)> {
        let running = self.shared.lock();
        running
            .iter()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(n, p)| (n.clone(), p.clone()))
            .collect()
    }

    /// What Pods whose names begin so have written.
    pub fn logs(&self, prefix: &str) -> String {
        let files = std::fs::read_dir(&self.shared.folder).into_iter().flatten().flatten();
        let named = files.filter(|file| {
            let name = file.file_name();
            name.to_string_lossy().starts_with(prefix) && name.to_string_lossy().ends_with(".log")
        });
        named
            .map(|file| {
                let text = std::fs::read_to_string(file.path()).unwrap_or_default();
                format!("--- {}\n{text}\n", file.path().display())
            })
            .collect()
    }

    /// Where the node's tasks run; for the test's own.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

impl Shared {
    fn client(&self) -> Client {
        self.client.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Place>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client(), &self.namespace)
    }
}

/// A client by a kubeconfig.
///
/// # Panics
/// If it is none.
pub async fn client(kubeconfig: &Path) -> Client {
    let read = kube::config::Kubeconfig::read_from(kubeconfig);
    let config = match read {
        Ok(file) => Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await,
        Err(error) => panic!("{}: {error}", kubeconfig.display()),
    };
    match config.map(Client::try_from) {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => panic!("{}: {error}", kubeconfig.display()),
        Err(error) => panic!("{}: {error}", kubeconfig.display()),
    }
}

async fn register(client: Client) {
    let nodes: Api<NodeObject> = Api::all(client);
    let object = NodeObject {
        metadata: ObjectMeta { name: Some(NODE.into()), ..ObjectMeta::default() },
        ..NodeObject::default()
    };
    if let Err(error) = nodes.create(&PostParams::default(), &object).await {
        panic!("the node cannot be registered: {error}");
    }
    let status = json!({"status": {
        "capacity": {"cpu": "8", "memory": "32Gi", "pods": "110"},
        "allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "a node for tests"}],
        "addresses": [{"type": "InternalIP", "address": network::NODE_ADDRESS}],
    }});
    if let Err(error) = nodes.patch_status(NODE, &PatchParams::default(), &Patch::Merge(&status)).await {
        panic!("the node cannot say that it is ready: {error}");
    }
}

/// Without them the controller manager takes the node for lost.
async fn heartbeats(shared: Arc<Shared>) {
    let leases: Api<Lease> = Api::namespaced(shared.client(), "kube-node-lease");
    loop {
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NODE},
            "spec": {"holderIdentity": NODE, "leaseDurationSeconds": 40, "renewTime": now_as_text()}});
        // An API server that is away hears the next one.
        let _ = leases.patch(NODE, &PatchParams::apply("node").force(), &Patch::Apply(&lease)).await;
        tokio::time::sleep(HEARTBEAT).await;
    }
}

/// The time as a Lease writes it.
fn now_as_text() -> String {
    let now = k8s_openapi::jiff::Timestamp::now();
    format!("{now:.6}")
}

/// Takes Pods that nobody runs yet, and starts a task for each.
async fn work(shared: Arc<Shared>, ca: String) {
    let mut tasks: BTreeMap<String, Arc<PodTask>> = BTreeMap::new();
    let mut last = 0_u16;
    loop {
        if let Ok(list) = shared.pods().list(&ListParams::default()).await {
            for pod in list.items {
                let Some(uid) = pod.metadata.uid.clone() else { continue };
                if let Some(task) = tasks.get(&uid) {
                    if pod.metadata.deletion_timestamp.is_some() {
                        task.end(pod.metadata.deletion_grace_period_seconds);
                    }
                    continue;
                }
                if pod.metadata.deletion_timestamp.is_some() {
                    continue;
                }
                last += 1;
                match PodTask::begin(&shared, &pod, last, &ca).await {
                    Ok(task) => drop(tasks.insert(uid, task)),
                    Err(why) => println!("{}: {why}", pod.metadata.name.unwrap_or_default()),
                }
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Shared {
    /// Says that the Pod is this node's, as a scheduler does.
    async fn bind(&self, name: &str) -> Result<(), String> {
        let binding = Binding {
            metadata: ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() },
            target: ObjectReference {
                kind: Some("Node".into()),
                name: Some(NODE.into()),
                ..ObjectReference::default()
            },
        };
        let (pods, parameters) = (self.pods(), PostParams::default());
        let bound =
            pods.create_subresource::<_, serde_json::Value>("binding", name, &parameters, &binding).await;
        bound.map(drop).map_err(|error| format!("it cannot be bound: {error}"))
    }

    /// The folder with a token of the Pod's account, as kubelet mounts it.
    async fn secrets(&self, pod: &Pod, ca: &str) -> Result<PathBuf, String> {
        let account =
            pod.spec.as_ref().and_then(|spec| spec.service_account_name.clone()).unwrap_or_default();
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client(), &self.namespace);
        let request = TokenRequest {
            spec: Some(TokenRequestSpec { expiration_seconds: Some(3607), ..TokenRequestSpec::default() }),
            ..TokenRequest::default()
        };
        let answered = accounts.create_token_request(&account, &PostParams::default(), &request).await;
        let answered = answered.map_err(|error| format!("there is no token for `{account}`: {error}"))?;
        let token = answered.status.and_then(|status| status.token).unwrap_or_default();
        let folder = self.folder.join(pod.metadata.name.as_deref().unwrap_or_default());
        let written = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join("token"), token))
            .and_then(|()| std::fs::write(folder.join("ca.crt"), ca))
            .and_then(|()| std::fs::write(folder.join("namespace"), &self.namespace));
        written.map(|()| folder).map_err(|error| format!("its token cannot be written: {error}"))
    }
}

/// Waits, asking every so often, until something holds; `false` if the time was over first.
async fn until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !holds() {
        if Instant::now() >= end {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}
