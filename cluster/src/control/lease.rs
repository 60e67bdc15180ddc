//! Leader election by a Lease (coordination.k8s.io/v1), as Kubernetes' own components do it.
//!
//! Clocks of different machines are never compared: a lease has run out when we, by our own steady clock, have seen
//! no change of it for its whole duration. A leader steps down by its own clock before anybody else may take over.
//! Every write names the resource version that was read, so two contenders cannot both win.

use crate::client::{ApiError, Client, within};
use crate::mirror::Task;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, PostParams};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tracing::{info, warn};

/// How long others wait after the last sign of life of a leader.
pub const LEASE_DURATION: Duration = Duration::from_secs(15);
/// A leader that could not renew for this long is none any more. Shorter than [`LEASE_DURATION`], so that it knows
/// before others take over.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// Between attempts to get or keep the lease.
const ATTEMPT_EVERY: Duration = Duration::from_secs(2);

/// Who stands for election, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The Lease's namespace.
    pub namespace: String,
    /// The Lease's name.
    pub lease: String,
    /// Us: unique among all candidates of all times, such as the Pod's name and uid.
    pub identity: String,
}

/// A running candidacy.
pub struct Election {
    api: Api<Lease>,
    candidate: Candidate,
    state: Arc<State>,
    task: Option<Task>,
}

/// Until when, by our steady clock, we lead.
struct State {
    leading: watch::Sender<bool>,
    until: Mutex<Option<Instant>>,
}

impl Election {
    /// Stands for election until dropped or resigned.
    pub fn start(client: &Client, candidate: Candidate) -> Self {
        let api: Api<Lease> = Api::namespaced(client.clone(), &candidate.namespace);
        let state = Arc::new(State { leading: watch::Sender::new(false), until: Mutex::default() });
        let task = Task(tokio::spawn(run(api.clone(), candidate.clone(), Arc::clone(&state))));
        Self { api, candidate, state, task: Some(task) }
    }

    /// Announces the beginning and the end of our leadership.
    pub fn leading(&self) -> watch::Receiver<bool> {
        self.state.leading.subscribe()
    }

    /// Whether we lead at this moment; to be asked before every write.
    pub fn is_leading(&self) -> bool {
        self.state.until().is_some_and(|until| Instant::now() < until)
    }

    /// Steps down and lets the next candidate take over at once.
    pub async fn resign(mut self) {
        // First nobody renews any more, then the lease is given back.
        drop(self.task.take());
        let led = self.is_leading();
        self.state.lead(None);
        if !led {
            return;
        }
        let given_back = async {
            let mut lease = self.api.get(&self.candidate.lease).await?;
            if holder(&lease) == Some(self.candidate.identity.as_str()) {
                let spec = lease.spec.get_or_insert_default();
                spec.holder_identity = Some(String::new());
                spec.lease_duration_seconds = Some(1);
                self.api.replace(&self.candidate.lease, &PostParams::default(), &lease).await?;
            }
            Ok(())
        };
        if let Err(problem) = within(ATTEMPT_EVERY, given_back).await {
            info!(%problem, "the lease was not given back; it runs out by itself");
        }
    }
}

impl State {
    fn until(&self) -> Option<Instant> {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lead(&self, until: Option<Instant>) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
        self.leading
            .send_if_modified(|leading| std::mem::replace(leading, until.is_some()) != until.is_some());
    }
}

async fn run(api: Api<Lease>, candidate: Candidate, state: Arc<State>) {
    let mut seen = Seen::default();
    loop {
        let started = Instant::now();
        match attempt(&api, &candidate, &mut seen).await {
            Ok(true) => {
                if state.until().is_none() {
                    info!(lease = candidate.lease, identity = candidate.identity, "leading");
                }
                state.lead(Some(started + RENEW_DEADLINE));
            }
            Ok(false) => {
                if state.until().is_some() {
                    warn!(lease = candidate.lease, "another candidate leads");
                }
                state.lead(None);
            }
            Err(problem) => {
                warn!(lease = candidate.lease, %problem, "cannot get or renew the lease");
                if state.until().is_some_and(|until| Instant::now() >= until) {
                    warn!(lease = candidate.lease, "no longer leading");
                    state.lead(None);
                }
            }
        }
        tokio::time::sleep(ATTEMPT_EVERY).await;
    }
}

