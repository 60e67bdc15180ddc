//! The certificate that is being served, swapped whole while connections are accepted.
//!
//! rustls asks it once per full handshake; a swap is one atomic pointer and disturbs nothing that is under way. There
//! is no `LazyConfigAcceptor` in between (RUSTSEC-2024-0399).

use crate::authority::{Authority, AuthorityError};
use crate::certificate::Untimely;
use crate::leaf::Leaf;
use crate::names::ServingNames;
use arc_swap::ArcSwapOption;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Why nothing valid is being served; the reason that `/readyz` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotServing {
    /// None has been loaded yet.
    #[error("no serving certificate has been loaded yet")]
    NoCertificate,
    /// The one that is loaded is of another time.
    #[error("the serving certificate cannot be used: {0}")]
    Untimely(#[from] Untimely),
}

/// Why a new leaf was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewalReason {
    /// There was none.
    First,
    /// Two thirds of the old one's life are over, or its life has not begun by our clock.
    Due,
    /// Another authority is active now.
    AuthorityChanged,
    /// It does not cover all names.
    NamesChanged,
}

/// What [`ServingCertificate::renew_from`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// The leaf is fine until then.
    Kept {
        /// When it will be replaced.
        due: SystemTime,
    },
    /// A new leaf is being served.
    Renewed {
        /// Why.
        reason: RenewalReason,
    },
}

/// The serving certificate; empty at first. Shared by the server's configuration and by whatever renews it.
#[derive(Debug, Default)]
pub struct ServingCertificate {
    leaf: ArcSwapOption<Leaf>,
    swaps: AtomicU64,
}

impl ServingCertificate {
    /// One that has nothing to serve yet: handshakes fail and [`Self::is_valid_at`] says why.
    pub fn empty() -> Arc<Self> {
        Arc::default()
    }

    /// Serves `leaf` from the next handshake on.
    pub fn replace(&self, leaf: Leaf) {
        self.leaf.store(Some(Arc::new(leaf)));
        self.swaps.fetch_add(1, Ordering::Relaxed);
    }

    /// What is being served.
    pub fn current(&self) -> Option<Arc<Leaf>> {
        self.leaf.load_full()
    }

    /// How often a leaf has been put in place, the first one included: a counter for metrics.
    pub fn swaps(&self) -> u64 {
        self.swaps.load(Ordering::Relaxed)
    }

    /// When what is being served expires: a gauge for metrics, as seconds since 1970 by its reader.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.leaf.load().as_ref().map(|leaf| leaf.certificate().not_after())
    }

    /// Whether something is served that is valid at `now`.
    ///
    /// # Errors
    /// With the reason if not: ready must then be false.
    pub fn is_valid_at(&self, now: SystemTime) -> Result<(), NotServing> {
        let leaf = self.leaf.load();
        Ok(leaf.as_ref().ok_or(NotServing::NoCertificate)?.certificate().check_time(now)?)
    }

    /// Signs and serves a new leaf if the one in place is missing, due, of another authority or of other names.
    ///
    /// # Errors
    /// When signing fails; what was served stays in service.
    pub fn renew_from(
        &self,
        authority: &Authority,
        names: &ServingNames,
        now: SystemTime,
    ) -> Result<Renewal, AuthorityError> {
        let reason = match self.leaf.load().as_deref() {
            None => RenewalReason::First,
            Some(leaf) if leaf.authority() != Some(authority.fingerprint()) => {
                RenewalReason::AuthorityChanged
            }
            Some(leaf) if !names.missing_from(leaf.certificate()).is_empty() => RenewalReason::NamesChanged,
            Some(leaf) => {
                let due = leaf.certificate().renewal_due();
                if now < due && leaf.certificate().check_time(now).is_ok() {
                    return Ok(Renewal::Kept { due });
                }
                RenewalReason::Due
            }
        };
        let leaf = authority.issue(names, now)?;
        tracing::info!(?reason, certificate = ?leaf.certificate(), "serving a new certificate");
        self.replace(leaf);
        Ok(Renewal::Renewed { reason })
    }
}

