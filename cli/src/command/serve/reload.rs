//! Policies while the server runs: files are looked at again and again; a change is taken into service whole,
//! and what is worse than what is in service is not.

use crate::exit::Failure;
use crate::policies::{Gathered, Sources, gather};
use std::sync::Arc;
use std::time::Duration;
use wayguard_engine::PolicySet;
use wayguard_engine::policy::set::LoadFailure;
use wayguard_webhook::PolicySource;

/// Keeps the server's policies as the files have them.
pub(super) struct Reloader {
    sources: Sources,
    policies: Arc<PolicySource>,
    /// What is in service, to fall back on policy by policy.
    good: Gathered,
    /// What was seen last time and is not in service: taken when it is seen a second time, for a file may be
    /// half written the first time.
    pending: Option<blake3::Hash>,
    /// What was last complained of, so that it is said once.
    complaint: Option<String>,
}

/// What a look at the files led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Unchanged,
    Changing,
    Loaded,
    Refused,
}

impl Reloader {
    /// Loads the policies for the first time.
    ///
    /// # Errors
    /// If a source as a whole cannot be read; single policies that are wrong are logged and left out.
    pub(super) fn load(sources: Sources, policies: Arc<PolicySource>) -> Result<Self, Failure> {
        let good = gather(&sources)?;
        let set = good.compile();
        log_failures(set.failures(), "left out");
        announce(&set);
        policies.replace(Arc::new(set));
        Ok(Self { sources, policies, good, pending: None, complaint: None })
    }

    /// Looks for changes for as long as the future is polled.
    pub(super) async fn keep(mut self, every: Duration) {
        if !self.sources.can_change() {
            return std::future::pending().await;
        }
        let mut ticks = tokio::time::interval(every.max(Duration::from_millis(50)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Compiling takes time that connections should not wait for.
            let looked = tokio::task::spawn_blocking(move || {
                self.look();
                self
            });
            self = match looked.await {
                Ok(reloader) => reloader,
                Err(error) => {
                    tracing::error!(%error, "loading policies panicked; those in service stay, changes are no longer seen");
                    return std::future::pending().await;
                }
            };
        }
    }

    fn look(&mut self) -> Look {
        let gathered = match gather(&self.sources) {
            Ok(gathered) => gathered,
            Err(failure) => {
                let complaint = failure.to_string();
                if self.complaint.as_ref() != Some(&complaint) {
                    tracing::error!("policies cannot be read, those in service stay: {complaint}");
                    self.policies.refuse();
                    self.complaint = Some(complaint);
                }
                self.pending = None;
                return Look::Refused;
            }
        };
        self.complaint = None;
        let seen = gathered.fingerprint;
        if seen == self.good.fingerprint {
            self.pending = None;
            return Look::Unchanged;
        }
        if self.pending != Some(seen) {
            self.pending = Some(seen);
            return Look::Changing;
        }
        self.pending = None;
        self.take(gathered);
        Look::Loaded
    }

    /// Puts a new set into service. A policy that was good and is broken now stays as it was: a slip of the pen
    /// must not switch a rule off.
    fn take(&mut self, mut gathered: Gathered) {
        let mut set = gathered.compile();
        let kept =
            self.policies.current().is_some_and(|old| gathered.keep_good(set.failures(), &self.good, &old));
        if kept {
            log_failures(set.failures(), "what was in service before stays");
            self.policies.refuse();
            set = gathered.compile();
        } else {
            log_failures(set.failures(), "left out");
        }
        announce(&set);
        self.policies.replace(Arc::new(set));
        self.good = gathered;
    }
}

/// Says what is served from now on.
pub(super) fn announce(set: &PolicySet) {
    tracing::info!(
        policies = set.policies().len(),
        failures = set.failures().len(),
        digest = set.digest(),
        "policies in service"
    );
}

fn log_failures(failures: &[LoadFailure], consequence: &str) {
    for failure in failures {
        for error in &failure.errors {
            tracing::error!(policy = failure.policy, "a policy cannot be loaded, {consequence}: {error}");
        }
    }
}
