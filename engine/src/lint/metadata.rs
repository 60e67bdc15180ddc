//! METADATA is all that people read of a policy: it is complete, and every parameter is explained.

use super::rule::{At, Found, Rule, Severity};
use super::unit::{Source, Unit, Whole};
use crate::rego::syntax::tree::{Module, Subject};
use crate::value::parse_yaml;
use serde_json::Value;

static COMPLETE: Rule = Rule {
    id: "metadata-complete",
    severity: Severity::Error,
    wants: "METADATA has title, description, severity, category, controls, remedy, parameters and match",
    why: "Reports, the generated pages, `kubectl apply` and SARIF show these and nothing else. An empty list of \
          controls says that none was found; a missing one, that nobody looked.",
    example: Some([
        "# METADATA\n# title: Names\n# custom:\n#   severity: low\npackage demo.named\n\ndeny contains {\"path\": \
         \"/metadata/name\", \"expected\": \"a name\"} if not input.review.object.metadata.name\n",
        "# METADATA\n# title: Names\n# description: Every object has a name.\n# custom:\n#   severity: low\n#   \
         category: demo\n#   match: {resourceRules: [{apiGroups: [\"\"], resources: [pods], operations: [CREATE]}]}\n#   controls: []\n#   \
         remedy: Name the object.\n#   parameters: {type: object, properties: {}}\npackage demo.named\n\ndeny \
         contains {\"path\": \"/metadata/name\", \"expected\": \"a name\"} if not input.review.object.metadata.name\n",
    ]),
};

static PARAMETERS: Rule = Rule {
    id: "metadata-parameters",
    severity: Severity::Error,
    wants: "every parameter has a description",
    why: "Who sets a parameter reads the schema, not the Rego.",
    example: None,
};

static CATEGORY: Rule = Rule {
    id: "metadata-category",
    severity: Severity::Error,
    wants: "the category in METADATA is the folder that the policy lies in",
    why: "Reports sort by the category and ids by the folder; where they differ, one of them is looked for in vain.",
    example: None,
};

pub(super) const RULES: &[&Rule] = &[&COMPLETE, &PARAMETERS, &CATEGORY];

/// The METADATA of a package, as it is written.
#[derive(Clone, Debug)]
pub(super) struct Annotations {
    /// The line of the marker.
    first_line: u32,
    yaml: String,
    value: Value,
}

impl Annotations {
    /// Reads the block before the package; what cannot be read is said when the policy is loaded.
    pub(super) fn read(tree: &Module) -> Option<Self> {
        let block = tree.metadata.iter().find(|block| block.subject == Subject::Package)?;
        let bump = bumpalo::Bump::new();
        let documents = parse_yaml(&&bump, &block.yaml).ok()?;
        let value = documents.first()?.value.to_serde();
        Some(Self { first_line: block.span.start.line, yaml: block.yaml.clone(), value })
    }

    /// A key of `custom`.
    pub(super) fn custom(&self, key: &str) -> Option<&Value> {
        self.value.get("custom")?.get(key)
    }

    /// The texts of a list in `custom`.
    pub(super) fn list(&self, key: &str) -> Vec<&str> {
        let list = self.custom(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The schemas of the parameters, by name.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&String, &Value)> {
        let properties = self.custom("parameters").and_then(|schema| schema.get("properties")?.as_object());
        properties.into_iter().flatten()
    }

    /// The schema of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters().find(|(known, _)| *known == name).map(|(_, schema)| schema)
    }

    /// The place of a key, the first one below `above` if that is there; else of the block.
    pub(super) fn at<'s>(&self, source: &'s Source, above: &str, key: &str) -> At<'s> {
        let is = |line: &str, key: &str| {
            line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with(':'))
        };
        let lines: Vec<&str> = self.yaml.lines().collect();
        let from = lines.iter().position(|line| is(line, above)).unwrap_or_default();
        let below = lines.iter().skip(from).position(|line| is(line, key)).map(|at| from + at);
        let at = below.or_else(|| lines.iter().position(|line| is(line, above)));
        let down = at.map_or(0, |at| at + 1);
        At::line(&source.path, &source.text, self.first_line + u32::try_from(down).unwrap_or_default())
    }
}

/// What METADATA must have, where, and what it is for.
const WANTED: [(&str, bool, &str); 8] = [
    ("title", false, "a few words"),
    ("description", false, "what it refuses and why, for a person who has never seen it"),
    ("severity", true, "low, medium, high or critical"),
    ("category", true, "the folder that it lies in"),
    ("controls", true, "ids of public benchmarks, or []"),
    ("remedy", true, "how to mend a finding, in one sentence"),
    ("parameters", true, "a JSON schema; {type: object, properties: {}} if there are none"),
    ("match", true, "what it judges: {resourceRules: […]}"),
];

pub(super) fn check(unit: &Unit<'_>, _: &Whole<'_>, found: &mut Found) {
    // A policy without any is not loaded, and that is said there.
    let (Some(folder), Some(annotations)) = (unit.policy(), &unit.annotations) else { return };
    for (key, custom, meaning) in WANTED {
        let value = if custom { annotations.custom(key) } else { annotations.value.get(key) };
        let there = match value {
            Some(Value::String(text)) => !text.trim().is_empty(),
            Some(Value::Null) | None => false,
            Some(_) => true,
        };
        if !there {
            let name = if custom { format!("custom.{key}") } else { key.to_owned() };
            let at = annotations.at(unit.source, if custom { "custom" } else { "title" }, key);
            found.add(&COMPLETE, at, format!("METADATA has no `{name}`"), format!("add it: {meaning}"));
        }
    }
    for (name, schema) in annotations.parameters() {
        let described =
            schema.get("description").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
        if !described {
            let at = annotations.at(unit.source, "parameters", name);
            let message = format!("the parameter `{name}` has no description");
            found.add(&PARAMETERS, at, message, "add `description`: what it means, and in which unit");
        }
    }
    let category = annotations.custom("category").and_then(Value::as_str).unwrap_or_default();
    let lies_in = folder.id.split('/').next().unwrap_or_default();
    if !category.is_empty() && category != lies_in {
        let at = annotations.at(unit.source, "custom", "category");
        let message = format!("the category is `{category}`, and the policy lies in `{lies_in}`");
        found.add(&CATEGORY, at, message, format!("write `category: {lies_in}`, or move the folder"));
    }
}
