//! What of the chart depends on the code: kinds, rights, the classes of self-service and their backstop, and what each
//! built-in policy looks up and judges.

use super::{folder, fresh, text};
use crate::command::install::{judged, looked_up, provisioning};
use serde_json::{Map, Value, json};
use wayguard_cluster::install::{History, InstallOptions, InventoryRight, objects};
use wayguard_cluster::{gatekeeper, kinds, manifest};
use wayguard_engine::policy::library::Library;

/// Stands for the release's namespace until the text is a template.
const NAMESPACE: &str = "namespace-of-the-release";
/// Every made file says so, and nothing of it is rendered.
const HEAD: &str = "{{- /* Made from the code by `WAYGUARD_UPDATE=1 cargo test -p wayguard --lib chart`; do not edit. */ -}}\n";

fn options() -> InstallOptions {
    // What the policies look up depends on values, and so do names of Secrets.
    InstallOptions { namespace: NAMESPACE.to_owned(), inventory: Vec::new(), ..InstallOptions::new("image") }
}

/// An object as a template: braces of its own are written out, and it says which release it is from.
fn as_template(object: &Value, annotations: &str) -> String {
    let yaml =
        manifest::yaml(object).replace("{{", "{{ \"{{\" }}").replace(NAMESPACE, "{{ .Release.Namespace }}");
    let mark = "    app.kubernetes.io/part-of: wayguard\n";
    let labels = "    {{- include \"wayguard.release\" . | nindent 4 }}\n";
    let yaml = if yaml.contains(mark) {
        yaml.replacen(mark, &format!("{mark}{labels}"), 1)
    } else {
        yaml.replacen("metadata:\n", &format!("metadata:\n  labels:\n{labels}"), 1)
    };
    assert!(!yaml.contains("\n  annotations:"), "it has annotations already: {yaml}");
    yaml.replacen("metadata:\n", &format!("metadata:\n{annotations}"), 1)
}

/// Templates behind a condition.
fn file(condition: &str, templates: &[String]) -> String {
    format!("{HEAD}{{{{- if {condition} }}}}\n{}\n{{{{- end }}}}\n", templates.join("---\n").trim_end())
}

const KEEP: &str =
    "  {{- if .Values.crds.keep }}\n  annotations:\n    helm.sh/resource-policy: keep\n  {{- end }}\n";

#[test]
fn the_kinds() {
    for definition in kinds::definitions() {
        let text = file(".Values.crds.install", &[as_template(&definition.object, KEEP)]);
        fresh(folder().join("templates/crds").join(definition.file), &text);
    }
    let theirs = gatekeeper::base_definitions();
    let theirs: Vec<String> = theirs.iter().map(|object| as_template(object, KEEP)).collect();
    let condition = "and .Values.gatekeeper.enabled .Values.gatekeeper.crds";
    fresh(folder().join("templates/gatekeeper/crds.yaml"), &file(condition, &theirs));
}

#[test]
fn the_rights() {
    let all = objects(&InstallOptions { history: Some(History::Volume("1Gi".into())), ..options() });
    let plain = objects(&options());
    let mut made = HEAD.to_owned();
    for (role, kind, part) in [
        ("serve", "ClusterRole", "cluster"),
        ("serve", "Role", "own"),
        ("control", "ClusterRole", "cluster"),
        ("control", "Role", "own"),
        ("audit", "ClusterRole", "cluster"),
        ("audit", "Role", "own"),
        ("history", "Role", "own"),
    ] {
        // The history gives others more rights; the templates do so where it runs.
        let among = if role == "history" { &all } else { &plain };
        let is_it = |object: &&Value| {
            text(object, "/kind") == kind && text(object, "/metadata/name") == format!("wayguard-{role}")
        };
        let found = among.iter().find(is_it).unwrap();
        let rules = manifest::yaml(found.get("rules").unwrap());
        made.push_str(&format!(
            "{{{{- define \"wayguard.rights.{role}.{part}\" }}}}\n{rules}{{{{- end }}}}\n"
        ));
    }
    fresh(folder().join("templates/_rights.tpl"), &made);

    let with = objects(&InstallOptions { gatekeeper: true, ..options() });
    let more: Vec<String> = with
        .iter()
        .filter(|object| text(object, "/kind").starts_with("ClusterRole") && !plain.contains(object))
        .map(|object| as_template(object, ""))
        .collect();
    fresh(folder().join("templates/gatekeeper/rbac.yaml"), &file(".Values.gatekeeper.enabled", &more));
}

#[test]
fn self_service() {
    let wanted = provisioning(&Library::embedded()).unwrap();
    let plain = objects(&options());
    let with = objects(&InstallOptions { provisioning: Some(wanted), ..options() });
    let known = |object: &Value| {
        plain.iter().any(|it| {
            text(it, "/kind") == text(object, "/kind")
                && text(it, "/metadata/name") == text(object, "/metadata/name")
        })
    };
    let more: Vec<&Value> = with.iter().filter(|object| !known(object)).collect();
    let of = |choose: &dyn Fn(&str) -> bool| -> Vec<String> {
        let chosen = more.iter().filter(|object| choose(text(object, "/kind")));
        chosen.map(|object| as_template(object, "")).collect()
    };
    let admission = |kind: &str| kind.starts_with("ValidatingAdmissionPolicy");
    let condition = ".Values.provisioning.enabled";
    let rights = of(&|kind| !admission(kind) && !["ClaimClass", "Deployment"].contains(&kind));
    fresh(folder().join("templates/provisioning/rbac.yaml"), &file(condition, &rights));
    fresh(folder().join("templates/provisioning/backstop.yaml"), &file(condition, &of(&admission)));

    // The kind has to be served before: a hook. One that is there stays as the platform has it.
    let classes: Vec<String> = more
        .iter()
        .filter(|object| text(object, "/kind") == "ClaimClass")
        .map(|object| {
            let (version, name) = (text(object, "/apiVersion"), text(object, "/metadata/name"));
            let hook = "  annotations:\n    helm.sh/hook: post-install,post-upgrade\n";
            format!(
                "{{{{- if not (lookup \"{version}\" \"ClaimClass\" \"\" \"{name}\") }}}}\n---\n{}{{{{- end }}}}\n",
                as_template(object, hook)
            )
        })
        .collect();
    let condition = "and .Values.provisioning.enabled .Values.provisioning.classes";
    let text = format!("{HEAD}{{{{- if {condition} }}}}\n{}{{{{- end }}}}\n", classes.concat());
    fresh(folder().join("templates/provisioning/classes.yaml"), &text);
}

#[test]
fn what_policies_look_up_and_judge() {
    let library = Library::embedded();
    let mut names = library.bundles();
    let modules = library.files().keys().filter_map(|path| path.strip_suffix("/policy.rego"));
    names.extend(modules.map(ToOwned::to_owned));
    names.retain(|name| library.bundle(name).is_some() || library.policy(name).is_some());
    let written = |rights: Vec<InventoryRight>| -> Vec<String> {
        rights.iter().map(|right| format!("{}/{}", right.group, right.resource)).collect()
    };
    let told: Map<String, Value> = names
        .into_iter()
        .map(|name| {
            let of = [name.clone()];
            let inventory = written(looked_up(&library, &of).unwrap());
            let judged = written(judged(&library, &of).unwrap());
            (name, json!({"inventory": inventory, "judged": judged}))
        })
        .collect();
    let text = format!("{:#}\n", Value::Object(told));
    fresh(folder().join("files/library.json"), &text);
}
