//! A container of a Pod as a real process: the Pod's network, its arguments and environment, the user and group that the
//! Pod names, no capabilities, a root that it cannot write to, the account's token where kubelet mounts it.

use super::network::{self, Network};
use crate::wayguard;
use k8s_openapi::api::core::v1::{Container, Pod};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Run by `sh` in a new mount namespace; what follows the script are the container's arguments. `$SECRETS` is mounted
/// read-only, the rest of the root cannot be written to, and the binary is reached though its folder may be closed to
/// the container's user.
const SCRIPT: &str = r#"
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/secrets/kubernetes.io/serviceaccount
cp -r "$SECRETS/." /run/secrets/kubernetes.io/serviceaccount/
chmod -R a+rX /run/secrets
touch /run/program
mount --bind "$PROGRAM" /run/program
mount -o remount,ro,bind /
mount -o remount,ro /run
cd /
unset SECRETS PROGRAM PWD OLDPWD
exec setpriv --reuid="$RUN_AS" --regid="$RUN_AS_GROUP" --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \
  env -u RUN_AS -u RUN_AS_GROUP /run/program "$@"
"#;

/// A running container.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
}

/// What a container is started with, besides what its Pod says.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) network: &'a Network,
    /// The folder with the account's token, CA and namespace.
    pub(super) secrets: &'a Path,
    /// Where its output goes, after what is there.
    pub(super) log: &'a Path,
    pub(super) api_port: u16,
}

impl Running {
    /// Starts the only container of the Pod.
    pub(super) fn start(
        pod: &Pod,
        program: Option<&Path>,
        around: &Surroundings<'_>,
    ) -> Result<Self, String> {
        let spec = pod.spec.as_ref().ok_or("the Pod has no spec")?;
        let [container] = spec.containers.as_slice() else {
            return Err("this node runs Pods of one container".into());
        };
        let user =
            ids(pod, container).ok_or("the Pod does not say as whom it runs: runAsUser, runAsGroup")?;
        let program = program.map_or_else(wayguard, PathBuf::from);
        let log = || {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(around.log);
            file.map(Stdio::from).map_err(|error| format!("the log cannot be written: {error}"))
        };
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/proc/{}/ns/net", around.network.holder()))
            .args(["--", "unshare", "--mount", "--", "sh", "-c", SCRIPT, "sh"])
            .args(container.args.iter().flatten())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(environment(pod, container)?)
            .env("KUBERNETES_SERVICE_HOST", network::API_SERVICE)
            .env("KUBERNETES_SERVICE_PORT", around.api_port.to_string())
            .env("SECRETS", around.secrets)
            .env("PROGRAM", program)
            .env("RUN_AS", user.0.to_string())
            .env("RUN_AS_GROUP", user.1.to_string())
            .stdin(Stdio::null())
            .stdout(log()?)
            .stderr(log()?);
        let child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
        Ok(Self { child })
    }

    /// Its process, in the process namespace of the test.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended; `None` while it runs.
    pub(super) fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Sends a signal such as `TERM`.
    pub(super) fn signal(&self, name: &str) {
        // One that has just ended cannot be told anything.
        let _ = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// User and group, by the container or its Pod.
fn ids(pod: &Pod, container: &Container) -> Option<(i64, i64)> {
    let of_pod = pod.spec.as_ref()?.security_context.as_ref();
    let of_container = container.security_context.as_ref();
    let user = of_container
        .and_then(|context| context.run_as_user)
        .or(of_pod.and_then(|context| context.run_as_user));
    let group = of_container
        .and_then(|context| context.run_as_group)
        .or(of_pod.and_then(|context| context.run_as_group));
    Some((user?, group?))
}

/// The container's variables; of references only the Pod's own fields.
fn environment(pod: &Pod, container: &Container) -> Result<Vec<(String, String)>, String> {
    let mut all = Vec::new();
    for variable in container.env.iter().flatten() {
        let field = variable.value_from.as_ref().and_then(|source| source.field_ref.as_ref());
        let value = match (&variable.value, field.map(|field| field.field_path.as_str())) {
            (Some(value), _) => value.clone(),
            (None, Some("metadata.name")) => pod.metadata.name.clone().unwrap_or_default(),
            (None, Some("metadata.namespace")) => pod.metadata.namespace.clone().unwrap_or_default(),
            (None, Some("metadata.uid")) => pod.metadata.uid.clone().unwrap_or_default(),
            (None, other) => return Err(format!("this node cannot fill in {}: {other:?}", variable.name)),
        };
        all.push((variable.name.clone(), value));
    }
    Ok(all)
}
