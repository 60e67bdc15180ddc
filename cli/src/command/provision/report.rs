//! What is told of plans: for people, for programs, and as objects.

use super::gather::Wanted;
use crate::exit::ExitStatus;
use crate::output::{BAD, GOOD, Output, QUIET, STRONG, WARNING, styled};
use serde_json::{Value, json};
use wayguard_cluster::manifest;
use wayguard_cluster::objects::Target;
use wayguard_provisioning::{Plan, PlanError};

/// Everything that was planned.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) results: Vec<Outcome>,
    /// What may surprise.
    pub(super) notes: Vec<String>,
    /// A cluster was asked what would change.
    pub(super) dry_run: bool,
}

/// What became of one claim or Namespace.
#[derive(Debug)]
pub(super) struct Outcome {
    target: Target,
    file: String,
    line: usize,
    plan: Result<Plan, PlanError>,
    objects: Vec<Planned>,
}

/// An object, and what it would change.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) id: String,
    pub(super) object: Value,
    /// `None`: no cluster was asked.
    pub(super) change: Option<Change>,
}

/// What applying an object would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Created,
    Changed(Vec<String>),
    Unchanged,
    /// Somebody else's object has that name.
    Conflict(String),
    /// The API server would not take it.
    Refused(String),
}

impl Outcome {
    pub(super) fn new(
        wanted: &Wanted,
        plan: Result<Plan, PlanError>,
        objects: impl FnOnce(&Plan) -> Vec<Planned>,
    ) -> Self {
        let objects = plan.as_ref().map(objects).unwrap_or_default();
        Self { target: wanted.target.clone(), file: wanted.file.clone(), line: wanted.line, plan, objects }
    }

    /// `provision`, `pending`, `deny` or `error`.
    fn verdict(&self) -> &'static str {
        let stuck =
            |planned: &Planned| matches!(planned.change, Some(Change::Conflict(_) | Change::Refused(_)));
        match &self.plan {
            Err(PlanError::Class { .. }) => "error",
            Err(PlanError::Claim(_)) => "deny",
            Ok(plan) if !plan.denials.is_empty() => "deny",
            Ok(_) if self.objects.iter().any(stuck) => "deny",
            Ok(plan) if !plan.approvals.is_empty() => "pending",
            Ok(_) => "provision",
        }
    }

    fn name(&self) -> String {
        let place = if self.target.namespace.is_empty() {
            String::new()
        } else {
            format!("{}/", self.target.namespace)
        };
        format!("{} {place}{}", self.target.kind, self.target.name)
    }

    fn human(&self, out: &mut Output) {
        let name = styled(STRONG, self.name());
        let plan = match &self.plan {
            Ok(plan) => plan,
            Err(PlanError::Claim(message)) => {
                out.data(format_args!("{name}: {}", styled(BAD, "denied")));
                return out.data(format_args!("  {message}"));
            }
            Err(error) => {
                out.data(format_args!("{name}: {}", styled(BAD, "failed")));
                return out.data(format_args!("  {error}"));
            }
        };
        let cost = plan.cost.map(|cost| format!(", {cost} EUR a month")).unwrap_or_default();
        let by = format!("class {}{cost}", plan.class.name);
        match self.verdict() {
            "deny" => out.data(format_args!("{name}: {} ({by})", styled(BAD, "denied"))),
            "pending" => out.data(format_args!("{name}: {} ({by})", styled(WARNING, "waits for approval"))),
            _ => out.data(format_args!("{name}: {} ({by})", styled(GOOD, "would be provisioned"))),
        }
        for denial in &plan.denials {
            out.data(format_args!("  {} {denial}", styled(BAD, "✗")));
        }
        for approval in &plan.approvals {
            out.data(format_args!("  {} {}: {}", styled(WARNING, "?"), approval.group, approval.reason));
        }
        if !plan.approvals.is_empty() {
            out.data(format_args!("    {}", styled(QUIET, format_args!("specHash {}", plan.spec_hash))));
        }
        for planned in &self.objects {
            let target = Target::of(&planned.object);
            let (mark, more): (String, Vec<String>) = match &planned.change {
                None | Some(Change::Created) => (styled(GOOD, "+"), Vec::new()),
                Some(Change::Unchanged) => (styled(QUIET, "="), Vec::new()),
                Some(Change::Changed(lines)) => (styled(WARNING, "~"), lines.clone()),
                Some(Change::Conflict(why) | Change::Refused(why)) => (styled(BAD, "✗"), vec![why.clone()]),
            };
            out.data(format_args!("  {mark} {} {}", target.kind, target.name));
            for line in more {
                out.data(format_args!("      {line}"));
            }
        }
        let outputs = plan.outputs.iter().filter(|_| plan.denials.is_empty());
        for (output, place) in outputs {
            out.data(format_args!(
                "  {} {}.{output}  {}",
                styled(QUIET, "→"),
                self.target.name,
                styled(QUIET, format_args!("Secret {}, key {}", place.secret, place.key))
            ));
        }
    }

    fn json(&self) -> Value {
        let target = &self.target;
        let mut shown = json!({
            "object": {"apiVersion": target.api_version, "kind": target.kind, "namespace": target.namespace, "name": target.name},
            "source": {"file": self.file, "line": self.line},
            "verdict": self.verdict(),
        });
        let more = match &self.plan {
            Err(error) => json!({"message": error.to_string()}),
            Ok(plan) => json!({
                "class": plan.class.name,
                "specHash": plan.spec_hash,
                "denials": plan.denials,
                "approvals": plan.approvals,
                "cost": plan.cost.map(|cost| json!({"monthlyEUR": cost})),
                "objects": self.objects.iter().map(Planned::json).collect::<Vec<_>>(),
                "outputs": plan.outputs,
                "binding": plan.binding(),
                "ready": plan.ready,
            }),
        };
        if let (Value::Object(shown), Value::Object(more)) = (&mut shown, more) {
            shown.extend(more);
        }
        shown
    }
}

