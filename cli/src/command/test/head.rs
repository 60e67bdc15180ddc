//! The head of a sample: what its first comment says is to be found in it.

use crate::excerpt;
use serde::Deserialize;
use serde_json::{Map, Value};
use wayguard_engine::rego::LoadError;
use wayguard_engine::value::parse_yaml;

/// The mapping under `# test:`. All keys are optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Head {
    /// `input.parameters`; the schema's defaults fill in the rest.
    pub(super) parameters: Map<String, Value>,
    /// The Namespace that the object is in; absent: it is not known.
    pub(super) namespace: Option<NamespaceHead>,
    /// The workload whose template the Pod is.
    pub(super) owner: Option<Value>,
    /// Default: `CREATE`.
    pub(super) operation: Option<String>,
    /// The object before an UPDATE.
    pub(super) old_object: Option<Value>,
    /// Who asks.
    pub(super) user_info: Option<Value>,
    /// What is asked about, where the object's kind does not say it: `pods` for a PodExecOptions, `deployments.apps`
    /// for a Scale.
    pub(super) resource: String,
    /// Such as `ephemeralcontainers`.
    pub(super) sub_resource: String,
    /// `data.inventory`, in Gatekeeper's shape; absent: it is not known.
    pub(super) inventory: Option<Inventory>,
    /// `input.facts` by name.
    pub(super) facts: Map<String, Value>,
    /// All `deny` findings, one entry each.
    pub(super) expect: Option<Vec<Expectation>>,
    /// All `warn` findings, one entry each.
    pub(super) warnings: Vec<Expectation>,
    /// All fields that are filled in.
    pub(super) defaults: Option<Vec<Default_>>,
    /// The whole change of the object, as JSON Patch: what is filled in, replaced and removed.
    pub(super) patch: Option<Vec<Step>>,
    /// The outcome: `allow`, `warn` or `deny`.
    pub(super) verdict: Option<String>,
    /// The time at which it is judged, such as `2026-11-23T04:00:00Z`; absent: now.
    pub(super) now: Option<jiff::Timestamp>,
}

/// A Namespace in short.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NamespaceHead {
    pub(super) name: String,
    pub(super) labels: Map<String, Value>,
    pub(super) annotations: Map<String, Value>,
}

/// Objects by namespace (or none), `group/version`, kind and name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Inventory {
    pub(super) namespace: Map<String, Value>,
    pub(super) cluster: Map<String, Value>,
}

/// A finding that must be there; what is not said is not compared.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Expectation {
    /// The rule's id.
    pub(super) rule: Option<String>,
    /// JSON Pointer into the sample.
    pub(super) path: Option<String>,
    /// A part of the message.
    pub(super) message: Option<String>,
    /// The value that was found, masked as people see it.
    pub(super) found: Option<Value>,
    /// The words that follow "must be".
    pub(super) expected: Option<String>,
    /// Such as `high`.
    pub(super) severity: Option<String>,
    /// Whether the old object had it already.
    pub(super) existing: Option<bool>,
}

/// One operation of a JSON Patch (RFC 6902).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Step {
    /// Adds a field.
    Add { path: String, value: Value },
    /// Puts another value in its place.
    Replace { path: String, value: Value },
    /// Takes it away.
    Remove { path: String },
}

/// A field that must be filled in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Default_ {
    /// JSON Pointer into the sample.
    pub(super) path: String,
    /// With this.
    pub(super) value: Value,
}

/// Reads the head of a sample; without a `# test:` line everything is at its default.
///
/// # Errors
/// If it is not YAML, or has unknown keys, with the place.
pub(super) fn read(file: &str, text: &str) -> Result<Head, LoadError> {
    let comment =
        text.lines().enumerate().take_while(|(_, line)| line.starts_with('#') || line.trim().is_empty());
    let mut lines = comment.skip_while(|(_, line)| line.trim_end() != "# test:");
    let Some((first, _)) = lines.next() else { return Ok(Head::default()) };
    let uncomment = |line: &str| {
        let rest = line.strip_prefix('#').unwrap_or_default();
        rest.strip_prefix(' ').unwrap_or(rest).to_owned()
    };
    let yaml: Vec<String> = lines.map(|(_, line)| uncomment(line)).collect();
    let yaml = yaml.join("\n");
    let bump = bumpalo::Bump::new();
    let documents = parse_yaml(&&bump, &yaml).map_err(|error| {
        // The head starts one line after `# test:`, and every line of it two columns in.
        excerpt::problem(
            file,
            text,
            first + 1 + error.line,
            error.column + 2,
            &format!("the head is not YAML: {}", error.problem),
        )
    })?;
    let at = |message: String| excerpt::problem(file, text, first + 1, 3, &message);
    match documents.as_slice() {
        [] => Ok(Head::default()),
        [document] => serde_json::from_value(document.value.to_serde())
            .map_err(|error| at(format!("the head: {error}"))),
        _ => Err(at("the head is more than one document".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_comes_first_and_what_is_not_said_is_at_its_default() {
        let text = "# Why this is wrong.\n# test:\n#   operation: UPDATE\n#   expect:\n#     - {rule: privileged, path: /spec/a}\napiVersion: v1\n";
        let head = read("s.yaml", text).unwrap();
        assert_eq!(head.operation.as_deref(), Some("UPDATE"));
        let expected = Expectation {
            rule: Some("privileged".into()),
            path: Some("/spec/a".into()),
            ..Expectation::default()
        };
        assert_eq!(head.expect, Some(vec![expected]));
        assert!(read("s.yaml", "# prose\napiVersion: v1\n").unwrap().expect.is_none());
    }

    #[test]
    fn mistakes_are_shown_where_they_stand() {
        let unknown = read("s.yaml", "# x\n# test:\n#   expects: []\na: 1\n").unwrap_err();
        assert!(
            unknown.to_string().starts_with("s.yaml:2:3: the head: unknown field `expects`"),
            "{unknown}"
        );
        let broken = read("s.yaml", "# test:\n#   expect: {a: b: c}\na: 1\n").unwrap_err();
        assert!(broken.message.starts_with("the head is not YAML"), "{broken}");
        assert_eq!(broken.line, 2);
    }
}
