//! What to register now, given what is registered and what the replicas have loaded.
//!
//! Rules widen only after every ready replica has loaded the set that they come from: before, a request could reach
//! a replica that does not know the policy it is asked about. They narrow at once: an answer that nobody needs any
//! more must not be waited for. While a set is on its way to the replicas, what is registered and still wanted
//! stays, even if it is to move between the groups.

use super::Groups;
use super::configuration::{Entry, rules_of};
use crate::discovery::Resources;
use serde_json::Value;

/// The live configurations, as far as they are there.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The `MutatingWebhookConfiguration`.
    pub mutating: Option<Value>,
    /// The `ValidatingWebhookConfiguration`.
    pub validating: Option<Value>,
}

impl Live {
    /// All entries of both objects that are ours by name.
    pub fn entries(&self) -> impl Iterator<Item = (Entry, &Value)> {
        [&self.mutating, &self.validating].into_iter().flatten().flat_map(|object| {
            let list = object.get("webhooks").and_then(Value::as_array).into_iter().flatten();
            list.filter_map(|webhook| {
                let entry = Entry::parse(webhook.get("name").and_then(Value::as_str)?)?;
                Some((entry, webhook))
            })
        })
    }

    /// The `caBundle` of every entry of ours, base64 as it is written; an entry without one counts as an empty one.
    pub fn ca_bundles(&self) -> Vec<String> {
        let bundle = |webhook: &Value| {
            webhook.pointer("/clientConfig/caBundle").and_then(Value::as_str).map(str::to_owned)
        };
        self.entries().map(|(_, webhook)| bundle(webhook).unwrap_or_default()).collect()
    }
}

/// The rules that are registered.
pub fn live_rules(live: &Live) -> Groups {
    live.entries()
        .filter(|(entry, _)| !entry.own())
        .map(|(entry, webhook)| (entry, rules_of(webhook)))
        .collect()
}

/// The rules to register.
pub fn planned(wanted: &Groups, registered: &Groups, all_loaded: bool, resources: &Resources) -> Groups {
    let mut planned = if all_loaded { wanted.clone() } else { Groups::new() };
    for (entry, rules) in registered {
        // Groups whose own API server is away are missing from discovery: that is no reason to stop judging them.
        let unseen = rules.filtered(|atom| resources.stale_groups.contains(&atom.group));
        let mut kept = unseen;
        if !all_loaded {
            let same_phase = wanted.iter().filter(|(other, _)| other.mutating() == entry.mutating());
            for (_, wanted) in same_phase {
                let (narrower, wider) =
                    (wanted.filtered(|atom| rules.covers(atom)), rules.filtered(|atom| wanted.covers(atom)));
                narrower.iter().chain(wider.iter()).for_each(|atom| kept.add(atom.clone()));
            }
        }
        let target = planned.entry(*entry).or_default();
        kept.iter().for_each(|atom| target.add(atom.clone()));
    }
    planned.retain(|_, rules| !rules.is_empty());
    planned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhooks::atoms::{Atom, Rules, Verb};
    use serde_json::json;

    fn rules(resources: &[&str]) -> Rules {
        let atom = |resource: &&str| {
            let (group, resource) = resource.split_once(':').unwrap_or(("", resource));
            Atom {
                group: group.into(),
                version: "*".into(),
                resource: resource.into(),
                scope: "*".into(),
                verb: Verb::Create,
            }
        };
        resources.iter().map(atom).collect()
    }

    fn groups(entries: &[(Entry, &[&str])]) -> Groups {
        entries.iter().map(|(entry, resources)| (*entry, rules(resources))).collect()
    }

    #[test]
    fn rules_widen_only_when_all_have_loaded() {
        let wanted = groups(&[(Entry::ValidateFail, &["pods", "services"]), (Entry::Mutate, &["pods"])]);
        let registered = groups(&[(Entry::ValidateFail, &["pods"])]);
        let resources = Resources::default();
        assert_eq!(planned(&wanted, &registered, false, &resources), registered);
        assert_eq!(planned(&wanted, &registered, true, &resources), wanted);
        assert_eq!(planned(&wanted, &Groups::new(), false, &resources), Groups::new());
    }

    #[test]
    fn rules_narrow_at_once() {
        let wanted = groups(&[(Entry::ValidateFail, &["pods"])]);
        let registered = groups(&[(Entry::ValidateFail, &["pods", "services"]), (Entry::Mutate, &["pods"])]);
        assert_eq!(planned(&wanted, &registered, false, &Resources::default()), wanted);
    }

    #[test]
    fn a_rule_that_moves_between_groups_is_never_in_neither() {
        let wanted = groups(&[(Entry::ValidateFail, &["pods"])]);
        let registered = groups(&[(Entry::ValidateIgnore, &["pods", "services"])]);
        let before = planned(&wanted, &registered, false, &Resources::default());
        assert_eq!(before, groups(&[(Entry::ValidateIgnore, &["pods"])]));
        assert_eq!(planned(&wanted, &before, true, &Resources::default()), wanted);
    }

    #[test]
    fn a_rule_that_becomes_narrower_in_itself_stays_in_part() {
        let narrow: Rules =
            rules(&["pods"]).iter().map(|atom| Atom { version: "v1".into(), ..atom.clone() }).collect();
        let wanted: Groups = [(Entry::ValidateFail, narrow.clone())].into();
        let registered = groups(&[(Entry::ValidateFail, &["pods"])]);
        assert_eq!(planned(&wanted, &registered, false, &Resources::default()), wanted);
    }

    #[test]
    fn groups_that_discovery_cannot_see_stay_registered() {
        let wanted = groups(&[(Entry::ValidateFail, &["pods"])]);
        let registered = groups(&[(Entry::ValidateFail, &["pods", "example.com:widgets"])]);
        let resources = Resources { stale_groups: ["example.com".to_owned()].into(), ..Resources::default() };
        assert_eq!(planned(&wanted, &registered, true, &resources), registered);
        assert_eq!(planned(&wanted, &registered, false, &resources), registered);
    }

    #[test]
    fn entries_are_known_by_name_and_foreign_ones_passed_over() {
        let live = Live {
            mutating: None,
            validating: Some(json!({"webhooks": [
                {"name": "validate-fail.wayguard.io", "clientConfig": {"caBundle": "Y2E="}, "rules": []},
                {"name": "policies.wayguard.io"},
                {"name": "somebody.else.io", "clientConfig": {"caBundle": "eA=="}},
            ]})),
        };
        assert_eq!(
            live.entries().map(|(entry, _)| entry).collect::<Vec<_>>(),
            [Entry::ValidateFail, Entry::OwnPolicies]
        );
        assert_eq!(live.ca_bundles(), ["Y2E=", ""]);
        assert_eq!(live_rules(&live).keys().collect::<Vec<_>>(), [&Entry::ValidateFail]);
    }
}