/// One round; whether we lead after it.
async fn attempt(api: &Api<Lease>, candidate: &Candidate, seen: &mut Seen) -> Result<bool, ApiError> {
    let limit = RENEW_DEADLINE / 3;
    let found = within(limit, api.get_opt(&candidate.lease)).await?;
    let next = match next(found.as_ref(), &candidate.identity, seen, Instant::now()) {
        Next::Wait => return Ok(false),
        Next::Hold { acquired } => acquired,
    };
    let lease = written(found.as_ref(), candidate, next);
    let outcome = match found {
        Some(_) => within(limit, api.replace(&candidate.lease, &PostParams::default(), &lease)).await,
        None => within(limit, api.create(&PostParams::default(), &lease)).await,
    };
    match outcome {
        Ok(_) => Ok(true),
        // Somebody else was faster; the next round sees who.
        Err(ApiError::Conflict(_)) => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// The lease as we saw it change last.
#[derive(Debug, Default)]
struct Seen {
    version: Option<String>,
    at: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Somebody else leads, as far as we can tell.
    Wait,
    /// Write the lease with our name; `acquired` if it was not ours before.
    Hold { acquired: bool },
}

fn next(lease: Option<&Lease>, me: &str, seen: &mut Seen, now: Instant) -> Next {
    let Some(lease) = lease else { return Next::Hold { acquired: true } };
    if seen.version != lease.metadata.resource_version {
        *seen = Seen { version: lease.metadata.resource_version.clone(), at: Some(now) };
    }
    match holder(lease) {
        Some(holder) if holder == me => Next::Hold { acquired: false },
        Some(holder) if !holder.is_empty() => {
            let spec = lease.spec.as_ref();
            let seconds =
                spec.and_then(|spec| spec.lease_duration_seconds).and_then(|it| u64::try_from(it).ok());
            let duration = seconds.map_or(LEASE_DURATION, Duration::from_secs);
            let idle = seen.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
            if idle > duration { Next::Hold { acquired: true } } else { Next::Wait }
        }
        _ => Next::Hold { acquired: true },
    }
}

fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref()
}

fn written(found: Option<&Lease>, candidate: &Candidate, acquired: bool) -> Lease {
    let now = MicroTime(Timestamp::now());
    let mut lease = found.cloned().unwrap_or_else(|| Lease {
        metadata: ObjectMeta {
            name: Some(candidate.lease.clone()),
            namespace: Some(candidate.namespace.clone()),
            ..ObjectMeta::default()
        },
        ..Lease::default()
    });
    let before = lease.spec.take().unwrap_or_default();
    let transitions = before.lease_transitions.unwrap_or_default();
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(candidate.identity.clone()),
        lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
        acquire_time: if acquired { Some(now.clone()) } else { before.acquire_time.clone() },
        renew_time: Some(now),
        lease_transitions: Some(if acquired && found.is_some() {
            transitions.saturating_add(1)
        } else {
            transitions
        }),
        ..before
    });
    lease
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::{client, eventually, failure};

    fn lease(holder: &str, version: &str, seconds: i32) -> Lease {
        serde_json::from_value(serde_json::json!({
            "metadata": {"name": "l", "resourceVersion": version},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": seconds, "renewTime": "1999-01-01T00:00:00.000000Z", "leaseTransitions": 3},
        }))
        .unwrap()
    }

    #[test]
    fn a_lease_runs_out_by_our_own_clock_only() {
        let (start, mut seen) = (Instant::now(), Seen::default());
        let mut at = |lease: &Lease, seconds: u64| {
            next(Some(lease), "me", &mut seen, start + Duration::from_secs(seconds))
        };
        // Its renewal time is decades old: that is another machine's clock, and means nothing.
        assert_eq!(at(&lease("other", "1", 15), 0), Next::Wait);
        assert_eq!(at(&lease("other", "1", 15), 15), Next::Wait);
        assert_eq!(at(&lease("other", "2", 15), 16), Next::Wait, "renewed");
        assert_eq!(at(&lease("other", "2", 15), 31), Next::Wait);
        assert_eq!(at(&lease("other", "2", 15), 32), Next::Hold { acquired: true });
    }

    #[test]
    fn our_own_a_given_back_and_no_lease_are_taken_at_once() {
        let now = Instant::now();
        assert_eq!(next(None, "me", &mut Seen::default(), now), Next::Hold { acquired: true });
        assert_eq!(
            next(Some(&lease("me", "1", 15)), "me", &mut Seen::default(), now),
            Next::Hold { acquired: false }
        );
        assert_eq!(
            next(Some(&lease("", "1", 1)), "me", &mut Seen::default(), now),
            Next::Hold { acquired: true }
        );
        assert_eq!(
            next(Some(&Lease::default()), "me", &mut Seen::default(), now),
            Next::Hold { acquired: true }
        );
    }

    #[test]
    fn transitions_are_counted_and_the_version_is_kept_for_the_guard() {
        let candidate = Candidate { namespace: "n".into(), lease: "l".into(), identity: "me".into() };
        let taken = written(Some(&lease("other", "7", 15)), &candidate, true);
        assert_eq!(taken.metadata.resource_version.as_deref(), Some("7"));
        let spec = taken.spec.unwrap();
        assert_eq!((spec.holder_identity.as_deref(), spec.lease_transitions), (Some("me"), Some(4)));
        assert_eq!(written(None, &candidate, true).spec.unwrap().lease_transitions, Some(0));
    }

    #[tokio::test]
    async fn who_loses_the_race_does_not_lead_and_who_wins_can_resign() {
        let version = Arc::new(Mutex::new(1));
        let stored = Arc::new(Mutex::new(lease("", "1", 15)));
        let object = Arc::clone(&stored);
        let (client, log) = client(move |line, body| {
            let mut stored = object.lock().unwrap();
            if line.starts_with("PUT") {
                let mut sent: Lease = serde_json::from_str(body).unwrap();
                if sent.metadata.resource_version != stored.metadata.resource_version {
                    return failure(409, "Conflict", "the object has been modified");
                }
                let mut version = version.lock().unwrap();
                *version += 1;
                sent.metadata.resource_version = Some(version.to_string());
                *stored = sent;
            }
            (200, serde_json::to_string(&*stored).unwrap())
        });
        let candidate = |identity: &str| Candidate {
            namespace: "n".into(),
            lease: "l".into(),
            identity: identity.into(),
        };
        let one = Election::start(&client, candidate("one"));
        eventually("the first leads", || one.is_leading()).await;
        let two = Election::start(&client, candidate("two"));
        eventually("the second has asked", || log.lock().unwrap().len() >= 3).await;
        assert!(!two.is_leading());
        one.resign().await;
        assert_eq!(holder(&stored.lock().unwrap()), Some(""));
        eventually("the second leads", || two.is_leading()).await;
    }
}
