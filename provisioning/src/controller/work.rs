//! One trigger at a time: what its outcome depends on, what is planned for it, what is done, what is told.

use super::child::Child;
use super::making::{Failure, Made, Making, make};
use super::money::{EXCEEDED, Ledger};
use super::report::{ACCEPTED, APPLIED, APPROVED, READY, Report};
use super::view::{Blind, Snapshot, by_id, label};
use super::{NAMESPACE_LABEL, READY_LABEL};
use crate::consent;
use crate::digest::as_stored;
use crate::plan::{Asked, Plan, PlanError, Trigger, plan};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{info, warn};
use wayguard_cluster::Client;
use wayguard_cluster::kinds::provisioning::claim::{ClaimPhase, ClaimStatus, NeededApproval};
use wayguard_cluster::objects::{self, Target};

/// Looked at again at the latest after this time, and up to a fifth later: not all at once.
const RESYNC: Duration = Duration::from_mins(10);
/// After a failure, at first; twice as long each time.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// What is remembered of a trigger.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// What its outcome depended on.
    pub(super) key: String,
    due: Option<Instant>,
    failures: u32,
    children: BTreeMap<String, Child>,
}

impl Memory {
    /// Whether it has to be looked at.
    pub(super) fn is_due(&self, key: &str, now: Instant) -> bool {
        self.key != key || self.due.is_none_or(|due| due <= now)
    }

    /// When it has to be looked at without any change.
    pub(super) fn due_in(&self, now: Instant) -> Duration {
        self.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(now))
    }

    fn settle(&mut self, uid: &str, failed: bool, again: Option<Duration>) {
        let resync = RESYNC + RESYNC.mul_f64(f64::from(blake3::hash(uid.as_bytes()).as_bytes()[0]) / 1280.0);
        let wait = if failed {
            let wait = FIRST_RETRY.saturating_mul(1 << self.failures.min(9)).min(LONGEST_RETRY);
            self.failures += 1;
            wait
        } else {
            self.failures = 0;
            resync
        };
        self.due = Some(Instant::now() + again.map_or(wait, |again| again.min(wait)));
    }
}

