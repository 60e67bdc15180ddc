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

/// The answer of a [`Matcher`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matched {
    /// All conditions hold.
    Yes,
    /// One does not; which, in words.
    No(&'static str),
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
        if !resource_rules.iter().any(|rule| rule_matches(rule, request, target)) {
            return Matched::No("no resource rule matches");
        }
        if exclude_resource_rules.iter().any(|rule| rule_matches(rule, request, target)) {
            return Matched::No("an exclude rule matches");
        }
        let named =
            |patterns: &[String]| patterns.iter().any(|pattern| wildcard_matches(pattern, request.namespace));
        if !self.0.namespaces.is_empty() && (request.namespace.is_empty() || !named(&self.0.namespaces)) {
            return Matched::No("the namespace is not among `namespaces`");
        }
        if !request.namespace.is_empty() && named(&self.0.exclude_namespaces) {
            return Matched::No("the namespace is among `excludeNamespaces`");
        }
        if self.0.subjects.as_ref().is_some_and(|subjects| !subject_matches(subjects, request)) {
            return Matched::No("the requester is not among `subjects`");
        }
        if self.0.object_selector.as_ref().is_some_and(|selector| !object_matches(selector, request)) {
            return Matched::No("`objectSelector` does not match");
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
                    Matched::No("`namespaceSelector` does not match")
                }
            }
        }
    }
}

/// Whether a rule names this resource, verb, version, name and scope.
pub(crate) fn rule_matches(rule: &ResourceRule, request: &Request<'_>, target: Target<'_>) -> bool {
    let any = |list: &[String], wanted: &str| list.iter().any(|item| item == "*" || item == wanted);
    any(&rule.api_groups, target.resource.group)
        && any(&rule.api_versions, target.resource.version)
        && rule.operations.iter().any(|item| operation_matches(item, request.operation))
        && rule.resources.iter().any(|item| resource_matches(item, target))
        && (rule.resource_names.is_empty() || rule.resource_names.iter().any(|name| name == request.name))
        && match rule.scope {
            None | Some(Scope::All) => true,
            // A Namespace is a cluster-scoped object although its requests carry a namespace.
            Some(Scope::Cluster) => request.namespace.is_empty() || is_namespaces(target),
            Some(Scope::Namespaced) => !request.namespace.is_empty() && !is_namespaces(target),
        }
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
