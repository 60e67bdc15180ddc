//! `ConstraintTemplate`: the Rego, and the schema of its constraints' parameters.

use super::object::{Given, Problem};
use crate::rego::Module;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

/// The one target that there is.
const TARGET: &str = "admission.k8s.gatekeeper.sh";

/// A template as it was read; its Rego is not compiled yet.
#[derive(Clone, Debug)]
pub struct Template {
    /// The kind of its constraints.
    pub kind: String,
    /// Other names of that kind.
    pub short_names: Vec<String>,
    /// `OpenAPI` schema of `spec.parameters`, as the CRD has it; `None`: its constraints take no parameters.
    pub schema: Option<Json>,
    /// Operations it is about; empty: all that the webhook sees.
    pub operations: Vec<String>,
    /// Labels, which its CRD inherits.
    pub labels: Map<String, Json>,
    pub(crate) title: String,
    pub(crate) description: String,
    /// The template itself first.
    pub(crate) modules: Vec<Module>,
    /// Where in the object each module stands.
    pub(crate) pointers: Vec<String>,
    pub(crate) v0: bool,
    /// `data.` and the package of the first module.
    pub(crate) package: String,
}

#[derive(Debug, Deserialize)]
struct Spec {
    #[serde(default)]
    crd: Crd,
    #[serde(default)]
    targets: Vec<Target>,
}

#[derive(Debug, Default, Deserialize)]
struct Crd {
    #[serde(default)]
    spec: CrdSpec,
}

#[derive(Debug, Default, Deserialize)]
struct CrdSpec {
    #[serde(default)]
    names: Names,
    #[serde(default)]
    validation: Option<Validation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    short_names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    #[serde(default, rename = "openAPIV3Schema")]
    schema: Option<Json>,
    #[serde(default)]
    legacy_schema: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
struct Target {
    #[serde(default, rename = "target")]
    name: String,
    #[serde(default)]
    rego: String,
    #[serde(default)]
    libs: Vec<String>,
    #[serde(default)]
    code: Vec<Code>,
    #[serde(default)]
    operations: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Code {
    #[serde(default)]
    engine: String,
    #[serde(default)]
    source: Json,
}

/// The `source` of `engine: Rego`.
#[derive(Debug, Default, Deserialize)]
struct RegoSource {
    #[serde(default)]
    rego: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    libs: Vec<String>,
}

/// Reads a template.
///
/// # Errors
/// What keeps Gatekeeper from accepting it, or from it having any Rego.
pub(crate) fn read(given: &Given) -> Result<Template, Problem> {
    let spec: Spec = given.spec()?;
    let kind = spec.crd.spec.names.kind;
    if kind.is_empty() {
        return Err(Problem::new("/spec/crd", "`spec.crd.spec.names.kind` is missing"));
    }
    if given.name() != kind.to_ascii_lowercase() {
        let message = format!("the name must be the kind in lower case, `{}`", kind.to_ascii_lowercase());
        return Err(Problem::new("/metadata/name", message));
    }
    let [target] = spec.targets.as_slice() else {
        let message = format!("`targets` must have one entry, not {}", spec.targets.len());
        return Err(Problem::new("/spec/targets", message));
    };
    if target.name != TARGET {
        let message = format!("target `{}` is not known; write `{TARGET}`", target.name);
        return Err(Problem::new("/spec/targets/0/target", message));
    }
    let (source, place) = rego_of(target)?;
    let package = package_of(&source.rego)
        .ok_or_else(|| Problem::new(&format!("{place}/rego"), "the Rego has no `package`"))?;
    let mut modules = vec![Module { path: format!("{}.rego", given.name()), text: source.rego }];
    let mut pointers = vec![format!("{place}/rego")];
    for (index, text) in source.libs.into_iter().enumerate() {
        let pointer = format!("{place}/libs/{index}");
        let package = package_of(&text).unwrap_or_default();
        if package != "lib" && !package.starts_with("lib.") {
            let message = format!("package `{package}` of a library must begin with `lib.`");
            return Err(Problem::new(&pointer, message));
        }
        modules.push(Module { path: format!("{}/lib_{index}.rego", given.name()), text });
        pointers.push(pointer);
    }
    let labels = given.object.pointer("/metadata/labels").and_then(Json::as_object).cloned();
    Ok(Template {
        short_names: spec.crd.spec.names.short_names,
        schema: schema_of(spec.crd.spec.validation, given.version()),
        operations: target.operations.clone(),
        labels: labels.unwrap_or_default(),
        title: given.annotation("metadata.gatekeeper.sh/title").to_owned(),
        description: given.annotation("description").to_owned(),
        v0: source.version != "v1",
        package: format!("data.{package}"),
        kind,
        modules,
        pointers,
    })
}

/// The Rego of a target and the place of its members. `rego` stands above `code`; other engines are passed over
/// where there is Rego.
fn rego_of(target: &Target) -> Result<(RegoSource, String), Problem> {
    if !target.rego.is_empty() {
        let source =
            RegoSource { rego: target.rego.clone(), version: "v0".into(), libs: target.libs.clone() };
        return Ok((source, "/spec/targets/0".into()));
    }
    let position = target.code.iter().position(|code| code.engine == "Rego");
    let Some((index, code)) = position.and_then(|at| Some((at, target.code.get(at)?))) else {
        let engines: Vec<_> = target.code.iter().map(|code| format!("`{}`", code.engine)).collect();
        let found = if engines.is_empty() { "no code".to_owned() } else { engines.join(", ") };
        return Err(Problem::new(
            "/spec/targets/0",
            format!(
                "the template has no Rego ({found}); add `code` with `engine: Rego`, or write it as a ValidatingAdmissionPolicy"
            ),
        ));
    };
    let place = format!("/spec/targets/0/code/{index}/source");
    let source: RegoSource = serde_json::from_value(code.source.clone())
        .map_err(|error| Problem::new(&place, format!("`source`: {error}")))?;
    if source.rego.is_empty() {
        return Err(Problem::new(&place, "`source.rego` is missing"));
    }
    Ok((source, place))
}

/// The schema of parameters as the API server would enforce it. `legacySchema`, the default before v1, accepts what
/// the schema does not mention.
fn schema_of(validation: Option<Validation>, version: &str) -> Option<Json> {
    let validation = validation?;
    let legacy = validation.legacy_schema.unwrap_or(version != "v1");
    let schema = match (validation.schema, legacy) {
        (None, false) => return None,
        (None, true) => json!({}),
        (Some(schema), _) => schema,
    };
    Some(if legacy { preserving(schema) } else { schema })
}

/// The schema with unknown members of all objects kept.
fn preserving(mut schema: Json) -> Json {
    if let Json::Object(members) = &mut schema {
        let nested = |value: Json| match value {
            Json::Object(properties) => {
                Json::Object(properties.into_iter().map(|(name, inner)| (name, preserving(inner))).collect())
            }
            other => other,
        };
        if let Some(properties) = members.remove("properties") {
            members.insert("properties".into(), nested(properties));
        }
        for key in ["items", "additionalProperties"] {
            if let Some(inner) = members.remove(key) {
                members.insert(key.into(), if inner.is_object() { preserving(inner) } else { inner });
            }
        }
        let is_object = members.get("type").is_none_or(|name| name == "object");
        if is_object && !members.contains_key("additionalProperties") {
            members.insert("x-kubernetes-preserve-unknown-fields".into(), true.into());
        }
    }
    schema
}

/// The package that a module declares.
fn package_of(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim_start);
    let rest =
        lines.find_map(|line| line.strip_prefix("package").filter(|rest| rest.starts_with([' ', '\t'])))?;
    let name = rest.split('#').next().unwrap_or_default().trim().trim_end_matches(';');
    (!name.is_empty()).then(|| name.to_owned())
}

impl Template {
    fn mentions(&self, word: &str) -> bool {
        self.modules.iter().any(|module| module.text.contains(word))
    }

