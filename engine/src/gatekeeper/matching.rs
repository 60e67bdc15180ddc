//! `spec.match` of constraints, mutators: which objects are meant. By kind rather than resource, by the object's own
//! metadata and its namespace's, as in Gatekeeper's reference ("The match field").

use crate::matching::spec::LabelSelector;
use crate::matching::{Mismatch, selects};
use crate::request::GroupVersionKind;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// Which objects are meant; all conditions must hold, an absent one does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Match {
    /// At least one must fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Kinds>,
    /// `Cluster`, `Namespaced`; anything else is both.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Namespaces by name, with `*` in front, at the end or both. Cluster-scoped objects fit whatever is listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Not these namespaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_namespaces: Vec<String>,
    /// Labels of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<LabelSelector>,
    /// Labels of the object's namespace, or of the object if it is one; other cluster-scoped objects fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// The object's name, with `*` in front, at the end or both.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whether objects that an `ExpansionTemplate` generates are meant.
    #[serde(default)]
    pub source: Source,
}

/// Groups and kinds; an empty list, or `*`, is all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kinds {
    /// API groups, empty text for core.
    #[serde(default)]
    pub api_groups: Vec<String>,
    /// Kinds in `CamelCase`.
    #[serde(default)]
    pub kinds: Vec<String>,
}

/// Where an object comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// Either.
    #[default]
    #[serde(alias = "")]
    All,
    /// A request, a file, a cluster.
    Original,
    /// An `ExpansionTemplate`.
    Generated,
}

/// What is matched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    /// The object, or what it was.
    pub(crate) object: Value<'a>,
    pub(crate) kind: GroupVersionKind<'a>,
    /// The namespace it lives in; empty: none (also for Namespaces themselves).
    pub(crate) namespace: &'a str,
    /// The Namespace object, if it is known.
    pub(crate) namespace_object: Option<Value<'a>>,
    /// `Original` or `Generated`.
    pub(crate) source: Source,
}

impl Kinds {
    fn fits(&self, kind: GroupVersionKind<'_>) -> bool {
        let any = |list: &[String], own: &str| {
            list.is_empty() || list.iter().any(|item| item == "*" || item == own)
        };
        any(&self.kinds, kind.kind) && any(&self.api_groups, kind.group)
    }
}

impl Match {
    /// Whether objects of that kind can fit at all.
    pub(crate) fn kind_fits(&self, kind: GroupVersionKind<'_>) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|kinds| kinds.fits(kind))
    }

    /// Whether the object is meant.
    pub(crate) fn fits(&self, candidate: &Candidate<'_>) -> bool {
        self.mismatch(candidate).is_none()
    }

    /// The first condition that the object does not meet.
    pub(crate) fn mismatch(&self, candidate: &Candidate<'_>) -> Option<Mismatch> {
        let is = |unmet: bool, mismatch: Mismatch| unmet.then_some(mismatch);
        is(!self.kind_fits(candidate.kind), Mismatch::Resource)
            .or_else(|| is(!self.scope_fits(candidate), Mismatch::Scope))
            .or_else(|| self.namespace_mismatch(candidate))
            .or_else(|| self.label_mismatch(candidate))
            .or_else(|| is(!self.name_fits(candidate.object), Mismatch::Name))
            .or_else(|| is(self.source != Source::All && self.source != candidate.source, Mismatch::Source))
    }

    fn scope_fits(&self, candidate: &Candidate<'_>) -> bool {
        let namespaced = !candidate.namespace.is_empty() && !is_namespace(candidate.kind);
        match self.scope.as_str() {
            "Cluster" => !namespaced,
            "Namespaced" => namespaced,
            // As in Gatekeeper: a scope that is misspelt does not restrict.
            _ => true,
        }
    }

    fn namespace_mismatch(&self, candidate: &Candidate<'_>) -> Option<Mismatch> {
        let name = if is_namespace(candidate.kind) { name_of(candidate.object) } else { candidate.namespace };
        if name.is_empty() {
            return None;
        }
        let listed = |patterns: &[String]| patterns.iter().any(|pattern| glob_fits(pattern, name));
        if !self.namespaces.is_empty() && !listed(&self.namespaces) {
            return Some(Mismatch::Namespaces);
        }
        listed(&self.excluded_namespaces).then_some(Mismatch::ExcludeNamespaces)
    }

    fn label_mismatch(&self, candidate: &Candidate<'_>) -> Option<Mismatch> {
        let of = |object: Value<'_>, selector: &LabelSelector| {
            selects(selector, object.at(&["metadata", "labels"]).unwrap_or_default())
        };
        if !self.label_selector.as_ref().is_none_or(|selector| of(candidate.object, selector)) {
            return Some(Mismatch::ObjectSelector);
        }
        let home = self.namespace_selector.as_ref().is_none_or(|selector| {
            match (is_namespace(candidate.kind), candidate.namespace_object) {
                (true, _) => of(candidate.object, selector),
                (false, Some(namespace)) => of(namespace, selector),
                (false, None) => candidate.namespace.is_empty(),
            }
        });
        (!home).then_some(Mismatch::NamespaceSelector)
    }

    fn name_fits(&self, object: Value<'_>) -> bool {
        let generated = object.get("metadata").unwrap_or_default().str_or_empty("generateName");
        self.name.is_empty()
            || glob_fits(&self.name, name_of(object))
            || (self.name.ends_with('*') && glob_fits(&self.name, generated))
    }

    /// Whether the answer hangs on the namespace's labels.
    pub(crate) fn asks_namespace_labels(&self) -> bool {
        self.namespace_selector.as_ref().is_some_and(|selector| *selector != LabelSelector::default())
    }
}

