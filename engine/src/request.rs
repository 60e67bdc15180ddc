//! An AdmissionRequest as the engine sees it (`admission.k8s.io/v1`, KEP-1040), from the API server's bytes
//! or made for an object in a file or a cluster.

use crate::value::{Arena, JsonError, Object, Value, parse_json};

/// Who asks. Verdicts never depend on it, except that a policy that needs what an origin has not is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The API server.
    Admission,
    /// `wayguard check`: a file, before the cluster.
    Check,
    /// What already runs.
    Audit,
    /// A policy's own tests.
    Test,
    /// The tests of a Gatekeeper template (`Suite`): what Gatekeeper's own tool does, nothing else.
    Suite,
}

/// The verb under admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the four verbs of AdmissionReview")]
pub enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

impl Operation {
    /// Reads `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "CREATE" => Some(Self::Create),
            "UPDATE" => Some(Self::Update),
            "DELETE" => Some(Self::Delete),
            "CONNECT" => Some(Self::Connect),
            _ => None,
        }
    }

    /// The verb as AdmissionReview writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

/// A kind, or (with the plural in `kind`) a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupVersionKind<'a> {
    /// API group, empty for core.
    pub group: &'a str,
    /// API version.
    pub version: &'a str,
    /// Kind in `CamelCase`, or the plural resource name.
    pub kind: &'a str,
}

impl GroupVersionKind<'_> {
    /// `group/version`, or `version` for core.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

/// One admission request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub origin: Origin,
    /// The review's uid, echoed in the reply.
    pub uid: &'a str,
    /// The whole AdmissionRequest: `input.review`.
    pub review: Value<'a>,
    /// The kind that the object has (after `matchPolicy: Equivalent` conversion).
    pub kind: GroupVersionKind<'a>,
    /// The resource, plural.
    pub resource: GroupVersionKind<'a>,
    /// The subresource, or empty.
    pub sub_resource: &'a str,
    /// The object's name; empty with `generateName`.
    pub name: &'a str,
    /// The object's namespace; for a Namespace its own name; empty for cluster-scoped kinds.
    pub namespace: &'a str,
    /// The verb.
    pub operation: Operation,
    /// The new object (absent on DELETE).
    pub object: Option<Value<'a>>,
    /// The old object (UPDATE, DELETE).
    pub old_object: Option<Value<'a>>,
    /// The requester's name.
    pub user: &'a str,
    /// The requester's groups.
    pub groups: &'a [Value<'a>],
    /// Whether nothing will be stored.
    pub dry_run: bool,
}

/// Why bytes are not an AdmissionReview that can be answered.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// The body is not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(#[from] JsonError),
    /// Another kind or version than `admission.k8s.io/v1 AdmissionReview`.
    #[error("expected `admission.k8s.io/v1` `AdmissionReview`, got `{api_version}` `{kind}`")]
    NotAReview {
        /// What was sent.
        api_version: String,
        /// What was sent.
        kind: String,
    },
    /// No request, or no uid to answer to.
    #[error("the AdmissionReview has no request with a uid")]
    NoUid,
    /// The envelope can be answered, but its request cannot be judged; the uid is known.
    #[error("the admission request cannot be judged: {problem}")]
    Unjudgeable {
        /// To be echoed.
        uid: String,
        /// What is wrong.
        problem: String,
    },
}

/// What makes up a request for an object that no API server has sent.
#[derive(Clone, Copy, Debug)]
pub struct ObjectRequest<'a> {
    /// Who asks.
    pub origin: Origin,
    /// The new object.
    pub object: Value<'a>,
    /// The old object, for an UPDATE.
    pub old_object: Option<Value<'a>>,
    /// The verb.
    pub operation: Operation,
    /// The resource's plural, followed by `.` and its group where that is not the object's (`deployments.apps`, for a
    /// Scale); empty: derived from the kind.
    pub resource: &'a str,
    /// The subresource, or empty.
    pub sub_resource: &'a str,
    /// The namespace for an object that names none; ignored for cluster-scoped kinds.
    pub default_namespace: &'a str,
    /// `userInfo`, if known.
    pub user_info: Option<Value<'a>>,
}

