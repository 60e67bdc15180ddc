//! Which step comes next in the life of the shared authority: a pure decision, and its pure consequence.
//!
//! ```text
//! Create ─► Publish ─► Nothing … (two thirds of the CA's life) … ─► PrepareNext ─► Publish(old+new) ─► MarkPublished
//!                         ▲                                                                               │ SETTLE
//!                         └─── Publish(new) ◄─ DropPrevious ◄─ (OVERLAP, all leaves new) ◄─ Activate ◄────┘
//! ```
//! A person may ask for it earlier, by a key `rotate-now` in the Secret; the steps are the same.
//!
//! INVARIANT: an authority signs only while it is the active one, and becomes active only after every caBundle that
//! exists was seen to hold it, for [`SETTLE`]. Until then the old one signs. Every step is one write, of the Secret or
//! of the caBundles, and may be lost, repeated or taken over by another leader at any point: the next decision starts
//! from what is really there. The Secret must be written with the resource version it was read at.

use crate::authority::{Authority, AuthorityError, BACKDATED};
use crate::bundle::CaBundle;
use crate::secret::{AuthoritySecret, NextAuthority, SecretData, SecretError};
use std::time::{Duration, SystemTime};

/// How long the next authority stands in every caBundle before it signs: API servers learn of a changed webhook
/// configuration by a watch, each at its own pace.
pub const SETTLE: Duration = Duration::from_secs(30);
/// How long an authority stays trusted after it signed its last leaf.
pub const OVERLAP: Duration = Duration::from_hours(24);
/// How soon to look again while something outside of the Secret is awaited.
pub const RECHECK: Duration = Duration::from_mins(1);
/// The longest time between two looks: drift and corrected clocks are noticed within it.
pub const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// How many CAs of unknown standing are kept trusted when the authority was lost; those that live longest.
const MOST_SALVAGED: usize = 8;

/// By whom the leaves that replicas serve are signed, as far as the caller looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LeavesSeen {
    /// Not looked at. The overlap alone decides.
    #[default]
    Unknown,
    /// Every ready replica serves a leaf of the active authority.
    AllFromActive,
    /// At least one replica serves a leaf of an authority before: it is not dropped yet.
    SomeFromPrevious,
}

/// What was seen in the cluster. Only what was really read: if the configurations could not be listed, do not ask
/// for the next step, since an empty list means that no API server calls us.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The `caBundle` (after base64) of every webhook entry of ours, in all configurations and conversions.
    pub ca_bundles: Vec<Vec<u8>>,
    /// By whom the served leaves are signed.
    pub leaves: LeavesSeen,
}

/// One step. `Publish` is a write of the caBundles, `Nothing` and `Refuse` are no write; all others are a write of the
/// Secret with the data that [`carry_out`] gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// There is no usable authority: make one. If `trusted` is empty nobody relies on an older one and the new one
    /// is active at once; else leaves of a lost authority may be in service, so those CAs stay trusted as previous
    /// ones and the new one takes the ordinary way of a next one.
    Create {
        /// The CAs to keep trusting, from the caBundles seen and from what is left of the Secret.
        trusted: CaBundle,
        /// Why the Secret is not usable.
        reason: SecretError,
    },
    /// The active authority is due, or cannot sign: make the next one.
    PrepareNext,
    /// Write this caBundle into every webhook entry.
    Publish {
        /// All that must be trusted now.
        bundle: CaBundle,
    },
    /// All caBundles hold the next authority: write down since when.
    MarkPublished,
    /// A caBundle has lost the next authority before it signed: forget that it was published.
    MarkUnpublished,
    /// Let the next authority sign; the active one becomes a previous one. Replicas replace their leaves on seeing
    /// the Secret.
    Activate,
    /// Stop trusting the previous authorities.
    DropPrevious,
    /// All is well.
    Nothing {
        /// When to look again, at the latest.
        check_again_at: SystemTime,
    },
    /// The Secret is not ours; a person must decide.
    Refuse {
        /// What is wrong with it.
        reason: SecretError,
    },
}

/// Why a step cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// The new authority cannot be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The Secret is not in the state that the step was decided on.
    #[error("the step does not fit the Secret: {0}")]
    Secret(#[from] SecretError),
    /// The Secret has no next authority that was published: it has changed since the step was decided.
    #[error("the step does not fit the Secret: it holds no next authority that has been published")]
    NotPublished,
}

/// Decides the next step from the Secret's data (`None`: there is no Secret), the time and what was seen.
pub fn next_step(secret: Option<&SecretData>, now: SystemTime, observed: &Observed) -> Step {
    let data = secret.cloned().unwrap_or_default();
    let state = match AuthoritySecret::from_data(&data) {
        Ok(state) => state,
        Err(reason @ SecretError::Foreign { .. }) => return Step::Refuse { reason },
        Err(reason) => return Step::Create { trusted: still_trusted(&data, now, observed), reason },
    };
    let seen: Vec<_> = observed.ca_bundles.iter().map(|text| CaBundle::from_pem(text).ok()).collect();
    rotation(&state, now, &seen).unwrap_or_else(|| retirement(&state, now, observed.leaves))
}

