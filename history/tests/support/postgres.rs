//! A real PostgreSQL server of its own for a test.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server on the loopback, gone when dropped.
pub(crate) struct Postgres {
    server: Child,
    _folder: tempfile::TempDir,
    port: u16,
}

impl Postgres {
    /// Starts one, or says why not. Its user is `wayguard`, with this password; empty: everybody is trusted.
    pub(crate) fn start(password: &str) -> Result<Self, String> {
        let programs = programs()
            .ok_or("PostgreSQL's `initdb` and `postgres` are not installed (Debian: postgresql)")?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            // The server refuses root.
            run(Command::new("chown").arg("nobody").arg(folder.path()))?;
        }
        let as_nobody = |program: &str| {
            let program = programs.join(program);
            let mut command = if is_root { Command::new("setpriv") } else { Command::new(&program) };
            if is_root {
                command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(&program);
            }
            command.current_dir("/").env("LC_ALL", "C.UTF-8");
            command
        };
        let data = folder.path().join("data");
        let mut initdb = as_nobody("initdb");
        initdb.arg("-D").arg(&data).args(["-U", "wayguard", "-E", "UTF8", "--no-sync"]);
        if password.is_empty() {
            initdb.arg("--auth=trust");
        } else {
            let file = folder.path().join("password");
            std::fs::write(&file, password).map_err(|error| error.to_string())?;
            initdb.arg("--auth=scram-sha-256").arg(format!("--pwfile={}", file.display()));
        }
        run(&mut initdb)?;
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|it| it.local_addr())
            .map_err(|it| it.to_string())?
            .port();
        let mut postgres = as_nobody("postgres");
        postgres.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""]);
        let server =
            postgres.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|it| it.to_string())?;
        let server = Self { server, _folder: folder, port };
        let deadline = Instant::now() + Duration::from_mins(1);
        // The last line of this file says when it takes connections.
        let told = data.join("postmaster.pid");
        while !std::fs::read_to_string(&told).is_ok_and(|text| text.contains("ready")) {
            if Instant::now() > deadline {
                return Err("the server did not come up within a minute".to_owned());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// Its port on the loopback; the database is `postgres`.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT: at once, with its children.
        if let Some(id) = rustix::process::Pid::from_raw(self.server.id().cast_signed()) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::QUIT);
        }
        let _ = self.server.wait();
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The folder with the server's programs: Debian keeps them out of the PATH.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    all.extend(std::env::split_paths(&path));
    all.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}
