//! Real policies with real inputs: our library with its samples, and Gatekeeper's templates where they are at hand.

use super::question::Question;
use bumpalo::Bump;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use wayguard_engine::value::parse_yaml;

/// A policy and inputs that it was written for.
pub struct Subject {
    /// For a person.
    pub name: String,
    /// The question, without an input.
    pub question: Question,
    /// Inputs.
    pub inputs: Vec<Json>,
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The YAML documents of a file.
fn yaml(path: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let arena = Bump::new();
    let documents =
        parse_yaml(&&arena, &text).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
    documents.iter().map(|document| document.value.to_serde()).collect()
}

/// Files below a folder with an ending, in order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// All subjects that are at hand; says which are not.
pub fn subjects() -> Vec<Subject> {
    library().into_iter().chain(gatekeeper()).collect()
}

/// Gatekeeper's templates, if they are at hand; says if they are not.
pub fn gatekeeper() -> Vec<Subject> {
    let fixtures = top().join("../shared/fixtures");
    if !fixtures.is_dir() {
        println!("skipped: Gatekeeper's templates are not beside the repository");
        return Vec::new();
    }
    suites(&fixtures.join("gatekeeper-library")).into_iter().chain(bench(&fixtures.join("bench"))).collect()
}

/// The policies of this repository, asked for all that they define.
fn library() -> Vec<Subject> {
    let folder = top().join("policies");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let library: Vec<String> = files(&folder.join("lib"), ".rego")
        .iter()
        .filter(|path| !path.to_string_lossy().ends_with("_test.rego"))
        .map(|path| read(path))
        .collect();
    let mut found = Vec::new();
    for path in files(&folder, "policy.rego") {
        let text = read(&path);
        let package = text.lines().find_map(|line| line.strip_prefix("package ")).unwrap().trim().to_owned();
        let inputs: Vec<Json> = files(&path.parent().unwrap().join("samples"), ".yaml")
            .iter()
            .flat_map(|sample| yaml(sample))
            .map(|object| json!({"review": review(&object), "parameters": {}, "namespace": namespace(&object)}))
            .collect();
        let mut modules = vec![text];
        modules.extend(library.iter().cloned());
        let question = Question { modules, query: format!("data.{package}"), ..Question::default() };
        found.push(Subject { name: package, question, inputs });
    }
    found
}

fn namespace(object: &Json) -> Json {
    let name = object["metadata"]["namespace"].as_str().unwrap_or("shop");
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"team": "shop", "environment": "production"}}})
}

/// An admission request for an object; a request that stands in an AdmissionReview is taken as it is.
pub fn review(object: &Json) -> Json {
    if object["kind"] == "AdmissionReview" {
        return object["request"].clone();
    }
    let api_version = object["apiVersion"].as_str().unwrap_or("v1");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    json!({
        "uid": "7f3a",
        "kind": {"group": group, "version": version, "kind": object["kind"]},
        "operation": "CREATE",
        "name": object["metadata"]["name"],
        "namespace": object["metadata"]["namespace"],
        "userInfo": {"username": "jane", "groups": ["system:authenticated"]},
        "object": object,
    })
}

/// Gatekeeper's suites: each constraint is a subject, its cases are the inputs.
fn suites(folder: &Path) -> Vec<Subject> {
    let mut found = Vec::new();
    for suite in files(folder, "suite.yaml") {
        let place = suite.parent().unwrap();
        for test in
            yaml(&suite).iter().flat_map(|suite| suite["tests"].as_array().cloned().unwrap_or_default())
        {
            let file = |name: &Json| name.as_str().map(|name| place.join(name));
            let Some(template) = file(&test["template"]).map(|path| yaml(&path).swap_remove(0)) else {
                continue;
            };
            let Some(constraint) = file(&test["constraint"]).map(|path| yaml(&path).swap_remove(0)) else {
                continue;
            };
            let Some(mut question) = template_question(&template) else { continue };
            let (mut inputs, mut inventory) = (Vec::new(), json!({}));
            for case in test["cases"].as_array().cloned().unwrap_or_default() {
                for object in file(&case["object"]).iter().flat_map(|path| yaml(path)) {
                    inputs.push(
                        json!({"review": review(&object), "parameters": constraint["spec"]["parameters"]}),
                    );
                }
                for other in case["inventory"].as_array().cloned().unwrap_or_default() {
                    for object in file(&other).iter().flat_map(|path| yaml(path)) {
                        into_inventory(&mut inventory, object);
                    }
                }
            }
            question.data = Some(json!({"inventory": inventory}).to_string());
            let name = format!(
                "{}/{}",
                template["metadata"]["name"].as_str().unwrap_or("?"),
                test["name"].as_str().unwrap_or("?")
            );
            found.push(Subject { name, question, inputs });
        }
    }
    found
}

/// Puts an object where templates find it below `data.inventory`.
pub fn into_inventory(inventory: &mut Json, object: Json) {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let (name, namespace) = (text(&object["metadata"]["name"]), text(&object["metadata"]["namespace"]));
    if namespace.is_empty() {
        inventory["cluster"][api_version][kind][name] = object;
    } else {
        inventory["namespace"][namespace][api_version][kind][name] = object;
    }
}

/// The Rego of a template.
fn template_question(template: &Json) -> Option<Question> {
    let target = &template["spec"]["targets"][0];
    let engine = target["code"].as_array().and_then(|code| code.iter().find(|code| code["engine"] == "Rego"));
    let source = engine.map_or(target, |engine| &engine["source"]);
    let rego = source["rego"].as_str()?;
    let libraries = source["libs"].as_array().cloned().unwrap_or_default();
    let mut modules = vec![rego.to_owned()];
    modules.extend(libraries.iter().filter_map(|library| library.as_str().map(str::to_owned)));
    let package = rego.lines().find_map(|line| line.trim().strip_prefix("package "))?.trim().to_owned();
    let v0 = source["version"] != "v1";
    // The whole package, so that each rule of it is compared.
    Some(Question { modules, query: format!("data.{package}"), v0, ..Question::default() })
}

/// The templates of the benchmark with its Pod.
fn bench(folder: &Path) -> Vec<Subject> {
    let read = |name: &str| -> Json {
        serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
    };
    let (review, constraints) = (read("review.json"), read("constraints.json"));
    let review = review.get("request").cloned().unwrap_or(review);
    let mut found = Vec::new();
    for path in files(&folder.join("templates"), ".yaml") {
        for template in yaml(&path) {
            let Some(question) = template_question(&template) else { continue };
            let kind = &template["spec"]["crd"]["spec"]["names"]["kind"];
            let of_kind =
                constraints["items"].as_array().into_iter().flatten().filter(|one| one["kind"] == *kind);
            let inputs = of_kind
                .map(|one| json!({"review": review, "parameters": one["spec"]["parameters"]}))
                .collect();
            let name = format!("bench/{}", kind.as_str().unwrap_or("?"));
            found.push(Subject { name, question, inputs });
        }
    }
    found
}
