//! Ready means: certificate valid, policies compiled, caches synced, not draining. Latches, not a constant 200
//! (design §2).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All that must hold before the server is ready, by name.
#[derive(Debug, Default)]
pub struct Readiness {
    /// What is missing per latch; `None`: nothing.
    latches: Mutex<BTreeMap<&'static str, Option<String>>>,
}

/// One condition; whoever brings it about holds this.
#[derive(Clone, Debug)]
pub struct Latch {
    name: &'static str,
    readiness: Arc<Readiness>,
}

impl Readiness {
    /// Without conditions: ready.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Adds a condition that does not hold yet; `missing` says what is waited for.
    pub fn require(self: &Arc<Self>, name: &'static str, missing: &str) -> Latch {
        self.lock().insert(name, Some(missing.to_owned()));
        Latch { name, readiness: Arc::clone(self) }
    }

    /// All conditions in order of name, each with what is missing.
    pub fn conditions(&self) -> Vec<(&'static str, Option<String>)> {
        self.lock().iter().map(|(name, missing)| (*name, missing.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Option<String>>> {
        // Nothing can panic while the lock is held, and a map of texts has no broken state.
        self.latches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Latch {
    /// The condition holds.
    pub fn ready(&self) {
        self.readiness.lock().insert(self.name, None);
    }

    /// The condition does not hold (any more), because of this.
    pub fn not_ready(&self, missing: &str) {
        self.readiness.lock().insert(self.name, Some(missing.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latch_must_be_ready_and_may_turn_back() {
        let readiness = Readiness::new();
        let caches = readiness.require("caches", "not synced yet");
        assert_eq!(readiness.conditions(), [("caches", Some("not synced yet".to_owned()))]);
        caches.ready();
        assert_eq!(readiness.conditions(), [("caches", None)]);
        caches.not_ready("lost");
        assert_eq!(readiness.conditions(), [("caches", Some("lost".to_owned()))]);
    }
}
