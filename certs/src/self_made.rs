//! With no flags: an authority and a leaf in memory, renewed while the process runs.
//!
//! The same rotation as in the cluster, on a Secret that nobody else sees: clients get the bundle (`curl --cacert`), and
//! the order of a rotation holds for them too: the bundle holds the new CA for [`SETTLE`](crate::SETTLE) before a leaf
//! of it is served, and the old one for [`OVERLAP`](crate::OVERLAP) after.

use crate::authority::AuthorityError;
use crate::bundle::CaBundle;
use crate::names::ServingNames;
use crate::rotation::{LeavesSeen, Observed, RotationError, Step, carry_out, next_step};
use crate::secret::{AuthoritySecret, SecretData, SecretError};
use crate::serving::{Renewal, ServingCertificate};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The longest chain of steps without a wait is three (prepare, publish, mark); more than this is a mistake of ours,
/// met by waiting for the next tick.
const MOST_STEPS: usize = 8;

/// Why a tick failed; what was served stays in service, and the next tick tries again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelfMadeError {
    /// The authority cannot be made or replaced.
    #[error("the self-made authority cannot be kept: {0}")]
    Rotation(#[from] RotationError),
    /// The authority cannot be read back.
    #[error("the self-made authority cannot be read back: {0}")]
    Secret(#[from] SecretError),
    /// The leaf cannot be signed.
    #[error("the serving certificate cannot be renewed: {0}")]
    Leaf(#[from] AuthorityError),
}

/// What a tick changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// The bundle that clients need from now on, if it is another: write it to their file again.
    pub bundle: Option<CaBundle>,
    /// What became of the leaf.
    pub leaf: Renewal,
    /// When to call again, at the latest.
    pub check_again_at: SystemTime,
}

struct State {
    secret: SecretData,
    bundle: CaBundle,
}

/// An authority of this process alone and the certificate it signs.
pub struct SelfMade {
    names: ServingNames,
    serving: Arc<ServingCertificate>,
    state: Mutex<State>,
}

impl SelfMade {
    /// Makes an authority and a leaf for `names`, ready to serve.
    ///
    /// # Errors
    /// When there are no names, or keys cannot be made.
    pub fn new(names: ServingNames, now: SystemTime) -> Result<Self, SelfMadeError> {
        let state = Mutex::new(State { secret: SecretData::new(), bundle: CaBundle::default() });
        let made = Self { names, serving: ServingCertificate::empty(), state };
        made.tick(now)?;
        Ok(made)
    }

    /// The certificate, for [`server_config`](crate::server_config) and readiness.
    pub fn serving(&self) -> &Arc<ServingCertificate> {
        &self.serving
    }

    /// What clients must trust, as PEM text: without keys, fit for a file that all may read.
    pub fn bundle_pem(&self) -> String {
        self.with_state(|state| state.bundle.to_pem())
    }

    /// Renews what is due at `now`: to be called at [`Tick::check_again_at`], and rather every minute, since clocks
    /// jump and machines sleep.
    ///
    /// # Errors
    /// When a key cannot be made or a leaf not be signed; all stays as it was.
    pub fn tick(&self, now: SystemTime) -> Result<Tick, SelfMadeError> {
        self.with_state(|state| {
            let before = state.bundle.clone();
            let check_again_at = state.rotate(now)?;
            let secret = AuthoritySecret::from_data(&state.secret)?;
            let authority = secret.active.as_ref().ok_or(SecretError::Empty)?;
            let leaf = self.serving.renew_from(authority, &self.names, now)?;
            let bundle = (!state.bundle.same_as(&before)).then(|| state.bundle.clone());
            Ok(Tick { bundle, leaf, check_again_at })
        })
    }

    fn with_state<Result>(&self, work: impl FnOnce(&mut State) -> Result) -> Result {
        // Each step replaces the data whole, so what a panic left behind is a state between two steps: a valid one.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn rotate(&mut self, now: SystemTime) -> Result<SystemTime, SelfMadeError> {
        for _ in 0..MOST_STEPS {
            // Nobody calls before the first bundle exists.
            let ca_bundles =
                if self.bundle.is_empty() { vec![] } else { vec![self.bundle.to_pem().into_bytes()] };
            let observed = Observed { ca_bundles, leaves: LeavesSeen::AllFromActive };
            let step = next_step(Some(&self.secret), now, &observed);
            match &step {
                Step::Nothing { check_again_at } if !self.bundle.is_empty() => return Ok(*check_again_at),
                Step::Nothing { .. } => self.bundle = AuthoritySecret::from_data(&self.secret)?.bundle(),
                Step::Publish { bundle } => self.bundle = bundle.clone(),
                _ => {
                    if let Some(secret) = carry_out(&step, Some(&self.secret), now)? {
                        tracing::debug!(?step, "a step of the self-made authority");
                        self.secret = secret;
                    }
                }
            }
        }
        Ok(now)
    }
}

impl fmt::Debug for SelfMade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SelfMade")
            .field("names", &self.names)
            .field("serving", &self.serving)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::AUTHORITY_LIFE;
    use crate::rotation::{LONGEST_PAUSE, OVERLAP, SETTLE};
    use crate::samples::{assert_holds_nothing_of, now};
    use crate::secret::CA_KEY;
    use crate::serving::RenewalReason;
    use std::time::Duration;

    fn trusted(made: &SelfMade, bundle: &CaBundle, at: SystemTime) {
        for name in ["localhost", "127.0.0.1", "::1"] {
            bundle.check(&made.serving.current().unwrap(), name, at).unwrap();
        }
    }

    #[test]
    fn it_serves_at_once_and_its_bundle_is_trusted() {
        let made = SelfMade::new(ServingNames::local(), now()).unwrap();
        made.serving().is_valid_at(now()).unwrap();
        let bundle = CaBundle::from_pem(made.bundle_pem().as_bytes()).unwrap();
        assert_eq!(bundle.certificates().len(), 1);
        trusted(&made, &bundle, now());
        let tick = made.tick(now()).unwrap();
        assert_eq!(tick.bundle, None);
        assert_eq!(tick.check_again_at, now() + LONGEST_PAUSE);
        assert!(matches!(tick.leaf, Renewal::Kept { .. }));
    }

    #[test]
    fn two_years_of_ticks_never_leave_a_client_without_trust() {
        let made = SelfMade::new(ServingNames::local(), now()).unwrap();
        let mut client = CaBundle::from_pem(made.bundle_pem().as_bytes()).unwrap();
        let (mut leaves, mut authorities, mut at) = (0, 0, now());
        while at < now() + 2 * AUTHORITY_LIFE {
            let before = client.clone();
            let tick = made.tick(at).unwrap();
            // A client that reads the file before and one that reads it after the tick both trust what is served.
            if let Some(bundle) = tick.bundle {
                client = bundle;
            }
            trusted(&made, &before, at);
            trusted(&made, &client, at);
            match tick.leaf {
                Renewal::Renewed { reason: RenewalReason::AuthorityChanged } => authorities += 1,
                Renewal::Renewed { .. } => leaves += 1,
                Renewal::Kept { .. } => {}
            }
            // Half a day late, as on a machine that sleeps, unless something is under way.
            let soon = tick.check_again_at < at + LONGEST_PAUSE;
            at = if soon { tick.check_again_at } else { at + Duration::from_hours(12) };
        }
        assert_eq!(authorities, 2, "at 8 and 16 months");
        assert!((10..=12).contains(&leaves), "every 60 days: {leaves}");
        assert_eq!(client.certificates().len(), 1, "old CAs are dropped");
    }

    #[test]
    fn a_new_authority_is_trusted_before_it_signs_and_the_old_one_for_a_day_after() {
        let made = SelfMade::new(ServingNames::local(), now()).unwrap();
        let first = made.serving.current().unwrap().authority();
        let due = now() + AUTHORITY_LIFE / 3 * 2;
        let published = made.tick(due).unwrap();
        assert_eq!(published.bundle.unwrap().certificates().len(), 2);
        assert_eq!(published.check_again_at, due + SETTLE);
        assert_eq!(made.serving.current().unwrap().authority(), first);
        let activated = made.tick(due + SETTLE).unwrap();
        assert_eq!(activated.leaf, Renewal::Renewed { reason: RenewalReason::AuthorityChanged });
        assert_eq!(activated.bundle, None);
        let late = due + SETTLE + OVERLAP;
        assert_eq!(made.tick(late - Duration::from_secs(1)).unwrap().bundle, None);
        assert_eq!(made.tick(late).unwrap().bundle.unwrap().certificates().len(), 1);
    }

    #[test]
    fn after_a_sleep_of_years_it_is_mended_at_once() {
        let made = SelfMade::new(ServingNames::local(), now()).unwrap();
        let late = now() + 3 * AUTHORITY_LIFE;
        made.serving().is_valid_at(late).unwrap_err();
        made.tick(late).unwrap();
        made.serving().is_valid_at(late).unwrap();
        trusted(&made, &CaBundle::from_pem(made.bundle_pem().as_bytes()).unwrap(), late);
    }

    #[test]
    fn without_names_there_is_nothing_to_make() {
        let error = SelfMade::new(ServingNames::default(), now()).unwrap_err();
        assert_eq!(error, SelfMadeError::Leaf(AuthorityError::NoNames));
    }

    #[test]
    fn its_key_is_in_no_output() {
        let made = SelfMade::new(ServingNames::local(), now()).unwrap();
        let key = made.with_state(|state| String::from_utf8(state.secret[CA_KEY].clone()).unwrap());
        assert_holds_nothing_of(&key, &format!("{made:?} {}", made.bundle_pem()));
    }
}
