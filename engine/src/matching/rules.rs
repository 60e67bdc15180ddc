//! Whether one policy's `match` fits one request.

use super::spec::{LabelSelector, Match, ResourceRule, Scope, Subjects};
use super::{selects, wildcard_matches};
use crate::request::{GroupVersionKind, Operation, Request};
use crate::value::Value;

/// What is matched: the request as it is, or as a request for the Pod in its template.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// The resource, plural.
    pub resource: GroupVersionKind<'a>,
    /// The subresource, or empty.
    pub sub_resource: &'a str,
}

/// What is known of the request's namespace.
#[derive(Clone, Copy, Debug)]
pub enum NamespaceView<'a> {
    /// The request has none: a cluster-scoped kind.
    ClusterScoped,
    /// The Namespace object.
    Known(Value<'a>),
    /// Its labels are not known to this origin.
    Unknown,
}

/// The condition of a `match` that does not hold; of resource rules, how far the one came that came furthest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mismatch {
    /// No rule names the resource (group, version, plural, subresource).
    Resource,
    /// One does, but for other verbs.
    Operation,
    /// One does, but for other names.
    Name,
    /// One does, but for the cluster's own objects, or those of namespaces.
    Scope,
    /// An exclude rule names it.
    Excluded,
    /// The namespace is not among `namespaces`.
    Namespaces,
    /// The namespace is among `excludeNamespaces`.
    ExcludeNamespaces,
    /// The requester is not among `subjects`.
    Subjects,
    /// `objectSelector` does not select it.
    ObjectSelector,
    /// `namespaceSelector` does not select its namespace.
    NamespaceSelector,
    /// A constraint's `enforcementAction` leaves out who asks.
    EnforcementPoint,
    /// A constraint's `source` is another.
    Source,
}

impl Mismatch {
    /// The condition, as it is written in a `match`.
    pub fn field(self) -> &'static str {
        match self {
            Self::Resource => "resources",
            Self::Operation => "operations",
            Self::Name => "resourceNames",
            Self::Scope => "scope",
            Self::Excluded => "excludeResourceRules",
            Self::Namespaces => "namespaces",
            Self::ExcludeNamespaces => "excludeNamespaces",
            Self::Subjects => "subjects",
            Self::ObjectSelector => "objectSelector",
            Self::NamespaceSelector => "namespaceSelector",
            Self::EnforcementPoint => "enforcementAction",
            Self::Source => "source",
        }
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Resource => "it is about other kinds",
            Self::Operation => "it is about other operations",
            Self::Name => "it is about objects of other names",
            Self::Scope => "it is about objects of another scope",
            Self::Excluded => "one of its `excludeResourceRules` matches",
            Self::Namespaces => "the namespace is not among its `namespaces`",
            Self::ExcludeNamespaces => "the namespace is among its `excludeNamespaces`",
            Self::Subjects => "the requester is not among its `subjects`",
            Self::ObjectSelector => "its `objectSelector` does not match",
            Self::NamespaceSelector => "its `namespaceSelector` does not match",
            Self::EnforcementPoint => "its `enforcementAction` leaves admission out",
            Self::Source => "it is about objects of another source",
        })
    }
}

/// The answer of a [`Matcher`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matched {
    /// All conditions hold.
    Yes,
    /// One does not.
    No(Mismatch),
    /// The namespace's labels are needed to tell.
    NeedsNamespace,
}

/// The evaluation of one [`Match`].
#[derive(Clone, Copy, Debug)]
pub struct Matcher<'m>(pub &'m Match);

impl Matcher<'_> {
    /// The cheap part: everything but selectors over the namespace.
    pub(crate) fn without_namespace(self, request: &Request<'_>, target: Target<'_>) -> Matched {
        let Match { resource_rules, exclude_resource_rules, .. } = self.0;
        if let Some(mismatch) = no_rule_matches(resource_rules, request, target) {
            return Matched::No(mismatch);
        }
        if exclude_resource_rules.iter().any(|rule| rule_matches(rule, request, target)) {
            return Matched::No(Mismatch::Excluded);
        }
        let named =
            |patterns: &[String]| patterns.iter().any(|pattern| wildcard_matches(pattern, request.namespace));
        if !self.0.namespaces.is_empty() && (request.namespace.is_empty() || !named(&self.0.namespaces)) {
            return Matched::No(Mismatch::Namespaces);
        }
        if !request.namespace.is_empty() && named(&self.0.exclude_namespaces) {
            return Matched::No(Mismatch::ExcludeNamespaces);
        }
        if self.0.subjects.as_ref().is_some_and(|subjects| !subject_matches(subjects, request)) {
            return Matched::No(Mismatch::Subjects);
        }
        if self.0.object_selector.as_ref().is_some_and(|selector| !object_matches(selector, request)) {
            return Matched::No(Mismatch::ObjectSelector);
        }
        Matched::Yes
    }

    /// The selector over the namespace's labels.
    pub(crate) fn namespace(self, namespace: NamespaceView<'_>) -> Matched {
        let Some(selector) = self.0.namespace_selector.as_ref().filter(|it| **it != LabelSelector::default())
        else {
            return Matched::Yes;
        };
        match namespace {
            NamespaceView::ClusterScoped => Matched::Yes,
            NamespaceView::Unknown => Matched::NeedsNamespace,
            NamespaceView::Known(namespace) => {
                if selects(selector, namespace.at(&["metadata", "labels"]).unwrap_or_default()) {
                    Matched::Yes
                } else {
                    Matched::No(Mismatch::NamespaceSelector)
                }
            }
        }
    }
}

