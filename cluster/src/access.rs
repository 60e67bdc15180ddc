//! Who may do what, asked of the API server (`SubjectAccessReview`, authorization.k8s.io/v1): RBAC answers, or whatever else
//! the cluster authorizes by.

use crate::client::{ApiError, Client, within};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::{Api, PostParams};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use wayguard_engine::facts::{AccessQuestion, Fact};
use wayguard_engine::value::Document;

/// The API server's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Whether they may.
    pub allowed: bool,
    /// Why, or why not; often empty.
    pub reason: String,
}

impl Allowed {
    /// As policies see it, beside the question.
    pub fn into_fact(self) -> Fact {
        let mut answer = json!({"allowed": self.allowed});
        if let (Some(members), false) = (answer.as_object_mut(), self.reason.is_empty()) {
            members.insert("reason".to_owned(), self.reason.into());
        }
        Fact::Known(Arc::new(Document::from_serde(&answer)))
    }
}

/// Asks one question. It needs the right to create `subjectaccessreviews.authorization.k8s.io`; nothing is stored.
///
/// # Errors
/// If the API server does not answer within `left`, or refuses to.
pub async fn ask(client: &Client, question: &AccessQuestion, left: Duration) -> Result<Allowed, ApiError> {
    let text = |text: &String| (!text.is_empty()).then(|| text.clone());
    let extra = question.extra.clone();
    let spec = SubjectAccessReviewSpec {
        user: text(&question.user),
        uid: text(&question.uid),
        groups: Some(question.groups.clone()),
        extra: (!extra.is_empty()).then_some(extra),
        resource_attributes: Some(ResourceAttributes {
            verb: text(&question.verb),
            group: text(&question.group),
            resource: text(&question.resource),
            name: text(&question.name),
            namespace: text(&question.namespace),
            ..ResourceAttributes::default()
        }),
        ..SubjectAccessReviewSpec::default()
    };
    let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
    let api: Api<SubjectAccessReview> = Api::all(client.clone());
    let status = within(left, api.create(&PostParams::default(), &review)).await?.status.unwrap_or_default();
    let reason = status.reason.or(status.evaluation_error).unwrap_or_default();
    Ok(Allowed { allowed: status.allowed && status.denied != Some(true), reason })
}
