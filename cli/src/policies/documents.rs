//! Policy, Bundle and PolicyException objects, and Gatekeeper's, in YAML files.

use crate::excerpt;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;
use wayguard_engine::gatekeeper::{self, Given, is_gatekeeper};
use wayguard_engine::policy::bundle::BundleSpec;
use wayguard_engine::policy::spec::{API_VERSION, PolicyExceptionSpec, PolicySpec};
use wayguard_engine::rego::LoadError;
use wayguard_engine::value::{Value, YamlDocument, parse_yaml};

/// What one file holds.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// Name and spec.
    pub(super) policies: Vec<(String, PolicySpec)>,
    /// Name and spec.
    pub(super) exceptions: Vec<(String, PolicyExceptionSpec)>,
    /// Name and spec. One that is wrong is nobody's to answer for: none of its policies would be there.
    pub(super) bundles: Vec<(String, Result<BundleSpec, LoadError>)>,
    /// Gatekeeper's objects.
    pub(super) gatekeeper: Vec<Given>,
    /// Objects of our kinds that are wrong: name and problem.
    pub(super) failures: Vec<(String, LoadError)>,
}

impl Documents {
    /// Whether there is no object that is read.
    pub(super) fn is_empty(&self) -> bool {
        self.policies.is_empty()
            && self.exceptions.is_empty()
            && self.bundles.is_empty()
            && self.gatekeeper.is_empty()
            && self.failures.is_empty()
    }
}

/// Reads the objects of our kinds; others are passed over.
///
/// # Errors
/// If the text is not YAML.
pub(super) fn read(file: &str, text: &str) -> Result<Documents, LoadError> {
    let bump = bumpalo::Bump::new();
    let parsed = parse_yaml(&&bump, text).map_err(|error| excerpt::not_yaml(file, text, &error))?;
    let mut documents = Documents::default();
    for document in &parsed {
        Reader { file, text, document, shared: None, into: &mut documents }.object(document.value, "");
    }
    Ok(documents)
}

/// Reads Gatekeeper's objects of a file.
///
/// # Errors
/// If the text is not YAML.
pub(crate) fn gatekeeper_objects(file: &str, text: &str) -> Result<Vec<Given>, LoadError> {
    read(file, text).map(|documents| documents.gatekeeper)
}

type Shared = (Arc<str>, Arc<BTreeMap<String, usize>>);

struct Reader<'r, 'a> {
    file: &'r str,
    text: &'r str,
    document: &'r YamlDocument<'a>,
    /// The file's text and the document's places, shared by its objects of Gatekeeper's.
    shared: Option<Shared>,
    into: &'r mut Documents,
}

impl Reader<'_, '_> {
    fn object(&mut self, object: Value<'_>, prefix: &str) {
        let (api_version, kind) = (object.str_or_empty("apiVersion"), object.str_or_empty("kind"));
        if (api_version, kind) == ("v1", "List") {
            let items = object.get("items").and_then(Value::as_array).unwrap_or_default();
            for (index, item) in items.iter().enumerate() {
                self.object(*item, &format!("{prefix}/items/{index}"));
            }
            return;
        }
        if is_gatekeeper(api_version) {
            return self.gatekeeper(object, prefix);
        }
        let group = api_version.split('/').next().unwrap_or_default();
        if group != "wayguard.io" || !matches!(kind, "Policy" | "Bundle" | "PolicyException") {
            return;
        }
        let name = object.get("metadata").unwrap_or_default().str_or_empty("name").to_owned();
        let refuse = |this: &mut Self, place: &str, message: &str| {
            let line = this.line(&format!("{prefix}{place}"));
            let error = excerpt::problem(this.file, this.text, line, this.column(line), message);
            if kind == "Bundle" {
                this.into.bundles.push((name.clone(), Err(error)));
            } else {
                this.into.failures.push((name.clone(), error));
            }
        };
        if api_version != API_VERSION {
            return refuse(
                self,
                "/apiVersion",
                &format!("`{api_version}` is not known; write `{API_VERSION}`"),
            );
        }
        if name.is_empty() {
            return refuse(self, "/metadata", &format!("this {kind} has no `metadata.name`"));
        }
        let spec = object.get("spec").unwrap_or_default().to_serde();
        let outcome = match kind {
            "Policy" => typed(spec).map(|spec| self.into.policies.push((name.clone(), spec))),
            "Bundle" => typed(spec).map(|spec| self.into.bundles.push((name.clone(), Ok(spec)))),
            _ => typed(spec).map(|spec| self.into.exceptions.push((name.clone(), spec))),
        };
        if let Err(problem) = outcome {
            let place = self.place_of(&problem, prefix);
            refuse(self, &place, &format!("{kind} `{name}`: {problem}"));
        }
    }