    /// Whether the Rego looks at other objects of the cluster.
    pub(crate) fn reads_inventory(&self) -> bool {
        self.mentions("inventory")
    }

    /// Whether the Rego looks at the Namespace object.
    pub(crate) fn reads_namespace(&self) -> bool {
        self.mentions("namespaceObject") || self.mentions("_unstable")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(yaml: &str) -> Given {
        let bump = bumpalo::Bump::new();
        let documents = crate::value::parse_yaml(&&bump, yaml).unwrap();
        Given { object: documents[0].value.to_serde(), from: "t.yaml".into(), place: None }
    }

    fn template(targets: &str) -> Result<Template, Problem> {
        read(&given(&format!(
            "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {{name: k8sx}}\nspec:\n  crd: {{spec: {{names: {{kind: K8sX}}}}}}\n  targets: {targets}\n"
        )))
    }

    #[test]
    fn rego_is_taken_from_either_place() {
        let old = template("[{target: admission.k8s.gatekeeper.sh, rego: 'package a.b # c'}]").unwrap();
        assert_eq!((old.package.as_str(), old.v0), ("data.a.b", true));
        let new = template("[{target: admission.k8s.gatekeeper.sh, code: [{engine: K8sNativeValidation, source: {}}, {engine: Rego, source: {version: v1, rego: 'package c', libs: ['package lib.x']}}]}]").unwrap();
        assert_eq!((new.package.as_str(), new.v0, new.modules.len()), ("data.c", false, 2));
        assert_eq!(new.pointers[1], "/spec/targets/0/code/1/source/libs/0");
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let cel = template(
            "[{target: admission.k8s.gatekeeper.sh, code: [{engine: K8sNativeValidation, source: {}}]}]",
        );
        assert!(cel.unwrap_err().message.starts_with("the template has no Rego (`K8sNativeValidation`)"));
        assert_eq!(template("[]").unwrap_err().message, "`targets` must have one entry, not 0");
        let lib = template("[{target: admission.k8s.gatekeeper.sh, rego: 'package a', libs: ['package b']}]");
        assert_eq!(lib.unwrap_err().message, "package `b` of a library must begin with `lib.`");
    }

    #[test]
    fn schemas_before_v1_accept_what_they_do_not_mention() {
        let validation = |legacy: Option<bool>| {
            Some(Validation {
                schema: Some(json!({"properties": {"labels": {"type": "array"}}})),
                legacy_schema: legacy,
            })
        };
        assert_eq!(
            schema_of(validation(None), "v1").unwrap(),
            json!({"properties": {"labels": {"type": "array"}}})
        );
        assert_eq!(
            schema_of(validation(None), "v1beta1").unwrap()["x-kubernetes-preserve-unknown-fields"],
            json!(true)
        );
        assert_eq!(schema_of(None, "v1"), None);
    }
}
