//! What teams have reserved of their budgets. One leader decides one claim after the other, the oldest first, so that
//! what is reserved never exceeds what there is.

use super::view::{Snapshot, label};
use serde_json::Value;
use std::collections::BTreeMap;
use wayguard_cluster::kinds::provisioning::{TeamBudgetSpec, TeamBudgetStatus};

/// Cents of a euro are not worth a refusal.
const ROUNDING: f64 = 0.005;

/// All budgets, and what each claim costs its team.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By team: the sum of its budgets.
    limits: BTreeMap<String, f64>,
    /// By team and the claim's uid.
    reserved: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Ledger {
    /// What the statuses say.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut ledger = Self::default();
        for budget in &snapshot.budgets {
            if let Some(spec) = spec(budget) {
                *ledger.limits.entry(spec.team).or_default() += spec.monthly_eur;
            }
        }
        for claim in &snapshot.claims {
            let cost = claim.pointer("/status/cost/monthlyEUR").and_then(Value::as_f64);
            if let (Some(team), Some(cost)) = (team(claim, snapshot), cost) {
                ledger.reserved.entry(team).or_default().insert(uid(claim), cost);
            }
        }
        ledger
    }

    /// What a claim depends on of its team's money: nothing, if there is no budget.
    pub(super) fn state_for(&self, claim: &Value, snapshot: &Snapshot) -> String {
        let Some(team) = team(claim, snapshot) else { return String::new() };
        let Some(limit) = self.limits.get(&team) else { return String::new() };
        // What is left matters only to those who wait for it.
        let waits = claim.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
        let waits = waits.into_iter().any(|it| it.get("reason").and_then(Value::as_str) == Some(EXCEEDED));
        if waits { format!("{limit}/{}", self.total(&team, "")) } else { format!("{limit}") }
    }

    /// What each team's claims cost together, in euro a month.
    pub(super) fn costs(&self) -> BTreeMap<String, f64> {
        self.reserved.iter().map(|(team, claims)| (team.clone(), claims.values().sum())).collect()
    }

    /// Reserves what a claim costs. Otherwise why not.
    ///
    /// # Errors
    /// In one sentence, for the claim's author.
    pub(super) fn reserve(&mut self, claim: &Value, snapshot: &Snapshot, cost: f64) -> Result<(), String> {
        let Some(team) = team(claim, snapshot) else { return Ok(()) };
        let uid = uid(claim);
        let others = self.total(&team, &uid);
        let own = self.reserved.get(&team).and_then(|claims| claims.get(&uid)).copied();
        if let Some(limit) = self.limits.get(&team) {
            // What is there already stays, whatever it costs; it may not cost more.
            let more = own.is_none_or(|own| cost > own + ROUNDING);
            if more && others + cost > limit + ROUNDING {
                return Err(format!(
                    "it costs {cost} EUR a month, and of the {limit} of team `{team}` {others} are reserved; delete what is not needed, take a smaller size, or ask for a larger TeamBudget"
                ));
            }
        }
        self.reserved.entry(team).or_default().insert(uid, cost);
        Ok(())
    }

    /// The status of a budget.
    pub(super) fn status(&self, budget: &Value) -> TeamBudgetStatus {
        let team = spec(budget).map(|spec| spec.team).unwrap_or_default();
        let claims = self.reserved.get(&team).map_or(0, BTreeMap::len);
        TeamBudgetStatus {
            observed_generation: budget.pointer("/metadata/generation").and_then(Value::as_i64),
            reserved_eur: self.total(&team, ""),
            claims: u32::try_from(claims).unwrap_or(u32::MAX),
        }
    }

    fn total(&self, team: &str, without: &str) -> f64 {
        let claims = self.reserved.get(team).into_iter().flatten();
        claims.filter(|(uid, _)| *uid != without).map(|(_, cost)| cost).sum()
    }
}

/// The reason of a claim that is refused for its price.
pub(super) const EXCEEDED: &str = "BudgetExceeded";

fn spec(budget: &Value) -> Option<TeamBudgetSpec> {
    serde_json::from_value(budget.get("spec")?.clone()).ok()
}

fn team(claim: &Value, snapshot: &Snapshot) -> Option<String> {
    let namespace = claim.pointer("/metadata/namespace").and_then(Value::as_str)?;
    label(snapshot.namespaces.get(namespace)?, "team").map(ToOwned::to_owned)
}

fn uid(claim: &Value) -> String {
    claim.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Arc;

    fn claim(uid: &str) -> Value {
        json!({"metadata": {"name": uid, "namespace": "dev", "uid": uid}})
    }

    fn snapshot() -> Snapshot {
        let namespace = json!({"metadata": {"name": "dev", "labels": {"team": "alpha"}}});
        let budget = json!({"metadata": {"name": "alpha", "generation": 1}, "spec": {"team": "alpha", "monthlyEUR": 48}});
        Snapshot {
            claims: Vec::new(),
            classes: Vec::new(),
            budgets: vec![Arc::new(budget)],
            namespaces: [("dev".to_owned(), Arc::new(namespace))].into(),
            approvals: BTreeMap::new(),
            made: BTreeMap::new(),
            catalog: Arc::default(),
            capabilities: Arc::default(),
            blind: BTreeMap::new(),
            epoch: 0,
        }
    }

    #[test]
    fn of_five_claims_and_a_budget_for_four_one_is_refused() {
        let snapshot = snapshot();
        let mut ledger = Ledger::of(&snapshot);
        let outcomes: Vec<bool> =
            (0..5).map(|it| ledger.reserve(&claim(&it.to_string()), &snapshot, 12.0).is_ok()).collect();
        assert_eq!(outcomes, [true, true, true, true, false]);
        let status = ledger.status(&snapshot.budgets[0]);
        assert_eq!((status.reserved_eur, status.claims), (48.0, 4));
        assert!(ledger.reserve(&claim("0"), &snapshot, 12.0).is_ok(), "what is there stays");
        let problem = ledger.reserve(&claim("0"), &snapshot, 90.0).unwrap_err();
        assert!(
            problem.starts_with("it costs 90 EUR a month, and of the 48 of team `alpha` 36 are reserved"),
            "{problem}"
        );
    }

    #[test]
    fn without_a_budget_nobody_is_refused() {
        let snapshot = Snapshot { budgets: Vec::new(), ..snapshot() };
        let mut ledger = Ledger::of(&snapshot);
        assert!(ledger.reserve(&claim("a"), &snapshot, 1e9).is_ok());
        assert_eq!(ledger.state_for(&claim("a"), &snapshot), "");
    }
}
