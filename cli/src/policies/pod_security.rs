//! `--pod-security-config`: upstream's `PodSecurityConfiguration`, the settings of the API server's own Pod
//! Security plugin (KEP-2579), as parameters for the bundle `pod-security`.

use crate::excerpt;
use crate::exit::Failure;
use serde::Deserialize;
use serde_json::{Map, Value};
use wayguard_engine::value::parse_yaml;

const GROUP: &str = "pod-security.admission.config.k8s.io";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Configuration {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    exemptions: Exemptions,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Defaults {
    enforce: Option<String>,
    enforce_version: Option<String>,
    audit: Option<String>,
    audit_version: Option<String>,
    warn: Option<String>,
    warn_version: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Exemptions {
    usernames: Vec<String>,
    namespaces: Vec<String>,
    runtime_classes: Vec<String>,
}

/// Reads the file's text: `{defaults, exemptions}` as the policies' parameters have them.
///
/// # Errors
/// If it is not YAML, of another kind, or has levels, versions or keys that upstream's plugin refuses too.
pub(super) fn read(file: &str, text: &str) -> Result<Map<String, Value>, Failure> {
    let wrong = |message: String| Failure::Invalid(format!("{file}: {message}"));
    let bump = bumpalo::Bump::new();
    let documents = parse_yaml(&&bump, text)
        .map_err(|error| Failure::Invalid(excerpt::not_yaml(file, text, &error).to_string()))?;
    let [document] = documents.as_slice() else {
        return Err(wrong("expected one document, a `PodSecurityConfiguration`".to_owned()));
    };
    let mut value = document.value.to_serde();
    if value.get("kind").and_then(Value::as_str) == Some("AdmissionConfiguration") {
        value = plugin(&value).ok_or_else(|| {
            wrong(
                "the `AdmissionConfiguration` has no plugin `PodSecurity` with its `configuration` inside"
                    .into(),
            )
        })?;
    }
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    let api_version = value.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let (group, version) = api_version.split_once('/').unwrap_or_default();
    if kind != "PodSecurityConfiguration"
        || group != GROUP
        || !matches!(version, "v1" | "v1beta1" | "v1alpha1")
    {
        return Err(wrong(format!(
            "expected a `PodSecurityConfiguration` of `{GROUP}/v1`, got `{kind}` of `{api_version}`"
        )));
    }
    let read: Configuration = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
    let defaults = defaults(read.defaults).map_err(wrong)?;
    let exemptions = exemptions(read.exemptions).map_err(wrong)?;
    Ok(Map::from_iter([("defaults".to_owned(), defaults), ("exemptions".to_owned(), exemptions)]))
}

fn plugin(configuration: &Value) -> Option<Value> {
    let plugins = configuration.get("plugins")?.as_array()?;
    let named =
        plugins.iter().find(|plugin| plugin.get("name").and_then(Value::as_str) == Some("PodSecurity"));
    named?.get("configuration").cloned()
}

fn defaults(defaults: Defaults) -> Result<Value, String> {
    let mut checked = Map::new();
    for (key, level) in [("enforce", defaults.enforce), ("audit", defaults.audit), ("warn", defaults.warn)] {
        let Some(level) = level.filter(|level| !level.is_empty()) else { continue };
        if !matches!(level.as_str(), "privileged" | "baseline" | "restricted") {
            return Err(format!("`defaults.{key}` is `{level}`; must be privileged, baseline or restricted"));
        }
        checked.insert(key.to_owned(), level.into());
    }
    for (key, version) in [
        ("enforce-version", defaults.enforce_version),
        ("audit-version", defaults.audit_version),
        ("warn-version", defaults.warn_version),
    ] {
        let Some(version) = version.filter(|version| !version.is_empty()) else { continue };
        if !is_version(&version) {
            return Err(format!("`defaults.{key}` is `{version}`; must be latest or v1.N, such as v1.37"));
        }
        checked.insert(key.to_owned(), version.into());
    }
    Ok(Value::Object(checked))
}

fn is_version(text: &str) -> bool {
    let minor = text.strip_prefix("v1.").unwrap_or_default();
    let plain = minor == "0" || (!minor.starts_with('0') && !minor.is_empty());
    text == "latest" || (plain && minor.bytes().all(|byte| byte.is_ascii_digit()))
}

fn exemptions(exemptions: Exemptions) -> Result<Value, String> {
    let mut checked = Map::new();
    for (key, names) in [
        ("usernames", exemptions.usernames),
        ("namespaces", exemptions.namespaces),
        ("runtimeClasses", exemptions.runtime_classes),
    ] {
        let mut seen = std::collections::BTreeSet::new();
        for name in &names {
            if name.is_empty() {
                return Err(format!("`exemptions.{key}` has an empty name"));
            }
            if !seen.insert(name) {
                return Err(format!("`exemptions.{key}` names `{name}` twice"));
            }
        }
        checked.insert(key.to_owned(), names.into());
    }
    Ok(Value::Object(checked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match read("psa.yaml", text) {
            Ok(parameters) => Value::Object(parameters).to_string(),
            Err(failure) => failure.to_string(),
        }
    }

    const HEAD: &str =
        "apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\n";

    #[test]
    fn upstreams_file_becomes_parameters() {
        let text = format!(
            "{HEAD}defaults: {{enforce: baseline, enforce-version: v1.30, warn: restricted}}\nexemptions: {{namespaces: [kube-system]}}\n"
        );
        assert_eq!(
            shown(&text),
            r#"{"defaults":{"enforce":"baseline","enforce-version":"v1.30","warn":"restricted"},"exemptions":{"namespaces":["kube-system"],"runtimeClasses":[],"usernames":[]}}"#
        );
    }

    #[test]
    fn the_api_servers_own_file_works_too() {
        let inner = format!("{HEAD}defaults: {{audit: restricted}}\n").replace('\n', "\n    ");
        let text = format!(
            "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- name: PodSecurity\n  configuration:\n    {inner}\n"
        );
        assert!(shown(&text).starts_with(r#"{"defaults":{"audit":"restricted"}"#), "{}", shown(&text));
    }

    #[test]
    fn what_upstream_refuses_is_refused() {
        for (body, problem) in [
            (
                "defaults: {enforce: strict}\n",
                "`defaults.enforce` is `strict`; must be privileged, baseline or restricted",
            ),
            (
                "defaults: {warn-version: v1.01}\n",
                "`defaults.warn-version` is `v1.01`; must be latest or v1.N, such as v1.37",
            ),
            ("exemptions: {usernames: [a, a]}\n", "`exemptions.usernames` names `a` twice"),
            (
                "exemptions: {users: [a]}\n",
                "unknown field `users`, expected one of `usernames`, `namespaces`, `runtimeClasses`",
            ),
        ] {
            assert_eq!(shown(&format!("{HEAD}{body}")), format!("psa.yaml: {problem}"));
        }
        assert_eq!(
            shown("kind: Pod\napiVersion: v1\n"),
            "psa.yaml: expected a `PodSecurityConfiguration` of `pod-security.admission.config.k8s.io/v1`, got `Pod` of `v1`"
        );
    }
}
