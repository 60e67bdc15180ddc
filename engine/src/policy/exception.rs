//! Exceptions that end: which finding of which request one of them covers.

use super::compiled::CompiledPolicy;
use super::spec::{ObjectReference, PolicyExceptionSpec};
use crate::decision::Finding;
use crate::images::{CONTAINERS, images_of};
use crate::matching::{selects, wildcard_matches};
use crate::request::Request;
use crate::value::Value;
use jiff::Timestamp;

/// A checked exception.
#[derive(Clone, Debug)]
pub struct Exception {
    /// The name of the PolicyException object.
    pub name: String,
    /// As written.
    pub spec: PolicyExceptionSpec,
    expires: Timestamp,
}

impl Exception {
    /// Checks what the schema cannot.
    ///
    /// # Errors
    /// One sentence that says what is missing or malformed.
    pub fn new(name: String, spec: PolicyExceptionSpec) -> Result<Self, String> {
        let expires = spec.expires_at.parse::<Timestamp>().map_err(|_| {
            format!(
                "expiresAt is `{}`; must be a time as in RFC 3339, such as 2027-01-31T00:00:00Z",
                spec.expires_at
            )
        })?;
        for (field, empty) in [
            ("policies", spec.policies.iter().all(String::is_empty)),
            ("reason", spec.reason.trim().is_empty()),
            ("owner", spec.owner.trim().is_empty()),
        ] {
            if empty {
                return Err(format!(
                    "`{field}` is empty; an exception says what it excepts, why, and who answers for it"
                ));
            }
        }
        Ok(Self { name, spec, expires })
    }

    /// Whether it still holds.
    pub fn in_force(&self, now: Timestamp) -> bool {
        now < self.expires
    }

    /// When it ends.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Whether it is about this policy and rule at all.
    pub(crate) fn concerns(&self, policy: &CompiledPolicy, rule: &str) -> bool {
        self.names(policy) && self.names_rule(rule)
    }

    /// Whether it is about this policy.
    pub fn names(&self, policy: &CompiledPolicy) -> bool {
        self.spec.policies.iter().any(|name| *name == policy.name || *name == policy.id)
    }

    /// Whether it is about this rule of its policies.
    pub(crate) fn names_rule(&self, rule: &str) -> bool {
        self.spec.rules.is_empty() || self.spec.rules.iter().any(|known| known == rule)
    }

    /// Whether it covers the whole finding on this object: every condition that it states.
    pub(crate) fn covers(&self, finding: &Finding, subject: &Subject<'_>) -> bool {
        self.unmet(finding, subject).is_none()
    }

    /// The first condition that it states and that is not met, in words.
    pub(crate) fn unmet(&self, finding: &Finding, subject: &Subject<'_>) -> Option<&'static str> {
        if !self.covers_image(finding, subject) {
            return Some("it is about other images");
        }
        let named = |reference: &ObjectReference| {
            let fits = |pattern: &str, text: &str| pattern.is_empty() || wildcard_matches(pattern, text);
            fits(&reference.kind, subject.kind)
                && fits(&reference.namespace, subject.namespace)
                && !subject.name.is_empty()
                && wildcard_matches(&reference.name, subject.name)
        };
        if !self.spec.objects.is_empty() && !self.spec.objects.iter().any(named) {
            return Some("it is about other objects");
        }
        self.unmatched(subject)
    }

    fn covers_image(&self, finding: &Finding, subject: &Subject<'_>) -> bool {
        if self.spec.images.is_empty() {
            return true;
        }
        // A finding that is about no container is about all of them: then every image must be excepted.
        let images = images_at(subject.object, &finding.path);
        let excepted = |image: &&str| self.spec.images.iter().any(|pattern| wildcard_matches(pattern, image));
        !images.is_empty() && images.iter().all(excepted)
    }

    fn unmatched(&self, subject: &Subject<'_>) -> Option<&'static str> {
        let matches = self.spec.matches.as_ref()?;
        let namespaces = &matches.namespaces;
        if !namespaces.is_empty()
            && !namespaces.iter().any(|pattern| wildcard_matches(pattern, subject.namespace))
        {
            return Some("it is about other namespaces");
        }
        let selected = matches
            .namespace_selector
            .as_ref()
            .is_none_or(|selector| subject.namespace_labels.is_some_and(|labels| selects(selector, labels)));
        if !selected {
            return Some("its `namespaceSelector` does not select this namespace");
        }
        let rules = &matches.resource_rules;
        let ruled = rules.is_empty()
            || subject.request.is_some_and(|request| {
                let target = crate::matching::Target {
                    resource: request.resource,
                    sub_resource: request.sub_resource,
                };
                rules.iter().any(|rule| crate::matching::rule_matches(rule, request, target))
            });
        (!ruled).then_some("it is about other kinds or operations")
    }
}

/// The object that an exception is asked about: the request's own, or a live owner of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) kind: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) object: Value<'a>,
    /// `None`: not known; a selector then does not match.
    pub(crate) namespace_labels: Option<Value<'a>>,
    /// `None` for an owner: rules about verbs cannot be asked of it.
    pub(crate) request: Option<&'a Request<'a>>,
}

/// The image of the container that a path leads into, or all of the object's if it leads into none.
fn images_at<'a>(object: Value<'a>, path: &str) -> Vec<&'a str> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let container = segments.iter().position(|segment| CONTAINERS.contains(segment));
    if let Some(at) = container.filter(|at| segments.len() > at + 1) {
        let text = format!("/{}", segments.get(..at + 2).unwrap_or_default().join("/"));
        let found = crate::value::Pointer::parse(&text).and_then(|pointer| pointer.resolve(object));
        return found.map(|container| container.str_or_empty("image")).into_iter().collect();
    }
    images_of(object).into_iter().collect()
}
