//! `/validate/own`: the suite's own kinds, judged when they are applied. What the replicas could not load, or
//! would not honour, is refused here with the place and what would work, instead of being found in a status.
//!
//! Never refused: DELETE, subresources (status), and an UPDATE that leaves `spec` as it was, so that labels and
//! finalizers of an object that has become invalid (an expired exception, a policy that left the library) can
//! still be edited.

use crate::facts::BoxFuture;
use crate::judging::Subject;
use crate::policies::PolicySource;
use crate::stamps::{Stamp, stamp};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;
use wayguard_engine::policy::choice::Chosen;
use wayguard_engine::policy::exception::Exception;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::policy::spec::{API_VERSION, PolicyExceptionSpec, PolicySpec};
use wayguard_engine::request::Operation;
use wayguard_engine::value::Value;
use wayguard_engine::{PolicySet, PolicySetBuilder, Request, Verdict, reply};

/// How a policy of the cluster is named in messages, before its place.
const FROM_CLUSTER: &str = "cluster";

/// A question about one object of a kind that the engine does not know.
#[derive(Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its kind; the group and version are ours.
    pub kind: String,
    /// Its namespace; empty for kinds that have none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What it says.
    pub spec: serde_json::Value,
    /// All of it.
    pub object: serde_json::Value,
    /// Who applies it.
    pub asker: Asker,
}

/// Who makes a request, as the API server knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// The user name.
    pub user: String,
    /// Its uid; may be empty.
    pub uid: String,
    /// The groups.
    pub groups: Vec<String>,
    /// What else the authenticator said.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Asker {
    fn of(request: &Request<'_>) -> Self {
        let info = request.review.get("userInfo").unwrap_or_default().to_serde();
        let texts = |value: &serde_json::Value| -> Vec<String> {
            let items = value.as_array().into_iter().flatten();
            items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
        };
        let extra = info.get("extra").and_then(serde_json::Value::as_object).into_iter().flatten();
        Self {
            user: request.user.to_owned(),
            uid: info.get("uid").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned(),
            groups: info.get("groups").map(texts).unwrap_or_default(),
            extra: extra.map(|(name, values)| (name.clone(), texts(values))).collect(),
        }
    }
}

/// Who judges our kinds that the engine does not know.
pub trait KindJudge: Send + Sync {
    /// Whether the object can be used, or what is wrong with it. `None`: this kind is not known here either.
    fn judge(&self, applied: Applied) -> BoxFuture<'_, Option<Result<(), String>>>;

    /// A Policy with its Rego, where its source is in no library that is built in, such as that of a `PolicyBundle`.
    fn chosen(&self, name: String, spec: PolicySpec) -> Chosen {
        Chosen { name, spec, files: None }
    }
}

/// A message ends here: the API server prints all of it on somebody's terminal.
const LONGEST_MESSAGE: usize = 8 << 10;

/// What the judging of our own kinds depends on.
pub(crate) struct OwnKinds {
    pub(crate) library: Arc<Library>,
    pub(crate) policies: Arc<PolicySource>,
    /// The only namespace in which exceptions count.
    pub(crate) namespace: String,
    /// Asked about other kinds.
    pub(crate) others: Option<Arc<dyn KindJudge>>,
}

/// What comes of looking at a review.
pub(crate) enum Looked {
    /// A verdict.
    Judged(Judged),
    /// Somebody else must be asked.
    Elsewhere(Box<Elsewhere>),
}

/// A review that waits for what somebody else says.
pub(crate) struct Elsewhere {
    subject: Subject,
    uid: String,
    api_version: String,
    applied: Applied,
}

/// What is said about one object.
#[derive(Debug, PartialEq, Eq)]
enum Opinion {
    Elsewhere(Box<Applied>),
    Fine,
    Warning(String),
    Refused(String),
}

/// The verdict and the review that says it.
pub(crate) struct Judged {
    pub(crate) subject: Subject,
    pub(crate) verdict: Verdict,
    pub(crate) body: Vec<u8>,
}

impl OwnKinds {
    /// Judges one review.
    pub(crate) fn judge(&self, request: &Request<'_>, now: Timestamp) -> Looked {
        let (verdict, body) = match self.opinion(request, now) {
            Opinion::Elsewhere(applied) => {
                return Looked::Elsewhere(Box::new(Elsewhere {
                    subject: Subject::of(request),
                    uid: request.uid.to_owned(),
                    api_version: request.kind.api_version(),
                    applied: *applied,
                }));
            }
            Opinion::Fine => (Verdict::Allow, admit(request.uid)),
            Opinion::Warning(text) => (Verdict::Warn, reply::admit_with_warning(request.uid, &text)),
            Opinion::Refused(text) => (Verdict::Deny, reply::refuse(request.uid, 422, &clip(text))),
        };
        Looked::Judged(Judged { subject: Subject::of(request), verdict, body })
    }

    /// Asks who knows the kind.
    pub(crate) async fn ask(&self, elsewhere: Box<Elsewhere>) -> Judged {
        let Elsewhere { subject, uid, api_version, applied } = *elsewhere;
        let kind = applied.kind.clone();
        let said = match &self.others {
            Some(others) => others.judge(applied).await,
            None => None,
        };
        // A newer `control` has registered a kind that this replica does not know: admitting it unjudged could let
        // a forged stamp in.
        let said = said.unwrap_or_else(|| {
            Err(format!(
                "`{api_version}` `{kind}` is not judged by this server: it has no cluster to ask, or is of an older version than what registered the kind; bring all replicas to that version"
            ))
        });
        let (verdict, body) = match said {
            Ok(()) => (Verdict::Allow, admit(&uid)),
            Err(text) => (Verdict::Deny, reply::refuse(&uid, 422, &clip(text))),
        };
        Judged { subject, verdict, body }
    }