    fn gatekeeper(&mut self, object: Value<'_>, prefix: &str) {
        let shared = || (Arc::from(self.text), Arc::new(self.document.lines.clone()));
        let (text, lines) = self.shared.get_or_insert_with(shared).clone();
        self.into.gatekeeper.push(Given {
            object: object.to_serde(),
            from: self.file.to_owned(),
            place: Some(gatekeeper::Place { text, lines, prefix: prefix.to_owned() }),
        });
    }

    /// Where in `spec` a key stands that serde complains of, if it says which.
    fn place_of(&self, problem: &str, prefix: &str) -> String {
        let named = problem.strip_prefix("unknown field `").or(problem.strip_prefix("unknown variant `"));
        let key = named.and_then(|rest| rest.split('`').next()).unwrap_or_default();
        let spec = format!("{prefix}/spec/");
        let ends = format!("/{key}");
        let known = self.document.lines.keys().find(|path| path.starts_with(&spec) && path.ends_with(&ends));
        let path = known.filter(|_| !key.is_empty()).and_then(|path| path.strip_prefix(prefix));
        path.unwrap_or("/spec").to_owned()
    }

    fn line(&self, path: &str) -> usize {
        self.document.lines.get(path).copied().unwrap_or(self.document.line)
    }

    fn column(&self, line: usize) -> usize {
        let text = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        text.chars().take_while(|character| matches!(character, ' ' | '-')).count() + 1
    }
}

fn typed<T: DeserializeOwned>(spec: serde_json::Value) -> Result<T, String> {
    serde_json::from_value(spec).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "apiVersion: wayguard.io/v1alpha1\nkind: Policy\nmetadata: {name: a}\nspec:\n  source: {library: x/y}\n  match:\n    resourceRules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]\n";

    #[test]
    fn our_kinds_are_read_and_others_passed_over() {
        let text = format!("{GOOD}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: n}}\n");
        let documents = read("p.yaml", &text).unwrap();
        assert_eq!(documents.policies.len(), 1);
        assert_eq!(documents.policies[0].0, "a");
        assert!(documents.failures.is_empty());
        assert!(read("p.yaml", "apiVersion: v1\nkind: Pod\n").unwrap().is_empty());
    }

    #[test]
    fn a_wrong_key_is_shown_where_it_stands() {
        let text = GOOD.replace("spec:\n", "spec:\n  acton: Warn\n");
        let documents = read("p.yaml", &text).unwrap();
        let (name, error) = &documents.failures[0];
        assert_eq!(name, "a");
        let shown = error.to_string();
        assert!(
            shown.starts_with("p.yaml:5:3: Policy `a`: unknown field `acton`, expected one of"),
            "{shown}"
        );
        assert!(shown.ends_with("\n 5 |   acton: Warn\n   |   ^"), "{shown}");
    }

    #[test]
    fn another_version_and_a_missing_name_are_refused() {
        let shown = |text: &str| read("p.yaml", text).unwrap().failures[0].1.message.clone();
        assert_eq!(
            shown(&GOOD.replace("v1alpha1", "v9")),
            "`wayguard.io/v9` is not known; write `wayguard.io/v1alpha1`"
        );
        assert_eq!(shown(&GOOD.replace("name: a", "labels: {}")), "this Policy has no `metadata.name`");
    }
}