fn name_of(object: Value<'_>) -> &str {
    object.get("metadata").unwrap_or_default().str_or_empty("name")
}

pub(crate) fn is_namespace(kind: GroupVersionKind<'_>) -> bool {
    kind.group.is_empty() && kind.kind == "Namespace"
}

/// `*` counts at the front and at the end only.
pub(crate) fn glob_fits(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(rest), Some(_)) => text.contains(rest.strip_suffix('*').unwrap_or(rest)),
        (Some(suffix), None) => text.ends_with(suffix),
        (None, Some(prefix)) => text.starts_with(prefix),
        (None, None) => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;
    use bumpalo::Bump;

    /// Whether `rule` (JSON) fits `object`, which lives in `namespace` with the labels `{"env":"prod"}`.
    fn fits(rule: &str, object: &str, namespace: &str) -> bool {
        let bump = Bump::new();
        let arena = &&bump;
        let object = parse_json(arena, object.as_bytes()).unwrap();
        let home = parse_json(arena, br#"{"metadata":{"labels":{"env":"prod"}}}"#).unwrap();
        let api_version = object.str_or_empty("apiVersion");
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let rule: Match = serde_json::from_str(rule).unwrap();
        rule.fits(&Candidate {
            object,
            kind: GroupVersionKind { group, version, kind: object.str_or_empty("kind") },
            namespace,
            namespace_object: (!namespace.is_empty()).then_some(home),
            source: Source::Original,
        })
    }

    const POD: &str =
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1","labels":{"app":"web"}}}"#;
    const UNNAMED: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"web-"}}"#;
    const NAMESPACE: &str =
        r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-x","labels":{"env":"dev"}}}"#;
    const NODE: &str = r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}"#;

    #[test]
    fn kinds_and_groups() {
        assert!(fits("{}", POD, "a"));
        assert!(fits(r#"{"kinds":[{"apiGroups":[""],"kinds":["Pod"]}]}"#, POD, "a"));
        assert!(fits(r#"{"kinds":[{"kinds":["Service"]},{"apiGroups":["*"],"kinds":["*"]}]}"#, POD, "a"));
        assert!(!fits(r#"{"kinds":[{"apiGroups":["apps"],"kinds":["Pod"]}]}"#, POD, "a"));
        assert!(serde_json::from_str::<Match>(r#"{"kind":["Pod"]}"#).is_err());
    }

    #[test]
    fn scope_and_namespaces() {
        assert!(fits(r#"{"scope":"Namespaced"}"#, POD, "a"));
        assert!(!fits(r#"{"scope":"Cluster"}"#, POD, "a"));
        assert!(fits(r#"{"scope":"Cluster"}"#, NAMESPACE, ""));
        assert!(!fits(r#"{"scope":"Namespaced"}"#, NODE, ""));
        assert!(fits(r#"{"scope":"cluster"}"#, POD, "a"));
        assert!(fits(r#"{"namespaces":["kube-*"]}"#, NAMESPACE, ""));
        assert!(!fits(r#"{"excludedNamespaces":["*-x"]}"#, NAMESPACE, ""));
        assert!(!fits(r#"{"namespaces":["b"]}"#, POD, "a"));
        // What lives in no namespace is not kept out by a list of namespaces.
        assert!(fits(r#"{"namespaces":["b"],"excludedNamespaces":["*"]}"#, NODE, ""));
    }

    #[test]
    fn labels_names_and_source() {
        assert!(fits(r#"{"labelSelector":{"matchLabels":{"app":"web"}}}"#, POD, "a"));
        assert!(!fits(r#"{"labelSelector":{"matchLabels":{"app":"web"}}}"#, UNNAMED, "a"));
        assert!(fits(r#"{"namespaceSelector":{"matchLabels":{"env":"prod"}}}"#, POD, "a"));
        assert!(!fits(r#"{"namespaceSelector":{"matchLabels":{"env":"prod"}}}"#, NAMESPACE, ""));
        assert!(fits(r#"{"namespaceSelector":{"matchLabels":{"env":"prod"}}}"#, NODE, ""));
        assert!(fits(r#"{"name":"web-*"}"#, POD, "a"));
        assert!(fits(r#"{"name":"web-*"}"#, UNNAMED, "a"));
        assert!(!fits(r#"{"name":"*-1"}"#, UNNAMED, "a"));
        assert!(fits(r#"{"source":"Original"}"#, POD, "a"));
        assert!(!fits(r#"{"source":"Generated"}"#, POD, "a"));
    }

    #[test]
    fn stars_count_at_the_ends_only() {
        assert!(glob_fits("kube-*", "kube-system"));
        assert!(glob_fits("*-system", "kube-system"));
        assert!(glob_fits("*sys*", "kube-system"));
        assert!(glob_fits("*", "x"));
        assert!(!glob_fits("kube-*-x", "kube-a-x"));
        assert!(!glob_fits("kube-system", "kube"));
    }
}
