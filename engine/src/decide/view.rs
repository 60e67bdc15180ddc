//! What a policy looks at: the submitted object, or the Pod that a workload's template describes.

use crate::expansion::{pod_from_template, template_path};
use crate::policy::spec::TemplatePath;
use crate::request::{GroupVersionKind, Request};
use crate::value::{Object, Pointer, Value};
use bumpalo::Bump;

/// One view of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    /// The object that rules see as `input.review.object`.
    pub(crate) object: Option<Value<'a>>,
    /// And as `input.review.oldObject`.
    pub(crate) old_object: Option<Value<'a>>,
    pub(crate) kind: GroupVersionKind<'a>,
    pub(crate) resource: GroupVersionKind<'a>,
    pub(crate) sub_resource: &'a str,
    /// The workload, if the object is a Pod from its template.
    pub(crate) owner: Option<Value<'a>>,
    /// JSON Pointer from the submitted object to the view's `/metadata` and `/spec`; empty for the object itself.
    pub(crate) prefix: &'a str,
}

const POD: GroupVersionKind<'static> = GroupVersionKind { group: "", version: "v1", kind: "Pod" };
const PODS: GroupVersionKind<'static> = GroupVersionKind { group: "", version: "v1", kind: "pods" };

impl<'a> View<'a> {
    /// The object as submitted.
    pub(crate) fn direct(request: &Request<'a>) -> Self {
        Self {
            object: request.object,
            old_object: request.old_object,
            kind: request.kind,
            resource: request.resource,
            sub_resource: request.sub_resource,
            owner: None,
            prefix: "",
        }
    }

    /// The Pod in the object's template, if the kind has one (built in, or declared) and the object carries it.
    pub(crate) fn expanded(
        arena: &'a Bump,
        request: &Request<'a>,
        declared: &[TemplatePath],
    ) -> Option<Self> {
        let path = Self::template_of(request, declared)?;
        let pointer = Pointer::parse(path)?;
        let owner = request.object?;
        let pod = |workload: Value<'a>| {
            let template = pointer.resolve(workload).filter(|template| template.as_object().is_some())?;
            let name = workload.get("metadata").unwrap_or_default().str_or_empty("name");
            Some(pod_from_template(&arena, template, name, request.namespace))
        };
        Some(Self {
            object: Some(pod(owner)?),
            old_object: request.old_object.and_then(pod),
            kind: POD,
            resource: PODS,
            sub_resource: "",
            owner: Some(owner),
            prefix: arena.alloc_str(path),
        })
    }

    pub(crate) fn template_of<'d>(request: &Request<'_>, declared: &'d [TemplatePath]) -> Option<&'d str> {
        if !request.sub_resource.is_empty() {
            return None;
        }
        let (group, resource) = (request.resource.group, request.resource.kind);
        let built_in = template_path(group, resource);
        let custom = declared.iter().find(|it| it.api_group == group && it.resource == resource);
        built_in.or(custom.map(|it| it.path.as_str()))
    }

    /// This view with another object, for what is judged after a virtual mutation.
    pub(crate) fn with_objects(self, object: Option<Value<'a>>, old_object: Option<Value<'a>>) -> Self {
        Self { object, old_object, ..self }
    }

    /// A path of the view as a path of the submitted object.
    pub(crate) fn submitted_path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// `input.review` for this view.
    pub(crate) fn review(&self, arena: &'a Bump, request: &Request<'a>) -> Value<'a> {
        let whole = request.review.as_object().unwrap_or_default();
        let triple = |last: &'static str, of: GroupVersionKind<'a>| {
            Value::Object(Object::new(
                &arena,
                vec![
                    ("group", Value::String(of.group)),
                    (last, Value::String(of.kind)),
                    ("version", Value::String(of.version)),
                ],
            ))
        };
        let objects = whole.with(&arena, "object", self.object.unwrap_or(Value::Null)).with(
            &arena,
            "oldObject",
            self.old_object.unwrap_or(Value::Null),
        );
        if self.prefix.is_empty() {
            return Value::Object(objects);
        }
        let review = objects.with(&arena, "kind", triple("kind", self.kind)).with(
            &arena,
            "resource",
            triple("resource", self.resource),
        );
        Value::Object(review)
    }
}
