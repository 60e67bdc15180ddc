//! `control --role=provisioning`: the leader's work. What claims and labelled Namespaces ask for is made, kept, and told.
//!
//! ```text
//! watches ─► snapshot ─► per trigger, if anything it depends on is another:
//!                        plan (pure) ─► budget ─► apply, put right, take away (class's account) ─► status, Events
//! ```
//! Nothing hangs on what is remembered: whoever leads next finds what was made by its labels. Nothing is written where
//! nothing is different. There are no finalizers: a claim or namespace that is deleted is gone, whether we run or not.

mod child;
mod making;
mod money;
mod report;
mod view;
mod work;

use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tracing::warn;
use view::{Snapshot, View};
use wayguard_cluster::control::{Candidate, Election};
use wayguard_cluster::install::PROVISIONING_LEASE;
use wayguard_cluster::kinds::condition::{self, Condition, ConditionStatus};
use wayguard_cluster::kinds::provisioning::ClassStatus;
use wayguard_cluster::objects::{self, Target};
use wayguard_cluster::{ApiError, Client};
use wayguard_engine::policy::library::Library;
use work::{Job, Memory};

/// The label and its value that make a Namespace ours to furnish.
pub const NAMESPACE_LABEL: (&str, &str) = ("managed-by", "idp");

/// The label and its value that say that a Namespace is furnished. It is never taken away: Pods of a namespace that was
/// ready once wait for nobody.
pub const READY_LABEL: (&str, &str) = ("wayguard.io/ready", "true");

/// Between looks when nothing is on its way.
const CALM: Duration = Duration::from_secs(30);
/// While watches fill.
const BUSY: Duration = Duration::from_millis(300);
/// Changes come in bursts.
const QUIET: Duration = Duration::from_millis(100);
/// Happenings that are remembered as told.
const MOST_REMEMBERED: usize = 10_000;
/// Triggers that are worked on at once.
const AT_ONCE: usize = 8;

/// What the controller needs to know.
#[derive(Clone)]
pub struct Options {
    /// The suite's own namespace, where the classes' accounts and the Lease are.
    pub own_namespace: String,
    /// Who we are in the election; unique among all Pods of all times.
    pub identity: String,
    /// Where classes find their packages.
    pub library: Arc<Library>,
}

/// What the controller tells about itself, for metrics.
#[derive(Debug, Default)]
pub struct State {
    /// Whether this process leads.
    pub leading: AtomicBool,
    /// Rounds that were finished.
    pub rounds: AtomicU64,
    /// Rounds, or triggers in them, that failed.
    pub failures: AtomicU64,
    /// Plans that were made.
    pub plans: AtomicU64,
    /// Objects that were made, changed or taken away.
    pub writes: AtomicU64,
    /// Those among them that somebody else had changed or deleted.
    pub corrections: AtomicU64,
    /// Statuses that were written.
    pub statuses: AtomicU64,
    /// Claims by their phase at the last look, as `Ready`.
    pub phases: std::sync::Mutex<BTreeMap<String, u64>>,
    /// What the claims of each team cost together, in euro a month, at the last look.
    pub costs: std::sync::Mutex<BTreeMap<String, f64>>,
    /// Objects that were made for claims or Namespaces that are gone, at the last look.
    pub orphans: AtomicU64,
}