/// The steps towards a new active authority, and keeping the caBundles right; `None` if all that is done.
fn rotation(state: &AuthoritySecret, now: SystemTime, seen: &[Option<CaBundle>]) -> Option<Step> {
    let usable = |authority: &Authority| authority.check_time(now).is_ok();
    let can_sign = state.active.as_ref().is_some_and(usable);
    let next = state.next.as_ref().filter(|next| usable(&next.authority));
    let due = state.rotate_now
        || state.active.as_ref().is_none_or(|active| now >= active.certificate().renewal_due());
    if (due || !can_sign) && next.is_none() {
        return Some(Step::PrepareNext);
    }
    if let Some(next) = next
        && next.published_at.is_some()
        && !seen
            .iter()
            .all(|bundle| bundle.as_ref().is_some_and(|bundle| bundle.contains(next.authority.certificate())))
    {
        return Some(Step::MarkUnpublished);
    }
    let bundle = state.bundle();
    if !seen.iter().all(|one| one.as_ref().is_some_and(|one| one.same_as(&bundle))) {
        return Some(Step::Publish { bundle });
    }
    let next = next?;
    // A mark in the future comes from a clock that was wrong; waiting for it could take years.
    let Some(at) = next.published_at.filter(|at| *at <= now) else {
        return Some(Step::MarkPublished);
    };
    // There is no leaf to protect by waiting if the active authority cannot sign any and nothing precedes it.
    let settled = after(at, SETTLE);
    if now >= settled || (!can_sign && state.previous.clone().valid_at(now).is_empty()) {
        return Some(Step::Activate);
    }
    Some(Step::Nothing { check_again_at: settled })
}

/// Dropping what no longer signs, or waiting.
fn retirement(state: &AuthoritySecret, now: SystemTime, leaves: LeavesSeen) -> Step {
    let longest = after(now, LONGEST_PAUSE);
    // Every way here has an active authority: without one `rotation` always has a step.
    let Some(active) = &state.active else {
        return Step::Nothing { check_again_at: after(now, RECHECK) };
    };
    let mut check_again_at = longest.min(active.certificate().renewal_due());
    if !state.previous.is_empty() {
        // Not written down, or from a clock that was wrong: the active one was made, and so could sign, before.
        let made = after(active.certificate().not_before(), BACKDATED);
        let since = state.previous_since.filter(|since| *since <= now).unwrap_or(made);
        let until = after(since, OVERLAP);
        if now >= until && leaves != LeavesSeen::SomeFromPrevious {
            return Step::DropPrevious;
        }
        check_again_at = check_again_at.min(if now >= until { after(now, RECHECK) } else { until });
    }
    Step::Nothing { check_again_at }
}

/// The Secret's new data once `step` is done; `None` if the step writes no Secret.
///
/// # Errors
/// When a key cannot be made, or the Secret is not the one that the step was decided on.
pub fn carry_out(
    step: &Step,
    secret: Option<&SecretData>,
    now: SystemTime,
) -> Result<Option<SecretData>, RotationError> {
    let read = || AuthoritySecret::from_data(secret.unwrap_or(&SecretData::new()));
    let state = match step {
        Step::Publish { .. } | Step::Nothing { .. } | Step::Refuse { .. } => return Ok(None),
        Step::Create { trusted, .. } => {
            let authority = Authority::generate(now)?;
            if trusted.is_empty() {
                AuthoritySecret { active: Some(authority), ..AuthoritySecret::default() }
            } else {
                AuthoritySecret {
                    next: Some(NextAuthority { authority, published_at: None }),
                    previous: trusted.clone(),
                    previous_since: Some(now),
                    ..AuthoritySecret::default()
                }
            }
        }
        Step::PrepareNext => {
            let next = NextAuthority { authority: Authority::generate(now)?, published_at: None };
            AuthoritySecret { next: Some(next), rotate_now: false, ..read()? }
        }
        Step::MarkPublished => marked(read()?, Some(now))?,
        Step::MarkUnpublished => marked(read()?, None)?,
        Step::Activate => activated(read()?, now)?,
        Step::DropPrevious => {
            AuthoritySecret { previous: CaBundle::default(), previous_since: None, ..read()? }
        }
    };
    Ok(Some(state.to_data(secret)))
}

fn marked(
    mut state: AuthoritySecret,
    published_at: Option<SystemTime>,
) -> Result<AuthoritySecret, RotationError> {
    state.next.as_mut().ok_or(RotationError::NotPublished)?.published_at = published_at;
    Ok(state)
}

fn activated(state: AuthoritySecret, now: SystemTime) -> Result<AuthoritySecret, RotationError> {
    let next = state.next.filter(|next| next.published_at.is_some()).ok_or(RotationError::NotPublished)?;
    let previous = state.active.iter().fold(state.previous, |previous, old| previous.with(old.certificate()));
    let previous_since = (!previous.is_empty()).then_some(now);
    Ok(AuthoritySecret { active: Some(next.authority), next: None, previous, previous_since, ..state })
}

/// The CAs that leaves in service may lead to when the Secret does not say.
fn still_trusted(data: &SecretData, now: SystemTime, observed: &Observed) -> CaBundle {
    let mut all: Vec<_> = observed
        .ca_bundles
        .iter()
        .filter_map(|text| CaBundle::from_pem(text).ok())
        .fold(AuthoritySecret::salvage(data), |all, one| all.and(&one))
        .valid_at(now)
        .certificates()
        .to_vec();
    all.sort_by_key(|certificate| std::cmp::Reverse(certificate.not_after()));
    all.iter().take(MOST_SALVAGED).fold(CaBundle::default(), CaBundle::with)
}

/// `time` and `by`; a sum beyond what a clock can hold is never reached and so never.
fn after(time: SystemTime, by: Duration) -> SystemTime {
    time.checked_add(by).unwrap_or(time)
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
