//! The chart in `charts/wayguard` beside `wayguard install`: what of it is made from the code, and that both give the same
//! objects. Only tests are in here; the program itself knows nothing of Helm.
//!
//! `WAYGUARD_UPDATE=1 cargo test -p wayguard --lib chart` writes what is made.

mod generated;
mod kustomize;
mod parity;
mod readme;
mod values;

use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use wayguard_engine::value::parse_yaml;

/// The chart's folder.
fn folder() -> PathBuf {
    root().join("charts/wayguard")
}

/// The repository's folder.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Compares a made file with the committed one; with `WAYGUARD_UPDATE` writes it.
fn fresh(path: PathBuf, text: &str) {
    if std::env::var_os("WAYGUARD_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{} is not what the code gives now; run `WAYGUARD_UPDATE=1 cargo test -p wayguard --lib chart`",
        path.display()
    );
}

/// Helm, if this machine has it.
fn helm() -> Option<Command> {
    let found = Command::new("helm").arg("version").output().is_ok_and(|output| output.status.success());
    if !found {
        assert!(std::env::var_os("CI").is_none(), "no helm; `scripts/install-helm` makes it");
        println!("skipped: no helm; `scripts/install-helm FOLDER-OF-THE-PATH` makes it");
    }
    found.then(|| Command::new("helm"))
}

/// Runs `helm template` with further arguments: the objects, or what Helm complained of.
fn template(mut helm: Command, arguments: &[&str]) -> Result<Vec<Value>, String> {
    helm.args(["template", "wayguard"]).arg(folder()).args(["--namespace", "wayguard-system"]);
    let output = helm.args(arguments).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(documents(&String::from_utf8_lossy(&output.stdout)))
}

/// The objects of a YAML stream.
fn documents(text: &str) -> Vec<Value> {
    let arena = bumpalo::Bump::new();
    let read = parse_yaml(&&arena, text).unwrap();
    read.iter().map(|document| document.value.to_serde()).filter(|object| !object.is_null()).collect()
}

/// Text at a JSON Pointer, or empty.
fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// What an object is called in messages: `Role wayguard-system/wayguard-serve`.
fn called(object: &Value) -> String {
    let namespace = text(object, "/metadata/namespace");
    let slash = if namespace.is_empty() { "" } else { "/" };
    format!("{} {namespace}{slash}{}", text(object, "/kind"), text(object, "/metadata/name"))
}