/// Works until `stop`, as leader or waiting to become one. Failures are logged, counted and tried again.
pub async fn control(client: &Client, options: Options, state: Arc<State>, stop: impl Future<Output = ()>) {
    let candidate = Candidate {
        namespace: options.own_namespace.clone(),
        lease: PROVISIONING_LEASE.to_owned(),
        identity: options.identity.clone(),
    };
    let election = Election::start(client, candidate);
    let changed = Arc::new(Notify::new());
    let mut view = View::start(client, Arc::clone(&options.library), &changed);
    let mut controller = Controller {
        client: client.clone(),
        options,
        state: Arc::clone(&state),
        accounts: BTreeMap::new(),
        memories: BTreeMap::new(),
        told: BTreeSet::new(),
    };
    let mut leading = election.leading();
    let mut stop = std::pin::pin!(stop);
    loop {
        let leads = election.is_leading();
        state.leading.store(leads, Ordering::Relaxed);
        let mut wait = CALM;
        if leads {
            match view.look().await {
                Ok(Some(snapshot)) => {
                    wait = controller.round(&snapshot, &election).await;
                    state.rounds.fetch_add(1, Ordering::Relaxed);
                }
                Ok(None) => wait = BUSY,
                Err(problem) => {
                    state.failures.fetch_add(1, Ordering::Relaxed);
                    warn!(%problem, "cannot ask the API server which kinds it has");
                    wait = Duration::from_secs(2);
                }
            }
        } else {
            // Another leader may have done anything meanwhile.
            controller.memories.clear();
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = changed.notified() => tokio::time::sleep(QUIET).await,
            // The sender lives as long as the election.
            _ = leading.changed() => {}
            () = &mut stop => break,
        }
    }
    state.leading.store(false, Ordering::Relaxed);
    election.resign().await;
}

struct Controller {
    client: Client,
    options: Options,
    state: Arc<State>,
    /// A client for each class's account.
    accounts: BTreeMap<String, Client>,
    /// By the trigger's uid.
    memories: BTreeMap<String, Memory>,
    /// Happenings that were told, by name, since we lead.
    told: BTreeSet<String>,
}

impl Controller {
    /// One round; when the next one should be.
    async fn round(&mut self, snapshot: &Snapshot, election: &Election) -> Duration {
        let now = Instant::now();
        let living: BTreeSet<String> = snapshot
            .claims
            .iter()
            .chain(snapshot.namespaces.values())
            .filter_map(|object| Some(object.pointer("/metadata/uid")?.as_str()?.to_owned()))
            .collect();
        self.memories.retain(|uid, _| living.contains(uid));
        let mut ledger = money::Ledger::of(snapshot);
        let mut jobs = Vec::new();
        let mut wait = CALM;
        for object in work::triggers(snapshot) {
            let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut memory = self.memories.remove(&uid).unwrap_or_default();
            let key = work::key(&object, snapshot, &ledger);
            if !memory.is_due(&key, now) {
                wait = wait.min(memory.due_in(now));
                self.memories.insert(uid, memory);
                continue;
            }
            memory.key = key;
            self.state.plans.fetch_add(1, Ordering::Relaxed);
            let planned = work::prepare(&object, snapshot, &mut ledger);
            let account = planned.account(&self.options.own_namespace);
            let client = account.map(|user| self.account(&user));
            jobs.push(Job { object, planned, memory, client, uid });
        }
        let work = jobs.into_iter().map(|job| {
            let leads = election.is_leading();
            let (client, living) = (self.client.clone(), &living);
            async move { if leads { job.run(&client, snapshot, living).await } else { job.skipped() } }
        });
        let done: Vec<work::Done> = futures::StreamExt::collect(futures::StreamExt::buffer_unordered(
            futures::stream::iter(work),
            AT_ONCE,
        ))
        .await;
        for done in done {
            wait = wait.min(self.settle(done, now).await);
        }
        if let Err(problem) = self.statuses(snapshot, &ledger).await {
            self.state.failures.fetch_add(1, Ordering::Relaxed);
            warn!(%problem, "cannot write the statuses of classes and budgets");
            wait = wait.min(Duration::from_secs(5));
        }
        self.count(snapshot, &living, &ledger);
        wait.max(Duration::from_millis(50))
    }

    fn account(&mut self, user: &str) -> Client {
        let ours = &self.client;
        self.accounts.entry(user.to_owned()).or_insert_with(|| objects::acting_as(ours, user)).clone()
    }

    /// Remembers, counts and tells what a job has done; when it is to be looked at again.
    async fn settle(&mut self, done: work::Done, now: Instant) -> Duration {
        let state = &self.state;
        state.writes.fetch_add(done.writes, Ordering::Relaxed);
        state.corrections.fetch_add(done.corrections, Ordering::Relaxed);
        state.statuses.fetch_add(u64::from(done.status_written), Ordering::Relaxed);
        if done.failed {
            state.failures.fetch_add(1, Ordering::Relaxed);
        }
        let wait = done.memory.due_in(now);
        for (warning, reason, note) in &done.happened {
            self.tell(&done.about, &done.uid, *warning, reason, note).await;
        }
        self.memories.insert(done.uid, done.memory);
        wait
    }

