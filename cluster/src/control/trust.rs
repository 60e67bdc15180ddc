//! What the API server shall trust, kept current: the steps of a rotation, in order.
//!
//! `wayguard-certs` decides each step from the Secret and from what was seen; here the step is carried out. Every step
//! is one guarded write, so a leader that is replaced in the middle leaves a state that the next one goes on from.

use super::replicas::Replica;
use crate::authority::{SecretPlace, data};
use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::webhooks::Live;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, PostParams};
use std::sync::Arc;
use std::time::SystemTime;
use tracing::info;
use wayguard_certs::{
    AuthoritySecret, BundleError, CaBundle, LeavesSeen, Observed, RotationError, SecretError, Step,
    carry_out, next_step,
};

/// Steps in one go: enough for a first start, few enough not to spin.
const MOST_STEPS: usize = 6;

/// Where a CA bundle is read from, such as a mounted file.
pub type BundleSource = Arc<dyn Fn() -> Result<Vec<u8>, String> + Send + Sync>;

/// Whose certificates the server has.
#[derive(Clone)]
pub enum Trust {
    /// Our own authority in a Secret that all replicas share; `control` makes and rotates it.
    Authority(SecretPlace),
    /// Somebody else's: the PEM text of their CAs, read at every look.
    Bundle(BundleSource),
}

/// Why there is nothing to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The Secret cannot be read or written.
    #[error("the Secret of the certificate authority: {0}")]
    Api(#[from] ApiError),
    /// The Secret belongs to something else.
    #[error("{0}")]
    Refused(#[from] SecretError),
    /// A new authority cannot be made.
    #[error("{0}")]
    Rotation(#[from] RotationError),
    /// The bundle cannot be read from its source.
    #[error("the CA bundle cannot be read: {0}")]
    Source(String),
    /// The bundle is none.
    #[error("{0}")]
    Bundle(#[from] BundleError),
}

/// What to put into every `caBundle`, and when to look again at the latest.
pub(super) struct Trusted {
    pub(super) pem: Vec<u8>,
    pub(super) check_again_at: Option<SystemTime>,
}

impl Trust {
    /// Takes all steps that can be taken now.
    pub(super) async fn advance(
        &self,
        client: &Client,
        live: &Live,
        replicas: &[Replica],
        now: SystemTime,
    ) -> Result<Trusted, TrustError> {
        match self {
            Self::Bundle(source) => {
                let pem = source().map_err(TrustError::Source)?;
                CaBundle::from_pem(&pem)?;
                Ok(Trusted { pem, check_again_at: None })
            }
            Self::Authority(place) => advance(client, place, live, replicas, now).await,
        }
    }
}

async fn advance(
    client: &Client,
    place: &SecretPlace,
    live: &Live,
    replicas: &[Replica],
    now: SystemTime,
) -> Result<Trusted, TrustError> {
    let ca_bundles: Vec<Vec<u8>> = live.ca_bundles().into_iter().map(decoded).collect();
    let mut last = None;
    for _ in 0..MOST_STEPS {
        let secret = match place.read(client).await? {
            Some(secret) => secret,
            None => create(client, place).await?,
        };
        let current = data(&secret);
        let state = AuthoritySecret::from_data(&current);
        let leaves = state.as_ref().map_or(LeavesSeen::Unknown, |state| leaves(state, replicas));
        let observed = Observed { ca_bundles: ca_bundles.clone(), leaves };
        let step = next_step(Some(&current), now, &observed);
        let bundle = state.map(|state| state.bundle());
        match &step {
            Step::Refuse { reason } => return Err(reason.clone().into()),
            Step::Publish { bundle } => {
                return Ok(Trusted { pem: bundle.to_pem().into_bytes(), check_again_at: Some(now) });
            }
            Step::Nothing { check_again_at } => {
                return Ok(Trusted {
                    pem: bundle?.to_pem().into_bytes(),
                    check_again_at: Some(*check_again_at),
                });
            }
            _ => {}
        }
        if let Some(changed) = carry_out(&step, Some(&current), now)? {
            info!(step = name(&step), secret = place.name, "certificate authority");
            match place.write(client, secret, changed).await {
                // Another leader, or a person: what is there now decides.
                Ok(()) | Err(ApiError::Conflict(_)) => {}
                Err(problem) => return Err(problem.into()),
            }
        }
        last = bundle.ok();
    }
    // Still moving; what was trusted last stays until the next look.
    let bundle = last.ok_or(SecretError::Empty)?;
    Ok(Trusted { pem: bundle.to_pem().into_bytes(), check_again_at: Some(now) })
}

/// `wayguard install` and the chart make the Secret, because RBAC cannot limit `create` to a name; where we may, we
/// make it ourselves.
async fn create(client: &Client, place: &SecretPlace) -> Result<Secret, ApiError> {
    let api: Api<Secret> = Api::namespaced(client.clone(), &place.namespace);
    let secret = Secret {
        metadata: ObjectMeta {
            name: Some(place.name.clone()),
            namespace: Some(place.namespace.clone()),
            ..ObjectMeta::default()
        },
        ..Secret::default()
    };
    match within(REQUEST_LIMIT, api.create(&PostParams::default(), &secret)).await {
        Ok(secret) => Ok(secret),
        Err(ApiError::Forbidden(_)) => Err(ApiError::NotFound(format!(
            "there is no Secret `{}` in namespace `{}`, and making one is not our right; `wayguard install` or the chart makes it",
            place.name, place.namespace
        ))),
        Err(problem) => Err(problem),
    }
}

fn leaves(state: &AuthoritySecret, replicas: &[Replica]) -> LeavesSeen {
    let Some(active) = state.active.as_ref().map(|active| active.fingerprint().to_string()) else {
        return LeavesSeen::Unknown;
    };
    let told: Option<Vec<&String>> = replicas
        .iter()
        .map(|replica| replica.report.as_ref().ok().and_then(|report| report.authority.as_ref()))
        .collect();
    match told {
        Some(told) if told.iter().all(|authority| **authority == active) => LeavesSeen::AllFromActive,
        Some(_) => LeavesSeen::SomeFromPrevious,
        None => LeavesSeen::Unknown,
    }
}

/// From base64; what is none counts as a bundle that holds nothing.
fn decoded(text: String) -> Vec<u8> {
    serde_json::from_value::<ByteString>(text.into()).map(|bytes| bytes.0).unwrap_or_default()
}

fn name(step: &Step) -> &'static str {
    match step {
        Step::Create { .. } => "created",
        Step::PrepareNext => "next one prepared",
        Step::Publish { .. } => "published",
        Step::MarkPublished => "next one seen everywhere",
        Step::MarkUnpublished => "next one lost from a caBundle",
        Step::Activate => "next one active",
        Step::DropPrevious => "previous one dropped",
        Step::Nothing { .. } => "in order",
        Step::Refuse { .. } => "refused",
    }
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
