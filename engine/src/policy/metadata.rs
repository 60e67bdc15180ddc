//! The `# METADATA` block of a policy: all prose and the parameters' schema live there (the annotation format
//! of OPA, <https://www.openpolicyagent.org/docs/policy-language#metadata>), nowhere else.

use crate::decision::Severity;
use crate::matching::spec::ResourceRule;
use crate::rego::{LoadError, Module};
use crate::value::parse_yaml;
use serde::Deserialize;

/// What a policy says of itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Metadata {
    /// A few words.
    #[serde(default)]
    pub title: String,
    /// For a person who has never seen it.
    #[serde(default)]
    pub description: String,
    /// Everything that OPA does not define.
    #[serde(default)]
    pub custom: Custom,
}

/// The `custom` part of the annotations.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    /// How much a finding matters.
    #[serde(default)]
    pub severity: Severity,
    /// The chapter of the library it belongs to.
    #[serde(default)]
    pub category: String,
    /// Control ids of public benchmarks.
    #[serde(default)]
    pub controls: Vec<String>,
    /// What it covers of other libraries: `gatekeeper/` and the kind of a template, `kyverno/` and the name of a policy,
    /// `polaris/` and the id of a check.
    #[serde(default)]
    pub peers: Vec<String>,
    /// How to mend a finding, in one sentence.
    #[serde(default)]
    pub remedy: String,
    /// What it judges, unless its Policy object says otherwise.
    #[serde(default, rename = "match")]
    pub matches: Option<Applies>,
    /// It is written for Pods and judges workloads by their pod template, unless its Policy object says otherwise.
    #[serde(default)]
    pub expand: bool,
    /// JSON Schema of `input.parameters`.
    #[serde(default)]
    pub parameters: Option<serde_json::Value>,
    /// Facts to gather, by name.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Kinds to offer under `data.inventory`.
    #[serde(default)]
    pub inventory: Vec<InventoryKind>,
    /// What the request must carry: `user`, `operation`, `oldObject`, `namespace`.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Needs that depend on a parameter: its name → what is needed while it is `true`.
    #[serde(default, rename = "needsWhen")]
    pub needs_when: std::collections::BTreeMap<String, Vec<Need>>,
    /// A builtin that fails is undefined, as in Gatekeeper, instead of an error: for policies that were imported.
    #[serde(default, rename = "lenientBuiltins")]
    pub lenient_builtins: bool,
    /// Found values are never shown.
    #[serde(default)]
    pub sensitive: bool,
}

/// The requests that a policy is written for, in the words of a Policy object. In which namespaces it holds and for
/// whom is for the object to say.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Applies {
    /// At least one must match.
    pub resource_rules: Vec<ResourceRule>,
    /// None may match.
    #[serde(default)]
    pub exclude_resource_rules: Vec<ResourceRule>,
}

/// A kind that a policy reads from the inventory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryKind {
    /// API group, empty for core.
    #[serde(default)]
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// How much of it the policy sees.
    #[serde(default)]
    pub scope: InventoryScope,
}

/// How much of a kind a policy sees: no more than it says it needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InventoryScope {
    /// The objects of the request's own namespace.
    #[default]
    Namespace,
    /// All objects of the cluster.
    Cluster,
}

/// Something that not every origin has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Need {
    /// Who asks.
    User,
    /// The verb.
    Operation,
    /// The object before an update.
    OldObject,
    /// The Namespace object.
    Namespace,
}

/// Reads the package-scoped block of a module.
///
/// # Errors
/// No block, malformed YAML, or unknown keys under `custom`, with the place.
pub fn read(module: &Module) -> Result<Metadata, LoadError> {
    let at = |line: usize, message: String| {
        LoadError::at(&module.path, &module.text, u32::try_from(line).unwrap_or(0), 1, message)
    };
    let mut blocks = blocks(&module.text);
    let position = blocks.iter().position(|block| block.package).ok_or_else(|| {
        at(1, "the policy has no `# METADATA` block before its `package` line; a title, a description and `custom.remedy` are needed".into())
    })?;
    let block = blocks.swap_remove(position);
    let bump = bumpalo::Bump::new();
    let documents = parse_yaml(&&bump, &block.yaml)
        .map_err(|error| at(block.line + error.line, format!("METADATA is not YAML: {}", error.problem)))?;
    let value = documents.first().map(|document| document.value.to_serde()).unwrap_or_default();
    serde_json::from_value(value).map_err(|error| at(block.line, format!("METADATA: {error}")))
}

struct Block {
    line: usize,
    yaml: String,
    package: bool,
}

/// All METADATA blocks: the comment lines after `# METADATA`, and whether they describe the package.
fn blocks(text: &str) -> Vec<Block> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if line.trim_end() != "# METADATA" {
            continue;
        }
        let start = at;
        let mut yaml = String::new();
        while let Some(comment) = lines.get(at).and_then(|line| line.strip_prefix('#')) {
            yaml.push_str(comment.strip_prefix(' ').unwrap_or(comment));
            yaml.push('\n');
            at += 1;
        }
        let before_package = lines.get(at).is_some_and(|line| line.starts_with("package "));
        let scoped = yaml.lines().find_map(|line| line.strip_prefix("scope:")).map(str::trim);
        let package = scoped == Some("package") || (scoped.is_none() && before_package);
        found.push(Block { line: start, yaml, package });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(text: &str) -> Module {
        Module { path: "p.rego".into(), text: text.into() }
    }

    #[test]
    fn reads_the_package_block() {
        let text = "# METADATA\n# title: T\n# custom:\n#   severity: high\n#   needs: [oldObject]\npackage a\n\n# METADATA\n# title: rule\ndeny := 1\n";
        let metadata = read(&module(text)).unwrap();
        assert_eq!(metadata.title, "T");
        assert_eq!(metadata.custom.severity, Severity::High);
        assert_eq!(metadata.custom.needs, [Need::OldObject]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert!(
            read(&module("package a\n")).unwrap_err().message.starts_with("the policy has no `# METADATA`")
        );
        let error = read(&module("# METADATA\n# title: [\npackage a\n")).unwrap_err();
        assert!(error.message.starts_with("METADATA is not YAML"), "{error}");
        let error = read(&module("# METADATA\n# custom: {remdy: x}\npackage a\n")).unwrap_err();
        assert!(error.message.contains("unknown field `remdy`"), "{error}");
    }
}