    /// Records an Event, once.
    async fn tell(&mut self, about: &Target, uid: &str, warning: bool, reason: &str, note: &str) {
        // Corrections may be told again; a refusal need not, however often it is looked at.
        let minute = if reason == "Corrected" { Timestamp::now().as_second() / 60 } else { 0 };
        let hash = crate::digest::short(&json!([uid, reason, note, minute]));
        let name = format!("{}.{}", about.name, hash.get(..16).unwrap_or_default());
        if self.told.len() >= MOST_REMEMBERED {
            // An Event of the same name is not recorded twice either way.
            self.told.clear();
        }
        if !self.told.insert(name.clone()) {
            return;
        }
        let happening = objects::Happening {
            about,
            uid,
            warning,
            reason,
            action: "Provision",
            note,
            name: &name,
            controller: "wayguard.io/provisioning",
            instance: &self.options.identity,
        };
        if let Err(problem) = objects::tell(&self.client, &happening).await {
            warn!(%problem, reason, note, "an Event was not recorded");
        }
    }

    /// Whether each class could be loaded, and how much of each budget is spent; only what is another.
    async fn statuses(&self, snapshot: &Snapshot, ledger: &money::Ledger) -> Result<(), ApiError> {
        let mut served: BTreeMap<&str, u32> = BTreeMap::new();
        for claim in &snapshot.claims {
            if let Some(class) = claim.pointer("/status/class").and_then(Value::as_str) {
                *served.entry(class).or_default() += 1;
            }
        }
        for object in &snapshot.classes {
            let target = Target::of(object);
            let before = object.get("status").cloned().unwrap_or_default();
            let mut status: ClassStatus = serde_json::from_value(before.clone()).unwrap_or_default();
            status.observed_generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
            status.claims = served.get(target.name.as_str()).copied().unwrap_or_default();
            let problem = snapshot.catalog.problems().iter().find(|it| it.class == target.name);
            condition::set(
                &mut status.conditions,
                Condition {
                    kind: wayguard_cluster::kinds::status::LOADED.to_owned(),
                    status: if problem.is_none() { ConditionStatus::True } else { ConditionStatus::False },
                    observed_generation: status.observed_generation,
                    last_transition_time: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    reason: if problem.is_none() { "Compiled" } else { "Invalid" }.to_owned(),
                    message: problem
                        .map_or_else(|| "claims can be served".to_owned(), |it| it.problems.join("; ")),
                },
            );
            self.write_status(object, &target, &before, &serde_json::to_value(&status).unwrap_or_default())
                .await?;
        }
        for object in &snapshot.budgets {
            let before = object.get("status").cloned().unwrap_or_default();
            let status =
                crate::digest::as_stored(serde_json::to_value(ledger.status(object)).unwrap_or_default());
            self.write_status(object, &Target::of(object), &before, &status).await?;
        }
        Ok(())
    }

    async fn write_status(
        &self,
        object: &Value,
        target: &Target,
        before: &Value,
        after: &Value,
    ) -> Result<(), ApiError> {
        if before == after {
            return Ok(());
        }
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
        self.state.statuses.fetch_add(1, Ordering::Relaxed);
        objects::write_status(&self.client, target, uid, crate::MANAGER, [before, after]).await
    }

    fn count(&self, snapshot: &Snapshot, living: &BTreeSet<String>, ledger: &money::Ledger) {
        let orphans = snapshot.made.iter().filter(|((uid, _), _)| !living.contains(uid));
        let orphans: usize = orphans.map(|(_, objects)| objects.len()).sum();
        self.state.orphans.store(orphans as u64, Ordering::Relaxed);
        *self.state.costs.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = ledger.costs();
        let mut phases: BTreeMap<String, u64> = BTreeMap::new();
        for claim in &snapshot.claims {
            let phase = claim.pointer("/status/phase").and_then(Value::as_str).unwrap_or("Pending");
            *phases.entry(phase.to_owned()).or_default() += 1;
        }
        *self.state.phases.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = phases;
    }
}
