//! The classes that ship: `policies/provision/*/class.yaml`.

use bumpalo::Bump;
use wayguard_cluster::kinds::provisioning::ClaimClassSpec;
use wayguard_engine::policy::library::Library;
use wayguard_engine::value::parse_yaml;

/// Name, spec and whole object of each class of a library, by the folder's name.
///
/// # Errors
/// A file that is no `ClaimClass`, with its name.
pub fn shipped(library: &Library) -> Result<Vec<(String, ClaimClassSpec, serde_json::Value)>, String> {
    let files = library.files().iter();
    let files = files.filter(|(path, _)| path.starts_with("provision/") && path.ends_with("/class.yaml"));
    files
        .map(|(path, text)| {
            let arena = Bump::new();
            let documents = parse_yaml(&&arena, text).map_err(|error| format!("{path}: {error}"))?;
            let [document] = documents.as_slice() else {
                return Err(format!("{path}: expected one ClaimClass"));
            };
            let object = document.value.to_serde();
            let (name, spec) = read(&object).map_err(|problem| format!("{path}: {problem}"))?;
            Ok((name, spec, object))
        })
        .collect()
}

/// Name and spec of a `ClaimClass` object.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(object: &serde_json::Value) -> Result<(String, ClaimClassSpec), String> {
    let name = object.pointer("/metadata/name").and_then(serde_json::Value::as_str).unwrap_or_default();
    if object.get("kind").and_then(serde_json::Value::as_str) != Some("ClaimClass") || name.is_empty() {
        return Err("it is no `ClaimClass` with a name".to_owned());
    }
    let spec = object.get("spec").cloned().unwrap_or_default();
    serde_json::from_value(spec).map(|spec| (name.to_owned(), spec)).map_err(|error| error.to_string())
}