impl ResolvesServerCert for ServingCertificate {
    /// The same for every name asked for: clients check it, and the API server's name is known before it dials.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.leaf.load().as_ref().map(|leaf| Arc::clone(leaf.certified_key()))
    }
}

impl ResolvesClientCert for ServingCertificate {
    /// The same for every server that asks.
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.leaf.load().as_ref().map(|leaf| Arc::clone(leaf.certified_key()))
    }

    fn has_certs(&self) -> bool {
        self.leaf.load().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{AUTHORITY_LIFE, LEAF_LIFE};
    use std::time::Duration;

    use crate::samples::now;

    #[test]
    fn an_empty_one_is_not_valid_and_says_so() {
        let serving = ServingCertificate::empty();
        let reason = serving.is_valid_at(now()).unwrap_err();
        assert_eq!(reason.to_string(), "no serving certificate has been loaded yet");
        assert_eq!((serving.not_after(), serving.swaps(), serving.current().is_none()), (None, 0, true));
    }

    #[test]
    fn a_leaf_is_renewed_for_each_reason_and_otherwise_kept() {
        let (first, second) = (Authority::generate(now()).unwrap(), Authority::generate(now()).unwrap());
        let names = ServingNames::for_service("gate", "ns").unwrap();
        let serving = ServingCertificate::empty();
        let renew = |authority, names, at| serving.renew_from(authority, names, at).unwrap();
        assert_eq!(renew(&first, &names, now()), Renewal::Renewed { reason: RenewalReason::First });
        let due = serving.current().unwrap().certificate().renewal_due();
        assert_eq!(renew(&first, &names, now()), Renewal::Kept { due });
        assert_eq!(serving.swaps(), 1);
        assert_eq!(
            renew(&second, &names, now()),
            Renewal::Renewed { reason: RenewalReason::AuthorityChanged }
        );
        let more = names.clone().and(&ServingNames::local());
        assert_eq!(renew(&second, &more, now()), Renewal::Renewed { reason: RenewalReason::NamesChanged });
        assert_eq!(renew(&second, &more, due), Renewal::Renewed { reason: RenewalReason::Due });
        assert_eq!(serving.swaps(), 4);
        // A clock that was ahead is set right: what was signed by it is not valid yet.
        assert_eq!(renew(&second, &more, now()), Renewal::Renewed { reason: RenewalReason::Due });
        serving.is_valid_at(now()).unwrap();
    }

    #[test]
    fn two_thirds_of_a_leafs_life_are_sixty_days() {
        let serving = ServingCertificate::empty();
        let authority = Authority::generate(now()).unwrap();
        serving.renew_from(&authority, &ServingNames::local(), now()).unwrap();
        let due = serving.current().unwrap().certificate().renewal_due();
        let days = due.duration_since(now()).unwrap().as_secs() / 86_400;
        assert!((59..=60).contains(&days), "{days}");
    }

    #[test]
    fn past_its_life_it_is_not_valid_and_a_failed_renewal_leaves_it_in_service() {
        let serving = ServingCertificate::empty();
        let authority = Authority::generate(now()).unwrap();
        serving.renew_from(&authority, &ServingNames::local(), now()).unwrap();
        assert_eq!(serving.not_after(), Some(now() + LEAF_LIFE));
        let late = now() + LEAF_LIFE + Duration::from_secs(1);
        assert_eq!(
            serving.is_valid_at(late).unwrap_err().to_string(),
            "the serving certificate cannot be used: it expired at 2027-01-24T07:33:20Z"
        );
        let early = now() - Duration::from_hours(2);
        assert!(matches!(
            serving.is_valid_at(early),
            Err(NotServing::Untimely(Untimely::NotYetValid { .. }))
        ));
        let error = serving
            .renew_from(&authority, &ServingNames::local(), now() + AUTHORITY_LIFE + Duration::from_secs(1))
            .unwrap_err();
        assert!(matches!(error, AuthorityError::Untimely { .. }));
        assert_eq!((serving.swaps(), serving.is_valid_at(now())), (1, Ok(())));
    }
}