impl<'a> Request<'a> {
    /// Decodes an AdmissionReview.
    ///
    /// # Errors
    /// [`EnvelopeError`]; only `Unjudgeable` leaves a uid to answer to.
    pub fn from_review(arena: &impl Arena<'a>, bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        let envelope = parse_json(arena, bytes)?;
        let (api_version, kind) = (envelope.str_or_empty("apiVersion"), envelope.str_or_empty("kind"));
        if (api_version, kind) != ("admission.k8s.io/v1", "AdmissionReview") {
            return Err(EnvelopeError::NotAReview { api_version: clip(api_version), kind: clip(kind) });
        }
        let review = envelope.get("request").ok_or(EnvelopeError::NoUid)?;
        let uid = review.str_or_empty("uid");
        if uid.is_empty() {
            return Err(EnvelopeError::NoUid);
        }
        Self::from_value(Origin::Admission, review)
            .map_err(|problem| EnvelopeError::Unjudgeable { uid: uid.to_owned(), problem })
    }

    /// Reads an AdmissionRequest value.
    ///
    /// # Errors
    /// What is missing or of the wrong type, in words.
    pub fn from_value(origin: Origin, review: Value<'a>) -> Result<Self, String> {
        let operation = review.str_or_empty("operation");
        let operation =
            Operation::parse(operation).ok_or_else(|| format!("unknown operation `{operation}`"))?;
        let gvk = |field: &str, last: &str| {
            let value = review.get(field).filter(|value| value.as_object().is_some());
            let value = value.ok_or_else(|| format!("`{field}` is missing"))?;
            Ok::<_, String>(GroupVersionKind {
                group: value.str_or_empty("group"),
                version: value.str_or_empty("version"),
                kind: value.str_or_empty(last),
            })
        };
        let object = |field: &str| match review.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value @ Value::Object(_)) => Ok(Some(value)),
            Some(other) => Err(format!("`{field}` is a {}, not an object", other.type_name())),
        };
        let user_info = review.get("userInfo").unwrap_or_default();
        let request = Self {
            origin,
            uid: review.str_or_empty("uid"),
            review,
            kind: gvk("kind", "kind")?,
            resource: gvk("resource", "resource")?,
            sub_resource: review.str_or_empty("subResource"),
            name: review.str_or_empty("name"),
            namespace: review.str_or_empty("namespace"),
            operation,
            object: object("object")?,
            old_object: object("oldObject")?,
            user: user_info.str_or_empty("username"),
            groups: user_info.get("groups").and_then(Value::as_array).unwrap_or_default(),
            dry_run: review.get("dryRun").and_then(Value::as_bool).unwrap_or(false),
        };
        match request.operation {
            Operation::Create | Operation::Update if request.object.is_none() => {
                Err("`object` is missing".into())
            }
            Operation::Update if request.old_object.is_none() && origin == Origin::Admission => {
                Err("`oldObject` is missing".into())
            }
            _ => Ok(request),
        }
    }

    /// Makes the request that the API server would send for an object.
    ///
    /// # Errors
    /// If the object has no `apiVersion`, `kind` or name, in words.
    pub fn for_object(arena: &impl Arena<'a>, from: ObjectRequest<'a>) -> Result<Self, String> {
        let object = from.object;
        let api_version = object.str_or_empty("apiVersion");
        let kind = object.str_or_empty("kind");
        if api_version.is_empty() || kind.is_empty() {
            return Err("the object has no `apiVersion` or no `kind`".into());
        }
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let (resource, resource_group) = match from.resource {
            "" => (arena.text(&crate::expansion::plural(kind)), group),
            known => known.split_once('.').unwrap_or((known, group)),
        };
        let metadata = object.get("metadata").unwrap_or_default();
        let name = metadata.str_or_empty("name");
        let cluster_scoped = crate::expansion::is_cluster_scoped(group, kind);
        let namespace = match (kind, metadata.str_or_empty("namespace")) {
            ("Namespace", _) if group.is_empty() => name,
            _ if cluster_scoped => "",
            (_, "") => from.default_namespace,
            (_, named) => named,
        };
        let triple = |group, last: &'static str, value| {
            let members = [("group", group), (last, value), ("version", version)];
            Value::Object(Object::new(arena, members.map(|(key, text)| (key, Value::String(text))).to_vec()))
        };
        let mut members = vec![
            ("uid", Value::String("00000000-0000-0000-0000-000000000000")),
            ("kind", triple(group, "kind", kind)),
            ("requestKind", triple(group, "kind", kind)),
            ("resource", triple(resource_group, "resource", resource)),
            ("requestResource", triple(resource_group, "resource", resource)),
            ("name", Value::String(name)),
            ("namespace", Value::String(namespace)),
            ("operation", Value::String(from.operation.as_str())),
            ("object", if from.operation == Operation::Delete { Value::Null } else { object }),
            ("dryRun", Value::Bool(false)),
        ];
        if !from.sub_resource.is_empty() {
            members.push(("subResource", Value::String(from.sub_resource)));
        }
        let old = if from.operation == Operation::Delete { Some(object) } else { from.old_object };
        members.extend(old.map(|old| ("oldObject", old)));
        members.extend(from.user_info.map(|user| ("userInfo", user)));
        Self::from_value(from.origin, Value::Object(Object::new(arena, members)))
    }

    /// The labels of the object under review (the old one on DELETE).
    pub fn labels(&self) -> Value<'a> {
        let object = self.object.or(self.old_object).unwrap_or_default();
        object.at(&["metadata", "labels"]).unwrap_or_default()
    }

    /// Whether this is about a core Namespace itself (not a subresource of it).
    pub fn is_namespace(&self) -> bool {
        self.kind.group.is_empty() && self.kind.kind == "Namespace" && self.sub_resource.is_empty()
    }
}

