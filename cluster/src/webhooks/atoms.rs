//! Rules of webhook configurations, taken apart: one resource and one verb each.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A verb as in `admissionregistration.k8s.io/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the verbs of admissionregistration.k8s.io/v1")]
pub enum Verb {
    Create,
    Update,
    Delete,
    Connect,
}

impl Verb {
    /// All verbs.
    pub const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Delete, Self::Connect];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

/// One resource, or subresource, and one verb.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Atom {
    /// API group, empty for core.
    pub group: String,
    /// API version, or `*`.
    pub version: String,
    /// `pods`, or with a subresource `pods/exec`.
    pub resource: String,
    /// `Cluster`, `Namespaced` or `*`.
    pub scope: String,
    /// The verb.
    pub verb: Verb,
}

/// A set of atoms in which no atom says what another one says already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(BTreeSet<Atom>);

impl Rules {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The atoms in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Atom> {
        self.0.iter()
    }

    /// Adds an atom, unless a wider one is there; narrower ones go.
    pub fn add(&mut self, atom: Atom) {
        if !self.covers(&atom) {
            self.0.retain(|other| !covers(&atom, other));
            self.0.insert(atom);
        }
    }

    /// Whether every request that `atom` describes is described here.
    pub fn covers(&self, atom: &Atom) -> bool {
        self.0.iter().any(|other| covers(other, atom))
    }

    /// Those atoms for which `keep` says so.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Atom) -> bool) -> Self {
        Self(self.0.iter().filter(|atom| keep(atom)).cloned().collect())
    }

    /// As a configuration writes them: resources with the same group, version, scope and verbs share a rule.
    pub fn to_json(&self) -> Value {
        let mut verbs: BTreeMap<(&str, &str, &str, &str), BTreeSet<Verb>> = BTreeMap::new();
        for atom in &self.0 {
            let what =
                (atom.group.as_str(), atom.version.as_str(), atom.scope.as_str(), atom.resource.as_str());
            verbs.entry(what).or_default().insert(atom.verb);
        }
        let mut resources: BTreeMap<(&str, &str, &str, BTreeSet<Verb>), Vec<&str>> = BTreeMap::new();
        for ((group, version, scope, resource), verbs) in verbs {
            resources.entry((group, version, scope, verbs)).or_default().push(resource);
        }
        let rule =
            |((group, version, scope, verbs), resources): ((&str, &str, &str, BTreeSet<Verb>), Vec<&str>)| {
                let operations: Vec<_> = verbs.into_iter().map(Verb::as_str).collect();
                json!({
                    "apiGroups": [group],
                    "apiVersions": [version],
                    "operations": operations,
                    "resources": resources,
                    "scope": scope,
                })
            };
        Value::Array(resources.into_iter().map(rule).collect())
    }

    /// Reads them back, from whoever wrote them. What cannot be taken apart (`*` among the verbs is taken as all of
    /// them) is kept as it is written: `*` as a resource or group is just another name here.
    pub fn from_json(rules: &Value) -> Self {
        let mut read = Self::default();
        let strings = |rule: &Value, key: &str| -> Vec<String> {
            let list = rule.get(key).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(|item| item.as_str().map(str::to_owned)).collect()
        };
        for rule in rules.as_array().into_iter().flatten() {
            let scope = rule.get("scope").and_then(Value::as_str).unwrap_or("*");
            let operations = strings(rule, "operations");
            let verbs = Verb::ALL
                .into_iter()
                .filter(|verb| operations.iter().any(|it| it == "*" || it == verb.as_str()));
            for verb in verbs {
                for group in strings(rule, "apiGroups") {
                    for version in strings(rule, "apiVersions") {
                        for resource in strings(rule, "resources") {
                            let (group, version) = (group.clone(), version.clone());
                            read.add(Atom { group, version, resource, scope: scope.to_owned(), verb });
                        }
                    }
                }
            }
        }
        read
    }
}

impl FromIterator<Atom> for Rules {
    fn from_iter<T: IntoIterator<Item = Atom>>(atoms: T) -> Self {
        let mut rules = Self::default();
        atoms.into_iter().for_each(|atom| rules.add(atom));
        rules
    }
}

fn covers(wide: &Atom, narrow: &Atom) -> bool {
    let fits = |wide: &str, narrow: &str| wide == "*" || wide == narrow;
    wide.verb == narrow.verb
        && fits(&wide.group, &narrow.group)
        && fits(&wide.version, &narrow.version)
        && fits(&wide.scope, &narrow.scope)
        && wide.resource == narrow.resource
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(resource: &str, version: &str, verb: Verb) -> Atom {
        Atom {
            group: String::new(),
            version: version.into(),
            resource: resource.into(),
            scope: "*".into(),
            verb,
        }
    }

    #[test]
    fn resources_with_the_same_verbs_share_a_rule() {
        let rules: Rules = [
            atom("pods", "*", Verb::Create),
            atom("pods", "*", Verb::Update),
            atom("pods/resize", "*", Verb::Update),
            atom("services", "*", Verb::Create),
            atom("services", "*", Verb::Update),
        ]
        .into_iter()
        .collect();
        let rule = |operations: Value, resources: Value| json!({"apiGroups": [""], "apiVersions": ["*"], "operations": operations, "resources": resources, "scope": "*"});
        let expected = json!([
            rule(json!(["CREATE", "UPDATE"]), json!(["pods", "services"])),
            rule(json!(["UPDATE"]), json!(["pods/resize"])),
        ]);
        assert_eq!(rules.to_json(), expected);
        assert_eq!(Rules::from_json(&expected), rules);
    }

    #[test]
    fn a_wider_version_swallows_a_narrower_one() {
        let mut rules: Rules = [atom("pods", "v1", Verb::Create)].into_iter().collect();
        rules.add(atom("pods", "*", Verb::Create));
        rules.add(atom("pods", "v2", Verb::Create));
        assert_eq!(rules.iter().collect::<Vec<_>>(), [&atom("pods", "*", Verb::Create)]);
        assert!(rules.covers(&atom("pods", "v9", Verb::Create)));
        assert!(!rules.covers(&atom("pods", "*", Verb::Delete)));
    }

    #[test]
    fn foreign_wildcards_are_read() {
        let all =
            json!([{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["pods"]}]);
        let rules = Rules::from_json(&all);
        assert!(rules.covers(&atom("pods", "v1", Verb::Connect)));
        assert_eq!(rules.iter().count(), 4);
    }
}
