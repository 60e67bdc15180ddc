//! The Kustomize base `deploy/kustomize`: what `wayguard install --dry-run` prints, in a few files.

use super::{called, documents, fresh, root, text};
use serde_json::Value;
use std::process::Command;
use wayguard_cluster::install::{InstallOptions, objects};
use wayguard_cluster::manifest;

/// Overlays name their own: `images: [{name: wayguard, newName: …, newTag: …}]`.
const IMAGE: &str = "wayguard";
const HEAD: &str =
    "# Made from the code by `WAYGUARD_UPDATE=1 cargo test -p wayguard --lib chart`; do not edit.\n";

/// The file that an object is in.
fn file(object: &Value) -> &'static str {
    match text(object, "/kind") {
        "CustomResourceDefinition" => "crds.yaml",
        "Namespace" => "namespace.yaml",
        "ServiceAccount" | "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding" => "rbac.yaml",
        _ => "workloads.yaml",
    }
}

#[test]
fn the_base_is_what_install_gives() {
    let base = root().join("deploy/kustomize");
    let all = objects(&InstallOptions::new(IMAGE));
    let files = ["namespace.yaml", "crds.yaml", "rbac.yaml", "workloads.yaml"];
    for name in files {
        let within = manifest::stream(all.iter().filter(|object| file(object) == name));
        fresh(base.join(name), &format!("{HEAD}{within}"));
    }
    let list: String = files.iter().map(|name| format!("- {name}\n")).collect();
    fresh(
        base.join("kustomization.yaml"),
        &format!(
            "{HEAD}apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n{list}"
        ),
    );

    let Ok(output) = Command::new("kubectl").arg("kustomize").arg(&base).output() else {
        println!("skipped: no kubectl");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut rendered: Vec<String> =
        documents(&String::from_utf8_lossy(&output.stdout)).iter().map(called).collect();
    let mut wanted: Vec<String> = all.iter().map(called).collect();
    rendered.sort();
    wanted.sort();
    assert_eq!(rendered, wanted);
}
