//! `helm template` with each of the chart's values sets gives what `wayguard install --dry-run` gives with the options
//! that the set names in its head (`# The same as: …`), object by object; what the chart has besides is named there too.

use super::{called, folder, helm, template, text};
use crate::command::install::{Args, options};
use clap::Parser;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use wayguard_cluster::install::objects;

/// The options of `install`, as a program of their own.
#[derive(clap::Parser)]
struct Install {
    #[command(flatten)]
    args: Args,
}

/// The values sets, by their file's name.
fn sets() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder().join("ci")).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let mut sets: Vec<(String, String)> = files
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    sets.sort();
    sets
}

/// What a line of a set's head says.
fn head<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(": "))
}

/// An object without what says which release it is from, its rights as single permissions: their order and grouping
/// mean nothing.
fn plain(mut object: Value) -> Value {
    if let Some(labels) = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        for name in ["instance", "managed-by", "version"] {
            labels.remove(&format!("app.kubernetes.io/{name}"));
        }
        labels.remove("helm.sh/chart");
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.retain(|name, _| !name.starts_with("helm.sh/"));
    }
    if let Some(rules) = object.get_mut("rules") {
        let each = |rule: &Value, field: &str| -> Vec<String> {
            let all = rule[field].as_array().into_iter().flatten();
            all.map(|it| it.as_str().unwrap().to_owned()).collect()
        };
        let mut permissions = BTreeSet::new();
        for rule in rules.as_array().into_iter().flatten() {
            let names = each(rule, "resourceNames");
            let names = if names.is_empty() { vec!["any".to_owned()] } else { names };
            for group in each(rule, "apiGroups") {
                for resource in each(rule, "resources") {
                    for name in &names {
                        for verb in each(rule, "verbs") {
                            permissions.insert(format!("{verb} {group}/{resource} {name}"));
                        }
                    }
                }
            }
        }
        *rules = json!(permissions);
    }
    without_empty(object)
}

/// An absent list, map or text is as an empty one.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(key, value)| (key, without_empty(value)));
            let kept =
                |(_, value): &(String, Value)| *value != json!({}) && *value != json!([]) && !value.is_null();
            Value::Object(members.filter(kept).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(without_empty).collect(),
        other => other,
    }
}

/// By what they are called; hooks of the uninstall are no part of an installation.
fn by_name(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let installed = objects.into_iter().filter(|object| {
        let hook = object["metadata"]["annotations"]["helm.sh/hook"].as_str().unwrap_or_default();
        !hook.contains("delete") && text(object, "/kind") != "Namespace"
    });
    let mut all = BTreeMap::new();
    for object in installed {
        let name = called(&object);
        assert!(all.insert(name.clone(), plain(object)).is_none(), "{name} is there twice");
    }
    all
}

#[test]
fn the_chart_gives_what_install_gives() {
    let sets = sets();
    assert!(sets.len() >= 5);
    for (file, set) in sets {
        let Some(helm) = helm() else { return };
        let path = folder().join("ci").join(&file);
        let rendered = template(helm, &["--values", path.to_str().unwrap()]);
        let mut chart = by_name(rendered.unwrap_or_else(|complaint| panic!("{file}: {complaint}")));
        let flags =
            head(&set, "The same as").unwrap_or_else(|| panic!("{file} does not say which options it is"));
        let parsed = Install::try_parse_from(std::iter::once("install").chain(flags.split_whitespace()));
        let parsed = parsed.unwrap_or_else(|error| panic!("{file}: {error}"));
        let install = by_name(objects(&options(&parsed.args).unwrap_or_else(|_| panic!("{file}: {flags}"))));

        let besides: Vec<&str> =
            head(&set, "Besides").map(|kinds| kinds.split(", ").collect()).unwrap_or_default();
        chart.retain(|name, _| !besides.iter().any(|kind| name.starts_with(&format!("{kind} "))));
        let names = |of: &BTreeMap<String, Value>| of.keys().cloned().collect::<BTreeSet<_>>();
        let (of_chart, of_install) = (names(&chart), names(&install));
        let only_chart: Vec<_> = of_chart.difference(&of_install).collect();
        let only_install: Vec<_> = of_install.difference(&of_chart).collect();
        assert!(
            only_chart.is_empty() && only_install.is_empty(),
            "{file}: only the chart has {only_chart:?}, only `install` has {only_install:?}"
        );
        for (name, wanted) in &install {
            let has = &chart[name];
            assert!(has == wanted, "{file}: {name} differs.\nthe chart: {has:#}\n`install`: {wanted:#}");
        }
    }
}

#[test]
fn what_the_chart_cannot_do_it_says() {
    let image = ["--set", "image.repository=registry.example/wayguard"];
    for (arguments, complaint) in [
        (&[][..], "image.repository is missing: set it to where the image is"),
        (&["--set", "replicas=3"], "additional properties 'replicas' not allowed"),
        (&["--set", "serve.replica=3"], "additional properties 'replica' not allowed"),
        (&["--set", "serve.replicas=0"], "minimum: got 0, want 1"),
        (
            &["--set", "policies={my-own}"],
            "policies: `my-own` is not built in; policies of your own are Policy objects",
        ),
        (
            &["--set", "certificate.secretName=a,history.enabled=true"],
            "certificate: not together with history.enabled",
        ),
        (&["--set", "certificate.certManager.enabled=true"], "issuerRef.name is missing"),
        (&["--set", "inventory={services}"], "does not match pattern"),
    ] {
        let Some(helm) = helm() else { return };
        let arguments = if arguments.is_empty() { Vec::new() } else { [&image[..], arguments].concat() };
        let said = template(helm, &arguments).expect_err("it must be refused");
        assert!(said.contains(complaint), "{arguments:?}: {said}");
    }
}

#[test]
fn no_template_makes_a_webhook_or_a_certificate() {
    let Some(helm) = helm() else { return };
    let path = folder().join("ci/everything.yaml");
    for object in template(helm, &["--values", path.to_str().unwrap()]).unwrap() {
        let hook = object["metadata"]["annotations"]["helm.sh/hook"].as_str().unwrap_or_default();
        if text(&object, "/kind").ends_with("WebhookConfiguration") {
            // Its hook removes what `control` has made.
            assert_eq!((hook, &object["webhooks"]), ("pre-delete", &json!([])));
        }
        if text(&object, "/kind") == "Secret" {
            assert!(object.get("data").is_none() && object.get("stringData").is_none(), "{object}");
        }
    }
}

#[test]
fn without_the_audit_nothing_of_it_is_there() {
    let Some(helm) = helm() else { return };
    let path = folder().join("ci/default.yaml");
    let all = template(helm, &["--values", path.to_str().unwrap(), "--set", "audit.enabled=false"]).unwrap();
    let left: Vec<String> = all.iter().map(called).filter(|name| name.ends_with("wayguard-audit")).collect();
    assert!(left.is_empty(), "{left:?}");
}
