//! What goes back to the API server, and how a request ended: one enum for the log and the metrics.

use crate::Path;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Response, StatusCode};
use wayguard_engine::{Decision, Verdict, reply};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ending {
    /// Judged.
    Verdict(Verdict),
    /// The body was over the limit.
    TooLarge,
    /// Too many bytes were in flight.
    OverBudget,
    /// Too many requests were waiting.
    QueueFull,
    /// No verdict by the deadline.
    TimedOut,
    /// The evaluation panicked.
    Panicked,
    /// The engine kept asking for facts.
    FactsEndless,
    /// No policy set has been loaded yet.
    NotLoaded,
    /// The body is no review that can be judged.
    Unreadable,
    /// Not an admission request at all: refused by HTTP's own means.
    NotAdmission,
}

impl Ending {
    /// All but verdicts.
    pub(crate) const WITHOUT_VERDICT: [Self; 9] = [
        Self::TooLarge,
        Self::OverBudget,
        Self::QueueFull,
        Self::TimedOut,
        Self::Panicked,
        Self::FactsEndless,
        Self::NotLoaded,
        Self::Unreadable,
        Self::NotAdmission,
    ];

    /// For logs and metric labels.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Verdict(verdict) => verdict_name(verdict),
            Self::TooLarge => "too_large",
            Self::OverBudget => "over_budget",
            Self::QueueFull => "queue_full",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
            Self::FactsEndless => "facts_endless",
            Self::NotLoaded => "not_loaded",
            Self::Unreadable => "unreadable",
            Self::NotAdmission => "not_admission",
        }
    }

    /// The HTTP status that says this, also the `code` of an explicit denial.
    fn code(self) -> StatusCode {
        match self {
            Self::Verdict(_) => StatusCode::OK,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::OverBudget | Self::QueueFull => StatusCode::TOO_MANY_REQUESTS,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::Panicked | Self::FactsEndless => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotLoaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreadable | Self::NotAdmission => StatusCode::BAD_REQUEST,
        }
    }
}

/// A verdict's name, as JSON output writes it.
pub(crate) fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "allow",
        Verdict::Warn => "warn",
        Verdict::Deny => "deny",
        Verdict::Error => "error",
    }
}

/// One answer, before it is a response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) ending: Ending,
    /// Whether the object gets in by this answer; `None` if HTTP's status leaves it to the failure policy.
    pub(crate) admitted: Option<bool>,
    /// What the policies said, for the log.
    pub(crate) decision: Option<Box<Decision>>,
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Answer {
    /// An AdmissionReview that says what the policies say.
    pub(crate) fn judged(admitted: bool, verdict: Verdict, body: Vec<u8>) -> Self {
        Self::review(Ending::Verdict(verdict), admitted, body)
    }

    /// The same, with what the policies said.
    pub(crate) fn by(self, decision: Box<Decision>) -> Self {
        Self { decision: Some(decision), ..self }
    }

    /// The explicit answer of this path to a review that was not judged, or without a uid the HTTP status.
    pub(crate) fn unjudged(path: Path, uid: Option<&str>, ending: Ending, problem: &str) -> Self {
        match uid {
            Some(uid) if path.admits_unjudged() => {
                let warning = format!("wayguard admitted this without judging it: {problem}");
                Self::review(ending, true, reply::admit_with_warning(uid, &warning))
            }
            Some(uid) => {
                let message = format!("denied by wayguard without judging it: {problem}");
                Self::review(ending, false, reply::refuse(uid, ending.code().as_u16(), &message))
            }
            None => Self::http(ending, ending.code(), problem),
        }
    }

    /// No AdmissionReview: the failure policy that is registered for the path decides.
    pub(crate) fn http(ending: Ending, status: StatusCode, words: &str) -> Self {
        let body = format!("{words}\n").into_bytes();
        let content_type = "text/plain; charset=utf-8";
        Self { ending, admitted: None, decision: None, status, content_type, body }
    }

    fn review(ending: Ending, admitted: bool, body: Vec<u8>) -> Self {
        let admitted = Some(admitted);
        Self {
            ending,
            admitted,
            decision: None,
            status: StatusCode::OK,
            content_type: "application/json",
            body,
        }
    }

    /// The response.
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        response
    }
}