/// All claims, the oldest first, and all Namespaces that are ours to furnish; nothing that is on its way out.
pub(super) fn triggers(snapshot: &Snapshot) -> Vec<Arc<Value>> {
    let ends = |object: &Value| object.pointer("/metadata/deletionTimestamp").is_some();
    let furnished = |object: &&Arc<Value>| label(object, NAMESPACE_LABEL.0) == Some(NAMESPACE_LABEL.1);
    let mut claims: Vec<Arc<Value>> = snapshot
        .claims
        .iter()
        .filter(|claim| {
            let namespace = claim.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
            // A namespace that ends takes nothing new.
            !ends(claim) && snapshot.namespaces.get(namespace).is_some_and(|namespace| !ends(namespace))
        })
        .cloned()
        .collect();
    let text = |claim: &Arc<Value>, pointer: &str| {
        claim.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    claims.sort_by_key(|it| (text(it, "/metadata/creationTimestamp"), text(it, "/metadata/uid")));
    // A namespace's limits come before what is in it.
    let namespaces = snapshot.namespaces.values().filter(|it| !ends(it)).filter(furnished).cloned();
    namespaces.chain(claims).collect()
}

fn is_claim(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("PlatformClaim")
}

/// Everything that the outcome depends on, by name and version.
pub(super) fn key(object: &Value, snapshot: &Snapshot, ledger: &Ledger) -> String {
    let text =
        |object: &Value, pointer: &str| object.pointer(pointer).map(ToString::to_string).unwrap_or_default();
    let mut key = format!("{}|{}|", snapshot.epoch, text(object, "/metadata/generation"));
    let metadata = |object: &Value| {
        format!("{}{}", text(object, "/metadata/labels"), text(object, "/metadata/annotations"))
    };
    // Writing to a String cannot fail.
    let _ = write!(key, "{}|", metadata(object));
    if is_claim(object) {
        let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
        if let Some(namespace) = snapshot.namespaces.get(namespace) {
            let _ = write!(key, "{}|", metadata(namespace));
        }
        for approval in snapshot.approvals.get(namespace).into_iter().flatten() {
            let _ = write!(key, "{},", text(approval, "/metadata/uid"));
        }
        let _ = write!(key, "|{}|", ledger.state_for(object, snapshot));
    }
    for child in snapshot.made_for(object) {
        let _ = write!(key, "{}@{},", text(child, "/metadata/uid"), text(child, "/metadata/resourceVersion"));
    }
    let _ = write!(key, "|{:?}", snapshot.blind);
    key
}

/// What was found out before anything is done.
pub(super) enum Prepared {
    /// The class can say what shall be there.
    Planned {
        /// What it says.
        plan: Box<Plan>,
        /// Who has not agreed yet.
        missing: Vec<NeededApproval>,
        /// Why there is no money for it.
        unpaid: Option<String>,
        /// Kinds that cannot be seen.
        blind: Option<Blind>,
    },
    /// It cannot.
    Unplanned(PlanError),
}

impl Prepared {
    /// In whose name everything is done.
    pub(super) fn account(&self, own_namespace: &str) -> Option<String> {
        let Self::Planned { plan, .. } = self else { return None };
        Some(format!("system:serviceaccount:{own_namespace}:{}", plan.class.spec.service_account))
    }
}

/// Plans, and reserves the money for it.
pub(super) fn prepare(object: &Value, snapshot: &Snapshot, ledger: &mut Ledger) -> Prepared {
    let made = snapshot.made_for(object);
    let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
    let (trigger, namespace) = if is_claim(object) {
        (Trigger::Claim(object), snapshot.namespaces.get(namespace).map_or(&Value::Null, AsRef::as_ref))
    } else {
        (Trigger::Namespace(object), object)
    };
    let observed = by_id(made);
    let asked =
        Asked { trigger, namespace, observed: &observed, capabilities: Some(snapshot.capabilities.as_ref()) };
    let plan = match plan(&snapshot.catalog, &asked) {
        Ok(plan) => plan,
        Err(error) => return Prepared::Unplanned(error),
    };
    let asks = plan.denials.is_empty() && consent::broken_glass(object).is_none();
    let missing = if asks { missing_approvals(object, &plan, snapshot) } else { Vec::new() };
    let fits = plan.denials.is_empty() && missing.is_empty() && is_claim(object);
    let unpaid = plan.cost.filter(|_| fits).and_then(|cost| ledger.reserve(object, snapshot, cost).err());
    let needed: BTreeSet<String> =
        plan.objects.iter().map(|planned| crate::limits::kind_name(&planned.object)).collect();
    // Blind, we would take what is there for gone.
    let blind = needed.iter().find_map(|kind| snapshot.blind.get(kind)).cloned();
    Prepared::Planned { plan: Box::new(plan), missing, unpaid, blind }
}

/// The approvals that nobody has given for this spec.
fn missing_approvals(claim: &Value, plan: &Plan, snapshot: &Snapshot) -> Vec<NeededApproval> {
    let text = |object: &Value, pointer: &str| {
        object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (namespace, name) = (text(claim, "/metadata/namespace"), text(claim, "/metadata/name"));
    let given = |needed: &&NeededApproval| {
        snapshot.approvals.get(&namespace).into_iter().flatten().any(|approval| {
            text(approval, "/spec/claim") == name
                && text(approval, "/spec/specHash") == plan.spec_hash
                && text(approval, "/spec/group") == needed.group
                && consent::problem(claim, approval).is_none()
        })
    };
    plan.approvals.iter().filter(|needed| !given(needed)).cloned().collect()
}

/// One trigger's work.
pub(super) struct Job {
    pub(super) object: Arc<Value>,
    pub(super) planned: Prepared,
    pub(super) memory: Memory,
    /// The class's account.
    pub(super) client: Option<Client>,
    pub(super) uid: String,
}

/// What became of it.
pub(super) struct Done {
    pub(super) about: Target,
    pub(super) uid: String,
    pub(super) memory: Memory,
    pub(super) writes: u64,
    pub(super) corrections: u64,
    pub(super) status_written: bool,
    pub(super) failed: bool,
    /// Whether it is a warning, its reason, in words.
    pub(super) happened: Vec<(bool, String, String)>,
}

impl Job {
    /// We do not lead any more.
    pub(super) fn skipped(self) -> Done {
        let about = Target::of(&self.object);
        Done {
            about,
            uid: self.uid,
            memory: Memory::default(),
            writes: 0,
            corrections: 0,
            status_written: false,
            failed: false,
            happened: Vec::new(),
        }
    }

    /// Makes what is planned, and writes what became of it.
    pub(super) async fn run(mut self, ours: &Client, snapshot: &Snapshot, living: &BTreeSet<String>) -> Done {
        let about = Target::of(&self.object);
        let before = self.object.get("status").cloned().unwrap_or_default();
        let old: Option<ClaimStatus> = serde_json::from_value(before.clone()).ok();
        let mut acted = self.act(&about, old, snapshot, living).await;
        let mut status_written = false;
        if is_claim(&self.object) && !acted.waits {
            let after = as_stored(serde_json::to_value(&acted.report.status).unwrap_or(json!({})));
            if after != before {
                let written =
                    objects::write_status(ours, &about, &self.uid, crate::MANAGER, [&before, &after]).await;
                status_written = written.is_ok();
                if let Err(problem) = written {
                    acted.failed = true;
                    warn!(claim = about.name, namespace = about.namespace, %problem, "a status was not written");
                }
            }
        }
        if !is_claim(&self.object) && acted.finished && label(&self.object, READY_LABEL.0).is_none() {
            let mark = json!({"metadata": {"uid": self.uid, "labels": {READY_LABEL.0: READY_LABEL.1}}});
            if let Err(problem) = objects::merge(ours, &about, crate::MANAGER, &mark).await {
                acted.failed = true;
                warn!(namespace = about.name, %problem, "the namespace was not marked as ready");
            } else {
                acted.made.writes += 1;
                acted.happened.push((false, "Ready".to_owned(), "the namespace is furnished".to_owned()));
            }
        }
        let Acted { made, happened, failed, .. } = acted;
        let (kind, name, namespace) = (&about.kind, &about.name, &about.namespace);
        if let Some(Failure { reason, message, .. }) = &made.failure {
            warn!(kind, name, namespace, reason, why = message, "not everything could be made");
        } else if made.writes > 0 {
            info!(kind, name, namespace, writes = made.writes, "made");
        }
        self.memory.settle(&self.uid, failed, made.again);
        Done {
            about,
            uid: self.uid,
            memory: self.memory,
            writes: made.writes,
            corrections: made.corrections,
            status_written,
            failed,
            happened,
        }
    }

    /// Makes what is planned, if it may be made.
    async fn act(
        &mut self,
        about: &Target,
        old: Option<ClaimStatus>,
        snapshot: &Snapshot,
        living: &BTreeSet<String>,
    ) -> Acted {
        let was = old.as_ref().map(|status| status.phase).unwrap_or_default();
        let generation = self.object.pointer("/metadata/generation").and_then(Value::as_i64);
        let inventory = old.as_ref().map(|status| status.inventory.clone()).unwrap_or_default();
        let mut acted = Acted {
            report: Report::new(old, generation),
            made: Made::default(),
            happened: Vec::new(),
            failed: false,
            waits: false,
            finished: false,
        };
        let report = &mut acted.report;
        let (plan, missing, unpaid, blind) = match &self.planned {
            Prepared::Unplanned(PlanError::Claim(message)) => {
                report.refused("NotOffered", message);
                acted.happened.push((true, "NotOffered".to_owned(), message.clone()));
                return acted;
            }
            Prepared::Unplanned(error @ PlanError::Class { .. }) => {
                report.failed("ClassFailed", &error.to_string());
                acted.happened.push((true, "ClassFailed".to_owned(), error.to_string()));
                acted.failed = true;
                return acted;
            }
            Prepared::Planned { plan, missing, unpaid, blind } => (plan, missing, unpaid, blind),
        };
        report.planned(plan);
        if !plan.denials.is_empty() {
            report.denied(&plan.denials);
            acted.happened.push((true, "Denied".to_owned(), report.message(ACCEPTED).to_owned()));
        } else if !missing.is_empty() {
            report.waits_for(missing, &about.name);
            acted.happened.push((false, "Waiting".to_owned(), report.message(APPROVED).to_owned()));
        } else if let Some(why) = unpaid {
            report.refused(EXCEEDED, why);
            acted.happened.push((true, EXCEEDED.to_owned(), why.clone()));
        } else if let Some(Blind { reason, why }) = blind {
            acted.failed = true;
            report.approved(&plan.approvals);
            match reason {
                Some(reason) => {
                    report.failed(reason, why);
                    acted.happened.push((true, (*reason).to_owned(), why.clone()));
                }
                // It passes within seconds, and is not worth a write.
                None => acted.waits = true,
            }
        } else if let Some(client) = &self.client {
            report.approved(&plan.approvals);
            let glass = consent::broken_glass(&self.object).filter(|_| !plan.approvals.is_empty());
            acted.happened.extend(glass.iter().map(|text| (true, "BreakGlass".to_owned(), text.clone())));
            report.glass(glass);
            let making = Making {
                client,
                class: &plan.class,
                claim: is_claim(&self.object).then_some(about.name.as_str()),
                uid: &self.uid,
                planned: &plan.objects,
                made: snapshot.made_for(&self.object),
                inventory: &inventory,
                living,
            };
            acted.made = make(&making, &mut self.memory.children).await;
            acted.failed = acted.made.failure.is_some();
            acted.waits = acted.made.failure.as_ref().is_some_and(|failure| failure.passing);
            report.made(plan, &acted.made);
            acted.finished = plan.ready && acted.made.failure.is_none();
            acted.happened.extend(told(&acted.made, report, was));
        }
        acted
    }
}

/// What was done for a trigger, and what is to be said of it.
struct Acted {
    report: Report,
    made: Made,
    happened: Vec<(bool, String, String)>,
    failed: bool,
    /// Nothing is to be said yet.
    waits: bool,
    /// All that is wanted is there.
    finished: bool,
}

/// What people should hear of what was made.
fn told(made: &Made, report: &Report, was: ClaimPhase) -> Vec<(bool, String, String)> {
    let mut all: Vec<_> = made
        .happened
        .iter()
        .map(|(reason, note)| (*reason == "Corrected", (*reason).to_owned(), note.clone()))
        .collect();
    all.extend(made.flapping.iter().map(|note| (true, "Flapping".to_owned(), note.clone())));
    if let Some(failure) = made.failure.as_ref().filter(|failure| !failure.passing) {
        all.push((true, failure.reason.to_owned(), failure.message.clone()));
    }
    let phase = report.status.phase;
    if phase != was && phase == ClaimPhase::Ready {
        all.push((false, report.reason(READY).to_owned(), report.message(READY).to_owned()));
    }
    if phase != was && phase == ClaimPhase::Provisioning {
        all.push((false, report.reason(APPLIED).to_owned(), report.message(APPLIED).to_owned()));
    }
    all
}
