//! Gatekeeper as a process beside the sandbox's API server: its own manifests applied, its webhook configurations taken
//! out, its server asked directly.

use super::servers::{Server, resident};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use wayguard_conformance_tests::{Sandbox, eventually, output};

/// A running Gatekeeper with templates and constraints.
pub struct Gatekeeper {
    // Before the sandbox: it is asked nothing once its API server goes.
    child: Child,
    address: String,
    ca: Vec<u8>,
    _sandbox: Sandbox,
    _folder: tempfile::TempDir,
}

/// The built program, if there is one.
pub fn gatekeeper_binary() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("WAYGUARD_BENCH_GATEKEEPER")?);
    path.is_file().then_some(path)
}

/// Starts one; `None` if it was not built.
pub fn gatekeeper(material: &Path) -> Option<Gatekeeper> {
    let program = gatekeeper_binary()?;
    // A gate that refuses and changes nothing: the API server is what is wanted.
    let sandbox = Sandbox::start(&["--observe", "--policies", "images/latest-tag"]);
    let module = output(
        Command::new("go")
            .args(["list", "-mod=mod", "-m", "-f", "{{.Dir}}", "github.com/open-policy-agent/gatekeeper/v3"])
            .current_dir(wayguard_conformance_tests::here().join("peers")),
        "",
    );
    let module = PathBuf::from(module.accepted().trim());
    let manifest = std::fs::read_to_string(module.join("deploy/gatekeeper.yaml")).unwrap();
    sandbox.kubectl(&["apply", "--server-side", "-f", "-"], &manifest).accepted();
    let all = [
        "delete",
        "validatingwebhookconfigurations,mutatingwebhookconfigurations",
        "-l",
        "gatekeeper.sh/system=yes",
    ];
    sandbox.kubectl(&all, "").accepted();
    sandbox
        .kubectl(&["scale", "deployment", "--all", "--replicas=0", "-n", "gatekeeper-system"], "")
        .accepted();
    // Its controllers own what they write by the Pod that they believe to be.
    sandbox.kubectl(&["create", "namespace", "gk"], "").accepted();
    eventually("the account of its Pod", || {
        sandbox.kubectl(&["get", "serviceaccount", "default", "-n", "gk"], "").fine
    });
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: gk-0, namespace: gk}, spec: {containers: [{name: a, image: 'registry.example/a:1'}]}}";
    sandbox.apply(pod).accepted();

    let folder = tempfile::tempdir().unwrap();
    let ca = certificate(folder.path());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new(program)
        .args([
            "--operation=webhook",
            "--operation=status",
            "--operation=generate",
            "--disable-cert-rotation",
        ])
        .args(["--prometheus-port=0", "--health-addr=127.0.0.1:0", "--log-level=ERROR"])
        .arg(format!("--port={port}"))
        .arg(format!("--cert-dir={}", folder.path().display()))
        .env("KUBECONFIG", sandbox.kubeconfig())
        .env("POD_NAME", "gk-0")
        .env("POD_NAMESPACE", "gk")
        .env("NAMESPACE", "gk")
        .env("CONTAINER_NAME", "manager")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut running =
        Gatekeeper { child, address: format!("127.0.0.1:{port}"), ca, _sandbox: sandbox, _folder: folder };
    running.load(material);
    Some(running)
}

impl Gatekeeper {
    fn load(&mut self, material: &Path) {
        let sandbox = &self._sandbox;
        let templates = material.join("templates");
        sandbox.kubectl(&["apply", "-f", templates.to_str().unwrap()], "").accepted();
        let constraints = material.join("constraints.json");
        eventually("its constraints' kinds are served", || {
            sandbox.kubectl(&["apply", "-f", constraints.to_str().unwrap()], "").fine
        });
        eventually("every constraint is enforced", || {
            let path = "jsonpath={range .items[*]}{.status.byPod[0].enforced}{'\\n'}{end}";
            let said = sandbox.kubectl(&["get", "constraints", "-o", path], "");
            said.fine && !said.out.trim().is_empty() && said.out.trim().lines().all(|line| line == "true")
        });
        // It writes policies of its own, which refuse new namespaces.
        sandbox
            .kubectl(
                &["delete", "validatingadmissionpolicies,validatingadmissionpolicybindings", "--all"],
                "",
            )
            .accepted();
        eventually("its server listens", || std::net::TcpStream::connect(&self.address).is_ok());
    }
}

/// A CA and a leaf for localhost, as files that Gatekeeper reads; the CA.
fn certificate(folder: &Path) -> Vec<u8> {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=bench -days 2 2>/dev/null \
        && openssl req -newkey rsa:2048 -nodes -keyout tls.key -out tls.csr -subj /CN=localhost 2>/dev/null \
        && printf 'subjectAltName=DNS:localhost' > san && openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san -out tls.crt 2>/dev/null";
    output(Command::new("sh").args(["-c", script]).current_dir(folder), "").accepted();
    std::fs::read(folder.join("ca.crt")).unwrap()
}

impl Drop for Gatekeeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server for Gatekeeper {
    fn address(&self) -> String {
        self.address.clone()
    }
    fn path(&self) -> &'static str {
        "/v1/admit?timeout=5s"
    }
    fn ca(&self) -> &[u8] {
        &self.ca
    }
    fn megabytes(&self) -> f64 {
        resident(self.child.id())
    }
    fn denies(&self) -> bool {
        true
    }
}
