//! Constraints: which objects a template judges, with which parameters, and what a violation does where.

use super::matching::Match;
use super::object::{Given, Problem};
use crate::policy::spec::Action;
use crate::request::{GroupVersionKind, Origin};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// Where violations have an effect, by Gatekeeper's names: admission, and `check`, which foretells it.
pub(crate) const WEBHOOK: &str = "validation.gatekeeper.sh";
const AUDIT: &str = "audit.gatekeeper.sh";
/// The command line: here a policy's own tests.
const GATOR: &str = "gator.gatekeeper.sh";
const POINTS: [&str; 3] = [WEBHOOK, AUDIT, GATOR];

/// A constraint, checked.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// Its kind, as its template names it.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Which objects it judges.
    pub matches: Match,
    /// The template's operations; empty: all that the webhook sees.
    pub operations: Vec<String>,
    /// What a violation does, by enforcement point.
    pub(crate) actions: BTreeMap<&'static str, Action>,
    /// The template reads `data.inventory`.
    pub(crate) reads_inventory: bool,
    /// The template reads the Namespace object.
    pub(crate) reads_namespace: bool,
}

/// A constraint as written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Spec {
    #[serde(default, rename = "match")]
    pub(crate) matches: Option<Match>,
    #[serde(default)]
    pub(crate) enforcement_action: Option<String>,
    #[serde(default)]
    pub(crate) scoped_enforcement_actions: Vec<ScopedAction>,
    #[serde(default)]
    pub(crate) parameters: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ScopedAction {
    #[serde(default)]
    action: String,
    #[serde(default)]
    enforcement_points: Vec<Point>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    #[serde(default)]
    name: String,
}

impl Spec {
    /// `spec.parameters`; absent, or `null`, is an empty object.
    pub(crate) fn parameters(&self) -> Result<Map<String, Json>, Problem> {
        match &self.parameters {
            None | Some(Json::Null) => Ok(Map::new()),
            Some(Json::Object(parameters)) => Ok(parameters.clone()),
            Some(_) => Err(Problem::new("/spec/parameters", "`parameters` must be an object")),
        }
    }

    /// What a violation does, by enforcement point; a point that is not in it does not evaluate the constraint.
    pub(crate) fn actions(&self) -> Result<BTreeMap<&'static str, Action>, Problem> {
        let plain = self.enforcement_action.as_deref().unwrap_or("deny");
        if plain != "scoped" {
            let action = action(plain, "/spec/enforcementAction")?;
            return Ok(POINTS.into_iter().map(|point| (point, action)).collect());
        }
        let mut actions = BTreeMap::new();
        for (index, scoped) in self.scoped_enforcement_actions.iter().enumerate() {
            let action = action(&scoped.action, &format!("/spec/scopedEnforcementActions/{index}/action"))?;
            let named =
                |point: &&str| scoped.enforcement_points.iter().any(|it| it.name == "*" || it.name == *point);
            for point in POINTS.into_iter().filter(named) {
                let strongest = actions.entry(point).or_insert(action);
                *strongest = action.max(*strongest);
            }
        }
        Ok(actions)
    }
}

/// Reads an `enforcementAction`.
pub(crate) fn action(text: &str, pointer: &str) -> Result<Action, Problem> {
    match text {
        "deny" => Ok(Action::Deny),
        "warn" => Ok(Action::Warn),
        "dryrun" => Ok(Action::Audit),
        other => Err(Problem::new(
            pointer,
            format!("enforcement action `{other}` is not known; write `deny`, `warn`, `dryrun` or `scoped`"),
        )),
    }
}

/// Reads a constraint's own part.
///
/// # Errors
/// Unknown fields, actions or selectors, or parameters that are no object.
pub(crate) fn read(given: &Given) -> Result<Spec, Problem> {
    if given.name().is_empty() {
        return Err(Problem::new("/metadata", "the constraint has no `metadata.name`"));
    }
    if !matches!(given.version(), "v1beta1" | "v1alpha1") {
        let message = format!("version `{}` is not known; write `v1beta1`", given.version());
        return Err(Problem::new("/apiVersion", message));
    }
    given.spec()
}

impl Constraint {
    /// What a violation does for who asks; `None`: the constraint is not evaluated there.
    pub(crate) fn action(&self, origin: Origin) -> Option<Action> {
        let point = match origin {
            Origin::Admission | Origin::Check | Origin::Test => WEBHOOK,
            Origin::Audit => AUDIT,
            Origin::Suite => GATOR,
        };
        self.actions.get(point).copied()
    }

    /// What it judges, in words.
    pub(crate) fn judges(&self) -> Vec<String> {
        let kinds = self.matches.kinds.iter().map(|rule| {
            let any = |list: &[String]| if list.is_empty() { "*".to_owned() } else { list.join(", ") };
            format!("{} of {}", any(&rule.kinds), any(&rule.api_groups).replace("\"\"", "core"))
        });
        kinds.collect()
    }

    /// Whether objects of that kind can be judged by it.
    pub fn concerns(&self, kind: GroupVersionKind<'_>) -> bool {
        self.matches.kind_fits(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: &str) -> Spec {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn one_action_for_all_points_or_scoped() {
        assert_eq!(spec("{}").actions().unwrap()[WEBHOOK], Action::Deny);
        assert_eq!(spec(r#"{"enforcementAction":"dryrun"}"#).actions().unwrap()[AUDIT], Action::Audit);
        let scoped = spec(
            r#"{"enforcementAction":"scoped","scopedEnforcementActions":[
                {"action":"warn","enforcementPoints":[{"name":"*"}]},
                {"action":"deny","enforcementPoints":[{"name":"audit.gatekeeper.sh"}]}]}"#,
        );
        let actions = scoped.actions().unwrap();
        assert_eq!((actions[WEBHOOK], actions[AUDIT]), (Action::Warn, Action::Deny));
        let elsewhere = spec(
            r#"{"enforcementAction":"scoped","scopedEnforcementActions":[{"action":"deny","enforcementPoints":[{"name":"vap.k8s.io"}]}]}"#,
        );
        assert!(elsewhere.actions().unwrap().is_empty());
    }

    #[test]
    fn an_unknown_action_is_a_mistake() {
        let problem = spec(r#"{"enforcementAction":"Deny"}"#).actions().unwrap_err();
        assert_eq!(
            problem.message,
            "enforcement action `Deny` is not known; write `deny`, `warn`, `dryrun` or `scoped`"
        );
    }
}
