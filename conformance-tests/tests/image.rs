//! The container image that `scripts/build-image` makes: the same input gives the same digest, every digest in it is true,
//! and the program runs with nothing but what is in it, as the user that it names.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use wayguard_conformance_tests::{eventually, here, output, wayguard};

#[test]
fn an_image_is_reproducible_true_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    // Without what debuggers need it is a quarter, and packed in seconds.
    let binary = folder.path().join("wayguard");
    let said = output(Command::new("strip").arg("-o").arg(&binary).arg(wayguard()), "");
    if !said.fine {
        println!("skipped: the binary cannot be stripped: {}", said.err);
        return;
    }
    let sbom = folder.path().join("sbom.json");
    std::fs::write(&sbom, r#"{"bomFormat":"CycloneDX"}"#).unwrap();
    let first = build(&binary, &sbom, &folder.path().join("one"), "022");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let again = folder.path().join("copy");
    std::fs::copy(&binary, &again).unwrap();
    let layout = folder.path().join("another/place");
    std::fs::create_dir(folder.path().join("another")).unwrap();
    assert_eq!(build(&again, &sbom, &layout, "077"), first, "another time, place and mask: the same image");

    let manifest = true_blob(&layout, &first);
    let config = true_blob(&layout, manifest["config"]["digest"].as_str().unwrap());
    assert_eq!(config["config"]["User"], "65532:65532");
    let layer = blob(&layout, manifest["layers"][0]["digest"].as_str().unwrap());
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let list = true_blob(&layout, index["manifests"][1]["digest"].as_str().unwrap());
    assert_eq!(list["subject"]["digest"], first.as_str(), "the list of what is in it refers to the image");
    assert_eq!(
        std::fs::read(blob(&layout, list["layers"][0]["digest"].as_str().unwrap())).unwrap(),
        std::fs::read(&sbom).unwrap()
    );

    let root = folder.path().join("root");
    std::fs::create_dir(&root).unwrap();
    output(Command::new("tar").arg("-xzf").arg(layer).arg("-C").arg(&root), "").accepted();
    runs(&root, config["config"]["Entrypoint"][0].as_str().unwrap());
}

/// Builds; the image's digest.
fn build(binary: &Path, sbom: &Path, into: &Path, mask: &str) -> String {
    let script = here().join("../scripts/build-image");
    let mut command = Command::new("sh");
    command.args(["-c", "umask $0; exec \"$@\"", mask]).arg(script).arg("--binary").arg(binary);
    output(command.arg("--sbom").arg(sbom).arg(into), "").accepted().trim().to_owned()
}

fn blob(layout: &Path, digest: &str) -> PathBuf {
    let sum = digest.strip_prefix("sha256:").unwrap();
    let path = layout.join("blobs/sha256").join(sum);
    let said = output(Command::new("sha256sum").arg(&path), "").accepted();
    assert!(said.starts_with(sum), "{said}");
    path
}

/// A JSON document of the layout, whose digest is right.
fn true_blob(layout: &Path, digest: &str) -> Value {
    serde_json::from_slice(&std::fs::read(blob(layout, digest)).unwrap()).unwrap()
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// With nothing but the image's files.
fn runs(root: &Path, entrypoint: &str) {
    let inside = || {
        let mut command = Command::new("chroot");
        command.args(["--userspec=65532:65532"]).arg(root).arg(entrypoint);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    };
    let said = output(inside().arg("version"), "");
    if !said.fine && said.err.contains("Operation not permitted") {
        assert!(std::env::var_os("CI").is_none(), "{}", said.err);
        println!("skipped: only root may change the root: {}", said.err.trim());
        return;
    }
    assert!(said.accepted().contains("0.1"), "it says its version");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let health = format!("--health-listen={port}");
    let server = inside()
        .args(["serve", "--listen=127.0.0.1:0", &health])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _server = Ended(server.unwrap());
    let url = format!("http://{port}/readyz");
    eventually("the image's server is ready", || ready(&url));
}

fn ready(url: &str) -> bool {
    use std::io::{Read as _, Write as _};
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let Ok(mut stream) = std::net::TcpStream::connect(host) else { return false };
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}