/// Why none of the rules names this; `None`: one does.
fn no_rule_matches(rules: &[ResourceRule], request: &Request<'_>, target: Target<'_>) -> Option<Mismatch> {
    let mut furthest = Mismatch::Resource;
    for rule in rules {
        furthest = furthest.max(rule_mismatch(rule, request, target)?);
    }
    Some(furthest)
}

/// Whether a rule names this resource, verb, version, name and scope.
pub(crate) fn rule_matches(rule: &ResourceRule, request: &Request<'_>, target: Target<'_>) -> bool {
    rule_mismatch(rule, request, target).is_none()
}

/// What of this a rule does not name.
fn rule_mismatch(rule: &ResourceRule, request: &Request<'_>, target: Target<'_>) -> Option<Mismatch> {
    let any = |list: &[String], wanted: &str| list.iter().any(|item| item == "*" || item == wanted);
    if !any(&rule.api_groups, target.resource.group)
        || !any(&rule.api_versions, target.resource.version)
        || !rule.resources.iter().any(|item| resource_matches(item, target))
    {
        return Some(Mismatch::Resource);
    }
    if !rule.operations.iter().any(|item| operation_matches(item, request.operation)) {
        return Some(Mismatch::Operation);
    }
    if !rule.resource_names.is_empty() && !rule.resource_names.iter().any(|name| name == request.name) {
        return Some(Mismatch::Name);
    }
    let in_scope = match rule.scope {
        None | Some(Scope::All) => true,
        // A Namespace is a cluster-scoped object although its requests carry a namespace.
        Some(Scope::Cluster) => request.namespace.is_empty() || is_namespaces(target),
        Some(Scope::Namespaced) => !request.namespace.is_empty() && !is_namespaces(target),
    };
    (!in_scope).then_some(Mismatch::Scope)
}

fn is_namespaces(target: Target<'_>) -> bool {
    target.resource.group.is_empty() && target.resource.kind == "namespaces"
}

/// `*` does not include DELETE: deletions are judged only by policies that name them.
pub(crate) fn operation_matches(item: &str, operation: Operation) -> bool {
    item == operation.as_str() || (item == "*" && operation != Operation::Delete)
}

/// `*` is every resource but no subresource; `*/*` everything; `pods/*` all subresources of pods.
pub(crate) fn resource_matches(item: &str, target: Target<'_>) -> bool {
    let (resource, sub_resource) = item.split_once('/').unwrap_or((item, ""));
    (resource == "*" || resource == target.resource.kind)
        && match sub_resource {
            "" => target.sub_resource.is_empty(),
            // As in admissionregistration/v1: `*/*` includes resources themselves, `pods/*` only subresources.
            "*" => resource == "*" || !target.sub_resource.is_empty(),
            named => named == target.sub_resource,
        }
}

fn object_matches(selector: &LabelSelector, request: &Request<'_>) -> bool {
    let labels =
        |object: Value<'_>| selects(selector, object.at(&["metadata", "labels"]).unwrap_or_default());
    request.object.is_some_and(labels) || request.old_object.is_some_and(labels)
}

fn subject_matches(subjects: &Subjects, request: &Request<'_>) -> bool {
    let user = |patterns: &[String]| patterns.iter().any(|pattern| wildcard_matches(pattern, request.user));
    let group = |patterns: &[String]| {
        let mut groups = request.groups.iter().filter_map(|group| group.as_str());
        groups.any(|group| patterns.iter().any(|pattern| wildcard_matches(pattern, group)))
    };
    let Subjects { users, groups, exclude_users, exclude_groups } = subjects;
    let unrestricted = users.is_empty() && groups.is_empty();
    (unrestricted || user(users) || group(groups)) && !user(exclude_users) && !group(exclude_groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target<'a>(group: &'a str, resource: &'a str, sub_resource: &'a str) -> Target<'a> {
        Target { resource: GroupVersionKind { group, version: "v1", kind: resource }, sub_resource }
    }

    #[test]
    fn resources_and_their_wildcards() {
        let cases = [
            ("pods", "pods", "", true),
            ("pods", "pods", "exec", false),
            ("pods/exec", "pods", "exec", true),
            ("pods/*", "pods", "exec", true),
            ("pods/*", "pods", "", false),
            ("*", "pods", "", true),
            ("*", "pods", "status", false),
            ("*/*", "pods", "", true),
            ("*/*", "pods", "status", true),
            ("*/scale", "deployments", "scale", true),
            ("*/scale", "deployments", "", false),
        ];
        for (item, resource, sub_resource, expected) in cases {
            assert_eq!(
                resource_matches(item, target("", resource, sub_resource)),
                expected,
                "{item} {sub_resource}"
            );
        }
    }

    #[test]
    fn deletions_must_be_named() {
        assert!(operation_matches("*", Operation::Connect));
        assert!(!operation_matches("*", Operation::Delete));
        assert!(operation_matches("DELETE", Operation::Delete));
    }
}