    fn opinion(&self, request: &Request<'_>, now: Timestamp) -> Opinion {
        let judged = matches!(request.operation, Operation::Create | Operation::Update);
        if !judged || !request.sub_resource.is_empty() {
            return Opinion::Fine;
        }
        let spec = |object: Option<Value<'_>>| {
            object.and_then(|object| object.get("spec")).unwrap_or_default().to_serde()
        };
        let stamp = stamp(request);
        if let Some(problem) = stamp.as_ref().and_then(Stamp::problem) {
            return Opinion::Refused(format!("{} `{}`: {problem}", request.kind.kind, request.name));
        }
        let new = spec(request.object);
        let renewed = stamp.is_some_and(|stamp| stamp.renewed);
        if request.operation == Operation::Update && !renewed && new == spec(request.old_object) {
            return Opinion::Fine;
        }
        match (request.kind.api_version().as_str(), request.kind.kind) {
            (API_VERSION, "Policy") => self.policy(request.name, new),
            (API_VERSION, "PolicyException") => self.exception(request, new, now),
            (_, kind) => Opinion::Elsewhere(Box::new(Applied {
                kind: kind.to_owned(),
                namespace: request.namespace.to_owned(),
                name: request.name.to_owned(),
                spec: new,
                object: request.object.unwrap_or_default().to_serde(),
                asker: Asker::of(request),
            })),
        }
    }

    fn policy(&self, name: &str, spec: serde_json::Value) -> Opinion {
        let spec: PolicySpec = match read(spec) {
            Ok(spec) => spec,
            Err(problem) => return Opinion::Refused(format!("policy `{name}`: {problem}")),
        };
        // As the replicas will load it: with the server's own configuration, alone.
        let config = self.policies.current().map_or_else(SetConfig::default, |set| set.config().clone());
        let mut builder = PolicySetBuilder::new(Arc::clone(&self.library), config);
        let chosen = match &self.others {
            Some(others) => others.chosen(name.to_owned(), spec),
            None => Chosen { name: name.to_owned(), spec, files: None },
        };
        builder.policy(name, chosen.spec, FROM_CLUSTER, chosen.files);
        let set = builder.build();
        let errors: Vec<String> =
            set.failures().iter().flat_map(|failure| &failure.errors).map(ToString::to_string).collect();
        if errors.is_empty() {
            return Opinion::Fine;
        }
        Opinion::Refused(format!("policy `{name}` cannot be loaded:\n{}", errors.join("\n")))
    }

    fn exception(&self, request: &Request<'_>, spec: serde_json::Value, now: Timestamp) -> Opinion {
        let name = request.name;
        let refused = |problem: String| Opinion::Refused(format!("exception `{name}`: {problem}"));
        if request.namespace != self.namespace {
            return refused(format!(
                "namespace is `{}`; must be `{}`, the only one whose exceptions are honoured",
                request.namespace, self.namespace
            ));
        }
        if spec.get("expiresAt").is_none_or(serde_json::Value::is_null) {
            return refused("spec.expiresAt is missing; must be a time as in RFC 3339, such as 2027-01-31T00:00:00Z: an exception ends".into());
        }
        let checked =
            read::<PolicyExceptionSpec>(spec).and_then(|spec| Exception::new(name.to_owned(), spec));
        match checked {
            Err(problem) => refused(problem),
            Ok(exception) if !exception.in_force(now) => {
                refused(format!("spec.expiresAt is `{}`; must be in the future", exception.expires()))
            }
            Ok(exception) => {
                self.policies.current().map_or(Opinion::Fine, |set| unknown_policies(&exception, &set))
            }
        }
    }
}

/// Policies may come after their exceptions: a name that nothing has yet is worth a warning, not a refusal.
fn unknown_policies(exception: &Exception, set: &PolicySet) -> Opinion {
    let known = |name: &String| set.policies().any(|policy| policy.name == *name || policy.id == *name);
    let unknown: Vec<String> =
        exception.spec.policies.iter().filter(|name| !known(name)).map(|name| format!("`{name}`")).collect();
    if unknown.is_empty() {
        return Opinion::Fine;
    }
    Opinion::Warning(format!(
        "no loaded policy is named {}; the exception has no effect on it until one is",
        unknown.join(", ")
    ))
}

/// A spec by its type: unknown fields, wrong types and missing fields are errors, with their place.
fn read<T: DeserializeOwned>(spec: serde_json::Value) -> Result<T, String> {
    if spec.is_null() {
        return Err("`spec` is missing".into());
    }
    serde_json::from_value(spec).map_err(|error| format!("spec: {error}"))
}

/// The plain yes.
fn admit(uid: &str) -> Vec<u8> {
    let response = serde_json::json!({"uid": uid, "allowed": true});
    serde_json::json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
        .to_string()
        .into_bytes()
}

fn clip(mut text: String) -> String {
    if text.len() > LONGEST_MESSAGE {
        let end = (0..=LONGEST_MESSAGE).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        text.truncate(end);
        text.push_str("\n… and more");
    }
    text
}