impl Planned {
    fn json(&self) -> Value {
        let mut shown = json!({"id": self.id, "object": self.object});
        let (change, lines) = match &self.change {
            None => return shown,
            Some(Change::Created) => ("created", Vec::new()),
            Some(Change::Unchanged) => ("unchanged", Vec::new()),
            Some(Change::Changed(lines)) => ("changed", lines.clone()),
            Some(Change::Conflict(why)) => ("conflict", vec![why.clone()]),
            Some(Change::Refused(why)) => ("refused", vec![why.clone()]),
        };
        if let Value::Object(members) = &mut shown {
            members.insert("change".to_owned(), change.into());
            members.insert("differences".to_owned(), lines.into());
        }
        shown
    }
}

impl Report {
    pub(super) fn human(&self, out: &mut Output) {
        for result in &self.results {
            result.human(out);
        }
        if !self.dry_run && self.results.iter().any(|result| !result.objects.is_empty()) {
            out.talk(styled(
                QUIET,
                "`--format yaml` prints the objects; `--cluster` tells what would change there",
            ));
        }
    }

    pub(super) fn json(&self, out: &mut Output) {
        let count = |verdict: &str| self.results.iter().filter(|result| result.verdict() == verdict).count();
        let shown = json!({
            "results": self.results.iter().map(Outcome::json).collect::<Vec<_>>(),
            "summary": {
                "provisioned": count("provision"), "pending": count("pending"),
                "denied": count("deny"), "errors": count("error"),
            },
        });
        out.data(serde_json::to_string_pretty(&shown).unwrap_or_default());
    }

    pub(super) fn yaml(&self, out: &mut Output) {
        let objects = self.results.iter().flat_map(|result| &result.objects).map(|planned| &planned.object);
        out.write(&manifest::stream(objects));
        // Whoever pipes the objects elsewhere must still hear why some are missing.
        for result in self.results.iter().filter(|result| ["deny", "error"].contains(&result.verdict())) {
            let why = match &result.plan {
                Err(error) => error.to_string(),
                Ok(plan) => plan.denials.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            };
            out.error(format_args!("{}: {why}", result.name()));
        }
    }

    /// The worst of all.
    pub(super) fn status(&self) -> ExitStatus {
        let of = |result: &Outcome| match result.verdict() {
            "error" => ExitStatus::Invalid,
            "deny" => ExitStatus::Denied,
            _ => ExitStatus::Fine,
        };
        self.results.iter().map(of).max().unwrap_or_default()
    }
}
