//! What a claim's status says: conditions as kstatus reads them, one word for people, and names of what was made.

use super::making::{Failure, Made};
use crate::answer::Denial;
use crate::plan::Plan;
use jiff::Timestamp;
use wayguard_cluster::kinds::condition::{self, Condition, ConditionStatus};
use wayguard_cluster::kinds::provisioning::claim::{Binding, ClaimPhase, ClaimStatus, Cost, NeededApproval};

/// The claim can be served as it is written.
pub(super) const ACCEPTED: &str = "Accepted";
/// Who has to agree has agreed.
pub(super) const APPROVED: &str = "Approved";
/// Everything that was wanted is there.
pub(super) const APPLIED: &str = "Applied";
/// It can be used.
pub(super) const READY: &str = "Ready";

/// Writes a status anew from the old one.
pub(super) struct Report {
    pub(super) status: ClaimStatus,
    generation: Option<i64>,
    now: String,
}

impl Report {
    pub(super) fn new(old: Option<ClaimStatus>, generation: Option<i64>) -> Self {
        let mut status = old.unwrap_or_default();
        status.observed_generation = generation;
        Self { status, generation, now: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string() }
    }

    fn set(&mut self, kind: &str, holds: bool, reason: &str, message: &str) {
        let status = if holds { ConditionStatus::True } else { ConditionStatus::False };
        condition::set(
            &mut self.status.conditions,
            Condition {
                kind: kind.to_owned(),
                status,
                observed_generation: self.generation,
                last_transition_time: self.now.clone(),
                reason: reason.to_owned(),
                message: message.to_owned(),
            },
        );
    }

    /// A condition that is only there while it holds.
    fn only_while(&mut self, kind: &str, messages: &[String]) {
        if messages.is_empty() {
            condition::remove(&mut self.status.conditions, kind);
        } else {
            self.set(kind, true, kind, &messages.join("; "));
        }
    }

    /// Nothing is made; what is there stays.
    pub(super) fn refused(&mut self, reason: &str, message: &str) {
        self.set(ACCEPTED, false, reason, message);
        self.set(READY, false, reason, message);
        self.status.phase = ClaimPhase::Denied;
        self.status.approvals.clear();
    }

    /// The class's Rego denies it.
    pub(super) fn denied(&mut self, denials: &[Denial]) {
        let text = denials.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        self.refused("Denied", &text);
    }

    /// The class failed: the platform's to mend.
    pub(super) fn failed(&mut self, reason: &str, message: &str) {
        self.set(APPLIED, false, reason, message);
        self.set(READY, false, reason, message);
        self.status.phase = ClaimPhase::Failed;
    }

    /// What the plan says of the claim, before anything is made.
    pub(super) fn planned(&mut self, plan: &Plan) {
        self.set(ACCEPTED, true, "Accepted", &format!("served by the class `{}`", plan.class.name));
        self.status.class = Some(plan.class.name.clone());
        self.status.spec_hash = Some(plan.spec_hash.clone());
    }

    /// Somebody has to agree first.
    pub(super) fn waits_for(&mut self, missing: &[NeededApproval], claim: &str) {
        let words: Vec<_> = missing.iter().map(|it| format!("{} ({})", it.group, it.reason)).collect();
        let hash = self.status.spec_hash.clone().unwrap_or_default();
        let message = format!(
            "waits for {}; they agree by a ClaimApproval with `claim: {claim}`, `specHash: {hash}` and their `group`",
            words.join(", ")
        );
        self.set(APPROVED, false, "Waiting", &message);
        self.set(READY, false, "Waiting", &message);
        self.status.approvals = missing.to_vec();
        self.status.approved_hash = None;
        self.status.phase = ClaimPhase::PendingApproval;
    }

    /// Nobody has to agree, or all have.
    pub(super) fn approved(&mut self, needed: &[NeededApproval]) {
        self.status.approvals.clear();
        if needed.is_empty() {
            self.set(APPROVED, true, "NotNeeded", "nobody has to agree");
            self.status.approved_hash = None;
        } else {
            let names: Vec<_> = needed.iter().map(|it| it.group.as_str()).collect();
            self.set(APPROVED, true, "Approved", &format!("{} agreed", names.join(", ")));
            self.status.approved_hash.clone_from(&self.status.spec_hash);
        }
    }

    /// Nobody had to agree because somebody broke the glass: said for as long as it is so.
    pub(super) fn glass(&mut self, broken: Option<String>) {
        if let Some(text) = &broken {
            self.set(APPROVED, true, "BreakGlass", text);
        }
        self.only_while("BreakGlass", broken.as_slice());
    }

    /// What became of the objects.
    pub(super) fn made(&mut self, plan: &Plan, made: &Made) {
        self.status.inventory.clone_from(&made.inventory);
        self.status.inventory.sort_by(|one, other| one.id.cmp(&other.id));
        self.status.outputs.clone_from(&plan.outputs);
        self.status.binding = plan.binding().map(|name| Binding { name: name.to_owned() });
        self.status.cost = plan.cost.map(|monthly_eur| Cost { monthly_eur });
        self.only_while("Flapping", &made.flapping);
        self.only_while("Drifted", &made.drifted);
        let conflict = made.failure.iter().filter(|failure| failure.reason == "Conflict");
        let conflict: Vec<String> = conflict.map(|failure| failure.message.clone()).collect();
        self.only_while("Conflict", &conflict);
        if let Some(Failure { reason, message, .. }) = &made.failure {
            self.set(APPLIED, false, reason, message);
            self.set(READY, false, reason, message);
            self.status.phase = ClaimPhase::Failed;
            return;
        }
        let text = format!("{} objects are as they should be", plan.objects.len());
        self.set(APPLIED, true, "Applied", &text);
        if plan.ready {
            self.set(READY, true, "Ready", plan.progress.as_deref().unwrap_or("it can be used"));
            self.status.phase = ClaimPhase::Ready;
        } else {
            let waiting = plan.progress.as_deref().filter(|text| !text.is_empty());
            self.set(READY, false, "Provisioning", waiting.unwrap_or("what it needs is being made"));
            self.status.phase = ClaimPhase::Provisioning;
        }
    }

    /// The message of a condition.
    pub(super) fn message(&self, kind: &str) -> &str {
        let found = self.status.conditions.iter().find(|condition| condition.kind == kind);
        found.map(|condition| condition.message.as_str()).unwrap_or_default()
    }

    /// The reason of a condition.
    pub(super) fn reason(&self, kind: &str) -> &str {
        let found = self.status.conditions.iter().find(|condition| condition.kind == kind);
        found.map(|condition| condition.reason.as_str()).unwrap_or_default()
    }
}