/// User-supplied text in an error: never longer than a line.
fn clip(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bumpalo::Bump;

    fn problem(body: &str) -> String {
        let bump = Bump::new();
        let outcome = Request::from_review(&&bump, body.as_bytes()).map(|_| ());
        outcome.expect_err("must be refused").to_string()
    }

    #[test]
    fn only_answerable_reviews_are_read() {
        assert!(problem("{").starts_with("the body is not JSON: "));
        assert_eq!(
            problem(r#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}"#),
            "expected `admission.k8s.io/v1` `AdmissionReview`, got `admission.k8s.io/v1beta1` `AdmissionReview`"
        );
        let with = |request: &str| {
            format!(r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{request}}}"#)
        };
        assert_eq!(problem(&with("{}")), "the AdmissionReview has no request with a uid");
        assert_eq!(
            problem(&with(r#"{"uid":"u","operation":"PATCH"}"#)),
            "the admission request cannot be judged: unknown operation `PATCH`"
        );
        let half = r#"{"uid":"u","operation":"CREATE","kind":{"kind":"Pod"},"resource":{"resource":"pods"}}"#;
        assert_eq!(problem(&with(half)), "the admission request cannot be judged: `object` is missing");
    }

    #[test]
    fn an_object_becomes_the_request_that_the_api_server_would_send() {
        let bump = Bump::new();
        let arena = &&bump;
        let object =
            parse_json(arena, br#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"}}"#);
        let request = Request::for_object(
            arena,
            ObjectRequest {
                origin: Origin::Check,
                object: object.unwrap(),
                old_object: None,
                operation: Operation::Create,
                resource: "",
                sub_resource: "",
                default_namespace: "default",
                user_info: None,
            },
        )
        .unwrap();
        assert_eq!(request.resource, GroupVersionKind { group: "apps", version: "v1", kind: "deployments" });
        assert_eq!((request.name, request.namespace), ("a", "default"));
    }
}
